//! A market that is scripted: it grants sessions as the real one does, decrypts every bearer with
//! its own key, and otherwise answers what a test tells it to.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kiungo_domain::numbering::Market as Numbering;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Currency, Money, Msisdn, Receipt, Reference, Timestamp, TransferId};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CodeTables, RawCallback, ReverseOrder, StatusTables, Terms, WalletInquiry, WalletOrder,
};
use kiungo_provider_mpesa::{Environment, Mpesa, Options, OptionsError, Secrets};
use kiungo_transport::{Failure, Request, Response, Transport};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(crate) const API_KEY: &str = "an-api-key-of-the-sandbox-0123456789";

/// The markets that have a mapping file.
pub(crate) const MARKETS: [&str; 5] = ["tz", "gh", "ls", "cd", "mz"];

/// The shipped mapping of a market.
pub(crate) fn shipped(market: &str) -> kiungo_mapping::Mapping {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
    let file = folder.join(format!("mpesa-{market}.toml"));
    kiungo_mapping::Mapping::load(&file, &["mpesa"]).unwrap_or_else(|errors| panic!("\n{errors}"))
}

/// The sections of a mapping file that these tests read; the rest is other crates'.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) mpesa: Options,
    pub(crate) numbers: Numbering,
    pub(crate) codes: CodeTables,
    pub(crate) statuses: StatusTables,
}

impl Mapping {
    /// As it goes live.
    pub(crate) fn in_production(mut self) -> Self {
        self.mpesa.environment = Environment::OpenApi;
        self.numbers = self.numbers.with_test_numbers(Vec::new());
        self
    }
}

pub(crate) fn mapping(market: &str) -> Mapping {
    let read = shipped(market);
    let mut mpesa: Options = read.section("mpesa").unwrap();
    mpesa.public_key = public_key();
    let (codes, statuses) = (read.codes().clone(), read.statuses().clone());
    Mapping { mpesa, numbers: read.numbers().clone(), codes, statuses }
}

pub(crate) fn terms(mapping: &Mapping) -> Terms {
    let market = mapping.mpesa.market.details();
    let currency = Currency::from_code(&market.currency).unwrap();
    Terms {
        currency,
        numbers: mapping.numbers.clone(),
        decimals: if currency.code() == "TZS" { 0 } else { 2 },
        codes: mapping.codes.clone(),
        statuses: mapping.statuses.clone(),
        callback_base: Some("https://kiungo.test/callbacks/mpesa-tz/secret/".to_owned()),
        details: kiungo_provider::Details::default(),
    }
}

/// The adapter for a mapping, connected to the scripted market.
pub(crate) fn adapter(mapping: Mapping) -> (Arc<Mpesa>, Arc<Market>) {
    let market = Arc::new(Market::new(&mapping.mpesa));
    let terms = terms(&mapping);
    let secrets = Secrets { api_key: API_KEY.into() };
    let transport: Arc<dyn Transport> = market.clone();
    (Arc::new(Mpesa::new(mapping.mpesa, secrets, terms, transport).unwrap()), market)
}

/// Checks the options of a mapping, whose provider can call us back or not.
pub(crate) fn checked(mapping: Mapping, called_back: bool) -> Result<Mpesa, OptionsError> {
    let market = Arc::new(Market::new(&mapping.mpesa));
    let mut terms = terms(&mapping);
    terms.callback_base = terms.callback_base.filter(|_| called_back);
    Mpesa::new(mapping.mpesa, Secrets { api_key: API_KEY.into() }, terms, market)
}

/// Tanzania, as the mapping file has it.
pub(crate) fn tanzania() -> (Arc<Mpesa>, Arc<Market>) {
    adapter(mapping("tz"))
}

fn private_key() -> &'static PrivateDecryptingKey {
    static KEY: OnceLock<PrivateDecryptingKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap())
}

pub(crate) fn public_key() -> String {
    let der: PublicKeyX509Der<'_> = private_key().public_key().as_der().unwrap();
    STANDARD.encode(der.as_ref())
}

