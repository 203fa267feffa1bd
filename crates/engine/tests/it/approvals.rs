//! Approvals that others get ahead of: the transfer, the store, another person.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::outcome::{Confirmation, Reason};
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{
    CaseKind, Deciding, Event, Operation, PersonDecision, Status, StepName,
};
use kiungo_domain::{AccountRef, Finding, Kind, Outcome, Receipt, Reference, TransferId};
use kiungo_engine::{
    ActError, ActionKind, Caller, NewAction, NewTransfer, PersonAction, RequestError,
};
use kiungo_store::{Action, ActionId, ActionQuery, ActionState};

use crate::evidence::{Scene, done, refused_for_now};
use crate::faulty::Faults;
use crate::world::{World, Yielding, provider_id, submit, transfer};

fn new(action: PersonAction) -> NewAction {
    let (by, reason) = ("asha".to_owned(), "seen in the portal".to_owned());
    NewAction { action, by, reason, seen: None, key: None }
}

fn not_executed(transfer: TransferId) -> NewAction {
    let decision = PersonDecision::AcceptNotExecuted { step: StepName::Second };
    new(PersonAction::Decide { transfer, decision })
}

fn caller() -> Caller {
    let words = |text: &str| text.to_owned();
    Caller { client: words("erp"), key: words("command-1"), digest: words("a") }
}

/// A scene over a store with faults, and a payout whose outcome is unknown.
async fn with_unknown_payout(second: &[ActionKind]) -> (Scene, Arc<Faults>, TransferId) {
    let world = World::new();
    *world.second_person.lock().unwrap() = second.to_vec();
    let faults = Faults::new();
    let engine = world.engine_over(faults.store(), Arc::new(Yielding));
    engine.start().await.unwrap();
    let scene = Scene { world, engine };
    scene.world.script().payouts.push_back(Outcome::unknown("time-out"));
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(900).await;
    assert_eq!(scene.cases(id).await, [CaseKind::UnknownTooLong]);
    (scene, faults, id)
}

async fn stored(scene: &Scene, id: ActionId) -> Action {
    scene.engine.store().action(id).await.unwrap().unwrap()
}

async fn only(scene: &Scene) -> Action {
    let rows = scene.engine.store().actions(&ActionQuery::default()).await.unwrap().rows;
    assert_eq!(rows.len(), 1);
    rows[0].clone()
}

/// The first reference turns out to be refused, and what follows is another sending, whose outcome
/// is unknown either.
async fn sent_anew(scene: &Scene, id: TransferId) {
    let reference = Reference::new(id, StepName::Second, 0);
    let Outcome::Rejected(refused) = refused_for_now(Reason::InsufficientFunds) else {
        unreachable!("it is a refusal")
    };
    scene.world.script().payouts.push_back(Outcome::unknown("time-out"));
    scene.world.script().truth.insert(reference, Finding::Rejected(refused));
    scene.notify(format!("result {reference} executed P0")).await;
    scene.pass(1800).await;
    let transfer = scene.engine.store().transfer(id).await.unwrap().unwrap();
    assert_eq!(transfer.step(StepName::Second).generation, 1);
    assert_eq!(scene.sent("pay_out"), 2);
}

