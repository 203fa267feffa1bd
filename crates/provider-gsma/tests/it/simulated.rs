//! Every operation against the simulator: both versions, the three flows, each way to log in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Outcome, Receipt, Timestamp};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CallbackContent, PeriodQuery, Provider, RawCallback, ReverseOrder, StatementLine,
    WalletInquiry, WalletOrder,
};
use kiungo_provider_gsma::{AccountState, AuthScheme, Gsma, Institution, LinkStyle, MsisdnFormat};
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::{Fault, Faults, Plan, ResetConnection};
use kiungo_simulator_gsma::options::{Credentials, Flow, LinkForm};
use kiungo_simulator_gsma::{AccountStatus, Options, Simulator};
use kiungo_transport::testing::InProcess;

use crate::world::*;

/// Keeps callbacks as the server would hand them on.
#[derive(Default)]
struct Mailbox(Mutex<Vec<RawCallback>>);

#[async_trait]
impl Delivery for Mailbox {
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16> {
        let url = callback.uri().to_string();
        let headers = callback.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        self.0.lock().unwrap().push(RawCallback {
            method: callback.method().to_string(),
            path: url.strip_prefix(CALLBACKS).unwrap().to_owned(),
            headers,
            body: callback.body().clone(),
        });
        Some(204)
    }
}

struct World {
    gsma: Gsma,
    simulator: Simulator,
    mailbox: Arc<Mailbox>,
    faults: Faults,
}

#[derive(Debug, Clone, Copy)]
enum LogIn {
    Basic,
    Oauth2,
    ApiKey,
}

fn world(older: bool, flow: Flow, log_in: LogIn) -> World {
    world_with(older, log_in, Options { flow, ..Options::default() }, |_| {})
}

/// The older or the newer version with its way to log in, the peculiarities of the provider, and
/// the settings of the mapping about it.
fn world_with(
    older: bool,
    log_in: LogIn,
    mut options: Options,
    change: impl FnOnce(&mut Mapping),
) -> World {
    let mut mapping = if older { Mapping::older() } else { Mapping::newer() };
    let prefix = if older { "v1.1" } else { "v1.2" };
    mapping.gsma.base_url = format!("http://gsma.test/{prefix}/mm");
    mapping.gsma.token_url = Some("http://gsma.test/v1/oauth/accesstoken".to_owned());
    let basic = Credentials { name: "mfi".to_owned(), secret: "pass word".to_owned() };
    let oauth = Credentials { name: "consumer".to_owned(), secret: "hush".to_owned() };
    let security = &mut options.security;
    security.api_key = Some("key-1".to_owned());
    match log_in {
        LogIn::Basic => security.basic = Some(basic),
        LogIn::Oauth2 => security.oauth = Some(oauth),
        LogIn::ApiKey => {}
    }
    mapping.gsma.auth = match log_in {
        LogIn::Basic => AuthScheme::Basic,
        LogIn::Oauth2 => AuthScheme::Oauth2,
        LogIn::ApiKey => AuthScheme::None,
    };
    options.currency = lsl();
    change(&mut mapping);
    let clock = Clock::Virtual { epoch: at(), origin: tokio::time::Instant::now() };
    let mailbox = Arc::new(Mailbox::default());
    let faults = Faults::new(Plan::none(7));
    let simulator = Simulator::new(options, clock, mailbox.clone(), faults.clone());
    let gsma = mapping.adapter(Arc::new(InProcess::new::<ResetConnection>(simulator.router())));
    World { gsma, simulator, mailbox, faults }
}

