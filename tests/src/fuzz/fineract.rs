//! Apache Fineract: answers (`fineract.md`). Its error codes are listed in the adapter, so that what
//! is checked here is where a code came from: the answer to the command, and nowhere else.

use http::Method;
use kiungo_core_banking::suggestion::SUGGESTIONS_MAX;
use kiungo_core_banking::{AccountCheck, Booking, CheckAnswer, Core, CoreOrder, Sought, UndoOrder};
use kiungo_core_fineract::Fineract;
use kiungo_domain::outcome::{Confirmation, Rejection};
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::StepName;
use kiungo_domain::typed::{Likeness, Reading};
use kiungo_domain::{
    AccountKind, AccountRef, CoreAccount, Currency, Finding, Money, Msisdn, Outcome, Receipt,
    Reference, Timestamp, TransferId,
};
use uuid::Uuid;

use super::adapters::{self, CoreChoice, SECRETS};
use super::claims::{self, Claims};
use super::input::Input;
use super::json::Fields;
use super::script::{Exchange, Script, run};

/// The order to the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Post(Booking),
    Undo(Booking),
    Inquire(Booking),
    InquireUndo(Booking),
    Check(Option<Booking>),
    Suggest,
    Probe,
}

const ASKED: [Asked; 21] = [
    Asked::Post(Booking::Deposit),
    Asked::Post(Booking::Repay),
    Asked::Post(Booking::Withdraw),
    Asked::Post(Booking::Disburse),
    Asked::Undo(Booking::Deposit),
    Asked::Undo(Booking::Repay),
    Asked::Undo(Booking::Withdraw),
    Asked::Undo(Booking::Disburse),
    Asked::Inquire(Booking::Deposit),
    Asked::Inquire(Booking::Repay),
    Asked::Inquire(Booking::Withdraw),
    Asked::Inquire(Booking::Disburse),
    Asked::InquireUndo(Booking::Deposit),
    Asked::InquireUndo(Booking::Repay),
    Asked::InquireUndo(Booking::Disburse),
    Asked::Check(Some(Booking::Deposit)),
    Asked::Check(Some(Booking::Withdraw)),
    Asked::Check(Some(Booking::Disburse)),
    Asked::Check(None),
    Asked::Suggest,
    Asked::Probe,
];

/// Fuzzes the answers of the core.
///
/// Choices: what is asked (`a` to `u`), the version (`a` to `d`), whether the core is asked for its
/// settings (`a`: no), and how an account is named (`a` to `d`).
pub fn fineract_answer(data: &[u8]) {
    let input = Input::read(data);
    let asked = input.pick(0, &ASKED);
    let version = input.pick(1, &["1.10", "1.8", "1.12", "1.15"]);
    let choice = CoreChoice { version, asks: input.pick(2, &[false, true]) };
    let account = input.pick(3, &[0, 1, 2, 3]);
    let script = Script::new(input.answers).shared();
    let core = adapters::fineract(choice, script.clone());
    let claims = Claims::new(&msisdn(), &SECRETS, data);
    match asked {
        Asked::Post(booking) => {
            let order = order(booking);
            let outcome = run(core.post(&order));
            claims.outcome(&outcome);
            check_outcome(&script.exchanges(), &outcome);
            if let Outcome::Executed(confirmation) = &outcome {
                check_confirmation(&order, confirmation);
            }
        }
        Asked::Undo(booking) => {
            let outcome = run(core.undo(&undo(booking)));
            claims.outcome(&outcome);
            check_outcome(&script.exchanges(), &outcome);
        }
        Asked::Inquire(booking) => {
            let order = order(booking);
            let finding = run(core.inquire(&order));
            claims.finding(&finding);
            check_finding(&script.exchanges(), &finding);
            if let Finding::Executed(confirmation) | Finding::Reversed(confirmation) = &finding {
                check_confirmation(&order, confirmation);
            }
        }
        Asked::InquireUndo(booking) => {
            let finding = run(core.inquire_undo(&undo(booking)));
            claims.finding(&finding);
            check_finding(&script.exchanges(), &finding);
        }
        Asked::Check(booking) => check_account(&core, &script, &claims, booking, account),
        Asked::Suggest => check_suggestions(&core, account),
        Asked::Probe => {
            let probed = run(core.probe()).map_err(|error| claims.text(&error.to_string()));
            for line in probed.unwrap_or_default() {
                claims.text(&line.text);
            }
        }
    }
}

