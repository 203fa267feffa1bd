//! Draws the faults of a request. Draws depend on the business content (account and amount), never
//! on the random key.

use kiungo_simulator::faults::{Fault, Faults, hash};

use super::bank::Bank;
use super::books::{loan_party, savings_party};
use super::by_id::row;
use super::call::Call;
use super::command_context::Contention;
use super::decimal::Decimal;
use super::options::Version;
use super::route::{Action, Key, Order, Read, Route};

/// The operation of a request, as far as faults are concerned.
#[derive(Debug, Clone)]
pub(crate) struct FaultSubject {
    operation: &'static str,
    key: String,
}

/// The form of an error that is answered before anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EarlyError {
    /// A proxy's 503 page; the core never sees the request.
    ProxyPage,
    /// The scheduler forbids updates: 503, and the key stays usable.
    Scheduler,
    /// The handler fails: 500, frozen under the key.
    Handler,
}

/// The faults drawn for one request, each on its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct DrawnFaults {
    pub(crate) reset_before: bool,
    pub(crate) error_before: Option<EarlyError>,
    pub(crate) late_work: bool,
    pub(crate) reset_after: bool,
    pub(crate) error_after: bool,
    pub(crate) html_after: bool,
    pub(crate) slow: bool,
    pub(crate) stuck_before: bool,
    pub(crate) stuck_after: bool,
    /// The nightly job holds the loan.
    pub(crate) loan_locked: bool,
}

impl FaultSubject {
    /// The subject of `call`.
    pub(crate) fn of(call: &Call, bank: Option<&Bank>) -> Self {
        match &call.route {
            Ok(Route::Command(order)) => {
                let (party, account) = party(order, bank);
                let original = bank.and_then(|bank| original_amount(order, account, bank));
                let amount = original.unwrap_or_else(|| amount_text(call));
                Self { operation: order.action.operation(), key: format!("{party}|{amount}") }
            }
            Ok(Route::Read(read)) => Self { operation: "read", key: read_key(read, call) },
            _ => Self { operation: "other", key: call.path.clone() },
        }
    }

    /// Draws the faults that do not depend on how far the request comes.
    pub(crate) fn draw(&self, faults: &Faults, call: &Call, version: Version) -> DrawnFaults {
        let strikes = |fault| faults.strikes(self.operation, fault, &self.key);
        let order = match &call.route {
            Ok(Route::Command(order)) => Some(order),
            _ => None,
        };
        let is_loan = order.is_some_and(|order| order.action.is_loan());
        DrawnFaults {
            reset_before: strikes(Fault::ResetBefore),
            error_before: strikes(Fault::ErrorBefore).then(|| self.early_error(faults)),
            late_work: strikes(Fault::LateWork),
            reset_after: strikes(Fault::ResetAfter),
            error_after: strikes(Fault::ErrorAfter),
            html_after: strikes(Fault::HtmlAfter),
            slow: strikes(Fault::Slow),
            stuck_before: order.is_some() && strikes(Fault::StuckBefore),
            stuck_after: order.is_some() && strikes(Fault::StuckAfter),
            loan_locked: is_loan && version >= Version::V1_10 && strikes(Fault::Locked),
        }
    }

    /// Draws the refusal that a command meets in its handler.
    pub(crate) fn drawn_refusal(
        &self,
        faults: &Faults,
        action: Action,
        version: Version,
    ) -> Option<Fault> {
        let undo = action.operation() == "undo";
        let filtered = action.is_loan() && version >= Version::V1_10;
        let candidates = [
            (Fault::Locked, !filtered),
            (Fault::AccountClosed, !undo),
            (Fault::DateRefused, true),
            (Fault::UndoRefused, undo),
        ];
        let strikes = |fault: &Fault| faults.strikes(self.operation, *fault, &self.key);
        candidates.into_iter().filter(|(_, applies)| *applies).map(|(fault, _)| fault).find(strikes)
    }

    /// The form in which contention is reported (`fineract.md` §6).
    pub(crate) fn contention(&self, faults: &Faults) -> Contention {
        let parts = [self.operation.as_bytes(), self.key.as_bytes(), b"disguised"];
        match hash(faults.seed(), &parts) % 4 {
            0 => Contention::Unspecific,
            1 => Contention::Query,
            _ => Contention::Lock,
        }
    }

    fn early_error(&self, faults: &Faults) -> EarlyError {
        match hash(faults.seed(), &[self.operation.as_bytes(), self.key.as_bytes()]) % 3 {
            0 => EarlyError::ProxyPage,
            1 => EarlyError::Scheduler,
            _ => EarlyError::Handler,
        }
    }
}

/// The account as the books name it, and its id.
fn party(order: &Order, bank: Option<&Bank>) -> (String, u64) {
    let is_loan = order.action.is_loan();
    let id = match (&order.account, bank) {
        (Key::Id(id), _) => Some(*id),
        (Key::External(name), Some(bank)) if is_loan => {
            bank.names.loan_external_id.get(name).copied()
        }
        (Key::External(name), Some(bank)) => bank.names.savings_external_id.get(name).copied(),
        (Key::External(_), None) => None,
    };
    match (id, &order.account) {
        (Some(id), _) if is_loan => (loan_party(id), id),
        (Some(id), _) => (savings_party(id), id),
        (None, Key::External(name)) => (name.clone(), 0),
        (None, Key::Id(id)) => (id.to_string(), *id),
    }
}

/// The amount of what an undo takes back.
fn original_amount(order: &Order, account: u64, bank: &Bank) -> Option<String> {
    if order.action == Action::UndoDisbursal {
        return bank.loan(account).ok().map(|loan| loan.state.disbursed.to_string());
    }
    let transaction = match order.transaction.as_ref()? {
        Key::Id(id) => *id,
        Key::External(name) if order.action.is_loan() => {
            *bank.names.loan_transaction_external_id.get(name)?
        }
        Key::External(name) => *bank.names.savings_transaction_external_id.get(name)?,
    };
    let amount = if order.action.is_loan() {
        row(&bank.loan_transactions, transaction)?.amount
    } else {
        row(&bank.savings_transactions, transaction)?.amount
    };
    Some(amount.to_string())
}

/// The amount sent, in a form that does not depend on how many zeros were.
fn amount_text(call: &Call) -> String {
    let body = call.body.as_ref().ok().and_then(Option::as_ref);
    let text = body.and_then(|body| body.text("transactionAmount")).unwrap_or("");
    Decimal::parse(text).map_or_else(String::new, |amount| amount.plain())
}

fn read_key(read: &Read, call: &Call) -> String {
    let of = |kind: &str, key: &Key| match key {
        Key::Id(id) => format!("{kind}:{id}"),
        Key::External(name) => format!("{kind}:{name}"),
    };
    match read {
        Read::Savings(key) | Read::SavingsTransaction(key, _) | Read::SavingsSearch(key) => {
            of("savings", key)
        }
        Read::Loan(key)
        | Read::LoanTransaction(key, _)
        | Read::LoanTransactions(key)
        | Read::LoanTemplate(key) => of("loan", key),
        Read::Client(key) | Read::ClientAccounts(key) => of("client", key),
        _ => format!("{}?{}", call.path, call.query_text),
    }
}
