//! The data beside the journal are what the journal adds up to.

use std::collections::BTreeMap;

use kiungo_domain::Transfer;
use kiungo_domain::transfer::{Instruction, Kind, Status, StepName, TransferUpdate};

use super::Harness;
use super::fixtures::{
    at, clear, clear_at, commit, complete, id, instruction, live, money, policy, provider,
    received, then, wallet_instruction,
};
use crate::{CollectionQuery, Summary, TransferQuery};

pub async fn every_scenario_is_told_alike_by_journal_and_projection(harness: &dyn Harness) {
    let store = harness.open().await;
    let lived = live(&*store, 1, 30, 300).await;
    let mut ended = 0;
    for transfer in &lived {
        let journal = store.journal(transfer.id()).await.unwrap();
        let told = Transfer::replay(journal.iter().map(|entry| (entry.at, &entry.event)));
        assert_eq!(told.as_ref(), Some(transfer));
        assert_eq!(store.transfer(transfer.id()).await.unwrap(), told);
        let summary = store.summary(transfer.id()).await.unwrap();
        assert_eq!(summary, Some(Summary::of(transfer)));
        ended += u32::from(transfer.status().is_final());
    }
    assert!(ended > 3, "the stories lead somewhere");
    let found = store.search(&TransferQuery { limit: 500, ..Default::default() }).await.unwrap();
    assert_eq!(found.rows.len(), lived.len());
}

pub async fn the_ledger_is_the_sum_of_all_postings(harness: &dyn Harness) {
    let store = harness.open().await;
    assert_eq!(store.ledger().await.unwrap(), []);
    let lived = live(&*store, 2, 30, 300).await;
    let mut sums = BTreeMap::new();
    let mut total = 0;
    for transfer in &lived {
        for posting in store.postings(transfer.id()).await.unwrap() {
            let name = (posting.account.to_string(), posting.currency);
            *sums.entry(name).or_default() += posting.minor;
            total += posting.minor;
        }
    }
    assert_eq!(total, 0);
    assert!(sums.len() > 6, "{sums:?}");
    let ledger = store.ledger().await.unwrap();
    let ledger: Vec<_> =
        ledger.into_iter().map(|row| ((row.account, row.currency), row.minor)).collect();
    assert_eq!(ledger, sums.into_iter().collect::<Vec<_>>());
}

pub async fn the_overview_counts_what_is_there(harness: &dyn Harness) {
    let store = harness.open().await;
    let nothing = store.overview(at(0)).await.unwrap();
    assert_eq!(nothing, crate::Overview::default());
    let lived = live(&*store, 3, 30, 300).await;
    let overview = store.overview(at(1_000_000)).await.unwrap();
    let mut counts = BTreeMap::new();
    let mut suspended = BTreeMap::new();
    for transfer in &lived {
        let provider = transfer.instruction().provider.clone();
        let name = (transfer.kind(), provider.clone(), transfer.status());
        *counts.entry(name).or_default() += 1_u64;
        if transfer.status() == Status::Suspended {
            let amount = transfer.amount();
            *suspended.entry((provider, amount.currency())).or_default() += amount.minor();
        }
    }
    let told: BTreeMap<_, _> =
        overview.transfers.iter().map(|(k, p, s, count)| ((*k, p.clone(), *s), *count)).collect();
    assert_eq!(told, counts);
    let told: BTreeMap<_, _> =
        overview.suspense.iter().map(|(p, c, minor)| ((p.clone(), *c), *minor)).collect();
    assert!(!suspended.is_empty(), "the stories lead into suspense");
    assert_eq!(told, suspended);
    let open: Vec<_> = lived.iter().filter(|t| !t.status().is_final()).collect();
    assert_eq!(overview.open, open.len() as u64);
    assert_eq!(overview.oldest_open, open.iter().map(|t| t.received_at()).min());
    let unknown = lived.iter().filter_map(kiungo_domain::Transfer::unknown_since).min();
    assert_eq!(overview.oldest_unknown, unknown);
}

pub async fn transfers_that_hold_their_account_are_named(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut sent = Vec::new();
    for n in [3, 1, 2] {
        let first = commit(&*store, received(instruction(n), at(1))).await;
        let change = then(&first, at(2), |update| {
            clear(update);
            complete(update, StepName::First, &format!("R{n}"));
            update.start(StepName::Second, &policy());
        });
        sent.push(commit(&*store, change).await);
    }
    commit(&*store, received(instruction(4), at(1))).await;
    let holding = store.holding_accounts().await.unwrap();
    assert_eq!(holding.iter().map(|summary| summary.id).collect::<Vec<_>>(), [id(3), id(1), id(2)]);
    assert!(holding.iter().all(|summary| summary.holds_account));
    let done = |update: &mut TransferUpdate| {
        let done = kiungo_domain::outcome::Confirmation::bare(super::fixtures::receipt("55"));
        let outcome = kiungo_domain::Outcome::Executed(done);
        update.conclude(StepName::Second, outcome, &super::fixtures::policy());
    };
    commit(&*store, then(&sent[0], at(3), done)).await;
    let holding = store.holding_accounts().await.unwrap();
    assert_eq!(holding.iter().map(|summary| summary.id).collect::<Vec<_>>(), [id(1), id(2)]);
}

/// More collections than a page holds: the one that is looked for is the oldest.
pub async fn every_collection_under_way_is_found_by_what_a_payment_tells(harness: &dyn Harness) {
    let store = harness.open().await;
    let begun = async |n: u32, account: Option<u64>| {
        let first = commit(&*store, received(instruction(n), at(1))).await;
        match account {
            Some(account) => {
                let clear = |update: &mut TransferUpdate| clear_at(update, account);
                commit(&*store, then(&first, at(2), clear)).await
            }
            None => first,
        }
    };
    let sought = begun(1, Some(5)).await;
    for n in 10..600 {
        begun(n, Some(6)).await;
    }
    begun(2, None).await;
    let other_amount = Instruction { amount: money(100), ..instruction(3) };
    commit(&*store, received(other_amount, at(1))).await;
    commit(&*store, received(wallet_instruction(4, "W4"), at(1))).await;
    let payout = Instruction { kind: Kind::Withdrawal, ..instruction(5) };
    commit(&*store, received(payout, at(1))).await;
    let query = CollectionQuery {
        provider: provider("mpesa-tz"),
        amount: instruction(1).amount,
        msisdn: None,
        label: Some("000000005".to_owned()),
    };
    let found = async |query: &CollectionQuery| store.collections(query).await.unwrap();
    assert_eq!(found(&query).await, [id(1)]);
    let anyhow = CollectionQuery { label: None, ..query.clone() };
    assert_eq!(found(&anyhow).await.len(), 592);
    let payer = CollectionQuery { msisdn: instruction(2).msisdn, ..anyhow };
    let of_payer = found(&payer).await;
    assert!(of_payer.contains(&id(2)) && of_payer.len() == 60, "{}", of_payer.len());
    let elsewhere = CollectionQuery { provider: provider("gsma-sandbox"), ..query.clone() };
    assert_eq!(found(&elsewhere).await, []);
    let collected = |update: &mut TransferUpdate| complete(update, StepName::First, "R1");
    commit(&*store, then(&sought, at(3), collected)).await;
    assert_eq!(found(&query).await, [], "it has its receipt");
}
