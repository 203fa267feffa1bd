//! Notices that cannot be confirmed: whoever knows a receipt could have written the first one.

use std::time::Duration;

use bytes::Bytes;
use kiungo_engine::Engine;
use kiungo_provider::RawCallback;
use kiungo_store::CaseRow;

use crate::world::{World, provider_id};

pub async fn told(engine: &Engine, notice: &str) {
    let callback = RawCallback {
        method: "POST".to_owned(),
        path: "payment".to_owned(),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(notice.as_bytes()),
    };
    engine.callback(&provider_id(), callback).await.unwrap();
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
    told(&engine, "QX1 255712345678 500 7").await;
    for agreeing in ["QX1 255712345678 500 7", "QX1 hidden 500 7"] {
        told(&engine, agreeing).await;
        assert!(quarantined(&engine).await.is_empty(), "{agreeing}");
    }
    let other = ["QX1 255712345678 900 7", "QX1 255712345679 500 7", "QX1 255712345678 500 8"];
    for (already, notice) in other.into_iter().enumerate() {
        told(&engine, notice).await;
        let cases = quarantined(&engine).await;
        assert_eq!(cases.len(), already + 1, "{notice}");
        assert!(cases[0].detail.contains("QX1"), "{:?}", cases[0]);
    }
}
