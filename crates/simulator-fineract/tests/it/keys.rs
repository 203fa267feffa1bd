//! Idempotency: replays, frozen errors, keys in progress, keys used twice, second persons.

use std::time::Duration;

use kiungo_simulator::faults::Fault;
use kiungo_simulator_fineract::{Auth, Options, SavingsSpec, User, Version};
use serde_json::json;

use super::{World, posting, with};

#[tokio::test(start_paused = true)]
async fn the_same_key_is_answered_with_the_first_answer_and_books_once() {
    let world = World::of(Version::V1_10);
    let first = world.deposit("k", "10.00").await;
    assert_eq!((first.status, first.cached), (200, false));
    let again = world.deposit("k", "99.00").await;
    assert_eq!((again.status, again.cached), (200, true), "even with another amount");
    assert_eq!(again.text, first.text);
    assert_eq!(world.balance("savings:1"), 501_000);
    let movement = &world.simulator.books().movements[0];
    assert_eq!((movement.reference.as_str(), movement.label.as_str()), ("k", "MM7Q2K9"));
}

#[tokio::test(start_paused = true)]
async fn a_key_on_another_account_is_answered_with_the_first_accounts_answer() {
    let world = World::of(Version::V1_12);
    world.open(SavingsSpec::active("TZS", 0));
    world.deposit("k", "10.00").await;
    let path = "v1/savingsaccounts/2/transactions?command=deposit";
    let reply = world.post(path, "k", posting("10.00")).await;
    assert_eq!((reply.status, reply.cached, reply.number("savingsId")), (200, true, 1));
    assert_eq!(world.balance("savings:2"), 0);
}

