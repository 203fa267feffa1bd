//! The tasks of an engine, and their end.

use std::future::Future;

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

/// The tasks of an engine; a cheap handle to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    /// No new work.
    stopping: CancellationToken,
    /// Every task ends where it is.
    killed: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// Runs a task that ends where it is when the engine is killed.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let killed = self.killed.clone();
        self.tracker.spawn(async move {
            killed.run_until_cancelled(task).await;
        });
    }

    /// True if no new work is to be begun.
    pub(crate) fn are_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Waits until no new work is to be begun.
    pub(crate) fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.stopping.cancelled()
    }

    /// No new work is begun from now on.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
        self.tracker.close();
    }

    /// Ends every task where it is.
    pub(crate) fn kill(&self) {
        self.stop();
        self.killed.cancel();
    }

    /// Waits until all have ended.
    pub(crate) async fn ended(&self) {
        self.tracker.wait().await;
    }
}
