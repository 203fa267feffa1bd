//! Creations: the three flows (`gsma-mobile-money-api.md` §4), and carrying an order out.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use kiungo_domain::{Money, Timestamp};
use kiungo_simulator::books::Movement;
use kiungo_simulator::faults::{Fault, hash};
use kiungo_simulator::ledger::{FLOAT, Hindrance};
use kiungo_simulator::response_faults::{Subject, perform};
use serde_json::{Map, Value};

use super::admission::Client;
use super::error::{ApiError, Category};
use super::options::{Flow, Place};
use super::order::{Order, Raw, canonical};
use super::simulator::{Api, Simulator};
use super::state::{AccountStatus, Outcome, Request, State, Transaction};
use super::{afterwards, callback, format};

/// `POST /transactions/type/{transactionType}`, and `POST /transactions` with the type in the body.
pub(super) async fn create(
    Shared(api): Shared<Api>,
    kind: Option<Path<String>>,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = kind.as_ref().map(|Path(kind)| kind.as_str());
    let order = api.raw(&headers, &body).transaction(client, kind);
    api.simulator.take(order).await
}

/// `POST /transactions/{transactionReference}/reversals`.
pub(super) async fn reverse(
    Shared(api): Shared<Api>,
    Path(original): Path<String>,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let order = api.reversal(&api.raw(&headers, &body), client, &original);
    api.simulator.take(order).await
}

impl Api {
    fn raw<'a>(&'a self, headers: &'a HeaderMap, body: &'a [u8]) -> Raw<'a> {
        let simulator = &self.simulator;
        Raw {
            version: self.version,
            options: simulator.options(),
            headers,
            body,
            now: simulator.now(),
        }
    }

    fn reversal(&self, raw: &Raw<'_>, client: String, original: &str) -> Result<Order, ApiError> {
        let body = raw.object()?;
        let sender = raw.sender(client, !raw.headers.contains_key("x-callback-url"))?;
        let wrong = |code, violated| {
            ApiError::new(Category::Validation, code, "Invalid JSON Field", raw.now)
                .field("type", violated)
        };
        let kind = match body.get("type").and_then(Value::as_str) {
            None => return Err(wrong("mandatoryValueNotSupplied", "reversal|adjustment")),
            Some(kind) => kind.to_owned(),
        };
        // The compliance platform expects this one by callback (§15.3).
        let unfit = !matches!(kind.as_str(), "reversal" | "adjustment");
        let failing = unfit.then(|| wrong("formatError", "reversal|adjustment"));
        if let (Some(error), false) = (&failing, raw.options.triggers) {
            return Err(error.clone());
        }
        let (known, partial) = raw.reversal(&body)?;
        let state = self.simulator.state();
        let Some(first) = state.transaction(original) else {
            let unknown = ApiError::unknown("Transaction", raw.now);
            // What cannot be identified belongs into the callback (§4.3), as the platform has it:
            // after what is wrong with the request itself.
            if !raw.options.triggers {
                return Err(unknown);
            }
            let amount = partial.unwrap_or(Money::zero(raw.options.currency));
            return Ok(Order {
                sender,
                kind,
                payer: FLOAT.to_owned(),
                payee: FLOAT.to_owned(),
                amount,
                echo: known,
                original: Some(original.to_owned()),
                key: format!("{original}|{}|", amount.minor()),
                label: String::new(),
                failing: Some(failing.unwrap_or(unknown)),
            });
        };
        let amount = partial.unwrap_or(first.amount);
        Ok(Order {
            sender,
            kind,
            payer: first.payee.clone(),
            payee: first.payer.clone(),
            amount,
            echo: reversal_echo(first, known, amount),
            original: Some(first.reference.clone()),
            key: first.key.clone(),
            label: String::new(),
            failing,
        })
    }
}

/// The properties that a reversal's answer carries: its own request, and the original's parties
/// turned around.
fn reversal_echo(
    first: &Transaction,
    mut body: Map<String, Value>,
    amount: Money,
) -> Map<String, Value> {
    body.insert("amount".into(), amount.to_short_decimal().into());
    body.insert("currency".into(), amount.currency().code().into());
    for (to, from) in [("debitParty", "creditParty"), ("creditParty", "debitParty")] {
        if let Some(party) = first.echo.get(from) {
            body.insert(to.into(), party.clone());
        }
    }
    body
}

