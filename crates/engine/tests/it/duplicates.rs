use std::collections::BTreeSet;

use kiungo_domain::Kind;
use kiungo_engine::SubmitError;
use kiungo_store::TransferQuery;

use crate::world::{World, submit, transfer, value};

/// With a bound on the wallet's day that leaves room for one.
#[tokio::test]
async fn ten_thousand_duplicates_of_one_key_are_one_transfer() {
    let world = World::new();
    *world.wallet_may.lock().unwrap() = Some(value("125.50"));
    let engine = world.engine();
    let tasks: Vec<_> = (0..10_300)
        .map(|n| {
            let engine = engine.clone();
            let amount = if n % 100 < 97 { "125.50" } else { "125.00" };
            let new = transfer(Kind::Deposit, amount);
            tokio::spawn(async move { (amount, submit(&engine, "same", new).await) })
        })
        .collect();
    let (mut ids, mut first, mut reused) = (BTreeSet::new(), 0, 0);
    for task in tasks {
        match task.await.unwrap() {
            ("125.50", Ok(submitted)) => {
                first += usize::from(!submitted.replayed);
                ids.insert(submitted.first.id);
            }
            ("125.00", Err(SubmitError::KeyReused(id))) => {
                reused += 1;
                ids.insert(id);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((ids.len(), first, reused), (1, 1, 309));
    let all = engine.store().search(&TransferQuery::default()).await.unwrap();
    assert_eq!(all.rows.len(), 1);
}