/// The commands: what is sent that moves money.
fn commands(exchanges: &[Exchange]) -> Vec<&Exchange> {
    let moves = |exchange: &&Exchange| {
        exchange.method == Method::POST && exchange.path.contains("?command=")
    };
    exchanges.iter().filter(moves).collect()
}

/// No outcome is invented.
fn check_outcome(exchanges: &[Exchange], outcome: &Outcome) {
    let commands = commands(exchanges);
    assert!(commands.len() <= 1, "one sending, no retry");
    let Some(command) = commands.first() else {
        check_unsent(exchanges, outcome);
        return;
    };
    let status = command.status();
    let fields = Fields::read(&command.answer.body);
    match outcome {
        Outcome::Executed(confirmation) => {
            assert_eq!(status, 200, "completed");
            let fields = fields.expect("a result of a command is a JSON object");
            assert_ne!(fields.text("rollbackTransaction").as_deref(), Some("true"), "approved?");
            assert!(is_named(exchanges, confirmation), "a number that stands nowhere");
        }
        Outcome::Pending(_) => {
            assert_eq!(status, 200, "pending");
            let fields = fields.expect("a result of a command is a JSON object");
            assert_eq!(fields.text("rollbackTransaction").as_deref(), Some("true"));
        }
        Outcome::Rejected(rejection) => check_refusal(command, rejection),
        Outcome::NotSent { .. } => {
            // Turned away before it was recorded, and not stored as the answer to its key.
            let turned_away = matches!(status, 409 | 503) && !command.answer.stored;
            let coded = fields.is_some_and(|fields| fields.has("userMessageGlobalisationCode"));
            assert!(!command.was_written() || turned_away && coded, "it was written");
        }
        Outcome::Unknown { .. } => {}
    }
}

/// Checks the outcome where no command was sent: it is refused or waits here, or was found done
/// before.
fn check_unsent(exchanges: &[Exchange], outcome: &Outcome) {
    match outcome {
        Outcome::Executed(_) => {
            assert!(exchanges.iter().any(|exchange| exchange.status() == 200), "found nowhere");
        }
        Outcome::Pending(_) => panic!("nothing was sent that could be pending"),
        Outcome::Rejected(_) | Outcome::NotSent { .. } | Outcome::Unknown { .. } => {}
    }
}

/// A refusal has a refusal's status, and a code that stands in the answer.
fn check_refusal(command: &Exchange, rejection: &Rejection) {
    let status = command.status();
    assert!(matches!(status, 400..=424 | 426..=499 | 503), "refused with {status}");
    let by_status = matches!(status, 400 | 401) && rejection.code == status.to_string();
    let body = String::from_utf8_lossy(&command.answer.body);
    // An escaped character or a masked number is not found letter by letter.
    let exact = !body.contains('\\') && !rejection.code.contains("****");
    assert!(by_status || !exact || body.contains(&rejection.code), "the code is invented");
}