/// A process dies after an approval was written down; meanwhile the transfer went on. Completing it
/// decides about what the second person saw, and nothing else.
#[tokio::test(start_paused = true)]
async fn an_approval_is_of_the_version_that_was_shown_however_late_it_is_carried_out() {
    let (scene, faults, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let shown = Some(scene.show(id).await.version);
    *faults.dies_after_judgement.lock().unwrap() = true;
    let died = scene.engine.approve_action(action, "juma", "sure", shown).await;
    assert!(matches!(died, Err(ActError::Store(_))), "{died:?}");
    assert_eq!(stored(&scene, action).await.state, ActionState::Approved);
    *faults.dies_after_judgement.lock().unwrap() = false;
    sent_anew(&scene, id).await;
    let late = scene.engine.approve_action(action, "neema", "it hangs", None).await;
    let state = ActionState::Refused;
    assert_eq!(late, Err(ActError::NotOpen { id: action, state }), "the machine was quicker");
    assert_eq!(scene.sent("undo"), 0, "the second payout may have been made");
    assert_eq!(stored(&scene, action).await.state, ActionState::Refused);
}

/// The state would still allow it, but a person has decided something since it was shown.
#[tokio::test(start_paused = true)]
async fn an_approval_is_refused_once_somebody_else_has_decided() {
    let (scene, faults, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let shown = Some(scene.show(id).await.version);
    *faults.dies_after_judgement.lock().unwrap() = true;
    let died = scene.engine.approve_action(action, "juma", "sure", shown).await;
    assert!(matches!(died, Err(ActError::Store(_))), "{died:?}");
    *faults.dies_after_judgement.lock().unwrap() = false;
    let close =
        PersonDecision::CloseCase { case: CaseKind::UnknownTooLong, step: Some(StepName::Second) };
    let who = Deciding { by: "neema".to_owned(), approved_by: None, reason: "known".to_owned() };
    scene.engine.decide(id, close, who, None).await.unwrap();
    scene.pass(60).await;
    assert_eq!(stored(&scene, action).await.state, ActionState::Refused);
    assert_eq!(scene.sent("undo"), 0);
}

/// The same of a command that waited for a transfer that was being worked on.
#[tokio::test(start_paused = true)]
async fn a_command_decides_about_the_version_that_it_names_however_often_it_is_tried() {
    let (scene, faults, id) = with_unknown_payout(&[]).await;
    let seen = Some(scene.show(id).await.version);
    let command = || NewAction { seen, key: Some(caller()), ..not_executed(id) };
    *faults.dies_before_key.lock().unwrap() = true;
    let died = scene.engine.act(command()).await;
    assert!(matches!(died, Err(ActError::Transfer(RequestError::Store(_)))), "{died:?}");
    *faults.dies_before_key.lock().unwrap() = false;
    sent_anew(&scene, id).await;
    let late = scene.engine.act(command()).await;
    let refused = matches!(late, Err(ActError::EndedBefore { state: ActionState::Refused, .. }));
    assert!(refused, "the machine was quicker, and did nothing: {late:?}");
    assert_eq!(scene.sent("undo"), 0);
}

/// The store applies a decision, and its answer is lost: the action was carried out.
#[tokio::test(start_paused = true)]
async fn an_action_that_was_carried_out_is_not_recorded_as_refused() {
    let (scene, faults, id) = with_unknown_payout(&[]).await;
    *faults.answers_lost.lock().unwrap() = true;
    let acted = scene.engine.act(not_executed(id)).await;
    *faults.answers_lost.lock().unwrap() = false;
    // No process went on with the action; the end of its lease brings it back.
    scene.pass(600).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    assert_eq!(acted.map(|acted| acted.action.state), Ok(ActionState::Done));
    assert_eq!(only(&scene).await.state, ActionState::Done);
}

/// It is unknown whether the store applied it: it may still be completed or declined.
#[tokio::test(start_paused = true)]
async fn an_action_that_the_store_did_not_take_stays_open() {
    let (scene, faults, id) = with_unknown_payout(&[]).await;
    *faults.dies_before_key.lock().unwrap() = true;
    let died = scene.engine.act(not_executed(id)).await;
    assert!(matches!(died, Err(ActError::Transfer(RequestError::Store(_)))), "{died:?}");
    *faults.dies_before_key.lock().unwrap() = false;
    let left = only(&scene).await;
    assert_eq!(left.state, ActionState::Approved);
    let done = scene.engine.approve_action(left.id, "asha", "again", None).await.unwrap();
    assert_eq!(done.action.state, ActionState::Done);
    scene.pass(60).await;
    assert_eq!(scene.sent("undo"), 1);
}

/// A process dies after an action was carried out and before that was written down: it cannot be
/// declined any more.
#[tokio::test(start_paused = true)]
async fn an_action_that_was_carried_out_cannot_be_declined() {
    let (scene, _, id) = with_unknown_payout(&[]).await;
    let acted = scene.engine.act(not_executed(id)).await.unwrap().action;
    let action = acted.id;
    let before = Action { state: ActionState::Approved, detail: String::new(), ..acted };
    assert!(scene.engine.store().put_action(before).await.unwrap());
    scene.pass(120).await;
    let declined = scene.engine.decline_action(action, "juma", "it was paid").await;
    let done = ActError::NotOpen { id: action, state: ActionState::Done };
    assert_eq!(declined, Err(done));
    assert_eq!(stored(&scene, action).await.state, ActionState::Done);
}

/// An action may be declined while it is being carried out: the record says what happened.
#[tokio::test(start_paused = true)]
async fn an_action_carried_out_at_the_moment_of_a_refusal_is_recorded_as_done() {
    let (scene, faults, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let proposed = scene.engine.act(not_executed(id)).await.unwrap().action;
    let shown = Some(scene.show(id).await.version);
    let declined = Action { version: 2, state: ActionState::Declined, ..proposed.clone() };
    *faults.declined_meanwhile.lock().unwrap() = Some(declined);
    scene.engine.approve_action(proposed.id, "juma", "sure", shown).await.unwrap();
    scene.pass(60).await;
    assert_eq!(scene.sent("undo"), 1);
    assert_eq!(stored(&scene, proposed.id).await.state, ActionState::Done);
}

/// A receipt is one transfer's (rule 7): another one that is said to have it is told so, at once.
#[tokio::test(start_paused = true)]
async fn the_receipt_of_another_transfer_is_refused_with_its_reason() {
    let (scene, _, id) = with_unknown_payout(&[]).await;
    scene.world.script().payouts.push_back(done("P9"));
    let other = another_payout(&scene).await;
    assert_eq!(scene.show(other).await.status, Status::Completed);
    let confirmation = Confirmation::bare(Receipt::new("P9").unwrap());
    let decision = PersonDecision::AcceptExecuted { step: StepName::Second, confirmation };
    let action = PersonAction::Decide { transfer: id, decision };
    let taken = scene.engine.act(NewAction { key: Some(caller()), ..new(action) }).await;
    let conflict = matches!(taken, Err(ActError::Transfer(RequestError::Conflict { .. })));
    assert!(conflict, "{taken:?}");
    assert_eq!(only(&scene).await.state, ActionState::Refused);
    assert_eq!(scene.show(id).await.status, Status::NeedsAttention);
}

/// Another payout, from another account.
async fn another_payout(scene: &Scene) -> TransferId {
    let account = AccountRef { kind: None, key: AccountKey::Id(8) };
    let new = NewTransfer { account, ..transfer(Kind::Withdrawal, "700") };
    let id = submit(&scene.engine, "other", new).await.unwrap().first.id;
    scene.pass(5).await;
    id
}

/// The decision of a person is in the journal once, with both names.
#[tokio::test(start_paused = true)]
async fn two_approvals_at_once_carry_it_out_once() {
    let (scene, _, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let shown = Some(scene.show(id).await.version);
    let (one, other) = tokio::join!(
        scene.engine.approve_action(action, "juma", "sure", shown),
        scene.engine.approve_action(action, "neema", "sure", shown),
    );
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    scene.pass(60).await;
    let decided = scene.tells_of(id).await;
    let decided = decided.iter().filter(|event| matches!(event, Event::Decided { .. }));
    assert_eq!((decided.count(), scene.sent("undo")), (1, 1));
    assert_eq!(stored(&scene, action).await.state, ActionState::Done);
}

/// A process dies between an approval and its outcome: the machine carries it out, and nobody can
/// decline any more what two persons have said.
#[tokio::test(start_paused = true)]
async fn an_interrupted_approval_is_completed_by_the_machine_and_never_declined() {
    let (scene, faults, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let shown = Some(scene.show(id).await.version);
    *faults.dies_after_judgement.lock().unwrap() = true;
    let died = scene.engine.approve_action(action, "juma", "sure", shown).await;
    assert!(matches!(died, Err(ActError::Store(_))), "{died:?}");
    *faults.dies_after_judgement.lock().unwrap() = false;
    let declined = scene.engine.decline_action(action, "neema", "it was paid").await;
    let state = ActionState::Approved;
    assert_eq!(declined, Err(ActError::NotOpen { id: action, state }));
    assert_eq!(scene.sent("undo"), 0);
    scene.pass(120).await;
    assert_eq!(stored(&scene, action).await.state, ActionState::Done);
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    assert_eq!(scene.sent("undo"), 1);
    let events = scene.tells_of(id).await;
    let decided = events.iter().find_map(|event| match event {
        Event::Decided { by, approved_by, .. } => Some((by.as_str(), approved_by.as_deref())),
        _ => None,
    });
    assert_eq!(decided, Some(("asha", Some("juma"))));
}

/// After a start, what the process before left is completed at once.
#[tokio::test(start_paused = true)]
async fn an_interrupted_approval_is_completed_at_the_next_start() {
    let (scene, faults, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let shown = Some(scene.show(id).await.version);
    *faults.dies_after_judgement.lock().unwrap() = true;
    scene.engine.approve_action(action, "juma", "sure", shown).await.unwrap_err();
    scene.engine.kill();
    *faults.dies_after_judgement.lock().unwrap() = false;
    scene.world.wait(Duration::from_secs(1));
    let next = scene.world.engine_over(faults.store(), Arc::new(Yielding));
    next.start().await.unwrap();
    let scene = Scene { world: scene.world, engine: next };
    scene.pass(5).await;
    assert_eq!(stored(&scene, action).await.state, ActionState::Done);
    assert_eq!(scene.sent("undo"), 1);
}

/// Several processes find the same interrupted action: one of them takes it.
#[tokio::test(start_paused = true)]
async fn an_interrupted_action_is_completed_once_however_many_find_it() {
    let (scene, faults, id) = with_unknown_payout(&[ActionKind::AcceptNotExecuted]).await;
    let action = scene.engine.act(not_executed(id)).await.unwrap().action.id;
    let shown = Some(scene.show(id).await.version);
    *faults.dies_after_judgement.lock().unwrap() = true;
    scene.engine.approve_action(action, "juma", "sure", shown).await.unwrap_err();
    *faults.dies_after_judgement.lock().unwrap() = false;
    let before = stored(&scene, action).await.version;
    scene.world.wait(Duration::from_secs(16));
    *faults.slow_reads.lock().unwrap() = true;
    let engine = &scene.engine;
    let both = tokio::join!(engine.complete_interrupted(), engine.complete_interrupted());
    assert_eq!(both, (Ok(()), Ok(())));
    scene.pass(60).await;
    let after = stored(&scene, action).await;
    assert_eq!((after.state, after.version), (ActionState::Done, before + 2), "taken, and written");
    assert_eq!(scene.sent("undo"), 1);
}

/// An action that names no version is about the transfer as it was when the action was proposed.
#[tokio::test(start_paused = true)]
async fn an_interrupted_action_is_about_the_version_at_which_it_was_asked_for() {
    for goes_on in [false, true] {
        let (scene, faults, id) = with_unknown_payout(&[]).await;
        *faults.dies_before_key.lock().unwrap() = true;
        scene.engine.act(not_executed(id)).await.unwrap_err();
        *faults.dies_before_key.lock().unwrap() = false;
        if goes_on {
            sent_anew(&scene, id).await;
        }
        scene.pass(120).await;
        let state = if goes_on { ActionState::Refused } else { ActionState::Done };
        let kept = only(&scene).await;
        assert_eq!(kept.state, state, "{kept:?}");
        assert_eq!(scene.sent("undo"), usize::from(!goes_on));
    }
}

/// A release that was approved, and interrupted, is not of a hold that began since.
#[tokio::test(start_paused = true)]
async fn an_interrupted_release_does_not_end_a_later_hold() {
    let (scene, faults, _) = with_unknown_payout(&[ActionKind::Release]).await;
    let (provider, operation) = (provider_id(), Operation::PayOut);
    let hold = PersonAction::Hold { provider: provider.clone(), operation };
    let release = PersonAction::Release { provider: provider.clone(), operation };
    scene.engine.act(new(hold.clone())).await.unwrap();
    let action = scene.engine.act(new(release)).await.unwrap().action.id;
    *faults.dies_after_judgement.lock().unwrap() = true;
    scene.engine.approve_action(action, "juma", "sure", None).await.unwrap_err();
    *faults.dies_after_judgement.lock().unwrap() = false;
    scene.engine.release_operation(&provider, operation).await.unwrap();
    scene.world.wait(Duration::from_secs(1));
    scene.engine.act(new(hold)).await.unwrap();
    scene.pass(120).await;
    assert_eq!(stored(&scene, action).await.state, ActionState::Refused);
    let holds = scene.engine.store().holds().await.unwrap();
    assert!(holds.iter().any(|hold| hold.operation == operation), "{holds:?}");
}
