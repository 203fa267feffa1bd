//! The GSMA Mobile Money API: answers and callbacks (`gsma-mobile-money-api.md`).

use std::sync::LazyLock;

use kiungo_domain::outcome::{Confirmation, Reason, Stated};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{
    Currency, Finding, Money, Msisdn, Outcome, Receipt, Reference, Timestamp, TransferId,
};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    Answered, CallbackContent, CallbackDecision, Meaning, PaymentFinding, PaymentNotice,
    PeriodQuery, Provider, RawCallback, Refusal, ReverseOrder, Terms, WalletInquiry, WalletOrder,
};
use uuid::Uuid;

use super::adapters::{Planned, SECRETS};
use super::claims::{self, Claims};
use super::decimal;
use super::input::{Input, callback, printed};
use super::json::Fields;
use super::script::{Exchange, Script, run};

/// The shipped mappings of the two versions.
pub(super) const SHIPPED: [&str; 2] = ["gsma-sandbox", "gsma-sandbox-1-1-2"];
/// The address and the account of the fixtures, and no token to obtain.
pub(super) const CHANGES: &str = r#"
[gsma]
base_url = "https://mm.example/v1.2/mm"
account = { type = "accountid", id = "4400" }
auth = "basic"
"#;

static NEWER: LazyLock<Planned> = LazyLock::new(|| Planned::new(SHIPPED[0], CHANGES));
static OLDER: LazyLock<Planned> = LazyLock::new(|| Planned::new(SHIPPED[1], CHANGES));

/// The operation that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Send(WalletOperation),
    /// By the correlation id, by a request state, by a transaction.
    Inquire(WalletOperation, Option<&'static str>),
    Confirm,
    Balance,
    HolderName,
    Statement,
    Probe,
}

const STATE: &str = "5b0f6b1e-9c1d-4a77-8a53-0d2b7c9e4f10";

const ASKED: [Asked; 14] = [
    Asked::Send(WalletOperation::Collect),
    Asked::Send(WalletOperation::PayOut),
    Asked::Send(WalletOperation::Reverse),
    Asked::Inquire(WalletOperation::Collect, None),
    Asked::Inquire(WalletOperation::Collect, Some(STATE)),
    Asked::Inquire(WalletOperation::Collect, Some("transactions/REF-1772357441118")),
    Asked::Inquire(WalletOperation::PayOut, None),
    Asked::Inquire(WalletOperation::PayOut, Some(STATE)),
    Asked::Inquire(WalletOperation::Reverse, None),
    Asked::Confirm,
    Asked::Balance,
    Asked::HolderName,
    Asked::Statement,
    Asked::Probe,
];

/// Fuzzes the answers of the provider.
///
/// Choices: the operation (`a` to `n`), the version (`a`: 1.2.0, `b`: 1.1.2).
pub fn gsma_answer(data: &[u8]) {
    let input = Input::read(data);
    let asked = input.pick(0, &ASKED);
    let planned = input.pick(1, &[&*NEWER, &*OLDER]);
    let script = Script::new(input.answers).shared();
    let terms = &planned.terms;
    let gsma = planned.adapter(script.clone());
    let claims = Claims::new(&msisdn(), &SECRETS, data);
    match asked {
        Asked::Send(operation) => {
            let outcome = run(send(&*gsma, operation));
            claims.outcome(&outcome);
            check_outcome(&Book { terms, exchanges: script.exchanges() }, operation, &outcome);
        }
        Asked::Inquire(operation, handle) => {
            let finding = run(gsma.inquire(&inquiry(operation, handle)));
            claims.finding(&finding);
            check_finding(&Book { terms, exchanges: script.exchanges() }, operation, &finding);
        }
        Asked::Confirm => {
            let notice = notice();
            let found = run(gsma.confirm(&notice));
            check_payment(&Book { terms, exchanges: script.exchanges() }, &claims, &found);
        }
        Asked::Balance => {
            claims.read(&run(gsma.balance().expect("it has a balance").balance()));
        }
        Asked::HolderName => {
            let names = gsma.holder_name().expect("it tells names");
            claims.read(&run(names.holder_name(&msisdn())));
        }
        Asked::Statement => check_statement(&*gsma, &claims, &script),
        Asked::Probe => {
            let probed = run(gsma.probe());
            claims.read(&probed);
            claims.text(&probed.unwrap_or_default());
        }
    }
}

