use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_core_banking::{
    CoreRequest, CoreRequests, Facts, Hint, Listed, PageMark, RawHook, RequestId, RequestKind,
    RequestPage, RequestsError,
};
use kiungo_domain::transfer::{Origin, Status};
use kiungo_domain::{AccountKind, CoreAccount, CoreId, Timestamp, TransferId};
use kiungo_engine::Engine;
use kiungo_engine::requests::{
    Action, Conditions, DecideError, HookError, HookResult, Payee, RequestIntake, RequestLink,
    RequestLinkOptions, RequestRules, RequestTurns, Rule, WalletSource,
};
use kiungo_store::{CoreRequestRow, CoreRequestState, TransferQuery};
use tokio_util::sync::CancellationToken;

use crate::world::{World, provider_id, tzs};

/// A core whose open requests are scripted.
#[derive(Default)]
pub struct Asked {
    open: Mutex<BTreeMap<RequestId, CoreRequest>>,
    down: AtomicBool,
    /// True if no page but the first can be had.
    torn: AtomicBool,
    reads: AtomicU32,
    /// The time that a page of the list takes, in milliseconds.
    slow_ms: AtomicU64,
    /// The number of times that the list was begun.
    pub rounds: AtomicU32,
}

impl Asked {
    pub fn says(&self, request: CoreRequest) {
        self.open.lock().unwrap().insert(request.id.clone(), request);
    }

    fn settles(&self, id: &str) {
        self.open.lock().unwrap().remove(&name(id));
    }

    fn answer<T>(&self, answer: T) -> Result<T, RequestsError> {
        let down = self.down.load(Ordering::SeqCst);
        if down { Err(RequestsError("it is down".to_owned())) } else { Ok(answer) }
    }
}

#[async_trait]
impl CoreRequests for Asked {
    /// Two to a page, without facts.
    async fn list(
        &self,
        after: Option<&PageMark>,
        _at: Timestamp,
    ) -> Result<RequestPage, RequestsError> {
        let behind: usize = after.map_or(0, |mark| mark.0.parse().unwrap());
        self.rounds.fetch_add(u32::from(behind == 0), Ordering::SeqCst);
        if behind > 0 && self.torn.load(Ordering::SeqCst) {
            return Err(RequestsError("a page is torn".to_owned()));
        }
        let slow = self.slow_ms.load(Ordering::SeqCst);
        if slow > 0 {
            tokio::time::sleep(Duration::from_millis(slow)).await;
        }
        let open = self.open.lock().unwrap();
        let light = |request: &CoreRequest| {
            let facts = Facts { product: request.facts.product, ..Facts::default() };
            let request = CoreRequest { facts, ..request.clone() };
            Listed { id: request.id.clone(), request: Some(request) }
        };
        let listed: Vec<_> = open.values().skip(behind).take(2).map(light).collect();
        let more = behind + listed.len() < open.len();
        let next = more.then(|| PageMark((behind + listed.len()).to_string()));
        self.answer(RequestPage { listed, next, failed: None })
    }

    async fn read(
        &self,
        id: &RequestId,
        _at: Timestamp,
    ) -> Result<Option<CoreRequest>, RequestsError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.answer(self.open.lock().unwrap().get(id).cloned())
    }

    /// A hook's body is the name, or nothing.
    fn hint(&self, hook: &RawHook) -> Hint {
        match std::str::from_utf8(&hook.body).unwrap() {
            "" => Hint::Somewhere,
            text => RequestId::new(text).map_or(Hint::Nothing, Hint::Request),
        }
    }
}

/// A process that takes up what a core asks for.
pub struct Scene {
    pub world: Arc<World>,
    pub asked: Arc<Asked>,
    engine: Engine,
    pub intake: RequestIntake,
}

impl Scene {
    pub async fn open() -> Self {
        let world = World::new();
        let engine = world.engine();
        engine.start().await.unwrap();
        let asked = Arc::new(Asked::default());
        let intake = intake(&engine, &asked, RequestTurns::Alone);
        Self { world, asked, engine, intake }
    }

    /// Another process beside, on the same store.
    pub fn beside(&self, turns: RequestTurns) -> Self {
        let (world, asked) = (Arc::clone(&self.world), Arc::new(Asked::default()));
        let intake = intake(&self.engine, &asked, turns);
        Self { world, asked, engine: self.engine.clone(), intake }
    }

    pub async fn hook(&self, body: &str) -> Result<HookResult, HookError> {
        let hook = RawHook { headers: Vec::new(), body: body.as_bytes().to_vec() };
        self.intake.hook(&main(), &hook).await
    }

