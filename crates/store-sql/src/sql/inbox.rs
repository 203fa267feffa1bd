//! The inbox.

use async_trait::async_trait;
use kiungo_domain::{ProviderId, Timestamp};
use kiungo_store::{Arrival, InboxId, InboxItem, InboxState, InboxStore, NewArrival, StoreError};

use super::dues::{strange, until};
use super::read;
use super::session::{Parameter, Readers};
use super::store::{SqlStore, text};
use crate::batch::committer::unrefused;
use crate::batch::maintenance::{Maintenance, MaintenanceResult, Taking};
use crate::batch::request::{Done, Request};

#[async_trait]
impl<R: Readers> InboxStore for SqlStore<R> {
    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        match unrefused(self.committer.ask(Request::Arrive(arrival)).await)? {
            Done::Arrived(arrival) => Ok(arrival),
            Done::Applied | Done::Unchanged => {
                Err(StoreError::Corrupt("an arrival without a number".to_owned()))
            }
        }
    }

    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        let parameters = vec![text(provider.as_str()), text(digest)];
        let row = self.row(self.readers.statements().arrived, parameters).await?;
        row.map(|row| read::inbox_item(&row)).transpose()
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        let statement = self.readers.statements().inbox_due;
        let rows = self.readers.rows(statement, until(now, limit)).await?;
        rows.iter().map(read::inbox_item).collect()
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        let parameters = vec![Parameter::Integer(id.0)];
        let row = self.row(self.readers.statements().inbox_item, parameters).await?;
        row.map(|row| read::inbox_item(&row)).transpose()
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        unrefused(self.committer.ask(Request::SetInboxState(id, state)).await).map(drop)
    }

    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
        let decided = self.committer.ask(Request::DecideInboxState(id, state)).await;
        Ok(unrefused(decided)? == Done::Applied)
    }

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        match self
            .committer
            .maintenance(Maintenance::TakeInboxDue(Taking { now, until, limit }))
            .await?
        {
            MaintenanceResult::Items(taken) => Ok(taken),
            other => Err(strange(&other)),
        }
    }
}
