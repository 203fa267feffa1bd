//! The operations that must not be called absent, and those that must.

use std::time::Duration;

use kiungo_core_banking::{Booking, Core as _};
use kiungo_domain::{Finding, Outcome, Timestamp};
use kiungo_simulator::faults::Fault;
use kiungo_simulator_fineract::{Options, Version};
use serde_json::json;

use crate::world::{BOOKINGS, VERSIONS, World, is_unclear, operation, receipt};

const SINCE_1_9: [Version; 4] = [Version::V1_10, Version::V1_12, Version::V1_14, Version::V1_15];

#[tokio::test(start_paused = true)]
async fn a_booking_that_runs_for_half_an_hour_is_never_absent() {
    for version in SINCE_1_9 {
        for booking in BOOKINGS {
            let world = World::of(version).await;
            let order = world.order(booking);
            world.suffer(operation(booking), Fault::LateWork, 1_800_000);
            assert!(matches!(world.core.post(&order).await, Outcome::Unknown { .. }));
            world.recover();
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_mins(5)).await;
                let finding = world.core.inquire(&order).await;
                assert!(is_unclear(&finding), "{version:?} {booking:?} {finding:?}");
                // Sent again all the same, it is answered with 425.
                assert!(matches!(world.core.post(&order).await, Outcome::Unknown { .. }));
            }
            tokio::time::sleep(Duration::from_mins(10)).await;
            let finding = world.core.inquire(&order).await;
            assert!(matches!(finding, Finding::Executed(_)), "{version:?} {finding:?}");
            assert_eq!(world.booked(), 1);
        }
    }
}

/// Such a core would book a second sending; only the audit trail shows the first one.
#[tokio::test(start_paused = true)]
async fn the_same_at_a_core_that_minds_no_keys() {
    let options = Options { version: Version::V1_12, idempotency: false, ..Options::default() };
    let world = World::new(options, json!({})).await;
    assert!(!world.core.capabilities().resend_is_idempotent);
    let order = world.order(Booking::Deposit);
    world.suffer("deposit", Fault::LateWork, 1_800_000);
    assert!(matches!(world.core.post(&order).await, Outcome::Unknown { .. }));
    tokio::time::sleep(Duration::from_mins(20)).await;
    assert!(is_unclear(&world.core.inquire(&order).await));
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(matches!(world.core.inquire(&order).await, Finding::Executed(_)));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_the_core_crashed_over_waits_for_the_administrator() {
    for version in SINCE_1_9 {
        for (fault, booked) in [(Fault::StuckBefore, 0), (Fault::StuckAfter, 1)] {
            let world = World::of(version).await;
            let order = world.order(Booking::Withdraw);
            world.suffer("withdraw", fault, 0);
            assert!(matches!(world.core.post(&order).await, Outcome::Unknown { .. }));
            world.recover();
            assert_eq!(world.booked(), booked);
            tokio::time::sleep(Duration::from_hours(24)).await;
            let finding = world.core.inquire(&order).await;
            if booked == 1 {
                assert!(matches!(finding, Finding::Executed(_)), "{version:?} {finding:?}");
                continue;
            }
            // From 1.15 on a crash leaves nothing behind.
            assert_eq!(is_unclear(&finding), version < Version::V1_15, "{version:?} {finding:?}");
            world.simulator.free_stuck_keys();
            assert_eq!(world.core.inquire(&order).await, Finding::Absent, "{version:?}");
            receipt(world.core.post(&order).await);
            assert_eq!(world.booked(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_posting_is_found_however_long_ago_it_was_made() {
    for version in VERSIONS {
        for booking in BOOKINGS {
            let world = World::of(version).await;
            let order = world.order(booking);
            receipt(world.core.post(&order).await);
            tokio::time::sleep(Duration::from_hours(24 * 100)).await;
            let asked = world.order(booking);
            let finding = world.core.inquire(&asked).await;
            assert!(matches!(finding, Finding::Executed(_)), "{version:?} {finding:?}");
        }
    }
}

/// Around the tenant's midnight the day of the sending and the day of the question differ.
#[tokio::test(start_paused = true)]
async fn a_posting_is_found_across_midnight() {
    for version in VERSIONS {
        let world = World::of(version).await;
        // 23:59:50 in Dar es Salaam.
        tokio::time::sleep(Duration::from_secs(11 * 3_600 + 59 * 60 + 50)).await;
        let order = world.order(Booking::Deposit);
        world.suffer("deposit", Fault::LateWork, 20_000);
        receipt(world.core.post(&order).await);
        let mut asked = order.clone();
        asked.at = world.now();
        for at in [asked.at, Timestamp::from_micros(asked.at.as_micros() + 86_400_000_000)] {
            asked.at = at;
            let finding = world.core.inquire(&asked).await;
            assert!(matches!(finding, Finding::Executed(_)), "{version:?} {finding:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_core_that_does_not_show_the_account_proves_nothing() {
    for version in VERSIONS {
        for booking in BOOKINGS {
            let world = World::of(version).await;
            let mut order = world.order(booking);
            order.account.id = 99;
            let finding = world.core.inquire(&order).await;
            assert!(is_unclear(&finding), "{version:?} {booking:?} {finding:?}");
        }
    }
}
