//! Every operation against the simulator: all markets, both modes, the sandbox's triggers, faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Msisdn, Outcome, Timestamp};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CallbackContent, CallbackDecision, PaymentFinding, PaymentNotice, Provider, RawCallback,
    ReverseOrder, WalletOrder,
};
use kiungo_provider_mpesa::{Mpesa, Notification, Secrets};
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::{Fault, Faults, Plan, ResetConnection};
use kiungo_simulator_mpesa::options::{Market, Paybill};
use kiungo_simulator_mpesa::{Options, Simulator};
use kiungo_transport::testing::InProcess;
use tokio::time::sleep;

use crate::support::{API_KEY, Mapping, inquiry, mapping, money, order, reverse_order, terms};

const CALLBACKS: &str = "http://kiungo.test/callbacks/";

/// Answers callbacks as the adapter does, and keeps what they say.
#[derive(Default)]
struct Mailbox {
    adapter: OnceLock<Arc<Mpesa>>,
    contents: Mutex<Vec<CallbackContent>>,
}

#[async_trait]
impl Delivery for Mailbox {
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16> {
        self.ask(callback).await.map(|answer| answer.status().as_u16())
    }

    async fn ask(&self, callback: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let adapter = self.adapter.get()?;
        let callback = RawCallback {
            method: callback.method().to_string(),
            path: callback.uri().to_string().strip_prefix(CALLBACKS)?.to_owned(),
            headers: Vec::new(),
            body: callback.body().clone(),
        };
        self.contents.lock().unwrap().push(adapter.read_callback(&callback).unwrap());
        let reply = adapter.reply(&callback, &CallbackDecision::Accepted);
        let body = reply.body.map(|(_, body)| body).unwrap_or_default();
        http::Response::builder().status(reply.status).body(body).ok()
    }
}

pub(crate) struct World {
    pub(crate) mpesa: Arc<Mpesa>,
    pub(crate) simulator: Simulator,
    mailbox: Arc<Mailbox>,
    faults: Faults,
}

pub(crate) fn world(file: &str, options: Options) -> World {
    let mut mapping = mapping(file);
    mapping.mpesa.notification = Notification::C2bConfirmation;
    world_of(mapping, options)
}

pub(crate) fn world_of(mut mapping: Mapping, options: Options) -> World {
    let options = Options {
        key_bits: 2_048,
        api_key: API_KEY.to_owned(),
        session_activation_ms: 20_000,
        response_url: Some(format!("{CALLBACKS}results")),
        paybill: Paybill { notify_base: Some(CALLBACKS.to_owned()), ..Paybill::default() },
        ..options
    };
    let clock =
        Clock::Virtual { epoch: Timestamp::from_micros(0), origin: tokio::time::Instant::now() };
    let mailbox = Arc::new(Mailbox::default());
    let faults = Faults::new(Plan::none(7));
    let simulator = Simulator::new(options, clock, mailbox.clone(), faults.clone());
    mapping.mpesa.public_key = simulator.public_key();
    "http://mpesa.test".clone_into(&mut mapping.mpesa.base_url);
    let terms = terms(&mapping);
    let secrets = Secrets { api_key: API_KEY.into() };
    let wire = Arc::new(InProcess::new::<ResetConnection>(simulator.router()));
    let mpesa = Arc::new(Mpesa::new(mapping.mpesa, secrets, terms, wire).unwrap());
    assert!(mailbox.adapter.set(Arc::clone(&mpesa)).is_ok());
    World { mpesa, simulator, mailbox, faults }
}

impl World {
    pub(crate) fn always(&self, operation: &str, fault: Fault) {
        let rates = BTreeMap::from([(operation.to_owned(), BTreeMap::from([(fault, 10_000)]))]);
        self.faults.set(Plan { rates, ..Plan::none(7) });
    }

    pub(crate) fn take_contents(&self) -> Vec<CallbackContent> {
        std::mem::take(&mut *self.mailbox.contents.lock().unwrap())
    }

    fn contents(&self) -> Vec<CallbackContent> {
        self.mailbox.contents.lock().unwrap().clone()
    }

