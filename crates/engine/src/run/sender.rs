//! Sends operations, once their intent is durable.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::policy::{Policy, Side};
use kiungo_domain::transfer::{StepName, Transfer};
use kiungo_domain::{Outcome, Timestamp};
use kiungo_transport::{Intended, sent_within};
use metrics::{counter, histogram};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::commit::committer::word;
use crate::counterparties::operate;
use crate::counterparties::ports::Ports;
use crate::counterparties::throttle::Permit;
use crate::fail_point::{FailPoint, FailPoints};

/// Sends operations.
pub(crate) struct Sender {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) fail_points: Option<Arc<dyn FailPoints>>,
    /// The longest time between committing an intent and sending it.
    pub(crate) send_within: Duration,
}

/// The operation to send once the intent is durable.
pub(crate) struct Intent {
    pub(crate) step: StepName,
    permit: Permit,
    /// The moment of the decision: nothing is sent long after that.
    at: Instant,
    /// The same by the time of day: unlike the process's own clock, it goes on while the machine is
    /// suspended.
    decided_at: Timestamp,
}

impl Intent {
    pub(crate) fn new(step: StepName, permit: Permit, decided_at: Timestamp) -> Self {
        Self { step, permit, at: Instant::now(), decided_at }
    }
}

impl Sender {
    /// Sends an operation whose intent is durable, unless that was too long ago.
    pub(crate) async fn send(
        &self,
        transfer: &Transfer,
        intent: Intent,
        policy: &Policy,
    ) -> Outcome {
        let Intent { step, permit, at, decided_at } = intent;
        let operation = transfer.operation(step);
        permit.ready().await;
        if let Some(fail_points) = &self.fail_points {
            fail_points.reached(FailPoint::BeforeSend, operation.as_str()).await;
        }
        let begun = Instant::now();
        let wait_max = self.within(policy, operation.side());
        let clock = Arc::clone(&self.clock);
        let intended = Intended::new(at, move || clock.now().since(decided_at));
        let waited = intended.ago();
        if waited > wait_max {
            let waited = waited.as_millis();
            tracing::warn!(transfer = %transfer.id(), waited.ms = waited, "held up for too long before it was sent: not sent");
            return Outcome::not_sent("held up for too long between its intent and its sending");
        }
        let sending = operate::operate(&self.ports, transfer, step, self.clock.now());
        let outcome = sent_within(intended, wait_max, sending).await;
        let operation = operation.as_str();
        if let Some(fail_points) = &self.fail_points {
            fail_points.reached(FailPoint::AfterSend, operation).await;
        }
        let provider = transfer.instruction().provider.to_string();
        histogram!("kiungo_operation_seconds", "provider" => provider.clone(), "operation" => operation)
            .record(begun.elapsed());
        counter!("kiungo_attempts_total", "provider" => provider, "operation" => operation, "outcome" => word(&outcome))
            .increment(1);
        permit.report(!matches!(outcome, Outcome::NotSent { .. } | Outcome::Unknown { .. }));
        outcome
    }

    /// The longest time between committing an intent and sending it: the configured bound, and at
    /// most half of `absent_after`, so that a stalled process cannot send an operation that another
    /// process has already concluded was never received.
    fn within(&self, policy: &Policy, side: Side) -> Duration {
        self.send_within.min(policy.side(side).absent_after / 2)
    }
}
