//! Two processes on one database: whoever is second is judged by what the first committed.

use std::collections::BTreeSet;
use std::sync::Arc;

use kiungo_domain::transfer::{Instruction, Kind, StepName};
use kiungo_domain::{Msisdn, Outcome, Transfer};
use kiungo_store::contract::Harness;
use kiungo_store::contract::fixtures::{
    arrival, at, clear, clear_at, due, id, instruction, keyed, money, policy, provider, receipt,
    received, rejection, then, wallet_instruction,
};
use kiungo_store::contract::limits::{all_may, wallet_may, within};
use kiungo_store::{
    Allowance, ArchiveStore as _, Arrival, Cap, Change, CommitError, DueStore as _, InboxState,
    InboxStore as _, LeaseStore as _, Reports as _, TransferCommits as _, TransferQuery,
    TransferStore as _,
};
use kiungo_store_sql::PostgresStore;
use sqlx::{Connection, Executor};
use tokio::task::JoinSet;

use super::place::Schema;

const RIVALS: usize = 3;

async fn rivals(place: &Schema) -> Vec<Arc<PostgresStore>> {
    let mut rivals = Vec::new();
    for _ in 0..RIVALS {
        rivals.push(Arc::new(PostgresStore::open(&place.options()).await.unwrap()));
    }
    rivals
}

/// Each change is committed by every rival, all at the same time; the answers by change.
async fn compete(
    rivals: &[Arc<PostgresStore>],
    changes: impl Iterator<Item = [Change; RIVALS]>,
) -> Vec<Vec<Result<(), CommitError>>> {
    let mut tasks = JoinSet::new();
    for (number, changes) in changes.enumerate() {
        for (rival, change) in rivals.iter().cloned().zip(changes) {
            tasks.spawn(async move { (number, rival.commit(change).await) });
        }
    }
    let mut answers = Vec::new();
    for (number, answer) in tasks.join_all().await {
        if answers.len() <= number {
            answers.resize(number + 1, Vec::new());
        }
        answers[number].push(answer);
    }
    answers
}

