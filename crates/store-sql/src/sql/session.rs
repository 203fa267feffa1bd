//! The operations of a database that the store uses: statements run, with rows in and rows out.

use std::borrow::Cow;
use std::fmt::Debug;

use async_trait::async_trait;
use kiungo_domain::TransferId;
use kiungo_store::StoreError;

use super::Statements;
use crate::batch::BackendError;
use crate::batch::table::Table;

/// One value that a query is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// A text, or none.
    Text(Option<String>),
    /// A number.
    Integer(i64),
    /// Some of several words, or any.
    Words(Option<Vec<String>>),
}

/// A row that a database answered with, read by column. A column of another type, or that does not
/// exist, is [`StoreError::Corrupt`].
pub trait Record: Send + Sync {
    /// A text, unless it is null.
    fn text(&self, column: usize) -> Result<Option<&str>, StoreError>;
    /// A number, unless it is null.
    fn integer(&self, column: usize) -> Result<Option<i64>, StoreError>;
    /// Bytes.
    fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError>;
}

/// Connections that read.
#[async_trait]
pub trait Readers: Debug + Send + Sync + 'static {
    /// The type of the rows that answer.
    type Row: Record;

    /// The statements of this database.
    fn statements(&self) -> &'static Statements;

    /// The rows that answer a query.
    async fn rows(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<Self::Row>, StoreError>;

    /// The rows of a transfer's journal, in order.
    async fn journal(&self, transfer: TransferId) -> Result<Vec<Self::Row>, StoreError> {
        let named = Parameter::Text(Some(transfer.to_string()));
        self.rows(self.statements().journal, vec![named]).await
    }

    /// Closes them; later queries fail.
    async fn close(&self);
}

/// A statement with the rows that it writes, of which there is at least one.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) statement: &'static str,
    pub(crate) rows: Cow<'a, Table>,
    /// True if a row that is not written was written by another process.
    pub(crate) writes_all: bool,
}

impl Write<'_> {
    /// True if the statement did its work by writing this number of rows.
    pub(crate) fn is_done(&self, written: u64) -> bool {
        !self.writes_all || written == self.rows.len() as u64
    }
}

/// A connection that writes, one transaction at a time; it is opened anew after it broke.
#[async_trait]
pub(crate) trait Session: Send + 'static {
    /// The type of the rows that answer.
    type Row: Record;

    /// The statements of this database.
    const STATEMENTS: &'static Statements;

    /// Begins a transaction that may write.
    async fn begin(&mut self) -> Result<(), BackendError>;

    /// The rows that answer a statement about `wanted`, which is not empty.
    async fn get(
        &mut self,
        statement: &'static str,
        wanted: &Table,
    ) -> Result<Vec<Self::Row>, BackendError>;

    /// Runs a statement on rows, of which there is at least one; how many it wrote.
    async fn put(&mut self, statement: &'static str, rows: &Table) -> Result<u64, BackendError>;

    /// Runs statements of which none touches a row that another touches, and none reads what another
    /// writes; the number of rows that each wrote.
    async fn put_all(&mut self, writes: &[Write<'_>]) -> Result<Vec<u64>, BackendError> {
        let mut written = Vec::with_capacity(writes.len());
        for write in writes {
            written.push(self.put(write.statement, &write.rows).await?);
        }
        Ok(written)
    }

    /// Commits. When this returns `Ok`, everything survives a power cut.
    async fn commit(&mut self) -> Result<(), BackendError>;

    /// Gives the transaction up, and the connection too if it is no longer usable.
    async fn rollback(&mut self);

    /// Leaves the database tidy.
    async fn close(&mut self);
}