/// Fuzzes the callbacks of the provider.
///
/// Method and path, headers, body: see `input`.
pub fn gsma_callback(data: &[u8]) {
    let callback = callback(data);
    let terms = &NEWER.terms;
    let gsma = NEWER.adapter(Script::new(Vec::new()).shared());
    let claims = Claims::new(&msisdn(), &SECRETS, &printed(&callback));
    match gsma.read_callback(&callback) {
        Ok(CallbackContent::Result { reference, finding }) => {
            let reference = reference.expect("its address names the operation");
            claims::reference(reference);
            let path = callback.path.split('?').next().unwrap_or_default();
            let named = path.trim_matches('/').rsplit('/').next().unwrap_or_default();
            assert_eq!(Reference::parse(named), Ok(reference), "the address names another one");
            if let Some(id) = callback.header("x-correlationid").filter(|id| !id.is_empty()) {
                assert_eq!(Reference::parse(id), Ok(reference), "the header names another one");
            }
            claims.finding(&finding);
            let operation = WalletOperation::of_step(reference.step());
            let said = Said::read(terms, &callback.body, 200);
            check_said_finding(&[said], operation, &finding);
        }
        Ok(CallbackContent::Payment(notice)) => check_notice(terms, &notice, &callback),
        Ok(CallbackContent::Offer(offer)) => check_notice(terms, &offer.notice, &callback),
        Ok(
            CallbackContent::StateQuery(_)
            | CallbackContent::Heartbeat
            | CallbackContent::Malformed(_),
        ) => {}
        Ok(CallbackContent::Validation(notice)) => {
            assert_eq!((&notice.receipt, notice.amount.is_zero()), (&None, true));
        }
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
        claims::reply(&callback, &gsma.reply(&callback, &decision));
    }
}

/// A payment that was made has a receipt and an amount, and both stand in what was sent.
fn check_notice(terms: &Terms, notice: &PaymentNotice, callback: &RawCallback) {
    let body = &callback.body;
    let Some(said) = Fields::read(body) else {
        // Damaged: what the provider is asked about stands there in any case.
        let receipt = notice.receipt.as_ref().expect("a payment has a receipt");
        return assert!(stands(body, receipt.as_str()), "the receipt {receipt} stands nowhere");
    };
    let receipt = notice.receipt.as_ref().expect("a payment has a receipt");
    let named = ["transactionReference", "requestingOrganisationTransactionReference"];
    let named = named.iter().any(|name| said.text(name).as_deref() == Some(receipt.as_str()));
    let id = callback.header("x-correlationid").unwrap_or_default().trim();
    let named = named || id.eq_ignore_ascii_case(receipt.as_str());
    assert!(named, "the receipt {receipt} stands nowhere");
    let amounts = ["amount", "amountPaid", "paidAmount"];
    let stated = amounts.iter().any(|name| money(terms, &said, name) == Some(notice.amount));
    assert!(stated, "the amount {} stands nowhere", notice.amount);
    assert!(!notice.amount.is_zero(), "zero is no payment");
    if let Some(reference) = notice.reference {
        claims::reference(reference);
    }
}

/// True if a text stands there, perhaps with escapes.
fn stands(body: &[u8], text: &str) -> bool {
    let body = kiungo_transport::content::text(body);
    body.contains(text) || body.contains('\\')
}

