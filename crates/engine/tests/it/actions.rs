//! Actions of persons, with and without a second person.

use std::sync::Arc;

use kiungo_core_banking::Comparison;
use kiungo_domain::outcome::{Confirmation, NOT_THE_BOOKING, Reason, Rejection};
use kiungo_domain::transfer::{CaseKind, Event, Operation, PersonDecision, Status, StepName};
use kiungo_domain::{Finding, Kind, Outcome, Receipt, Reference, TransferId};
use kiungo_engine::{ActError, ActionKind, Caller, NewAction, PersonAction, RequestError};
use kiungo_store::{Action, ActionQuery, ActionState, Records};

use crate::evidence::{Scene, done};
use crate::world::{World, provider_id, rejection};

fn new(action: PersonAction) -> NewAction {
    let (by, reason) = ("asha".to_owned(), "seen in the portal".to_owned());
    NewAction { action, by, reason, seen: None, key: None }
}

fn decide(transfer: TransferId, decision: PersonDecision) -> NewAction {
    new(PersonAction::Decide { transfer, decision })
}

fn not_executed(transfer: TransferId) -> NewAction {
    decide(transfer, PersonDecision::AcceptNotExecuted { step: StepName::Second })
}

async fn with_unknown_payout(second: &[ActionKind]) -> (Scene, TransferId) {
    let world = World::new();
    *world.second_person.lock().unwrap() = second.to_vec();
    let scene = Scene::open(world).await;
    scene.world.script().payouts.push_back(Outcome::unknown("time-out"));
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(900).await;
    assert_eq!(scene.cases(id).await, [CaseKind::UnknownTooLong]);
    (scene, id)
}

async fn actions(scene: &Scene, open: bool) -> Vec<Action> {
    let query = ActionQuery { open, ..ActionQuery::default() };
    scene.engine.store().actions(&query).await.unwrap().rows
}

