//! The M-Pesa `OpenAPI`: answers and callbacks (`mpesa-openapi.md`).

use std::sync::LazyLock;

use bytes::Bytes;
use kiungo_domain::outcome::{Confirmation, Reason};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{
    Currency, Finding, Money, Msisdn, Outcome, Receipt, Reference, Timestamp, TransferId,
};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    Answered, CallbackContent, CallbackDecision, Meaning, PaymentFinding, PaymentNotice, Provider,
    Refusal, ReverseOrder, Terms, WalletInquiry, WalletOrder,
};
use kiungo_transport::Request;
use uuid::Uuid;

use super::adapters::{Planned, SECRETS};
use super::claims::{self, Claims};
use super::decimal;
use super::input::{Input, callback, printed};
use super::json::Fields;
use super::script::{Exchange, Script, run};

/// The shipped mapping of Tanzania.
pub(super) const SHIPPED: &str = "mpesa-tz";
/// Payments by customers, and a public key of 2048 bits, whose private half was not kept.
pub(super) const CHANGES: &str = concat!(
    "[mpesa]\nnotification = \"c2b-confirmation\"\npublic_key = \"",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs8yAjKVMaNKhDFJIWi1SagXFjD3F76Q4yilV",
    "OGr4vH7ArH61jY6GSaDfgrqgXqyxIYbClIDpUkXGf/aQpxfgQ97Cm13icvGym3Nn9wjy/4kJsmqHJKy1",
    "cpx/80ET81JYHK1At6dIC30nalTsS2IOc7e1xLJLmyegNPDZqKSBXnvMpECL4fXE3R43fV5hMkyddtDd",
    "4cgVpUfZoE89hPF86i6i4LX3ZQCff1CxnRtMe8YljIwfVDjHQNa4IwE+6MahzRU+rOAVVJrPxguP2AIH",
    "mH0awEo+jC/cZHOztBaf/Bf24qd0AYlPQawN4VCP2N80RDNocSbzXPzGn8aO5RSyWQIDAQAB",
    "\"\n"
);

static TANZANIA: LazyLock<Planned> = LazyLock::new(|| Planned::new(SHIPPED, CHANGES));
static GHANA: LazyLock<Planned> = LazyLock::new(|| Planned::new("mpesa-gh", CHANGES));

/// The operation that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Send(WalletOperation),
    Inquire(WalletOperation),
    Confirm,
    HolderName,
    Probe,
}

const ASKED: [Asked; 9] = [
    Asked::Send(WalletOperation::Collect),
    Asked::Send(WalletOperation::PayOut),
    Asked::Send(WalletOperation::Reverse),
    Asked::Inquire(WalletOperation::Collect),
    Asked::Inquire(WalletOperation::PayOut),
    Asked::Inquire(WalletOperation::Reverse),
    Asked::Confirm,
    Asked::HolderName,
    Asked::Probe,
];

/// Fuzzes the answers of the market.
///
/// Choices: the operation (`a` to `i`; names are told by Ghana alone), and whether sessions are
/// granted (`a`) or answered with what the input says (`b`).
pub fn mpesa_answer(data: &[u8]) {
    let input = Input::read(data);
    let asked = input.pick(0, &ASKED);
    let granted = input.pick(1, &[true, false]);
    let mut script = Script::new(input.answers).with_id(conversation_id);
    if granted {
        // A probe finds exactly the answers of the input.
        script = script.with_usher(if asked == Asked::Probe { session } else { proven_session });
    }
    let script = script.shared();
    let planned = match asked {
        Asked::HolderName => &*GHANA,
        _ => &*TANZANIA,
    };
    let (mpesa, terms) = (planned.adapter(script.clone()), &planned.terms);
    let claims = Claims::new(&msisdn(), &SECRETS, data);
    match asked {
        Asked::Send(operation) => {
            let outcome = run(send(&*mpesa, operation));
            claims.outcome(&outcome);
            check_outcome(&payments(&script), terms, operation, &outcome);
        }
        Asked::Inquire(operation) => {
            let finding = run(mpesa.inquire(&inquiry(operation)));
            claims.finding(&finding);
            check_finding(&Said::last(&payments(&script), terms, SYNCHRONOUS), &finding);
        }
        Asked::Confirm => {
            let found = run(mpesa.confirm(&notice()));
            check_payment(&Said::last(&payments(&script), terms, SYNCHRONOUS), &claims, &found);
        }
        Asked::HolderName => {
            let names = mpesa.holder_name().expect("Ghana tells names");
            claims.read(&run(names.holder_name(&ghanaian())));
        }
        Asked::Probe => {
            let probed = run(mpesa.probe());
            claims.read(&probed);
            claims.text(&probed.unwrap_or_default());
        }
    }
}

