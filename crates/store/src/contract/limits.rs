//! Daily limits, with several callers that ask at the same time.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kiungo_domain::transfer::{Instruction, Kind, Status, StepName, TransferUpdate};
use kiungo_domain::{Currency, Money, Msisdn, Outcome, Timestamp, Transfer};

use super::Harness;
use super::fixtures::{
    Dice, at, clear, commit, complete, id, instruction, keyed, money, policy, provider, received,
    rejection, then, wallet_instruction,
};
use super::groups::at_once;
use crate::{Allowance, Cap, Change, CommitError, DayLimit, LimitReached, Scope, Store};

const DAY: Duration = Duration::from_hours(24);

/// The day `n` after the first.
fn day(n: i64) -> Range<Timestamp> {
    let start = at(n * 86_400);
    start..start.after(DAY)
}

fn value(minor: i64) -> Cap {
    Cap { value: Some(money(minor)), count: None }
}

fn count(count: u32) -> Cap {
    Cap { value: None, count: Some(count) }
}

/// The first day, on which one wallet may move so much.
pub fn wallet_may(cap: Cap) -> Allowance {
    Allowance { day: day(0), wallet: Some(cap), organisation: None, executed: false }
}

/// The first day, on which all together may move so much.
pub fn all_may(cap: Cap) -> Allowance {
    Allowance { day: day(0), wallet: None, organisation: Some(cap), executed: false }
}

pub fn within(change: Change, allowance: &Allowance) -> Change {
    Change { allowance: Some(allowance.clone()), ..change }
}

/// A transfer of the one wallet.
fn moves(n: u32, minor: i64) -> Instruction {
    let msisdn = Some(Msisdn::parse("255712345678").unwrap());
    Instruction { msisdn, amount: money(minor), ..instruction(n) }
}

fn new(n: u32, minor: i64, allowance: &Allowance) -> Change {
    within(received(moves(n, minor), at(1)), allowance)
}

/// The limit that a change meets.
fn met(answer: Result<(), CommitError>) -> (Scope, DayLimit) {
    match answer {
        Err(CommitError::LimitReached(LimitReached { scope, limit, .. })) => (scope, limit),
        other => panic!("no limit was met: {other:?}"),
    }
}

/// True if one more of such a transfer fits; it is not kept.
async fn fits(store: &dyn Store, minor: i64, allowance: &Allowance) -> bool {
    static NEXT: AtomicU32 = AtomicU32::new(10_000);
    let probe = new(NEXT.fetch_add(1, Ordering::Relaxed), minor, allowance);
    let failed = then(&probe.decision.transfer, at(2), |update| update.refused(rejection()));
    match store.commit(probe).await {
        Ok(()) => {
            store.commit(failed).await.unwrap();
            true
        }
        answer => {
            met(answer);
            false
        }
    }
}

impl Dice {
    /// Mostly what may be moved on one of three days, so little that it is soon used up.
    pub fn allowance(&mut self) -> Option<Allowance> {
        let mut cap = || {
            let value = (self.below(3) > 0).then(|| money(i64::from(self.below(4_000))));
            let count = (self.below(3) == 0).then(|| self.below(8));
            (self.below(4) > 0).then_some(Cap { value, count })
        };
        let (wallet, organisation) = (cap(), cap());
        let (day, executed) = (day(i64::from(self.below(3))), self.below(8) == 0);
        (self.below(4) > 0).then_some(Allowance { day, wallet, organisation, executed })
    }
}

pub async fn a_day_is_used_up_by_value_and_by_count(harness: &dyn Harness) {
    let store = harness.open().await;
    for allowance in [wallet_may(value(1_000)), all_may(value(1_000))] {
        let base = if allowance.wallet.is_some() { 0 } else { 100 };
        commit(&*store, new(base + 1, 600, &allowance)).await;
        met(store.commit(new(base + 2, 401, &allowance)).await);
        assert!(store.transfer(id(base + 2)).await.unwrap().is_none());
        commit(&*store, new(base + 3, 400, &allowance)).await;
        met(store.commit(new(base + 4, 1, &allowance)).await);
    }
    let other = Msisdn::parse("255712345679").unwrap();
    for (base, allowance) in [(200, wallet_may(count(3))), (300, all_may(count(9)))] {
        let mut taken = 0;
        for n in base..base + 20 {
            let of = Instruction { msisdn: Some(other.clone()), ..instruction(n) };
            taken += u32::from(store.commit(within(received(of, at(1)), &allowance)).await.is_ok());
        }
        // Two of the one wallet, counted for all, came before.
        assert_eq!(taken, if base == 200 { 3 } else { 7 });
    }
}

