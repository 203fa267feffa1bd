//! Operations of providers that are held as a whole: work waits, nothing fails.
//!
//! An answer about an empty float, a blocked session or a refused configuration concerns every
//! operation of that kind. It places one hold on the operation, which is one case of the provider.
//! Outbound transfers do not leave the core meanwhile (rule 17). A hold ends when an attempt
//! succeeds, when a probe of the provider says so, or when a person releases it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kiungo_domain::hold::Condition;
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Decision, Event, Operation, StepName, Transfer};
use kiungo_domain::{Money, Outcome, ProviderId, Timestamp};
use kiungo_provider::ReadError;
use kiungo_store::{Hold, HoldStore, StoreError};

use crate::clock::Clock;
use crate::counterparties::ports::Ports;
use crate::next_look::NextLook;
use crate::request::BreakerState;
use crate::tasks::Tasks;

/// The interval at which holds are read again and probes are due: the findings of another process
/// are known here soon.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// The longest wait before a transfer that is held looks again.
const LOOK_MAX: Duration = Duration::from_mins(1);
/// The wait before the first probe of a hold; later ones wait for a quarter of its age.
const PROBE_FIRST: Duration = Duration::from_secs(30);
/// The time without an attempt of a held operation after which the provider is probed instead: no
/// transfer would attempt it then.
const UNTRIED_MAX: Duration = Duration::from_mins(10);
/// The number of times that the holds are read anew at once because one of them changed meanwhile;
/// then the next look reads them.
const READ_TRIES: u32 = 5;
/// The longest wait between two probes.
const PROBE_MAX: Duration = Duration::from_hours(1);

/// The holds on the operations of providers.
pub(crate) struct Holds {
    store: Arc<dyn HoldStore>,
    clock: Arc<dyn Clock>,
    ports: Arc<Ports>,
    tasks: Tasks,
    next_look: Arc<NextLook>,
    known: Mutex<Known>,
}

/// The holds, as last read from the store.
#[derive(Debug, Default)]
struct Known {
    holds: BTreeMap<ProviderId, Vec<Hold>>,
    /// The number of changes made here: a reading from before one of them is out of date.
    changes: u64,
}

/// A fact that an outcome shows about a provider's operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The answer shows this condition, found with this amount.
    Holds(Operation, Condition, String, Money),
    /// The provider executed an operation of this amount.
    Works(Operation, Money),
}

/// All facts that the outcomes of a decision show about the provider's operations.
pub(crate) fn conditions_shown(decision: &Decision) -> Vec<Shown> {
    let shown = decision.entries.iter().filter_map(|entry| match &entry.event {
        Event::Concluded { step, outcome } => {
            shown_by(decision.transfer.operation(*step), decision.transfer.amount(), outcome)
        }
        _ => None,
    });
    shown.collect()
}

fn shown_by(operation: Operation, amount: Money, outcome: &Outcome) -> Option<Shown> {
    if operation.side() != Side::Wallet {
        return None;
    }
    match outcome {
        Outcome::Executed(_) | Outcome::Pending(_) => Some(Shown::Works(operation, amount)),
        Outcome::Rejected(rejection) => Condition::of(operation, rejection)
            .map(|condition| Shown::Holds(operation, condition, rejection.message.clone(), amount)),
        // Transfers in transit go on trying, so no other transfer leaves the core to probe.
        Outcome::NotSent { why, .. } if operation == Operation::PayOut => {
            Some(Shown::Holds(operation, Condition::Unreachable, why.clone(), amount))
        }
        Outcome::NotSent { .. } | Outcome::Unknown { .. } => None,
    }
}

impl Holds {
    pub(crate) fn new(
        store: Arc<dyn HoldStore>,
        clock: Arc<dyn Clock>,
        ports: Arc<Ports>,
        tasks: Tasks,
        next_look: Arc<NextLook>,
    ) -> Self {
        Self { store, clock, ports, tasks, next_look, known: Mutex::default() }
    }

