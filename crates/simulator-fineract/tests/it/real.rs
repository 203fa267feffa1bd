//! The simulator beside a real server: the same request, the same status, codes, texts and members.
//!
//! `tests/fixtures/fineract-1.10.1.json` says what an Apache Fineract 1.10.1 on `PostgreSQL` answered:
//! names of members and kinds of values, codes, and texts without their numbers; nothing of its data.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kiungo_simulator_fineract::{Options, Version};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{World, posting};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a recorded answer")]
struct Real {
    status: u16,
    #[serde(default)]
    closes: bool,
    #[serde(default)]
    refresh: bool,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    challenge: bool,
    members: Value,
    code: Option<String>,
    text: Option<String>,
    #[serde(default)]
    codes: Vec<Option<String>>,
    #[serde(default)]
    texts: Vec<String>,
}

fn recorded() -> BTreeMap<String, Real> {
    serde_json::from_str(include_str!("../fixtures/fineract-1.10.1.json")).expect("recordings")
}

/// Names and kinds, as the recordings tell them. Errors and arguments differ one by one.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let each = matches!(name.as_str(), "errors" | "args");
                let shaped = match value {
                    Value::Array(items) if each => items.iter().map(shape).collect(),
                    value => shape(value),
                };
                (name.clone(), shaped)
            })
            .collect(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
    }
}

/// Shown where somebody gave such a name; the real loans had none.
const NAMES: [&str; 4] = ["externalId", "externalLoanId", "resourceExternalId", "entityExternalId"];

/// Asserts that all of `part` stands in `whole`, too. A simulated account knows less of itself than
/// a real one.
fn within(part: &Value, whole: &Value, at: &str) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            for (name, value) in part.iter().filter(|(name, _)| !NAMES.contains(&name.as_str())) {
                let known = whole.get(name);
                let known = known.unwrap_or_else(|| panic!("{at}: no real `{name}`"));
                within(value, known, &format!("{at}.{name}"));
            }
        }
        (Value::Array(part), Value::Array(whole)) => {
            for (part, whole) in part.iter().zip(whole) {
                within(part, whole, at);
            }
        }
        _ => assert_eq!(part, whole, "{at}"),
    }
}

fn without_numbers(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if shown.ends_with('#') => {}
            '0'..='9' => shown.push('#'),
            c => shown.push(c),
        }
    }
    shown
}

/// An answer with its headers.
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

pub(super) struct Beside {
    pub(super) world: World,
    real: BTreeMap<String, Real>,
}

impl Beside {
    pub(super) fn new(options: Options) -> Self {
        let world = World::new(Options { version: Version::V1_10, ..options });
        Self { world, real: recorded() }
    }

    async fn ask(&self, request: Request<Body>) -> Seen {
        let response = self.world.simulator.router().oneshot(request).await.expect("no error");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Seen { status: parts.status, headers: parts.headers, text }
    }

