//! The memory of the provider: ledger, transactions, request states.

use std::collections::HashMap;

use axum::http::Uri;
use kiungo_domain::{Currency, Money, Timestamp};
use kiungo_simulator::books::Movement;
use kiungo_simulator::faults::hash;
use kiungo_simulator::ledger::{FLOAT, Hindrance, Ledger};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::format;
use super::options::{Options, Quirks};
use super::order::Order;
use super::version::Version;

/// The state behind the one lock.
pub(super) struct State {
    pub(super) ledger: Ledger,
    /// By server correlation id.
    pub(super) requests: HashMap<String, Request>,
    /// In order of creation.
    pub(super) transactions: Vec<Transaction>,
    /// Positions in `transactions` by reference.
    by_reference: HashMap<String, usize>,
    /// Positions in `transactions` by party.
    by_party: HashMap<String, Vec<usize>>,
    /// Server correlation ids by client and his correlation id.
    by_correlation: HashMap<(String, String), String>,
    /// Server correlation ids by the id of the error that they ended in.
    by_error: HashMap<String, String>,
    /// The accounts that are in another state than usual.
    statuses: HashMap<String, AccountStatus>,
    /// One-time codes that were given out and not used yet.
    pub(super) codes: HashMap<String, Code>,
    /// The currency of the books; what is in another one is in a purse of its own.
    currency: Currency,
    /// The balances of the float and of a customer in another currency at the start, in minor
    /// units.
    opening: (i64, i64),
    /// The time at which the simulator started. References that it gives out are made from it: they
    /// never repeat after a restart.
    began: Timestamp,
    seed: u64,
    counter: u64,
}

/// A one-time code.
#[derive(Debug, Clone)]
pub(super) struct Code {
    /// The party whose account pays.
    pub(super) party: String,
    /// The most that it pays, in minor units.
    pub(super) minor_max: i64,
}

/// The states of an account (§8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// It can be used.
    #[default]
    Available,
    /// It exists and cannot be used.
    Unavailable,
    /// It is registered to nobody.
    Unregistered,
}

/// A creation request and what became of it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) version: Version,
    pub(super) correlation: Option<String>,
    pub(super) callback_url: Option<Uri>,
    pub(super) by_callback: bool,
    /// The order that is still to be carried out.
    pub(super) order: Option<Order>,
    /// The transaction that stands for it.
    pub(super) reference: String,
    /// The number that a 202 gives before the real reference.
    pub(super) provisional: u64,
    pub(super) outcome: Outcome,
    pub(super) expires_at: Timestamp,
    pub(super) polls: u32,
    pub(super) operation: &'static str,
    pub(super) key: String,
    /// It was refused, and will be carried out nevertheless.
    pub(super) approved_late: bool,
}

/// The outcome of a request.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Pending,
    Completed,
    Failed {
        error: ApiError,
        /// The error's own id, which `/responses` links to.
        id: String,
    },
}

/// A transaction, executed or not.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    pub(super) reference: String,
    pub(super) kind: String,
    pub(super) status: &'static str,
    pub(super) payer: String,
    pub(super) payee: String,
    pub(super) amount: Money,
    /// The part of it that was taken back.
    pub(super) returned_minor: i64,
    pub(super) reverses: Option<String>,
    pub(super) echo: Map<String, Value>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// Queries do not find it earlier.
    pub(super) visible_at: Timestamp,
    /// The business content that faults are drawn by.
    pub(super) key: String,
}

impl State {
    pub(super) fn new(options: &Options, seed: u64, began: Timestamp) -> Self {
        // Server ids and error ids differ after a restart, too.
        let seed = hash(seed, &[b"began", &began.as_micros().to_le_bytes()]);
        Self {
            ledger: Ledger::new(options.float_minor, options.opening_balance_minor),
            requests: HashMap::new(),
            transactions: Vec::new(),
            by_reference: HashMap::new(),
            by_party: HashMap::new(),
            by_correlation: HashMap::new(),
            by_error: HashMap::new(),
            statuses: HashMap::new(),
            codes: HashMap::new(),
            currency: options.currency,
            opening: (options.float_minor, options.opening_balance_minor.unwrap_or_default()),
            began,
            seed,
            counter: 0,
        }
    }

    /// The state of a party's account.
    pub(super) fn status(&self, party: &str) -> AccountStatus {
        self.statuses.get(party).copied().unwrap_or_default()
    }

    /// Changes the state of a party's account.
    pub(super) fn set_status(&mut self, party: String, status: AccountStatus) {
        self.statuses.insert(party, status);
    }