impl Simulator {
    /// Answers a creation, with all that can go wrong.
    async fn take(&self, order: Result<Order, ApiError>) -> Response {
        let order = match order {
            Ok(order) => self.redeemable(order),
            Err(error) => return self.refuse(&error),
        };
        let flow = self.flow(&order);
        let delay = Duration::from_millis(self.options().delay_ms);
        let (operation, key) = (order.operation(), order.key.clone());
        let wait = if flow == Flow::Synchronous { delay } else { Duration::ZERO };
        let subject = Subject { operation, key: &key, delay: wait };
        let own_error = |status| self.refuse(&ApiError::own(status, self.now()));
        let simulator = self.clone();
        perform(&self.inner.faults, subject, own_error, move || async move {
            if flow == Flow::Synchronous {
                simulator.now_and_here(&order)
            } else {
                simulator.later(order, flow, delay).await
            }
        })
        .await
    }

    /// An order that is paid by a one-time code: out of the account that the code is for. A code
    /// that was never given out, is used, or is for less fails.
    fn redeemable(&self, mut order: Order) -> Order {
        let code = order.text("oneTimeCode").to_owned();
        if code.is_empty() || !self.options().strict || order.original.is_some() {
            return order;
        }
        let known = self.state().codes.get(&code).cloned();
        let fits = known.filter(|known| {
            order.amount.minor() <= known.minor_max
                && (order.payer == FLOAT || order.payer == known.party)
        });
        if let Some(known) = fits {
            let payer = canonical(&known.party, self.options());
            order.echo.insert("debitParty".to_owned(), payer);
            order.payer = known.party;
        } else {
            let unknown = ApiError::unknown("One-time code", self.now());
            order.failing = order.failing.or(Some(unknown.field("oneTimeCode", "unused")));
        }
        order
    }

    fn flow(&self, order: &Order) -> Flow {
        let options = self.options();
        match options.flows.get(order.operation()).copied().unwrap_or(options.flow) {
            Flow::Requested if order.sender.callback_url.is_some() => Flow::Callback,
            Flow::Requested => Flow::Polling,
            flow => flow,
        }
    }

    /// The synchronous flow.
    fn now_and_here(&self, order: &Order) -> Response {
        let now = self.now();
        let mut state = self.state();
        if self.refuses_again(&state, order) {
            return self.refuse(&duplicate(now));
        }
        let id = self.accept(&mut state, order, false, now);
        self.carry_out(&mut state, &id, now);
        let Some(request) = state.requests.get(&id) else { return Response::default() };
        let answer = match (&request.outcome, state.transaction(&request.reference)) {
            (Outcome::Failed { error, .. }, _) => self.refuse(error),
            (_, Some(transaction)) => {
                let mut body = transaction.to_json(&self.options().quirks, order.sender.version);
                self.misstate(Place::Answers, transaction, &mut body);
                format::json(StatusCode::CREATED, &body)
            }
            _ => Response::default(),
        };
        drop(state);
        afterwards::follow(self, &id);
        answer
    }

    fn refuses_again(&self, state: &State, order: &Order) -> bool {
        self.options().conduct.deduplicates && state.is_duplicate(order)
    }

    /// The asynchronous flows: 202, and the rest after `delay`.
    async fn later(&self, order: Order, flow: Flow, delay: Duration) -> Response {
        let now = self.now();
        let (operation, key) = (order.operation(), order.key.clone());
        let (id, body) = {
            let mut state = self.state();
            let id = if !self.refuses_again(&state, &order) {
                self.accept(&mut state, &order, flow == Flow::Callback, now)
            } else if self.options().asynchronous_duplicates {
                let order = Order { failing: Some(duplicate(now)), ..order };
                self.accept(&mut state, &order, flow == Flow::Callback, now)
            } else {
                return self.refuse(&duplicate(now));
            };
            let body = state.requests.get(&id).map(|request| request.to_json(&id, self.options()));
            (id, body.unwrap_or_default())
        };
        let early = flow == Flow::Callback && self.inner.courier.is_early(operation, &key);
        let silent = self.inner.faults.strikes(operation, Fault::Silence, &key);
        // What is not done by then fails then.
        let expiry = Duration::from_millis(self.options().expiry_ms) + Duration::from_micros(1);
        let simulator = self.clone();
        let rest = tokio::spawn(async move {
            if silent {
                tokio::time::sleep(expiry).await;
                let now = simulator.now();
                simulator.carry_out(&mut simulator.state(), &id, now);
                afterwards::follow(&simulator, &id);
                return;
            }
            if !early {
                tokio::time::sleep(delay.min(expiry)).await;
            }
            simulator.settle(&id).await;
        });
        if early && !silent {
            // The callback has been delivered before the answer leaves.
            let _ = rest.await;
        }
        format::json(StatusCode::ACCEPTED, &body)
    }

    /// Carries out what was accepted, and calls back.
    async fn settle(&self, id: &str) {
        {
            let now = self.now();
            self.carry_out(&mut self.state(), id, now);
        }
        callback::send(self, id).await;
        afterwards::follow(self, id);
    }

