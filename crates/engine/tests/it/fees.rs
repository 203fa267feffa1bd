use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::transfer::Status;
use kiungo_domain::{Kind, Money};
use kiungo_store::Summary;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::world::{World, provider_id, submit, transfer, tzs};

/// A transfer from beginning to end.
async fn completed(world: &Arc<World>, kind: Kind) -> Summary {
    let engine = world.engine();
    let id = submit(&engine, "k", transfer(kind, "1000")).await.unwrap().first.id;
    loop {
        let summary = engine.store().summary(id).await.unwrap().unwrap();
        if summary.status == Status::Completed {
            return summary;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn world(expected: Option<Money>, stated: Option<Money>) -> Arc<World> {
    let world = World::new();
    *world.expected_fee.lock().unwrap() = expected;
    *world.stated_fee.lock().unwrap() = stated;
    world
}

#[tokio::test(start_paused = true)]
async fn another_fee_than_expected_is_counted_and_changes_nothing_else() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let unexpected = || {
        let text = recorder.handle().render();
        text.contains("kiungo_unexpected_fees_total{provider=\"mpesa-tz\"} 1\n")
    };
    let (ten, twelve) = (Some(tzs("10")), Some(tzs("12")));
    for (expected, stated) in [(None, None), (None, twelve), (ten, None), (ten, ten)] {
        let summary = completed(&world(expected, stated), Kind::Deposit).await;
        assert_eq!((summary.amount, summary.wallet_fee), (tzs("1000"), stated));
        assert!(!unexpected(), "{expected:?} {stated:?}");
    }
    let summary = completed(&world(ten, twelve), Kind::Withdrawal).await;
    assert_eq!((summary.amount, summary.wallet_fee), (tzs("1000"), twelve));
    assert!(unexpected(), "{}", recorder.handle().render());
}

#[tokio::test]
async fn the_expected_fee_is_that_of_the_providers_mapping() {
    let engine = world(Some(tzs("10")), None).engine();
    let fee = engine.expected_fee(&provider_id(), Kind::Deposit, tzs("1000")).unwrap();
    assert_eq!((fee.amount, fee.paid_by), (tzs("10"), "organisation"));
    let unknown = kiungo_domain::ProviderId::new("unknown").unwrap();
    assert_eq!(engine.expected_fee(&unknown, Kind::Deposit, tzs("1000")), None);
}
