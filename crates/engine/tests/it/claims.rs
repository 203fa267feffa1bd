//! Payments that persons bring in by their receipt.

use kiungo_domain::{Currency, Money, Receipt};
use kiungo_engine::{ActError, ArrivalError, NewAction, PaymentClaim, PersonAction};
use kiungo_store::{ActionState, InboxState};

use crate::evidence::Scene;
use crate::world::{World, provider_id, tzs};

fn claim_of(receipt: &str) -> PaymentClaim {
    PaymentClaim {
        receipt: Receipt::new(receipt).unwrap(),
        amount: tzs("500"),
        msisdn: None,
        account_reference: String::new(),
    }
}

/// A claim that was dismissed can be made again, once the payment can be found for example.
#[tokio::test(start_paused = true)]
async fn a_claim_that_was_dismissed_is_asked_about_when_it_is_made_again() {
    let scene = Scene::confirming().await;
    let claim = claim_of("QX9");
    let id = scene.engine.claim(&provider_id(), &claim).await.unwrap();
    let put_away = InboxState::Handled { note: "dismissed by asha: a mistake".to_owned() };
    // Dismissed before it was handled.
    scene.engine.store().set_inbox_state(id, put_away).await.unwrap();
    scene.pass(5).await;
    let _ = scene.engine.claim(&provider_id(), &claim).await.unwrap();
    scene.pass(5).await;
    let receipt = Receipt::new("QX9").unwrap();
    let owner = scene.engine.store().by_receipt(&provider_id(), &receipt).await.unwrap();
    assert!(owner.is_some(), "the payment is there");
}

/// The provider says that there is such a payment, and not of how much: one person's word is not
/// enough, whatever the configuration asks for.
#[tokio::test(start_paused = true)]
async fn a_claim_of_an_amount_that_nobody_states_needs_a_second_person() {
    for hides in [false, true] {
        let world = World::new();
        world.script().confirms = true;
        world.script().hides_amounts = hides;
        let scene = Scene::open(world).await;
        let action = PersonAction::Claim { provider: provider_id(), claim: claim_of("QX9") };
        let (by, reason) = ("asha".to_owned(), "in the portal".to_owned());
        let new = NewAction { action, by, reason, seen: None, key: None };
        let action = scene.engine.act(new).await.unwrap().action;
        scene.pass(5).await;
        let (state, known) =
            if hides { (ActionState::Proposed, 0) } else { (ActionState::Done, 1) };
        assert_eq!((action.state, scene.all().await.len()), (state, known));
        if hides {
            let same = scene.engine.approve_action(action.id, "asha", "sure", None).await;
            assert_eq!(same, Err(ActError::SamePerson(action.id)));
            scene.engine.approve_action(action.id, "juma", "seen too", None).await.unwrap();
            scene.pass(5).await;
            assert_eq!(scene.all().await.len(), 1);
        }
    }
}

/// A provider has one currency, and not each states it: the word of two persons makes no other.
#[tokio::test(start_paused = true)]
async fn a_claim_in_a_currency_that_the_provider_does_not_move_is_refused() {
    let world = World::new();
    world.script().confirms = true;
    world.script().hides_amounts = true;
    let scene = Scene::open(world).await;
    let usd = Currency::from_code("USD").unwrap();
    let claim = PaymentClaim { amount: Money::parse("500", usd).unwrap(), ..claim_of("QX9") };
    let refused = ArrivalError::ForeignCurrency {
        provider: provider_id(),
        own: tzs("500").currency(),
        claimed: usd,
    };
    assert_eq!(scene.engine.claim(&provider_id(), &claim).await, Err(refused.clone()));
    let action = PersonAction::Claim { provider: provider_id(), claim };
    let (by, reason) = ("asha".to_owned(), "in the portal".to_owned());
    let new = NewAction { action, by, reason, seen: None, key: None };
    assert_eq!(scene.engine.act(new).await, Err(ActError::Arrival(refused)));
}
