//! What a command asks for.

use kiungo_domain::{AccountRef, TransferId};
use kiungo_engine::request::NewTransfer;
use kiungo_server::problem::Problem;
use kiungo_server::scope::{About, Intent};
use kiungo_server::wire::check::{Checks, text};
use kiungo_server::wire::request::{AccountInput, TransferRequest, digest};
use kiungo_server::wire::{Object, named_transfer, read_object, sha256_hex};
use kiungo_server::{Role, Wallets};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandType {
    /// A transfer is wanted.
    Create,
    /// The other side is to be asked again.
    Inquire,
    /// A transfer is to be given back.
    Reverse,
    /// Suspended money is given its account.
    Assign,
}

impl CommandType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Inquire, Self::Reverse, Self::Assign];

    /// The type of its `CloudEvent`, which is the routing key too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "transfer.create",
            Self::Inquire => "transfer.inquire",
            Self::Reverse => "transfer.reverse",
            Self::Assign => "suspense.assign",
        }
    }

    /// The type of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The role that it needs, as in the API.
    pub const fn role(self) -> Role {
        match self {
            Self::Create | Self::Inquire => Role::Write,
            Self::Reverse | Self::Assign => Role::Operate,
        }
    }
}

/// What a command asks for, every member checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A transfer.
    Create(Box<NewTransfer>),
    /// Asking the other side again.
    Inquire(TransferId),
    /// Giving a transfer back.
    Reverse {
        /// The transfer.
        transfer: TransferId,
        /// Why.
        reason: String,
    },
    /// Giving suspended money its account.
    Assign {
        /// The transfer.
        transfer: TransferId,
        /// The account.
        account: AccountRef,
    },
}

/// A transfer whose counterparty is to be asked again, now instead of at the next scheduled inquiry. It
/// moves nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferInquiry, examples(json!({ "transfer": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00" })))]
pub(crate) struct InquiryData {
    /// Its id, or the reference of one of its operations.
    transfer: String,
}

/// A transfer that is to be given back, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferReversal, examples(json!({
    "transfer": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00",
    "reason": "The customer paid into the wrong account"
})))]
pub(crate) struct ReversalData {
    /// Its id, or the reference of one of its operations.
    transfer: String,
    /// For the journal: 1 to 200 characters.
    reason: String,
}

/// Suspended money and the account that it is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuspenseAssignment, examples(json!({
    "transfer": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00",
    "account": { "type": "savings", "account_no": "000000042" }
})))]
pub(crate) struct AssignmentData {
    /// The suspended transfer's id, or the reference of one of its operations.
    transfer: String,
    #[schema(value_type = AccountInput)]
    account: Object<AccountInput>,
}

impl Request {
    /// Reads the data of a command of this type. Paths in the problem are from the root of the data.
    /// `wallets` knows how providers' numbers are written.
    pub fn read(kind: CommandType, data: &str, wallets: &dyn Wallets) -> Result<Self, Problem> {
        let data = data.as_bytes();
        match kind {
            CommandType::Create => {
                let new = read_object::<TransferRequest>(data)?.read(wallets)?;
                Ok(Self::Create(Box::new(new)))
            }
            CommandType::Inquire => read_object::<InquiryData>(data)?.read(),
            CommandType::Reverse => read_object::<ReversalData>(data)?.read(),
            CommandType::Assign => read_object::<AssignmentData>(data)?.read(),
        }
    }

    /// What it is about, as far as a client's scope asks.
    pub fn about(&self) -> About<'_> {
        match self {
            Self::Create(new) => About::New(new),
            Self::Inquire(transfer) | Self::Reverse { transfer, .. } => {
                About::Transfer(*transfer, Intent::Move)
            }
            Self::Assign { transfer, account } => About::Assignment(*transfer, account),
        }
    }

    /// SHA-256 over what the command means. A transfer's is the API's, so that the same key with the
    /// same content is the same wherever it comes in.
    pub fn digest(&self) -> String {
        #[derive(Serialize)]
        struct Canonical<'a> {
            form: u8,
            command: &'static str,
            transfer: TransferId,
            reason: Option<&'a str>,
            account: Option<&'a AccountRef>,
        }
        let (kind, transfer, reason, account) = match self {
            Self::Create(new) => return digest(new),
            Self::Inquire(transfer) => (CommandType::Inquire, *transfer, None, None),
            Self::Reverse { transfer, reason } => {
                (CommandType::Reverse, *transfer, Some(reason.as_str()), None)
            }
            Self::Assign { transfer, account } => {
                (CommandType::Assign, *transfer, None, Some(account))
            }
        };
        let canonical = Canonical { form: 1, command: kind.as_str(), transfer, reason, account };
        // Structs of plain values always have a JSON form.
        sha256_hex(&serde_json::to_vec(&canonical).unwrap_or_default())
    }
}