/// While a person reads, the inquiry schedule goes on asking: an inquiry without an answer changes
/// nothing that was shown.
#[tokio::test(start_paused = true)]
async fn an_unanswered_question_does_not_refuse_an_approval() {
    let (scene, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let shown = scene.show(id).await.version;
    let proposed = scene.engine.act(NewAction { seen: Some(shown), ..not_executed(id) }).await;
    let proposed = proposed.unwrap().action;
    scene
        .world
        .script()
        .truth
        .insert(Reference::new(id, StepName::Second, 0), Finding::unclear("the query timed out"));
    scene.pass(3_600).await;
    assert!(scene.show(id).await.version > shown, "it was asked meanwhile");
    let done = scene.engine.approve_action(proposed.id, "juma", "seen too", Some(shown)).await;
    assert_eq!(done.map(|acted| acted.action.state), Ok(ActionState::Done));
}

#[tokio::test(start_paused = true)]
async fn an_action_is_carried_out_and_kept_with_its_reason() {
    let (scene, id) = with_unknown_payout(&[]).await;
    let acted = scene.engine.act(not_executed(id)).await.unwrap();
    assert!(acted.transfer.is_some());
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    let kept = actions(&scene, false).await;
    assert_eq!(kept.len(), 1);
    let words = (kept[0].what.as_str(), kept[0].by.as_str(), kept[0].reason.as_str());
    assert_eq!(words, ("accept_not_executed", "asha", "seen in the portal"));
    assert_eq!((kept[0].state, kept[0].subject.as_str()), (ActionState::Done, &*id.to_string()));
    assert_eq!(actions(&scene, true).await, []);
}

#[tokio::test(start_paused = true)]
async fn an_action_that_the_state_does_not_allow_is_not_stored() {
    let (scene, id) = with_unknown_payout(&[]).await;
    let refused = scene.engine.act(decide(id, PersonDecision::GiveUp)).await;
    let conflict = matches!(refused, Err(ActError::Transfer(RequestError::Conflict { .. })));
    assert!(conflict, "{refused:?}");
    assert_eq!(actions(&scene, false).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_second_person_has_to_approve_what_was_shown() {
    let (scene, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let proposed = scene.engine.act(not_executed(id)).await.unwrap();
    assert_eq!((proposed.action.state, proposed.transfer), (ActionState::Proposed, None));
    scene.pass(5).await;
    assert_eq!(scene.sent("undo"), 0, "nothing happens before the approval");
    let action = proposed.action.id;
    let shown = scene.show(id).await.version;
    let engine = &scene.engine;
    let same = engine.approve_action(action, "asha", "sure", Some(shown)).await;
    assert_eq!(same, Err(ActError::SamePerson(action)));
    let unseen = engine.approve_action(action, "juma", "sure", None).await;
    assert_eq!(unseen, Err(ActError::Unseen(id)));
    let other = engine.approve_action(action, "juma", "sure", Some(1)).await;
    let changed = ActError::Changed { transfer: id, seen: 1, now: shown };
    assert_eq!(other, Err(changed));
    let done = engine.approve_action(action, "juma", "sure", Some(shown)).await.unwrap();
    assert_eq!(done.action.state, ActionState::Done);
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    let approved = scene.tells_of(id).await.into_iter().find_map(|event| match event {
        Event::Decided { by, approved_by, .. } => Some((by, approved_by)),
        _ => None,
    });
    assert_eq!(approved, Some(("asha".to_owned(), Some("juma".to_owned()))));
    let again = scene.engine.approve_action(action, "juma", "sure", Some(shown)).await;
    assert_eq!(again, Err(ActError::NotOpen { id: action, state: ActionState::Done }));
    assert_eq!(scene.sent("undo"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_declined_action_is_not_done() {
    let (scene, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let declined = scene.engine.decline_action(action, "juma", "it was paid").await.unwrap();
    assert_eq!(declined.state, ActionState::Declined);
    let shown = Some(scene.show(id).await.version);
    let late = scene.engine.approve_action(action, "juma", "sure", shown).await;
    assert_eq!(late, Err(ActError::NotOpen { id: action, state: ActionState::Declined }));
    assert_eq!(scene.sent("undo"), 0);
}

/// The provider's answer arrives between proposal and approval: there is nothing to decide any more.
#[tokio::test(start_paused = true)]
async fn an_outcome_that_became_known_meanwhile_is_not_overruled() {
    let (scene, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let reference = kiungo_domain::Reference::new(id, StepName::Second, 0);
    let paid = crate::evidence::executed("P1");
    scene.world.script().truth.insert(reference, paid);
    scene.notify(format!("result {reference} executed P1")).await;
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let shown = Some(scene.show(id).await.version);
    let late = scene.engine.approve_action(action, "juma", "sure", shown).await;
    let conflict = matches!(late, Err(ActError::Transfer(RequestError::Conflict { .. })));
    assert!(conflict, "{late:?}");
    assert_eq!(scene.sent("undo"), 0);
}

#[tokio::test(start_paused = true)]
async fn under_a_key_the_same_is_done_once() {
    let (scene, id) = with_unknown_payout(&[]).await;
    let caller = |digest: &str| Caller {
        client: "erp".to_owned(),
        key: "command-1".to_owned(),
        digest: digest.to_owned(),
    };
    let keyed = |digest: &str| NewAction { key: Some(caller(digest)), ..not_executed(id) };
    assert!(!scene.engine.act(keyed("a")).await.unwrap().replayed);
    scene.pass(5).await;
    let again = scene.engine.act(keyed("a")).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.transfer.map(|transfer| transfer.status), Some(Status::Reversed));
    let other = scene.engine.act(keyed("b")).await;
    assert!(matches!(other, Err(ActError::KeyReused(_))), "{other:?}");
    assert_eq!(scene.sent("undo"), 1);
    assert_eq!(actions(&scene, false).await.len(), 1);
}

/// A process that dies after the approval and before the outcome was written down leaves an action
/// that can be approved once more, and is carried out once.
#[tokio::test(start_paused = true)]
async fn an_approval_that_a_death_interrupted_is_completed_once() {
    let (scene, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let shown = Some(scene.show(id).await.version);
    let done = scene.engine.approve_action(action, "juma", "sure", shown).await.unwrap().action;
    // As it was before the outcome was written down.
    let store: &Arc<dyn Records> = scene.engine.store();
    let before = Action { state: ActionState::Approved, detail: String::new(), ..done };
    assert!(store.put_action(before).await.unwrap());
    scene.pass(5).await;
    let again = scene.engine.approve_action(action, "neema", "it hangs", None).await.unwrap();
    assert_eq!(again.action.state, ActionState::Done);
    assert_eq!(scene.sent("undo"), 1);
    let decided =
        scene.tells_of(id).await.iter().filter(|e| matches!(e, Event::Decided { .. })).count();
    assert_eq!(decided, 1);
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_held_and_released_by_persons() {
    let scene = Scene::open(World::new()).await;
    let (provider, operation) = (provider_id(), Operation::PayOut);
    let hold = PersonAction::Hold { provider: provider.clone(), operation };
    let release = PersonAction::Release { provider: provider.clone(), operation };
    let idle = scene.engine.act(new(release.clone())).await;
    assert!(matches!(idle, Err(ActError::NotHeld { .. })), "{idle:?}");
    scene.engine.act(new(hold)).await.unwrap();
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(60).await;
    assert_eq!(scene.sent(""), 0, "no leg leaves the core while the payout is held");
    let cases = scene.engine.store().cases(None, 10).await.unwrap().rows;
    assert_eq!(cases.iter().filter(|case| case.operation == Some(operation)).count(), 1);
    scene.world.script().payouts.push_back(done("P1"));
    scene.engine.act(new(release)).await.unwrap();
    scene.pass(90).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let deposit = PersonAction::Hold { provider, operation: Operation::Deposit };
    let refused = scene.engine.act(new(deposit)).await;
    assert_eq!(refused, Err(ActError::NotHoldable("deposit")));
}

fn receipt(text: &str) -> Receipt {
    Receipt::new(text).unwrap()
}

fn executed(transfer: TransferId, step: StepName, text: &str) -> NewAction {
    let confirmation = Confirmation::bare(receipt(text));
    decide(transfer, PersonDecision::AcceptExecuted { step, confirmation })
}

/// A withdrawal of which the core does not say if it was booked.
async fn with_unknown_booking(second: &[ActionKind]) -> (Scene, TransferId) {
    let world = World::new();
    *world.second_person.lock().unwrap() = second.to_vec();
    let scene = Scene::open(world).await;
    scene.world.script().posts.push_back(Outcome::unknown("time-out"));
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(900).await;
    assert_eq!(scene.cases(id).await, [CaseKind::UnknownTooLong]);
    (scene, id)
}

/// A foreign transaction must not become this transfer's: an undo would take it back.
#[tokio::test(start_paused = true)]
async fn another_transaction_of_the_core_is_not_accepted_as_the_booking() {
    let (scene, id) = with_unknown_booking(&[]).await;
    let why = "transaction 70 is on account 9, and not on 7".to_owned();
    scene.world.script().compared = Some(Comparison::Another { why: why.clone() });
    let refused = scene.engine.act(executed(id, StepName::First, "70")).await;
    assert_eq!(refused, Err(ActError::AnotherTransaction { transfer: id, why }));
    assert_eq!(actions(&scene, false).await, []);
    // Only a booking that the core shows under our own reference counts.
    let found = Finding::Executed(Confirmation::bare(receipt("71")));
    scene.world.script().compared = Some(Comparison::Same);
    scene.world.script().core_finds = Some(found);
    let other = scene.engine.act(executed(id, StepName::First, "70")).await;
    assert!(matches!(other, Err(ActError::AnotherTransaction { .. })), "{other:?}");
    scene.engine.act(executed(id, StepName::First, "71")).await.unwrap();
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.core_receipt, Some(receipt("71")));
}

/// A difference may show at the approval only: the transaction is looked at once more.
#[tokio::test(start_paused = true)]
async fn an_approval_asks_the_core_about_the_transaction_again() {
    let (scene, id) = with_unknown_booking(&[ActionKind::AcceptExecuted]).await;
    // The core does not answer, and an action can be proposed all the same.
    let action = scene.engine.act(executed(id, StepName::First, "70")).await.unwrap().action.id;
    let why = "transaction 70 is of 900.00 TZS, and not of 500.00 TZS".to_owned();
    scene.world.script().compared = Some(Comparison::Another { why });
    let shown = Some(scene.show(id).await.version);
    let refused = scene.engine.approve_action(action, "juma", "sure", shown).await;
    assert!(matches!(refused, Err(ActError::AnotherTransaction { .. })), "{refused:?}");
    assert_eq!(actions(&scene, true).await.len(), 1, "it can still be declined");
    scene.world.script().compared = Some(Comparison::Same);
    let shown = Some(scene.show(id).await.version);
    scene.engine.approve_action(action, "juma", "sure", shown).await.unwrap();
    scene.pass(5).await;
    assert_eq!(scene.show(id).await.core_receipt, Some(receipt("70")));
}

/// An id that could not be looked at when it was accepted, and is not the booking: the core refuses
/// the undo, and a person is called.
#[tokio::test(start_paused = true)]
async fn another_transaction_is_not_undone_and_has_a_case() {
    let code = NOT_THE_BOOKING.to_owned();
    let not_it = Rejection { code, ..rejection(Reason::Other) };
    let (scene, id) = with_unknown_booking(&[]).await;
    scene.world.script().payouts.push_back(Outcome::Rejected(rejection(Reason::Other)));
    scene.world.script().undos.push_back(Outcome::Rejected(not_it.clone()));
    scene.engine.act(executed(id, StepName::First, "70")).await.unwrap();
    scene.pass(60).await;
    assert_eq!(scene.cases(id).await, [CaseKind::CompensationRefused]);
    assert_eq!(scene.show(id).await.status, Status::NeedsAttention);

    // Before a wallet is touched, the core is asked if its side could be reversed.
    let scene = Scene::open(World::new()).await;
    let id = scene.submit(Kind::Withdrawal).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    scene.world.script().undo_refused = Some(not_it);
    scene.engine.act(new(PersonAction::Reverse { transfer: id })).await.unwrap();
    scene.pass(60).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    assert_eq!(scene.sent("undo"), 0);
}

/// Two persons, or one who clicks twice, propose the same: it waits once.
#[tokio::test(start_paused = true)]
async fn the_same_proposal_waits_once() {
    let (scene, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let first = scene.engine.act(not_executed(id)).await.unwrap();
    assert!(!first.replayed);
    let again = scene.engine.act(NewAction { by: "juma".to_owned(), ..not_executed(id) }).await;
    let again = again.unwrap();
    assert!(again.replayed);
    assert_eq!(again.action, first.action);
    assert_eq!(actions(&scene, true).await.len(), 1);
    scene.engine.decline_action(first.action.id, "juma", "not yet").await.unwrap();
    let anew = scene.engine.act(not_executed(id)).await.unwrap();
    assert!(!anew.replayed && anew.action.id != first.action.id, "what was declined does not wait");
}