async fn send(gsma: &dyn Provider, operation: WalletOperation) -> Outcome {
    match operation {
        WalletOperation::Collect => gsma.collect(&order(operation)).await,
        WalletOperation::PayOut => gsma.pay_out(&order(operation)).await,
        WalletOperation::Reverse => gsma.reverse().expect("it reverses").reverse(&reversal()).await,
    }
}

/// The answer, and the meaning that the mapping gives to it.
struct Book<'a> {
    terms: &'a Terms,
    exchanges: Vec<Exchange>,
}

impl<'a> Book<'a> {
    fn said(&self) -> Vec<Said<'a>> {
        let read =
            |exchange: &Exchange| Said::read(self.terms, &exchange.answer.body, exchange.status());
        self.exchanges.iter().map(read).collect()
    }
}

/// One answer, read a second time.
struct Said<'a> {
    terms: &'a Terms,
    status: u16,
    fields: Option<Fields>,
}

impl<'a> Said<'a> {
    fn read(terms: &'a Terms, body: &[u8], status: u16) -> Self {
        Self { terms, status, fields: Fields::read(body) }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.fields.as_ref()?.text(name)
    }

    fn is_error(&self) -> bool {
        let fields = self.fields.as_ref();
        fields.is_some_and(|fields| fields.has("errorCode") || fields.has("errorCategory"))
    }

    /// The meaning of the status word of a transaction.
    fn word(&self) -> Option<Meaning> {
        if self.is_error() {
            return None;
        }
        self.terms.status(&self.text("transactionStatus")?).map(|line| line.means)
    }

    /// The meanings of the errors that it holds, and of the gateway's status; those that speak of a
    /// duplicate aside, which are evidence and never a failure.
    fn codes(&self, answered: Answered) -> Vec<Meaning> {
        let nested = |name| self.fields.as_ref().and_then(|fields| fields.object(name));
        let (error, reference) = (nested("error"), nested("errorReference"));
        let errors = [self.fields.as_ref(), error.as_ref(), reference.as_ref()];
        let code = |fields: &Fields| {
            let part = |name| fields.text(name).unwrap_or_default();
            let code = format!("{}/{}", part("errorCategory"), part("errorCode"));
            let kept = code.chars().filter(|c| !c.is_whitespace() && !c.is_control());
            kept.flat_map(char::to_lowercase).collect::<String>()
        };
        let codes = errors.into_iter().flatten().map(code);
        let gateway = (400..500).contains(&self.status).then(|| format!("gateway/{}", self.status));
        codes
            .chain(gateway)
            .filter(|code| !code.ends_with("/duplicaterequest"))
            .filter_map(|code| listed(self.terms, answered, &code))
            .collect()
    }

    /// True if it is the transaction that a confirmation speaks of, with this word.
    fn is(&self, meaning: Meaning, confirmation: &Confirmation) -> bool {
        let receipt = self.text("transactionReference");
        self.word() == Some(meaning) && receipt.as_deref() == Some(confirmation.receipt.as_str())
    }

    /// Checks that the stated fields are those of the answer, so that another amount or reference
    /// is seen.
    fn check_stated(&self, stated: &Stated) {
        let Some(fields) = &self.fields else { return };
        let amount = fields.text("amount").map(|_| money(self.terms, fields, "amount"));
        assert_eq!(stated.amount, amount.flatten(), "the stated amount");
        assert_eq!(fields.text("amount").is_some(), stated.amount.is_some(), "an unread amount");
        let echoed = fields.text("requestingOrganisationTransactionReference");
        let echoed = echoed.map(|text| Reference::parse(&text).expect("an echo that is not ours"));
        assert_eq!(stated.reference, echoed, "the stated reference");
    }
}

