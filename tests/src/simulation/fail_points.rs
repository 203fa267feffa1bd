//! The points at which the process dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use kiungo_engine::fail_point::{FailPoint, FailPoints};
use tokio::sync::Notify;

use super::chance::Chance;

/// Dies at points drawn from the seed: a task that reaches one never returns, and the world ends
/// the engine.
#[derive(Debug)]
pub struct DrawnTripwire {
    chance: Chance,
    per_10_000: u64,
    armed: AtomicBool,
    crashes: AtomicU64,
    /// Notified when the process has died.
    pub died: Arc<Notify>,
}

impl DrawnTripwire {
    /// Dies at this number of 10,000 points.
    pub fn new(chance: Chance, per_10_000: u64) -> Self {
        Self {
            chance,
            per_10_000,
            armed: AtomicBool::new(true),
            crashes: AtomicU64::new(0),
            died: Arc::new(Notify::new()),
        }
    }

    /// No more deaths.
    pub fn disarm(&self) {
        self.armed.store(false, Ordering::Relaxed);
    }

    /// True if it may still happen.
    pub fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Relaxed)
    }

    /// The number of times that the process died.
    pub fn crashes(&self) -> u64 {
        self.crashes.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl FailPoints for DrawnTripwire {
    async fn reached(&self, _moment: FailPoint, _what: &str) {
        if self.armed.load(Ordering::Relaxed) && self.chance.happens(self.per_10_000) {
            self.crashes.fetch_add(1, Ordering::Relaxed);
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}
