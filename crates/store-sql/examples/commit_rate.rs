//! Measures how fast a store commits: `cargo run --release -p kiungo-store --example commit_rate`,
//! with the number of transfers, the number of callers and the place as optional arguments. The
//! place is a folder for a `SQLite` file, or the address of an empty `PostgreSQL` database.
//!
//! Each transfer is three changes, as the engine makes them: received, cleared and collecting (three
//! events); collected and booking (two); booked (one). All are decided beforehand, so that only the
//! store is measured.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part")]

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kiungo_domain::transfer::{StepName, TransferUpdate};
use kiungo_store::contract::fixtures::{
    at, change_of, clear, complete, due, instruction, keyed, policy, receipt, then,
};
use kiungo_store::{Change, Store};
use kiungo_store_sql::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |default| arguments.next().map_or(default, |text| text.parse::<u32>().unwrap());
    let (transfers, callers) = (number(50_000), number(2_048));
    let place = arguments.next();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Some(url) = place.as_ref().filter(|place| place.starts_with("postgres")) {
        let options = PostgresOptions::new(url).unwrap();
        let store = runtime.block_on(PostgresStore::open(&options)).unwrap();
        runtime.block_on(measure(transfers, callers, Arc::new(store)));
        return;
    }
    let folder = place.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("kiungo-commit-rate-{}", std::process::id()));
    let options = SqliteOptions::new(folder.join("kiungo.db"));
    let store = runtime.block_on(SqliteStore::open(&options)).unwrap();
    runtime.block_on(measure(transfers, callers, Arc::new(store)));
    std::fs::remove_dir_all(folder).unwrap();
}

async fn measure(transfers: u32, callers: u32, store: Arc<dyn Store>) {
    let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..transfers {
        let [one, two, three] = life(n);
        first.push(one);
        second.push(two);
        third.push(three);
    }
    commit_all("one by one", &store, first.split_off(first.len().saturating_sub(500)), 1).await;
    second.truncate(first.len());
    third.truncate(first.len());
    commit_all("received, cleared, collecting", &store, first, callers).await;
    commit_all("collected, booking", &store, second, callers).await;
    commit_all("booked", &store, third, callers).await;
    let begin = Instant::now();
    let overview = store.overview(at(9)).await.unwrap();
    println!("overview of {} counts: {:?}", overview.transfers.len(), begin.elapsed());
}

/// The three changes of a transfer.
fn life(n: u32) -> [Change; 3] {
    let mut draft = TransferUpdate::receive(instruction(n), at(i64::from(n)));
    clear(&mut draft);
    draft.start(StepName::First, &policy());
    let first = change_of(draft).unwrap();
    let first = due(keyed(first, &format!("key-{n}"), &"0123456789abcdef".repeat(4)), at(900));
    let second = then(&first.decision.transfer, at(1), |draft| {
        conclude(draft, StepName::First, &format!("R{n}"));
        draft.start(StepName::Second, &policy());
    });
    let third = then(&second.decision.transfer, at(2), |draft| {
        conclude(draft, StepName::Second, &n.to_string());
    });
    [first, due(second, at(901)), third]
}

fn conclude(draft: &mut TransferUpdate, step: StepName, text: &str) {
    if draft.transfer().step(step).is_open() {
        let confirmation = kiungo_domain::outcome::Confirmation::bare(receipt(text));
        let outcome = kiungo_domain::Outcome::Executed(confirmation);
        draft.conclude(step, outcome, &policy());
    } else {
        complete(draft, step, text);
    }
}

async fn commit_all(what: &str, store: &Arc<dyn Store>, changes: Vec<Change>, callers: u32) {
    let rows: usize = changes.iter().map(rows).sum();
    let count = changes.len();
    let waiting = Arc::new(Mutex::new(VecDeque::from(changes)));
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (store, waiting) = (Arc::clone(store), Arc::clone(&waiting));
        tasks.spawn(async move {
            loop {
                let next = waiting.lock().unwrap().pop_front();
                let Some(change) = next else { break };
                store.commit(change).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let micros = begin.elapsed().as_micros().max(1);
    let rate = |n: usize| n as u128 * 1_000_000 / micros;
    println!("{what}: {count} changes, {}/s, {} rows/s", rate(count), rate(rows));
}

/// Rows of events, ledger, receipts and keys, and the one of the transfer.
fn rows(change: &Change) -> usize {
    let decision = &change.decision;
    let of_decision = decision.entries.len() + decision.postings.len() + decision.receipts.len();
    of_decision + 1 + usize::from(change.key.is_some())
}