/// The meaning of a code in lower case by the mapping; its own keys are in any case.
fn listed(terms: &Terms, answered: Answered, code: &str) -> Option<Meaning> {
    let own = match answered {
        Answered::Operation(operation) => terms.codes.own.get(operation),
        Answered::Inquire => Some(&terms.codes.inquire),
    };
    let same = |key: &str| {
        let key = key.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase);
        key.eq(code.chars())
    };
    let line = own.into_iter().flatten().chain(&terms.codes.all).find(|(key, _)| same(key));
    line.map(|(_, line)| line.means)
}

/// An amount, in its currency or the provider's.
fn money(terms: &Terms, fields: &Fields, name: &str) -> Option<Money> {
    let currency = match fields.text("currency") {
        Some(code) => Currency::from_code(&code.to_ascii_uppercase()).ok()?,
        None => terms.currency,
    };
    Money::from_minor(decimal::number(&fields.text(name)?, currency.exponent())?, currency)
}

/// No outcome is invented: only what is listed completes, rejects, or counts as not sent.
fn check_outcome(book: &Book<'_>, operation: WalletOperation, outcome: &Outcome) {
    let said = book.said();
    let last = said.last().expect("one request is sent");
    let means = |meaning| last.codes(operation.into()).contains(&meaning);
    let decides = (200..300).contains(&last.status) || (400..500).contains(&last.status);
    match outcome {
        Outcome::Executed(confirmation) => {
            assert!((200..300).contains(&last.status) && last.status != 202, "{}", last.status);
            assert!(last.is(Meaning::Completed, confirmation), "a success that nobody states");
            last.check_stated(&confirmation.stated);
        }
        Outcome::Rejected(_) => {
            // The result of a request that was accepted and turned away later uses it up.
            let refused = means(Meaning::Rejected) || last.word() == Some(Meaning::Rejected);
            let turned_away = means(Meaning::NotSent) && (200..300).contains(&last.status);
            assert!(decides && (refused || turned_away), "a refusal that nobody states");
        }
        Outcome::NotSent { .. } => {
            let written = book.exchanges.iter().any(Exchange::was_written);
            assert!(!written || decides && means(Meaning::NotSent), "it was written");
        }
        Outcome::Pending(_) => assert!(decides, "accepted with {}", last.status),
        Outcome::Unknown { .. } => {}
    }
}

fn check_finding(book: &Book<'_>, operation: WalletOperation, finding: &Finding) {
    let said = book.said();
    if *finding == Finding::Absent {
        let unknown = |said: &Said<'_>| {
            said.status == 404 && said.codes(Answered::Inquire).contains(&Meaning::Absent)
        };
        assert!(said.iter().any(unknown), "nobody says that it is unknown");
    }
    let good: Vec<_> = said.into_iter().filter(|said| said.status == 200).collect();
    check_said_finding(&good, operation, finding);
}

/// The same for one answer or several, all of which count.
fn check_said_finding(said: &[Said<'_>], operation: WalletOperation, finding: &Finding) {
    let find = |meaning, confirmation| said.iter().find(|said| said.is(meaning, confirmation));
    match finding {
        Finding::Executed(confirmation) => {
            let said = find(Meaning::Completed, confirmation).expect("a success nobody states");
            said.check_stated(&confirmation.stated);
        }
        Finding::Reversed(confirmation) => {
            let said = find(Meaning::Reversed, confirmation).expect("a reversal nobody states");
            said.check_stated(&confirmation.stated);
            assert_ne!(operation, WalletOperation::Reverse, "one cannot tell what was reversed");
        }
        Finding::Rejected(_) => {
            let refuses = |said: &Said<'_>| {
                let codes = said.codes(operation.into());
                let refused = |m: &Meaning| matches!(m, Meaning::Rejected | Meaning::NotSent);
                codes.iter().any(refused) || said.word() == Some(Meaning::Rejected)
            };
            assert!(said.iter().any(refuses), "a refusal that nobody states");
        }
        Finding::InProgress(_) | Finding::Absent | Finding::Unclear { .. } => {}
    }
}

