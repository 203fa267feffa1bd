//! The simulators in a process of their own: a Fineract core, a GSMA provider and an M-Pesa market,
//! each on a loopback port, answering without faults, and at once unless told otherwise.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use kiungo_simulator::clock::Clock;
use kiungo_simulator::delivery::HttpDelivery;
use kiungo_simulator::faults::{Faults, Plan};
use kiungo_simulator::serve;
use kiungo_simulator_fineract as fineract;
use kiungo_simulator_fineract::{ClientSpec, LoanSpec, LoanStatus, SavingsSpec};
use kiungo_simulator_gsma as gsma;
use kiungo_simulator_gsma::options::{Credentials, Flow, Security};
use kiungo_simulator_mpesa as mpesa;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::parts::{Companion, Part, say};
use super::{BenchError, load};

/// The secret part of the addresses at which a server is called back.
pub(crate) const CALLBACK_SECRET: &str = "the-secret-of-the-measurement";
/// The key and the secret of the GSMA provider's client.
pub(super) const GSMA_CLIENT: &str = "bench";

/// The specification of the counterparties.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Spec {
    /// The number of transfers that can be made.
    pub(super) transfers: u32,
    /// True if the providers leave every operation pending.
    pub(super) pending: bool,
    /// The time that each of them takes to answer, in milliseconds.
    pub(super) answer_after_ms: u64,
    /// The server that the GSMA provider tells of payments at the wallet.
    pub(super) notify: Option<SocketAddr>,
}

impl Spec {
    /// Counterparties for this number of transfers, which answer at once.
    pub(super) const fn of(transfers: u32) -> Self {
        Self { transfers, pending: false, answer_after_ms: 0, notify: None }
    }
}

/// The addresses of the counterparties.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Addresses {
    pub(super) fineract: SocketAddr,
    pub(super) gsma: SocketAddr,
    pub(super) mpesa: SocketAddr,
    /// The key that M-Pesa's bearers are encrypted with.
    pub(super) public_key: String,
}

/// The base of the provider's callback addresses, at a server with this address.
pub(crate) fn callback_base(server: SocketAddr) -> String {
    format!("http://{server}/callbacks/{}/{CALLBACK_SECRET}/", load::PROVIDERS[0])
}

/// Starts them.
pub(super) fn start(spec: Spec) -> Result<(Companion, Addresses), BenchError> {
    Companion::start(Part::Counterparties, &spec)
}

/// Serves them until the parent process closes the input.
pub(super) async fn serve(spec: Spec) -> Result<(), BenchError> {
    let mpesa = mpesa(spec);
    let core = core(spec)?;
    let addresses = Addresses {
        fineract: listen(core.router(), spec).await?,
        gsma: listen(gsma(spec).router(), spec).await?,
        mpesa: listen(mpesa.router(), spec).await?,
        public_key: mpesa.public_key(),
    };
    let line = serde_json::to_string(&addresses).map_err(std::io::Error::other)?;
    say(&line)?;
    let closed = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(closed).await.map_err(std::io::Error::other)??;
    Ok(())
}

async fn listen(router: Router, spec: Spec) -> Result<SocketAddr, BenchError> {
    let wait = Duration::from_millis(spec.answer_after_ms);
    let patient = move |request: Request, next: Next| async move {
        tokio::time::sleep(wait).await;
        next.run(request).await
    };
    let router = if wait.is_zero() { router } else { router.layer(middleware::from_fn(patient)) };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve::serve(listener, router));
    Ok(address)
}

/// The time for which an operation stays pending, in milliseconds: longer than any measurement.
const PENDING_MS: u64 = 86_400_000;

fn faults() -> Faults {
    Faults::new(Plan::none(1))
}

fn gsma(spec: Spec) -> gsma::Simulator {
    let client = Credentials { name: GSMA_CLIENT.into(), secret: GSMA_CLIENT.into() };
    let options = gsma::Options {
        flow: if spec.pending { Flow::Polling } else { Flow::Synchronous },
        flows: BTreeMap::new(),
        delay_ms: if spec.pending { PENDING_MS } else { 0 },
        expiry_ms: PENDING_MS,
        notify_base: spec.notify.map(callback_base),
        security: Security { oauth: Some(client), ..Security::default() },
        ..gsma::Options::default()
    };
    gsma::Simulator::new(options, Clock::System, Arc::new(HttpDelivery::default()), faults())
}

fn mpesa(spec: Spec) -> mpesa::Simulator {
    let options = mpesa::Options {
        // The size that the adapter accepts at least: one key pair is made at each start.
        key_bits: 2_048,
        asynchronous: spec.pending,
        delay_ms: if spec.pending { PENDING_MS } else { 0 },
        ..mpesa::Options::default()
    };
    mpesa::Simulator::new(options, Clock::System, Arc::new(HttpDelivery::default()), faults())
}

/// A core with the accounts that [`load`] names.
fn core(spec: Spec) -> Result<fineract::Simulator, BenchError> {
    let core = fineract::Simulator::new(fineract::Options::default(), Clock::System, faults());
    for n in 0..load::clients(spec.transfers) {
        let savings = || SavingsSpec::active(load::CURRENCY, load::BALANCE_MINOR);
        let loan = |status| LoanSpec::new(status, load::CURRENCY, load::AMOUNT_MINOR);
        let client = ClientSpec {
            name: format!("Client {n}"),
            mobile_no: load::msisdn(n),
            external_id: String::new(),
            closed: false,
            savings: vec![savings(), savings()],
            loans: vec![loan(LoanStatus::Active), loan(LoanStatus::Approved)],
        };
        let ids = core.open_client(client).map_err(|e| BenchError::Setup(e.to_string()))?;
        let named = [load::first_account(n), load::second_account(n)];
        if ids.savings != named || ids.loans != named {
            return Err(BenchError::Setup("the simulator numbers accounts otherwise".to_owned()));
        }
    }
    Ok(core)
}
