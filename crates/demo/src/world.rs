//! The counterparties: three simulators on loopback ports, with the people of the workload in them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use kiungo_domain::Kind;
use kiungo_sandbox::simulators::{self, Simulated, Simulators};
use kiungo_sandbox::{Addresses, Secrets};
use kiungo_simulator::books::Books;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::delivery::HttpDelivery;
use kiungo_simulator::faults::{Faults as Luck, Plan};
use kiungo_simulator::payment::PaymentRefused;
use kiungo_simulator::serve::serve;
use kiungo_simulator_fineract::{
    self as fineract, ClientIds, ClientSpec, LoanSpec, LoanStatus, SavingsSpec,
};
use kiungo_simulator_gsma as gsma;
use kiungo_simulator_mpesa as mpesa;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::faults::{self, Faults};
use super::workload::{CURRENCY, LOAN_MINOR, Person, Typed, Wallet, Wanted, Workload};

/// The simulators of the day, as a sandbox calls them.
const FINERACT: &str = "fineract";
const GSMA: &str = "gsma";
const MPESA: &str = "mpesa";

/// The addresses of the simulators.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) fineract: SocketAddr,
    pub(super) gsma: SocketAddr,
    pub(super) mpesa: SocketAddr,
}

/// The facts that Kiungo's configuration takes from the simulators.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) mpesa_public_key: String,
}

impl Facts {
    /// The facts of one simulator.
    pub(super) fn of(&self, simulator: &str) -> Value {
        match simulator {
            MPESA => json!({ "public_key": self.mpesa_public_key }),
            _ => Value::Null,
        }
    }
}

/// The options of the simulators: they know the secrets, and have nobody in them yet.
struct SimulatorOptions {
    fineract: fineract::Options,
    gsma: gsma::Options,
    mpesa: mpesa::Options,
}

impl SimulatorOptions {
    fn new(addresses: &Addresses, secrets: &Secrets) -> anyhow::Result<Self> {
        let more = |simulator: &str| match simulator {
            GSMA => format!("currency = \"{CURRENCY}\"\n"),
            _ => String::new(),
        };
        let text = simulators::text(addresses, secrets, "", more);
        let simulators = Simulators::of_text(Path::new(""), &text)?;
        let mut all: BTreeMap<&str, Simulated<'_>> =
            simulators.those_there()?.into_iter().map(|it| (it.word(), it)).collect();
        let mut take = |word: &str| all.remove(word).with_context(|| format!("no {word}"));
        Ok(Self {
            fineract: take(FINERACT)?.options()?,
            gsma: take(GSMA)?.options()?,
            mpesa: take(MPESA)?.options()?,
        })
    }
}

/// The simulators, running.
pub(super) struct World {
    pub(super) addresses: Addresses,
    pub(super) ports: Ports,
    core: fineract::Simulator,
    gsma: gsma::Simulator,
    mpesa: mpesa::Simulator,
    luck: [Luck; 3],
    people: Vec<ClientIds>,
    seed: u64,
}

impl World {
    /// Starts the simulators and opens the people's accounts and wallets.
    pub(super) async fn start(
        workload: &Workload,
        faults: Faults,
        secrets: &Secrets,
    ) -> anyhow::Result<Self> {
        let listen = || TcpListener::bind(("127.0.0.1", 0));
        let (core_port, gsma_port, mpesa_port) =
            (listen().await?, listen().await?, listen().await?);
        let ports = Ports {
            fineract: core_port.local_addr()?,
            gsma: gsma_port.local_addr()?,
            mpesa: mpesa_port.local_addr()?,
        };
        let addresses = Addresses {
            kiungo: free_address().await?,
            simulators: vec![(FINERACT, ports.fineract), (GSMA, ports.gsma), (MPESA, ports.mpesa)],
        };
        let seed = workload.seed;
        let luck = [
            Luck::new(faults::in_core(seed, faults)),
            Luck::new(faults::at_providers(seed, faults)),
            Luck::new(faults::at_providers(seed, faults)),
        ];
        let [core_luck, gsma_luck, mpesa_luck] = luck.clone();
        let options = SimulatorOptions::new(&addresses, secrets)?;
        let core = fineract::Simulator::new(options.fineract, Clock::System, core_luck);
        let delivery = Arc::new(HttpDelivery::default());
        let gsma = gsma::Simulator::new(options.gsma, Clock::System, delivery.clone(), gsma_luck);
        let mpesa = mpesa::Simulator::new(options.mpesa, Clock::System, delivery, mpesa_luck);
        tokio::spawn(serve(core_port, core.router()));
        tokio::spawn(serve(gsma_port, gsma.router()));
        tokio::spawn(serve(mpesa_port, mpesa.router()));
        let people = workload.people.iter().map(|person| core.open_client(client(person)));
        let people = people.collect::<Result<_, _>>().context("the simulated core refuses")?;
        let world = Self { addresses, ports, core, gsma, mpesa, luck, people, seed };
        world.open_wallets(&workload.people);
        Ok(world)
    }