fn check_payment(book: &Book<'_>, claims: &Claims, found: &PaymentFinding) {
    let said = book.said();
    let Some(last) = said.last() else { return };
    match found {
        PaymentFinding::Made(made) => {
            let receipt = made.receipt.as_ref();
            assert_eq!(receipt, notice().receipt.as_ref(), "another payment");
            assert_eq!((last.status, last.word()), (200, Some(Meaning::Completed)));
            let fields = last.fields.as_ref().expect("a success is a JSON object");
            match fields.text("amount") {
                Some(_) => assert_eq!(Some(made.amount), money(book.terms, fields, "amount")),
                None => assert_eq!(made.amount, notice().amount),
            }
        }
        PaymentFinding::Absent => {
            let unknown = last.codes(Answered::Inquire).contains(&Meaning::Absent);
            assert!(last.status == 404 && unknown, "nobody says that it is unknown");
        }
        PaymentFinding::NotMade { why } => {
            claims.text(why);
            assert_eq!(last.status, 200, "a failure that nobody states");
        }
        PaymentFinding::Unclear { why } => claims.text(why),
        PaymentFinding::NotYet => {}
    }
}

fn check_statement(gsma: &dyn Provider, claims: &Claims, script: &Script) {
    let query = PeriodQuery { from: at(), to: at(), offset: 0, limit: 100 };
    let page = run(gsma.statement().expect("it has a statement").page(&query));
    claims.read(&page);
    let exchanges = script.exchanges();
    let body = exchanges.last().map(|exchange| exchange.answer.body.clone()).unwrap_or_default();
    for line in page.map(|page| page.lines).unwrap_or_default() {
        claims::receipt(&line.receipt);
        claims.text(&line.status);
        let printed = line.receipt.as_str().as_bytes();
        // A receipt with an escaped character does not stand there byte by byte.
        let stands = body.windows(printed.len()).any(|window| window == printed);
        assert!(stands || body.contains(&b'\\'), "the receipt {} stands nowhere", line.receipt);
    }
}

fn lsl(text: &str) -> Money {
    let currency = Currency::from_code("LSL").expect("a currency");
    Money::parse(text, currency).expect("an amount")
}

fn msisdn() -> Msisdn {
    Msisdn::parse("26657000001").expect("a number")
}

fn at() -> Timestamp {
    Timestamp::from_micros(1_772_357_400_000_000)
}

fn receipt(text: &str) -> Receipt {
    Receipt::new(text).expect("a receipt")
}

/// The references, amounts and receipts are those of the adapter's fixtures.
fn reference(operation: WalletOperation) -> Reference {
    let transfer = Uuid::from_u128(0x019a_2b3c_4d5e_7f60_8a1b_2c3d_4e5f_6000);
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
        amount: lsl(if operation == WalletOperation::PayOut { "2000" } else { "125.50" }),
        label: "LN000417".to_owned(),
        description: "Instalment 3".to_owned(),
        at: at(),
    }
}

fn reversal() -> ReverseOrder {
    ReverseOrder {
        reference: reference(WalletOperation::Reverse),
        original: reference(WalletOperation::Collect),
        receipt: receipt("REF-1772357441118"),
        amount: lsl("125.50"),
        at: at(),
    }
}

fn inquiry(operation: WalletOperation, handle: Option<&str>) -> WalletInquiry {
    let reversed = operation == WalletOperation::Reverse;
    WalletInquiry {
        reference: reference(operation),
        operation,
        handle: handle.map(str::to_owned),
        original: reversed.then(|| receipt("REF-1772357441118")),
        amount: order(operation).amount,
        msisdn: Some(msisdn()),
        at: at(),
    }
}

fn notice() -> PaymentNotice {
    PaymentNotice {
        receipt: Some(receipt("REF-1772357555000")),
        msisdn: Some(msisdn()),
        amount: lsl("50.00"),
        account_reference: "SA000012".to_owned(),
        reference: None,
        fee: None,
        at: None,
    }
}