/// Checks that the booking stands on the account that was asked, and states what it is.
fn check_confirmation(order: &CoreOrder, confirmation: &Confirmation) {
    claims::receipt(&confirmation.receipt);
    assert!(confirmation.receipt.as_str().bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(confirmation.stated.account, Some(order.account), "another account");
    let reference = confirmation.stated.reference;
    assert!(reference.is_none_or(|reference| reference == order.reference), "another operation");
}

/// True if the number stands in an answer that was given with 200.
fn is_named(exchanges: &[Exchange], confirmation: &Confirmation) -> bool {
    let number = confirmation.receipt.as_str().as_bytes();
    let good = exchanges.iter().filter(|exchange| exchange.status() == 200);
    let stands = |body: &[u8]| body.windows(number.len()).any(|window| window == number);
    // The number of an undo is that of what it undoes, and stands in the order already.
    confirmation.receipt == undone() || good.map(|e| &e.answer.body).any(|body| stands(body))
}

fn check_finding(exchanges: &[Exchange], finding: &Finding) {
    assert!(commands(exchanges).is_empty(), "an inquiry moves nothing");
    match finding {
        Finding::Executed(confirmation) | Finding::Reversed(confirmation) => {
            assert!(is_named(exchanges, confirmation), "a number that stands nowhere");
        }
        Finding::Absent => {
            let answered = |exchange: &Exchange| matches!(exchange.status(), 200 | 404);
            assert!(exchanges.iter().any(answered), "nobody says that it is not there");
        }
        Finding::Rejected(_) | Finding::InProgress(_) => {
            assert!(exchanges.iter().any(Exchange::succeeded), "nobody says so");
        }
        Finding::Unclear { .. } => {}
    }
}

fn check_account(
    core: &Fineract,
    script: &Script,
    claims: &Claims,
    booking: Option<Booking>,
    named: usize,
) {
    let check = AccountCheck {
        account: AccountRef { kind: None, key: key(named) },
        booking,
        amount: tzs(),
        holder: Some(msisdn()),
        at: at(),
    };
    match run(core.check(&check)) {
        CheckAnswer::Allowed(facts) => {
            let good = script.exchanges().iter().any(|exchange| exchange.status() == 200);
            assert!(good, "an account that nobody has shown");
            assert_eq!(facts.currency, check.amount.currency(), "another currency");
            if let AccountKey::Id(id) = check.account.key {
                assert_eq!(facts.account.id, id, "another account");
            }
        }
        CheckAnswer::Rejected(rejection) => claims.rejection(&rejection),
        CheckAnswer::Unclear { why } => claims.text(&why),
    }
    assert!(commands(&script.exchanges()).is_empty(), "a check moves nothing");
}

fn check_suggestions(core: &Fineract, named: usize) {
    let account = AccountRef { kind: None, key: key(named) };
    let readings = vec![Reading { account, likeness: Likeness::Typed }];
    let suggested = run(core.suggest(&Sought { readings, payer: Some(msisdn()) })).accounts;
    assert!(suggested.len() <= SUGGESTIONS_MAX, "{} suggestions", suggested.len());
    let accounts: Vec<_> = suggested.iter().map(|one| one.account.account).collect();
    for (index, one) in suggested.iter().enumerate() {
        assert!(!accounts[..index].contains(&accounts[index]), "{} twice", accounts[index]);
        assert!(!one.reasons.is_empty(), "{} for no reason", accounts[index]);
    }
}

fn tzs() -> Money {
    let currency = Currency::from_code("TZS").expect("a currency");
    Money::parse("1000.00", currency).expect("an amount")
}

fn msisdn() -> Msisdn {
    Msisdn::parse("255700000001").expect("a number")
}

fn at() -> Timestamp {
    Timestamp::from_micros(1_788_253_200_000_000)
}

fn key(named: usize) -> AccountKey {
    match named {
        0 => AccountKey::AccountNo("000000034".to_owned()),
        1 => AccountKey::Id(34),
        2 => AccountKey::ExternalId("SV-34".to_owned()),
        _ => AccountKey::Phone(msisdn()),
    }
}

/// The references, accounts and numbers are those of the adapter's fixtures.
fn reference(step: StepName) -> Reference {
    let transfer = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1200);
    Reference::new(TransferId::new(transfer), step, 0)
}

fn order(booking: Booking) -> CoreOrder {
    let (kind, id) = match booking {
        Booking::Deposit | Booking::Withdraw => (AccountKind::Savings, 34),
        Booking::Repay | Booking::Disburse => (AccountKind::Loan, 3),
    };
    let inbound = matches!(booking, Booking::Deposit | Booking::Repay);
    CoreOrder {
        reference: reference(if inbound { StepName::Second } else { StepName::First }),
        booking,
        account: CoreAccount { kind, id },
        amount: tzs(),
        msisdn: Some(msisdn()),
        receipt: inbound.then(|| Receipt::new("MM7Q2K9").expect("a receipt")),
        payment_type: Some(3),
        value_at: at(),
        at: at(),
    }
}

/// The booking that is undone.
fn undone() -> Receipt {
    Receipt::new("567").expect("a receipt")
}

fn undo(booking: Booking) -> UndoOrder {
    UndoOrder {
        reference: reference(StepName::UndoFirst),
        transaction: undone(),
        at: at(),
        original: order(booking),
    }
}
