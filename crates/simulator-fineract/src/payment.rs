//! Payment details, as savings and loan transactions carry them.

use super::body::{Body, Fields};
use super::json::Json;
use super::options::{Options, PaymentType};
use super::refusal::{Problem, Refusal};

/// The members of a body that make up the payment details.
pub(crate) const MEMBERS: &[&str] = &[
    "paymentTypeId",
    "accountNumber",
    "checkNumber",
    "routingCode",
    "receiptNumber",
    "bankNumber",
];

const TEXTS: [&str; 5] =
    ["accountNumber", "checkNumber", "routingCode", "receiptNumber", "bankNumber"];

/// The payment details of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    type_id: u64,
    type_name: String,
    texts: [String; 5],
}

impl Payment {
    /// Reads the details; `None` if no payment type is named, upon which the texts are dropped.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Option<Self>, Refusal> {
        let type_id = fields.integer("paymentTypeId")?;
        let texts = TEXTS.map(|name| fields.text(name, 50).unwrap_or("").to_owned());
        Ok(type_id.map(|type_id| Self { type_id, type_name: String::new(), texts }))
    }

    /// Checks that the payment type exists, and notes its name.
    pub(crate) fn resolve(
        payment: Option<Self>,
        options: &Options,
    ) -> Result<Option<Self>, Refusal> {
        let Some(mut payment) = payment else { return Ok(None) };
        let known = |known: &&PaymentType| known.id == payment.type_id;
        let Some(found) = options.payment_types.iter().find(known) else {
            let message = format!("PaymentType with {} does not exist", payment.type_id);
            let problem = Problem::new("error.msg.payment.type.invalid", message);
            return Err(Refusal::NotFound(problem.arg(payment.type_id)));
        };
        payment.type_name.clone_from(&found.name);
        Ok(Some(payment))
    }

    /// The operator's receipt.
    pub(crate) fn receipt_number(&self) -> &str {
        &self.texts[3]
    }

    /// The cheque number.
    pub(crate) fn check_number(&self) -> &str {
        &self.texts[1]
    }

    /// `paymentDetailData`, whose id repeats the transaction's.
    pub(crate) fn view(&self, transaction: u64) -> Json {
        let payment_type =
            Json::object().with("id", self.type_id).with("name", self.type_name.as_str());
        let head = Json::object().with("id", transaction).with("paymentType", payment_type);
        TEXTS
            .iter()
            .zip(&self.texts)
            .fold(head, |json, (name, text)| json.with(name, text.as_str()))
    }
}

/// The echo in `changes`: the details that are not blank, then the payment type.
pub(crate) fn changes(json: Json, body: &Body) -> Json {
    details(json, body).with_some("paymentTypeId", type_id(body))
}

/// The details that are not blank.
pub(crate) fn details(json: Json, body: &Body) -> Json {
    TEXTS.iter().fold(json, |json, name| json.with_some(name, body.text(name)))
}

/// The payment type as a number.
pub(crate) fn type_id(body: &Body) -> Option<Json> {
    body.text("paymentTypeId").map(|digits| Json::Decimal(digits.to_owned()))
}
