//! The persons at the operators: while everything goes wrong they try again, give up, accept,
//! claim, assign, hold and release; and when the faults are over they close all that is open.
//!
//! They look at the books of the counterparties before they decide, as persons do. What they decide
//! wrongly, they decide so that it must be refused.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kiungo_domain::outcome::{Confirmation, Stated};
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{
    CaseKind, Choice, Deciding, Operation, PersonDecision, Status, StepName, Transfer,
};
use kiungo_domain::{AccountRef, Currency, Money, ProviderId, Receipt, TransferId};
use kiungo_engine::{Clock as _, Engine, HELD_OPERATIONS, PaymentClaim};
use kiungo_simulator::books::Movement;
use kiungo_store::{
    HoldStore as _, InboxState, InboxStore as _, Reports as _, TransferQuery, TransferStore as _,
};

use super::Failure;
use super::chance::Chance;
use super::consulted_books::{ConsultedBooks, home};
use super::counterparties::PROVIDERS;
use super::world::{Counter, World};

/// The longest wait of a person for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The persons at the operators.
pub(super) struct Operators {
    chance: Chance,
    /// The accounts that transfers were given by hand.
    assigned: Mutex<BTreeMap<TransferId, BTreeSet<String>>>,
    /// The attempts made since nothing goes wrong any more: each is made once.
    tried: Mutex<BTreeSet<String>>,
    findings: Mutex<Vec<String>>,
    decisions: Counter,
}

impl Operators {
    pub(super) fn new(world: &World) -> Self {
        Self {
            chance: Chance::new(world.seed, "operators"),
            assigned: Mutex::default(),
            tried: Mutex::default(),
            findings: Mutex::default(),
            decisions: Counter::default(),
        }
    }

    /// The accounts that a transfer was given by hand.
    pub(super) fn assigned(&self, id: TransferId) -> BTreeSet<String> {
        let assigned = self.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        assigned.get(&id).cloned().unwrap_or_default()
    }

    pub(super) fn decisions(&self) -> u64 {
        self.decisions.get()
    }