/// Fuzzes the callbacks of the market.
///
/// Method and path, headers, body: see `input`.
pub fn mpesa_callback(data: &[u8]) {
    let callback = callback(data);
    let terms = &TANZANIA.terms;
    let mpesa = TANZANIA.adapter(Script::new(Vec::new()).shared());
    let claims = Claims::new(&msisdn(), &SECRETS, &printed(&callback));
    match mpesa.read_callback(&callback) {
        Ok(CallbackContent::Result { reference, finding }) => {
            claims.finding(&finding);
            check_result(terms, reference, &finding, &callback.body);
        }
        Ok(CallbackContent::Payment(notice)) => {
            assert!(notice.receipt.is_some(), "a payment has a receipt");
            check_notice(terms, &notice, &callback.body);
        }
        Ok(CallbackContent::Validation(notice)) => check_notice(terms, &notice, &callback.body),
        Ok(
            CallbackContent::Offer(_)
            | CallbackContent::StateQuery(_)
            | CallbackContent::Heartbeat
            | CallbackContent::Malformed(_),
        ) => panic!("this API has nothing of the kind"),
        Ok(CallbackContent::Answer { .. } | CallbackContent::Nothing) => {
            panic!("nobody asks anything here")
        }
        Err(error) => claims.callback_error(&error),
    }
    let refused = CallbackDecision::Refused(Refusal::by_rule(
        Reason::AccountNotFound,
        "there is no such account",
    ));
    for decision in [CallbackDecision::Accepted, refused, CallbackDecision::Unreadable] {
        let reply = mpesa.reply(&callback, &decision);
        // Only an address that is none is answered with 404.
        assert!(reply.status == 200 || reply.body.is_none());
        claims::reply(&callback, &reply);
    }
}

/// A result is of the operation whose conversation id it names, or of none.
fn check_result(terms: &Terms, reference: Option<Reference>, finding: &Finding, body: &[u8]) {
    let Some(fields) = Fields::read(body) else {
        let damaged = matches!(finding, Finding::Unclear { .. }) && reference.is_some();
        return assert!(damaged, "a damaged result says {finding:?}");
    };
    let id = fields.text("input_ThirdPartyConversationID").unwrap_or_default();
    let about = asked_about(&id);
    let named = about.or_else(|| Reference::parse(&id).ok());
    assert_eq!(reference, named, "another operation than the id names");
    let Some(reference) = reference else {
        assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?} of nothing of ours");
        return;
    };
    claims::reference(reference);
    let said = Said { terms, status: 200, fields: Some(fields), names: ASYNCHRONOUS };
    if about.is_some() {
        check_finding(&said, finding);
        return;
    }
    let operation = WalletOperation::of_step(reference.step());
    match finding {
        Finding::Executed(confirmation) => {
            assert_eq!(said.means(operation), Some(Meaning::Completed), "an unlisted success");
            assert!(said.names_receipt(confirmation), "a receipt that stands nowhere");
            assert_eq!(confirmation.stated.reference, Some(reference));
        }
        Finding::Rejected(_) => {
            assert_eq!(said.means(operation), Some(Meaning::Rejected), "an unlisted refusal");
        }
        Finding::InProgress(_) | Finding::Unclear { .. } => {}
        Finding::Reversed(_) | Finding::Absent => panic!("{finding:?} of a result"),
    }
}

