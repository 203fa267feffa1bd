//! The audit: what the counterparties' books say about every transfer, and nothing that Kiungo says
//! about itself but how each transfer ended.
//!
//! A movement belongs to a transfer by the reference that it came with, or, for a payment started
//! at the wallet, by its receipt. A payment that a customer made under a reference of ours belongs to
//! whoever claims its receipt.
//!
//! What a provider takes back by itself says nothing about what Kiungo should have done: a transfer
//! may count it as executed, or, if it heard of it in time, as never executed.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::transfer::{Kind, Status};
use kiungo_domain::{Reference, TransferId};
use serde::Serialize;

use crate::books::{Books, Movement};

/// The number of findings that are kept word for word.
const FINDINGS_MAX: usize = 50;

/// A transfer as whoever wanted it remembers it, with how Kiungo says that it ended.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Its id.
    pub id: TransferId,
    /// Its kind.
    pub kind: Kind,
    /// The provider's name.
    pub provider: String,
    /// The wallet, all digits.
    pub msisdn: Option<String>,
    /// The accounts in the core to which the money belongs (`savings:34`); several where the
    /// payer's text leaves a choice, none where it fits no account: then it must not be booked
    /// anywhere.
    pub accounts: Vec<String>,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The receipt, if the customer started it at the wallet.
    pub payment: Option<String>,
    /// The transfer that brings the same payment to its account, if this one was merged into it.
    pub carried_by: Option<TransferId>,
    /// The status that Kiungo reports.
    pub status: Status,
}

/// The findings of the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Transfers whose money left one side and did not reach the other, or against what their
    /// status says; payments that no transfer knows.
    pub lost: u64,
    /// Operations that were executed more than once and not taken back.
    pub doubled: u64,
    /// Money that went to another party, account, or in another amount than was wanted.
    pub misattributed: u64,
    /// True if each side's balances are the sums of its movements.
    pub balanced: bool,
    /// The first findings, for people.
    pub findings: Vec<String>,
}

impl Audit {
    /// True if nothing was found.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.misattributed == 0 && self.balanced
    }

    fn note(&mut self, finding: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// Compares every transfer with the books of the providers (by name) and of the core.
pub fn audit(claims: &[Claim], providers: &BTreeMap<String, Books>, core: &Books) -> Audit {
    let mut audit = Audit { balanced: true, ..Audit::default() };
    let wallet = providers.iter().map(|(name, books)| (name.as_str(), Standing::of(books)));
    let wallet: BTreeMap<&str, Standing<'_>> = wallet.collect();
    let core_standing = Standing::of(core);
    let mut known = Known::default();
    for claim in claims {
        known.ids.insert(claim.id);
        known.ids.extend(claim.carried_by);
        if let Some(receipt) = &claim.payment {
            known.payments.insert((claim.provider.clone(), receipt.clone()));
        }
    }
    for claim in claims {
        match wallet.get(claim.provider.as_str()) {
            Some(standing) => check(claim, standing, &core_standing, &known, &mut audit),
            None => audit.note(format!("{}: no books of {}", claim.id, claim.provider)),
        }
    }
    for (name, standing) in &wallet {
        find_orphans(name, standing, &known, &mut audit);
    }
    find_orphans("core", &core_standing, &known, &mut audit);
    for (name, books) in providers {
        check_provider_balances(name, books, &mut audit);
    }
    check_core_balances(core, &mut audit);
    audit
}

#[derive(Default)]
struct Known {
    ids: BTreeSet<TransferId>,
    payments: BTreeSet<(String, String)>,
}

impl Known {
    /// True if the movement is a payment that a transfer of its own claims.
    fn is_claimed(&self, provider: &str, movement: &Movement) -> bool {
        movement.operation == "collect"
            && self.payments.contains(&(provider.to_owned(), movement.receipt.clone()))
    }
}

/// The movements that stand, that is: were not taken back because somebody asked for it.
struct Standing<'a> {
    by_transfer: BTreeMap<TransferId, Vec<&'a Movement>>,
    payments: BTreeMap<&'a str, &'a Movement>,
    /// Collections under references of ours, by receipt.
    collected: BTreeMap<&'a str, &'a Movement>,
    /// Those of them that nobody asked for now.
    beside: BTreeMap<&'a str, &'a Movement>,
    /// Movements whose reference is none of ours.
    foreign: Vec<&'a Movement>,
    /// Receipts of what the other side took back by itself.
    returned: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Standing<'a> {
    fn of(books: &'a Books) -> Self {
        // A core counts its savings and its loans apart: a receipt is unique with its party only.
        let reversed = |unasked: bool| -> BTreeSet<(&str, &str)> {
            let movements = books.movements.iter();
            movements
                .filter(|movement| !movement.takes_back.is_empty() && movement.unasked == unasked)
                .map(|movement| (movement.party.as_str(), movement.takes_back.as_str()))
                .collect()
        };
        let mut standing = Self {
            by_transfer: BTreeMap::new(),
            payments: BTreeMap::new(),
            collected: BTreeMap::new(),
            beside: BTreeMap::new(),
            foreign: Vec::new(),
            returned: reversed(true),
        };
        let reversed = reversed(false);
        for movement in &books.movements {
            let stands = movement.takes_back.is_empty()
                && !reversed.contains(&(movement.party.as_str(), movement.receipt.as_str()));
            if !stands {
                continue;
            }
            if movement.operation == "fee" {
                // What the operator charges is nobody's transfer.
            } else if movement.operation == "payment" {
                standing.payments.insert(&movement.receipt, movement);
            } else if let Ok(reference) = Reference::parse(&movement.reference) {
                if movement.operation == "collect" {
                    standing.collected.insert(&movement.receipt, movement);
                    if movement.unasked {
                        standing.beside.insert(&movement.receipt, movement);
                    }
                }
                standing.by_transfer.entry(reference.transfer()).or_default().push(movement);
            } else {
                standing.foreign.push(movement);
            }
        }
        standing
    }

    fn of_transfer(&self, id: TransferId) -> &[&'a Movement] {
        self.by_transfer.get(&id).map_or(&[], Vec::as_slice)
    }

    fn is_returned(&self, movement: &Movement) -> bool {
        self.returned.contains(&(movement.party.as_str(), movement.receipt.as_str()))
    }
}

