//! Operations that move money (`mpesa-openapi.md` §6–§6).

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use kiungo_domain::{Money, Timestamp};
use kiungo_simulator::faults::{Fault, hash};
use kiungo_simulator::ledger::{FLOAT, Hindrance};
use kiungo_simulator::response_faults::{Subject, perform};

use super::answer::{self, Ids};
use super::codes::{self, Code};
use super::fields::Fields;
use super::order::{Kind, Order};
use super::simulator::{Call, Simulator};
use super::state::{CHARGES, State, Status, charge, movement};
use super::triggers::{self, Trigger};
use super::{admission, afterwards, callback, limits};

/// Answers a money operation, with all that can go wrong.
pub(super) async fn take(simulator: &Simulator, call: &Call, kind: Kind) -> Response {
    let session = match admission::admit(simulator, call, kind.product()) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    let options = simulator.options();
    let fields = match Fields::from_json(&call.body, options.strict) {
        Ok(fields) => fields,
        Err(code) => return answer::early_refusal(code),
    };
    let order = match Order::read(kind, &fields, options) {
        Ok(order) => order,
        Err(code) => {
            let conversation = simulator.state().new_conversation();
            let ids = Ids { conversation, third_party: fields.third_party() };
            return answer::refusal(code, &ids);
        }
    };
    let key = key_of(simulator, &order);
    let delay = Duration::from_millis(options.delay_ms);
    let wait = if options.asynchronous { Duration::ZERO } else { delay };
    let subject = Subject { operation: kind.operation(), key: &key, delay: wait };
    let (worker, work_key) = (simulator.clone(), key.clone());
    perform(simulator.faults(), subject, answer::own_error, move || async move {
        worker.work(order, work_key, &session, delay).await
    })
    .await
}

/// A reversal is about what it takes back.
fn key_of(simulator: &Simulator, order: &Order) -> String {
    if order.kind == Kind::Reversal
        && let Some((_, original)) = simulator.state().by_receipt(&order.original)
    {
        return original.key.clone();
    }
    order.key()
}

impl Simulator {
    pub(super) async fn work(
        &self,
        order: Order,
        key: String,
        session: &str,
        delay: Duration,
    ) -> Response {
        let operation = order.kind.operation();
        let (position, ids) = match self.accept(order, key.clone(), session) {
            Ok(accepted) => accepted,
            Err(refusal) => return *refusal,
        };
        if !self.options().asynchronous {
            let status = self.carry_out(position);
            afterwards::follow(self, position);
            return match status {
                Some(Status::Completed { receipt }) => {
                    let stated = afterwards::stated_receipt(self, &key, receipt);
                    answer::success(StatusCode::CREATED, &ids, &[("TransactionID", &stated)])
                }
                Some(Status::Refused(code)) => answer::refusal(code, &ids),
                _ => answer::refusal(codes::INTERNAL, &ids),
            };
        }
        let early = self.inner.courier.is_early(operation, &key);
        let simulator = self.clone();
        let rest = tokio::spawn(async move {
            if !early {
                tokio::time::sleep(delay).await;
            }
            simulator.carry_out(position);
            afterwards::follow(&simulator, position);
            callback::result(&simulator, position).await;
        });
        if early {
            // The result has been delivered before the acceptance leaves.
            let _ = rest.await;
        }
        answer::success(StatusCode::CREATED, &ids, &[])
    }

    /// Remembers an order, not carried out yet.
    fn accept(
        &self,
        order: Order,
        key: String,
        session: &str,
    ) -> Result<(usize, Ids), Box<Response>> {
        let now = self.now();
        let day = admission::local_seconds(self.options(), now).div_euclid(86_400);
        let mut guard = self.state();
        let state = &mut *guard;
        let conversation = state.new_conversation();
        let ids = Ids { conversation, third_party: order.third_party.clone() };
        if self.options().conduct.deduplicates && state.is_duplicate(&order.third_party) {
            return Err(Box::new(answer::refusal(codes::DUPLICATE, &ids)));
        }
        if order.kind != Kind::Reversal
            && let Some(session) = state.sessions.live(session, now)
        {
            let asked = limits::Asked {
                party: &order.party,
                minor: order.amount.map_or(0, Money::minor),
                day,
                single_value_closes: self.options().single_value_closes,
            };
            let product = order.kind.product();
            let tally = session.tallies.entry(product).or_default();
            limits::count(self.options().limits(product), tally, &mut state.customers, &asked)
                .map_err(|code| Box::new(answer::refusal(code, &ids)))?;
        }
        let lag = self.lag(&key);
        Ok((state.add(order, ids.conversation.clone(), key, now, lag), ids))
    }

    /// The time for which queries do not find an operation.
    pub(super) fn lag(&self, key: &str) -> Duration {
        let lagging = self.faults().strikes("inquire", Fault::IndexingLag, key);
        if lagging { self.faults().indexing_lag() } else { Duration::ZERO }
    }

    /// Moves the money of an accepted operation, or refuses it; once.
    pub(super) fn carry_out(&self, position: usize) -> Option<Status> {
        let mut guard = self.state();
        let state = &mut *guard;
        let operation = state.operation(position)?;
        if operation.status == Status::Pending {
            let (order, key) = (operation.order.clone(), operation.key.clone());
            let late = order.kind == Kind::C2b && {
                let (seed, rate) = (self.faults().seed(), self.options().conduct.approved_late);
                state.draws.happens(seed, "approved_late", &key, rate)
            };
            let status = if late {
                state.will_be_approved(position);
                Status::Refused(codes::FAILED)
            } else {
                self.attempt(state, &order, &key)
            };
            state.end(position, status, self.now());
        }
        state.operation(position).map(|operation| operation.status.clone())
    }

