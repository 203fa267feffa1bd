//! All processes have to divide the work in the same way: no process would wait for work that
//! another announces under other names or in other shards.

use std::sync::Arc;
use std::time::Duration;

use kiungo_engine::{Clock as _, SystemClock};
use kiungo_queue_rabbit::RabbitOptions;
use kiungo_store::{LeaseStore, StoreError};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// The lease that all processes share. The name of its holder is the way in which they divide the
/// work.
const LEASE: &str = "queue";

/// The time after the last process has stopped before others may divide the work in another way.
const LASTS: Duration = Duration::from_secs(60);

/// The way in which this process divides the work, agreed upon with the others.
pub(super) struct Agreement {
    leases: Arc<dyn LeaseStore>,
    terms: String,
}

impl Agreement {
    /// Agrees with the processes that run, or ran a minute ago.
    ///
    /// # Errors
    /// They divide the work in another way, or the database does not answer.
    pub(super) async fn reach(
        leases: Arc<dyn LeaseStore>,
        options: &RabbitOptions,
    ) -> Result<Self, Failure> {
        let terms = format!("{}, {} shards", options.prefix, options.shards);
        let agreement = Self { leases, terms };
        let failed = |error: StoreError| Failure::failed(format!("the database: {error}"));
        if agreement.renew().await.map_err(failed)? {
            return Ok(agreement);
        }
        let others = agreement.leases.leases(LEASE, SystemClock.now()).await.map_err(failed)?;
        let theirs = others.first().map_or("otherwise", |lease| lease.holder.as_str());
        Err(Failure::Usage(format!(
            "other processes divide the work by queue.prefix and queue.shards as `{theirs}`, and \
             this one as `{}`: give all of them the same. To change it, stop all of them, and \
             start them a minute later",
            agreement.terms
        )))
    }

    /// Renews the agreement until `stop`.
    pub(super) async fn keep(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LASTS / 3)).await.is_some() {
            match self.renew().await {
                Ok(true) => {}
                Ok(false) => tracing::error!(
                    terms = self.terms,
                    "another process divides the work otherwise: stop one of the two"
                ),
                Err(error) => tracing::debug!(%error, "what was agreed upon is not renewed yet"),
            }
        }
    }

    async fn renew(&self) -> Result<bool, StoreError> {
        let now = SystemClock.now();
        self.leases.take_lease(LEASE, &self.terms, now, now.after(LASTS)).await
    }
}