    /// Carries out what was refused: the customer has approved after all. Whether it was.
    pub(super) fn approve(&self, id: &str) -> bool {
        let now = self.now();
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(request) = state.requests.get_mut(id) else { return false };
        let Some(order) = request.order.take() else { return false };
        let reference = request.reference.clone();
        if self.execute(state, &order, &reference, now).is_err() {
            return false;
        }
        state.ledger.mark_unasked(&reference);
        if let Some(transaction) = state.transaction_mut(&reference) {
            transaction.status = "completed";
            transaction.modified = now;
        }
        if let Some(request) = state.requests.get_mut(id) {
            request.outcome = Outcome::Completed;
        }
        true
    }

    /// Remembers an order, not carried out yet; its server correlation id.
    fn accept(
        &self,
        state: &mut State,
        order: &Order,
        by_callback: bool,
        now: Timestamp,
    ) -> String {
        let reference = state.new_reference();
        let lag = self.inner.faults.strikes("inquire", Fault::IndexingLag, &order.key);
        let lag = if lag { self.inner.faults.indexing_lag() } else { Duration::ZERO };
        state.add(Transaction {
            reference: reference.clone(),
            kind: order.kind.clone(),
            status: "pending",
            payer: order.payer.clone(),
            payee: order.payee.clone(),
            amount: order.amount,
            returned_minor: 0,
            reverses: order.original.clone(),
            echo: order.echo.clone(),
            created: now,
            modified: now,
            visible_at: now.after(lag),
            key: order.key.clone(),
        });
        let expires_at = now.after(Duration::from_millis(self.options().expiry_ms));
        let provisional = state.count();
        state.also_named(provisional, &reference);
        let request = Request {
            version: order.sender.version,
            correlation: order.sender.correlation.clone(),
            callback_url: order.sender.callback_url.clone(),
            by_callback,
            operation: order.operation(),
            key: order.key.clone(),
            order: Some(order.clone()),
            reference,
            provisional,
            outcome: Outcome::Pending,
            expires_at,
            polls: 0,
            approved_late: false,
        };
        state.keep(order, request)
    }

    /// Moves the money of an accepted request, or refuses it; once.
    fn carry_out(&self, state: &mut State, id: &str, now: Timestamp) {
        let Some(request) = state.requests.get_mut(id) else { return };
        let expired = now > request.expires_at;
        let reference = request.reference.clone();
        let Some(order) = request.order.take() else { return };
        let rate = self.options().conduct.approved_late;
        let late = order.operation() == "collect"
            && order.failing.is_none()
            && self.happens("approved_late", &order.key, rate);
        let moved = if expired || late {
            Err(refused(&order, "requestDeclined", "The customer did not answer in time", now))
        } else {
            self.execute(state, &order, &reference, now)
        };
        if late && let Some(request) = state.requests.get_mut(id) {
            request.approved_late = true;
            request.order = Some(order);
        }
        if let Some(transaction) = state.transaction_mut(&reference) {
            transaction.status = if moved.is_ok() { "completed" } else { "failed" };
            transaction.modified = now;
        }
        match moved {
            Ok(()) => {
                if let Some(request) = state.requests.get_mut(id) {
                    request.outcome = Outcome::Completed;
                }
            }
            Err(error) => state.fail(id, error),
        }
    }

    fn execute(
        &self,
        state: &mut State,
        order: &Order,
        reference: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let rule = |code, text| refused(order, code, text, now);
        if let Some(error) = &order.failing {
            return Err(error.clone());
        }
        // The hosted simulator accepts identical parties (§14).
        if order.payer == order.payee && !self.options().triggers {
            return Err(rule("samePartiesError", "Debit party and credit party are the same"));
        }
        for party in [&order.payer, &order.payee] {
            if state.balance(party, order.amount.currency()).is_none() {
                return Err(ApiError::unknown("Account", now));
            }
        }
        for party in [&order.payer, &order.payee] {
            if state.status(party) != AccountStatus::Available {
                return Err(rule("incorrectState", "The account cannot be used"));
            }
        }
        self.check_limits(state, order, now)?;
        self.check_original(state, order, now)?;
        if order.payer == FLOAT && order.original.is_none() && self.float_is_empty(state.began()) {
            return Err(rule("insufficientFunds", "Payer balance too low"));
        }
        if self.inner.faults.strikes(order.operation(), Fault::CustomerRefuses, &order.key) {
            return Err(refusal(order, now));
        }
        let hindered = |why| match why {
            Hindrance::UnknownParty => ApiError::unknown("Account", now),
            Hindrance::Insufficient => rule("insufficientFunds", "Payer balance too low"),
            Hindrance::Overflow => rule("maxBalanceExceeded", "Balance too high"),
        };
        let charge = self.charge(order.operation());
        if let Some(charge) = charge
            && order.payee == FLOAT
        {
            charge.fits(state, &order.payer, order.amount).map_err(hindered)?;
        }
        let movement = movement(state, order, reference);
        state.transfer(&order.payer, &order.payee, order.amount, movement).map_err(hindered)?;
        if let Some(charge) = charge {
            let mut fees = Map::new();
            let currency = order.amount.currency();
            charge.take(state, customer(order), currency, reference, &mut fees);
            if let Some(transaction) = state.transaction_mut(reference) {
                transaction.echo.extend(fees);
            }
        }
        state.codes.remove(order.text("oneTimeCode"));
        if let Some(first) = order.original.as_ref().and_then(|first| state.transaction_mut(first))
        {
            first.returned_minor = first.returned_minor.saturating_add(order.amount.minor());
        }
        Ok(())
    }

