//! Notices that cannot be confirmed: a forger who knows a receipt could have written the first one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::Receipt;
use kiungo_engine::Engine;
use kiungo_provider::{PaymentFinding, PaymentNotice, RawCallback};
use kiungo_store::{CaseRow, Store, TransferQuery};
use kiungo_store_sql::{SqliteOptions, SqliteStore};

use crate::world::{World, Yielding, provider_id, tzs};

fn callback(notice: &str) -> RawCallback {
    RawCallback {
        method: "POST".to_owned(),
        path: "payment".to_owned(),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(notice.as_bytes()),
    }
}

pub async fn notify(engine: &Engine, notice: &str) {
    engine.callback(&provider_id(), callback(notice)).await.unwrap();
    // Under the paused clock this passes once nothing is left to do.
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// The arrivals that a person must look at.
async fn quarantined(engine: &Engine) -> Vec<CaseRow> {
    let cases = engine.store().cases(None, 10).await.unwrap().rows;
    cases.into_iter().filter(|case| case.inbox.is_some()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_second_notice_of_a_receipt_that_says_something_else_is_a_persons_case() {
    let engine = World::new().engine();
    notify(&engine, "QX1 255712345678 500 7").await;
    for agreeing in ["QX1 255712345678 500 7", "QX1 hidden 500 7"] {
        notify(&engine, agreeing).await;
        assert!(quarantined(&engine).await.is_empty(), "{agreeing}");
    }
    let other = ["QX1 255712345678 900 7", "QX1 255712345679 500 7", "QX1 255712345678 500 8"];
    for (already, notice) in other.into_iter().enumerate() {
        notify(&engine, notice).await;
        let cases = quarantined(&engine).await;
        assert_eq!(cases.len(), already + 1, "{notice}");
        assert!(cases[0].detail.contains("QX1"), "{:?}", cases[0]);
    }
}

/// Anybody who knows the address can write a notice; the provider can be asked, and knows better.
#[tokio::test(start_paused = true)]
async fn a_notice_that_the_provider_does_not_confirm_books_nothing() {
    let world = World::new();
    world.script().confirms = true;
    world.script().payment = Some(PaymentFinding::NotMade { why: "reversed".to_owned() });
    let engine = world.engine();
    notify(&engine, "QX1 255712345678 500 7").await;
    let cases = quarantined(&engine).await;
    assert_eq!(cases.iter().map(|case| case.detail.as_str()).collect::<Vec<_>>(), ["reversed"]);
    let all = engine.store().search(&TransferQuery::default()).await.unwrap().rows;
    assert_eq!((all.len(), world.script().sent.len()), (0, 0));
}

/// The provider knows of the payment, but not as the notice has it: a person looks.
#[tokio::test(start_paused = true)]
async fn a_notice_of_another_amount_than_the_provider_confirms_books_nothing() {
    let world = World::new();
    world.script().confirms = true;
    world.script().payment = Some(PaymentFinding::Made(PaymentNotice {
        receipt: Some(Receipt::new("QX1").unwrap()),
        msisdn: None,
        amount: tzs("50"),
        account_reference: "7".to_owned(),
        reference: None,
        fee: None,
        at: None,
    }));
    let engine = world.engine();
    notify(&engine, "QX1 255712345678 500 7").await;
    let cases = quarantined(&engine).await;
    assert!(cases.len() == 1 && cases[0].detail.contains("50.00 TZS"), "{cases:?}");
    assert_eq!(world.script().sent.len(), 0);
}

/// The provider tells again what was not acknowledged.
#[tokio::test]
async fn a_callback_that_cannot_be_stored_is_not_acknowledged() {
    let folder = std::env::temp_dir().join(format!("kiungo-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let options = SqliteOptions::new(folder.join("kiungo.db"));
    let store = Arc::new(SqliteStore::open(&options).await.unwrap());
    let engine = World::new().engine_over(Arc::clone(&store) as Arc<dyn Store>, Arc::new(Yielding));
    store.close().await;
    let unreadable = RawCallback { path: "told".to_owned(), ..callback("gibberish") };
    for told in [callback("QX1 255712345678 500 7"), unreadable] {
        let taken = engine.callback(&provider_id(), told).await;
        assert!(taken.is_err(), "{taken:?}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
