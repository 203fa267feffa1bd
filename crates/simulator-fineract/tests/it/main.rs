//! The simulated Fineract core, called as a tower service. Every story ends with the books: opening
//! balance and movements must explain the balance.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod doors;
mod hooks;
mod keys;
mod loans;
mod misfortune;
mod reading;
mod real;
mod real_money;
mod releases;
mod savings;

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use kiungo_domain::Timestamp;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::faults::{Fault, Faults, Plan, ResetConnection};
use kiungo_simulator_fineract::{
    ClientSpec, LoanSpec, LoanStatus, Options, SavingsSpec, Simulator, Version,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// 2026-09-01T09:00:00Z.
const MORNING: i64 = 1_788_253_200_000_000;
const LOGIN: &str = "Basic bWlmb3M6cGFzc3dvcmQ=";

/// A core with one client: savings account 1 with 5,000.00 and loans 1 (approved), 2 (active) and 3
/// (pending) of 1,000.00.
struct World {
    simulator: Simulator,
    login: &'static str,
}

/// The simulator's answer to a request.
#[derive(Debug)]
struct Reply {
    status: u16,
    cached: bool,
    reset: bool,
    content_type: String,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The code of the first element of `errors`.
    fn code(&self) -> String {
        self.json()["errors"][0]["userMessageGlobalisationCode"].as_str().unwrap_or("").to_owned()
    }

    fn number(&self, name: &str) -> u64 {
        self.json()[name].as_u64().unwrap_or_else(|| panic!("no {name}: {}", self.text))
    }
}

impl World {
    fn new(options: Options) -> Self {
        let clock = Clock::Virtual {
            epoch: Timestamp::from_micros(MORNING),
            origin: tokio::time::Instant::now(),
        };
        let simulator = Simulator::new(options, clock, Faults::new(Plan::none(1)));
        let world = Self { simulator, login: LOGIN };
        world.open(SavingsSpec::active("TZS", 500_000));
        world
    }

    fn of(version: Version) -> Self {
        Self::new(Options { version, ..Options::default() })
    }

    fn open(&self, savings: SavingsSpec) -> u64 {
        let count = self.simulator.books().balances.len();
        let loan = |status, name: &str| LoanSpec {
            external_id: format!("LN-{count}-{name}"),
            ..LoanSpec::new(status, "TZS", 100_000)
        };
        let savings = SavingsSpec { external_id: format!("SV-{count}"), ..savings };
        let spec = ClientSpec {
            name: "Asha Juma".to_owned(),
            mobile_no: format!("2557000000{count:02}"),
            external_id: format!("C-{count}"),
            closed: false,
            savings: vec![savings],
            loans: vec![
                loan(LoanStatus::Approved, "approved"),
                loan(LoanStatus::Active, "active"),
                loan(LoanStatus::Pending, "pending"),
            ],
        };
        self.simulator.open_client(spec).expect("a client").savings[0]
    }

    /// From now on this always happens to that operation.
    fn suffer(&self, operation: &str, fault: Fault) {
        let rates = BTreeMap::from([(operation.to_owned(), BTreeMap::from([(fault, 10_000)]))]);
        self.simulator.faults().set(Plan { rates, ..Plan::none(1) });
    }

    fn recover(&self) {
        self.simulator.faults().set(Plan::none(1));
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, "", String::new()).await
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> Reply {
        self.send(Method::POST, path, key, body.to_string()).await
    }

    async fn send(&self, method: Method, path: &str, key: &str, body: String) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/fineract-provider/api/{path}"))
            .header("Fineract-Platform-TenantId", "default")
            .header("Authorization", self.login)
            .header("Content-Type", "application/json");
        if !key.is_empty() {
            request = request.header("Idempotency-Key", key);
        }
        self.call(request.body(Body::from(body)).expect("a request")).await
    }

    async fn call(&self, request: Request<Body>) -> Reply {
        let response = self.simulator.router().oneshot(request).await.expect("no error");
        let (parts, body) = response.into_parts();
        let header = |name: &str| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
        };
        let reply = Reply {
            status: parts.status.as_u16(),
            cached: header("x-served-from-cache") == "true",
            reset: parts.extensions.get::<ResetConnection>().is_some(),
            content_type: header("content-type"),
            text: String::from_utf8(body.collect().await.expect("a body").to_bytes().to_vec())
                .expect("text"),
        };
        self.audit();
        reply
    }

    async fn deposit(&self, key: &str, amount: &str) -> Reply {
        self.post("v1/savingsaccounts/1/transactions?command=deposit", key, posting(amount)).await
    }

    async fn withdraw(&self, key: &str, amount: &str) -> Reply {
        self.post("v1/savingsaccounts/1/transactions?command=withdrawal", key, posting(amount))
            .await
    }

    async fn repay(&self, key: &str, amount: &str) -> Reply {
        self.post("v1/loans/2/transactions?command=repayment", key, posting(amount)).await
    }

    async fn disburse(&self, key: &str, external_id: &str) -> Reply {
        let body = json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "actualDisbursementDate": "2026-09-01",
            "paymentTypeId": 3, "receiptNumber": "MM8R3L1", "externalId": external_id});
        self.post("v1/loans/1?command=disburse", key, body).await
    }

    fn balance(&self, party: &str) -> i64 {
        self.simulator.books().balances[party]
    }

    fn operations(&self) -> Vec<String> {
        let movements = self.simulator.books().movements;
        movements.into_iter().map(|movement| movement.operation).collect()
    }

    /// Opening and movements explain every balance.
    fn audit(&self) {
        let books = self.simulator.books();
        let mut expected = books.opening.clone();
        let mut effects: BTreeMap<(String, String), i64> = BTreeMap::new();
        for movement in &books.movements {
            let sign = match (movement.operation.as_str(), movement.party.starts_with("loan")) {
                ("deposit", false) | ("disburse" | "interest" | "refund", true) => 1,
                ("withdraw" | "fee", false) | ("repay", true) => -1,
                ("undo", _) => {
                    let original = (movement.party.clone(), movement.takes_back.clone());
                    let effect = effects.remove(&original).expect("an original, taken back once");
                    *expected.get_mut(&movement.party).expect("a party") -= effect;
                    continue;
                }
                (other, _) => panic!("what is a {other}?"),
            };
            let effect = sign * movement.amount_minor;
            *expected.get_mut(&movement.party).expect("a party") += effect;
            let known = effects.insert((movement.party.clone(), movement.receipt.clone()), effect);
            assert_eq!(known, None, "a receipt is used once");
        }
        assert_eq!(expected, books.balances);
    }
}

/// A deposit, withdrawal, or repayment of today.
fn posting(amount: &str) -> Value {
    json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionDate": "2026-09-01",
        "transactionAmount": amount, "paymentTypeId": 3, "accountNumber": "255700000001",
        "routingCode": "TZ-MNO-A", "receiptNumber": "MM7Q2K9", "bankNumber": "", "note": "mobile money"})
}

/// The body with one member more, or another value.
fn with(mut body: Value, name: &str, value: impl Into<Value>) -> Value {
    body[name] = value.into();
    body
}
