//! Runs the day: every transfer of the workload begins at its time, Kiungo is killed at its times,
//! and the result of each beginning is recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kiungo_domain::TransferId;
use kiungo_simulator::payment::PaymentRefused;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::client::{Api, Ordered};
use super::process::Kiungo;
use super::workload::{Start, Wanted, Workload};
use super::world::World;

/// A hundred transfers a second; but even a short day has its two kills in mid-flow.
const STEP: Duration = Duration::from_millis(10);
const SHORTEST: Duration = Duration::from_secs(6);
/// The time for which an order is repeated under its key until the MFI gives up.
const ORDER_WITHIN: Duration = Duration::from_secs(40);
const ORDER_AGAIN_AFTER: Duration = Duration::from_millis(150);

/// The result of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Begun {
    /// Kiungo took the order.
    Ordered(TransferId),
    /// The customer paid at the wallet, and has this receipt.
    Paid(String),
    /// The customer's payment did not happen at all: no money has moved.
    NotPaid(PaymentRefused),
    /// Kiungo did not take the order.
    NotTaken(String),
}

/// The numbers that are known while the day goes on.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) begun: AtomicUsize,
    pub(super) kills: AtomicUsize,
}

/// Runs the day; returns the result of each wish, in the order of the workload.
pub(super) async fn live(
    workload: &Arc<Workload>,
    world: &Arc<World>,
    api: &Api,
    kiungo: Kiungo,
    counters: &Arc<Counters>,
) -> anyhow::Result<(Kiungo, Vec<Begun>)> {
    let count = workload.wanted.len();
    let step = (SHORTEST / u32::try_from(count.max(1)).unwrap_or(u32::MAX)).max(STEP);
    let start = Instant::now();
    let mut wishes = JoinSet::new();
    // The task that kills Kiungo owns it; a second kill waits for the first restart.
    let mut kiungo = tokio::spawn(async move { anyhow::Ok(kiungo) });
    for number in 0..count {
        sleep_until(start + step.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))).await;
        if workload.kills.contains(&number) {
            let before = kiungo;
            let counters = Arc::clone(counters);
            kiungo = tokio::spawn(async move {
                let mut kiungo = before.await??;
                counters.kills.fetch_add(kiungo.kill().await?, Ordering::Relaxed);
                kiungo.restart().await?;
                Ok(kiungo)
            });
        }
        let (workload, world, api) = (Arc::clone(workload), Arc::clone(world), api.clone());
        let counters = Arc::clone(counters);
        wishes.spawn(async move {
            let begun = begin(&workload, &world, &api, number).await;
            counters.begun.fetch_add(1, Ordering::Relaxed);
            (number, begun)
        });
    }
    let mut begun = wishes.join_all().await;
    begun.sort_by_key(|(number, _)| *number);
    let kiungo = kiungo.await??;
    Ok((kiungo, begun.into_iter().map(|(_, begun)| begun).collect()))
}

/// Has the wish with this number begin.
pub(super) async fn begin(workload: &Workload, world: &World, api: &Api, number: usize) -> Begun {
    let Some(wanted) = workload.wanted.get(number) else {
        return Begun::NotTaken("not in the workload".to_owned());
    };
    let msisdn = workload.people.get(wanted.person).map_or("", |person| person.msisdn.as_str());
    match wanted.start {
        Start::Api => order(workload.seed, world, api, wanted, msisdn).await,
        Start::AtWallet(typed) => match world.pay(wanted, msisdn, typed).await {
            Ok(receipt) => Begun::Paid(receipt),
            Err(refused) => Begun::NotPaid(refused),
        },
    }
}

/// Orders a transfer, under one key however often it takes.
async fn order(seed: u64, world: &World, api: &Api, wanted: &Wanted, msisdn: &str) -> Begun {
    let key = format!("demo-{seed}-{}", wanted.number);
    let account = world.account(wanted);
    let until = Instant::now() + ORDER_WITHIN;
    loop {
        match api.order(&key, wanted, msisdn, account).await {
            Ordered::Accepted(id) => return Begun::Ordered(id),
            Ordered::Refused(why) => return Begun::NotTaken(why),
            Ordered::Again if Instant::now() > until => {
                return Begun::NotTaken("kiungo did not answer".to_owned());
            }
            Ordered::Again => sleep(ORDER_AGAIN_AFTER).await,
        }
    }
}