    /// The sum that a customer's account has moved since midnight, in minor units.
    pub(super) fn moved_today(&self, party: &str, now: Timestamp) -> i64 {
        const DAY: i64 = 86_400_000_000;
        let day = |at: Timestamp| at.as_micros().div_euclid(DAY);
        self.of_party(party)
            .take_while(|found| day(found.created) == day(now))
            .filter(|found| found.status == "completed" && found.reverses.is_none())
            .fold(0, |sum, found| sum.saturating_add(found.amount.minor()))
    }

    /// The next number; every id is made from one.
    pub(super) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The time at which the simulator started.
    pub(super) const fn began(&self) -> Timestamp {
        self.began
    }

    /// A new transaction reference: `REF-` and the milliseconds of the start, as the hosted
    /// simulator has the milliseconds of the moment, and a number.
    pub(super) fn new_reference(&mut self) -> String {
        let number = self.count();
        format!("REF-{:013}{number:07}", self.began.as_micros().max(0) / 1_000)
    }

    /// The balance of a party in a currency; `None` if there is no such account.
    pub(super) fn balance(&mut self, party: &str, currency: Currency) -> Option<i64> {
        let purse = self.purse(party, currency)?;
        self.ledger.balance(&purse)
    }

    /// Moves money from one party to another.
    pub(super) fn transfer(
        &mut self,
        from: &str,
        to: &str,
        amount: Money,
        movement: Movement,
    ) -> Result<(), Hindrance> {
        let purse = |state: &mut Self, party: &str| state.purse(party, amount.currency());
        let from = purse(self, from).ok_or(Hindrance::UnknownParty)?;
        let to = purse(self, to).ok_or(Hindrance::UnknownParty)?;
        self.ledger.transfer(&from, &to, movement)
    }

    /// The name in the books under which a party has money of a currency.
    pub(super) fn purse_name(&self, party: &str, currency: Currency) -> String {
        if currency == self.currency {
            party.to_owned()
        } else {
            format!("{party}/{}", currency.code())
        }
    }

    /// The same, opened if the party has an account and the purse is new.
    fn purse(&mut self, party: &str, currency: Currency) -> Option<String> {
        self.ledger.balance(party)?;
        let name = self.purse_name(party, currency);
        if self.ledger.balance(&name).is_none() {
            let phone = party.bytes().all(|byte| byte.is_ascii_digit());
            let (float, customer) = self.opening;
            let minor = match party {
                FLOAT => float,
                _ if phone => customer,
                _ => 0,
            };
            self.ledger.open(&name, minor);
        }
        Some(name)
    }

    /// A new server correlation id.
    pub(super) fn new_server_id(&mut self) -> String {
        let number = self.count().to_le_bytes();
        let half = |name: &[u8]| u128::from(hash(self.seed, &[b"server", name, &number]));
        uuid::Uuid::from_u128((half(b"high") << 64) | half(b"low")).hyphenated().to_string()
    }

    /// True if this client has used this correlation id before.
    pub(super) fn is_duplicate(&self, order: &Order) -> bool {
        correlation_of(order).is_some_and(|key| self.by_correlation.contains_key(&key))
    }

    /// The request that this client made with this id.
    pub(super) fn request_of(&self, client: &str, correlation: &str) -> Option<&Request> {
        let key = (client.to_owned(), correlation.to_ascii_lowercase());
        self.requests.get(self.by_correlation.get(&key)?)
    }

    /// Keeps a request under a new server correlation id; the first use of a correlation id stays
    /// the one that `/responses` knows.
    pub(super) fn keep(&mut self, order: &Order, request: Request) -> String {
        let id = self.new_server_id();
        if let Some(key) = correlation_of(order) {
            self.by_correlation.entry(key).or_insert_with(|| id.clone());
        }
        self.requests.insert(id.clone(), request);
        id
    }

    /// Ends a request with an error that has an id of its own.
    pub(super) fn fail(&mut self, server_id: &str, error: ApiError) {
        let id = self.count().to_string();
        self.by_error.insert(id.clone(), server_id.to_owned());
        if let Some(request) = self.requests.get_mut(server_id) {
            request.outcome = Outcome::Failed { error, id };
        }
    }