impl World {
    /// The receipt of an operation: answered at once, reported by callback, or found by an inquiry.
    async fn receipt(&self, answered: Outcome, inquiry: WalletInquiry) -> Receipt {
        let handle = match answered {
            Outcome::Executed(confirmation) => return confirmation.receipt,
            Outcome::Pending(acceptance) => acceptance.handle,
            other => panic!("{other:?}"),
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
        let told = std::mem::take(&mut *self.mailbox.0.lock().unwrap());
        let asked = self.gsma.inquire(&WalletInquiry { handle, ..inquiry.clone() }).await;
        let by_reference = self.gsma.inquire(&inquiry).await;
        assert_eq!(asked, by_reference, "by handle and by reference");
        for callback in told {
            let content = self.gsma.read_callback(&callback).unwrap();
            let reference = Some(inquiry.reference);
            assert_eq!(content, CallbackContent::Result { reference, finding: asked.clone() });
        }
        match asked {
            Finding::Executed(confirmation) => confirmation.receipt,
            other => panic!("{other:?}"),
        }
    }

    async fn statement(&self) -> Vec<StatementLine> {
        let until = Timestamp::from_micros(at().as_micros() + 3_600_000_000);
        let mut lines = Vec::new();
        for offset in (0..).step_by(2) {
            let query = PeriodQuery { from: at(), to: until, offset, limit: 2 };
            let page = self.gsma.statement().unwrap().page(&query).await.unwrap();
            if page.lines.is_empty() {
                break;
            }
            assert_eq!(page.available, Some(3));
            lines.extend(page.lines);
        }
        lines
    }
}

fn of_payout() -> WalletInquiry {
    WalletInquiry {
        reference: payout().reference,
        operation: WalletOperation::PayOut,
        amount: payout().amount,
        ..inquiry(None)
    }
}

fn of_reversal(order: &ReverseOrder) -> WalletInquiry {
    WalletInquiry {
        reference: order.reference,
        operation: WalletOperation::Reverse,
        original: Some(order.receipt.clone()),
        ..inquiry(None)
    }
}

/// Collects, pays out, gives the collection back, and reads everything that can be read.
async fn do_everything(world: &World) {
    let gsma = &world.gsma;
    let good_news = gsma.probe().await.unwrap();
    assert!(good_news.contains("available"), "{good_news}");
    let before = gsma.balance().unwrap().balance().await.unwrap();

    let collected = gsma.collect(&collection()).await;
    let collected = world.receipt(collected, inquiry(None)).await;
    let paid = gsma.pay_out(&payout()).await;
    let paid = world.receipt(paid, of_payout()).await;
    let back = ReverseOrder { receipt: collected.clone(), ..reversal() };
    let returned = gsma.reverse().unwrap().reverse(&back).await;
    let returned = world.receipt(returned, of_reversal(&back)).await;

    let books = world.simulator.books();
    let receipts: Vec<_> = books.movements.iter().map(|moved| moved.receipt.as_str()).collect();
    assert_eq!(receipts, [&collected, &paid, &returned].map(Receipt::as_str));
    let references: Vec<_> = books.movements.iter().map(|moved| moved.reference.clone()).collect();
    let expected = [StepName::First, StepName::Second, StepName::UndoFirst];
    assert_eq!(references, expected.map(|step| reference(step).hyphenated()));
    assert_eq!(books.movements[0].label, "LN000417");
    let balance = gsma.balance().unwrap().balance().await.unwrap();
    assert_eq!(before.minor() - balance.minor(), payout().amount.minor());
    assert_eq!(balance.minor(), books.balances["float"]);

    let name = gsma.holder_name().unwrap().holder_name(&msisdn()).await.unwrap();
    assert!(name.is_some_and(|name| name.contains(' ')));
    assert_eq!(gsma.account_state(&msisdn()).await.unwrap(), Some(AccountState::Available));
    let lines = world.statement().await;
    let listed: Vec<_> = lines.iter().rev().map(|line| line.receipt.as_str()).collect();
    assert_eq!(listed, receipts);
    assert!(lines.iter().all(|line| line.msisdn == Some(msisdn())));
    let incoming: Vec<_> = lines.iter().rev().map(|line| line.incoming).collect();
    assert_eq!(incoming, [true, false, false]);
    let listed: Vec<_> = lines.iter().rev().map(|line| line.reference).collect();
    assert_eq!(listed, expected.map(|step| Some(reference(step))));
}

#[tokio::test(start_paused = true)]
async fn every_operation_works_in_both_versions_all_flows_and_each_way_to_log_in() {
    for older in [false, true] {
        for flow in [Flow::Synchronous, Flow::Callback, Flow::Polling] {
            for log_in in [LogIn::Basic, LogIn::Oauth2, LogIn::ApiKey] {
                do_everything(&world(older, flow, log_in)).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_and_a_second_sending_are_resolved_by_our_own_id() {
    for fault in [Fault::ResetAfter, Fault::ErrorAfter, Fault::HtmlAfter] {
        let world = world(false, Flow::Synchronous, LogIn::Oauth2);
        world.faults.set(always(fault));
        let first = world.gsma.collect(&collection()).await;
        assert!(matches!(first, Outcome::Unknown { .. }), "{fault:?}: {first:?}");
        world.faults.set(Plan::none(7));
        let second = world.gsma.collect(&collection()).await;
        assert!(matches!(second, Outcome::Unknown { .. }), "{fault:?}: {second:?}");
        let found = world.gsma.inquire(&inquiry(None)).await;
        assert!(matches!(found, Finding::Executed(_)), "{fault:?}: {found:?}");
        assert_eq!(world.simulator.books().movements.len(), 1);
    }
}

/// A plan in which this fault happens to every collection.
fn always(fault: Fault) -> Plan {
    let rates = BTreeMap::from([(fault, 10_000)]);
    Plan { rates: BTreeMap::from([("collect".to_owned(), rates)]), ..Plan::none(7) }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_never_arrived_is_absent() {
    let world = world(false, Flow::Requested, LogIn::Basic);
    assert_eq!(world.gsma.inquire(&inquiry(None)).await, Finding::Absent);
}

#[tokio::test(start_paused = true)]
async fn revoked_tokens_are_replaced_without_anybody_noticing() {
    let world = world(false, Flow::Synchronous, LogIn::Oauth2);
    world.gsma.probe().await.unwrap();
    world.simulator.revoke_tokens();
    let outcome = world.gsma.collect(&collection()).await;
    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn every_deviation_of_real_providers_is_understood() {
    for older in [false, true] {
        for flow in [Flow::Synchronous, Flow::Callback, Flow::Polling] {
            let mut options = Options { flow, link: LinkForm::Internal, ..Options::default() };
            options.security.date_deviation_s_max = Some(300);
            let quirks = &mut options.quirks;
            quirks.dates_without_offset = true;
            quirks.pascal_case_errors = true;
            quirks.lower_case_error_text = true;
            quirks.string_integers = true;
            quirks.canonical_parties = true;
            quirks.provisional_object_reference = false;
            quirks.no_correlation_on_callback = true;
            quirks.capital_statuses = true;
            quirks.invalid_offset = true;
            quirks.own_receipts = true;
            let world = world_with(older, LogIn::Oauth2, options, |mapping| {
                mapping.gsma.links = LinkStyle::PathOnly;
                mapping.gsma.msisdn_format = MsisdnFormat::Digits;
                let kind = "organisationid".to_owned();
                mapping.gsma.institution = Some(Institution { kind, id: "MNO-1".to_owned() });
            });
            do_everything(&world).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_state_in_place_of_the_resource_is_only_a_hint() {
    let mut options = Options { flow: Flow::Callback, ..Options::default() };
    options.quirks.request_state_callbacks = true;
    let world = world_with(false, LogIn::Basic, options, |_| {});
    let outcome = world.gsma.collect(&collection()).await;
    assert!(matches!(outcome, Outcome::Pending(_)), "{outcome:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told = std::mem::take(&mut *world.mailbox.0.lock().unwrap());
    let content = world.gsma.read_callback(&told[0]).unwrap();
    let CallbackContent::Result { finding, .. } = content else { panic!("{content:?}") };
    assert!(matches!(finding, Finding::InProgress(_)), "{finding:?}");
}

#[tokio::test(start_paused = true)]
async fn a_link_to_another_host_is_not_followed_unless_its_path_alone_counts() {
    let options =
        Options { flow: Flow::Synchronous, link: LinkForm::Internal, ..Options::default() };
    let world = world_with(false, LogIn::Basic, options, |_| {});
    world.gsma.collect(&collection()).await;
    let found = world.gsma.inquire(&inquiry(None)).await;
    assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_the_same_in_all_flows() {
    for flow in [Flow::Synchronous, Flow::Callback, Flow::Polling] {
        let world = world(false, flow, LogIn::Basic);
        world.simulator.set_account_status("26657000001", AccountStatus::Unavailable);
        let refused = match world.gsma.collect(&collection()).await {
            Outcome::Rejected(rejection) => rejection,
            Outcome::Pending(_) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let found = world.gsma.inquire(&inquiry(None)).await;
                let Finding::Rejected(rejection) = found else { panic!("{found:?}") };
                rejection
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(refused.code, "businessRule/incorrectState");
        let state = world.gsma.account_state(&msisdn()).await;
        assert_eq!(state, Ok(Some(AccountState::Unavailable)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateways_refusal_is_what_the_mapping_says_and_nothing_else() {
    let world = world(false, Flow::Synchronous, LogIn::Basic);
    world.faults.set(always(Fault::GatewayRefuses));
    let mut seen = [0, 0];
    for amount in 1..=9 {
        let order = WalletOrder { amount: money(&amount.to_string()), ..collection() };
        match world.gsma.collect(&order).await {
            // 429 is listed.
            Outcome::NotSent { .. } => seen[0] += 1,
            // 403 is not.
            Outcome::Unknown { .. } => seen[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    assert_eq!(world.simulator.books().movements.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn silence_after_an_acceptance_stays_open_until_the_provider_says_that_it_expired() {
    let world = world(false, Flow::Requested, LogIn::Basic);
    world.faults.set(always(Fault::Silence));
    let outcome = world.gsma.collect(&collection()).await;
    let Outcome::Pending(accepted) = outcome else { panic!("{outcome:?}") };
    let asked = WalletInquiry { handle: accepted.handle, ..inquiry(None) };
    tokio::time::sleep(Duration::from_mins(9)).await;
    let found = world.gsma.inquire(&asked).await;
    assert!(matches!(found, Finding::InProgress(_)), "{found:?}");
    tokio::time::sleep(Duration::from_mins(2)).await;
    let found = world.gsma.inquire(&asked).await;
    assert!(matches!(found, Finding::Rejected(_)), "{found:?}");
    assert!(world.mailbox.0.lock().unwrap().is_empty());
}