impl InquiryData {
    fn read(self) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let transfer = checks.member("/transfer", named_transfer(&self.transfer));
        checks.give(transfer.map(Request::Inquire))
    }
}

impl ReversalData {
    fn read(self) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let transfer = checks.member("/transfer", named_transfer(&self.transfer));
        let reason = checks.member("/reason", text(&self.reason, 200));
        let whole = transfer.zip(reason);
        checks.give(whole.map(|(transfer, reason)| Request::Reverse { transfer, reason }))
    }
}

impl AssignmentData {
    fn read(self) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let transfer = checks.member("/transfer", named_transfer(&self.transfer));
        let account = self.account.0.read("/account", &mut checks);
        let whole = transfer.zip(account);
        checks.give(whole.map(|(transfer, account)| Request::Assign { transfer, account }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kiungo_domain::numbering::{Market, NumberError};
    use kiungo_domain::{Msisdn, ProviderId};
    use kiungo_engine::request::SubmitError;

    use super::*;

    /// Every provider is in Tanzania.
    struct Tanzania;

    impl Wallets for Tanzania {
        fn read_wallet(&self, _: &ProviderId, text: &str) -> Result<Msisdn, SubmitError> {
            Ok(Market::of(&["255"]).unwrap().read(text)?)
        }

        fn find_wallet(&self, _: Option<&ProviderId>, _: &str) -> Result<Msisdn, NumberError> {
            Err(NumberError::Unreadable)
        }
    }

    fn read(kind: CommandType, data: &str) -> Result<Request, Problem> {
        Request::read(kind, data, &Tanzania)
    }

    const ID: &str = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";

    fn faults(kind: CommandType, data: &str) -> String {
        let problem = read(kind, data).expect_err(data);
        let paths = problem.errors().iter().filter_map(|error| error.pointer.clone());
        paths.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_wrong_with_the_data_is_named_by_its_place() {
        use CommandType::{Assign, Create, Inquire, Reverse};
        let transfer = r#"{"kind":"deposit","provider":"mpesa-tz","msisdn":"255712345678",
            "account":{"type":"savings","id":1},"amount":AMOUNT,"currency":"TZS"}"#;
        let cases = [
            (Create, transfer.replace("AMOUNT", "125.50"), "#/amount"),
            (Create, transfer.replace("AMOUNT", r#""1e3""#), "#/amount"),
            (Create, transfer.replace("AMOUNT", r#""-5""#), "#/amount"),
            (Create, transfer.replace("AMOUNT", r#""5","amount":"6""#), "#"),
            (Create, transfer.replace("AMOUNT", r#""5","colour":"red""#), "#/colour"),
            (Create, transfer.replace("AMOUNT", "\"5\"").replace("2557", "084"), "#/msisdn"),
            (Create, transfer.replace("AMOUNT", "\"5\"").replace("2557", "x"), "#/msisdn"),
            (Inquire, "{}".to_owned(), "#"),
            (Inquire, r#"{"transfer":"x"}"#.to_owned(), "#/transfer"),
            (Inquire, format!(r#"{{"transfer":"{ID}","reason":"x"}}"#), "#/reason"),
            (Reverse, format!(r#"{{"transfer":"{ID}","reason":""}}"#), "#/reason"),
            (Reverse, r#"{"transfer":"","reason":""}"#.to_owned(), "#/transfer #/reason"),
            (Assign, format!(r#"{{"transfer":"{ID}","account":["savings",1]}}"#), "#/account"),
            (Assign, format!(r#"{{"transfer":"{ID}","account":{{"type":"loan"}}}}"#), "#/account"),
        ];
        for (kind, data, path) in cases {
            assert_eq!(faults(kind, &data), path, "{data}");
        }
    }

    #[test]
    fn commands_that_mean_something_else_have_another_digest() {
        let other = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2d00";
        let digests: BTreeSet<String> = [
            (CommandType::Inquire, format!(r#"{{"transfer":"{ID}"}}"#)),
            (CommandType::Reverse, format!(r#"{{"transfer":"{ID}","reason":"a"}}"#)),
            (CommandType::Reverse, format!(r#"{{"transfer":"{ID}","reason":"b"}}"#)),
            (CommandType::Reverse, format!(r#"{{"transfer":"{other}","reason":"a"}}"#)),
            (
                CommandType::Assign,
                format!(r#"{{"transfer":"{ID}","account":{{"type":"loan","id":1}}}}"#),
            ),
            (
                CommandType::Assign,
                format!(r#"{{"transfer":"{ID}","account":{{"type":"loan","id":2}}}}"#),
            ),
        ]
        .into_iter()
        .map(|(kind, data)| read(kind, &data).unwrap().digest())
        .collect();
        assert_eq!(digests.len(), 6);
        let spaced = format!(r#"{{ "reason": "a", "transfer": "{ID}" }}"#);
        let spaced = read(CommandType::Reverse, &spaced).unwrap().digest();
        assert!(digests.contains(&spaced));
    }
}
