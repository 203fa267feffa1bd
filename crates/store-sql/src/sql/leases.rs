//! Leases: taken, given back, listed.

use async_trait::async_trait;
use kiungo_domain::Timestamp;
use kiungo_store::{Lease, LeaseStore, StoreError, lease};

use super::read;
use super::session::{Parameter, Readers};
use super::store::{SqlStore, text, time};
use crate::batch::maintenance::Maintenance;

#[async_trait]
impl<R: Readers> LeaseStore for SqlStore<R> {
    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        lease::check_names(name, holder)?;
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let maintenance = Maintenance::TakeLease { name, holder, now, until };
        Ok(self.committer.maintenance(maintenance).await?.rows() > 0)
    }

    async fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.committer.maintenance(Maintenance::ReleaseLease { name, holder }).await.map(drop)
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        let limit = Parameter::Integer(i64::from(lease::LISTED_MAX));
        let parameters = vec![text(prefix), time(now), limit];
        let rows = self.readers.rows(self.readers.statements().leases, parameters).await?;
        rows.iter().map(read::lease).collect()
    }
}
