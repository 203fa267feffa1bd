//! The store in memory, auditing itself throughout.

use std::sync::Arc;

use async_trait::async_trait;
use kiungo_domain::transfer::{LedgerAccount, Posting};
use kiungo_store::contract::Harness;
use kiungo_store::contract::fixtures::{at, clear, provider, received, then, wallet_instruction};
use kiungo_store::{
    CommitError, MemoryStore, Reports as _, Store, StoreError, TransferCommits as _,
    TransferStore as _,
};

struct InMemory;

#[async_trait]
impl Harness for InMemory {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::audited())
    }

    async fn open_with_outbox(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::audited().with_outbox())
    }

    async fn reopen(&self, _store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        None
    }
}

kiungo_store::store_contract!(InMemory);

fn corrupt(answer: Result<(), CommitError>, about: &str) {
    match answer {
        Err(CommitError::Store(StoreError::Corrupt(why))) => {
            assert!(why.contains(about), "{why}");
        }
        other => panic!("the audit lets it pass: {other:?}"),
    }
}

#[tokio::test]
async fn the_audit_finds_transit_that_no_transfer_accounts_for() {
    let store = MemoryStore::audited();
    let mut change = received(wallet_instruction(1, "W1"), at(1));
    let currency = change.decision.transfer.amount().currency();
    let transit = LedgerAccount::Transit(provider("mpesa-tz"));
    let float = LedgerAccount::Float(provider("mpesa-tz"));
    change.decision.postings.push(Posting { account: transit, minor: 5, currency });
    change.decision.postings.push(Posting { account: float, minor: -5, currency });
    corrupt(store.commit(change.clone()).await, "transit:mpesa-tz");
    assert_eq!(store.ledger().await.unwrap(), []);
    MemoryStore::new().commit(change).await.unwrap();
}

#[tokio::test]
async fn the_audit_finds_suspense_that_no_transfer_accounts_for() {
    let store = MemoryStore::audited();
    let mut change = received(wallet_instruction(1, "W1"), at(1));
    let currency = change.decision.transfer.amount().currency();
    let suspense = LedgerAccount::Suspense(provider("mpesa-tz"));
    let float = LedgerAccount::Float(provider("mpesa-tz"));
    change.decision.postings.push(Posting { account: suspense, minor: 5, currency });
    change.decision.postings.push(Posting { account: float, minor: -5, currency });
    corrupt(store.commit(change).await, "suspense:mpesa-tz");
}

#[tokio::test]
async fn the_audit_finds_a_transfer_that_its_journal_does_not_tell() {
    let store = MemoryStore::audited();
    let first = received(wallet_instruction(1, "W1"), at(1));
    store.commit(first.clone()).await.unwrap();
    let mut change = then(&first.decision.transfer, at(2), clear);
    change.decision.entries[0].at = at(3);
    corrupt(store.commit(change).await, "journal");
    assert_eq!(store.journal(first.decision.transfer.id()).await.unwrap().len(), 1);
}