    /// The holds on a provider's operations, as last known here.
    pub(crate) fn of(&self, provider: &ProviderId) -> Vec<Hold> {
        self.known().holds.get(provider).cloned().unwrap_or_default()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of changes so far.
    fn changes(&self) -> u64 {
        self.known().changes
    }

    /// Takes over holds that were read after `changes` changes; `false` if there were more changes
    /// meanwhile, which the reading may lack.
    fn replace(&self, holds: Vec<Hold>, changes: u64) -> bool {
        let mut read = BTreeMap::<ProviderId, Vec<Hold>>::new();
        for hold in holds {
            read.entry(hold.provider.clone()).or_default().push(hold);
        }
        let mut known = self.known();
        let current = known.changes == changes;
        if current {
            known.holds = read;
        }
        current
    }

    fn note(&self, hold: Hold) {
        let mut known = self.known();
        known.changes += 1;
        let of_provider = known.holds.entry(hold.provider.clone()).or_default();
        of_provider.retain(|it| (it.operation, it.condition) != (hold.operation, hold.condition));
        of_provider.push(hold);
    }

    fn forget(&self, provider: &ProviderId, operation: Operation, condition: Condition) {
        let mut known = self.known();
        known.changes += 1;
        if let Some(of_provider) = known.holds.get_mut(provider) {
            of_provider.retain(|it| (it.operation, it.condition) != (operation, condition));
        }
    }
}

fn probe_wait(hold: &Hold, now: Timestamp) -> Duration {
    let first = match hold.condition {
        Condition::Unreachable => LOOK_INTERVAL,
        Condition::Person
        | Condition::FloatEmpty
        | Condition::NeedsRepair
        | Condition::SessionBlocked => PROBE_FIRST,
    };
    (now.since(hold.since) / 4).clamp(first, PROBE_MAX)
}

impl Holds {
    /// Holds an operation of a provider until a person releases it.
    pub(crate) async fn hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        by: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let hold = Hold {
            provider: provider.clone(),
            operation,
            condition: Condition::Person,
            detail: reason.to_owned(),
            needed: None,
            held_by: Some(by.to_owned()),
            since: now,
            probe_at: now,
        };
        self.store.put_hold(hold.clone()).await?;
        self.note(hold);
        Ok(())
    }

    /// Lets a provider's operation go on, whatever the condition of its hold. Returns true if it
    /// was held. If the cause persists, the next attempt holds it again.
    pub(crate) async fn release(
        &self,
        provider: &ProviderId,
        operation: Operation,
    ) -> Result<bool, StoreError> {
        let mut released = false;
        for condition in Condition::ALL {
            released |= self.store.release_hold(provider, operation, condition).await?;
            self.forget(provider, operation, condition);
        }
        self.next_look.wake();
        Ok(released)
    }

    /// The time for which a step may not be sent, by what is known of its provider: opening hours
    /// and holds; for the first leg of an outbound transfer, also any obstacle to its payout (rule
    /// 17). `None` if it may be sent.
    pub(crate) fn closed_for(
        &self,
        transfer: &Transfer,
        step: StepName,
        now: Timestamp,
    ) -> Option<Duration> {
        let operation = transfer.operation(step);
        if operation.side() == Side::Wallet {
            return self.wallet_closed_for(transfer, operation, now, true);
        }
        let kind = transfer.kind();
        let leads_to_payout = step == StepName::First && kind.leg(Side::Wallet) != step;
        if !leads_to_payout || transfer.step(step).unsettled_since.is_some() {
            return None;
        }
        self.wallet_closed_for(transfer, kind.wallet_operation(), now, false)
    }

    fn wallet_closed_for(
        &self,
        transfer: &Transfer,
        operation: Operation,
        now: Timestamp,
        may_probe: bool,
    ) -> Option<Duration> {
        let provider = &transfer.instruction().provider;
        let port = self.ports.provider(provider)?;
        if let Some(opens_at) = port.rules.opens_at(now) {
            return Some(opens_at.since(now));
        }
        // Many may wait for long: the longer, the less often each looks again.
        let again = (now.since(transfer.updated_at()) / 4).clamp(LOOK_INTERVAL, LOOK_MAX);
        if !may_probe && port.throttle.breaker() != BreakerState::Closed {
            return Some(again);
        }
        let holds = self.of(provider);
        let mut held = holds.into_iter().filter(|hold| hold.operation == operation);
        held.find_map(|hold| self.held_for(&hold, now, may_probe, again))
    }