/// A payment is what its notification says.
fn check_notice(terms: &Terms, notice: &PaymentNotice, body: &[u8]) {
    let Some(fields) = Fields::read(body) else {
        let receipt = notice.receipt.as_ref().expect("a damaged notification has a receipt");
        let body = String::from_utf8_lossy(body);
        return assert!(
            body.contains(receipt.as_str()) || body.contains('\\') || body.contains('\0')
        );
    };
    let text = |name| fields.text(name).filter(|text| !text.eq_ignore_ascii_case("n/a"));
    assert_eq!(text("BusinessShortCode").as_deref(), Some("000000"), "another organisation");
    let receipt = notice.receipt.as_ref().map(|receipt| receipt.as_str().to_owned());
    assert_eq!(receipt, text("TransID"), "another receipt");
    let amount = text("TransAmount").and_then(|t| decimal::number(&t, terms.currency.exponent()));
    assert_eq!(Some(notice.amount.minor()), amount, "another amount");
    assert!(!notice.amount.is_zero(), "a payment of nothing");
    if let Some(payer) = &notice.msisdn {
        assert_eq!(Some(payer.digits()), text("MSISDN").as_deref(), "another payer");
    }
    if let Some(reference) = notice.reference {
        claims::reference(reference);
    }
}

/// The operation that a query's own id asks about: `Q`, 25 digits of the reference in base 36, 12
/// more.
fn asked_about(id: &str) -> Option<Reference> {
    let digits = id.strip_prefix('Q').filter(|digits| digits.len() == 37 && digits.is_ascii())?;
    let number = digits.chars().take(25).try_fold(0_u128, |number, digit| {
        let digit = digit.to_digit(36).filter(|_| !digit.is_ascii_lowercase())?;
        number.checked_mul(36)?.checked_add(u128::from(digit))
    })?;
    Reference::parse(&Uuid::from_u128(number).to_string()).ok()
}

async fn send(mpesa: &dyn Provider, operation: WalletOperation) -> Outcome {
    match operation {
        WalletOperation::Collect => mpesa.collect(&order(operation)).await,
        WalletOperation::PayOut => mpesa.pay_out(&order(operation)).await,
        WalletOperation::Reverse => {
            mpesa.reverse().expect("it reverses").reverse(&reversal()).await
        }
    }
}

