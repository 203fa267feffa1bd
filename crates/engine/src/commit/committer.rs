//! The commit path: makes a decision durable, and applies the consequences that follow from that
//! alone.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::{Decision, Event, Next, StepName, Transfer};
use kiungo_domain::{Outcome, Timestamp};
use kiungo_store::{Change, CommitError, IdempotencyKey, InboxId, TransferCommits, TransferStore};
use metrics::{counter, histogram};

use crate::clock::Clock;
use crate::commit::fees;
use crate::commit::limits;
use crate::counterparties::holds::{Holds, conditions_shown};
use crate::counterparties::ports::Ports;
use crate::fail_point::{FailPoint, FailPoints};

/// Makes decisions durable.
pub(crate) struct Committer {
    pub(crate) store: Arc<dyn TransferStore>,
    /// Held by no other part (rule 10).
    pub(crate) commits: Arc<dyn TransferCommits>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) fail_points: Option<Arc<dyn FailPoints>>,
    /// The time after which the store is to bring back a transfer in flight.
    pub(crate) lease: Duration,
}

impl Committer {
    /// Commits the decision about `before` until the store accepts or refuses it; then records its
    /// holds and metrics.
    pub(crate) async fn commit(
        &self,
        before: &Transfer,
        decision: Decision,
        due: Option<Timestamp>,
    ) -> Result<(), CommitError> {
        let after = decision.transfer.clone();
        let shown = conditions_shown(&decision);
        self.commit_surely(decision, due).await?;
        self.holds.take_note_of(&after.instruction().provider, shown).await;
        report(before, &after);
        fees::compare(&self.ports, before, &after);
        Ok(())
    }

    /// Commits until the store accepts or refuses: a known outcome must not be lost because a
    /// database does not answer for a while.
    pub(crate) async fn commit_surely(
        &self,
        decision: Decision,
        due: Option<Timestamp>,
    ) -> Result<(), CommitError> {
        let mut wait = Duration::from_millis(100);
        loop {
            let error = match self.commit_once(decision.clone(), due, None, None).await {
                Err(CommitError::Store(error)) => error,
                result => return result,
            };
            tracing::error!(transfer = %decision.transfer.id(), %error, "nothing is sent until the store answers");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
            // It may have been applied although the answer was lost.
            if let Ok(Some(stored)) = self.store.transfer(decision.transfer.id()).await
                && stored == decision.transfer
            {
                return Ok(());
            }
        }
    }

    /// Commits once, under a key if there is one, and with the arrival that it handles; passes the
    /// points at which a test lets the process die.
    pub(crate) async fn commit_once(
        &self,
        decision: Decision,
        due: Option<Timestamp>,
        key: Option<IdempotencyKey>,
        handles: Option<InboxId>,
    ) -> Result<(), CommitError> {
        let allowance = limits::allowance(&self.ports, &decision);
        let change = Change { decision, due, key, handles, allowance };
        let Some(fail_points) = &self.fail_points else { return self.commits.commit(change).await };
        let what = last_event(&change.decision);
        fail_points.reached(FailPoint::BeforeCommit, &what).await;
        let result = self.commits.commit(change).await;
        if result.is_ok() {
            fail_points.reached(FailPoint::AfterCommit, &what).await;
        }
        result
    }

    /// The time at which the store is to bring the transfer back: in flight, not before the lease
    /// is over.
    pub(crate) fn next_due(&self, transfer: &Transfer, policy: &Policy) -> Option<Timestamp> {
        let now = self.clock.now();
        let plan = transfer.plan(policy, now)?;
        let in_flight = plan.due <= now || matches!(plan.next, Next::Recover(_));
        if in_flight {
            return Some(now.after(self.lease));
        }
        let spread = plan.due.after(jitter(transfer, plan.due.since(now)));
        // The call to a person is never delayed by the spread.
        let call = transfer.person_due(policy, now);
        Some(call.map_or(spread, |call| spread.min(call.max(plan.due))))
    }
}

/// A delay of up to a tenth of the wait, the same for the same transfer, so that transfers that
/// failed together do not come back together.
fn jitter(transfer: &Transfer, wait: Duration) -> Duration {
    let id = transfer.id();
    let bytes = id.as_uuid().as_bytes();
    let spread = u32::from(bytes[13]) ^ u32::from(bytes[14]);
    wait / 10 * spread / 255
}

fn report(before: &Transfer, after: &Transfer) {
    let (was, is) = (before.status(), after.status());
    if was != is {
        let provider = after.instruction().provider.to_string();
        counter!("kiungo_transfers_total", "provider" => provider, "kind" => after.kind().as_str(), "status" => is.as_str())
            .increment(1);
        if is.is_final() {
            let age = after.updated_at().since(after.received_at());
            histogram!("kiungo_transfer_seconds", "kind" => after.kind().as_str(), "status" => is.as_str())
                .record(age);
        }
    }
}

pub(crate) const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Executed(_) => "completed",
        Outcome::Pending(_) => "pending",
        Outcome::Rejected(_) => "rejected",
        Outcome::NotSent { .. } => "not_sent",
        Outcome::Unknown { .. } => "unknown",
    }
}

/// The name of the last event of a decision, as points of [`crate::fail_point`] are named.
fn last_event(decision: &Decision) -> String {
    let step = |step: StepName| decision.transfer.operation(step).as_str();
    match decision.entries.last().map(|entry| &entry.event) {
        Some(Event::Received(_)) => "received".to_owned(),
        Some(Event::Cleared { .. }) => "cleared".to_owned(),
        Some(Event::Started { step: name, .. }) => format!("{}.started", step(*name)),
        Some(Event::Concluded { step: name, outcome }) => {
            format!("{}.{}", step(*name), word(outcome))
        }
        Some(Event::Inquired { step: name, .. }) => format!("{}.inquired", step(*name)),
        Some(Event::Reopened { step: name, .. }) => format!("{}.reopened", step(*name)),
        Some(Event::Compensating { .. }) => "compensating".to_owned(),
        Some(Event::Suspended { .. }) => "suspended".to_owned(),
        Some(Event::Heard { step: name, .. }) => format!("{}.heard", step(*name)),
        Some(Event::Adopted { step: name, .. }) => format!("{}.adopted", step(*name)),
        Some(
            Event::Refused { .. }
            | Event::Hinted { .. }
            | Event::Assigned { .. }
            | Event::ReversalRequested { .. }
            | Event::ReversalRefused { .. }
            | Event::Merged { .. }
            | Event::Followed { .. }
            | Event::Carries { .. }
            | Event::Told { .. }
            | Event::BroughtIn { .. }
            | Event::Annulled { .. }
            | Event::FeeCharged { .. }
            | Event::CaseOpened { .. }
            | Event::Decided { .. },
        ) => "other".to_owned(),
        None => "nothing".to_owned(),
    }
}
