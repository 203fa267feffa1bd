//! The decisions of persons, and the arrivals that they have handled again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::outcome::{Confirmation, Reason};
use kiungo_domain::transfer::{CaseKind, Deciding, PersonDecision, Status, StepName};
use kiungo_domain::{Finding, Kind, Outcome, Receipt, Reference};
use kiungo_engine::{
    ActError, ArrivalError, Clock as _, NewAction, PaymentClaim, PersonAction, RequestError,
};
use kiungo_provider::{PaymentFinding, RawCallback};
use kiungo_store::{InboxId, InboxState};

use crate::evidence::{Scene, done};
use crate::faulty::Faults;
use crate::world::{World, Yielding, provider_id, rejection, tzs};

fn who() -> Deciding {
    Deciding { by: "asha".to_owned(), approved_by: None, reason: "seen in the portal".to_owned() }
}

async fn with_unknown_payout() -> (Scene, kiungo_domain::TransferId) {
    let scene = Scene::open(World::new()).await;
    scene.world.script().payouts.push_back(Outcome::unknown("time-out"));
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(900).await;
    assert_eq!(scene.cases(id).await, [CaseKind::UnknownTooLong]);
    (scene, id)
}

#[tokio::test(start_paused = true)]
async fn an_unknown_is_accepted_as_executed_with_its_receipt() {
    let (scene, id) = with_unknown_payout().await;
    let confirmation = Confirmation::bare(Receipt::new("P7").unwrap());
    let decision = PersonDecision::AcceptExecuted { step: StepName::Second, confirmation };
    scene.engine.decide(id, decision, who(), None).await.unwrap();
    scene.pass(5).await;
    let shown = scene.show(id).await;
    assert_eq!((shown.status, shown.wallet_receipt), (Status::Completed, Receipt::new("P7").ok()));
    assert_eq!(scene.cases(id).await, []);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_is_accepted_as_not_executed_and_given_back() {
    let (scene, id) = with_unknown_payout().await;
    let decision = PersonDecision::AcceptNotExecuted { step: StepName::Second };
    scene.engine.decide(id, decision, who(), None).await.unwrap();
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    assert_eq!(scene.sent("undo"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unsent_operation_is_given_up() {
    let scene = Scene::open(World::new()).await;
    for _ in 0..500 {
        scene.world.script().payouts.push_back(Outcome::not_sent("refused connection"));
    }
    let id = scene.submit(Kind::Withdrawal).await;
    scene.engine.decide(id, PersonDecision::GiveUp, who(), None).await.unwrap();
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    let again = scene.engine.decide(id, PersonDecision::GiveUp, who(), None).await;
    assert!(matches!(again, Err(RequestError::Conflict { .. })), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_compensation_is_tried_again_when_a_person_says_so() {
    let scene = Scene::open(World::new()).await;
    {
        let mut script = scene.world.script();
        script.payouts.push_back(Outcome::Rejected(rejection(Reason::Other)));
        script.undos.push_back(Outcome::Rejected(rejection(Reason::DateNotAllowed)));
    }
    let id = scene.submit(Kind::Withdrawal).await;
    assert_eq!(scene.cases(id).await, [CaseKind::CompensationRefused]);
    scene.engine.decide(id, PersonDecision::TryAgain, who(), None).await.unwrap();
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    assert_eq!(scene.cases(id).await, []);
}

/// A contradiction holds what follows; a person closes it, or says that the money went back.
#[tokio::test(start_paused = true)]
async fn a_contradiction_is_closed_by_a_person_only() {
    for goes_on in [true, false] {
        let scene = Scene::open(World::new()).await;
        {
            let mut script = scene.world.script();
            script.collects.push_back(done("QX1"));
            for _ in 0..3 {
                script.posts.push_back(Outcome::not_sent("the core is down"));
            }
        }
        let id = scene.submit(Kind::Deposit).await;
        let reference = Reference::new(id, StepName::First, 0);
        let reversed = Finding::Reversed(Confirmation::bare(Receipt::new("QX1").unwrap()));
        scene.world.script().truth.insert(reference, reversed);
        scene.notify(format!("result {reference} reversed QX1")).await;
        scene.pass(600).await;
        assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
        let decision = if goes_on {
            PersonDecision::CloseCase { case: CaseKind::Contradiction, step: Some(StepName::First) }
        } else {
            PersonDecision::AcceptNotExecuted { step: StepName::First }
        };
        scene.engine.decide(id, decision, who(), None).await.unwrap();
        scene.pass(600).await;
        let expected = if goes_on { Status::Completed } else { Status::Failed };
        assert_eq!(scene.show(id).await.status, expected);
    }
}

/// A completed payout that the provider took back leaves the customer without the money: a person
/// says so, closes the question, and the core gives it back.
#[tokio::test(start_paused = true)]
async fn a_payout_that_the_provider_took_back_is_given_back_in_the_core() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().payouts.push_back(done("QX1"));
    let id = scene.submit(Kind::Withdrawal).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let not_executed = PersonDecision::AcceptNotExecuted { step: StepName::Second };
    let unheard = scene.engine.decide(id, not_executed.clone(), who(), None).await;
    assert!(matches!(unheard, Err(RequestError::Conflict { .. })), "{unheard:?}");
    let reference = Reference::new(id, StepName::Second, 0);
    let reversed = Finding::Reversed(Confirmation::bare(Receipt::new("QX1").unwrap()));
    scene.world.script().truth.insert(reference, reversed);
    scene.notify(format!("result {reference} reversed QX1")).await;
    scene.pass(600).await;
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    scene.engine.decide(id, not_executed, who(), None).await.unwrap();
    scene.pass(600).await;
    assert_eq!(scene.show(id).await.status, Status::NeedsAttention, "the question holds it");
    let case = CaseKind::Contradiction;
    let close = PersonDecision::CloseCase { case, step: Some(StepName::Second) };
    scene.engine.decide(id, close, who(), None).await.unwrap();
    scene.pass(600).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    let undos = scene.world.script().sent.iter().filter(|it| it.starts_with("undo")).count();
    assert_eq!(undos, 1);
    assert_eq!(scene.cases(id).await, []);
}

/// The person, or the provider, was wrong, and the payout stands: before the core gives back, it counts
/// again; afterwards a person is called.
#[tokio::test(start_paused = true)]
async fn a_payout_that_stands_after_all_is_never_both_paid_and_given_back_in_silence() {
    for reversed in [false, true] {
        let scene = Scene::open(World::new()).await;
        scene.world.script().payouts.push_back(done("QX1"));
        let id = scene.submit(Kind::Withdrawal).await;
        let reference = Reference::new(id, StepName::Second, 0);
        let confirmation = || Confirmation::bare(Receipt::new("QX1").unwrap());
        scene.world.script().truth.insert(reference, Finding::Reversed(confirmation()));
        scene.notify(format!("result {reference} reversed QX1")).await;
        scene.pass(600).await;
        let not_executed = PersonDecision::AcceptNotExecuted { step: StepName::Second };
        scene.engine.decide(id, not_executed, who(), None).await.unwrap();
        let case = CaseKind::Contradiction;
        let close = PersonDecision::CloseCase { case, step: Some(StepName::Second) };
        if reversed {
            scene.engine.decide(id, close, who(), None).await.unwrap();
            scene.pass(600).await;
            assert_eq!(scene.cases(id).await, []);
        }
        scene.world.script().truth.insert(reference, Finding::Executed(confirmation()));
        scene.notify(format!("result {reference} executed QX1")).await;
        scene.pass(600).await;
        assert_eq!(scene.cases(id).await, [CaseKind::Contradiction], "{reversed}");
        let expected = if reversed { Status::Reversed } else { Status::Completed };
        assert_eq!(scene.show(id).await.status, expected);
        assert_eq!(scene.sent("undo"), usize::from(reversed));
    }
}

/// The provider, or the person, was wrong, and the collection stands although it ended the transfer: a
/// person is called, and has it count again.
#[tokio::test(start_paused = true)]
async fn a_collection_that_stands_after_all_is_a_case_and_counts_if_a_person_says_so() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().collects.push_back(done("QX1"));
    for _ in 0..3 {
        scene.world.script().posts.push_back(Outcome::not_sent("the core is down"));
    }
    let id = scene.submit(Kind::Deposit).await;
    let reference = Reference::new(id, StepName::First, 0);
    let confirmation = || Confirmation::bare(Receipt::new("QX1").unwrap());
    scene.world.script().truth.insert(reference, Finding::Reversed(confirmation()));
    scene.notify(format!("result {reference} reversed QX1")).await;
    scene.pass(600).await;
    let not_executed = PersonDecision::AcceptNotExecuted { step: StepName::First };
    scene.engine.decide(id, not_executed, who(), None).await.unwrap();
    let case = CaseKind::Contradiction;
    let close = PersonDecision::CloseCase { case, step: Some(StepName::First) };
    scene.engine.decide(id, close.clone(), who(), None).await.unwrap();
    scene.pass(600).await;
    assert_eq!((scene.show(id).await.status, scene.cases(id).await), (Status::Failed, vec![]));
    let stands =
        || PersonDecision::AcceptExecuted { step: StepName::First, confirmation: confirmation() };
    let unheard = scene.engine.decide(id, stands(), who(), None).await;
    assert!(matches!(unheard, Err(RequestError::Conflict { .. })), "{unheard:?}");
    scene.world.script().truth.insert(reference, Finding::Executed(confirmation()));
    for _ in 0..2 {
        scene.notify(format!("result {reference} executed QX1")).await;
        scene.pass(600).await;
        assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    }
    assert_eq!(scene.show(id).await.status, Status::Failed, "final does not flip by itself");
    assert_eq!(scene.all().await.len(), 1, "the payment is this transfer's own");
    scene.engine.decide(id, stands(), who(), None).await.unwrap();
    scene.engine.decide(id, close, who(), None).await.unwrap();
    scene.pass(600).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    assert_eq!(scene.cases(id).await, []);
}

/// Providers that do not report a reversal are asked when a person wants to know.
#[tokio::test(start_paused = true)]
async fn a_person_who_asks_about_a_completed_transfer_hears_of_a_reversal() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().payouts.push_back(done("QX1"));
    let id = scene.submit(Kind::Withdrawal).await;
    let reference = Reference::new(id, StepName::Second, 0);
    let paid = Finding::Executed(Confirmation::bare(Receipt::new("QX1").unwrap()));
    scene.world.script().truth.insert(reference, paid);
    scene.engine.inquire_now(id, "officer").await.unwrap();
    scene.pass(5).await;
    assert_eq!(scene.cases(id).await, [], "it stands");
    let reversed = Finding::Reversed(Confirmation::bare(Receipt::new("QX1").unwrap()));
    scene.world.script().truth.insert(reference, reversed);
    scene.pass(60).await;
    assert_eq!(scene.cases(id).await, [], "nobody asks by himself");
    scene.engine.inquire_now(id, "officer").await.unwrap();
    scene.pass(5).await;
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_payment_that_nobody_told_of_is_brought_in_by_its_receipt() {
    let scene = Scene::confirming().await;
    let claim = PaymentClaim {
        receipt: Receipt::new("QX9").unwrap(),
        amount: tzs("500"),
        msisdn: None,
        account_reference: String::new(),
    };
    let first = scene.engine.claim(&provider_id(), &claim).await.unwrap();
    scene.pass(5).await;
    let receipt = Receipt::new("QX9").unwrap();
    let owner = scene.engine.store().by_receipt(&provider_id(), &receipt).await.unwrap().unwrap();
    assert_eq!(scene.show(owner).await.status, Status::Suspended);
    let again = scene.engine.claim(&provider_id(), &claim).await.unwrap();
    scene.pass(5).await;
    assert_eq!((again, scene.all().await.len()), (first, 1), "once is enough");
    // Without a confirmation, the notice is no evidence.
    let unasked = Scene::open(World::new()).await;
    let refused = unasked.engine.claim(&provider_id(), &claim).await;
    assert_eq!(refused, Err(ArrivalError::NotAskable(provider_id())));
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_arrival_is_handled_again_or_dismissed() {
    let scene = Scene::open(World::new()).await;
    let unreadable = |body: &'static str| RawCallback {
        method: "POST".to_owned(),
        path: "told".to_owned(),
        headers: Vec::new(),
        body: Bytes::from_static(body.as_bytes()),
    };
    scene.engine.callback(&provider_id(), unreadable("gibberish")).await.unwrap();
    scene.engine.callback(&provider_id(), unreadable("more of it")).await.unwrap();
    let cases = scene.engine.store().cases(None, 10).await.unwrap().rows;
    assert_eq!(cases.len(), 2);
    let (one, other) = (cases[0].inbox.unwrap(), cases[1].inbox.unwrap());
    scene.engine.handle_again(one).await.unwrap();
    scene.pass(5).await;
    let item = scene.engine.arrival(one).await.unwrap();
    assert!(matches!(item.state, InboxState::Quarantined { .. }), "it still cannot be read");
    scene.engine.dismiss(one, "asha", "a test of the provider").await.unwrap();
    let item = scene.engine.arrival(one).await.unwrap();
    assert!(matches!(&item.state, InboxState::Handled { note } if note.contains("asha")));
    let again = scene.engine.handle_again(one).await;
    assert_eq!(again, Err(ArrivalError::NotQuarantined(one)));
    let left = scene.engine.store().cases(None, 10).await.unwrap().rows;
    assert_eq!(left.iter().map(|case| case.inbox).collect::<Vec<_>>(), [Some(other)]);
}

/// A scene over a store that lets others in between, and an arrival that nobody can read.
async fn with_quarantined_arrival() -> (Scene, InboxId) {
    let (world, faults) = (World::new(), Faults::new());
    let engine = world.engine_over(faults.store(), Arc::new(Yielding));
    engine.start().await.unwrap();
    let scene = Scene { world, engine };
    let callback = RawCallback {
        method: "POST".to_owned(),
        path: "told".to_owned(),
        headers: Vec::new(),
        body: Bytes::from_static(b"gibberish"),
    };
    scene.engine.callback(&provider_id(), callback).await.unwrap();
    let cases = scene.engine.store().cases(None, 10).await.unwrap().rows;
    *faults.slow_reads.lock().unwrap() = true;
    (scene, cases[0].inbox.unwrap())
}

/// Two persons decide about an arrival at the same moment: the second is told that it was decided.
#[tokio::test(start_paused = true)]
async fn of_two_who_decide_about_an_arrival_one_wins() {
    let late = |id| Err(ArrivalError::NotQuarantined(id));
    let (scene, id) = with_quarantined_arrival().await;
    let engine = &scene.engine;
    let both = tokio::join!(biased; engine.handle_again(id), engine.dismiss(id, "juma", "a test"));
    assert_eq!(both, (Ok(()), late(id)));
    scene.pass(5).await;
    let item = engine.arrival(id).await.unwrap();
    assert!(matches!(item.state, InboxState::Quarantined { .. }), "{item:?}");

    let (scene, id) = with_quarantined_arrival().await;
    let engine = &scene.engine;
    let both = tokio::join!(biased; engine.dismiss(id, "juma", "a test"), engine.handle_again(id));
    assert_eq!(both, (Ok(()), late(id)));
    scene.pass(5).await;
    let item = engine.arrival(id).await.unwrap();
    assert!(matches!(item.state, InboxState::Handled { .. }), "{item:?}");

    let (scene, id) = with_quarantined_arrival().await;
    let engine = &scene.engine;
    let both = tokio::join!(biased; engine.handle_again(id), engine.handle_again(id));
    assert_eq!(both, (Ok(()), late(id)));
}

/// A notification about which the provider gives no answer is asked about again soon, not an
/// interval of the inquiry schedule later.
#[tokio::test(start_paused = true)]
async fn an_arrival_without_an_answer_is_asked_about_soon() {
    for (finding, attempts) in [
        (PaymentFinding::Unclear { why: "no session yet".to_owned() }, 4..=5),
        (PaymentFinding::NotYet, 1..=1),
        (PaymentFinding::Absent, 1..=1),
    ] {
        let scene = Scene::confirming().await;
        scene.world.script().payment = Some(finding.clone());
        scene.notify("QX1 255712345678 500 7".to_owned()).await;
        scene.pass(12).await;
        let later = scene.world.now().after(Duration::from_hours(1));
        let waiting = scene.engine.store().inbox_due(later, 10).await.unwrap();
        assert!(attempts.contains(&waiting[0].attempts), "{finding:?}: {}", waiting[0].attempts);
        scene.world.script().payment = None;
        scene.pass(30).await;
        assert_eq!(scene.all().await.len(), 1);
    }
}

/// A notification that its provider neither confirms nor denies calls a person; he can put it away, by
/// the way that persons take.
#[tokio::test(start_paused = true)]
async fn an_arrival_that_does_not_become_clear_is_dismissed() {
    let scene = Scene::confirming().await;
    let unclear = PaymentFinding::Unclear { why: "no answer".to_owned() };
    scene.world.script().payment = Some(unclear);
    scene.notify("QX1 255712345678 500 000000007".to_owned()).await;
    let dismissal = |arrival| NewAction {
        action: PersonAction::Dismiss { arrival },
        by: "asha".to_owned(),
        reason: "nobody made this payment".to_owned(),
        seen: None,
        key: None,
    };
    scene.pass(5).await;
    let later = scene.world.now().after(Duration::from_hours(1));
    let waiting = scene.engine.store().inbox_due(later, 10).await.unwrap();
    let arrival = waiting[0].id;
    let early = scene.engine.act(dismissal(arrival)).await;
    assert_eq!(early, Err(ActError::Arrival(ArrivalError::NotQuarantined(arrival))));
    scene.pass(1_200).await;
    let cases = scene.engine.store().cases(None, 10).await.unwrap().rows;
    let kinds: Vec<_> = cases.iter().map(|case| (case.kind, case.inbox)).collect();
    assert_eq!(kinds, [(CaseKind::UnknownTooLong, Some(arrival))]);
    scene.engine.act(dismissal(arrival)).await.unwrap();
    scene.pass(1_200).await;
    let item = scene.engine.arrival(arrival).await.unwrap();
    assert!(matches!(&item.state, InboxState::Handled { note } if note.contains("asha")));
    assert_eq!(scene.engine.store().cases(None, 10).await.unwrap().rows, []);
}
