//! Parts that the tests share: a scripted transport, the sandbox's mapping files, orders, answers.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use kiungo_domain::numbering::Market;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Currency, Money, Msisdn, Receipt, Reference, Timestamp, TransferId};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CodeTables, RawCallback, ReverseOrder, StatusTables, Terms, WalletInquiry, WalletOrder,
};
use kiungo_provider_gsma::{AccountId, AuthScheme, Gsma, Options, Secrets};
pub(crate) use kiungo_transport::testing::{Reply, Script, answer, lost, unreachable};
use kiungo_transport::{Request, Transport};
use uuid::Uuid;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/", $name))
    };
}
pub(crate) use fixture;

pub(crate) const BASE: &str = "https://mm.example/v1.2/mm";
pub(crate) const CALLBACKS: &str = "https://kiungo.example/callbacks/gsma-sandbox/s3cret/";
pub(crate) const STATE_ID: &str = "5b0f6b1e-9c1d-4a77-8a53-0d2b7c9e4f10";

/// The requests as `METHOD path`, below the base URL.
pub(crate) fn lines(script: &Script) -> Vec<String> {
    let line = |request: &Request| {
        let uri = request.uri().to_string();
        format!("{} {}", request.method(), uri.strip_prefix(BASE).unwrap_or(&uri))
    };
    script.requests().iter().map(line).collect()
}

/// The text of a shipped mapping, with the values of the files that it extends.
pub(crate) fn shipped(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
    let file = folder.join(format!("{name}.toml"));
    kiungo_mapping::Mapping::load(&file, &["gsma"]).unwrap().whole()
}

/// The adapter's sections of a mapping file.
pub(crate) struct Mapping {
    pub(crate) gsma: Options,
    pub(crate) codes: CodeTables,
    pub(crate) statuses: StatusTables,
}

impl Mapping {
    pub(crate) fn newer() -> Self {
        Self::of(&shipped("gsma-sandbox"))
    }

    pub(crate) fn older() -> Self {
        Self::of(&shipped("gsma-sandbox-1-1-2"))
    }

    /// The file's sections as they are.
    pub(crate) fn written(text: &str) -> Self {
        let mapping = kiungo_mapping::Mapping::parse("gsma-sandbox.toml", text, &["gsma"]).unwrap();
        let (codes, statuses) = (mapping.codes().clone(), mapping.statuses().clone());
        Self { gsma: mapping.section("gsma").unwrap(), codes, statuses }
    }

    /// The file's sections, with the fixtures' base URL and account, and without a token.
    fn of(text: &str) -> Self {
        let mut mapping = Self::written(text);
        BASE.clone_into(&mut mapping.gsma.base_url);
        mapping.gsma.account = AccountId { kind: "accountid".to_owned(), id: "4400".to_owned() };
        mapping.gsma.auth = AuthScheme::Basic;
        mapping
    }

    pub(crate) fn terms(&self) -> Terms {
        Terms {
            currency: lsl(),
            numbers: Market::of(&["266"]).unwrap(),
            decimals: 2,
            codes: self.codes.clone(),
            statuses: self.statuses.clone(),
            callback_base: Some(CALLBACKS.to_owned()),
            details: kiungo_provider::Details::default(),
        }
    }

    pub(crate) fn adapter(self, transport: Arc<dyn Transport>) -> Gsma {
        let terms = self.terms();
        Gsma::new(self.gsma, secrets(), terms, transport).unwrap()
    }
}

/// The adapter of the newer sandbox.
pub(crate) fn gsma(script: &Arc<Script>) -> Gsma {
    Mapping::newer().adapter(Arc::clone(script) as Arc<dyn Transport>)
}

pub(crate) fn secrets() -> Secrets {
    Secrets {
        user: Some("mfi".into()),
        password: Some("pass word".into()),
        client_id: Some("consumer".into()),
        client_secret: Some("hush".into()),
        api_key: Some("key-1".into()),
        x_client_id: None,
    }
}

pub(crate) fn lsl() -> Currency {
    Currency::from_code("LSL").unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text, lsl()).unwrap()
}

pub(crate) fn msisdn() -> Msisdn {
    Msisdn::parse("26657000001").unwrap()
}

pub(crate) fn reference(step: StepName) -> Reference {
    let transfer = Uuid::from_u128(0x019a_2b3c_4d5e_7f60_8a1b_2c3d_4e5f_6000);
    Reference::new(TransferId::new(transfer), step, 0)
}

pub(crate) fn at() -> Timestamp {
    Timestamp::from_micros(1_772_357_400_000_000)
}

/// The collection of `fixtures/collect`.
pub(crate) fn collection() -> WalletOrder {
    WalletOrder {
        reference: reference(StepName::First),
        msisdn: msisdn(),
        amount: money("125.50"),
        label: "LN000417".to_owned(),
        description: "Instalment 3".to_owned(),
        at: at(),
    }
}

/// The payout of `fixtures/pay_out`.
pub(crate) fn payout() -> WalletOrder {
    WalletOrder {
        reference: reference(StepName::Second),
        amount: money("2000"),
        label: "LN000932".to_owned(),
        description: "Loan disbursement".to_owned(),
        ..collection()
    }
}

/// The reversal of `fixtures/reverse`.
pub(crate) fn reversal() -> ReverseOrder {
    ReverseOrder {
        reference: reference(StepName::UndoFirst),
        original: reference(StepName::First),
        receipt: receipt("REF-1772357441118"),
        amount: money("125.50"),
        at: at(),
    }
}

pub(crate) fn inquiry(handle: Option<&str>) -> WalletInquiry {
    WalletInquiry {
        reference: reference(StepName::First),
        operation: WalletOperation::Collect,
        handle: handle.map(str::to_owned),
        original: None,
        amount: money("125.50"),
        msisdn: Some(msisdn()),
        at: at(),
    }
}

pub(crate) fn receipt(text: &str) -> Receipt {
    Receipt::new(text).unwrap()
}

pub(crate) fn callback(method: &str, path: &str, body: &str) -> RawCallback {
    RawCallback {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}