    /// The time for which a hold keeps an attempt back; `None` if the attempt may probe.
    fn held_for(
        &self,
        hold: &Hold,
        now: Timestamp,
        may_probe: bool,
        again: Duration,
    ) -> Option<Duration> {
        if !may_probe || !hold.condition.is_probed() {
            return Some(again);
        }
        if hold.condition == Condition::Unreachable {
            return None;
        }
        if hold.probe_at > now {
            return Some(hold.probe_at.since(now).min(PROBE_MAX).max(Duration::from_secs(1)));
        }
        // One attempt is the probe; the others wait for its outcome.
        self.note(Hold { probe_at: now.after(probe_wait(hold, now)), ..hold.clone() });
        None
    }

    /// Holds and releases operations as the outcomes of a decision show. A hold that cannot be
    /// stored takes effect here all the same, and is stored with the next outcome that shows it.
    pub(crate) async fn take_note_of(&self, provider: &ProviderId, shown: Vec<Shown>) {
        for shown in shown {
            match shown {
                Shown::Holds(operation, condition, detail, amount) => {
                    self.hold_because(provider, operation, condition, detail, amount).await;
                }
                Shown::Works(operation, amount) => {
                    self.release_probed(provider, operation, amount).await;
                }
            }
        }
    }

    async fn hold_because(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
        detail: String,
        amount: Money,
    ) {
        let now = self.clock.now();
        let known = self.of(provider);
        let known = known.iter().find(|it| (it.operation, it.condition) == (operation, condition));
        if known.is_some() && condition == Condition::Unreachable {
            return;
        }
        let since = known.map_or(now, |known| known.since);
        let needed = (condition == Condition::FloatEmpty).then(|| {
            let known = known.and_then(|known| known.needed);
            known.filter(|least| covers(amount, *least)).unwrap_or(amount)
        });
        let mut hold = Hold {
            provider: provider.clone(),
            operation,
            condition,
            detail,
            needed,
            held_by: None,
            since,
            probe_at: now,
        };
        hold.probe_at = now.after(probe_wait(&hold, now));
        if known.is_none() {
            tracing::warn!(%provider, operation = operation.as_str(), condition = condition.as_str(), why = hold.detail, "held until a probe or a person says that it works again");
        }
        self.note(hold.clone());
        if let Err(error) = self.store.put_hold(hold).await {
            tracing::error!(%provider, %error, "a hold cannot be stored");
        }
    }

    /// Handles a successful attempt, which proves nothing about larger amounts that wait for the
    /// float.
    async fn release_probed(&self, provider: &ProviderId, operation: Operation, amount: Money) {
        let holds = self.of(provider);
        let over = holds.iter().filter(|hold| {
            hold.operation == operation
                && hold.condition.is_probed()
                && hold.needed.is_none_or(|needed| covers(amount, needed))
        });
        for hold in over {
            self.end_hold(provider, operation, hold.condition, "an attempt came through").await;
        }
    }