    /// The error with this id.
    pub(super) fn error(&self, id: &str) -> Option<&ApiError> {
        match &self.requests.get(self.by_error.get(id)?)?.outcome {
            Outcome::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Lets a transaction be found under another name, too: the number that a 202 gave.
    pub(super) fn also_named(&mut self, number: u64, reference: &str) {
        if let Some(position) = self.by_reference.get(reference).copied() {
            self.by_reference.insert(number.to_string(), position);
        }
    }

    /// Adds a transaction.
    pub(super) fn add(&mut self, transaction: Transaction) {
        let position = self.transactions.len();
        self.by_reference.insert(transaction.reference.clone(), position);
        for party in [&transaction.payer, &transaction.payee] {
            let positions = self.by_party.entry(party.clone()).or_default();
            if positions.last() != Some(&position) {
                positions.push(position);
            }
        }
        self.transactions.push(transaction);
    }

    /// The transaction with this reference.
    pub(super) fn transaction(&self, reference: &str) -> Option<&Transaction> {
        self.transactions.get(*self.by_reference.get(reference)?)
    }

    /// The same, to change it.
    pub(super) fn transaction_mut(&mut self, reference: &str) -> Option<&mut Transaction> {
        self.transactions.get_mut(*self.by_reference.get(reference)?)
    }

    /// The transactions of a party, newest first.
    pub(super) fn of_party(&self, party: &str) -> impl Iterator<Item = &Transaction> {
        let positions = self.by_party.get(party).map(Vec::as_slice).unwrap_or_default();
        positions.iter().rev().filter_map(|position| self.transactions.get(*position))
    }
}

fn correlation_of(order: &Order) -> Option<(String, String)> {
    Some((order.sender.client.clone(), order.sender.correlation.clone()?))
}

impl Transaction {
    /// A text property of it.
    pub(super) fn text(&self, name: &str) -> &str {
        self.echo.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The side of the customer, who is not the organisation.
    pub(super) fn customers_side(&self) -> &'static str {
        if self.payer == FLOAT { "creditParty" } else { "debitParty" }
    }

    /// The Transaction or Reversal object (§10.1, §10.2)
    /// as `version` writes it: 1.1.2 knows neither 1.2.0's properties nor trailing zeros (§13).
    pub(super) fn to_json(&self, quirks: &Quirks, version: Version) -> Value {
        let mut body = self.echo.clone();
        if version == Version::V1_1 {
            body.retain(|name, _| {
                !matches!(name.as_str(), "customData" | "requestingOrganisation")
            });
            body.insert("amount".into(), self.amount.to_short_decimal().into());
        }
        let mut put = |name: &str, value: String| body.insert(name.to_owned(), value.into());
        put("transactionReference", self.reference.clone());
        put("type", self.kind.clone());
        put(
            "transactionStatus",
            if quirks.capital_statuses {
                format::capital(self.status)
            } else {
                self.status.to_owned()
            },
        );
        put("creationDate", format::date_time(self.created, quirks));
        put("modificationDate", format::date_time(self.modified, quirks));
        if let Some(original) = &self.reverses {
            put("originalTransactionReference", original.clone());
        }
        if quirks.own_receipts && self.status == "completed" {
            let digits = self.reference.trim_start_matches(|letter: char| !letter.is_ascii_digit());
            put("transactionReceipt", format!("R{digits}"));
        }
        Value::Object(body)
    }
}

impl Request {
    /// The `RequestState` object (§4.1).
    pub(super) fn to_json(&self, server_id: &str, options: &Options) -> Value {
        let quirks = &options.quirks;
        let method = if self.by_callback { "callback" } else { "polling" };
        let mut body = json!({
            "serverCorrelationId": server_id,
            "status": "pending",
            "notificationMethod": method,
            "expiryTime": format::date_time(self.expires_at, quirks),
            "pollLimit": options.poll_limit,
        });
        if quirks.string_integers {
            body["pollLimit"] = options.poll_limit.to_string().into();
        }
        match &self.outcome {
            Outcome::Pending => {
                body["pendingReason"] = "Waiting for the customer".into();
                if quirks.provisional_object_reference {
                    body["objectReference"] = self.provisional.to_string().into();
                }
            }
            Outcome::Completed => {
                body["status"] = "completed".into();
                body["objectReference"] = self.reference.clone().into();
            }
            Outcome::Failed { error, .. } => {
                body["status"] = "failed".into();
                // As the hosted simulator: what was given while pending stays.
                if quirks.provisional_object_reference {
                    body["objectReference"] = self.provisional.to_string().into();
                }
                // Both names are in use (§14).
                body["error"] = error.to_json(quirks);
                body["errorReference"] = error.to_json(quirks);
            }
        }
        body
    }
}
