//! One core account, one operation at a time (rule 11), whoever asks and however it was named.

use kiungo_domain::outcome::Confirmation;
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{Instruction, Kind, StepName, TransferUpdate};
use kiungo_domain::{AccountRef, CoreId, Outcome, Transfer, TransferId};

use super::Harness;
use super::fixtures::{
    at, clear_at, commit, complete, id, instruction, policy, receipt, received, rejection, then,
};
use super::groups::at_once;
use crate::{Change, CommitError, Store};

/// A withdrawal that begins with the core, and found account 5.
async fn cleared(store: &dyn Store, n: u32) -> Transfer {
    let withdrawal = Instruction { kind: Kind::Withdrawal, ..named(n) };
    let first = commit(store, received(withdrawal, at(1))).await;
    commit(store, then(&first, at(2), |update| clear_at(update, 5))).await
}

/// Each names the account in another way.
fn named(n: u32) -> Instruction {
    let base = instruction(n);
    let key = match n % 3 {
        0 => AccountKey::Id(5),
        1 => AccountKey::AccountNo(format!("{n:09}")),
        _ => AccountKey::ExternalId(format!("customer-{n}")),
    };
    let accounts = vec![AccountRef { kind: None, key }];
    Instruction { accounts, ..base }
}

/// Its operation on the account begins.
fn takes(transfer: &Transfer) -> Change {
    let change = then(transfer, at(3), |update| {
        assert!(update.start(StepName::First, &policy()).is_some());
    });
    assert!(change.decision.transfer.holds_account());
    change
}

/// Its operation on the account ends, done or not.
fn leaves(transfer: &Transfer) -> Change {
    let change = then(transfer, at(4), |update| {
        let outcome = Outcome::Rejected(rejection());
        update.conclude(StepName::First, outcome, &policy());
    });
    assert!(!change.decision.transfer.holds_account());
    change
}

fn held_by(owner: TransferId) -> Result<(), CommitError> {
    Err(CommitError::AccountHeld { owner })
}

pub async fn an_account_is_held_by_one_transfer(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut all = Vec::new();
    for n in 1..=4 {
        all.push(cleared(&*store, n).await);
    }
    let first = commit(&*store, takes(&all[0])).await;
    for rival in &all[1..] {
        assert_eq!(store.commit(takes(rival)).await, held_by(id(1)));
    }
    // It goes on holding it, whatever it hears meanwhile.
    let unknown = then(&first, at(4), |update| {
        update.conclude(StepName::First, Outcome::unknown("time-out"), &policy());
    });
    commit(&*store, unknown).await;
    assert_eq!(store.commit(takes(&all[1])).await, held_by(id(1)));
    let holding = store.holding_accounts().await.unwrap();
    assert_eq!(holding.iter().map(|summary| summary.id).collect::<Vec<_>>(), [id(1)]);
    if let Some(store) = harness.reopen(store).await {
        assert_eq!(store.commit(takes(&all[1])).await, held_by(id(1)));
    }
}

pub async fn another_core_or_kind_is_another_account(harness: &dyn Harness) {
    let store = harness.open().await;
    let here = cleared(&*store, 1).await;
    let elsewhere =
        Instruction { kind: Kind::Withdrawal, core: CoreId::new("other").unwrap(), ..named(2) };
    let loan = Instruction { kind: Kind::Disbursement, ..named(3) };
    let mut all = vec![here];
    for instruction in [elsewhere, loan] {
        let first = commit(&*store, received(instruction, at(1))).await;
        all.push(commit(&*store, then(&first, at(2), |update| clear_at(update, 5))).await);
    }
    for transfer in &all {
        commit(&*store, takes(transfer)).await;
    }
    assert_eq!(store.holding_accounts().await.unwrap().len(), 3);
}

pub async fn an_account_lock_that_is_free_again_can_be_taken(harness: &dyn Harness) {
    let store = harness.open().await;
    let (one, two) = (cleared(&*store, 1).await, cleared(&*store, 2).await);
    let one = commit(&*store, takes(&one)).await;
    assert_eq!(store.commit(takes(&two)).await, held_by(id(1)));
    commit(&*store, leaves(&one)).await;
    let two = commit(&*store, takes(&two)).await;
    let three = cleared(&*store, 3).await;
    assert_eq!(store.commit(takes(&three)).await, held_by(id(2)));
    // What is taken and left by one decision was never anybody's.
    commit(&*store, leaves(&two)).await;
    let both = then(&three, at(5), |update| complete(update, StepName::First, "C3"));
    commit(&*store, both).await;
    let four = cleared(&*store, 4).await;
    commit(&*store, takes(&four)).await;
}