/// The members of an answer that decide, by their names in it.
#[derive(Debug, Clone, Copy)]
struct Names {
    code: [&'static str; 2],
    receipt: [&'static str; 2],
    status: [&'static str; 2],
    reversed: &'static str,
}

const SYNCHRONOUS: Names = Names {
    code: ["output_ResponseCode"; 2],
    receipt: ["output_TransactionID", "output_OriginalTransactionID"],
    status: ["output_ResponseTransactionStatus", "output_TransactionStatus"],
    reversed: "output_Reversed",
};

const ASYNCHRONOUS: Names = Names {
    code: ["input_ResultCode", "input_ResponseCode"],
    receipt: ["input_TransactionID", "input_OriginalTransactionID"],
    status: ["input_ResponseTransactionStatus"; 2],
    reversed: "input_Reversed",
};

/// One answer, read a second time.
struct Said<'a> {
    terms: &'a Terms,
    status: u16,
    fields: Option<Fields>,
    names: Names,
}

impl<'a> Said<'a> {
    /// The answer to the last request; with status 0 if there is none.
    fn last(exchanges: &[Exchange], terms: &'a Terms, names: Names) -> Self {
        let last = exchanges.last();
        let fields = last.and_then(|exchange| Fields::read(&exchange.answer.body));
        Self { terms, status: last.map_or(0, Exchange::status), fields, names }
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = self.fields.as_ref()?.text(name)?;
        (!text.eq_ignore_ascii_case("n/a")).then_some(text)
    }

    fn first(&self, names: [&str; 2]) -> Option<String> {
        names.iter().find_map(|name| self.text(name))
    }

    fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The meaning of its code by the mapping.
    fn means(&self, answered: impl Into<Answered>) -> Option<Meaning> {
        let code = self.first(self.names.code)?;
        // The results of an older generation write a success so.
        let older = code == "0" && self.names.code == ASYNCHRONOUS.code;
        let code = if older { "INS-0" } else { code.as_str() };
        self.terms.codes.meaning(answered, code).map(|line| line.means)
    }

    /// The meaning of its status word by the mapping.
    fn word(&self) -> Option<Meaning> {
        self.terms.status(&self.first(self.names.status)?).map(|line| line.means)
    }

    fn names_receipt(&self, confirmation: &Confirmation) -> bool {
        let receipt = confirmation.receipt.as_str();
        self.names.receipt.iter().any(|name| self.text(name).as_deref() == Some(receipt))
    }
}

/// No outcome is invented: only what is listed completes, rejects, or counts as not sent.
fn check_outcome(
    exchanges: &[Exchange],
    terms: &Terms,
    operation: WalletOperation,
    outcome: &Outcome,
) {
    let said = Said::last(exchanges, terms, SYNCHRONOUS);
    let means = said.means(operation);
    match outcome {
        Outcome::Executed(confirmation) => {
            assert!(said.succeeded() && means == Some(Meaning::Completed), "an unlisted success");
            assert!(said.names_receipt(confirmation), "a receipt that stands nowhere");
            let echoed = said.text("output_ThirdPartyConversationID");
            let echoed = echoed.map(|text| Reference::parse(&text).expect("an unreadable echo"));
            assert_eq!(confirmation.stated.reference, echoed, "the stated reference");
        }
        Outcome::Rejected(_) => {
            assert_eq!(means, Some(Meaning::Rejected), "an unlisted refusal");
            assert!(said.status < 500, "a refusal with {}", said.status);
        }
        Outcome::NotSent { .. } => {
            let written = exchanges.iter().any(Exchange::was_written);
            let listed = means == Some(Meaning::NotSent) && said.status < 500;
            let uncoded = said.first(said.names.code).is_none();
            // Rejected before processing; money that leaves is not presumed to have stayed.
            let at_the_gate = match said.status {
                429 => uncoded,
                401 | 403 => uncoded && operation == WalletOperation::Collect,
                _ => false,
            };
            assert!(!written || listed || at_the_gate, "it was written");
        }
        Outcome::Pending(_) => assert!(said.succeeded(), "accepted with {}", said.status),
        Outcome::Unknown { .. } => {}
    }
}

/// A query says the outcome of the payment only if the query itself succeeded.
fn check_finding(said: &Said<'_>, finding: &Finding) {
    let means = said.means(Answered::Inquire);
    let worked = said.succeeded() && means == Some(Meaning::Completed);
    match finding {
        Finding::Executed(confirmation) => {
            assert!(worked && said.word() == Some(Meaning::Completed), "an unlisted success");
            assert!(said.names_receipt(confirmation), "a receipt that stands nowhere");
            let reversed = said.text(said.names.reversed).unwrap_or_default();
            assert!(!reversed.eq_ignore_ascii_case("true"), "it was reversed");
        }
        Finding::Reversed(confirmation) => {
            let reversed = said.text(said.names.reversed).unwrap_or_default();
            let listed = said.word() == Some(Meaning::Reversed);
            assert!(worked && (listed || reversed.eq_ignore_ascii_case("true")));
            assert!(said.names_receipt(confirmation), "a receipt that stands nowhere");
        }
        Finding::Rejected(_) => {
            assert!(worked && said.word() == Some(Meaning::Rejected), "an unlisted refusal");
        }
        Finding::Absent => {
            let listed = means == Some(Meaning::Absent) && said.status < 500;
            assert!(
                listed || worked && said.word() == Some(Meaning::Absent),
                "an unlisted absence"
            );
        }
        Finding::InProgress(_) => assert!(worked, "a query that failed says nothing"),
        Finding::Unclear { .. } => {}
    }
}

fn check_payment(said: &Said<'_>, claims: &Claims, found: &PaymentFinding) {
    let worked = said.succeeded() && said.means(Answered::Inquire) == Some(Meaning::Completed);
    match found {
        PaymentFinding::Made(made) => {
            assert_eq!(made, &notice(), "another payment");
            assert!(worked && said.word() == Some(Meaning::Completed), "an unlisted success");
        }
        PaymentFinding::NotMade { why } => {
            claims.text(why);
            assert!(worked, "a query that failed says nothing");
        }
        PaymentFinding::Unclear { why } => claims.text(why),
        PaymentFinding::Absent | PaymentFinding::NotYet => assert!(said.status != 0),
    }
}

/// The exchanges about payments: those for sessions may come between and after.
fn payments(script: &Script) -> Vec<Exchange> {
    let mut exchanges = script.exchanges();
    exchanges.retain(|exchange| {
        !exchange.path.contains("/getSession/") && !exchange.path.contains(ABOUT_NOTHING)
    });
    exchanges
}

/// The start of a question that proves a session: it asks about no operation.
const ABOUT_NOTHING: &str = "input_QueryReference=N";

/// Grants a session, and lets it prove itself.
fn proven_session(request: &Request) -> Option<Bytes> {
    const NONE: &[u8] = br#"{"output_ResponseCode":"INS-23"}"#;
    let query = request.uri().query().unwrap_or_default();
    let trial = query.contains(ABOUT_NOTHING);
    session(request).or_else(|| trial.then(|| Bytes::from_static(NONE)))
}

/// Grants a session.
pub(super) fn session(request: &Request) -> Option<Bytes> {
    const GRANTED: &[u8] = br#"{"output_ResponseCode":"INS-0","output_SessionID":"a-session"}"#;
    request.uri().path().ends_with("/getSession/").then(|| Bytes::from_static(GRANTED))
}

/// The conversation id that a request names, in its body or its query.
fn conversation_id(request: &Request) -> Option<String> {
    const NAME: &str = "input_ThirdPartyConversationID";
    let mut pairs = request.uri().query().unwrap_or_default().split('&');
    let in_query = pairs.find_map(|pair| pair.strip_prefix(NAME)?.strip_prefix('='));
    let in_body = Fields::read(request.body()).and_then(|fields| fields.text(NAME));
    in_body.or_else(|| in_query.map(str::to_owned))
}

fn tzs() -> Money {
    let currency = Currency::from_code("TZS").expect("a currency");
    Money::parse("12500", currency).expect("an amount")
}

fn msisdn() -> Msisdn {
    Msisdn::parse("255712345678").expect("a number")
}

fn ghanaian() -> Msisdn {
    Msisdn::parse("233501234567").expect("a number")
}

fn receipt(text: &str) -> Receipt {
    Receipt::new(text).expect("a receipt")
}

/// The references and receipts are those of the adapter's fixtures.
fn reference(operation: WalletOperation) -> Reference {
    let transfer = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1200);
    let step = match operation {
        WalletOperation::Collect => StepName::First,
        WalletOperation::PayOut => StepName::Second,
        WalletOperation::Reverse => StepName::UndoFirst,
    };
    Reference::new(TransferId::new(transfer), step, 0)
}

fn order(operation: WalletOperation) -> WalletOrder {
    WalletOrder {
        reference: reference(operation),
        msisdn: msisdn(),
        amount: tzs(),
        label: "LOAN000417".to_owned(),
        description: "Repayment, instalment #3".to_owned(),
        at: Timestamp::from_micros(0),
    }
}

fn reversal() -> ReverseOrder {
    ReverseOrder {
        reference: reference(WalletOperation::Reverse),
        original: reference(WalletOperation::Collect),
        receipt: receipt("7KX21QD40B"),
        amount: tzs(),
        at: Timestamp::from_micros(0),
    }
}

fn inquiry(operation: WalletOperation) -> WalletInquiry {
    WalletInquiry {
        reference: reference(operation),
        operation,
        handle: Some("d5e0c1f2a3b44c6d8e9f001122334455".to_owned()),
        original: (operation == WalletOperation::Reverse).then(|| receipt("7AA00AA00A")),
        amount: tzs(),
        msisdn: Some(msisdn()),
        at: Timestamp::from_micros(0),
    }
}

fn notice() -> PaymentNotice {
    PaymentNotice {
        receipt: Some(receipt("TCA5K1ZQ08")),
        msisdn: Some(msisdn()),
        amount: tzs(),
        account_reference: "LN-00417".to_owned(),
        reference: None,
        fee: None,
        at: None,
    }
}