/// Each differs in one thing from what has used its day up.
pub async fn each_wallet_direction_provider_currency_and_day_counts_by_itself(
    harness: &dyn Harness,
) {
    let store = harness.open().await;
    let full = wallet_may(value(100));
    commit(&*store, new(1, 100, &full)).await;
    met(store.commit(new(2, 1, &full)).await);
    let repayment = Instruction { kind: Kind::Repayment, ..moves(3, 1) };
    met(store.commit(within(received(repayment, at(1)), &full)).await);
    let others = [
        Instruction { msisdn: Some(Msisdn::parse("255712345679").unwrap()), ..moves(4, 100) },
        Instruction { kind: Kind::Withdrawal, ..moves(5, 100) },
        Instruction { provider: provider("gsma-sandbox"), ..moves(6, 100) },
        // A hidden number is nobody's.
        Instruction { msisdn: None, ..moves(7, 1_000) },
    ];
    for other in others {
        commit(&*store, within(received(other, at(1)), &full)).await;
    }
    let disbursement = Instruction { kind: Kind::Disbursement, ..moves(8, 1) };
    met(store.commit(within(received(disbursement, at(1)), &full)).await);
    let tomorrow = Allowance { day: day(1), ..full.clone() };
    commit(&*store, new(9, 100, &tomorrow)).await;
    // What is of another currency than the limit fits no sum; it counts beside the others.
    let kes = Currency::from_code("KES").unwrap();
    let shillings = Instruction { amount: Money::from_minor(1, kes).unwrap(), ..moves(10, 1) };
    met(store.commit(within(received(shillings.clone(), at(1)), &full)).await);
    let cap = Cap { value: Money::from_minor(1, kes), count: None };
    commit(&*store, within(received(shillings, at(1)), &wallet_may(cap))).await;
    // The wallets together are counted apart from each.
    commit(&*store, new(11, 100, &all_may(value(100)))).await;
}

pub async fn whose_limit_and_which_is_told(harness: &dyn Harness) {
    let store = harness.open().await;
    let one = Cap::default();
    let two = Cap { value: Some(money(100)), count: Some(2) };
    let both = |wallet: Cap, all: Cap| Allowance { organisation: Some(all), ..wallet_may(wallet) };
    commit(&*store, new(1, 60, &both(one, one))).await;
    let cases = [
        (both(two, one), 41, (Scope::Wallet, DayLimit::Value(money(100)))),
        (both(one, two), 41, (Scope::Organisation, DayLimit::Value(money(100)))),
        (both(count(1), two), 40, (Scope::Wallet, DayLimit::Count(1))),
        (both(two, count(1)), 40, (Scope::Organisation, DayLimit::Count(1))),
    ];
    for (allowance, minor, limit) in cases {
        let refused = store.commit(new(2, minor, &allowance)).await;
        let until = allowance.day.end;
        let (scope, limit) = limit;
        let reached = LimitReached { scope, limit, until };
        assert_eq!(refused, Err(CommitError::LimitReached(reached)));
    }
    // Nothing of a refused one was counted for the other.
    commit(&*store, new(2, 40, &both(two, two))).await;
}

