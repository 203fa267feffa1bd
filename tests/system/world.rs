//! The counterparties, in this process, on free loopback ports.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kiungo::mapping_override;
use kiungo_domain::transfer::Kind;
use kiungo_simulator::audit::{Audit, Claim, audit};
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::delivery::HttpDelivery;
use kiungo_simulator::faults::{Faults, Plan};
use kiungo_simulator::serve::serve;
use kiungo_simulator_fineract as fineract;
use kiungo_simulator_fineract::{ClientSpec, LoanSpec, LoanStatus, SavingsSpec};
use kiungo_simulator_gsma as gsma;
use kiungo_simulator_mpesa as mpesa;
use tokio::net::TcpListener;

pub(crate) const PROVIDERS: [&str; 2] = ["gsma-sandbox", "mpesa-tz"];
pub(crate) const KINDS: [Kind; 4] =
    [Kind::Deposit, Kind::Repayment, Kind::Withdrawal, Kind::Disbursement];
pub(crate) const API_KEY: &str = "an api key of the tests";
/// The key of a second person.
pub(crate) const SECOND_KEY: &str = "another api key of the tests";

/// Short waits, as the real ones would take the tests hours.
const WAITS: &str = r#"
ladder = ["100ms", "300ms", "1s"]
absent_after = "1s"
absent_times = 2
retry_first = "100ms"
retry_max = "500ms"
"#;

pub(crate) struct World {
    core: fineract::Simulator,
    gsma: gsma::Simulator,
    mpesa: mpesa::Simulator,
    pub(crate) core_at: String,
    gsma_at: String,
    mpesa_at: String,
    people: AtomicU64,
}

fn sha256(key: &str) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes()))
}

/// A customer with a wallet, a savings account, and two loans.
pub(crate) struct Person {
    pub(crate) msisdn: String,
    savings: u64,
    active_loan: u64,
    approved_loan: u64,
}

impl Person {
    /// The account that a transfer of this kind is about: type and id.
    pub(crate) fn account(&self, kind: Kind) -> (&'static str, u64) {
        match kind {
            Kind::Deposit | Kind::Withdrawal => ("savings", self.savings),
            Kind::Repayment => ("loan", self.active_loan),
            Kind::Disbursement => ("loan", self.approved_loan),
        }
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let faults = || Faults::new(Plan::none(1));
        let delivery = Arc::new(HttpDelivery::default());
        let core = fineract::Simulator::new(fineract::Options::default(), Clock::System, faults());
        let options: gsma::Options = toml::from_str(
            "currency = \"TZS\"\ndelay_ms = 20\n\
             [security]\noauth = { name = \"kiungo\", secret = \"secret\" }",
        )
        .unwrap();
        let gsma = gsma::Simulator::new(options, Clock::System, delivery.clone(), faults());
        let options = mpesa::Options { key_bits: 2048, ..mpesa::Options::default() };
        let mpesa = mpesa::Simulator::new(options, Clock::System, delivery, faults());
        let core_at = put_up(core.router(), "127.0.0.1:0").await;
        let gsma_at = put_up(gsma.router(), "127.0.0.1:0").await;
        let mpesa_at = put_up(mpesa.router(), "127.0.0.1:0").await;
        Self { core, gsma, mpesa, core_at, gsma_at, mpesa_at, people: AtomicU64::new(1) }
    }

    pub(crate) const fn core(&self) -> &fineract::Simulator {
        &self.core
    }

    /// Puts the core up at a second address.
    pub(crate) async fn put_up_core_at(&self, address: &str) {
        put_up(self.core.router(), address).await;
    }

    pub(crate) fn new_person(&self) -> Person {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        let msisdn = format!("2557{number:08}");
        let spec = ClientSpec {
            name: format!("Client {number}"),
            mobile_no: msisdn.clone(),
            external_id: format!("client-{number}"),
            closed: false,
            savings: vec![SavingsSpec::active("TZS", 100_000_000)],
            loans: vec![
                LoanSpec::new(LoanStatus::Active, "TZS", 50_000_000),
                LoanSpec::new(LoanStatus::Approved, "TZS", 500_000),
            ],
        };
        let ids = self.core.open_client(spec).unwrap();
        let (savings, active_loan, approved_loan) = (ids.savings[0], ids.loans[0], ids.loans[1]);
        Person { msisdn, savings, active_loan, approved_loan }
    }

    /// Audits these transfers against the books.
    pub(crate) fn audit(&self, claims: &[Claim]) -> Audit {
        let [gsma, mpesa] = PROVIDERS.map(str::to_owned);
        let providers = BTreeMap::from([(gsma, self.gsma.books()), (mpesa, self.mpesa.books())]);
        audit(claims, &providers, &self.core.books())
    }

    /// Writes configuration and mappings for a Kiungo on this port.
    pub(crate) fn configure(&self, folder: &Path, port: u16, core_at: &str) {
        let shipped = |id| mapping_override::whole(id).unwrap();
        let gsma = shipped(mapping_override::GSMA_SANDBOX);
        let gsma = mapping_override::merge(&gsma, &self.gsma_changes()).unwrap();
        std::fs::write(folder.join("gsma-sandbox.toml"), gsma).unwrap();
        let mpesa = shipped(mapping_override::MPESA_TZ);
        let mpesa = mapping_override::merge(&mpesa, &self.mpesa_changes()).unwrap();
        std::fs::write(folder.join("mpesa-tz.toml"), mpesa).unwrap();
        let (sha256, second) = (sha256(API_KEY), sha256(SECOND_KEY));
        let mut text = format!(
            r#"
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
shutdown_grace = "10s"
[database]
url = "sqlite://kiungo.db"
[engine]
poll_interval = "50ms"
[[api.keys]]
name = "tests"
sha256 = "{sha256}"
roles = ["read", "write", "operate"]
[[api.keys]]
name = "second"
sha256 = "{second}"
roles = ["operate"]
[[cores]]
id = "main"
[cores.fineract]
base_url = "{core_at}/fineract-provider"
time_zone = "Africa/Dar_es_Salaam"
payment_type = 1
indexing_window_s = 1
auth = {{ type = "basic", username = "mifos" }}
[cores.inquiry]
{WAITS}
"#
        );
        for provider in PROVIDERS {
            write!(text, "[[providers]]\nid = \"{provider}\"\nmapping = \"{provider}.toml\"\n")
                .unwrap();
        }
        std::fs::write(folder.join("kiungo.toml"), text).unwrap();
    }

    fn gsma_changes(&self) -> String {
        let at = &self.gsma_at;
        format!(
            r#"
[numbers]
dial_codes = ["255"]
[money]
currency = "TZS"
[traffic]
per_second_max = 1000
[inquiry]
{WAITS}
[gsma]
base_url = "{at}/v1.2/mm"
token_url = "{at}/v1/oauth/accesstoken"
indexing_window_s = 1
"#
        )
    }

    fn mpesa_changes(&self) -> String {
        let (at, key) = (&self.mpesa_at, self.mpesa.public_key());
        format!(
            r#"
[traffic]
per_second_max = 1000
[inquiry]
{WAITS}
when_absent = "reject"
when_payout_absent = "reject"
[mpesa]
base_url = "{at}"
public_key = "{key}"
activation_delay = "1ms"
indexing_window = "1s"
"#
        )
    }
}

async fn put_up(router: axum::Router, address: &str) -> String {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router));
    format!("http://{address}")
}
