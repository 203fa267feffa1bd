//! The last overview of the store, which concurrent scrapes share.

use std::sync::Arc;
use std::time::Duration;

use kiungo_api::Service;
use kiungo_store::{Overview, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The largest age of an overview: many scrapers cost the database no more than one.
const OVERVIEW_AGE_MAX: Duration = Duration::from_secs(1);

/// The last overview.
#[derive(Default)]
pub(crate) struct OverviewCache(Mutex<Option<(Instant, Arc<Overview>)>>);

impl OverviewCache {
    /// An overview that is at most [`OVERVIEW_AGE_MAX`] old. Concurrent scrapes share one reading.
    pub(super) async fn read(&self, service: &dyn Service) -> Result<Arc<Overview>, StoreError> {
        let mut cached = self.0.lock().await;
        if let Some((at, overview)) = &*cached
            && at.elapsed() < OVERVIEW_AGE_MAX
        {
            return Ok(Arc::clone(overview));
        }
        let overview = Arc::new(service.store().overview(service.clock_now()).await?);
        *cached = Some((Instant::now(), Arc::clone(&overview)));
        Ok(overview)
    }
}