    async fn end_hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
        why: &str,
    ) {
        tracing::info!(%provider, operation = operation.as_str(), condition = condition.as_str(), why, "no longer held");
        self.forget(provider, operation, condition);
        if let Err(error) = self.store.release_hold(provider, operation, condition).await {
            tracing::error!(%provider, %error, "the end of a hold cannot be stored");
        }
        self.next_look.wake();
    }

    /// Reads the holds, including those of other processes.
    pub(crate) async fn read(&self) -> Result<(), StoreError> {
        for _ in 0..READ_TRIES {
            let changes = self.changes();
            if self.replace(self.store.holds().await?, changes) {
                break;
            }
        }
        Ok(())
    }

    /// Probes the held operations, so that they go on even if no transfer attempts them.
    pub(crate) async fn keep_probing(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            if let Err(error) = self.read().await {
                tracing::warn!(%error, "holds cannot be read");
                continue;
            }
            let providers: Vec<ProviderId> = self.ports.providers().keys().cloned().collect();
            for provider in providers {
                self.probe_breaker(&provider).await;
                self.probe_holds(&provider).await;
            }
        }
    }

    /// Outbound transfers wait for a closed breaker before they leave the core, so the provider
    /// must be probed.
    async fn probe_breaker(&self, provider: &ProviderId) {
        let Some(port) = self.ports.provider(provider) else { return };
        if port.throttle.breaker() == BreakerState::HalfOpen
            && let Ok(permit) = port.throttle.enter().await
        {
            let answered = !matches!(port.provider.probe().await, Err(ReadError::Unavailable(_)));
            permit.report(answered);
            self.next_look.wake();
        }
    }

    async fn probe_holds(&self, provider: &ProviderId) {
        let now = self.clock.now();
        for hold in self.of(provider) {
            if !hold.condition.is_probed() || hold.probe_at > now {
                continue;
            }
            match self.ask_about(&hold, now).await {
                Probed::Over(why) => {
                    self.end_hold(provider, hold.operation, hold.condition, &why).await;
                }
                Probed::LeftToAttempts => {}
                // A person, or an attempt, may have ended it meanwhile.
                Probed::Lasts if !self.is_held(&hold) => {}
                Probed::Lasts => {
                    let probe_at = now.after(probe_wait(&hold, now));
                    let hold = Hold { probe_at, ..hold };
                    self.note(hold.clone());
                    if let Err(error) = self.store.put_hold(hold).await {
                        tracing::warn!(%provider, %error, "a hold cannot be stored");
                    }
                }
            }
        }
    }

    fn is_held(&self, hold: &Hold) -> bool {
        let holds = self.of(&hold.provider);
        holds.iter().any(|it| (it.operation, it.condition) == (hold.operation, hold.condition))
    }

    /// Asks if a hold is over, as far as the provider can be asked.
    async fn ask_about(&self, hold: &Hold, now: Timestamp) -> Probed {
        let Some(port) = self.ports.provider(&hold.provider) else { return Probed::Lasts };
        match hold.condition {
            Condition::Person => Probed::Lasts,
            // Only a payout shows if the float suffices: payouts whose money is in transit are
            // tried, one at a time.
            Condition::FloatEmpty if now.since(hold.probe_at) < UNTRIED_MAX => {
                Probed::LeftToAttempts
            }
            Condition::FloatEmpty => {
                let Some(balance) = port.provider.balance() else {
                    return Probed::Over("nothing in transit waits for it any more".to_owned());
                };
                let Ok(permit) = port.throttle.enter().await else { return Probed::Lasts };
                let answer = balance.balance().await;
                permit.report(!matches!(answer, Err(ReadError::Unavailable(_))));
                match answer {
                    Ok(float) if suffices(float, hold.needed) => {
                        Probed::Over(format!("the float is {float}"))
                    }
                    Ok(_) | Err(_) => Probed::Lasts,
                }
            }
            Condition::NeedsRepair | Condition::SessionBlocked | Condition::Unreachable => {
                let Ok(permit) = port.throttle.enter().await else { return Probed::Lasts };
                let answer = port.provider.probe().await;
                permit.report(!matches!(answer, Err(ReadError::Unavailable(_))));
                answer.map_or(Probed::Lasts, Probed::Over)
            }
        }
    }
}

/// True if one amount is at least the other; amounts of different currencies say nothing of each
/// other.
fn covers(amount: Money, needed: Money) -> bool {
    amount.currency() == needed.currency() && amount.minor() >= needed.minor()
}

/// True if a float suffices for the amount that was refused for lack of it.
fn suffices(float: Money, needed: Option<Money>) -> bool {
    needed.map_or(!float.is_zero(), |needed| covers(float, needed))
}

/// The result of probing a hold.
enum Probed {
    /// The hold is over, for this reason.
    Over(String),
    /// It is not held, or this is unknown.
    Lasts,
    /// The next attempt shows.
    LeftToAttempts,
}

/// The operations of a provider that can be held.
pub const HELD_OPERATIONS: [Operation; Operation::ON_WALLETS.len()] = Operation::ON_WALLETS;
