//! Booking, finding it again, and taking it back.

use kiungo_core_banking::{Booking, Core as _, UndoCheck};
use kiungo_domain::outcome::{Reason, Retry};
use kiungo_domain::{Finding, Outcome};
use kiungo_simulator::faults::Fault;
use kiungo_simulator_fineract::{Options, Version};
use serde_json::json;

use crate::world::{BOOKINGS, VERSIONS, World, operation, receipt};

#[tokio::test(start_paused = true)]
async fn every_booking_is_made_found_taken_back_and_seen_to_be_so_in_every_version() {
    for version in VERSIONS {
        for booking in BOOKINGS {
            let world = World::of(version).await;
            let order = world.order(booking);
            let balances = world.simulator.books().balances;
            assert_eq!(world.core.inquire(&order).await, Finding::Absent, "{version:?}");
            let booked = receipt(world.core.post(&order).await);
            let found = world.core.inquire(&order).await;
            let Finding::Executed(found) = found else { panic!("{version:?} {found:?}") };
            assert_eq!(found.receipt, booked);
            assert_eq!(found.stated.amount, Some(order.amount));
            assert_eq!(found.stated.reference, Some(order.reference));
            assert_eq!(found.stated.msisdn, order.msisdn);
            let undo = world.undo(order.clone(), booked.clone());
            assert_eq!(world.core.inquire_undo(&undo).await, Finding::Absent, "{version:?}");
            receipt(world.core.undo(&undo).await);
            let undone = world.core.inquire_undo(&undo).await;
            assert!(matches!(undone, Finding::Executed(_)), "{version:?} {undone:?}");
            receipt(world.core.undo(&undo).await);
            let gone = world.core.inquire(&order).await;
            assert!(matches!(gone, Finding::Reversed(_)), "{version:?} {gone:?}");
            assert_eq!(world.simulator.books().balances, balances, "{version:?} {booking:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_resolved_by_asking_and_a_repeated_key_books_once() {
    for version in VERSIONS {
        for booking in BOOKINGS {
            let world = World::of(version).await;
            let order = world.order(booking);
            world.suffer(operation(booking), Fault::ResetAfter, 0);
            let outcome = world.core.post(&order).await;
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{version:?} {outcome:?}");
            world.recover();
            let found = world.core.inquire(&order).await;
            let Finding::Executed(found) = found else { panic!("{version:?} {found:?}") };
            let idempotent = world.core.capabilities().resend_is_idempotent;
            assert_eq!(idempotent, version > Version::V1_8);
            if idempotent {
                assert_eq!(receipt(world.core.post(&order).await), found.receipt);
            }
            assert_eq!(world.booked(), 1, "{version:?} {booking:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_was_stored_is_definite_once_it_is_replayed() {
    // The fault plan draws the amounts that meet a frozen 500, so many amounts are tried.
    let mut frozen = 0;
    for minor in 1..=30 {
        let world = World::of(Version::V1_12).await;
        let mut order = world.order(Booking::Deposit);
        order.amount = crate::world::money(&format!("{minor}.00"));
        world.suffer("deposit", Fault::ErrorBefore, 0);
        let first = world.core.post(&order).await;
        world.recover();
        if !matches!(first, Outcome::Unknown { .. }) {
            continue;
        }
        match world.core.post(&order).await {
            Outcome::Rejected(rejection) => {
                assert_eq!(
                    (rejection.reason, rejection.retry),
                    (Reason::Busy, Retry::NewReference)
                );
                assert_eq!(world.booked(), 0);
                frozen += 1;
            }
            // A proxy's page: the core had not seen the request.
            outcome => drop(receipt(outcome)),
        }
    }
    assert!(frozen > 0);
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_made_found_and_released_once() {
    for version in VERSIONS {
        let world = World::of(version).await;
        let order = world.order(Booking::Withdraw);
        let hold = receipt(world.core.hold(&order).await);
        let found = world.core.inquire_hold(&order).await;
        assert!(matches!(found, Finding::Executed(c) if c.receipt == hold), "{version:?}");
        let release = world.undo(order, hold);
        let released = receipt(world.core.release(&release).await);
        assert_eq!(receipt(world.core.release(&release).await), released, "{version:?}");
        assert_eq!(world.booked(), 0, "nothing has moved");
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_period_moves_the_value_date_and_the_posting_is_found_all_the_same() {
    let closed = jiff::civil::date(2026, 8, 31);
    for version in VERSIONS {
        let options = Options { version, gl_closed_until: Some(closed), ..Options::default() };
        let world = World::new(options, json!({"closed_periods": "next_open_day"})).await;
        let mut order = world.order(Booking::Deposit);
        // Sent first forty days ago.
        order.value_at =
            kiungo_domain::Timestamp::from_micros(order.at.as_micros() - 40 * 86_400_000_000);
        receipt(world.core.post(&order).await);
        let found = world.core.inquire(&order).await;
        assert!(matches!(found, Finding::Executed(_)), "{version:?} {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_business_date_that_lags_is_followed() {
    for version in VERSIONS {
        let options = Options { version, business_date_lag_days: Some(3), ..Options::default() };
        let world = World::new(options, json!({})).await;
        for booking in BOOKINGS {
            let order = world.order(booking);
            receipt(world.core.post(&order).await);
            let found = world.core.inquire(&order).await;
            assert!(matches!(found, Finding::Executed(_)), "{version:?} {found:?}");
        }
    }
}

/// On, and never set: the core books with the calendar's day, and so do we.
#[tokio::test(start_paused = true)]
async fn a_business_date_that_was_never_set_holds_nothing_up() {
    for version in VERSIONS {
        let options = Options { version, business_date_never_set: true, ..Options::default() };
        let world = World::new(options, json!({})).await;
        let order = world.order(Booking::Deposit);
        receipt(world.core.post(&order).await);
        let lines = world.core.probe().await.unwrap();
        assert!(lines.iter().any(|line| line.text.contains("never set")), "{version:?} {lines:?}");
    }
}

/// The check before a wallet is touched comes to the same as the undo itself.
#[tokio::test(start_paused = true)]
async fn whether_a_booking_can_be_taken_back_is_known_beforehand() {
    for version in VERSIONS {
        let world = World::of(version).await;
        for booking in BOOKINGS {
            let order = world.order(booking);
            let made = receipt(world.core.post(&order).await);
            let undo = world.undo(order, made);
            assert_eq!(world.core.can_undo(&undo).await, UndoCheck::Possible, "{version:?}");
            receipt(world.core.undo(&undo).await);
            assert_eq!(world.core.can_undo(&undo).await, UndoCheck::Possible, "it is done");
        }
        let world = World::of(version).await;
        let order = world.order(Booking::Disburse);
        let made = receipt(world.core.post(&order).await);
        let undo = world.undo(order, made);
        let mut repayment = world.order(Booking::Repay);
        repayment.account.id = 1;
        receipt(world.core.post(&repayment).await);
        let before = world.simulator.books();
        let check = world.core.can_undo(&undo).await;
        let UndoCheck::Rejected(known) = check else { panic!("{version:?} {check:?}") };
        let Outcome::Rejected(met) = world.core.undo(&undo).await else { panic!("{version:?}") };
        assert_eq!(known, met);
        assert_eq!(world.simulator.books(), before, "nothing was moved by asking");
    }
}

/// A user who may not read the days: nothing is booked, and a person is called.
#[tokio::test(start_paused = true)]
async fn days_that_must_not_be_read_call_for_repair() {
    let mut user = kiungo_simulator_fineract::User {
        permissions: vec!["READ_CONFIGURATION".to_owned(), "READ_PAYMENTTYPE".to_owned()],
        ..kiungo_simulator_fineract::User::default()
    };
    user.permissions.push("DEPOSIT_SAVINGSACCOUNT".to_owned());
    let options =
        Options { business_date_lag_days: Some(0), users: vec![user], ..Options::default() };
    let world = World::new(options, json!({})).await;
    let outcome = world.core.post(&world.order(Booking::Deposit)).await;
    let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
    assert_eq!(rejection.retry, Retry::AfterRepair);
    assert_eq!(world.booked(), 0);
    let error = world.core.probe().await.unwrap_err().to_string();
    assert!(error.contains("READ_BUSINESS_DATE"), "{error}");
}
