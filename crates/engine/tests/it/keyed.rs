//! A client's request about a transfer is carried out once per key, however often it is sent.

use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountRef, Kind, TransferId};
use kiungo_engine::request::RequestError;
use kiungo_engine::{Caller, Engine};
use kiungo_provider::RawCallback;
use kiungo_store::TransferQuery;

use crate::world::{World, provider_id, submit, transfer};

fn key(key: &str) -> Caller {
    let (client, digest) = ("erp".to_owned(), "what is asked".to_owned());
    Caller { client, key: key.to_owned(), digest }
}

/// Under the paused clock, this wait ends once nothing is left to do.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn assigned(engine: &Engine, id: TransferId) -> usize {
    let journal = engine.store().journal(id).await.unwrap();
    journal.iter().filter(|entry| format!("{:?}", entry.event).starts_with("Assigned")).count()
}

#[tokio::test(start_paused = true)]
async fn an_assignment_is_not_made_twice_under_one_key_though_the_state_would_allow_it() {
    let world = World::new();
    *world.refuses_accounts.lock().unwrap() = true;
    let engine = world.engine();
    engine.start().await.unwrap();
    let callback = RawCallback {
        method: "POST".to_owned(),
        path: "payment".to_owned(),
        headers: Vec::new(),
        body: Bytes::from_static(b"QX1 255712345678 500 7"),
    };
    engine.callback(&provider_id(), callback).await.unwrap();
    settle().await;
    let all = engine.store().search(&TransferQuery::default()).await.unwrap().rows;
    let id = all.first().unwrap().id;
    let account = || AccountRef { kind: None, key: AccountKey::Id(7) };
    engine.assign(id, account(), "erp", Some(key("1"))).await.unwrap();
    settle().await;
    let again = engine.assign(id, account(), "erp", Some(key("1"))).await;
    assert!(matches!(&again, Err(RequestError::KeyTaken(holder)) if holder.transfer == id));
    assert_eq!(assigned(&engine, id).await, 1);
    engine.assign(id, account(), "erp", Some(key("2"))).await.unwrap();
    assert_eq!(assigned(&engine, id).await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_reversal_is_kept_with_the_transfer_that_it_is_about() {
    let engine = World::new().engine();
    engine.start().await.unwrap();
    let first = submit(&engine, "create", transfer(Kind::Deposit, "5")).await.unwrap().first;
    settle().await;
    engine.request_reversal(first.id, "erp", "wrong", Some(key("1"))).await.unwrap();
    let holder = engine.store().key_holder("erp", "1").await.unwrap().unwrap();
    assert_eq!((holder.transfer, holder.digest.as_str()), (first.id, "what is asked"));
}