fn check(
    claim: &Claim,
    wallet: &Standing<'_>,
    core: &Standing<'_>,
    known: &Known,
    audit: &mut Audit,
) {
    let own = wallet.of_transfer(claim.id).iter().copied();
    let mut at_wallet: Vec<&Movement> =
        own.filter(|movement| !known.is_claimed(&claim.provider, movement)).collect();
    if let Some(receipt) = &claim.payment {
        let paid = wallet.payments.get(receipt.as_str());
        at_wallet.extend(paid.or_else(|| wallet.collected.get(receipt.as_str())));
    }
    let in_core = core.of_transfer(claim.carried_by.unwrap_or(claim.id));
    for (side, movements) in [("wallet", at_wallet.as_slice()), ("core", in_core)] {
        if movements.len() > 1 {
            audit.doubled += 1;
            audit.note(format!(
                "{} {}: {} movements stand at the {side}",
                claim.id,
                claim.status.as_str(),
                movements.len()
            ));
        }
    }
    let (paid, booked) = (!at_wallet.is_empty(), !in_core.is_empty());
    let kept = at_wallet.iter().any(|movement| !wallet.is_returned(movement));
    if let Some((should_pay, should_book)) = expected(claim)
        && ((paid != should_pay && kept != should_pay) || booked != should_book)
    {
        audit.lost += 1;
        audit.note(format!(
            "{} {} {}: wallet moved {paid}, core booked {booked}",
            claim.id,
            claim.kind.as_str(),
            claim.status.as_str()
        ));
    }
    let wallet_right = at_wallet.iter().all(|movement| {
        movement.amount_minor == claim.amount_minor
            && claim.msisdn.as_ref().is_none_or(|msisdn| *msisdn == movement.party)
    });
    let core_right = in_core.iter().all(|movement| {
        movement.amount_minor == claim.amount_minor && claim.accounts.contains(&movement.party)
    });
    if !wallet_right || !core_right {
        audit.misattributed += 1;
        audit.note(format!(
            "{} {}: wrong party or amount: {at_wallet:?} {in_core:?}",
            claim.id,
            claim.kind.as_str()
        ));
    }
}

/// True if money must have moved at the wallet, and true if it must have moved in the core; `None`
/// while the transfer is open.
fn expected(claim: &Claim) -> Option<(bool, bool)> {
    match claim.status {
        Status::Completed => Some((true, true)),
        Status::Failed | Status::Reversed => Some((false, false)),
        Status::Suspended => Some((true, false)),
        Status::Received
        | Status::InProgress
        | Status::AwaitingCustomer
        | Status::NeedsAttention => None,
    }
}