/// The changes of a batch are judged in their order, and rows that go are gone before others come.
pub async fn an_account_goes_from_hand_to_hand_within_a_batch(harness: &dyn Harness) {
    let store = harness.open().await;
    let one = commit(&*store, takes(&cleared(&*store, 1).await)).await;
    let two = cleared(&*store, 2).await;
    let new = Instruction { kind: Kind::Withdrawal, ..named(3) };
    let new = received(new, at(1));
    let found = then(&new.decision.transfer, at(2), |update| clear_at(update, 5));
    let third = found.decision.transfer.clone();
    let (one_leaves, two_takes) = (leaves(&one), takes(&two));
    let two_leaves = leaves(&two_takes.decision.transfer);
    let changes = vec![new, found, takes(&two), one_leaves, two_takes, takes(&third), two_leaves];
    let answers = at_once(&store, changes).await;
    assert_eq!(answers[..2], [Ok(()), Ok(())]);
    assert_eq!(answers[2], held_by(id(1)));
    assert_eq!(answers[3..5], [Ok(()), Ok(())]);
    assert_eq!(answers[5], held_by(id(2)));
    assert_eq!(answers[6], Ok(()));
    // One takes what it let go of in the same batch, after another had it.
    let three_takes = takes(&third);
    let three = three_takes.decision.transfer.clone();
    let answers = at_once(&store, vec![three_takes, leaves(&three)]).await;
    assert_eq!(answers, [Ok(()), Ok(())]);
    assert_eq!(store.holding_accounts().await.unwrap(), []);
    let four = cleared(&*store, 4).await;
    commit(&*store, takes(&four)).await;
    let five = cleared(&*store, 5).await;
    assert_eq!(store.commit(takes(&five)).await, held_by(id(4)));
}

pub async fn of_sixty_four_rivals_for_an_account_one_wins(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut changes = Vec::new();
    for n in 0..64 {
        changes.push(takes(&cleared(&*store, n).await));
    }
    let answers = at_once(&store, changes).await;
    let holding = store.holding_accounts().await.unwrap();
    let [winner] = &holding[..] else { panic!("{holding:?}") };
    for (n, answer) in (0..).zip(answers) {
        let expected = if winner.id == id(n) { Ok(()) } else { held_by(winner.id) };
        assert_eq!(answer, expected, "{n}");
    }
}

pub async fn a_stale_decision_is_stale_whoever_holds_the_account(harness: &dyn Harness) {
    let store = harness.open().await;
    let (one, two) = (cleared(&*store, 1).await, cleared(&*store, 2).await);
    commit(&*store, takes(&one)).await;
    let late = takes(&two);
    let refused = then(&two, at(3), |update| {
        update.start(StepName::First, &policy());
        update.conclude(StepName::First, Outcome::Rejected(rejection()), &policy());
    });
    commit(&*store, refused).await;
    assert_eq!(store.commit(late).await, Err(CommitError::Stale));
}

/// The receipt is judged after the account, and a refusal leaves the account as it was.
pub async fn a_refused_decision_takes_no_account(harness: &dyn Harness) {
    let store = harness.open().await;
    let claims = |update: &mut TransferUpdate| {
        clear_at(update, 5);
        complete(update, StepName::First, "W1");
        update.start(StepName::Second, &policy());
    };
    let first = commit(&*store, received(instruction(1), at(1))).await;
    let other = then(&first, at(2), |update| {
        clear_at(update, 6);
        complete(update, StepName::First, "W1");
    });
    commit(&*store, other).await;
    let second = commit(&*store, received(instruction(2), at(1))).await;
    let claim = then(&second, at(2), claims);
    let taken = CommitError::ReceiptTaken { receipt: receipt("W1"), owner: id(1) };
    assert_eq!(store.commit(claim.clone()).await, Err(taken));
    let third = cleared(&*store, 3).await;
    // A deposit is made to the same savings account that a withdrawal leaves.
    commit(&*store, takes(&third)).await;
    assert_eq!(store.commit(claim).await, held_by(id(3)));
}

/// One decision may end an operation, name another account and begin anew there.
pub async fn who_is_given_another_account_lets_go_of_the_first(harness: &dyn Harness) {
    let store = harness.open().await;
    let begins = |account: u64, text: &'static str| {
        move |update: &mut TransferUpdate| {
            clear_at(update, account);
            complete(update, StepName::First, text);
            update.start(StepName::Second, &policy());
        }
    };
    let first = commit(&*store, received(instruction(1), at(1))).await;
    let first = commit(&*store, then(&first, at(2), begins(5, "R1"))).await;
    let moves = then(&first, at(3), |update| {
        update.conclude(StepName::Second, Outcome::Rejected(rejection()), &policy());
        let account = AccountRef { kind: None, key: AccountKey::Id(6) };
        assert!(update.assign(account, "operator"));
        clear_at(update, 6);
        assert!(update.start(StepName::Second, &policy()).is_some());
    });
    assert!(moves.decision.transfer.holds_account());
    let first = commit(&*store, moves).await;
    let second = commit(&*store, received(instruction(2), at(1))).await;
    let third = commit(&*store, received(instruction(3), at(1))).await;
    commit(&*store, then(&second, at(4), begins(5, "R2"))).await;
    let refused = then(&third, at(4), begins(6, "R3"));
    assert_eq!(store.commit(refused.clone()).await, held_by(id(1)));
    commit(
        &*store,
        then(&first, at(5), |update| {
            let found = Confirmation::bare(receipt("C6"));
            update.conclude(StepName::Second, Outcome::Executed(found), &policy());
        }),
    )
    .await;
    commit(&*store, refused).await;
}