    pub(super) fn findings(&self) -> Vec<String> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, finding: String) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }

    /// Notes that this is tried; true if it is for the first time.
    fn first_time(&self, what: String) -> bool {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(what)
    }

    /// Decides something now and then, as long as faults happen.
    pub(super) async fn work(self: Arc<Self>, world: Arc<World>, wait: Duration) {
        loop {
            tokio::time::sleep(self.chance.wait(wait)).await;
            if !world.network_state.is_faulty() {
                return;
            }
            let Some(engine) = world.processes.slot.engine() else { continue };
            match self.chance.below(20) {
                0 => self.hold(&world, &engine).await,
                1 => self.release(&engine).await,
                2..=4 => self.claim_something(&world, &engine).await,
                5 => self.look_through_arrivals(&world, &engine, false).await,
                _ => self.decide_something(&world, &engine).await,
            }
        }
    }

    async fn decide_something(&self, world: &World, engine: &Engine) {
        let query = TransferQuery { limit: 200, ..TransferQuery::default() };
        let Ok(page) = world.store.search(&query).await else { return };
        // Mostly what is under way.
        let under_way: Vec<TransferId> = page
            .rows
            .iter()
            .filter(|row| !row.status.is_final() || self.chance.happens(1_000))
            .map(|row| row.id)
            .collect();
        let Some(id) = self.chance.pick(&under_way).copied() else { return };
        let Ok(Some(transfer)) = world.store.transfer(id).await else { return };
        if self.chance.happens(1_000) {
            return self.hurry(engine, id).await;
        }
        if self.chance.happens(1_000) {
            return self.decide_wrongly(engine, &transfer).await;
        }
        let choices = transfer.choices();
        let Some(choice) = self.chance.pick(&choices).copied() else { return };
        let books = ConsultedBooks::look(world);
        match choice {
            Choice::Assign => self.assign(world, engine, &transfer).await,
            Choice::Reverse => self.reverse(engine, id).await,
            choice => {
                let now = world.clock.now();
                if let Some(decision) = books.decision(world, &transfer, choice, now) {
                    self.decide(engine, id, decision).await;
                }
            }
        }
    }

    /// Asks ten times within a second.
    async fn hurry(&self, engine: &Engine, id: TransferId) {
        for _ in 0..10 {
            let engine = engine.clone();
            tokio::spawn(async move { patiently(engine.inquire_now(id, "operator")).await });
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Says that something was executed in another amount than was asked: that must be refused.
    async fn decide_wrongly(&self, engine: &Engine, transfer: &Transfer) {
        let amount = transfer.amount();
        let amount = Money::from_minor(amount.minor() + 100, amount.currency());
        let step = self.chance.pick(&StepName::ALL).copied().unwrap_or(StepName::First);
        let Ok(receipt) = Receipt::new("MISREAD-1") else { return };
        let stated = Stated { amount, ..Stated::default() };
        let confirmation = Confirmation { receipt, fee: None, stated };
        let decision = PersonDecision::AcceptExecuted { step, confirmation };
        if self.decide(engine, transfer.id(), decision).await {
            self.note(format!("{} was accepted in another amount than was asked", transfer.id()));
        }
    }

    async fn decide(&self, engine: &Engine, id: TransferId, decision: PersonDecision) -> bool {
        let who = Deciding {
            by: "operator".to_owned(),
            approved_by: Some("supervisor".to_owned()),
            reason: "the books say so".to_owned(),
        };
        let decided = patiently(engine.decide(id, decision, who, None)).await;
        let taken = matches!(decided, Some(Ok(_)));
        if taken {
            self.decisions.add();
        }
        taken
    }

    async fn reverse(&self, engine: &Engine, id: TransferId) {
        let asked = patiently(engine.request_reversal(id, "operator", "asked for it", None)).await;
        if matches!(asked, Some(Ok(_))) {
            self.decisions.add();
        }
    }

    /// Gives suspended money the account of whoever paid it.
    async fn assign(&self, world: &World, engine: &Engine, transfer: &Transfer) {
        let Some(account) = home(world, transfer) else { return };
        // Whether or not the answer arrives, it may have been taken.
        if let AccountRef { kind: Some(kind), key: AccountKey::Id(id) } = &account {
            let mut assigned = self.assigned.lock().unwrap_or_else(PoisonError::into_inner);
            let accounts = assigned.entry(transfer.id()).or_default();
            accounts.insert(format!("{}:{id}", kind.as_str()));
        }
        let taken = patiently(engine.assign(transfer.id(), account, "operator", None)).await;
        if matches!(taken, Some(Ok(_))) {
            self.decisions.add();
        }
    }

    async fn hold(&self, world: &World, engine: &Engine) {
        let Some((provider, operation)) = self.operation() else { return };
        let held = engine.hold_operation(&provider, operation, "operator", "they announced it");
        if patiently(held).await.is_some() {
            self.decisions.add();
        }
        let (wait, slot) =
            (self.chance.wait(Duration::from_mins(40)), world.processes.slot.clone());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            // Whoever is in the slot now; if nobody is, somebody tries again later.
            while let Some(engine) = slot.engine() {
                let released = patiently(engine.release_operation(&provider, operation)).await;
                if matches!(released, Some(Ok(_))) {
                    break;
                }
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
        });
    }

    async fn release(&self, engine: &Engine) {
        let Some((provider, operation)) = self.operation() else { return };
        patiently(engine.release_operation(&provider, operation)).await;
    }

    fn operation(&self) -> Option<(ProviderId, Operation)> {
        let provider = ProviderId::new(self.chance.pick(&PROVIDERS)?).ok()?;
        Some((provider, *self.chance.pick(&HELD_OPERATIONS)?))
    }

    /// Brings in a payment that stands in a provider's books, and of which nobody may have heard.
    async fn claim_something(&self, world: &World, engine: &Engine) {
        let books = ConsultedBooks::look(world);
        let Some(provider) = self.chance.pick(&PROVIDERS) else { return };
        let known = known_receipts(world, &books, provider).await;
        let candidates: Vec<&Movement> = books.unclaimed(provider, &known).collect();
        let Some(movement) = self.chance.pick(&candidates) else { return };
        self.claim(engine, provider, movement).await;
    }

    async fn claim(&self, engine: &Engine, provider: &str, movement: &Movement) {
        let Some(claim) = claim_of(movement) else { return };
        let Ok(provider) = ProviderId::new(provider) else { return };
        let claimed = patiently(engine.claim(&provider, &claim)).await;
        if matches!(claimed, Some(Ok(_))) {
            self.decisions.add();
        }
    }

    /// Has arrivals that are kept for persons handled again; dismisses those that the books know
    /// nothing of. When nothing goes wrong any more, each once.
    async fn look_through_arrivals(&self, world: &World, engine: &Engine, calm: bool) {
        let books = ConsultedBooks::look(world);
        let Ok(page) = world.store.cases(None, 500).await else { return };
        for row in page.rows {
            let Some(id) = row.inbox.filter(|_| row.kind == CaseKind::Quarantined) else {
                continue;
            };
            let Ok(Some(item)) = world.store.inbox_item(id).await else { continue };
            if !matches!(item.state, InboxState::Quarantined { .. }) {
                continue;
            }
            if calm && !self.first_time(format!("arrival {id}")) {
                continue;
            }
            let text = format!("{}{}", item.head, String::from_utf8_lossy(&item.body));
            if books.names_a_receipt(item.provider.as_str(), &text) {
                patiently(engine.handle_again(id)).await;
            } else {
                patiently(engine.dismiss(id, "operator", "the books know nothing of it")).await;
            }
            self.decisions.add();
        }
    }

    /// Does whatever is left to do, when nothing goes wrong any more; how much was done.
    pub(super) async fn close_what_is_open(&self, world: &World) -> Result<u64, Failure> {
        let Some(engine) = world.processes.slot.engine() else { return Ok(1) };
        let before = self.decisions();
        self.release_all(world, &engine).await?;
        self.look_through_arrivals(world, &engine, true).await;
        let books = ConsultedBooks::look(world);
        let mut query = TransferQuery { limit: 500, ..TransferQuery::default() };
        loop {
            let page = world.store.search(&query).await?;
            for row in &page.rows {
                let Some(transfer) = world.store.transfer(row.id).await? else { continue };
                self.answer(world, &engine, &books, &transfer).await;
            }
            if page.next.is_none() {
                break;
            }
            query.cursor = page.next;
        }
        for provider in PROVIDERS {
            let known = known_receipts(world, &books, provider).await;
            for movement in books.unclaimed(provider, &known) {
                if self.first_time(format!("claim {}", movement.receipt)) {
                    self.claim(&engine, provider, movement).await;
                }
            }
        }
        Ok(self.decisions() - before)
    }

    async fn release_all(&self, world: &World, engine: &Engine) -> Result<(), Failure> {
        for hold in world.store.holds().await? {
            if hold.held_by.is_some() {
                patiently(engine.release_operation(&hold.provider, hold.operation)).await;
                self.decisions.add();
            }
        }
        Ok(())
    }

    /// Deals with a transfer that needs a person, as a conscientious person does.
    async fn answer(
        &self,
        world: &World,
        engine: &Engine,
        books: &ConsultedBooks,
        transfer: &Transfer,
    ) {
        let id = transfer.id();
        if transfer.status() == Status::Suspended {
            // Nobody gives an account what the provider has reversed.
            if books.is_gone(transfer) {
                return;
            }
            if self.first_time(format!("home of {id}")) {
                self.assign(world, engine, transfer).await;
            } else if home(world, transfer).is_some() {
                let blamed = self.first_time(format!("suspended again {id}"));
                if blamed {
                    self.note(format!("{id} was given its account, and is suspended again"));
                }
            }
            return;
        }
        if transfer.cases().is_empty() || transfer.merged_into().is_some() {
            return;
        }
        let mut choices = transfer.choices();
        let rank = |choice: &Choice| match choice {
            Choice::AcceptExecuted(_) => 0,
            Choice::AcceptNotExecuted(_) => 1,
            Choice::TryAgain => 2,
            Choice::CloseCase => 3,
            Choice::GiveUp => 4,
            Choice::Assign | Choice::Reverse => 5,
        };
        choices.sort_by_key(rank);
        let now = world.clock.now();
        for choice in choices {
            if choice == Choice::TryAgain && !self.first_time(format!("again {id}")) {
                continue;
            }
            if let Some(decision) = books.decision(world, transfer, choice, now)
                && self.decide(engine, id, decision).await
            {
                return;
            }
        }
    }
}

/// The receipts of a provider's books that a transfer owns.
async fn known_receipts(world: &World, books: &ConsultedBooks, provider: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let Ok(id) = ProviderId::new(provider) else { return known };
    let movements = books.providers.get(provider).map_or(&[][..], |books| &books.movements);
    for movement in movements {
        let Ok(receipt) = Receipt::new(&movement.receipt) else { continue };
        if let Ok(Some(_)) = world.store.by_receipt(&id, &receipt).await {
            known.insert(movement.receipt.clone());
        }
    }
    known
}

fn claim_of(movement: &Movement) -> Option<PaymentClaim> {
    let currency = Currency::from_code(&movement.currency).ok()?;
    Some(PaymentClaim {
        receipt: Receipt::new(&movement.receipt).ok()?,
        amount: Money::from_minor(movement.amount_minor, currency)?,
        msisdn: kiungo_domain::Msisdn::parse(&movement.party).ok(),
        account_reference: movement.label.clone(),
    })
}

/// Returns the answer; `None` if none comes in time because the engine died meanwhile.
async fn patiently<T>(answer: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, answer).await.ok()
}