    /// Does what an order asks for, or refuses it.
    pub(super) fn attempt(&self, state: &mut State, order: &Order, key: &str) -> Status {
        match self.execute(state, order, key) {
            Ok(receipt) => Status::Completed { receipt },
            Err(code) => Status::Refused(code),
        }
    }

    /// The receipt of what was done, or why nothing was.
    fn execute(&self, state: &mut State, order: &Order, key: &str) -> Result<String, Code> {
        match triggers::of(order, self.options()) {
            Some(Trigger::Fails(code)) => return Err(code),
            // The magic receipt stands for no real one: there is nothing to move.
            Some(Trigger::Succeeds) if order.kind == Kind::Reversal => {
                return Ok(state.new_receipt(self.now()));
            }
            Some(Trigger::Succeeds) => {
                let minor = order.amount.map_or(0, Money::minor);
                if state.ledger.balance(order.parties().0).is_none_or(|has| has < minor) {
                    state.ledger.open(order.parties().0, minor);
                }
            }
            None => {}
        }
        let refuses = self.faults().strikes(order.kind.operation(), Fault::CustomerRefuses, key);
        if refuses {
            return Err(refusal(order.kind, key));
        }
        if order.kind == Kind::Reversal {
            return reverse(state, order, self.now());
        }
        let leaves = matches!(order.kind, Kind::B2c | Kind::B2b);
        if leaves && self.float_is_empty(state.began()) {
            return Err(codes::INSUFFICIENT);
        }
        let receipt = transfer(state, order, self.now())?;
        self.charge_for(state, order);
        Ok(receipt)
    }

    /// Takes the operator's charge for what was executed, as far as the float goes.
    pub(super) fn charge_for(&self, state: &mut State, order: &Order) {
        let Some(currency) = order.amount.map(Money::currency) else { return };
        let minor = self.options().conduct.charge_minor;
        let amount = Money::from_minor(minor, currency);
        let Some(amount) = amount.filter(|amount| !amount.is_zero()) else { return };
        if state.ledger.balance(CHARGES).is_none() {
            state.ledger.open(CHARGES, 0);
        }
        let receipt = state.new_receipt(self.now());
        let _ = state.ledger.transfer(FLOAT, CHARGES, charge(amount, &receipt));
    }
}

/// Moves the money of an order; the receipt.
pub(super) fn transfer(state: &mut State, order: &Order, now: Timestamp) -> Result<String, Code> {
    let amount = order.amount.ok_or(codes::AMOUNT)?;
    let (from, to) = order.parties();
    if order.kind == Kind::B2b && state.ledger.balance(to).is_none() {
        state.ledger.open(to, 0);
    }
    let receipt = state.new_receipt(now);
    let line = movement(order, &order.party, amount, &receipt);
    state.ledger.transfer(from, to, line).map_err(code_of)?;
    Ok(receipt)
}

/// The operator takes a transaction back, without being asked by the organisation.
pub(super) fn take_back(simulator: &Simulator, receipt: &str) -> Result<String, Code> {
    let order = Order {
        kind: Kind::Reversal,
        third_party: String::new(),
        party: String::new(),
        amount: None,
        label: String::new(),
        original: receipt.to_owned(),
    };
    let now = simulator.now();
    let mut guard = simulator.state();
    let state = &mut *guard;
    let receipt = reverse(state, &order, now)?;
    state.ledger.mark_unasked(&receipt);
    let (key, conversation) = (order.key(), state.new_conversation());
    let position = state.add(order, conversation, key, now, Duration::ZERO);
    state.end(position, Status::Completed { receipt: receipt.clone() }, now);
    Ok(receipt)
}

/// Takes a transaction back: once, wholly or in part. A reversal in part marks the whole
/// transaction as reversed and a second one is refused with INS-6; neither is documented
/// (`mpesa-openapi.md` §6 knows only that a part can be asked for).
fn reverse(state: &mut State, order: &Order, now: Timestamp) -> Result<String, Code> {
    let (position, original) = state.by_receipt(&order.original).ok_or(codes::NOT_YOURS)?;
    let whole = original.order.amount.ok_or(codes::FAILED)?;
    if original.reversed || original.order.kind == Kind::Reversal {
        return Err(codes::FAILED);
    }
    let amount = order.amount.unwrap_or(whole);
    if amount.minor() > whole.minor() {
        return Err(codes::AMOUNT);
    }
    let party = original.order.party.clone();
    let incoming = original.order.parties().1 == FLOAT;
    let receipt = state.new_receipt(now);
    let line = movement(order, &party, amount, &receipt);
    let (from, to) = if incoming { (FLOAT, &*party) } else { (&*party, FLOAT) };
    state.ledger.transfer(from, to, line).map_err(code_of)?;
    state.mark_reversed(position);
    Ok(receipt)
}

fn code_of(why: Hindrance) -> Code {
    match why {
        Hindrance::UnknownParty => codes::MSISDN,
        Hindrance::Insufficient => codes::INSUFFICIENT,
        Hindrance::Overflow => codes::FAILED,
    }
}

/// An honest refusal: by the payer himself, or by his balance.
fn refusal(kind: Kind, key: &str) -> Code {
    let pick = hash(0, &[b"refusal", key.as_bytes()]).is_multiple_of(2);
    match kind {
        Kind::C2b if pick => codes::FAILED,
        Kind::C2b | Kind::Reversal => codes::INSUFFICIENT,
        _ => codes::FAILED,
    }
}
