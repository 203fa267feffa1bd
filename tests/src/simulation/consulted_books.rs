//! The books that a person consults before a decision: the counterparties', never Kiungo's own.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::outcome::{Confirmation, Stated};
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{
    CaseKind, Choice, OpenCase, PersonDecision, StepName, StepState, Transfer,
};
use kiungo_domain::{AccountKind, party::AccountKey};
use kiungo_domain::{AccountRef, Currency, Money, Receipt, Reference, Timestamp};
use kiungo_simulator::books::{Books, Movement};

use super::world::World;

/// The time after which a person believes that a movement that the books do not show will never
/// come: the slowest counterparty needs less.
const NEVER_COMES: std::time::Duration = std::time::Duration::from_hours(2);

/// The books as they stand now.
pub(super) struct ConsultedBooks {
    pub(super) providers: BTreeMap<String, Books>,
    pub(super) core: Books,
}

impl ConsultedBooks {
    pub(super) fn look(world: &World) -> Self {
        Self {
            providers: world.counterparties.provider_books(),
            core: world.counterparties.core.books(),
        }
    }

    fn books(&self, transfer: &Transfer, step: StepName) -> Option<&Books> {
        match transfer.operation(step).side() {
            Side::Wallet => self.providers.get(transfer.instruction().provider.as_str()),
            Side::Core => Some(&self.core),
        }
    }

    /// The first movement under a reference of ours.
    fn executed(&self, transfer: &Transfer, reference: Reference) -> Option<&Movement> {
        let step = reference.step();
        let operation = transfer.operation(step).as_str();
        self.books(transfer, step)?.movements.iter().find(|movement| {
            movement.operation == operation
                && Reference::parse(&movement.reference) == Ok(reference)
        })
    }

    /// True if a movement was reversed, by Kiungo or by the provider.
    fn is_reversed(&self, transfer: &Transfer, step: StepName, movement: &Movement) -> bool {
        self.books(transfer, step).is_some_and(|books| {
            books
                .movements
                .iter()
                .any(|other| other.party == movement.party && other.takes_back == movement.receipt)
        })
    }