    fn check_limits(
        &self,
        state: &mut State,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let options = self.options();
        let amount = order.amount.minor();
        let rule = |code, text| Err(refused(order, code, text, now));
        if amount < options.amount_minor_min {
            return rule("lessThanTransactionMinValue", "Amount too small");
        }
        if amount > options.amount_minor_max {
            return rule("greaterThanTransactionMaxValue", "Amount too large");
        }
        let balance = state.balance(&order.payee, order.amount.currency()).unwrap_or_default();
        if order.payee != FLOAT && balance.saturating_add(amount) > options.balance_minor_max {
            return rule("maxBalanceExceeded", "The credit party would have too much");
        }
        let most = options.daily_minor_max;
        if most < i64::MAX && state.moved_today(customer(order), now).saturating_add(amount) > most
        {
            return rule("dailyValueLimitExceeded", "The customer's day is used up");
        }
        Ok(())
    }

    /// A transaction is reversed once, wholly unless parts are allowed (§10.2).
    fn check_original(&self, state: &State, order: &Order, now: Timestamp) -> Result<(), ApiError> {
        let Some(original) = &order.original else { return Ok(()) };
        let rule = |code, text| Err(refused(order, code, text, now));
        let Some(first) = state.transaction(original) else {
            return Err(ApiError::unknown("Transaction", now));
        };
        let left = first.amount.minor().saturating_sub(first.returned_minor);
        if first.status != "completed" || first.reverses.is_some() || left == 0 {
            return rule("incorrectState", "The transaction cannot be reversed, or was already");
        }
        if order.amount.minor() > left {
            return rule("overPaymentNotAllowed", "More than is left of the transaction");
        }
        if order.amount.minor() < left && !self.options().partial_reversals {
            return rule("underPaymentNotAllowed", "Only whole transactions are reversed");
        }
        Ok(())
    }
}

/// The party that is not the organisation.
fn customer(order: &Order) -> &str {
    if order.payer == FLOAT { &order.payee } else { &order.payer }
}

fn movement(state: &State, order: &Order, reference: &str) -> Movement {
    let own_id = order.text("requestingOrganisationTransactionReference");
    Movement {
        receipt: reference.to_owned(),
        reference: order.sender.correlation.clone().unwrap_or_else(|| own_id.to_owned()),
        operation: order.operation().to_owned(),
        party: state.purse_name(customer(order), order.amount.currency()),
        amount_minor: order.amount.minor(),
        currency: order.amount.currency().code().to_owned(),
        takes_back: order.original.clone().unwrap_or_default(),
        label: order.label.clone(),
        ..Movement::default()
    }
}

fn duplicate(now: Timestamp) -> ApiError {
    let text = "A request with this X-CorrelationID was received before";
    ApiError::new(Category::BusinessRule, "duplicateRequest", text, now)
}

fn refused(order: &Order, code: &'static str, text: &str, now: Timestamp) -> ApiError {
    let declined = code == "requestDeclined" && order.operation() == "collect";
    let category = if declined { Category::Authorisation } else { Category::BusinessRule };
    let code = if code == "requestDeclined" && !declined { "genericError" } else { code };
    ApiError::new(category, code, text, now)
}

/// A refusal by a listed code: by the payer himself, or by his balance.
fn refusal(order: &Order, now: Timestamp) -> ApiError {
    let pick = hash(0, &[b"refusal", order.key.as_bytes()]).is_multiple_of(2);
    match order.operation() {
        "collect" if pick => {
            let text = "The customer refused";
            ApiError::new(Category::Authorisation, "requestDeclined", text, now)
        }
        "pay_out" => {
            let text = "The credit party would have too much";
            ApiError::new(Category::BusinessRule, "maxBalanceExceeded", text, now)
        }
        _ => {
            let text = "Payer balance too low";
            ApiError::new(Category::BusinessRule, "insufficientFunds", text, now)
        }
    }
}
