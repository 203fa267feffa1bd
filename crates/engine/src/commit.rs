//! Makes a decision durable, and handles the refusals of the store.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::policy::Policy;
use kiungo_domain::transfer::{Decision, Draft, Event, StepName, Transfer};
use kiungo_domain::{Money, Outcome, Receipt, Timestamp, TransferId};
use kiungo_store::{Change, CommitError, LimitReached};
use metrics::{counter, histogram};

use crate::advance::{Intent, Turn};
use crate::carried::Carrying;
use crate::engine::Inner;
use crate::fees;
use crate::holds::conditions_shown;
use crate::limits;

/// The reason that nothing was committed.
pub(crate) enum Undone {
    /// Another process has changed the transfer since it was read.
    Stale,
    /// Another transfer holds the account (rule 11). This one waits for its account lock.
    Held,
    /// The provider lets no more be moved on this day.
    Limit(LimitReached),
}

impl Inner {
    /// Commits the decision about `before`, and returns the next turn.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        before: &Transfer,
        draft: Draft,
        intended: Option<Intent>,
        policy: &Policy,
    ) -> Result<Turn, Undone> {
        let Some(decision) = draft.finish() else { return Ok(Turn::Rest(before.clone())) };
        let due = self.next_due(&decision.transfer, policy);
        let after = decision.transfer.clone();
        let shown = conditions_shown(&decision);
        let fee = stated_fee(&decision);
        match self.commit_surely(decision, due).await {
            Ok(()) => {
                self.take_note_of(&after.instruction().provider, shown).await;
                report(before, &after);
                fees::compare(&self.ports, before, &after);
                self.release_lock_if_free(&after);
                if intended.is_none()
                    && let Some(due) = due
                {
                    self.next_look.remember(due);
                }
                Ok(Turn::Go(after, intended))
            }
            Err(CommitError::ReceiptTaken { receipt, owner }) => {
                Ok(self.receipt_taken(before.clone(), &receipt, owner, fee, policy).await)
            }
            Err(CommitError::AccountHeld { owner }) => {
                counter!("kiungo_accounts_held_elsewhere_total").increment(1);
                if let Some(account) = after.account() {
                    let lock = (after.instruction().core.clone(), account);
                    let next = self.registry().lock_is_with(&lock, owner, after.id());
                    self.got_lock(next);
                }
                Err(Undone::Held)
            }
            Err(CommitError::LimitReached(reached)) => Err(Undone::Limit(reached)),
            Err(CommitError::Stale) if self.sharing.is_some() => {
                counter!("kiungo_decisions_stale_total").increment(1);
                Err(Undone::Stale)
            }
            Err(error) => {
                tracing::error!(transfer = %before.id(), %error, "the decision was not taken; reading again");
                Err(Undone::Stale)
            }
        }
    }

    /// Commits until the store says yes or no: an outcome in hand must not be lost to a database
    /// that does not answer for a while.
    async fn commit_surely(
        &self,
        decision: Decision,
        due: Option<Timestamp>,
    ) -> Result<(), CommitError> {
        let mut wait = Duration::from_millis(100);
        loop {
            let (key, handles, allowance) = (None, None, limits::allowance(&self.ports, &decision));
            let change = Change { decision: decision.clone(), due, key, handles, allowance };
            let error = match self.commit_at_points(change).await {
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

    /// Two transfers for one payment: one of them carries it, or a person looks (rule 7).
    async fn receipt_taken(
        self: &Arc<Self>,
        before: Transfer,
        receipt: &Receipt,
        owner: TransferId,
        fee: Option<Money>,
        policy: &Policy,
    ) -> Turn {
        let Some(step) = before.open_step() else { return Turn::Rest(before) };
        let mut draft = self.resume(&before);
        match self.carried_by(owner, &before, step, fee, policy).await {
            Carrying::By(shows) => draft.merge(owner, shows),
            Carrying::Later => return self.postpone(before, policy.wallet.rung(0)).await,
            Carrying::No => draft.receipt_taken(step, receipt, owner, policy),
        }
        let Some(decision) = draft.finish() else {
            return self.postpone(before, policy.wallet.rung(u32::MAX)).await;
        };
        let due = self.next_due(&decision.transfer, policy);
        let after = decision.transfer.clone();
        match self.commit_surely(decision, due).await {
            Ok(()) => Turn::Rest(after),
            Err(error) => {
                tracing::error!(transfer = %before.id(), %error, "a taken receipt cannot be recorded");
                Turn::Rest(before)
            }
        }
    }
}

/// The fee that the answer of a decision states.
fn stated_fee(decision: &Decision) -> Option<Money> {
    decision.entries.iter().find_map(|entry| match &entry.event {
        Event::Concluded { outcome: Outcome::Completed(confirmation), .. } => confirmation.fee,
        _ => None,
    })
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
        Outcome::Completed(_) => "completed",
        Outcome::Pending(_) => "pending",
        Outcome::Rejected(_) => "rejected",
        Outcome::NotSent { .. } => "not_sent",
        Outcome::Unknown { .. } => "unknown",
    }
}

/// The name of the last event of a decision, as points of [`crate::fail_point`] are named.
pub(crate) fn last_event(decision: &Decision) -> String {
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