#[tokio::test(start_paused = true)]
async fn one_key_serves_a_deposit_and_a_withdrawal_apart() {
    let world = World::of(Version::V1_12);
    assert!(!world.deposit("k", "10.00").await.cached);
    assert!(!world.withdraw("k", "10.00").await.cached);
    assert_eq!(world.operations(), ["deposit", "withdraw"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_handler_is_frozen_under_its_key() {
    let world = World::of(Version::V1_12);
    let refused = world.withdraw("k", "6000.00").await;
    assert_eq!(refused.code(), "error.msg.savingsaccount.transaction.insufficient.account.balance");
    world.deposit("d", "6000.00").await;
    let again = world.withdraw("k", "6000.00").await;
    assert_eq!((again.status, again.cached, again.text), (403, true, refused.text));
    assert_eq!(world.withdraw("k2", "6000.00").await.status, 200, "a new key works");
}

#[tokio::test(start_paused = true)]
async fn an_unmapped_error_is_replayed_as_a_small_object() {
    let world = World::of(Version::V1_12);
    let path = "v1/savingsaccounts/1/transactions/999?command=releaseAmount";
    let first = world.post(path, "k", json!({})).await;
    assert_eq!(
        (first.status, first.json()["error"].as_str()),
        (500, Some("Internal Server Error"))
    );
    let again = world.post(path, "k", json!({})).await;
    assert_eq!((again.status, again.cached), (500, true));
    assert!(again.json()["Exception"].is_string());
}

#[tokio::test(start_paused = true)]
async fn without_keys_or_without_their_filter_everything_is_booked_again() {
    let bearer = Options {
        version: Version::V1_12,
        auth: Auth::Bearer,
        users: vec![User { token: "t".to_owned(), ..User::default() }],
        ..Options::default()
    };
    let old = Options { version: Version::V1_8, ..Options::default() };
    let off = Options { idempotency: false, ..Options::default() };
    for (options, login) in [(bearer, "Bearer t"), (old, super::LOGIN), (off, super::LOGIN)] {
        let mut world = World::new(options);
        world.login = login;
        world.deposit("k", "10.00").await;
        let again = world.deposit("k", "10.00").await;
        assert_eq!((again.status, again.cached), (200, false));
        assert_eq!(world.operations(), ["deposit", "deposit"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_longer_than_its_column_is_a_data_integrity_issue() {
    let world = World::of(Version::V1_12);
    let reply = world.deposit(&"k".repeat(51), "10.00").await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "error.msg.data.integrity.issue"));
    assert_eq!(world.deposit(&"k".repeat(50), "10.00").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_twin_waits_for_the_first_request_and_gets_its_answer() {
    let world = World::of(Version::V1_12);
    world.suffer("deposit", Fault::LateWork);
    let twin = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.recover();
        world.deposit("k", "10.00").await
    };
    let (first, twin) = tokio::join!(world.deposit("k", "10.00"), twin);
    assert_eq!((first.status, first.cached), (200, false));
    assert_eq!((twin.status, twin.cached, twin.text), (200, true, first.text));
    assert_eq!(world.operations(), ["deposit"]);
}

#[tokio::test(start_paused = true)]
async fn a_racing_twin_collides_with_403_up_to_1_10_and_is_retried_later() {
    for (version, status) in [(Version::V1_10, 403), (Version::V1_12, 200)] {
        let world = World::of(version);
        world.suffer("deposit", Fault::LateWork);
        let (first, twin) = tokio::join!(world.deposit("k", "10.00"), world.deposit("k", "10.00"));
        assert_eq!((first.status, twin.status), (200, status), "{version:?}");
        assert_eq!(world.operations(), ["deposit"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_key_answers_425_with_the_request_whether_it_was_booked_or_not() {
    for (fault, booked) in [(Fault::StuckBefore, 0), (Fault::StuckAfter, 1)] {
        let world = World::of(Version::V1_14);
        world.suffer("deposit", fault);
        assert!(world.deposit("k", "10.00").await.reset);
        world.recover();
        let began = tokio::time::Instant::now();
        let reply = world.deposit("k", "10.00").await;
        assert_eq!((reply.status, reply.cached), (425, true), "{fault:?}");
        assert_eq!(reply.json(), posting("10.00"), "the request comes back");
        assert_eq!(began.elapsed(), Duration::from_secs(3), "after the server's own retries");
        assert_eq!(world.operations().len(), booked);
    }
}

#[tokio::test(start_paused = true)]
async fn from_1_15_on_a_crash_leaves_no_stuck_key() {
    for (fault, cached) in [(Fault::StuckBefore, false), (Fault::StuckAfter, true)] {
        let world = World::of(Version::V1_15);
        world.suffer("deposit", fault);
        assert!(world.deposit("k", "10.00").await.reset);
        world.recover();
        let reply = world.deposit("k", "10.00").await;
        assert_eq!((reply.status, reply.cached), (200, cached), "{fault:?}");
        assert_eq!(world.operations(), ["deposit"]);
    }
}

fn two_persons(version: Version) -> Options {
    let maker = User {
        permissions: ["DEPOSIT_SAVINGSACCOUNT", "DISBURSE_LOAN", "ALL_FUNCTIONS_READ"]
            .map(str::to_owned)
            .to_vec(),
        ..User::default()
    };
    let checker = User { name: "checker".to_owned(), ..User::default() };
    Options {
        version,
        users: vec![maker, checker],
        maker_checker: vec!["DEPOSIT_SAVINGSACCOUNT".to_owned(), "DISBURSE_LOAN".to_owned()],
        ..Options::default()
    }
}

/// `checker:password`.
const CHECKER: &str = "Basic Y2hlY2tlcjpwYXNzd29yZA==";

#[tokio::test(start_paused = true)]
async fn a_command_that_waits_for_a_second_person_answers_200_and_books_nothing() {
    for (version, replay, empties) in [(Version::V1_10, 403, true), (Version::V1_12, 425, false)] {
        let mut world = World::new(two_persons(version));
        let held = world.deposit("k", "10.00").await;
        assert_eq!((held.status, held.json()["rollbackTransaction"].as_bool()), (200, Some(true)));
        assert_eq!(held.json()["resourceExternalId"].is_object(), empties);
        assert!(held.json()["resourceId"].is_null());
        assert_eq!(world.operations().len(), 0);
        assert_eq!(world.deposit("k", "10.00").await.status, replay);

        let decide = format!("v1/makercheckers/{}?command=approve", held.number("commandId"));
        assert_eq!(world.post(&decide, "", json!({})).await.status, 403, "no checker");
        world.login = CHECKER;
        let approved = world.post(&decide, "", json!({})).await;
        assert_eq!((approved.status, approved.number("savingsId")), (200, 1));
        assert_eq!(world.post(&decide, "", json!({})).await.status, 404, "no longer waiting");
        assert_eq!(world.simulator.books().movements[0].reference, "k");
        let replayed = world.deposit("k", "10.00").await;
        assert_eq!((replayed.cached, replayed.text), (true, approved.text));
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_command_names_the_object_it_addresses() {
    let world = World::new(two_persons(Version::V1_12));
    let held = world.disburse("k", "mm-1").await;
    assert_eq!(
        (held.number("resourceId"), held.json()["rollbackTransaction"].as_bool()),
        (1, Some(true))
    );
    let waiting = world.get("v1/makercheckers").await;
    assert_eq!(waiting.json()[0]["actionName"], "DISBURSE");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_command_is_not_booked() {
    let mut world = World::new(two_persons(Version::V1_12));
    let held = world.deposit("k", "10.00").await;
    world.login = CHECKER;
    let decide = format!("v1/makercheckers/{}?command=reject", held.number("commandId"));
    assert_eq!(world.post(&decide, "", json!({})).await.status, 200);
    assert_eq!(world.operations().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_audit_trail_shows_the_body_only_when_asked_and_never_the_key() {
    let world = World::of(Version::V1_12);
    world.deposit("secret-key", "10.00").await;
    world.deposit("secret-key", "10.00").await;
    let path =
        "v1/audits?actionName=DEPOSIT&entityName=SAVINGS&savingsAccountId=1&processingResult=1";
    let plain = world.get(path).await.json();
    assert_eq!(plain.as_array().unwrap().len(), 1, "a replay adds no row");
    assert!(plain[0]["commandAsJson"].is_null());
    let full = world.get(&format!("{path}&includeJson=true&paged=true")).await;
    assert!(full.json()["pageItems"][0]["commandAsJson"].as_str().unwrap().contains("MM7Q2K9"));
    assert!(!full.text.contains("secret-key"));
}

#[tokio::test(start_paused = true)]
async fn the_audit_trail_shows_what_runs_and_what_is_stuck_from_1_9_on() {
    let trail = async |world: &World, state: u8| {
        let path = format!("v1/audits?actionName=REPAYMENT&processingResult={state}&paged=true");
        let found = [format!("{path}&loanid=2&loanId=2"), format!("{path}&loanid=1&loanId=1")];
        let [ours, of_another_loan] = found.map(|path| async move { world.get(&path).await });
        assert_eq!(of_another_loan.await.number("totalFilteredRecords"), 0);
        ours.await.number("totalFilteredRecords")
    };
    for version in [Version::V1_8, Version::V1_10, Version::V1_14] {
        let shown = u64::from(version > Version::V1_8);
        let world = World::of(version);
        world.suffer("repay", Fault::LateWork);
        let meanwhile = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            (trail(&world, 4).await, trail(&world, 1).await)
        };
        let (reply, meanwhile) = tokio::join!(world.repay("k", "10.00"), meanwhile);
        assert_eq!((reply.status, meanwhile), (200, (shown, 0)), "{version:?}");
        assert_eq!((trail(&world, 4).await, trail(&world, 1).await), (0, 1));
        world.suffer("repay", Fault::StuckBefore);
        assert!(world.repay("stuck", "11.00").await.reset);
        assert_eq!(trail(&world, 4).await, shown);
        world.simulator.free_stuck_keys();
        assert_eq!((trail(&world, 4).await, trail(&world, 3).await), (0, 0), "deleted");
    }
}

#[tokio::test(start_paused = true)]
async fn the_audit_trail_names_where_a_command_went() {
    let world = World::of(Version::V1_12);
    let row = world.deposit("k", "10.00").await.number("resourceId");
    let undo = format!("v1/savingsaccounts/1/transactions/{row}?command=undo");
    world.post(&undo, "u", json!({})).await;
    let trail = world.get("v1/audits?entityName=SAVINGS").await.json();
    assert_eq!(trail[0]["url"], undo["v1".len()..]);
    assert_eq!(trail[1]["url"], "/savingsaccounts/1/transactions");
}

#[tokio::test(start_paused = true)]
async fn without_a_key_the_books_refer_to_the_external_id_or_the_cheque() {
    let world = World::of(Version::V1_12);
    let path = "v1/loans/2/transactions?command=repayment";
    world.post(path, "", with(posting("1.00"), "externalId", "mm-1")).await;
    let path = "v1/savingsaccounts/1/transactions?command=deposit";
    world.post(path, "", with(posting("1.00"), "checkNumber", "c-1")).await;
    let movements = world.simulator.books().movements;
    let references: Vec<&str> =
        movements.iter().map(|movement| movement.reference.as_str()).collect();
    assert_eq!(references, ["mm-1", "c-1"]);
}
