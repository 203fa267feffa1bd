//! Evidence about an operation of ours is compared with the very reference that it names.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::outcome::{Acceptance, Awaiting, Confirmation, Reason, Rejection, Retry};
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{CaseKind, Event, Status, StepName};
use kiungo_domain::{
    AccountKind, AccountRef, Finding, Kind, Outcome, Receipt, Reference, TransferId,
};
use kiungo_engine::{Clock as _, Engine};
use kiungo_provider::RawCallback;
use kiungo_store::{MemoryStore, Store, Summary, TransferQuery};

use crate::world::{DiesAfter, World, Yielding, provider_id, rejection, submit, transfer};

/// An engine at work, and its world.
pub struct Scene {
    pub world: Arc<World>,
    pub engine: Engine,
}

impl Scene {
    pub async fn open(world: Arc<World>) -> Self {
        let engine = world.engine();
        engine.start().await.unwrap();
        Self { world, engine }
    }

    /// A provider that confirms payments when it is asked.
    pub async fn confirming() -> Self {
        let world = World::new();
        world.script().confirms = true;
        Self::open(world).await
    }

    /// Time passes, by the time of day and by the process's own clock.
    pub async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.world.wait(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    pub async fn submit(&self, kind: Kind) -> TransferId {
        let id = submit(&self.engine, kind.as_str(), transfer(kind, "500")).await.unwrap().first.id;
        self.pass(5).await;
        id
    }

    pub async fn notify(&self, body: String) {
        let callback = RawCallback {
            method: "POST".to_owned(),
            path: "told".to_owned(),
            headers: Vec::new(),
            body: Bytes::from(body),
        };
        self.engine.callback(&provider_id(), callback).await.unwrap();
    }

    pub async fn show(&self, id: TransferId) -> Summary {
        self.engine.store().summary(id).await.unwrap().unwrap()
    }

    pub async fn all(&self) -> Vec<Summary> {
        let query = TransferQuery { limit: 50, ..TransferQuery::default() };
        self.engine.store().search(&query).await.unwrap().rows
    }

    pub async fn cases(&self, id: TransferId) -> Vec<CaseKind> {
        let rows = self.engine.store().cases(None, 50).await.unwrap().rows;
        rows.into_iter().filter(|case| case.transfer == Some(id)).map(|case| case.kind).collect()
    }

    pub fn sent(&self, word: &str) -> usize {
        self.world.script().sent.iter().filter(|sent| sent.starts_with(word)).count()
    }

    pub async fn tells_of(&self, id: TransferId) -> Vec<Event> {
        let journal = self.engine.store().journal(id).await.unwrap();
        journal.into_iter().map(|entry| entry.event).collect()
    }
}

pub fn done(text: &str) -> Outcome {
    Outcome::Executed(Confirmation::bare(Receipt::new(text).unwrap()))
}

pub fn executed(text: &str) -> Finding {
    Finding::Executed(Confirmation::bare(Receipt::new(text).unwrap()))
}

pub fn refused_for_now(reason: Reason) -> Outcome {
    Outcome::Rejected(Rejection { retry: Retry::NewReference, ..rejection(reason) })
}

fn account(id: u64) -> AccountRef {
    AccountRef { kind: Some(AccountKind::Savings), key: AccountKey::Id(id) }
}

/// The customer approves after the provider has said "timed out", and the provider tells of it.
#[tokio::test(start_paused = true)]
async fn a_payment_under_a_collection_that_had_failed_waits_in_suspense_with_a_case() {
    let scene = Scene::confirming().await;
    scene.world.script().collects.push_back(Outcome::Rejected(rejection(Reason::CustomerTimeout)));
    let id = scene.submit(Kind::Deposit).await;
    assert_eq!(scene.show(id).await.status, Status::Failed);
    let reference = Reference::new(id, StepName::First, 0);
    scene.world.script().truth.insert(reference, executed("QX1"));
    scene.notify(format!("QX1 255712345678 500 7 {reference}")).await;
    scene.pass(10).await;
    assert_eq!(scene.show(id).await.status, Status::Failed, "final does not flip");
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    let receipt = Receipt::new("QX1").unwrap();
    let owner = scene.engine.store().by_receipt(&provider_id(), &receipt).await.unwrap().unwrap();
    assert_ne!(owner, id);
    assert_eq!(scene.show(owner).await.status, Status::Suspended);
    // Told again, in whatever form, it changes nothing.
    scene.notify(format!("QX1 255712345678 500 7 {reference} ")).await;
    scene.notify(format!("result {reference} executed QX1")).await;
    scene.pass(60).await;
    assert_eq!((scene.all().await.len(), scene.cases(id).await.len()), (2, 1));
}

/// The same, told as a result.
#[tokio::test(start_paused = true)]
async fn a_late_result_of_a_failed_collection_is_not_dropped() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().collects.push_back(Outcome::Rejected(rejection(Reason::CustomerTimeout)));
    let id = scene.submit(Kind::Deposit).await;
    let reference = Reference::new(id, StepName::First, 0);
    // A claim that the provider does not stand by changes nothing.
    let denied = Finding::Rejected(rejection(Reason::CustomerTimeout));
    scene.world.script().truth.insert(reference, denied);
    scene.notify(format!("result {reference} executed QX0")).await;
    scene.pass(60).await;
    assert_eq!((scene.all().await.len(), scene.cases(id).await.len()), (1, 0));
    scene.world.script().truth.insert(reference, executed("QX1"));
    scene.notify(format!("result {reference} executed QX1")).await;
    scene.pass(60).await;
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    assert_eq!(scene.all().await.len(), 2, "the money is in suspense");
}

