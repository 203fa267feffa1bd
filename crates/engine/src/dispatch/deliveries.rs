//! Deliveries of shared work: acknowledged once all that they brought rests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kiungo_queue::AckHandle;
use tokio::sync::OwnedSemaphorePermit;

/// A delivery that was taken up: acknowledged once all its work rests.
pub(crate) struct DeliveryBatch {
    left: AtomicUsize,
    ack: Mutex<Option<Box<dyn AckHandle>>>,
}

impl DeliveryBatch {
    /// A batch for this amount of work.
    pub(crate) fn new(ack: Box<dyn AckHandle>, work: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(work), ack: Mutex::new(Some(ack)) })
    }
}

/// A part of delivered work that is being done; dropped without [`DeliveryGuard::rested`], it is
/// delivered again once this process is gone.
pub(crate) struct DeliveryGuard {
    pub(crate) batch: Arc<DeliveryBatch>,
    /// The place that it takes up among the work in flight.
    pub(crate) _place: OwnedSemaphorePermit,
}

impl DeliveryGuard {
    /// Notes that this part of its batch rests; returns the acknowledgement handle if it was the
    /// last.
    pub(crate) fn rested(&self) -> Option<Box<dyn AckHandle>> {
        let batch = &self.batch;
        let last = batch.left.fetch_sub(1, Ordering::AcqRel) == 1;
        last.then(|| batch.ack.lock().unwrap_or_else(PoisonError::into_inner).take()).flatten()
    }
}

impl std::fmt::Debug for DeliveryGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeliveryGuard")
    }
}
