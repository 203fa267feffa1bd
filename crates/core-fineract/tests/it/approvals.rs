//! Commands that need a second person.

use axum::body::Body;
use http_body_util::BodyExt as _;
use kiungo_core_banking::{Booking, Core as _};
use kiungo_domain::outcome::Awaiting;
use kiungo_domain::{Finding, Outcome, Receipt};
use kiungo_simulator_fineract::{Options, User, Version};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{BOOKINGS, VERSIONS, World, receipt};

/// `checker:password`.
const CHECKER: &str = "Basic Y2hlY2tlcjpwYXNzd29yZA==";
const FLAGGED: [&str; 7] = [
    "DEPOSIT_SAVINGSACCOUNT",
    "WITHDRAWAL_SAVINGSACCOUNT",
    "UNDOTRANSACTION_SAVINGSACCOUNT",
    "REPAYMENT_LOAN",
    "ADJUST_LOAN",
    "DISBURSE_LOAN",
    "DISBURSALUNDO_LOAN",
];

async fn world(version: Version) -> World {
    let flagged: Vec<String> = FLAGGED.map(str::to_owned).to_vec();
    let mut permissions = flagged.clone();
    permissions.push("ALL_FUNCTIONS_READ".to_owned());
    let maker = User { permissions, ..User::default() };
    let checker = User { name: "checker".to_owned(), ..User::default() };
    let users = vec![maker, checker];
    let options = Options { version, users, maker_checker: flagged, ..Options::default() };
    World::new(options, json!({})).await
}

/// The second person decides about the only command that waits.
async fn decide(world: &World, verdict: &str) {
    let call = async |method: &str, path: String| -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/fineract-provider/api/v1/{path}"))
            .header("Fineract-Platform-TenantId", "default")
            .header("Authorization", CHECKER)
            .body(Body::empty())
            .unwrap();
        let answer = world.simulator.router().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
    };
    let waiting = call("GET", "makercheckers".to_owned()).await;
    let id = waiting[0]["id"].as_u64().unwrap();
    call("POST", format!("makercheckers/{id}?command={verdict}")).await;
}

fn waits(finding: &Finding) -> bool {
    matches!(finding, Finding::InProgress(acceptance) if acceptance.awaiting == Awaiting::Approval)
}

#[tokio::test(start_paused = true)]
async fn a_booking_that_waits_is_booked_once_it_is_approved() {
    for version in VERSIONS {
        for booking in BOOKINGS {
            let world = world(version).await;
            let order = world.order(booking);
            let outcome = world.core.post(&order).await;
            assert!(matches!(outcome, Outcome::Pending(_)), "{version:?} {outcome:?}");
            let finding = world.core.inquire(&order).await;
            assert!(waits(&finding), "{version:?} {booking:?} {finding:?}");
            assert_eq!(world.booked(), 0);
            decide(&world, "approve").await;
            let finding = world.core.inquire(&order).await;
            let Finding::Executed(booked) = finding else { panic!("{version:?} {finding:?}") };

            // Taking it back waits, too.
            let undo = world.undo(order, booked.receipt);
            let outcome = world.core.undo(&undo).await;
            assert!(matches!(outcome, Outcome::Pending(_)), "{version:?} {outcome:?}");
            let finding = world.core.inquire_undo(&undo).await;
            assert!(waits(&finding), "{version:?} {booking:?} {finding:?}");
            decide(&world, "approve").await;
            let finding = world.core.inquire_undo(&undo).await;
            assert!(matches!(finding, Finding::Executed(_)), "{version:?} {finding:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_booking_that_is_rejected_is_refused() {
    for version in VERSIONS {
        for booking in BOOKINGS {
            let world = world(version).await;
            let order = world.order(booking);
            assert!(matches!(world.core.post(&order).await, Outcome::Pending(_)));
            decide(&world, "reject").await;
            let finding = world.core.inquire(&order).await;
            assert!(matches!(finding, Finding::Rejected(_)), "{version:?} {finding:?}");
            assert_eq!(world.booked(), 0);
        }
    }
}

/// The key of a command that waits is not recognised: its repetition collides.
#[tokio::test(start_paused = true)]
async fn a_repetition_of_what_waits_is_unknown_and_makes_no_second_command() {
    for version in VERSIONS.into_iter().filter(|version| *version > Version::V1_8) {
        let world = world(version).await;
        let order = world.order(Booking::Deposit);
        assert!(matches!(world.core.post(&order).await, Outcome::Pending(_)));
        let again = world.core.post(&order).await;
        assert!(matches!(again, Outcome::Unknown { .. }), "{version:?} {again:?}");
        decide(&world, "approve").await;
        let Finding::Executed(booked) = world.core.inquire(&order).await else { panic!("booked") };
        let replayed: Receipt = receipt(world.core.post(&order).await);
        assert_eq!((replayed, world.booked()), (booked.receipt, 1), "{version:?}");
    }
}