/// Failed, given back before it was executed, or carried by another transfer.
pub async fn what_is_definitely_not_executed_leaves_its_room(harness: &dyn Harness) {
    let store = harness.open().await;
    let all = wallet_may(value(100));
    let failed = commit(&*store, new(1, 100, &all)).await;
    assert!(!fits(&*store, 1, &all).await);
    commit(&*store, then(&failed, at(2), |update| update.refused(rejection()))).await;
    assert!(fits(&*store, 100, &all).await);
    // Refused by the provider, and by it alone.
    let begun = commit(&*store, new(2, 100, &all)).await;
    let begins = |update: &mut TransferUpdate| {
        clear(update);
        update.start(StepName::First, &policy());
    };
    let begun = commit(&*store, then(&begun, at(2), begins)).await;
    assert!(!fits(&*store, 1, &all).await, "under way");
    commit(&*store, then(&begun, at(3), first_refused)).await;
    assert!(fits(&*store, 100, &all).await);
    // A payout that was refused, and its core's leg given back.
    let withdrawal = Instruction { kind: Kind::Withdrawal, ..moves(3, 100) };
    let paid_out = commit(&*store, within(received(withdrawal, at(1)), &all)).await;
    let refused = commit(&*store, then(&paid_out, at(2), payout_refused)).await;
    let outbound = |n| {
        let withdrawal = Instruction { kind: Kind::Withdrawal, ..moves(n, 100) };
        within(received(withdrawal, at(1)), &all)
    };
    met(store.commit(outbound(4)).await);
    let undone = then(&refused, at(3), |update| complete(update, StepName::UndoFirst, "C9"));
    assert_eq!(undone.decision.transfer.status(), Status::Reversed);
    commit(&*store, undone).await;
    commit(&*store, outbound(4)).await;
    // The payment that another transfer carries counts there.
    let merged = commit(&*store, new(5, 100, &all)).await;
    let carried = |update: &mut TransferUpdate| {
        clear(update);
        update.merge(id(1), Status::Completed);
    };
    commit(&*store, then(&merged, at(2), carried)).await;
    assert!(fits(&*store, 100, &all).await);
}

fn first_refused(update: &mut TransferUpdate) {
    update.conclude(StepName::First, Outcome::Rejected(rejection()), &policy());
}

/// The core's leg is done, the payout refused for good.
fn payout_refused(update: &mut TransferUpdate) {
    clear(update);
    complete(update, StepName::First, "C1");
    update.start(StepName::Second, &policy());
    update.conclude(StepName::Second, Outcome::Rejected(rejection()), &policy());
}

pub async fn what_was_executed_counts_though_it_is_given_back(harness: &dyn Harness) {
    let store = harness.open().await;
    let all = wallet_may(value(100));
    let first = commit(&*store, new(1, 100, &all)).await;
    let whole = commit(&*store, then(&first, at(2), whole)).await;
    assert!(!fits(&*store, 1, &all).await);
    let reversed = then(&whole, at(3), |update| {
        assert!(update.request_reversal("operator", "asked"));
        complete(update, StepName::UndoSecond, "56");
        complete(update, StepName::UndoFirst, "R2");
    });
    assert_eq!(reversed.decision.transfer.status(), Status::Reversed);
    commit(&*store, reversed).await;
    assert!(!fits(&*store, 1, &all).await, "the provider has counted it");
}

fn whole(update: &mut TransferUpdate) {
    clear(update);
    complete(update, StepName::First, "R1");
    complete(update, StepName::Second, "55");
}

pub async fn what_is_executed_already_counts_and_is_never_refused(harness: &dyn Harness) {
    let store = harness.open().await;
    let all = wallet_may(value(100));
    let executed = Allowance { executed: true, ..all.clone() };
    for n in 1..=3 {
        let origin = wallet_instruction(n, &format!("W{n}")).origin;
        let paid = Instruction { origin, ..moves(n, 90) };
        commit(&*store, within(received(paid, at(1)), &executed)).await;
    }
    assert!(!fits(&*store, 1, &all).await);
    let sum = wallet_may(value(271));
    assert!(fits(&*store, 1, &sum).await && !fits(&*store, 2, &sum).await);
    // What counts already stays where it is.
    let known = commit(&*store, new(5, 1, &sum)).await;
    let tomorrow = Allowance { day: day(1), ..executed.clone() };
    let known = then(&known, at(2), |update| {
        clear(update);
        complete(update, StepName::First, "R5");
    });
    commit(&*store, within(known, &tomorrow)).await;
    assert!(!fits(&*store, 1, &sum).await, "it counts on the day on which it was sent");
    assert!(fits(&*store, 100, &Allowance { day: day(1), ..all }).await);
    // What counted nowhere counts from then on.
    let late = commit(&*store, received(moves(6, 100), at(1))).await;
    let late = then(&late, at(2), |update| {
        clear(update);
        complete(update, StepName::First, "R6");
    });
    commit(&*store, within(late, &executed)).await;
    assert!(!fits(&*store, 1, &wallet_may(value(371))).await);
    assert!(fits(&*store, 1, &wallet_may(value(372))).await);
}