    fn movement_count(&self) -> usize {
        self.simulator.books().movements.len()
    }
}

fn order_in(step: StepName, msisdn: &str, amount: &str, currency: &str) -> WalletOrder {
    let msisdn = Msisdn::parse(msisdn).unwrap();
    WalletOrder { msisdn, amount: money(amount, currency), ..order(step) }
}

fn executed(finding: &Finding) -> &str {
    let Finding::Executed(confirmation) = finding else { panic!("{finding:?}") };
    confirmation.receipt.as_str()
}

#[tokio::test(start_paused = true)]
async fn every_market_collects_pays_out_answers_questions_and_takes_back() {
    for (file, market, msisdn, currency) in [
        ("tz", Market::VodacomTzn, "255712345678", "TZS"),
        ("gh", Market::VodafoneGha, "233201234567", "GHS"),
        ("ls", Market::VodacomLes, "26650123456", "LSL"),
        ("cd", Market::VodacomDrc, "243812345678", "USD"),
        ("mz", Market::VodacomMoz, "258841234567", "MZN"),
    ] {
        let whole_amounts = market == Market::VodacomTzn;
        let world = world(file, Options { market, whole_amounts, ..Options::default() });
        let collection = order_in(StepName::First, msisdn, "125", currency);
        let Outcome::Executed(paid) = world.mpesa.collect(&collection).await else { panic!() };
        let again = world.mpesa.collect(&collection).await;
        assert!(matches!(again, Outcome::Unknown { .. }), "a duplicate: {again:?}");
        let found = world.mpesa.inquire(&inquiry(WalletOperation::Collect)).await;
        assert_eq!(executed(&found), paid.receipt.as_str());

        let payout = order_in(StepName::Second, msisdn, "50", currency);
        assert!(matches!(world.mpesa.pay_out(&payout).await, Outcome::Executed(_)));
        let reversal = ReverseOrder { receipt: paid.receipt.clone(), ..reverse_order() };
        let Outcome::Executed(reversed) = world.mpesa.reverse().unwrap().reverse(&reversal).await
        else {
            panic!()
        };
        assert_ne!(reversed.receipt, paid.receipt);
        let found = world.mpesa.inquire(&inquiry(WalletOperation::Reverse)).await;
        assert_eq!(executed(&found), reversed.receipt.as_str());
        let found = world.mpesa.inquire(&inquiry(WalletOperation::Collect)).await;
        assert!(matches!(found, Finding::Reversed(_)), "{found:?}");

        let named = world.mpesa.holder_name().is_some();
        assert_eq!(named, market == Market::VodafoneGha);
        if let Some(names) = world.mpesa.holder_name() {
            assert!(names.holder_name(&collection.msisdn).await.unwrap().is_some());
        }
        assert_eq!(world.movement_count(), 3, "{file}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_trigger_of_the_sandbox_comes_to_what_its_words_say() {
    let amount = Some(Reason::AmountNotAllowed);
    let funds = Some(Reason::InsufficientFunds);
    // Completed; refused for a reason; or unknown.
    let collections = [
        Ok(true),
        Ok(false),
        Ok(false),
        Err(Some(Reason::Other)),
        Ok(false),
        Err(Some(Reason::Other)),
        Err(amount),
        Err(funds),
        Ok(false),
    ];
    let payouts = [Ok(true), Ok(false), Ok(false), Ok(false), Err(amount), Err(funds), Ok(false)];
    for unavailable_as_503 in [true, false] {
        for (step, table) in [(StepName::First, &collections[..]), (StepName::Second, &payouts)] {
            for (number, expected) in (1..).zip(table) {
                let options = Options { triggers: true, unavailable_as_503, ..Options::default() };
                let world = world("tz", options);
                let order = order_in(step, &format!("00000000000{number}"), "125", "TZS");
                let outcome = match step {
                    StepName::First => world.mpesa.collect(&order).await,
                    _ => world.mpesa.pay_out(&order).await,
                };
                let apply_late_outcome = match &outcome {
                    Outcome::Executed(_) => Ok(true),
                    Outcome::Unknown { .. } => Ok(false),
                    Outcome::Rejected(rejection) => Err(Some(rejection.reason)),
                    _ => Err(None),
                };
                assert_eq!(apply_late_outcome, *expected, "{step:?} {number}: {outcome:?}");
                assert_eq!(world.movement_count(), usize::from(apply_late_outcome == Ok(true)));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_later_is_understood_and_acknowledged_in_the_right_form() {
    for success_code in ["INS-0", "0"] {
        let world = world(
            "tz",
            Options {
                asynchronous: true,
                delay_ms: 500,
                success_code: success_code.to_owned(),
                ..Options::default()
            },
        );
        let accepted = world.mpesa.pay_out(&order(StepName::Second)).await;
        assert!(matches!(accepted, Outcome::Pending(_)), "{accepted:?}");
        let found = world.mpesa.inquire(&inquiry(WalletOperation::PayOut)).await;
        assert!(matches!(found, Finding::InProgress(_)), "{found:?}");
        sleep(Duration::from_secs(1)).await;
        let [CallbackContent::Result { reference, finding }] = &world.contents()[..] else {
            panic!()
        };
        assert_eq!(*reference, Some(order(StepName::Second).reference));
        let found = world.mpesa.inquire(&inquiry(WalletOperation::PayOut)).await;
        assert_eq!(executed(finding), executed(&found));
        assert_eq!(world.simulator.wrong_acknowledgements(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_unknown_until_the_query_tells() {
    for (fault, moved) in [
        (Fault::ResetBefore, 0),
        (Fault::ErrorBefore, 0),
        (Fault::ResetAfter, 1),
        (Fault::ErrorAfter, 1),
        (Fault::HtmlAfter, 1),
    ] {
        let world = world("tz", Options::default());
        world.always("pay_out", fault);
        let outcome = world.mpesa.pay_out(&order(StepName::Second)).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault:?}: {outcome:?}");
        let found = world.mpesa.inquire(&inquiry(WalletOperation::PayOut)).await;
        assert_eq!(matches!(found, Finding::Executed(_)), moved == 1, "{fault:?}: {found:?}");
        assert_eq!(matches!(found, Finding::Absent), moved == 0, "{fault:?}: {found:?}");
        assert_eq!(world.movement_count(), moved);
    }
    let world = world("tz", Options::default());
    world.always("inquire", Fault::IndexingLag);
    assert!(matches!(world.mpesa.collect(&order(StepName::First)).await, Outcome::Executed(_)));
    let found = world.mpesa.inquire(&inquiry(WalletOperation::Collect)).await;
    assert_eq!(found, Finding::Absent);
    sleep(Duration::from_secs(2)).await;
    world.always("inquire", Fault::UnknownStatus);
    let found = world.mpesa.inquire(&inquiry(WalletOperation::Collect)).await;
    assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_payment_at_the_wallet_is_confirmed_and_a_forged_or_reversed_one_is_not() {
    let world = world("tz", Options::default());
    world.always("payment", Fault::CallbackForged);
    let receipt = world.simulator.pay("255712345678", 150_000, "LN-00417").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let notices: Vec<PaymentNotice> = world
        .contents()
        .into_iter()
        .filter_map(|content| match content {
            CallbackContent::Payment(notice) => Some(notice),
            _ => None,
        })
        .collect();
    let [forged, true_one] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(world.mpesa.confirm(forged).await, PaymentFinding::Absent);
    assert_eq!(true_one.receipt.as_ref().unwrap().as_str(), receipt);
    assert_eq!(true_one.amount, money("1500", "TZS"));
    let made = world.mpesa.confirm(true_one).await;
    assert_eq!(made, PaymentFinding::Made(true_one.clone()));
    assert_eq!(world.simulator.wrong_acknowledgements(), 0);
    world.simulator.reverse(&receipt).unwrap();
    let found = world.mpesa.confirm(true_one).await;
    assert!(matches!(found, PaymentFinding::NotMade { .. }), "{found:?}");
}
