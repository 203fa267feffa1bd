//! Sending a callback as the faults have it: lost, twice, late, forged; and again when refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::delivery::Delivery;
use crate::faults::{Fault, Faults};

/// A callback ready to be sent.
pub type Letter = http::Request<Bytes>;

/// Sends callbacks.
#[derive(Clone)]
pub struct Courier {
    /// The means by which they travel.
    pub delivery: Arc<dyn Delivery>,
    /// The faults.
    pub faults: Faults,
    /// The number of times that one callback is tried until it is answered by 2xx; at least once.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles each time.
    pub retry_after: Duration,
}

impl Courier {
    /// True if the callback shall overtake the answer to the request.
    pub fn is_early(&self, operation: &str, key: &str) -> bool {
        self.faults.strikes(operation, Fault::CallbackEarly, key)
    }

    /// Sends `letter`, and with [`Fault::CallbackForged`] what `forge` makes before it. The answer
    /// to the last attempt, if there was one.
    pub async fn send(
        &self,
        operation: &str,
        key: &str,
        letter: Letter,
        forge: impl FnOnce() -> Option<Letter> + Send,
    ) -> Option<http::Response<Bytes>> {
        let strikes = |fault| self.faults.strikes(operation, fault, key);
        if strikes(Fault::CallbackLate) {
            tokio::time::sleep(self.faults.slow()).await;
        }
        if strikes(Fault::CallbackForged)
            && let Some(forged) = forge()
        {
            self.delivery.deliver(forged).await;
        }
        if strikes(Fault::CallbackLost) {
            return None;
        }
        if strikes(Fault::CallbackTwice) {
            let twice =
                futures_util::future::join(self.deliver(letter.clone()), self.deliver(letter));
            return twice.await.0;
        }
        self.deliver(letter).await
    }

    async fn deliver(&self, letter: Letter) -> Option<http::Response<Bytes>> {
        let mut wait = self.retry_after;
        let mut answer = self.delivery.ask(letter.clone()).await;
        for _ in 1..self.attempts {
            if answer.as_ref().is_some_and(|answer| answer.status().is_success()) {
                break;
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
            answer = self.delivery.ask(letter.clone()).await;
        }
        answer
    }
}