/// Approved twice: both payments exist under one reference.
#[tokio::test(start_paused = true)]
async fn a_second_payment_under_a_collection_is_money_of_its_own() {
    let scene = Scene::confirming().await;
    scene.world.script().collects.push_back(done("QX1"));
    let id = scene.submit(Kind::Deposit).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let reference = Reference::new(id, StepName::First, 0);
    scene.notify(format!("QX2 255712345678 500 7 {reference}")).await;
    scene.pass(10).await;
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    let receipt = Receipt::new("QX2").unwrap();
    let owner = scene.engine.store().by_receipt(&provider_id(), &receipt).await.unwrap().unwrap();
    assert_eq!(scene.show(owner).await.status, Status::Suspended);
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

/// The payout is refused; while the core cannot be reached for the undo, it turns out that the payout
/// was made: the undo is not sent.
#[tokio::test(start_paused = true)]
async fn a_payout_that_was_made_after_all_is_not_given_back() {
    let scene = Scene::open(World::new()).await;
    {
        let mut script = scene.world.script();
        script.payouts.push_back(Outcome::Rejected(rejection(Reason::Other)));
        for _ in 0..3 {
            script.undos.push_back(Outcome::not_sent("the core is down"));
        }
    }
    let id = scene.submit(Kind::Withdrawal).await;
    let reference = Reference::new(id, StepName::Second, 0);
    scene.world.script().truth.insert(reference, executed("P1"));
    scene.notify(format!("result {reference} executed P1")).await;
    scene.pass(3_600).await;
    let shown = scene.show(id).await;
    assert_eq!((shown.status, shown.wallet_receipt), (Status::Completed, Receipt::new("P1").ok()));
    let paid = Receipt::new("P1").unwrap();
    let owner = scene.engine.store().by_receipt(&provider_id(), &paid).await.unwrap();
    assert_eq!(owner, Some(id), "one receipt, one transfer");
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    assert!(scene.world.script().undos.len() < 3, "it had been tried in vain");
    let undone = |event: &Event| {
        matches!(
            event,
            Event::Concluded { step: StepName::UndoFirst, outcome: Outcome::Executed(_) }
        )
    };
    assert!(!scene.tells_of(id).await.iter().any(undone));
}

/// The collection is done, the core is down; the provider reverses and tells us.
#[tokio::test(start_paused = true)]
async fn a_collection_that_the_provider_reverses_is_not_booked() {
    let scene = Scene::open(World::new()).await;
    {
        let mut script = scene.world.script();
        script.collects.push_back(done("QX1"));
        for _ in 0..3 {
            script.posts.push_back(Outcome::not_sent("the core is down"));
        }
    }
    let id = scene.submit(Kind::Deposit).await;
    let posted = scene.sent("post");
    let reference = Reference::new(id, StepName::First, 0);
    let reversed = Finding::Reversed(Confirmation::bare(Receipt::new("QX1").unwrap()));
    scene.world.script().truth.insert(reference, reversed);
    // It names only the receipt: the operation is found by that.
    scene.notify("result - reversed QX1".to_owned()).await;
    scene.pass(3_600).await;
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    assert_eq!(scene.show(id).await.status, Status::NeedsAttention);
    assert!(scene.sent("post") <= posted + 1, "nothing is sent once it is known");
    assert!(scene.show(id).await.core_receipt.is_none());
}

/// Generation 0 was refused for now and executed all the same; generation 1 was paid as well.
#[tokio::test(start_paused = true)]
async fn an_older_generation_that_was_executed_too_is_a_case() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().payouts.push_back(refused_for_now(Reason::Busy));
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(30).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let older = Reference::new(id, StepName::Second, 0);
    scene.world.script().truth.insert(older, executed("P0"));
    scene.notify(format!("result {older} executed P0")).await;
    scene.pass(60).await;
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

/// Our own collection is told as a paybill payment with a hidden number and the label that we sent,
/// before its answer comes; nobody can tell the account of the payment.
#[tokio::test(start_paused = true)]
async fn a_collection_told_as_a_payment_from_nobody_finds_its_account() {
    let scene = Scene::confirming().await;
    let waiting = Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Customer });
    scene.world.script().collects.push_back(waiting);
    let id = scene.submit(Kind::Deposit).await;
    // It waits a few minutes for the collection's own answer, which is asked for; then it is booked.
    scene.notify("QX1 hidden 500 000000007".to_owned()).await;
    scene.pass(120).await;
    assert_eq!(scene.all().await.len(), 1);
    scene.pass(120).await;
    let rows = scene.all().await;
    let payment = rows.iter().find(|row| row.id != id).expect("minutes later, not after a day");
    assert_eq!(payment.status, Status::Suspended);
    let reference = Reference::new(id, StepName::First, 0);
    scene.world.script().truth.insert(reference, executed("QX1"));
    scene.pass(120).await;
    // The collection knows the account: the money leaves suspense by itself.
    let (one, other) = (scene.show(id).await, scene.show(payment.id).await);
    assert_eq!((one.status, other.status), (Status::Completed, Status::Completed));
    assert_eq!(one.merged_into, Some(other.id));
    assert_eq!((scene.cases(id).await, scene.cases(other.id).await), (vec![], vec![]));
    assert_eq!(scene.sent("post"), 1);
}

