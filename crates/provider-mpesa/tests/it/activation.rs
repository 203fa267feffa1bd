//! Sessions that become live later than configured, and what a question about nothing tells.

use std::time::Duration;

use kiungo_domain::Outcome;
use kiungo_domain::transfer::StepName;
use kiungo_provider::{Provider, ReadError};
use kiungo_provider_mpesa::{Answers, Mpesa, TurnedAway};
use tokio::time::{Instant, sleep};

use crate::support::{Mapping, Step, adapter, fixture, mapping, order, reverse_order, tanzania};

const SECOND: Duration = Duration::from_secs(1);

async fn collects(mpesa: &Mpesa) -> Outcome {
    mpesa.collect(&order(StepName::First)).await
}

async fn pays(mpesa: &Mpesa) -> Outcome {
    mpesa.pay_out(&order(StepName::Second)).await
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_live_yet_is_tried_again_and_not_replaced() {
    let mut eager = mapping("tz");
    eager.mpesa.activation_delay = Duration::ZERO;
    let (mpesa, market) = adapter(eager);
    market.activate_after(100 * SECOND);
    let mut done_after = None;
    let began = Instant::now();
    while done_after.is_none() && began.elapsed() < 300 * SECOND {
        match collects(&mpesa).await {
            Outcome::Executed(_) => done_after = Some(began.elapsed()),
            outcome => assert!(matches!(outcome, Outcome::NotSent { .. }), "{outcome:?}"),
        }
        sleep(5 * SECOND).await;
    }
    let done_after = done_after.expect("the session becomes live");
    assert!(done_after < 125 * SECOND, "{done_after:?}");
    assert_eq!(market.session_calls().len(), 1, "one session was enough");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_never_becomes_live_is_given_up_when_it_is_too_old() {
    let mut eager = mapping("tz");
    eager.mpesa.activation_delay = Duration::ZERO;
    let (mpesa, market) = adapter(eager);
    market.activate_after(3600 * SECOND);
    let began = Instant::now();
    while began.elapsed() < 300 * SECOND {
        collects(&mpesa).await;
        sleep(5 * SECOND).await;
    }
    // Five minutes: one at the beginning, one after three minutes.
    assert_eq!(market.session_calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_old_session_serves_while_the_new_one_is_not_live_yet() {
    let (mpesa, market) = tanzania();
    assert!(matches!(pays(&mpesa).await, Outcome::Executed(_)));
    market.activate_after(90 * SECOND);
    // Renewed at 48 minutes; the old session lives for an hour.
    for _ in 0..(3_400 / 5) {
        sleep(5 * SECOND).await;
        let outcome = collects(&mpesa).await;
        let fine = matches!(outcome, Outcome::Executed(_) | Outcome::NotSent { .. });
        assert!(fine, "{outcome:?}");
        let paid = pays(&mpesa).await;
        assert!(matches!(paid, Outcome::Executed(_)), "{paid:?}");
    }
    assert_eq!(market.session_calls().len(), 2);
    assert_eq!(market.calls().last().unwrap().bearer, "session-number-2");
}

#[tokio::test(start_paused = true)]
async fn money_leaves_only_in_a_session_that_has_worked() {
    let mut eager = mapping("tz");
    eager.mpesa.activation_delay = Duration::ZERO;
    let (mpesa, market) = adapter(eager);
    market.activate_after(20 * SECOND);
    // The caller waits as long as it may, and nothing is sent in a session that is refused.
    let outcome = pays(&mpesa).await;
    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    assert!(market.trials().len() > 1);
    let reversed = mpesa.reverse().unwrap().reverse(&reverse_order()).await;
    assert!(matches!(reversed, Outcome::Executed(_)), "{reversed:?}");
    assert_eq!(market.calls().len(), 2);
    assert_eq!(market.session_calls().len(), 1);

    let (mpesa, market) = tanzania();
    for step in [Step::NoAnswer, Step::answer(502, "<html>"), Step::answer(429, "")] {
        market.script_trials([step]);
        let outcome = pays(&mpesa).await;
        assert!(matches!(outcome, Outcome::NotSent { .. }), "{outcome:?}");
    }
    assert!(market.calls().is_empty());
    assert!(matches!(pays(&mpesa).await, Outcome::Executed(_)));
}

#[tokio::test(start_paused = true)]
async fn a_payout_that_is_turned_away_was_not_sent_only_if_a_question_is_turned_away_too() {
    let turned_away = |setting, trial: Option<Step>| async move {
        let mut mapping: Mapping = mapping("tz");
        mapping.mpesa.payout_turned_away = setting;
        let (mpesa, market) = adapter(mapping);
        assert!(matches!(pays(&mpesa).await, Outcome::Executed(_)));
        market.script([Step::answer(401, "{\"message\":\"Unauthorized\"}")]);
        market.script_trials(trial);
        pays(&mpesa).await
    };
    let gone = || Some(Step::answer(401, ""));
    for (setting, trial, not_sent) in [
        (TurnedAway::Unknown, gone(), false),
        (TurnedAway::NotSent, gone(), true),
        (TurnedAway::NotSent, None, false),
        (TurnedAway::NotSent, Some(Step::NoAnswer), false),
        (TurnedAway::NotSent, Some(Step::answer(503, "")), false),
    ] {
        let outcome = turned_away(setting, trial.clone()).await;
        let expected = match outcome {
            Outcome::NotSent { .. } => not_sent,
            Outcome::Unknown { .. } => !not_sent,
            _ => false,
        };
        assert!(expected, "{setting:?} {trial:?}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_gateway_does_not_want_costs_no_session() {
    let (mpesa, market) = tanzania();
    assert!(matches!(pays(&mpesa).await, Outcome::Executed(_)));
    for _ in 0..20 {
        market.script([Step::answer(403, "{\"message\":\"Forbidden\"}")]);
        assert!(matches!(pays(&mpesa).await, Outcome::Unknown { .. }));
    }
    assert_eq!(market.session_calls().len(), 1, "a question is answered in it");
    market.script([Step::answer(401, "")]);
    market.script_trials([Step::answer(401, "")]);
    pays(&mpesa).await;
    assert!(matches!(pays(&mpesa).await, Outcome::Executed(_)));
    assert_eq!(market.session_calls().len(), 2, "a session that is gone is replaced");
}

fn refusal(code: &str) -> Step {
    let body = format!("{{\"output_ResponseCode\":\"{code}\",\"output_ResponseDesc\":\"No\"}}");
    Step::answer(400, &body)
}

#[tokio::test(start_paused = true)]
async fn a_probe_says_what_an_ordinary_call_would_meet() {
    let accepted = || Step::answer(200, &fixture("inquire/accepted.json"));
    let none = || Step::answer(400, &fixture("inquire/not-found.json"));
    let synchronous = Answers::Synchronous;
    let asynchronous = Answers::Asynchronous;
    for (answers, step, expected, word) in [
        (synchronous, none(), "ok", "answered at once"),
        (asynchronous, none(), "ok", "would do"),
        (asynchronous, accepted(), "ok", "answered by callback"),
        (synchronous, accepted(), "repair", "query_answers"),
        (synchronous, refusal("INS-13"), "repair", "service_provider_code"),
        (synchronous, refusal("INS-997"), "repair", "not enabled"),
        (synchronous, refusal("INS-998"), "repair", "mpesa.market"),
        (synchronous, refusal("INS-996"), "later", "hours"),
        (synchronous, refusal("INS-21"), "repair", "INS-21"),
        (synchronous, Step::answer(404, "{\"message\":\"Not Found\"}"), "repair", "base_url"),
        (synchronous, Step::answer(502, "<html>"), "later", "502"),
        (synchronous, Step::NoAnswer, "later", "no answer"),
    ] {
        let mut mapping = mapping("tz");
        mapping.mpesa.query_answers = answers;
        let (mpesa, market) = adapter(mapping);
        market.script_trials([step.clone()]);
        let (apply_late_outcome, said) = match mpesa.probe().await {
            Ok(said) => ("ok", said),
            Err(ReadError::Repair(said)) => ("repair", said),
            Err(ReadError::Unavailable(said)) => ("later", said),
        };
        assert_eq!(apply_late_outcome, expected, "{step:?}: {said}");
        assert!(said.contains(word), "{step:?}: {said}");
        assert!(market.calls().is_empty(), "nothing but a question about nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_for_the_session_and_says_if_it_is_not_live_in_time() {
    let (mpesa, market) = tanzania();
    let began = Instant::now();
    assert!(mpesa.probe().await.unwrap().contains("session_lifetime"));
    assert_eq!(began.elapsed(), 30 * SECOND);
    assert_eq!(market.session_calls().len(), 1);

    let (mpesa, market) = tanzania();
    market.activate_after(600 * SECOND);
    let Err(ReadError::Unavailable(why)) = mpesa.probe().await else { panic!() };
    assert!(why.contains("activation"), "{why}");

    let (mpesa, market) = tanzania();
    market.script_sessions([Step::answer(404, "{\"message\":\"Not Found\"}")]);
    let Err(ReadError::Repair(why)) = mpesa.probe().await else { panic!() };
    assert!(why.contains("base_url") && why.contains("environment"), "{why}");
}