/// Received on one day, begun on the next.
pub async fn a_transfer_counts_on_the_day_of_its_allowance(harness: &dyn Harness) {
    let store = harness.open().await;
    for (scope, base) in [(wallet_may as fn(Cap) -> Allowance, 0), (all_may, 100)] {
        let today = scope(value(100));
        let tomorrow = Allowance { day: day(1), ..today.clone() };
        let waits = commit(&*store, new(base + 1, 60, &today)).await;
        let waits = commit(&*store, then(&waits, at(2), clear)).await;
        let in_the_way = commit(&*store, new(base + 2, 50, &tomorrow)).await;
        let begins = |update: &mut TransferUpdate| {
            update.start(StepName::First, &policy());
        };
        let late = || within(then(&waits, at(90_000), begins), &tomorrow);
        let refused = store.commit(late()).await;
        assert!(
            matches!(&refused, Err(CommitError::LimitReached(reached)) if reached.until == day(1).end),
            "{refused:?}"
        );
        assert_eq!(store.transfer(waits.id()).await.unwrap(), Some(waits.clone()));
        assert!(!fits(&*store, 41, &today).await, "it counts where it counted");
        commit(&*store, then(&in_the_way, at(3), |update| update.refused(rejection()))).await;
        let begun = commit(&*store, late()).await;
        assert!(fits(&*store, 100, &today).await, "it counts there no longer");
        assert!(!fits(&*store, 41, &tomorrow).await && fits(&*store, 40, &tomorrow).await);
        // Failing, it leaves the day to which it was moved.
        commit(&*store, then(&begun, at(90_001), first_refused)).await;
        assert!(fits(&*store, 100, &tomorrow).await);
    }
}

pub async fn a_transfer_is_not_judged_again_by_the_day_on_which_it_counts(harness: &dyn Harness) {
    let store = harness.open().await;
    let first = commit(&*store, new(1, 100, &wallet_may(value(100)))).await;
    // The limits became narrower meanwhile; and now the organisation has one too.
    let narrow = wallet_may(value(1));
    let first = commit(&*store, within(then(&first, at(2), clear), &narrow)).await;
    let both = Allowance { organisation: Some(value(99)), ..narrow };
    let begins = |update: &mut TransferUpdate| {
        update.start(StepName::First, &policy());
    };
    let refused = store.commit(within(then(&first, at(3), begins), &both)).await;
    assert_eq!(met(refused), (Scope::Organisation, DayLimit::Value(money(99))));
    let both = Allowance { organisation: Some(value(100)), ..both };
    commit(&*store, within(then(&first, at(3), begins), &both)).await;
    assert!(!fits(&*store, 1, &all_may(value(100))).await);
}

pub async fn of_sixty_four_rivals_for_a_days_room_those_that_fit_are_taken(harness: &dyn Harness) {
    let store = harness.open().await;
    let rounds: [(Allowance, usize); 4] = [
        (wallet_may(value(1_000)), 10),
        (wallet_may(count(27)), 17),
        (all_may(value(900)), 9),
        (all_may(count(10)), 1),
    ];
    for (base, (allowance, fit)) in (0..).zip(rounds) {
        let changes = (0..64).map(|n| new(base * 100 + n, 100, &allowance));
        let answers = at_once(&store, changes.collect()).await;
        let taken = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(taken, fit, "{allowance:?}");
        for answer in answers.into_iter().filter(Result::is_err) {
            met(answer);
        }
    }
    assert_eq!(store.overview(at(9)).await.unwrap().open, 37);
}

