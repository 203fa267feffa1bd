//! An application whose queries are answered by callback, against the simulator: what was claimed,
//! what the query's callback names, and whose answer it is.

use std::time::Duration;

use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Outcome, Reference};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{CallbackContent, Provider};
use kiungo_provider_mpesa::{Answers, Notification, OptionsError};
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::Fault;
use kiungo_simulator_mpesa::Options;
use tokio::time::sleep;

use crate::simulated::{World, world_of};
use crate::support::{Step, adapter, callback, checked, inquiry, mapping, order};

fn world() -> World {
    let options = Options {
        asynchronous: true,
        asynchronous_queries: true,
        delay_ms: 500,
        ..Options::default()
    };
    let mut mapping = mapping("tz");
    mapping.mpesa.answers = Answers::Asynchronous;
    mapping.mpesa.query_answers = Answers::Asynchronous;
    world_of(mapping, options)
}

impl World {
    /// The contents of the callbacks that have arrived since the last time.
    async fn arrivals(&self) -> Vec<CallbackContent> {
        sleep(Duration::from_secs(5)).await;
        let contents = self.take_contents().into_iter();
        // The answer to the question that proves a new session concerns no operation.
        contents.filter(|content| *content != CallbackContent::Nothing).collect()
    }

    /// Puts the claim of an operation's own result before the provider; the answer.
    async fn ask_about(&self, operation: WalletOperation, claim: &Finding) -> Vec<Finding> {
        self.mpesa.ask_about(&inquiry(operation), claim).await.unwrap();
        self.arrivals().await.into_iter().map(|content| answer(content).1).collect()
    }
}

fn answer(content: CallbackContent) -> (Reference, Finding) {
    let CallbackContent::Answer { reference, finding } = content else { panic!("{content:?}") };
    (reference, finding)
}

async fn claimed(world: &World) -> Finding {
    let [CallbackContent::Result { finding, .. }] = &world.arrivals().await[..] else { panic!() };
    finding.clone()
}

#[tokio::test(start_paused = true)]
async fn a_claimed_success_whose_receipt_the_query_names_is_executed() {
    let world = world();
    assert!(world.mpesa.inquires_by_callback());
    assert!(world.mpesa.holder_name().is_none());
    for (step, operation) in
        [(StepName::First, WalletOperation::Collect), (StepName::Second, WalletOperation::PayOut)]
    {
        let order = order(step);
        let accepted = match step {
            StepName::First => world.mpesa.collect(&order).await,
            _ => world.mpesa.pay_out(&order).await,
        };
        assert!(matches!(accepted, Outcome::Pending(_)), "{accepted:?}");
        let claim = claimed(&world).await;
        // Without the claim the query does not say enough.
        let alone = world.mpesa.inquire(&inquiry(operation)).await;
        assert!(matches!(alone, Finding::Unclear { .. }), "{alone:?}");
        let [CallbackContent::Answer { reference, finding }] = &world.arrivals().await[..] else {
            panic!()
        };
        assert_eq!(*reference, order.reference);
        assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
        // With it, it does, and the inquiry schedule's next question knows of it.
        let found = world.ask_about(operation, &claim).await;
        assert_eq!(found, std::slice::from_ref(&claim), "{operation:?}");
        world.mpesa.inquire(&inquiry(operation)).await;
        let again: Vec<Finding> =
            world.arrivals().await.into_iter().map(|content| answer(content).1).collect();
        assert_eq!(again, std::slice::from_ref(&claim), "{operation:?}");
        let Finding::Executed(confirmation) = claim else { panic!() };
        let books = world.simulator.books();
        let booked = books.movements.last().unwrap();
        assert_eq!(confirmation.receipt.as_str(), booked.receipt);
    }
}