    fn open_wallets(&self, people: &[Person]) {
        for person in people {
            let Some(minor) = person.wallet_minor else { continue };
            self.gsma.open_wallet(&person.msisdn, minor);
            self.mpesa.open_wallet(&person.msisdn, minor);
        }
    }

    /// The address of Kiungo.
    pub(super) const fn kiungo(&self) -> SocketAddr {
        self.addresses.kiungo
    }

    /// The facts about the simulators that Kiungo needs: the public key of the market, which is
    /// made when first needed.
    pub(super) async fn facts(&self) -> anyhow::Result<Facts> {
        let mpesa = self.mpesa.clone();
        let mpesa_public_key = tokio::task::spawn_blocking(move || mpesa.public_key()).await?;
        Ok(Facts { mpesa_public_key })
    }

    /// From now on nothing goes wrong.
    pub(super) fn calm_down(&self) {
        for luck in &self.luck {
            luck.set(Plan::none(self.seed));
        }
    }

    /// Does the work of the core's administrator: makes keys usable again whose command died inside
    /// it.
    pub(super) fn repair_core(&self) {
        self.core.free_stuck_keys();
    }

    /// The id of the account in the core that a transfer is about.
    pub(super) fn account(&self, wanted: &Wanted) -> u64 {
        let Some(ids) = self.people.get(wanted.person) else { return 0 };
        let id = match wanted.kind {
            Kind::Deposit | Kind::Withdrawal => ids.savings.first(),
            Kind::Repayment => ids.loans.first(),
            Kind::Disbursement => ids.loans.get(wanted.loan + 1),
        };
        id.copied().unwrap_or(0)
    }

    /// The customer pays at the wallet; the receipt.
    pub(super) async fn pay(
        &self,
        wanted: &Wanted,
        msisdn: &str,
        typed: Typed,
    ) -> Result<String, PaymentRefused> {
        let text = typed.text(wanted.kind, self.account(wanted));
        match wanted.wallet {
            Wallet::Gsma => self.gsma.pay(msisdn, wanted.amount_minor, &text).await,
            Wallet::Mpesa => self.mpesa.pay(msisdn, wanted.amount_minor, &text).await,
        }
    }

    /// The providers' books by their ids.
    pub(super) fn provider_books(&self) -> BTreeMap<String, Books> {
        BTreeMap::from([
            (Wallet::Gsma.id().to_owned(), self.gsma.books()),
            (Wallet::Mpesa.id().to_owned(), self.mpesa.books()),
        ])
    }

    /// The core's books.
    pub(super) fn core_books(&self) -> Books {
        self.core.books()
    }
}

/// A port that is free now, for a process that is started, killed and started again on it.
async fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()
}

fn client(person: &Person) -> ClientSpec {
    let lent = LoanSpec::new(LoanStatus::Active, CURRENCY, LOAN_MINOR);
    let approved = person.approved_minor.iter();
    let approved = approved.map(|minor| LoanSpec::new(LoanStatus::Approved, CURRENCY, *minor));
    ClientSpec {
        name: person.name.clone(),
        mobile_no: person.msisdn.clone(),
        external_id: String::new(),
        closed: false,
        savings: vec![SavingsSpec::active(CURRENCY, person.savings_minor)],
        loans: std::iter::once(lent).chain(approved).collect(),
    }
}
