//! Transfers: committed, and read back.

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting};
use kiungo_domain::{ProviderId, Receipt, Transfer, TransferId};
use kiungo_store::summary::comparable;
use kiungo_store::{
    Change, CollectionQuery, CommitError, KeyHolder, StoreError, Summary, TransferCommits,
    TransferStore, check, codec,
};

use super::read;
use super::session::{Parameter, Readers};
use super::store::{SqlStore, text};
use crate::batch::request::Request;

#[async_trait]
impl<R: Readers> TransferCommits for SqlStore<R> {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        self.committer.ask(Request::commit(change, self.outbox)?).await.map(drop)
    }
}

#[async_trait]
impl<R: Readers> TransferStore for SqlStore<R> {
    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        check::fold(id, &self.journal(id).await?)
    }

    async fn journal(&self, transfer: TransferId) -> Result<Vec<Entry>, StoreError> {
        let rows = self.readers.journal(transfer).await?;
        rows.iter().map(read::entry).collect()
    }

    async fn postings(&self, transfer: TransferId) -> Result<Vec<Posting>, StoreError> {
        let rows = self.readers.rows(self.readers.statements().postings, id(transfer)).await?;
        rows.iter().map(read::posting).collect()
    }

    async fn summary(&self, transfer: TransferId) -> Result<Option<Summary>, StoreError> {
        let row = self.row(self.readers.statements().summary, id(transfer)).await?;
        row.map(|row| read::summary(&row, 0)).transpose()
    }

    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError> {
        let parameters = vec![text(receipt.as_str()), text(provider.as_str())];
        let row = self.row(self.readers.statements().by_receipt, parameters).await?;
        row.map(|row| codec::transfer_id(read::text(&row, 0)?)).transpose()
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        let parameters = vec![text(client), text(key)];
        let row = self.row(self.readers.statements().key_holder, parameters).await?;
        let Some(row) = row else { return Ok(None) };
        let transfer = codec::transfer_id(read::text(&row, 0)?)?;
        Ok(Some(KeyHolder { transfer, digest: read::text(&row, 1)?.to_owned() }))
    }

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        let parameters = vec![
            text(query.provider.as_str()),
            text(comparable(query.amount)),
            Parameter::Text(query.msisdn.as_ref().map(|msisdn| msisdn.digits().to_owned())),
            Parameter::Text(query.label.as_ref().map(|label| label.to_ascii_uppercase())),
        ];
        let rows = self.readers.rows(self.readers.statements().collections, parameters).await?;
        let found = rows.iter().map(|row| codec::transfer_id(read::text(row, 0)?));
        let mut found = found.collect::<Result<Vec<_>, StoreError>>()?;
        found.sort_unstable();
        Ok(found)
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        let statement = self.readers.statements().holding_accounts;
        let rows = self.readers.rows(statement, Vec::new()).await?;
        rows.iter().map(|row| read::summary(row, 0)).collect()
    }
}

fn id(id: TransferId) -> Vec<Parameter> {
    vec![text(id.to_string())]
}