pub async fn a_change_that_does_not_fit_does_not_hurt_the_others(harness: &dyn Harness) {
    let store = harness.open().await;
    let none = wallet_may(value(0));
    let change = |n| match n % 3 {
        0 => new(n, 1, &none),
        1 => received(moves(n, 1), at(1)),
        _ => new(n, 1, &all_may(value(1_000))),
    };
    let answers = at_once(&store, (0..300).map(change).collect()).await;
    for (n, answer) in (0..).zip(answers) {
        if n % 3 == 0 {
            met(answer);
        } else {
            assert_eq!(answer, Ok(()), "{n}");
        }
        assert_eq!(store.transfer(id(n)).await.unwrap().is_some(), n % 3 != 0);
    }
}

/// The changes of a batch are judged in their order.
pub async fn a_day_goes_from_hand_to_hand_within_a_batch(harness: &dyn Harness) {
    let store = harness.open().await;
    let all = wallet_may(value(100));
    let one = commit(&*store, new(1, 100, &all)).await;
    let fails = |transfer: &Transfer| then(transfer, at(2), |update| update.refused(rejection()));
    let two = new(2, 100, &all);
    let second = two.decision.transfer.clone();
    let changes = vec![new(3, 1, &all), fails(&one), two, new(3, 1, &all), fails(&second)];
    let answers = at_once(&store, changes).await;
    met(answers[0].clone());
    met(answers[3].clone());
    assert_eq!([&answers[1], &answers[2], &answers[4]], [&Ok(()); 3]);
    // What counts and fails in one batch, on a day that nobody knew before, leaves it empty.
    let tomorrow = Allowance { day: day(1), ..all };
    let brief = new(4, 100, &tomorrow);
    let failed = fails(&brief.decision.transfer);
    let answers = at_once(&store, vec![brief, failed, new(5, 100, &tomorrow)]).await;
    assert_eq!(answers, [Ok(()), Ok(()), Ok(())]);
    assert!(!fits(&*store, 1, &tomorrow).await);
}

pub async fn a_known_key_goes_before_a_full_day(harness: &dyn Harness) {
    let store = harness.open().await;
    let all = wallet_may(value(100));
    commit(&*store, keyed(new(1, 100, &all), "k", "d")).await;
    let again = store.commit(keyed(new(2, 100, &all), "k", "d")).await;
    assert!(matches!(&again, Err(CommitError::KeyTaken(holder)) if holder.transfer == id(1)));
    met(store.commit(keyed(new(2, 100, &all), "l", "d")).await);
    assert_eq!(store.key_holder("shop", "l").await, Ok(None));
    // What is stale is stale, whatever fits.
    assert_eq!(store.commit(new(1, 100, &all)).await, Err(CommitError::Stale));
}

pub async fn a_day_stays_used_over_archive_and_restart(harness: &dyn Harness) {
    let store = harness.open().await;
    let all = Allowance { organisation: Some(value(150)), ..wallet_may(value(100)) };
    let first = commit(&*store, new(1, 100, &all)).await;
    let done = commit(&*store, then(&first, at(2), whole)).await;
    let other = Instruction { msisdn: None, ..moves(2, 50) };
    let other = commit(&*store, within(received(other, at(1)), &all)).await;
    assert_eq!(store.archive(at(3), 10).await, Ok(1));
    let full = |answer: (Scope, DayLimit)| assert_eq!(answer.0, Scope::Organisation);
    full(met(store.commit(new(3, 1, &all)).await));
    let store = harness.reopen(store.clone()).await.unwrap_or(store);
    full(met(store.commit(new(3, 1, &all)).await));
    // What comes back from the archive counts where it counted.
    let back = then(&done, at(4), |update| {
        assert!(update.request_reversal("operator", "asked"));
    });
    commit(&*store, back).await;
    commit(&*store, then(&other, at(4), |update| update.refused(rejection()))).await;
    assert_eq!(met(store.commit(new(3, 1, &all)).await).0, Scope::Wallet);
}
