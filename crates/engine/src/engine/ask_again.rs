//! Inquiries about operations that were executed already, on a person's request: an operation that
//! the other side reversed since, without a report, becomes a case.

use std::sync::Arc;

use kiungo_domain::transfer::{Evidence, Origin, StepName, Transfer, TransferUpdate};
use kiungo_domain::{Finding, Reference, TransferId};
use kiungo_store::Summary;

use crate::counterparties::operate::inquire_about;
use crate::engine::Engine;
use crate::request::RequestError;

impl Engine {
    /// Asks the other side now: about the open step, or, where none is open, about every operation
    /// that was executed under a reference of ours. The answers are heard in the background.
    ///
    /// # Errors
    /// There is no such transfer, it is being worked on, or a side is not to be asked now:
    /// [`RequestError::Shed`].
    pub async fn inquire_now(&self, id: TransferId, by: &str) -> Result<Summary, RequestError> {
        if self.parts.dispatcher.registry().leave_hint(id, by) {
            return self.summary(id).await;
        }
        let transfer = self.store().transfer(id).await?.ok_or(RequestError::NotFound(id))?;
        if transfer.open_step().is_none() {
            self.ask_about_executed(&transfer)?;
            return Ok(Summary::of(&transfer));
        }
        let by = by.to_owned();
        let change = move |update: &mut TransferUpdate| {
            update.hint(&by);
            Ok(())
        };
        self.parts.changes.exclusively(id, None, change).await
    }

    /// Asks about each executed step in a task of its own, and has the transfer hear the answers.
    fn ask_about_executed(&self, transfer: &Transfer) -> Result<(), RequestError> {
        let id = transfer.id();
        let mut questions = Vec::new();
        for reference in executed(transfer) {
            let side = transfer.operation(reference.step()).side();
            let Some(throttle) = self.parts.ports.throttle(transfer, side) else { continue };
            let permit = throttle.try_ask();
            let shed = |retry_after| RequestError::Shed { side, retry_after };
            questions.push((reference, permit.map_err(|held| shed(held.wait))?));
        }
        let (parts, transfer) = (Arc::clone(&self.parts), transfer.clone());
        self.parts.tasks.spawn(async move {
            let mut answers = Vec::new();
            for (reference, permit) in questions {
                permit.ready().await;
                let answer = inquire_about(&parts.ports, &transfer, reference, parts.clock.now()).await;
                permit.report(!matches!(answer, Finding::Unclear { .. }));
                answers.push((reference, answer));
            }
            let Some(port) = parts.ports.provider(&transfer.instruction().provider) else { return };
            let policy = port.rules.policy().clone();
            let hear = move |update: &mut TransferUpdate| {
                for (reference, finding) in &answers {
                    update.apply_evidence(Evidence::inquired(*reference, finding.clone()), &policy);
                }
                Ok(())
            };
            if let Err(error) = parts.changes.exclusively(id, None, hear).await {
                tracing::warn!(transfer.id = %id, error.message = %error, "the answers about executed operations could not be recorded: ask again");
            }
        });
        Ok(())
    }
}

/// The references under which something was executed. A payment that was started at the wallet came
/// under none of ours.
fn executed(transfer: &Transfer) -> impl Iterator<Item = Reference> {
    let from_wallet = matches!(transfer.instruction().origin, Origin::Wallet { .. });
    let ours = move |step: &StepName| !(from_wallet && *step == StepName::First);
    let done = |step: &StepName| transfer.step(*step).is_executed();
    StepName::ALL.into_iter().filter(ours).filter(done).map(|step| transfer.reference(step))
}
