//! The rules that hold while time passes: a waiting transfer has a plan or a way out, and persons
//! are called in time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::{Entry, Event, Origin, StepName};
use kiungo_domain::{Outcome, ProviderId, Timestamp, Transfer, TransferId};
use kiungo_engine::Clock as _;
use kiungo_store::{Reports as _, TransferQuery, TransferStore as _};

use super::Failure;
use super::world::World;

/// The longest delay of the call of a person after `case_after`: the process that is to call may be
/// dead for a moment, or look at its list a little later.
const CALLED_LATE_MAX: Duration = Duration::from_mins(30);

/// The findings so far.
pub(super) struct Watch {
    policies: BTreeMap<ProviderId, Policy>,
    blamed: BTreeSet<TransferId>,
    pub(super) findings: Vec<String>,
}

impl Watch {
    pub(super) fn new(world: &World) -> Result<Self, Failure> {
        let policies = world.counterparties.policies()?;
        Ok(Self { policies, blamed: BTreeSet::new(), findings: Vec::new() })
    }

    /// Looks at every transfer that has not ended.
    pub(super) async fn look(&mut self, world: &World) -> Result<(), Failure> {
        let mut query = TransferQuery { limit: 500, ..TransferQuery::default() };
        loop {
            let page = world.store.search(&query).await?;
            for row in page.rows.iter().filter(|row| !row.status.is_final()) {
                if self.blamed.contains(&row.id) {
                    continue;
                }
                let Some(transfer) = world.store.transfer(row.id).await? else { continue };
                let journal = world.store.journal(row.id).await?;
                if let Some(finding) = self.blame(world, &transfer, &journal) {
                    self.blamed.insert(row.id);
                    self.findings.push(format!("{} {finding}", row.id));
                }
            }
            if page.next.is_none() {
                return Ok(());
            }
            query.cursor = page.next;
        }
    }

    fn blame(&self, world: &World, transfer: &Transfer, journal: &[Entry]) -> Option<String> {
        let policy = self.policies.get(&transfer.instruction().provider)?;
        let now = world.clock.now();
        if transfer.plan(policy, now).is_none() {
            let called = !transfer.cases().is_empty() || transfer.merged_into().is_some();
            if !called {
                return Some("has no plan, and nobody was called".to_owned());
            }
            if transfer.choices().is_empty() && transfer.merged_into().is_none() {
                return Some("has no plan, and a person can do nothing".to_owned());
            }
        }
        if transfer.in_transit().is_zero() || !transfer.cases().is_empty() {
            return None;
        }
        let side = transfer
            .open_step()
            .map_or(&policy.core, |step| policy.side(transfer.operation(step).side()));
        let since = left_at(journal)?;
        let set_back = world.habits.clock.map_or(Duration::ZERO, |step| step.by);
        let longest = side.case_after + CALLED_LATE_MAX + set_back;
        let age = now.since(since);
        (age > longest).then(|| {
            let minutes = age.as_secs() / 60;
            format!("has had money in transit for {minutes} minutes, and nobody was called")
        })
    }
}

/// Returns the last time at which money came into transit or a person decided something about it,
/// by the journal alone; `None` if neither has happened.
fn left_at(journal: &[Entry]) -> Option<Timestamp> {
    let leaves = |entry: &&Entry| match &entry.event {
        Event::Received(instruction) => matches!(instruction.origin, Origin::Wallet { .. }),
        Event::Concluded { step, outcome: Outcome::Executed(_) } => {
            matches!(step, StepName::First | StepName::UndoSecond)
        }
        Event::Adopted { step, .. } => *step == StepName::First,
        Event::Assigned { .. } | Event::ReversalRequested { .. } | Event::Decided { .. } => true,
        _ => false,
    };
    journal.iter().rev().find(leaves).map(|entry| entry.at)
}