fn decrypt(authorization: &str) -> String {
    let base64 = authorization.strip_prefix("Bearer ").unwrap();
    let encrypted = STANDARD.decode(base64).unwrap();
    let key = Pkcs1PrivateDecryptingKey::new(private_key().clone()).unwrap();
    let mut block = vec![0; key.min_output_size()];
    String::from_utf8(key.decrypt(&encrypted, &mut block).unwrap().to_vec()).unwrap()
}

/// One scripted answer. `{id}` in a body stands for the request's conversation id.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Answer(u16, String),
    After(Duration, u16, String),
    NotSent,
    NoAnswer,
}

impl Step {
    pub(crate) fn answer(status: u16, body: &str) -> Self {
        Self::Answer(status, body.to_owned())
    }
}

/// A request as the market saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) body: serde_json::Value,
    pub(crate) raw_body: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// The text that the bearer decrypts to.
    pub(crate) bearer: String,
    pub(crate) at: Instant,
}

impl Seen {
    fn of(request: &Request) -> Self {
        let headers: BTreeMap<String, String> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let query = request.uri().query().unwrap_or_default();
        Self {
            method: request.method().to_string(),
            path: format!(
                "{}://{}{}",
                request.uri().scheme_str().unwrap(),
                request.uri().authority().unwrap(),
                request.uri().path()
            ),
            parameters: serde_urlencoded::from_str(query).unwrap(),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
            raw_body: String::from_utf8(request.body().to_vec()).unwrap(),
            bearer: decrypt(headers.get("authorization").unwrap()),
            headers,
            at: Instant::now(),
        }
    }

    /// True if the query asks about its own id, which the market cannot know.
    fn is_trial(&self) -> bool {
        let asked = self.parameters.get("input_QueryReference");
        asked.is_some_and(|asked| self.id().starts_with(asked.as_str()))
    }

    pub(crate) fn id(&self) -> String {
        let name = "input_ThirdPartyConversationID";
        let of_body = self.body.get(name).and_then(|id| id.as_str()).map(str::to_owned);
        of_body.or_else(|| self.parameters.get(name).cloned()).unwrap_or_default()
    }
}

pub(crate) struct Market {
    seen: Mutex<Vec<Seen>>,
    script: Mutex<VecDeque<Step>>,
    session_script: Mutex<VecDeque<Step>>,
    trial_script: Mutex<VecDeque<Step>>,
    /// Session id, live from, live until.
    sessions: Mutex<Vec<(String, Instant, Instant)>>,
    activation_delay: Mutex<Duration>,
    lifetime: Duration,
}

impl Market {
    fn new(options: &Options) -> Self {
        Self {
            seen: Mutex::default(),
            script: Mutex::default(),
            session_script: Mutex::default(),
            trial_script: Mutex::default(),
            sessions: Mutex::default(),
            activation_delay: Mutex::new(options.activation_delay),
            lifetime: options.session_lifetime,
        }
    }

    /// Sets the time that sessions take from now on until they are live, whatever the options say.
    pub(crate) fn activate_after(&self, delay: Duration) {
        *self.activation_delay.lock().unwrap() = delay;
    }

