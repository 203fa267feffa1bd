//! The session manager, under virtual time. The scripted market refuses every session that is not
//! live, as the real one does.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::Outcome;
use kiungo_domain::transfer::StepName;
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{Provider, ReadError};
use kiungo_provider_mpesa::Mpesa;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::{Step, adapter, fixture, inquiry, mapping, order, reverse_order, tanzania};

const SECOND: Duration = Duration::from_secs(1);

async fn pays(mpesa: &Mpesa) -> bool {
    matches!(mpesa.pay_out(&order(StepName::Second)).await, Outcome::Executed(_))
}

#[tokio::test(start_paused = true)]
async fn the_first_call_waits_until_its_session_is_live() {
    let (mpesa, market) = tanzania();
    let began = Instant::now();
    assert!(pays(&mpesa).await);
    assert_eq!(began.elapsed(), 30 * SECOND);
    assert!(pays(&mpesa).await);
    assert_eq!(began.elapsed(), 30 * SECOND, "the next call does not wait");
    assert_eq!(market.session_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_share_one_session_and_its_one_encryption() {
    let (mpesa, market) = tanzania();
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let mpesa = Arc::clone(&mpesa);
        calls.spawn(async move { pays(&mpesa).await });
    }
    assert!(calls.join_all().await.into_iter().all(|paid| paid));
    assert_eq!(market.session_calls().len(), 1);
    let seen = market.calls();
    assert_eq!(seen.len(), 100);
    let first = seen[0].headers.get("authorization");
    assert!(seen.iter().all(|call| call.headers.get("authorization") == first));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_at_four_fifths_of_its_life_without_a_gap() {
    let (mpesa, market) = tanzania();
    assert!(pays(&mpesa).await);
    for second in 31..=7300 {
        sleep(SECOND).await;
        let before = Instant::now();
        if second % 10 == 0 {
            assert!(pays(&mpesa).await, "at {second} s");
            assert_eq!(Instant::now(), before, "a call waited at {second} s");
        }
    }
    let began = market.session_calls()[0].at;
    let created: Vec<u64> =
        market.session_calls().iter().map(|call| (call.at - began).as_secs()).collect();
    assert_eq!(created.len(), 3, "{created:?}");
    assert!((2880..2890).contains(&created[1]), "{created:?}");
    assert!((5760..5780).contains(&created[2]), "{created:?}");
    // The old session serves while the new one is not live yet.
    let during = market.calls().into_iter().filter(|call| {
        let at = (call.at - began).as_secs();
        (2890..2910).contains(&at)
    });
    assert!(during.map(|call| call.bearer).all(|bearer| bearer == "session-number-1"));
    assert_eq!(market.calls().last().unwrap().bearer, "session-number-3");
}

#[tokio::test(start_paused = true)]
async fn after_a_long_silence_a_new_session_is_created_and_waited_for() {
    let (mpesa, market) = tanzania();
    assert!(pays(&mpesa).await);
    sleep(2 * 3600 * SECOND).await;
    assert!(pays(&mpesa).await);
    assert_eq!(market.session_calls().len(), 2);
    assert_eq!(market.calls()[1].bearer, "session-number-2");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_while_a_call_is_in_flight_does_not_harm_it() {
    let (mpesa, market) = tanzania();
    assert!(pays(&mpesa).await);
    sleep(3550 * SECOND).await;
    // Renewal fails, so that the old session really ends.
    market.script_sessions(vec![Step::NoAnswer; 3]);
    let body = fixture("collect/completed.json");
    market.script([Step::After(60 * SECOND, 201, body)]);
    let outcome = mpesa.collect(&order(StepName::First)).await;
    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    sleep(120 * SECOND).await;
    while !pays(&mpesa).await {
        sleep(SECOND).await;
    }
    assert_eq!(market.calls().last().unwrap().bearer, "session-number-2");
}

#[tokio::test(start_paused = true)]
async fn a_refused_session_is_replaced_and_each_operation_says_what_it_must() {
    for (status, body) in [(401, ""), (403, "<html>Forbidden</html>"), (401, "{\"a\":1}")] {
        let (mpesa, market) = tanzania();
        assert!(pays(&mpesa).await);
        let refuse = || {
            market.script([Step::answer(status, body)]);
            market.script_trials([Step::answer(status, body)]);
        };
        refuse();
        let collected = mpesa.collect(&order(StepName::First)).await;
        assert!(matches!(collected, Outcome::NotSent { .. }), "{collected:?}");
        assert!(pays(&mpesa).await, "with the next session");
        assert_eq!(market.calls().last().unwrap().bearer, "session-number-2");

        refuse();
        let paid = mpesa.pay_out(&order(StepName::Second)).await;
        assert!(matches!(paid, Outcome::Unknown { .. }), "{paid:?}");
        assert!(pays(&mpesa).await);
        refuse();
        let reversed = mpesa.reverse().unwrap().reverse(&reverse_order()).await;
        assert!(matches!(reversed, Outcome::Unknown { .. }), "{reversed:?}");
        assert!(pays(&mpesa).await);
        assert_eq!(market.session_calls().len(), 4, "one for each refusal");
    }
}

#[tokio::test(start_paused = true)]
async fn a_401_with_a_code_is_a_business_answer_and_keeps_the_session() {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(401, &fixture("collect/failed.json"))]);
    let collected = mpesa.collect(&order(StepName::First)).await;
    assert!(matches!(collected, Outcome::Rejected(_)), "{collected:?}");
    assert!(pays(&mpesa).await);
    assert_eq!(market.session_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_refusals_of_one_session_create_one_other() {
    let (mpesa, market) = tanzania();
    assert!(pays(&mpesa).await);
    market.script(vec![Step::After(SECOND, 401, String::new()); 100]);
    market.script_trials([Step::answer(401, "")]);
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let mpesa = Arc::clone(&mpesa);
        calls.spawn(async move { pays(&mpesa).await });
    }
    assert!(calls.join_all().await.into_iter().all(|paid| !paid));
    assert!(pays(&mpesa).await);
    assert_eq!(market.session_calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_of_the_old_session_leaves_the_new_one_alone() {
    let (mpesa, market) = tanzania();
    assert!(pays(&mpesa).await);
    market.script([Step::After(60 * SECOND, 401, String::new()), Step::answer(401, "")]);
    market.script_trials([Step::answer(401, "")]);
    let slow = Arc::clone(&mpesa);
    let late = tokio::spawn(async move { pays(&slow).await });
    tokio::task::yield_now().await;
    assert!(!pays(&mpesa).await);
    assert!(pays(&mpesa).await);
    assert!(!late.await.unwrap());
    assert!(pays(&mpesa).await);
    assert_eq!(market.calls().last().unwrap().bearer, "session-number-2");
    assert_eq!(market.session_calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_not_used_in_its_last_seconds() {
    let (mpesa, market) = tanzania();
    assert!(pays(&mpesa).await);
    sleep(3565 * SECOND).await;
    assert!(pays(&mpesa).await);
    assert_eq!(market.calls().last().unwrap().bearer, "session-number-2");
}

#[tokio::test(start_paused = true)]
async fn without_a_session_nothing_is_sent_and_the_next_attempt_is_held_back() {
    let (mpesa, market) = tanzania();
    market.script_sessions([
        Step::answer(400, &fixture("session/refused.json")),
        Step::answer(502, "<html>"),
        Step::answer(200, "{\"output_ResponseCode\":\"INS-0\",\"output_SessionID\":\"N/A\"}"),
        Step::NotSent,
    ]);
    // Four failures: held back for 1, 2, 4 and 8 seconds.
    for wait in [1, 2, 4, 8] {
        for _ in 0..5 {
            let paid = mpesa.pay_out(&order(StepName::Second)).await;
            assert!(matches!(paid, Outcome::NotSent { .. }), "{paid:?}");
            let finding = mpesa.inquire(&inquiry(WalletOperation::PayOut)).await;
            assert!(matches!(finding, kiungo_domain::Finding::Unclear { .. }), "{finding:?}");
        }
        sleep(wait * SECOND).await;
    }
    assert_eq!(market.session_calls().len(), 4);
    assert!(market.calls().is_empty());
    assert!(pays(&mpesa).await);
}

#[tokio::test(start_paused = true)]
async fn a_new_session_that_is_always_refused_does_not_become_a_session_per_request() {
    let mut eager = mapping("tz");
    eager.mpesa.activation_delay = Duration::ZERO;
    let (mpesa, market) = adapter(eager);
    market.script(vec![Step::answer(403, ""); 1000]);
    market.script_trials(vec![Step::answer(403, ""); 1000]);
    for _ in 0..100 {
        mpesa.pay_out(&order(StepName::Second)).await;
        tokio::task::yield_now().await;
    }
    assert!(market.session_calls().len() <= 2, "{}", market.session_calls().len());
}

#[tokio::test(start_paused = true)]
async fn without_overlap_the_old_session_is_not_used_after_the_next_is_asked_for() {
    let mut strict = mapping("tz");
    strict.mpesa.sessions_overlap = false;
    let (mpesa, market) = adapter(strict);
    assert!(pays(&mpesa).await);
    sleep(2900 * SECOND).await;
    let before = Instant::now();
    assert!(pays(&mpesa).await);
    assert_eq!(before.elapsed(), 30 * SECOND);
    assert_eq!(market.calls().last().unwrap().bearer, "session-number-2");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_block_the_others() {
    let (mpesa, market) = tanzania();
    market.script_sessions([Step::After(20 * SECOND, 502, String::new())]);
    let order = order(StepName::Second);
    let impatient = tokio::time::timeout(SECOND, mpesa.pay_out(&order)).await;
    assert!(impatient.is_err());
    assert!(pays(&mpesa).await);
    assert_eq!(market.session_calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_probe_says_why_no_session_is_granted() {
    let (mpesa, market) = tanzania();
    market.script_sessions([Step::answer(400, &fixture("session/refused.json")), Step::NotSent]);
    let Err(ReadError::Repair(why)) = mpesa.probe().await else { panic!() };
    assert!(why.contains("INS-989") && why.contains("public_key"), "{why}");
    sleep(10 * SECOND).await;
    assert!(matches!(mpesa.probe().await, Err(ReadError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn the_declared_time_includes_the_wait_for_a_session() {
    let (mpesa, _) = tanzania();
    let capabilities = mpesa.capabilities();
    assert_eq!(capabilities.collect_timeout, 180 * SECOND);
    assert_eq!(capabilities.pay_out_timeout, 180 * SECOND);
    assert_eq!(capabilities.indexing_window, 600 * SECOND);
    assert!(!capabilities.resend_is_idempotent && !capabilities.signs_callbacks);
    assert!(capabilities.inquires_by_reference && capabilities.confirms_payments);
    assert!(!capabilities.confirms_amounts, "no query states an amount");
}