/// Movements that no transfer accounts for.
fn find_orphans(name: &str, standing: &Standing<'_>, known: &Known, audit: &mut Audit) {
    for (receipt, payment) in &standing.payments {
        // What was given back before anybody took it in is nobody's.
        if !known.payments.contains(&(name.to_owned(), (*receipt).to_owned()))
            && !standing.is_returned(payment)
        {
            audit.lost += 1;
            audit
                .note(format!("{name}: payment {receipt} of {} is nobody's", payment.amount_minor));
        }
    }
    for (id, movements) in &standing.by_transfer {
        if !known.ids.contains(id) {
            audit.lost += 1;
            audit.note(format!(
                "{name}: {} movements of {id}, which nobody wanted",
                movements.len()
            ));
        }
    }
    for (receipt, payment) in &standing.beside {
        // Its own transfer may have taken it for the first: then that one counts it.
        let alone = Reference::parse(&payment.reference)
            .is_ok_and(|reference| standing.of_transfer(reference.transfer()).len() == 1);
        if !alone && !known.is_claimed(name, payment) {
            audit.lost += 1;
            audit.note(format!("{name}: {receipt}, paid beside what counts, is nobody's"));
        }
    }
    for movement in &standing.foreign {
        audit.lost += 1;
        audit.note(format!(
            "{name}: {} {} has no reference of ours",
            movement.operation, movement.receipt
        ));
    }
}

/// A wallet's balance is what it had, less what it paid, plus what it got; the float the opposite.
fn check_provider_balances(name: &str, books: &Books, audit: &mut Audit) {
    let mut balances = books.opening.clone();
    let originals = originals(books);
    for movement in &books.movements {
        let from_wallet = |operation: &str| matches!(operation, "collect" | "payment");
        let incoming = match originals.get(&(movement.party.as_str(), movement.takes_back.as_str()))
        {
            Some(original) if !movement.takes_back.is_empty() => !from_wallet(&original.operation),
            _ => from_wallet(&movement.operation),
        };
        let signed = if incoming { -movement.amount_minor } else { movement.amount_minor };
        // What is in another currency than the market's lies in purses of their own: `party/CODE`.
        let (party, code) = movement.party.split_once('/').unwrap_or((&movement.party, ""));
        let purse = |name: &str| {
            if code.is_empty() { name.to_owned() } else { format!("{name}/{code}") }
        };
        // A charge that the customer pays does not pass through the float.
        let own_charge = movement.operation == "fee" && party != "charges";
        let (own, other) = if own_charge { (-signed, "charges") } else { (signed, "float") };
        *balances.entry(movement.party.clone()).or_default() += own;
        *balances.entry(purse(other)).or_default() -= own;
    }
    compare(name, &balances, &books.balances, audit);
}

/// A savings account has what it had, plus deposits, less withdrawals; a loan owes what it owed,
/// plus what was disbursed, less what was repaid.
fn check_core_balances(books: &Books, audit: &mut Audit) {
    let mut balances = books.opening.clone();
    let originals = originals(books);
    for movement in &books.movements {
        let adds =
            |operation: &str| matches!(operation, "deposit" | "disburse" | "interest" | "refund");
        let signed = match originals.get(&(movement.party.as_str(), movement.takes_back.as_str())) {
            Some(original) if !movement.takes_back.is_empty() => {
                if adds(&original.operation) {
                    -movement.amount_minor
                } else {
                    movement.amount_minor
                }
            }
            _ if adds(&movement.operation) => movement.amount_minor,
            _ => -movement.amount_minor,
        };
        *balances.entry(movement.party.clone()).or_default() += signed;
    }
    compare("core", &balances, &books.balances, audit);
}

/// Movements by party and receipt.
fn originals(books: &Books) -> BTreeMap<(&str, &str), &Movement> {
    books
        .movements
        .iter()
        .map(|movement| ((movement.party.as_str(), movement.receipt.as_str()), movement))
        .collect()
}