    /// Approves what is there now.
    async fn approve(
        &self,
        request: &str,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        let row = self.engine.store().core_request(&main(), request).await?;
        let shown = row.map_or(0, |row| row.version);
        self.intake.approve(&main(), request, shown, by, reason).await
    }

    async fn row(&self, id: &str) -> CoreRequestRow {
        self.engine.store().core_request(&main(), id).await.unwrap().expect("it was taken up")
    }

    async fn state(&self, id: &str) -> CoreRequestState {
        self.row(id).await.state
    }

    pub async fn transfers(&self) -> usize {
        let query = TransferQuery { limit: 500, ..TransferQuery::default() };
        self.engine.store().search(&query).await.unwrap().rows.len()
    }

    async fn ended(&self, id: TransferId) -> Status {
        loop {
            let status = self.engine.store().summary(id).await.unwrap().unwrap().status;
            if status.is_final() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Product 1 is paid by itself, product 2 waits for a person, others are ignored.
fn intake(engine: &Engine, asked: &Arc<Asked>, turns: RequestTurns) -> RequestIntake {
    let payee = || Payee { provider: provider_id(), wallet: WalletSource::Owner };
    let of = |product| Conditions { products: vec![product], ..Conditions::default() };
    let rules = RequestRules {
        rules: vec![
            Rule { when: of(1), action: Action::PayOut(payee()) },
            Rule { when: of(2), action: Action::Ask(payee()) },
        ],
        ..RequestRules::default()
    };
    let core = Arc::clone(asked) as Arc<dyn CoreRequests>;
    let link = RequestLink { core, rules, options: RequestLinkOptions::default() };
    RequestIntake::new(engine.clone(), [(main(), link)].into(), turns)
}

pub fn main() -> CoreId {
    CoreId::new("main").unwrap()
}

fn name(id: &str) -> RequestId {
    RequestId::new(id).unwrap()
}

pub fn loan(number: u64, product: u64) -> CoreRequest {
    CoreRequest {
        id: name(&format!("loan-{number}")),
        kind: RequestKind::Disbursement,
        account: CoreAccount { kind: AccountKind::Loan, id: number },
        account_no: format!("{number:09}"),
        amount: tzs("1000"),
        facts: Facts {
            product: Some(product),
            phone: Some("255712345678".to_owned()),
            complete: true,
            ..Facts::default()
        },
        obstacle: None,
    }
}

#[tokio::test(start_paused = true)]
async fn however_often_a_request_is_heard_of_it_is_one_transfer() {
    let scene = Scene::open().await;
    scene.asked.says(loan(7, 1));
    for _ in 0..3 {
        assert_eq!(scene.hook("loan-7").await, Ok(HookResult::TakenUp));
    }
    let hearing = (0..50).map(|n| {
        let (intake, hooked) = (scene.intake.clone(), n % 2 == 0);
        tokio::spawn(async move {
            let hook = RawHook { headers: Vec::new(), body: b"loan-7".to_vec() };
            if hooked {
                // Too many at a time are turned away, and the poller looks.
                let _ = intake.hook(&main(), &hook).await;
            } else {
                intake.poll(&main()).await.unwrap();
            }
        })
    });
    for heard in hearing.collect::<Vec<_>>() {
        heard.await.unwrap();
    }
    let row = scene.row("loan-7").await;
    assert_eq!((row.state, scene.transfers().await), (CoreRequestState::Submitted, 1));
    let transfer = scene.engine.store().summary(row.transfer.unwrap()).await.unwrap().unwrap();
    assert_eq!(transfer.amount, tzs("1000"));
    assert_eq!(transfer.origin, Origin::Api { client: "core main".to_owned() });
    assert_eq!(transfer.client_reference.as_deref(), Some("loan-7"));
    assert_eq!(scene.ended(row.transfer.unwrap()).await, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_forged_hook_moves_nothing() {
    let scene = Scene::open().await;
    assert_eq!(scene.hook("loan-7").await, Ok(HookResult::TakenUp));
    assert_eq!(scene.hook("<html>").await, Ok(HookResult::Ignored));
    assert_eq!(scene.hook("").await, Ok(HookResult::Noted));
    assert_eq!(scene.transfers().await, 0);
    assert_eq!(scene.engine.store().core_request(&main(), "loan-7").await, Ok(None));
    let unknown = CoreId::new("other").unwrap();
    let hook = RawHook { headers: Vec::new(), body: Vec::new() };
    let refused = scene.intake.hook(&unknown, &hook).await;
    assert_eq!(refused, Err(HookError::UnknownCore(unknown)));
}

#[tokio::test(start_paused = true)]
async fn a_round_finds_what_hooks_missed_and_reads_only_what_matters() {
    let scene = Scene::open().await;
    for number in 0..9 {
        scene.asked.says(loan(number, 1 + number % 3));
    }
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.transfers().await, 3);
    assert_eq!(scene.asked.reads.load(Ordering::SeqCst), 6, "what is ignored is not read");
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.transfers().await, 3);
    assert_eq!(scene.asked.reads.load(Ordering::SeqCst), 6, "what is known is not read again");
    assert_eq!(scene.state("loan-1").await, CoreRequestState::Waiting);
    scene.asked.settles("loan-1");
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.state("loan-1").await, CoreRequestState::Gone);
    scene.asked.says(loan(1, 2));
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.state("loan-1").await, CoreRequestState::Waiting);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_cannot_be_had_keeps_no_other_from_being_looked_at() {
    let scene = Scene::open().await;
    scene.asked.torn.store(true, Ordering::SeqCst);
    for number in [7, 8, 9] {
        scene.asked.says(loan(number, 1));
    }
    assert!(scene.intake.poll(&main()).await.is_err());
    assert_eq!(scene.transfers().await, 2);
    scene.asked.says(loan(6, 1));
    assert!(scene.intake.poll(&main()).await.is_err());
    assert_eq!(scene.transfers().await, 3, "the first page is looked at again");
    scene.asked.torn.store(false, Ordering::SeqCst);
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.transfers().await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_at_the_commit_leaves_one_transfer() {
    let scene = Scene::open().await;
    scene.asked.says(loan(7, 1));
    scene.hook("loan-7").await.unwrap();
    let before = scene.row("loan-7").await;
    // As a process leaves it that dies before it has written down which transfer it made.
    let died =
        CoreRequestRow { state: CoreRequestState::Accepted, transfer: None, ..before.clone() };
    assert!(scene.engine.store().put_core_request(died).await.unwrap());
    scene.intake.poll(&main()).await.unwrap();
    let after = scene.row("loan-7").await;
    assert_eq!((after.state, after.transfer), (CoreRequestState::Submitted, before.transfer));
    // And as one that dies before it has made the transfer.
    scene.asked.says(loan(8, 2));
    scene.hook("loan-8").await.unwrap();
    let waiting = scene.row("loan-8").await;
    let died = CoreRequestRow { state: CoreRequestState::Accepted, ..waiting };
    assert!(scene.engine.store().put_core_request(died).await.unwrap());
    scene.asked.down.store(true, Ordering::SeqCst);
    assert!(scene.intake.poll(&main()).await.is_err());
    assert_eq!(scene.state("loan-8").await, CoreRequestState::Submitted, "the core may be down");
    assert_eq!(scene.transfers().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_person_approves_or_declines_and_is_named() {
    let scene = Scene::open().await;
    scene.asked.says(loan(7, 2));
    scene.asked.says(loan(8, 2));
    scene.intake.poll(&main()).await.unwrap();
    let row = scene.approve("loan-7", "asha", "called back").await.unwrap();
    assert_eq!(row.state, CoreRequestState::Submitted);
    assert_eq!(row, scene.row("loan-7").await);
    let decision = &row.decisions[0];
    assert_eq!((decision.by.as_str(), decision.approved), ("asha", true));
    assert_eq!(decision.reason, "called back");
    let again = scene.approve("loan-7", "asha", "again").await;
    assert!(matches!(again, Err(DecideError::Conflict(_))), "{again:?}");
    let declined = scene.intake.decline(&main(), "loan-8", None, "juma", "no").await.unwrap();
    assert_eq!(declined.state, CoreRequestState::Declined);
    assert!(scene.intake.decline(&main(), "loan-8", None, "juma", "no").await.is_err());
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.state("loan-8").await, CoreRequestState::Declined);
    // Another amount is another question.
    scene.asked.says(CoreRequest { amount: tzs("900"), ..loan(8, 2) });
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.state("loan-8").await, CoreRequestState::Waiting);
    assert_eq!(scene.transfers().await, 1);
    let unknown = scene.approve("loan-9", "asha", "x").await;
    assert!(matches!(unknown, Err(DecideError::NotFound { .. })), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_approves_what_he_has_not_seen() {
    let scene = Scene::open().await;
    scene.asked.says(loan(7, 2));
    scene.intake.poll(&main()).await.unwrap();
    scene.asked.says(CoreRequest { amount: tzs("900"), ..loan(7, 2) });
    let surprised = scene.approve("loan-7", "asha", "fine").await;
    let Err(DecideError::Outdated { shown: 1, current: 2, .. }) = surprised else {
        panic!("{surprised:?}");
    };
    assert_eq!(scene.transfers().await, 0);
    // A poller may have found the request first: then its version differs.
    let late = scene.intake.approve(&main(), "loan-7", 1, "asha", "fine").await;
    assert!(matches!(late, Err(DecideError::Outdated { shown: 1, current: 2, .. })), "{late:?}");
    let late = scene.intake.decline(&main(), "loan-7", Some(1), "asha", "no").await;
    assert!(matches!(late, Err(DecideError::Outdated { .. })), "{late:?}");
    assert_eq!(scene.transfers().await, 0);
    scene.approve("loan-7", "asha", "fine").await.unwrap();
    assert_eq!(scene.transfers().await, 1);
    scene.asked.says(loan(8, 2));
    scene.intake.poll(&main()).await.unwrap();
    scene.asked.settles("loan-8");
    let late = scene.approve("loan-8", "asha", "fine").await;
    assert!(matches!(late, Err(DecideError::Conflict(_))), "{late:?}");
    assert_eq!(scene.state("loan-8").await, CoreRequestState::Gone);
    scene.asked.says(loan(9, 2));
    scene.intake.poll(&main()).await.unwrap();
    scene.asked.down.store(true, Ordering::SeqCst);
    let down = scene.approve("loan-9", "asha", "fine").await;
    assert!(matches!(down, Err(DecideError::Core(_))), "{down:?}");
    assert_eq!(scene.state("loan-9").await, CoreRequestState::Waiting);
}

#[tokio::test(start_paused = true)]
async fn another_amount_after_a_transfer_calls_a_person_and_pays_nothing() {
    let scene = Scene::open().await;
    scene.asked.says(loan(7, 1));
    scene.intake.poll(&main()).await.unwrap();
    let first = scene.row("loan-7").await.transfer.unwrap();
    assert_eq!(scene.ended(first).await, Status::Completed);
    scene.asked.says(CoreRequest { amount: tzs("1500"), ..loan(7, 1) });
    for _ in 0..2 {
        scene.intake.poll(&main()).await.unwrap();
        scene.hook("loan-7").await.unwrap();
    }
    let row = scene.row("loan-7").await;
    assert_eq!((row.state, row.transfer), (CoreRequestState::Changed, Some(first)));
    assert!(row.detail.contains("1500.00") && row.detail.contains("1000.00"), "{}", row.detail);
    let paid_twice = scene.approve("loan-7", "asha", "pay it").await;
    assert!(matches!(paid_twice, Err(DecideError::Conflict(_))), "{paid_twice:?}");
    scene.intake.decline(&main(), "loan-7", None, "asha", "a mistake in the core").await.unwrap();
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.state("loan-7").await, CoreRequestState::Declined);
    assert_eq!(scene.transfers().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_request_is_paid_again_only_when_a_person_says_so() {
    let scene = Scene::open().await;
    *scene.world.refuses_payouts.lock().unwrap() = true;
    scene.asked.says(loan(7, 1));
    scene.intake.poll(&main()).await.unwrap();
    let first = scene.row("loan-7").await.transfer.unwrap();
    assert_eq!(scene.ended(first).await, Status::Reversed);
    *scene.world.refuses_payouts.lock().unwrap() = false;
    // The disbursement was reversed, so the core says again that the loan is approved.
    for _ in 0..3 {
        scene.hook("loan-7").await.unwrap();
        scene.intake.poll(&main()).await.unwrap();
    }
    assert_eq!(scene.transfers().await, 1);
    let row = scene.approve("loan-7", "asha", "the wallet is open").await.unwrap();
    let second = row.transfer.unwrap();
    assert_ne!(first, second);
    assert_eq!((row.generation, scene.ended(second).await), (2, Status::Completed));
    let third = scene.approve("loan-7", "asha", "once more").await;
    assert!(matches!(third, Err(DecideError::Conflict(_))), "{third:?}");
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.transfers().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_paid_waits_for_a_person_with_the_reason() {
    let scene = Scene::open().await;
    let mut without_phone = loan(7, 1);
    without_phone.facts.phone = None;
    scene.asked.says(without_phone);
    let obstacle = Some("it is paid in tranches".to_owned());
    scene.asked.says(CoreRequest { obstacle, ..loan(8, 1) });
    *scene.world.max.lock().unwrap() = Some(tzs("999"));
    scene.asked.says(loan(9, 1));
    scene.intake.poll(&main()).await.unwrap();
    for (id, says) in [("loan-7", "phone"), ("loan-8", "tranches"), ("loan-9", "as told")] {
        let row = scene.row(id).await;
        assert_eq!(row.state, CoreRequestState::Waiting, "{id}");
        assert!(row.detail.contains(says), "{id}: {}", row.detail);
    }
    assert!(scene.approve("loan-8", "asha", "x").await.is_err());
    *scene.world.max.lock().unwrap() = None;
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.state("loan-9").await, CoreRequestState::Waiting);
    scene.approve("loan-9", "asha", "the limit was raised").await.unwrap();
    // Once the core has a number, the rule pays.
    scene.asked.says(loan(7, 1));
    scene.intake.poll(&main()).await.unwrap();
    assert_eq!(scene.state("loan-7").await, CoreRequestState::Submitted);
    assert_eq!(scene.transfers().await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_poller_outlives_an_outage_and_hears_hooks_at_once() {
    let scene = Scene::open().await;
    scene.asked.down.store(true, Ordering::SeqCst);
    let stop = CancellationToken::new();
    let poller = {
        let (intake, stop) = (scene.intake.clone(), stop.clone());
        tokio::spawn(async move { intake.keep_polling(&main(), &stop).await })
    };
    scene.asked.says(loan(7, 1));
    let failed = scene.hook("loan-7").await;
    assert!(matches!(failed, Err(HookError::Core(_))), "{failed:?}");
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(scene.transfers().await, 0);
    scene.asked.down.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(scene.transfers().await, 1);
    scene.asked.says(loan(8, 1));
    assert_eq!(scene.hook("").await, Ok(HookResult::Noted));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.transfers().await, 2);
    stop.cancel();
    poller.await.unwrap();
}

/// A request that no rule wants, by facts that no list shows, is read once, and then now and then.
#[tokio::test(start_paused = true)]
async fn a_request_that_no_rule_wants_is_not_read_in_every_round() {
    let scene = Scene::open().await;
    let rules = RequestRules {
        rules: vec![Rule {
            when: Conditions {
                fields: vec![("mm.channel".to_owned(), "M-Pesa".to_owned())],
                ..Conditions::default()
            },
            action: Action::PayOut(Payee { provider: provider_id(), wallet: WalletSource::Owner }),
        }],
        ..RequestRules::default()
    };
    let core = Arc::clone(&scene.asked) as Arc<dyn CoreRequests>;
    let link = RequestLink { core, rules, options: RequestLinkOptions::default() };
    let intake =
        RequestIntake::new(scene.engine.clone(), [(main(), link)].into(), RequestTurns::Alone);
    for number in 0..60 {
        scene.asked.says(loan(number, 1));
    }
    let reads = || scene.asked.reads.swap(0, Ordering::SeqCst);
    intake.poll(&main()).await.unwrap();
    assert_eq!(reads(), 60);
    for _ in 0..60 {
        intake.poll(&main()).await.unwrap();
    }
    let later = reads();
    assert!(later <= 60 * 9, "{later} reads in 60 rounds");
    // A request whose entry in the list has changed is read at once.
    scene.asked.says(CoreRequest { amount: tzs("900"), ..loan(7, 1) });
    intake.poll(&main()).await.unwrap();
    assert!(reads() >= 1);
    // And in the end what has been added where no list shows it.
    let mut wanted = loan(8, 1);
    wanted.facts.fields.insert("mm.channel".to_owned(), "M-Pesa".to_owned());
    scene.asked.says(wanted);
    for _ in 0..11 {
        intake.poll(&main()).await.unwrap();
    }
    assert_eq!(scene.transfers().await, 1);
}

/// A round that takes long does not put the next one off by its own length.
#[tokio::test(start_paused = true)]
async fn rounds_begin_an_interval_apart() {
    let scene = Scene::open().await;
    scene.asked.slow_ms.store(20_000, Ordering::SeqCst);
    let stop = CancellationToken::new();
    let polling = {
        let (intake, stop) = (scene.intake.clone(), stop.clone());
        tokio::spawn(async move { intake.keep_polling(&main(), &stop).await })
    };
    tokio::time::sleep(Duration::from_secs(250)).await;
    let rounds = scene.asked.rounds.load(Ordering::SeqCst);
    assert_eq!(rounds, 5, "at 0, 60, 120, 180 and 240 s");
    // One that takes longer than the interval is followed by a rest.
    scene.asked.slow_ms.store(100_000, Ordering::SeqCst);
    scene.asked.rounds.store(0, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let rounds = scene.asked.rounds.load(Ordering::SeqCst);
    assert!((8..=9).contains(&rounds), "{rounds}");
    stop.cancel();
    polling.await.unwrap();
}