/// The receipt that a collection's answer names belongs to a payment of another amount.
#[tokio::test(start_paused = true)]
async fn a_collection_is_not_merged_into_a_payment_of_another_amount() {
    let scene = Scene::confirming().await;
    scene.notify("QX1 hidden 900 x".to_owned()).await;
    scene.pass(5).await;
    scene.world.script().collects.push_back(done("QX1"));
    let id = scene.submit(Kind::Deposit).await;
    scene.pass(60).await;
    let shown = scene.show(id).await;
    assert_eq!((shown.status, shown.merged_into), (Status::NeedsAttention, None));
    assert_eq!(scene.cases(id).await, [CaseKind::ReceiptTaken]);
    assert_eq!(scene.sent("post"), 0);
}

/// A merged transfer shows what the other one shows, also when that is reversed.
#[tokio::test(start_paused = true)]
async fn a_merged_transfer_follows_the_one_that_has_its_money() {
    let scene = Scene::confirming().await;
    scene.world.script().resolves.push(account(7));
    let waiting = Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Customer });
    scene.world.script().collects.push_back(waiting);
    let id = scene.submit(Kind::Deposit).await;
    scene.notify("QX1 255712345678 500 7".to_owned()).await;
    scene.pass(300).await;
    let reference = Reference::new(id, StepName::First, 0);
    scene.world.script().truth.insert(reference, executed("QX1"));
    scene.pass(60).await;
    let shown = scene.show(id).await;
    let owner = shown.merged_into.expect("one payment, one transfer");
    assert_eq!(shown.status, Status::Completed);
    scene.engine.request_reversal(owner, "op", "paid in error", None).await.unwrap();
    scene.pass(60).await;
    // This provider offers no reversal: everything stays as it was, and nothing moved.
    assert_eq!(scene.show(owner).await.status, Status::Completed);
    assert_eq!(scene.sent("undo"), 0, "the core's part waits until the provider's is known");
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

/// Begins a scene whose process dies after so many commits, and opens it again once it is dead.
pub async fn dying(world: Arc<World>, commits: i64, day: impl AsyncFnOnce(&Scene)) -> Scene {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::audited());
    let dies = Arc::new(DiesAfter(AtomicI64::new(commits)));
    let engine = world.engine_over(Arc::clone(&store), dies);
    engine.start().await.unwrap();
    let scene = Scene { world: Arc::clone(&world), engine };
    day(&scene).await;
    scene.engine.kill();
    let engine = world.engine_over(store, Arc::new(Yielding));
    engine.start().await.unwrap();
    let scene = Scene { world, engine };
    scene.pass(1_200).await;
    scene
}

