//! The store: opened, asked for a row or a number, and closed. The file of each subject has the
//! rest.

use async_trait::async_trait;
use kiungo_domain::Timestamp;
use kiungo_store::{Health, StoreError};

use super::read;
use super::session::{Parameter, Readers};
use crate::batch::committer::Committer;
use crate::batch::maintenance::Maintenance;

/// A store in an SQL database, open for as long as it lives.
#[derive(Debug)]
pub struct SqlStore<R> {
    pub(super) committer: Committer,
    pub(super) readers: R,
    /// True if events are written to the outbox.
    pub(super) outbox: bool,
}

impl<R: Readers> SqlStore<R> {
    pub(crate) const fn new(committer: Committer, readers: R, outbox: bool) -> Self {
        Self { committer, readers, outbox }
    }

    /// Commits the requests that wait, leaves the database tidy, and releases it. Later requests
    /// are [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.committer.close().await;
    }

    pub(super) async fn row(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<R::Row>, StoreError> {
        Ok(self.readers.rows(statement, parameters).await?.into_iter().next())
    }

    /// The one number that a statement answers with.
    pub(super) async fn number(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<i64>, StoreError> {
        let row = self.row(statement, parameters).await?;
        row.map(|row| read::integer(&row, 0)).transpose()
    }

    pub(super) async fn time(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.number(statement, parameters).await?.map(Timestamp::from_micros))
    }

    pub(super) async fn count(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<u64, StoreError> {
        let count = self.number(statement, parameters).await?.unwrap_or(0);
        u64::try_from(count).map_err(|_| StoreError::Corrupt("a count below zero".to_owned()))
    }
}

pub(super) fn text(text: impl Into<String>) -> Parameter {
    Parameter::Text(Some(text.into()))
}

pub(super) fn time(time: Timestamp) -> Parameter {
    Parameter::Integer(time.as_micros())
}

#[async_trait]
impl<R: Readers> Health for SqlStore<R> {
    async fn ping(&self) -> Result<(), StoreError> {
        self.number(self.readers.statements().ping, Vec::new()).await?;
        if self.committer.is_failing() {
            // Reading goes on where writing does not: one row is written, over and over.
            let (name, holder) = ("ping".to_owned(), "ping".to_owned());
            let (now, until) = (Timestamp::from_micros(0), Timestamp::from_micros(0));
            self.committer.maintenance(Maintenance::TakeLease { name, holder, now, until }).await?;
        }
        Ok(())
    }
}
