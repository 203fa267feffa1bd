use std::sync::Arc;

use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::Status;
use kiungo_domain::{Kind, Msisdn};
use kiungo_engine::{Engine, NewTransfer, SubmitError};
use kiungo_provider::RawCallback;
use kiungo_store::TransferQuery;

use crate::world::{DAY, World, count, provider_id, submit, transfer, tzs, value};

/// A world in which a wallet may move 1000 a day in each direction.
fn bounded() -> (Arc<World>, Engine) {
    let world = World::new();
    *world.wallet_may.lock().unwrap() = Some(value("1000"));
    let engine = world.engine();
    (world, engine)
}

/// Submits a transfer; true if it was refused because of the day's limit.
async fn refused(engine: &Engine, key: &str, new: NewTransfer) -> bool {
    match submit(engine, key, new).await {
        Ok(_) => false,
        Err(SubmitError::Rejected(rejection)) => {
            assert_eq!(rejection.reason, Reason::LimitExceeded);
            assert_eq!(rejection.code, "amount_above_daily_maximum");
            true
        }
        Err(error) => panic!("{error}"),
    }
}

async fn stored(engine: &Engine) -> usize {
    let all = TransferQuery { limit: 500, ..TransferQuery::default() };
    engine.store().search(&all).await.unwrap().rows.len()
}

#[tokio::test]
async fn a_wallets_day_is_used_up_by_what_it_moves() {
    let (world, engine) = bounded();
    assert!(!refused(&engine, "1", transfer(Kind::Deposit, "600")).await);
    assert!(refused(&engine, "2", transfer(Kind::Deposit, "400.01")).await);
    assert!(refused(&engine, "2", transfer(Kind::Repayment, "500")).await);
    assert_eq!(stored(&engine).await, 1, "what was refused left nothing, and its key is unused");
    assert!(!refused(&engine, "2", transfer(Kind::Repayment, "400")).await);
    assert!(refused(&engine, "3", transfer(Kind::Deposit, "1")).await);
    // The other direction, another wallet and another day have bounds of their own.
    assert!(!refused(&engine, "4", transfer(Kind::Withdrawal, "1000")).await);
    let other = Msisdn::parse("255712345679").unwrap();
    let other = NewTransfer { msisdn: other, ..transfer(Kind::Deposit, "1000") };
    assert!(!refused(&engine, "5", other).await);
    world.wait(DAY);
    assert!(!refused(&engine, "3", transfer(Kind::Deposit, "1000")).await);
}

#[tokio::test]
async fn of_many_that_come_together_only_those_that_fit_are_taken() {
    let (_world, engine) = bounded();
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let engine = engine.clone();
            let new = transfer(Kind::Deposit, "99");
            tokio::spawn(async move { refused(&engine, &n.to_string(), new).await })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += usize::from(!task.await.unwrap());
    }
    assert_eq!((taken, stored(&engine).await), (10, 10));
}

#[tokio::test]
async fn an_accepted_request_is_answered_again_though_nothing_more_fits() {
    let (world, engine) = bounded();
    let first = submit(&engine, "k", transfer(Kind::Deposit, "600")).await.unwrap();
    let again = submit(&engine, "k", transfer(Kind::Deposit, "600")).await.unwrap();
    assert_eq!((again.first.id, again.replayed), (first.first.id, true));
    // Nor does a mapping that has become narrower turn an accepted transfer into a refused one.
    *world.max.lock().unwrap() = Some(tzs("100"));
    let again = submit(&engine, "k", transfer(Kind::Deposit, "600")).await.unwrap();
    assert_eq!((again.first.id, again.replayed), (first.first.id, true));
    let other = submit(&engine, "k", transfer(Kind::Deposit, "601")).await;
    assert_eq!(other, Err(SubmitError::KeyReused(first.first.id)));
}

#[tokio::test(start_paused = true)]
async fn a_failed_transfer_leaves_its_room_to_others() {
    let (world, engine) = bounded();
    *world.refuses_accounts.lock().unwrap() = true;
    let failing = submit(&engine, "1", transfer(Kind::Deposit, "1000")).await.unwrap().first.id;
    while engine.store().summary(failing).await.unwrap().unwrap().status != Status::Failed {
        tokio::time::sleep(DAY / 10_000).await;
    }
    assert!(!refused(&engine, "2", transfer(Kind::Deposit, "1000")).await);
}

/// The code under which a transfer is refused, as the API and the wallet report it.
async fn code(engine: &Engine, key: &str, amount: &str) -> String {
    match submit(engine, key, transfer(Kind::Deposit, amount)).await {
        Err(SubmitError::Rejected(rejection)) => rejection.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn each_limit_of_a_day_has_its_code() {
    let (world, engine) = bounded();
    *world.all_may.lock().unwrap() = Some(value("1500"));
    submit(&engine, "1", transfer(Kind::Deposit, "900")).await.unwrap();
    assert_eq!(code(&engine, "2", "101").await, "amount_above_daily_maximum");
    *world.wallet_may.lock().unwrap() = Some(count(1));
    assert_eq!(code(&engine, "2", "1").await, "count_above_daily_maximum");
    *world.wallet_may.lock().unwrap() = None;
    assert_eq!(code(&engine, "2", "601").await, "amount_above_organisation_daily_maximum");
    *world.all_may.lock().unwrap() = Some(count(1));
    assert_eq!(code(&engine, "2", "1").await, "count_above_organisation_daily_maximum");
    assert_eq!(stored(&engine).await, 1);
}

#[tokio::test]
async fn of_all_wallets_that_come_together_only_those_that_fit_are_taken() {
    let (world, engine) = bounded();
    *world.all_may.lock().unwrap() = Some(value("1000"));
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let engine = engine.clone();
            let msisdn = Msisdn::parse(&format!("2557123456{n:02}")).unwrap();
            let new = NewTransfer { msisdn, ..transfer(Kind::Deposit, "99") };
            tokio::spawn(async move { submit(&engine, &n.to_string(), new).await.is_ok() })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += usize::from(task.await.unwrap());
    }
    assert_eq!((taken, stored(&engine).await), (10, 10));
}

/// A payment that a customer has made at the wallet is taken, even beyond the limit, and counts.
#[tokio::test(start_paused = true)]
async fn a_payment_started_at_the_wallet_counts_and_is_not_refused() {
    let (_world, engine) = bounded();
    for (n, amount) in [(1, "700"), (2, "700")] {
        let notice = format!("W{n} 255712345678 {amount} 7");
        let (method, path) = ("POST".to_owned(), "/".to_owned());
        let callback = RawCallback { method, path, headers: Vec::new(), body: notice.into() };
        engine.callback(&provider_id(), callback).await.unwrap();
        while stored(&engine).await < n {
            tokio::time::sleep(DAY / 10_000).await;
        }
    }
    assert!(refused(&engine, "1", transfer(Kind::Deposit, "1")).await);
    assert!(!refused(&engine, "1", transfer(Kind::Withdrawal, "1000")).await);
}