    /// Adds answers to the next calls; afterwards each is answered with a completed payment.
    pub(crate) fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.script.lock().unwrap().extend(steps);
    }

    /// Adds answers to the next calls of getSession; afterwards sessions are granted.
    pub(crate) fn script_sessions(&self, steps: impl IntoIterator<Item = Step>) {
        self.session_script.lock().unwrap().extend(steps);
    }

    /// The calls besides getSession and the questions about nothing.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        let ordinary = |seen: &Seen| !seen.path.ends_with("/getSession/") && !seen.is_trial();
        self.seen().into_iter().filter(ordinary).collect()
    }

    /// The questions about nothing, which prove a session.
    pub(crate) fn trials(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(Seen::is_trial).collect()
    }

    /// Adds answers to the next questions about nothing; afterwards there is no such transaction.
    pub(crate) fn script_trials(&self, steps: impl IntoIterator<Item = Step>) {
        self.trial_script.lock().unwrap().extend(steps);
    }

    pub(crate) fn session_calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path.ends_with("/getSession/")).collect()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn grant(&self) -> Step {
        let mut sessions = self.sessions.lock().unwrap();
        let id = format!("session-number-{}", sessions.len() + 1);
        let now = Instant::now();
        sessions.push((
            id.clone(),
            now + *self.activation_delay.lock().unwrap(),
            now + self.lifetime,
        ));
        Step::Answer(200, fixture("session/granted.json").replace("{session}", &id))
    }

    fn is_live(&self, bearer: &str) -> bool {
        let sessions = self.sessions.lock().unwrap();
        let now = Instant::now();
        sessions.iter().any(|(id, from, until)| id == bearer && now >= *from && now < *until)
    }

    fn next_step(&self, seen: &Seen) -> Step {
        if seen.path.ends_with("/getSession/") {
            assert_eq!(seen.bearer, API_KEY);
            let scripted = self.session_script.lock().unwrap().pop_front();
            return scripted.unwrap_or_else(|| self.grant());
        }
        if !self.is_live(&seen.bearer) {
            return Step::answer(401, "");
        }
        if seen.is_trial() {
            let scripted = self.trial_script.lock().unwrap().pop_front();
            return scripted
                .unwrap_or_else(|| Step::Answer(400, fixture("inquire/not-found.json")));
        }
        let scripted = self.script.lock().unwrap().pop_front();
        scripted.unwrap_or_else(|| Step::Answer(201, fixture("collect/completed.json")))
    }
}

#[async_trait]
impl Transport for Market {
    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, Failure> {
        let seen = Seen::of(&request);
        self.seen.lock().unwrap().push(seen.clone());
        let step = self.next_step(&seen);
        if let Step::After(wait, ..) = step {
            if wait > timeout {
                sleep(timeout).await;
                return Err(Failure::NoAnswer { why: "no answer in time".to_owned() });
            }
            sleep(wait).await;
        }
        match step {
            Step::Answer(status, body) | Step::After(_, status, body) => {
                let mut response = Response::new(Bytes::from(body.replace("{id}", &seen.id())));
                *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
                Ok(response)
            }
            Step::NotSent => Err(Failure::NotSent { why: "refused".to_owned() }),
            Step::NoAnswer => Err(Failure::NoAnswer { why: "reset".to_owned() }),
        }
    }
}

pub(crate) fn fixture(name: &str) -> String {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

pub(crate) fn reference(step: StepName) -> Reference {
    let id = 0x0190_0000_0000_7000_8000_0000_0000_1200;
    Reference::new(TransferId::new(Uuid::from_u128(id)), step, 0)
}

pub(crate) fn money(text: &str, currency: &str) -> Money {
    Money::parse(text, Currency::from_code(currency).unwrap()).unwrap()
}

pub(crate) fn order(step: StepName) -> WalletOrder {
    WalletOrder {
        reference: reference(step),
        msisdn: Msisdn::parse("255712345678").unwrap(),
        amount: money("12500", "TZS"),
        label: "LOAN000417".to_owned(),
        description: "Repayment, instalment #3".to_owned(),
        at: Timestamp::from_micros(0),
    }
}

pub(crate) fn reverse_order() -> ReverseOrder {
    ReverseOrder {
        reference: reference(StepName::UndoFirst),
        original: reference(StepName::First),
        receipt: Receipt::new("7KX21QD40B").unwrap(),
        amount: money("12500", "TZS"),
        at: Timestamp::from_micros(0),
    }
}

pub(crate) fn inquiry(operation: WalletOperation) -> WalletInquiry {
    let step = match operation {
        WalletOperation::Collect => StepName::First,
        WalletOperation::PayOut => StepName::Second,
        WalletOperation::Reverse => StepName::UndoFirst,
    };
    WalletInquiry {
        reference: reference(step),
        operation,
        handle: Some("d5e0c1f2a3b44c6d8e9f001122334455".to_owned()),
        original: (operation == WalletOperation::Reverse)
            .then(|| Receipt::new("7AA00AA00A").unwrap()),
        amount: money("12500", "TZS"),
        msisdn: Msisdn::parse("255712345678").ok(),
        at: Timestamp::from_micros(0),
    }
}

pub(crate) fn callback(path: &str, body: &str) -> RawCallback {
    RawCallback {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: Bytes::from(body.to_owned()),
    }
}