    pub(super) async fn send(&self, method: Method, path: &str, key: &str, body: &str) -> Seen {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/fineract-provider/api/v1/{path}"))
            .header("Fineract-Platform-TenantId", "default")
            .header("Authorization", self.world.login)
            .header("Content-Type", "application/json");
        if !key.is_empty() {
            request = request.header("Idempotency-Key", key);
        }
        self.ask(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    /// The same as the real server said under that name.
    pub(super) async fn get(&self, name: &str, path: &str) -> Value {
        let seen = self.send(Method::GET, path, "", "").await;
        self.compare(name, &seen)
    }

    pub(super) async fn post(&self, name: &str, path: &str, key: &str, body: &Value) -> Value {
        let seen = self.send(Method::POST, path, key, &body.to_string()).await;
        self.compare(name, &seen)
    }

    pub(super) fn compare(&self, name: &str, seen: &Seen) -> Value {
        let real = self.real.get(name).unwrap_or_else(|| panic!("{name} is not recorded"));
        let says = |header: &str, value: &str| {
            seen.headers.get(header).is_some_and(|said| said.as_bytes() == value.as_bytes())
        };
        assert_eq!(seen.status.as_u16(), real.status, "{name}: {}", seen.text);
        assert_eq!(says("connection", "close"), real.closes, "{name}: Connection");
        assert_eq!(says("x-notification-refresh", "true"), real.refresh, "{name}: refresh");
        assert_eq!(says("x-served-from-cache", "true"), real.cached, "{name}: cache");
        assert_eq!(seen.headers.contains_key("www-authenticate"), real.challenge, "{name}");
        if real.members == "empty" {
            assert_eq!(seen.text, "", "{name}");
            return Value::Null;
        }
        let json: Value = serde_json::from_str(&seen.text).unwrap_or_else(|_| {
            panic!("{name}: not JSON: {}", seen.text);
        });
        let (shown, error) = (shape(&json), json.get("userMessageGlobalisationCode"));
        if real.status == 200 {
            within(&shown, &real.members, name);
        } else {
            assert_eq!(shown, real.members, "{name}: {}", seen.text);
        }
        let text = |value: &Value| value.as_str().map(without_numbers);
        assert_eq!(error.and_then(Value::as_str), real.code.as_deref(), "{name}");
        assert_eq!(json.get("developerMessage").and_then(text), real.text, "{name}");
        let each = |member: &str| -> Vec<Option<String>> {
            let errors = json["errors"].as_array().into_iter().flatten();
            errors.map(|error| error[member].as_str().map(str::to_owned)).collect()
        };
        assert_eq!(each("userMessageGlobalisationCode"), real.codes, "{name}");
        let texts = each("developerMessage").into_iter().flatten();
        let texts: Vec<String> = texts.map(|text| without_numbers(&text)).collect();
        assert_eq!(texts, real.texts, "{name}");
        json
    }
}

pub(super) fn beside() -> Beside {
    Beside::new(Options::default())
}

#[tokio::test(start_paused = true)]
async fn doors_answer_as_the_real_ones() {
    let beside = beside();
    let client = || Request::get("/fineract-provider/api/v1/clients/1");
    let no_tenant = client().body(Body::empty()).expect("a request");
    beside.compare("auth-no-tenant", &beside.ask(no_tenant).await);
    let no_login = client().header("Fineract-Platform-TenantId", "default");
    let no_login = no_login.body(Body::empty()).expect("a request");
    beside.compare("auth-none", &beside.ask(no_login).await);
    let login = |password| json!({"username": "mifos", "password": password});
    beside.post("authentication", "authentication", "", &login("password")).await;
    beside.post("authentication-bad", "authentication", "", &login("nope")).await;
    beside.get("no-such-route", "nothing").await;
    let seen = beside.send(Method::DELETE, "paymenttypes/1/x", "", "").await;
    beside.compare("wrong-method", &seen);
    beside.get("loan-transactions-0", "loans/0/transactions").await;
    let text =
        Request::post("/fineract-provider/api/v1/savingsaccounts/1/transactions?command=deposit");
    let text = text
        .header("Fineract-Platform-TenantId", "default")
        .header("Authorization", beside.world.login)
        .header("Content-Type", "text/plain")
        .body(Body::from(posting("1.00").to_string()));
    beside.compare("content-type-text", &beside.ask(text.expect("a request")).await);
    assert_eq!(beside.world.operations(), Vec::<String>::new(), "nothing was executed");
    beside
        .post(
            "savings-unknown-command",
            "savingsaccounts/1/transactions?command=fly",
            "",
            &posting("1.00"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_calendar_answers_as_the_real_one() {
    for never_set in [false, true] {
        let options = Options { business_date_never_set: never_set, ..Options::default() };
        let beside = Beside::new(options);
        let refused = beside.get("businessdate-one", "businessdate/BUSINESS_DATE").await;
        assert_eq!(
            refused["errors"][0]["args"],
            json!([{"value": "BUSINESS_DATE"}, {"value": []}])
        );
        assert_eq!(beside.get("businessdate-list", "businessdate").await, json!([]));
    }
    let kept = Options { business_date_lag_days: Some(1), ..Options::default() };
    let beside = Beside::new(kept);
    let day = beside.get("businessdate-get-set", "businessdate/BUSINESS_DATE").await;
    assert_eq!(day["date"], json!([2026, 8, 31]));
    let holidays = vec![jiff::civil::date(2026, 9, 3)];
    let beside = Beside::new(Options { holidays, ..Options::default() });
    beside.get("holidays-one", "holidays?officeId=1").await;
    beside.get("glclosures", "glclosures").await;
    beside.get("workingdays", "workingdays").await;
    beside.get("paymenttypes", "paymenttypes").await;
    beside.get("offices", "offices").await;
}

#[tokio::test(start_paused = true)]
async fn clients_are_shown_as_the_real_ones() {
    let beside = beside();
    beside.get("client", "clients/1").await;
    let unknown = beside.get("client-unknown", "clients/99999999").await;
    assert_eq!(unknown["errors"][0]["args"], json!([{"value": "99999999"}]));
    beside.get("clients-list", "clients?externalId=C-0").await;
    beside.get("client-accounts", "clients/1/accounts").await;
    beside.get("search-loan-no", "search?query=000000002&resource=loans&exactMatch=true").await;
    beside
        .get("search-savings-no", "search?query=000000001&resource=savings&exactMatch=true")
        .await;
    let body = json!({"request": {"text": "C-0"}, "page": 0, "size": 50});
    let request = Request::post("/fineract-provider/api/v2/clients/search")
        .header("Fineract-Platform-TenantId", "default")
        .header("Authorization", beside.world.login)
        .header("Content-Type", "application/json")
        .body(Body::from(body.to_string()));
    beside.compare("clients-search-v2", &beside.ask(request.expect("a request")).await);
}