fn compare(
    name: &str,
    explained: &BTreeMap<String, i64>,
    stated: &BTreeMap<String, i64>,
    audit: &mut Audit,
) {
    for (party, minor) in explained {
        let has = stated.get(party).copied().unwrap_or(0);
        if has != *minor {
            audit.balanced = false;
            audit.note(format!("{name}: {party} has {has}, its movements explain {minor}"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use uuid::Uuid;

    use kiungo_domain::transfer::StepName;

    use super::*;

    fn id() -> TransferId {
        TransferId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1200))
    }

    fn movement(step: StepName, generation: u16, operation: &str, party: &str) -> Movement {
        Movement {
            receipt: format!("{operation}-{generation}"),
            reference: Reference::new(id(), step, generation).hyphenated(),
            operation: operation.to_owned(),
            party: party.to_owned(),
            amount_minor: 500,
            currency: "TZS".to_owned(),
            ..Movement::default()
        }
    }

    fn claim(status: Status) -> Claim {
        Claim {
            id: id(),
            kind: Kind::Deposit,
            provider: "p".to_owned(),
            msisdn: Some("255700000001".to_owned()),
            accounts: vec!["savings:1".to_owned()],
            amount_minor: 500,
            payment: None,
            carried_by: None,
            status,
        }
    }

    fn run(status: Status, wallet: Vec<Movement>, core: Vec<Movement>) -> Audit {
        run_claims(&[claim(status)], wallet, core)
    }

    fn run_claims(claims: &[Claim], wallet: Vec<Movement>, core: Vec<Movement>) -> Audit {
        let books = |movements: Vec<Movement>, core: bool| {
            let mut books = Books { movements, ..Books::default() };
            for movement in &books.movements {
                let sign = if core { 1 } else { -1 };
                *books.balances.entry(movement.party.clone()).or_default() +=
                    sign * movement.amount_minor;
                if !core {
                    *books.balances.entry("float".to_owned()).or_default() += movement.amount_minor;
                }
            }
            books
        };
        let providers = BTreeMap::from([("p".to_owned(), books(wallet, false))]);
        audit(claims, &providers, &books(core, true))
    }

    fn collected() -> Movement {
        movement(StepName::First, 0, "collect", "255700000001")
    }

    fn booked() -> Movement {
        movement(StepName::Second, 0, "deposit", "savings:1")
    }

    #[test]
    fn what_is_right_is_clean() {
        assert!(run(Status::Completed, vec![collected()], vec![booked()]).is_clean());
        assert!(run(Status::Failed, vec![], vec![]).is_clean());
        assert!(run(Status::Suspended, vec![collected()], vec![]).is_clean());
    }

    #[test]
    fn a_payment_beside_what_counts_belongs_to_whoever_claims_its_receipt() {
        let beside = Movement { receipt: "again".to_owned(), unasked: true, ..collected() };
        let wallet = || vec![collected(), beside.clone()];
        assert_eq!(run(Status::Completed, wallet(), vec![booked()]).lost, 1);
        let own = TransferId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1300));
        let payment = Some("again".to_owned());
        let carries = Claim { id: own, payment, ..claim(Status::Suspended) };
        let claims = [claim(Status::Completed), carries];
        assert!(run_claims(&claims, wallet(), vec![booked()]).is_clean());
    }

    #[test]
    fn what_the_provider_took_back_by_itself_may_count_or_not() {
        let back = Movement {
            receipt: "back".to_owned(),
            reference: String::new(),
            operation: "reverse".to_owned(),
            takes_back: collected().receipt,
            unasked: true,
            ..collected()
        };
        let wallet = || vec![collected(), back.clone()];
        let books = |movements: Vec<Movement>| Books { movements, ..Books::default() };
        let lost = |status, core| {
            let providers = BTreeMap::from([("p".to_owned(), books(wallet()))]);
            audit(&[claim(status)], &providers, &books(core)).lost
        };
        assert_eq!(lost(Status::Completed, vec![booked()]), 0);
        assert_eq!(lost(Status::Failed, vec![]), 0);
        assert_eq!(lost(Status::Failed, vec![booked()]), 1);
    }

    #[test]
    fn a_merged_transfer_is_booked_by_the_one_that_carries_it() {
        let own = TransferId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1300));
        let reference = Reference::new(own, StepName::Second, 0).hyphenated();
        let booked = || vec![Movement { reference: reference.clone(), ..booked() }];
        let merged = Claim { carried_by: Some(own), ..claim(Status::Completed) };
        assert!(run_claims(&[merged], vec![collected()], booked()).is_clean());
        assert_eq!(run(Status::Completed, vec![collected()], booked()).lost, 2);
    }

    #[test]
    fn what_is_wrong_is_found() {
        assert_eq!(run(Status::Completed, vec![collected()], vec![]).lost, 1);
        assert_eq!(run(Status::Failed, vec![collected()], vec![]).lost, 1);
        let twice = movement(StepName::Second, 1, "deposit", "savings:1");
        assert_eq!(run(Status::Completed, vec![collected()], vec![booked(), twice]).doubled, 1);
        let elsewhere = Movement { party: "savings:2".to_owned(), ..booked() };
        assert_eq!(run(Status::Completed, vec![collected()], vec![elsewhere]).misattributed, 1);
        let nobodys =
            Movement { operation: "payment".to_owned(), reference: String::new(), ..collected() };
        assert_eq!(run(Status::Failed, vec![nobodys], vec![]).lost, 1);
    }
}