fn one_wins(answers: &[Result<(), CommitError>], loses: impl Fn(&CommitError) -> bool) {
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(loses(error), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_rival_decisions_on_a_version_one_wins() {
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    let new = |n| received(instruction(n), at(1));
    let answers = compete(&rivals, (0..200).map(|n| [new(n), new(n), new(n)])).await;
    for answers in &answers {
        one_wins(answers, |error| *error == CommitError::Stale);
    }
    let next = |n, second| due(then(&new(n).decision.transfer, at(second), clear), at(second));
    let changes = (0..200).map(|n| [next(n, 2), next(n, 3), next(n, 4)]);
    let answers = compete(&rivals, changes).await;
    for answers in &answers {
        one_wins(answers, |error| *error == CommitError::Stale);
    }
    for n in 0..200 {
        let transfer = rivals[0].transfer(id(n)).await.unwrap().unwrap();
        assert_eq!(transfer.version(), 2);
        assert_eq!(rivals[1].summary(id(n)).await.unwrap().unwrap().version, 2);
    }
    let overview = rivals[2].overview(at(9)).await.unwrap();
    assert_eq!((overview.open, overview.due), (200, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_rival_claims_to_a_key_or_a_receipt_one_wins() {
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    let changes = (0..150).map(|n| {
        [0, 1_000, 2_000].map(|more| {
            let change = received(wallet_instruction(n + more, &format!("W{n}")), at(1));
            if n.is_multiple_of(2) { change } else { keyed(change, &format!("k{n}"), "d") }
        })
    });
    let answers = compete(&rivals, changes).await;
    for answers in &answers {
        one_wins(answers, |error| {
            matches!(error, CommitError::ReceiptTaken { .. } | CommitError::KeyTaken(_))
        });
    }
    // Two thousand more who repeat one key across all processes.
    let repeated = |n| keyed(received(instruction(n), at(1)), "k", "d");
    let changes = (5_000..5_700).map(|n| [repeated(n), repeated(n + 1_000), repeated(n + 2_000)]);
    let answers = compete(&rivals, changes).await.concat();
    one_wins(&answers, |error| matches!(error, CommitError::KeyTaken(_)));
    // The books are as if one process had done it all.
    let overview = rivals[0].overview(at(9)).await.unwrap();
    assert_eq!(overview.open, 151);
    let ledger = rivals[0].ledger().await.unwrap();
    let float = ledger.iter().find(|row| row.account == "float:mpesa-tz").unwrap();
    assert_eq!(float.minor, 150 * 12_550);
    assert_eq!(ledger.iter().map(|row| row.minor).sum::<i64>(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arrival_at_many_processes_is_one_item_and_handled_once() {
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    let mut tasks = JoinSet::new();
    for n in 0..60 {
        for rival in &rivals {
            let rival = Arc::clone(rival);
            tasks.spawn(
                async move { rival.arrive(arrival(&format!("d{n}"), at(1))).await.unwrap() },
            );
        }
    }
    let arrivals = tasks.join_all().await;
    let new = arrivals.iter().filter(|arrival| matches!(arrival, Arrival::New(_))).count();
    assert_eq!(new, 60);
    let items = rivals[0].inbox_due(at(9), 100).await.unwrap();
    assert_eq!(items.len(), 60);
    assert!(items.iter().all(|item| item.arrivals == 3));
    let changes = (0_u32..).zip(items).map(|(n, item)| {
        [0, 100, 200].map(|more| {
            let change = received(instruction(n + more), at(1));
            Change { handles: Some(item.id), ..change }
        })
    });
    for answers in compete(&rivals, changes).await {
        one_wins(&answers, |error| *error == CommitError::AlreadyHandled);
    }
    assert_eq!(rivals[0].overview(at(9)).await.unwrap().inbox_waiting, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postponements_and_inbox_states_of_rivals_do_not_undo_commits() {
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    let first = received(instruction(1), at(1));
    rivals[0].commit(first.clone()).await.unwrap();
    let item = rivals[0].arrive(arrival("d", at(1))).await.unwrap().id();
    let change = then(&first.decision.transfer, at(2), clear);
    let change = Change { handles: Some(item), ..change };
    let later = InboxState::waiting(at(50));
    let (committed, postponed, moved) = tokio::join!(
        rivals[0].commit(change),
        rivals[1].postpone(id(1), 1, at(60)),
        rivals[2].set_inbox_state(item, later)
    );
    assert_eq!((committed, postponed, moved), (Ok(()), Ok(()), Ok(())));
    assert_eq!(rivals[0].next_due().await.unwrap(), None);
    let item = rivals[0].inbox_item(item).await.unwrap().unwrap();
    assert!(matches!(item.state, InboxState::Handled { .. }), "{item:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivals_archive_side_by_side_while_work_goes_on() {
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    for n in 0..120 {
        let first = received(wallet_instruction(n, &format!("W{n}")), at(1));
        let failing = received(instruction(n + 1_000), at(1));
        rivals[0].commit(first).await.unwrap();
        let failed = then(&failing.decision.transfer, at(1), |draft| draft.refused(rejection()));
        rivals[0].commit(failing).await.unwrap();
        rivals[0].commit(failed).await.unwrap();
    }
    rivals[0].commit(received(instruction(9_000), at(1))).await.unwrap();
    let mut tasks = JoinSet::new();
    for rival in &rivals {
        let rival = Arc::clone(rival);
        tasks.spawn(async move {
            let mut moved = 0;
            for _ in 0..12 {
                moved += rival.archive(at(2), 7).await.unwrap();
            }
            moved
        });
    }
    let new = |n| received(instruction(n), at(3));
    let work = compete(&rivals, (2_000..2_100).map(|n| [new(n), new(n + 1_000), new(n + 2_000)]));
    let (moved, answers) = tokio::join!(tasks.join_all(), work);
    assert_eq!(moved.into_iter().sum::<u64>(), 120);
    assert!(answers.concat().iter().all(Result::is_ok));
    let found = rivals[1].by_receipt(&provider("mpesa-tz"), &receipt("W7")).await.unwrap();
    assert_eq!(found, Some(id(7)));
    let old = TransferQuery { to: Some(at(2)), limit: 500, ..TransferQuery::default() };
    assert_eq!(rivals[1].search(&old).await.unwrap().rows.len(), 121);
    let counted = rivals[2].overview(at(9)).await.unwrap().transfers;
    assert_eq!(counted.iter().map(|row| row.3).sum::<u64>(), 541);
}

/// A process that died or froze in the middle of a transaction holds up those who want the same, but
/// not for long, and nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_process_loses_its_locks() {
    let place = Schema::new().await;
    let store = place.open().await;
    let first = received(instruction(1), at(1));
    store.commit(first.clone()).await.unwrap();
    let mut frozen = place.connect().await;
    frozen.execute("SET idle_in_transaction_session_timeout = '300ms'").await.unwrap();
    frozen.execute("BEGIN").await.unwrap();
    frozen.execute("SELECT * FROM transfer_states FOR UPDATE").await.unwrap();
    // Others go on.
    store.commit(received(instruction(2), at(1))).await.unwrap();
    store.commit(then(&first.decision.transfer, at(2), clear)).await.unwrap();
    assert!(frozen.execute("COMMIT").await.is_err());
    drop(frozen.close().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_broke_is_replaced_without_a_failed_commit() {
    let place = Schema::new().await;
    let store = place.open().await;
    store.commit(received(instruction(1), at(1))).await.unwrap();
    assert!(store.transfer(id(1)).await.unwrap().is_some());
    let mut operator = place.connect().await;
    for round in 0..3 {
        let broken = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = $1 AND pid <> pg_backend_pid()",
        );
        let broken = broken.bind(place.name()).execute(&mut operator).await.unwrap();
        assert!(broken.rows_affected() > 0);
        store.commit(received(instruction(10 + round), at(1))).await.unwrap();
        assert!(store.transfer(id(10 + round)).await.unwrap().is_some());
    }
}

/// A withdrawal that found account `account`.
async fn cleared(store: &PostgresStore, n: u32, account: u64) -> Transfer {
    let withdrawal = Instruction { kind: Kind::Withdrawal, ..instruction(n) };
    let first = received(withdrawal, at(1));
    let found = then(&first.decision.transfer, at(2), |draft| clear_at(draft, account));
    store.commit(first).await.unwrap();
    store.commit(found.clone()).await.unwrap();
    found.decision.transfer
}

fn takes(transfer: &Transfer) -> Change {
    then(transfer, at(3), |draft| {
        draft.start(StepName::First, &policy());
    })
}

fn leaves(transfer: &Transfer) -> Change {
    then(transfer, at(4), |draft| {
        draft.conclude(StepName::First, Outcome::Rejected(rejection()), &policy());
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_rivals_for_an_account_one_wins() {
    const ACCOUNTS: u32 = 60;
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    let mut wanted = Vec::new();
    for n in 0..ACCOUNTS {
        let account = u64::from(n);
        wanted.push([
            cleared(&rivals[0], n, account).await,
            cleared(&rivals[1], n + 1_000, account).await,
            cleared(&rivals[2], n + 2_000, account).await,
        ]);
    }
    let changes = wanted.iter().map(|transfers| transfers.each_ref().map(takes));
    let answers = compete(&rivals, changes).await;
    for answers in &answers {
        one_wins(answers, |error| matches!(error, CommitError::AccountHeld { .. }));
    }
    // The one who has it lets go while the others want it: at most one of them gets it.
    let holding = rivals[0].holding_accounts().await.unwrap();
    assert_eq!(holding.len(), ACCOUNTS as usize);
    let changes = wanted.iter().map(|transfers| {
        transfers.each_ref().map(|transfer| {
            let has_it = holding.iter().any(|summary| summary.id == transfer.id());
            if has_it { leaves(&takes(transfer).decision.transfer) } else { takes(transfer) }
        })
    });
    for answers in compete(&rivals, changes).await {
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!(won == 1 || won == 2, "{answers:?}");
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert!(matches!(error, CommitError::AccountHeld { .. }), "{error}");
        }
    }
    let holding = rivals[1].holding_accounts().await.unwrap();
    let accounts: BTreeSet<_> = holding.iter().map(|summary| summary.account).collect();
    assert_eq!(accounts.len(), holding.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_taken_by_one_process_while_work_goes_on() {
    const DUE: u32 = 300;
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    let mut all = Vec::new();
    for n in 0..DUE {
        let change = due(received(instruction(n), at(0)), at(i64::from(n % 5)));
        all.push(change.decision.transfer.clone());
        rivals[0].commit(change).await.unwrap();
    }
    let mut takers = JoinSet::new();
    for rival in rivals.iter().cycle().take(2 * RIVALS) {
        let rival = Arc::clone(rival);
        takers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let more = rival.take_due(at(9), at(60), 11).await.unwrap();
                if more.is_empty() && rival.due(at(9), 1).await.unwrap().is_empty() {
                    return taken;
                }
                taken.extend(more.into_iter().map(|(id, _)| id));
            }
        });
    }
    // Every third one changes meanwhile and is due no more.
    let changed = all.iter().step_by(3).map(|first| {
        let change = |second| then(first, at(second), clear);
        [change(2), change(3), change(4)]
    });
    let (taken, answers) = tokio::join!(takers.join_all(), compete(&rivals, changed));
    for answers in &answers {
        one_wins(answers, |error| *error == CommitError::Stale);
    }
    let taken = taken.concat();
    let once: BTreeSet<_> = taken.iter().collect();
    assert_eq!(once.len(), taken.len(), "nothing is taken twice");
    for (n, transfer) in all.iter().enumerate() {
        assert!(n % 3 == 0 || once.contains(&transfer.id()), "{n} was not taken");
    }
    let back = rivals[1].due(at(60), 1_000).await.unwrap();
    assert_eq!(back.len(), DUE as usize - DUE.div_ceil(3) as usize);
    assert!(back.iter().all(|(_, due)| *due == at(60)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_had_by_one_process() {
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    for round in 0..20_i64 {
        let mut takers = JoinSet::new();
        for (n, rival) in rivals.iter().cloned().enumerate() {
            let (now, until) = (at(round * 10), at(round * 10 + 10));
            takers.spawn(async move {
                rival.take_lease("relay", &format!("p{n}"), now, until).await.unwrap()
            });
        }
        assert_eq!(takers.join_all().await.into_iter().filter(|has| *has).count(), 1);
    }
}

/// A deposit of the one wallet that is to fit into a day.
fn within_the_day(n: u32, allowance: &Allowance) -> Change {
    let msisdn = instruction(0).msisdn;
    within(received(Instruction { msisdn, ..instruction(n) }, at(1)), allowance)
}

/// Several processes, each with a hundred transfers at the same time, of a day that has room for 37: first
/// nobody has counted yet, then the day is given back and used up again while others come and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivals_together_keep_the_limits_of_a_day() {
    const ROOM: u32 = 37;
    const MINOR: i64 = 12_550;
    let value = Cap { value: Some(money(MINOR * i64::from(ROOM))), count: None };
    let count = Cap { value: None, count: Some(ROOM) };
    for allowance in [wallet_may(value), wallet_may(count), all_may(count)] {
        let place = Schema::new().await;
        let rivals = rivals(&place).await;
        let wanted = |n| [n, n + 1_000, n + 2_000].map(|n| within_the_day(n, &allowance));
        let answers = compete(&rivals, (0..100).map(wanted)).await.concat();
        let full = |error: &CommitError| matches!(error, CommitError::LimitReached(_));
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), ROOM as usize);
        assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(full), "{answers:?}");
        // Each that was taken fails, at every process at once, while new ones want its room.
        let taken = TransferQuery { limit: 500, ..TransferQuery::default() };
        let taken = rivals[0].search(&taken).await.unwrap().rows;
        assert_eq!(taken.len(), ROOM as usize);
        let mut changes = Vec::new();
        for (n, summary) in (5_000..).zip(&taken) {
            let transfer = rivals[1].transfer(summary.id).await.unwrap().unwrap();
            let fails = then(&transfer, at(2), |draft| draft.refused(rejection()));
            let [one, two] = [n, n + 1_000].map(|n| within_the_day(n, &allowance));
            changes.push([fails, one, two]);
        }
        let answers = compete(&rivals, changes.into_iter()).await.concat();
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert!(full(error), "{error}");
        }
        // What is left of the day is what nobody uses, to the last one.
        let used = u32::try_from(rivals[2].overview(at(9)).await.unwrap().open).unwrap();
        assert!(used <= ROOM, "{used}");
        let answers = compete(&rivals, (8_000..8_040).map(wanted)).await.concat();
        let taken = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(taken, (ROOM - used) as usize);
    }
}

/// Wallets whose first movement of the day is at several processes at once, and one limit for all of
/// them: nobody waits for another in a circle, and nobody fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivals_begin_a_day_for_many_wallets() {
    let place = Schema::new().await;
    let rivals = rivals(&place).await;
    let one = Cap { value: None, count: Some(1) };
    let all = Cap { value: None, count: Some(150) };
    let allowance = Allowance { organisation: Some(all), ..wallet_may(one) };
    let wanted = |n: u32| {
        [n, n + 1_000, n + 2_000].map(|id| {
            let msisdn = Some(Msisdn::parse(&format!("25571{:07}", n * 7_919 % 200)).unwrap());
            within(received(Instruction { msisdn, ..instruction(id) }, at(1)), &allowance)
        })
    };
    let answers = compete(&rivals, (0..200).map(wanted)).await;
    let mut taken = 0;
    for answers in &answers {
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!(won <= 1, "{answers:?}");
        taken += won;
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert!(matches!(error, CommitError::LimitReached(_)), "{error}");
        }
    }
    assert_eq!(taken, 150);
}
