//! An outbox and leases, in a database that can be taken down.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_domain::Timestamp;
use kiungo_store::intercept::{Call, Interceptor};
use kiungo_store::{Lease, LeaseStore, OutboxRow, OutboxStore, StoreError};

/// The outbox and the leases; as an interceptor, the switch of everything else in the database.
#[derive(Default)]
pub struct Books {
    pub down: AtomicBool,
    pub leases: Mutex<BTreeMap<String, Lease>>,
    pub rows: Mutex<Vec<OutboxRow>>,
    /// The time that reading the outbox takes.
    pub slow: Mutex<Duration>,
}

impl Books {
    pub fn lease_holder(&self) -> Option<String> {
        self.leases.lock().unwrap().get("relay").map(|lease| lease.holder.clone())
    }

    async fn up(&self) -> Result<(), StoreError> {
        // Lets others in between, as a database would.
        tokio::task::yield_now().await;
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("it was taken down".to_owned()));
        }
        Ok(())
    }
}

impl Interceptor for Books {
    type Kept = ();

    async fn before(&self, _call: &Call<'_>) -> Result<(), StoreError> {
        self.up().await
    }
}

#[async_trait]
impl LeaseStore for Books {
    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.up().await?;
        let mut leases = self.leases.lock().unwrap();
        let theirs = |lease: &Lease| lease.holder != holder && lease.until > now;
        if leases.get(name).is_some_and(theirs) {
            return Ok(false);
        }
        let (name, holder) = (name.to_owned(), holder.to_owned());
        leases.insert(name.clone(), Lease { name, holder, until });
        Ok(true)
    }

    async fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        self.up().await?;
        self.leases.lock().unwrap().retain(|n, lease| n != name || lease.holder != holder);
        Ok(())
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        self.up().await?;
        let leases = self.leases.lock().unwrap();
        let held = leases.values().filter(|lease| lease.name.starts_with(prefix));
        Ok(held.filter(|lease| lease.until > now).cloned().collect())
    }
}

#[async_trait]
impl OutboxStore for Books {
    async fn outbox_rows(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.up().await?;
        let limit = usize::try_from(limit).unwrap();
        // Read, and then on the way to whoever asked.
        let rows = self.rows.lock().unwrap().iter().take(limit).cloned().collect();
        let delay = *self.slow.lock().unwrap();
        tokio::time::sleep(delay).await;
        Ok(rows)
    }

    async fn mark_published(&self, numbers: &[i64]) -> Result<(), StoreError> {
        self.up().await?;
        self.rows.lock().unwrap().retain(|row| !numbers.contains(&row.no));
        Ok(())
    }
}
