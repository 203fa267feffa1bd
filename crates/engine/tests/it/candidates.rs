//! The account that a payer's text means, and those that it may mean.

use std::sync::Arc;

use kiungo_domain::outcome::Reason;
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::Status;
use kiungo_domain::typed::{Likeness, Reading};
use kiungo_domain::{AccountKind, AccountRef, CoreAccount, Kind, Msisdn};
use kiungo_engine::{Engine, RequestError};
use kiungo_store::{Summary, TransferQuery};

use crate::notices::notify;
use crate::world::{World, submit, transfer};

fn account(id: u64) -> AccountRef {
    AccountRef { kind: None, key: AccountKey::Id(id) }
}

fn savings(id: u64) -> CoreAccount {
    CoreAccount { kind: AccountKind::Savings, id }
}

/// A payment whose text the mapping takes for account 7, then 8.
async fn paid(world: &Arc<World>) -> (Engine, Summary) {
    world.resolved.lock().unwrap().extend([7, 8].map(account));
    let engine = world.engine();
    engine.start().await.unwrap();
    notify(&engine, "QX1 255712345678 500 7").await;
    let query = TransferQuery { limit: 10, ..TransferQuery::default() };
    let mut rows = engine.store().search(&query).await.unwrap().rows;
    assert_eq!(rows.len(), 1);
    (engine, rows.remove(0))
}

#[tokio::test(start_paused = true)]
async fn money_for_an_account_that_exists_is_never_booked_on_another_one() {
    // Closed, several at once or of another holder, in another currency.
    for reason in [Reason::AccountState, Reason::Other, Reason::AmountNotAllowed] {
        let world = World::new();
        world.refused_accounts.lock().unwrap().push((7, reason));
        let (_, row) = paid(&world).await;
        assert_eq!(row.status, Status::Suspended, "booked on {:?}", row.account);
        assert_eq!(row.rejection.map(|rejection| rejection.reason), Some(reason));
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_does_not_exist_gives_way_to_the_next_rule() {
    let world = World::new();
    world.refused_accounts.lock().unwrap().push((7, Reason::AccountNotFound));
    let (_, row) = paid(&world).await;
    assert_eq!((row.status, row.account), (Status::Completed, Some(savings(8))));
}

#[tokio::test(start_paused = true)]
async fn suggestions_are_asked_for_by_all_that_is_known_of_the_payment() {
    let world = World::new();
    world.refused_accounts.lock().unwrap().push((7, Reason::AccountState));
    let read = |id, likeness| Reading { account: account(id), likeness };
    world.readings.lock().unwrap().extend([read(7, Likeness::Typed), read(9, Likeness::Split)]);
    let (engine, row) = paid(&world).await;
    assert!(engine.suggestions(row.id).await.unwrap().complete);
    let sought = world.sought.lock().unwrap().pop().unwrap();
    assert_eq!(sought.payer, Msisdn::parse("255712345678").ok());
    let typed = [read(7, Likeness::Typed), read(8, Likeness::Typed), read(9, Likeness::Split)];
    assert_eq!(sought.readings, typed);
}

#[tokio::test(start_paused = true)]
async fn accounts_are_suggested_for_suspended_money_only() {
    let engine = World::new().engine();
    engine.start().await.unwrap();
    let id = submit(&engine, "k", transfer(Kind::Deposit, "500")).await.unwrap().first.id;
    let refused = engine.suggestions(id).await;
    assert!(matches!(refused, Err(RequestError::Conflict { .. })), "{refused:?}");
}
