//! Payments that a provider offers: checked before they are taken, never said to be booked before
//! they are, and answered for afterwards.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::AccountRef;
use kiungo_domain::outcome::Reason;
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::Status;
use kiungo_engine::Engine;
use kiungo_provider::{Notified, RawCallback};
use kiungo_store::TransferQuery;

use crate::world::{World, provider_id, tzs};

async fn notify(
    engine: &Engine,
    method: &str,
    path: &str,
    id: Option<&str>,
    body: &str,
) -> (u16, String) {
    let header = |id: &str| ("x-correlationid".to_owned(), id.to_owned());
    let callback = RawCallback {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: id.map(header).into_iter().collect(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    let reply = engine.callback(&provider_id(), callback).await.unwrap();
    let body = reply.body.map(|(_, body)| body.to_vec()).unwrap_or_default();
    // Under the paused clock this passes once nothing is left to do.
    tokio::time::sleep(Duration::from_secs(1)).await;
    (reply.status, String::from_utf8(body).unwrap())
}

async fn offered(engine: &Engine, id: Option<&str>, body: &str) -> (u16, String) {
    notify(engine, "POST", "offer", id, body).await
}

async fn asked(engine: &Engine, path: &str) -> (u16, String) {
    notify(engine, "GET", path, None, "").await
}

fn world() -> Arc<World> {
    let world = World::new();
    let account = AccountRef { kind: None, key: AccountKey::Id(7) };
    world.candidates.lock().unwrap().push(account);
    world
}

async fn transfers(engine: &Engine) -> usize {
    let query = TransferQuery { limit: 100, ..TransferQuery::default() };
    engine.store().search(&query).await.unwrap().rows.len()
}

async fn cases(engine: &Engine) -> usize {
    engine.store().cases(None, 10).await.unwrap().rows.len()
}

#[tokio::test(start_paused = true)]
async fn an_offer_is_pending_until_it_is_booked_and_then_completed() {
    let engine = world().engine();
    let (status, said) = offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
    assert_eq!(status, 202);
    let (name, standing) = said.split_once(' ').unwrap();
    assert_eq!(standing, "Pending", "nothing is booked when it is answered");
    for path in [format!("state/{name}"), "response/c1".to_owned()] {
        let (status, said) = asked(&engine, &path).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(said, format!("{name} Booked {{ reversed: false }}"), "{path}");
    }
    // The same again is the same offer, and is answered with its outcome.
    let (status, said) = offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
    assert_eq!((status, said), (202, format!("{name} Booked {{ reversed: false }}")));
    assert_eq!((transfers(&engine).await, cases(&engine).await), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn another_content_under_the_same_id_is_refused() {
    let engine = world().engine();
    offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
    let (status, said) = offered(&engine, Some("c1"), "QX2 255712345678 900 7").await;
    assert_eq!((status, said.as_str()), (400, "Duplicate"));
    assert_eq!(transfers(&engine).await, 1);
}

#[tokio::test(start_paused = true)]
async fn two_payments_of_the_same_content_are_told_apart_by_their_ids() {
    let engine = world().engine();
    offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
    offered(&engine, Some("c2"), "QX2 255712345678 500 7").await;
    assert_eq!(transfers(&engine).await, 2);
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_the_account_or_a_limit_forbids_is_turned_away_and_leaves_nothing() {
    let world = world();
    let engine = world.engine();
    *world.refuses_accounts.lock().unwrap() = true;
    // The last: a number that fits several accounts.
    for (because, said) in [
        (None, "Rule(AccountNotFound)"),
        (Some(Reason::AccountState), "Rule(AccountState)"),
        (Some(Reason::Other), "Rule(Other)"),
    ] {
        *world.refuses_because.lock().unwrap() = because;
        let offer = offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
        assert_eq!(offer, (400, said.to_owned()));
        let question = notify(&engine, "POST", "question", None, "QX1 255712345678 500 7").await;
        assert_eq!(question, offer, "a question is answered like the payment");
    }
    *world.refuses_accounts.lock().unwrap() = false;
    *world.max.lock().unwrap() = Some(tzs("400"));
    let (status, said) = offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
    assert_eq!((status, said.as_str()), (400, "Rule(LimitExceeded)"));
    assert_eq!(asked(&engine, "response/c1").await.0, 404);
    assert_eq!((transfers(&engine).await, cases(&engine).await), (0, 0));
    // An offer that was turned away may come again under the same id.
    *world.max.lock().unwrap() = None;
    assert_eq!(offered(&engine, Some("c1"), "QX1 255712345678 500 7").await.0, 202);
}

#[tokio::test(start_paused = true)]
async fn money_that_has_moved_is_not_turned_away_and_stays_pending_without_an_account() {
    let world = world();
    let engine = world.engine();
    *world.refuses_accounts.lock().unwrap() = true;
    let (status, said) =
        notify(&engine, "POST", "made", Some("c1"), "QX1 255712345678 500 7").await;
    assert_eq!(status, 202);
    let name = said.split(' ').next().unwrap();
    let query = TransferQuery { limit: 100, ..TransferQuery::default() };
    let rows = engine.store().search(&query).await.unwrap().rows;
    assert_eq!(rows[0].status, Status::Suspended);
    let (_, said) = asked(&engine, &format!("state/{name}")).await;
    assert!(said.ends_with("Pending"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_known_receipt_is_taken_again_whatever_the_account_says_now() {
    let world = world();
    let engine = world.engine();
    offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
    *world.refuses_accounts.lock().unwrap() = true;
    for id in [Some("c1"), Some("c2"), None] {
        let (status, _) = offered(&engine, id, "QX1 255712345678 500 7").await;
        assert_eq!(status, 202, "{id:?}");
    }
    assert_eq!(transfers(&engine).await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_offer_of_somebody_else_and_an_unknown_question_are_not_found_and_make_no_case() {
    let engine = world().engine();
    offered(&engine, Some("c1"), "QX1 255712345678 500 7").await;
    for path in ["state/00000000-0000-8000-8000-000000000001", "response/c9"] {
        assert_eq!(asked(&engine, path).await.0, 404, "{path}");
    }
    for path in ["heartbeat", "accounts/x/y/bills/z/payments"] {
        assert_eq!(asked(&engine, path).await, (400, "unreadable".to_owned()));
    }
    assert_eq!(cases(&engine).await, 0, "who only asks has told nothing that could be lost");
}

const BOOKED: &str = "Booked { reversed: false }";

#[tokio::test(start_paused = true)]
async fn a_provider_that_asked_for_it_is_notified_once_of_a_payments_outcome() {
    let world = world();
    let engine = world.engine();
    engine.start().await.unwrap();
    let (status, _) = notify(&engine, "POST", "called", Some("c1"), "QX1 255712345678 500 7").await;
    assert_eq!(status, 202);
    notify(&engine, "POST", "called", Some("c1"), "QX1 255712345678 500 7").await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(*world.notified.lock().unwrap(), [BOOKED]);
    offered(&engine, Some("c2"), "QX2 255712345678 500 7").await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(world.notified.lock().unwrap().len(), 1, "the other did not ask for it");
    assert_eq!((transfers(&engine).await, cases(&engine).await), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_notification_that_is_not_taken_is_repeated_at_growing_intervals() {
    let world = world();
    let not_now = || Notified::NotNow { why: "it was answered with 503".to_owned() };
    world.notify_answers.lock().unwrap().extend(std::iter::repeat_with(not_now).take(30));
    let engine = world.engine();
    engine.start().await.unwrap();
    notify(&engine, "POST", "called", Some("c1"), "QX1 255712345678 500 7").await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    let early = world.notified.lock().unwrap().len();
    assert!((10..60).contains(&early), "{early} in ten minutes");
    tokio::time::sleep(Duration::from_hours(48)).await;
    let told = world.notified.lock().unwrap().len();
    assert_eq!(told, 31.max(early), "once it is taken it is not told again");
    assert_eq!(cases(&engine).await, 0, "the provider can ask all the while");
}

#[tokio::test(start_paused = true)]
async fn a_payment_in_suspense_is_told_when_it_has_found_its_account() {
    let world = world();
    world.refused_accounts.lock().unwrap().push((7, Reason::AccountState));
    let engine = world.engine();
    engine.start().await.unwrap();
    notify(&engine, "POST", "late", Some("c1"), "QX1 255712345678 500 7").await;
    tokio::time::sleep(Duration::from_hours(3)).await;
    assert!(world.notified.lock().unwrap().is_empty());
    let query = TransferQuery { limit: 10, ..TransferQuery::default() };
    let row = engine.store().search(&query).await.unwrap().rows.remove(0);
    assert_eq!(row.status, Status::Suspended);
    let account = AccountRef { kind: None, key: AccountKey::Id(8) };
    engine.assign(row.id, account, "asha", None).await.unwrap();
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(*world.notified.lock().unwrap(), [BOOKED]);
}