#[tokio::test(start_paused = true)]
async fn another_receipt_or_none_confirms_nothing() {
    let world = world();
    // Nothing has been paid yet.
    let forged = Finding::Executed(kiungo_domain::outcome::Confirmation::bare(
        kiungo_domain::Receipt::new("7KX21QD40B").unwrap(),
    ));
    let found = world.ask_about(WalletOperation::Collect, &forged).await;
    assert_eq!(found, [Finding::Absent]);
    world.mpesa.collect(&order(StepName::First)).await;
    world.arrivals().await;
    let found = world.ask_about(WalletOperation::Collect, &forged).await;
    let [Finding::Unclear { why }] = &found[..] else { panic!("{found:?}") };
    assert!(why.contains("another receipt"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_claimed_failure_counts_for_a_collection_only() {
    for (step, operation) in
        [(StepName::First, WalletOperation::Collect), (StepName::Second, WalletOperation::PayOut)]
    {
        let world = world();
        world.always(
            if step == StepName::First { "collect" } else { "pay_out" },
            Fault::CustomerRefuses,
        );
        match step {
            StepName::First => world.mpesa.collect(&order(step)).await,
            _ => world.mpesa.pay_out(&order(step)).await,
        };
        let claim = claimed(&world).await;
        let found = world.ask_about(operation, &claim).await;
        match (&found[..], step) {
            ([Finding::Rejected(rejection)], StepName::First) => {
                let Finding::Rejected(told) = &claim else { panic!("{claim:?}") };
                assert_eq!(rejection.code, told.code);
                assert!(matches!(rejection.reason, Reason::Other | Reason::InsufficientFunds));
            }
            ([Finding::InProgress(_) | Finding::Unclear { .. }], StepName::Second) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reversal_by_the_provider_is_shown() {
    let world = world();
    world.mpesa.collect(&order(StepName::First)).await;
    let claim = claimed(&world).await;
    let Finding::Executed(confirmation) = &claim else { panic!() };
    world.simulator.reverse(confirmation.receipt.as_str()).unwrap();
    let found = world.ask_about(WalletOperation::Collect, &claim).await;
    let [Finding::Reversed(found)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(found.receipt, confirmation.receipt);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_no_question_of_ours_is_a_hint_at_most() {
    let mut asynchronous = mapping("tz");
    asynchronous.mpesa.query_answers = Answers::Asynchronous;
    let (mpesa, market) = adapter(asynchronous);
    market.script([Step::answer(200, "{\"output_ResponseCode\":\"INS-0\"}")]);
    mpesa.inquire(&inquiry(WalletOperation::Collect)).await;
    let id = market.calls().pop().unwrap().id();
    let told = |id: &str| {
        let body = serde_json::json!({
            "input_OriginalConversationID": "d5e0c1f2a3b44c6d8e9f001122334455",
            "input_ThirdPartyConversationID": id,
            "input_TransactionID": "7KX21QD40B",
            "input_ResultCode": "INS-0",
            "input_OriginalTransactionID": "7KX21QD40B",
            "input_Reversed": "False",
        });
        mpesa.read_callback(&callback("results", &body.to_string())).unwrap()
    };
    assert!(matches!(told(&id), CallbackContent::Answer { .. }));
    // A success that was never claimed cannot be written into the id by a forger.
    for forged in [id.replacen('A', "E", 1), id.replace(&id[34..], "000000"), "Q".repeat(38)] {
        let content = told(&forged);
        let CallbackContent::Result { finding, .. } = &content else { panic!("{content:?}") };
        assert!(matches!(finding, Finding::Unclear { .. }), "{content:?}");
    }
}

#[test]
fn answers_by_callback_need_an_address_and_no_notified_payments() {
    let mut asynchronous = mapping("tz");
    asynchronous.mpesa.query_answers = Answers::Asynchronous;
    assert!(checked(asynchronous.clone(), true).is_ok());
    let error = checked(asynchronous.clone(), false).unwrap_err();
    assert!(error.to_string().contains("callbacks.expected"), "{error}");
    asynchronous.mpesa.notification = Notification::C2bConfirmation;
    let error = checked(asynchronous, true).unwrap_err();
    assert!(matches!(error, OptionsError::Key { key: "notification", .. }), "{error}");
}