/// A payment that was approved late is brought in once, whatever commit the process dies after.
#[tokio::test(start_paused = true)]
async fn a_death_anywhere_loses_and_doubles_no_late_payment() {
    let mut brought_in = 0;
    for commits in 1..12 {
        let world = World::new();
        world.script().confirms = true;
        world.script().collects.push_back(Outcome::Rejected(rejection(Reason::CustomerTimeout)));
        let scene = dying(Arc::clone(&world), commits, async |scene| {
            let new = transfer(Kind::Deposit, "500");
            let id = tokio::time::timeout(Duration::from_secs(1), submit(&scene.engine, "1", new));
            let Ok(Ok(submitted)) = id.await else { return };
            scene.pass(5).await;
            let reference = Reference::new(submitted.first.id, StepName::First, 0);
            scene.world.script().truth.insert(reference, executed("QX1"));
            scene.notify(format!("QX1 255712345678 500 7 {reference}")).await;
            scene.pass(5).await;
        });
        let scene = scene.await;
        let receipt = Receipt::new("QX1").unwrap();
        let owner = scene.engine.store().by_receipt(&provider_id(), &receipt).await.unwrap();
        let Some(owner) = owner else { continue };
        brought_in += 1;
        let shown = scene.show(owner).await;
        assert!(matches!(shown.status, Status::Suspended | Status::Completed), "{commits}");
        let with_money: Vec<_> =
            scene.all().await.into_iter().filter(|row| row.wallet_receipt.is_some()).collect();
        assert_eq!(with_money.len(), 1, "{commits}: one payment, one transfer that has it");
    }
    assert!(brought_in >= 8, "it dies after the payment was told of as well: {brought_in}");
}

/// The same where two transfers carry one payment: one of them has it, and the other shows it.
#[tokio::test(start_paused = true)]
async fn a_death_anywhere_between_two_that_carry_one_payment_loses_nothing() {
    let mut merged = 0;
    for commits in 1..16 {
        let world = World::new();
        world.script().confirms = true;
        let waiting = Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Customer });
        world.script().collects.push_back(waiting);
        let scene = dying(Arc::clone(&world), commits, async |scene| {
            let new = transfer(Kind::Deposit, "500");
            let id = tokio::time::timeout(Duration::from_secs(1), submit(&scene.engine, "1", new));
            let Ok(Ok(submitted)) = id.await else { return };
            scene.pass(5).await;
            scene.notify("QX1 hidden 500 000000007".to_owned()).await;
            scene.pass(240).await;
            let reference = Reference::new(submitted.first.id, StepName::First, 0);
            scene.world.script().truth.insert(reference, executed("QX1"));
            scene.pass(60).await;
        });
        let scene = scene.await;
        let rows = scene.all().await;
        let with_money: Vec<_> = rows.iter().filter(|row| row.wallet_receipt.is_some()).collect();
        assert!(with_money.len() <= 1, "{commits}: {with_money:?}");
        assert!(scene.sent("post") <= 1, "{commits}: booked once");
        let follower = rows.iter().find(|row| row.merged_into.is_some());
        if let (Some(follower), [owner]) = (follower, &with_money[..]) {
            merged += 1;
            assert_eq!((follower.status, owner.status), (Status::Completed, Status::Completed));
        }
    }
    assert!(merged >= 5, "it dies in the middle of merging as well: {merged}");
}

/// The provider tells that it has taken the money back before its own query shows it: it is asked
/// again until its indexing window has passed, and the contradiction has its case.
#[tokio::test(start_paused = true)]
async fn a_reversal_that_the_providers_query_shows_late_has_its_case() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().collects.push_back(done("QX1"));
    let id = scene.submit(Kind::Deposit).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let reference = Reference::new(id, StepName::First, 0);
    scene.world.script().truth.insert(reference, executed("QX1"));
    scene.notify(format!("result {reference} reversed QX1")).await;
    scene.pass(10).await;
    assert_eq!(scene.cases(id).await, [], "its query does not show it yet");
    let reversed = Finding::Reversed(Confirmation::bare(Receipt::new("QX1").unwrap()));
    scene.world.script().truth.insert(reference, reversed);
    scene.pass(120).await;
    assert_eq!(scene.cases(id).await, [CaseKind::Contradiction]);
}

/// A report that the provider's query never bears out is dismissed after its indexing window.
#[tokio::test(start_paused = true)]
async fn a_reversal_that_the_provider_never_confirms_changes_nothing() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().collects.push_back(done("QX1"));
    let id = scene.submit(Kind::Deposit).await;
    let reference = Reference::new(id, StepName::First, 0);
    scene.world.script().truth.insert(reference, executed("QX1"));
    scene.notify(format!("result {reference} reversed QX1")).await;
    scene.pass(300).await;
    assert_eq!((scene.show(id).await.status, scene.cases(id).await), (Status::Completed, vec![]));
    let later = scene.world.now().after(Duration::from_hours(24));
    assert_eq!(scene.engine.store().inbox_due(later, 10).await.unwrap(), [], "it is put away");
}