    /// Payments and collections that stand in a provider's books, and that no receipt in `known`
    /// names.
    pub(super) fn unclaimed<'a>(
        &'a self,
        provider: &str,
        known: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = &'a Movement> {
        let movements =
            self.providers.get(provider).map_or(&[][..], |books| books.movements.as_slice());
        let taken: BTreeSet<&str> =
            movements.iter().map(|movement| movement.takes_back.as_str()).collect();
        movements.iter().filter(move |movement| {
            matches!(movement.operation.as_str(), "payment" | "collect")
                && !taken.contains(movement.receipt.as_str())
                && !known.contains(&movement.receipt)
        })
    }

    /// True if this text contains any of a provider's receipts.
    pub(super) fn names_a_receipt(&self, provider: &str, text: &str) -> bool {
        self.providers.get(provider).is_some_and(|books| {
            books.movements.iter().any(|movement| text.contains(&movement.receipt))
        })
    }

    /// Returns the decision of a conscientious person for this choice; `None` if it would be
    /// wrong, or too early.
    pub(super) fn decision(
        &self,
        world: &World,
        transfer: &Transfer,
        choice: Choice,
        now: Timestamp,
    ) -> Option<PersonDecision> {
        match choice {
            Choice::TryAgain => {
                self.may_try_again(transfer, now).then_some(PersonDecision::TryAgain)
            }
            Choice::GiveUp => Some(PersonDecision::GiveUp),
            Choice::AcceptExecuted(step) => {
                let movement = self.executed(transfer, transfer.reference(step))?;
                if self.is_reversed(transfer, step, movement) {
                    return None;
                }
                let confirmation = confirmation(world, transfer, step, movement)?;
                Some(PersonDecision::AcceptExecuted { step, confirmation })
            }
            Choice::AcceptNotExecuted(step) => self
                .is_not_executed(transfer, step, now)
                .then_some(PersonDecision::AcceptNotExecuted { step }),
            Choice::CloseCase => self.closable(transfer),
            Choice::Assign | Choice::Reverse => None,
        }
    }

    /// A new reference for what never arrived is right only if it really did not.
    fn may_try_again(&self, transfer: &Transfer, now: Timestamp) -> bool {
        let Some(step) = transfer.open_step() else { return true };
        let never_arrived = transfer
            .cases()
            .iter()
            .any(|case| case.kind == CaseKind::NeverArrived && case.step == Some(step));
        !never_arrived || self.is_not_executed(transfer, step, now)
    }

    fn is_not_executed(&self, transfer: &Transfer, step: StepName, now: Timestamp) -> bool {
        let movement = self.executed(transfer, transfer.reference(step));
        match &transfer.step(step).state {
            StepState::Executed(known) => movement.is_some_and(|movement| {
                movement.receipt == known.receipt.as_str()
                    && self.is_reversed(transfer, step, movement)
            }),
            // Its payment stands for another transfer, which a person gave another account.
            StepState::Waiting(_) if self.is_taken(transfer, step) => true,
            StepState::Waiting(waiting) => {
                movement.is_none() && now.since(waiting.since) > NEVER_COMES
            }
            StepState::Ready { .. } => {
                let since = transfer.step(step).unsettled_since;
                movement.is_none() && since.is_some_and(|since| now.since(since) > NEVER_COMES)
            }
            StepState::Idle | StepState::Sent { .. } | StepState::Rejected(_) => false,
        }
    }

    /// True if Kiungo says that the receipt of this step belongs to another transfer.
    fn is_taken(&self, transfer: &Transfer, step: StepName) -> bool {
        let taken =
            |case: &OpenCase| case.kind == CaseKind::ReceiptTaken && case.step == Some(step);
        self.executed(transfer, transfer.reference(step)).is_some()
            && transfer.cases().iter().any(taken)
    }

    /// True if what the first leg moved was reversed by the other side.
    pub(super) fn is_gone(&self, transfer: &Transfer) -> bool {
        let first = self.executed(transfer, transfer.reference(StepName::First));
        transfer.step(StepName::First).is_executed()
            && first.is_some_and(|it| self.is_reversed(transfer, StepName::First, it))
    }

    /// The first case that may be closed: a contradiction holds what follows, and is closed only if
    /// the first leg's money is still there.
    fn closable(&self, transfer: &Transfer) -> Option<PersonDecision> {
        let gone = self.is_gone(transfer);
        let unfinished = !transfer.in_transit().is_zero();
        let case = transfer.cases().iter().find(|case| match case.kind {
            CaseKind::Suspense => false,
            CaseKind::Contradiction => !(gone && unfinished),
            _ => true,
        })?;
        Some(PersonDecision::CloseCase { case: case.kind, step: case.step })
    }
}

/// Returns the confirmation that a person enters from the books.
fn confirmation(
    world: &World,
    transfer: &Transfer,
    step: StepName,
    movement: &Movement,
) -> Option<Confirmation> {
    let currency = Currency::from_code(&movement.currency).ok()?;
    let charge = world.habits.gsma.charges.get(&movement.operation);
    let at_gsma = transfer.operation(step).side() == Side::Wallet
        && transfer.instruction().provider.as_str() == super::counterparties::PROVIDERS[0];
    let fee = charge.filter(|_| at_gsma).and_then(|it| Money::from_minor(it.minor, currency));
    let amount = Money::from_minor(movement.amount_minor, currency);
    let stated = Stated { amount, ..Stated::default() };
    Some(Confirmation { receipt: Receipt::new(&movement.receipt).ok()?, fee, stated })
}

/// The account that the payer's money belongs to: what he ordered, or his savings.
pub(super) fn home(world: &World, transfer: &Transfer) -> Option<AccountRef> {
    let instruction = transfer.instruction();
    if let Some(account) = transfer.account() {
        let key = AccountKey::Id(account.id);
        return Some(AccountRef { kind: Some(account.kind), key });
    }
    let msisdn = instruction.msisdn.as_ref()?;
    let client = world.clients.iter().find(|client| client.msisdn == *msisdn)?;
    let key = AccountKey::Id(client.savings);
    Some(AccountRef { kind: Some(AccountKind::Savings), key })
}
