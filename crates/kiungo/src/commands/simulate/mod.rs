//! `kiungo simulate`: the other side, to develop and try against.
//!
//! * `all`: all three, for the Kiungo of a sandbox

mod all;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use kiungo_simulators::clock::Clock;
use kiungo_simulators::delivery::{Delivery, HttpDelivery};
use kiungo_simulators::faults::{Faults, Plan};
use kiungo_simulators::fineract::{ClientIds, ClientSpec};
use kiungo_simulators::serve::{serve, serve_tls};
use kiungo_simulators::tls::Tls;
use kiungo_simulators::{fineract, gsma, mpesa};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::logging;
use crate::runtime;
use crate::terminal::output::Output;

/// The largest options file, in bytes.
const OPTIONS_BYTES_MAX: u64 = 1024 * 1024;
/// Clients that are shown one by one; the others are like them.
const CLIENTS_SHOWN: usize = 2;

/// Run a simulated counterparty on this machine, to develop and try against
///
/// Serves until Ctrl-C, on loopback addresses only, and forgets everything then. Its books:
/// GET /_sim/books. What goes wrong in it, by operation and probability: PUT /_sim/faults.
#[derive(Debug, Args)]
pub(crate) struct SimulateOptions {
    #[command(subcommand)]
    simulator: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    All(all::AllOptions),
    /// A Fineract core
    Fineract(Common),
    /// A provider of the GSMA Mobile Money API, 1.2.0 and 1.1.2
    #[command(after_help = gsma::options::HELP)]
    Gsma(Common),
    /// An M-Pesa OpenAPI market
    Mpesa(Common),
}

#[derive(Debug, Args)]
struct Common {
    /// Where to serve; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
    /// The simulator's options (TOML), as in crates/simulators
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// Decides what goes wrong once faults are switched on: the same seed, the same story
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

impl Common {
    /// Nothing goes wrong until faults are switched on.
    fn faults(&self) -> Faults {
        Faults::new(Plan::none(self.seed))
    }
}

/// A simulator that is ready to be served.
struct Stage {
    router: axum::Router,
    /// The name of the simulator.
    name: &'static str,
    /// Path of the API, for a mapping or the core's section.
    path: String,
    /// The commands to try first.
    try_this: Vec<String>,
    /// The same for programs.
    facts: Value,
    /// TLS, where the simulator's options want it.
    tls: Option<Tls>,
}

/// Makes a simulator ready, by its options.
type Staging = fn(&Common) -> Result<Stage, Failure>;

pub(crate) fn run(options: &SimulateOptions, output: Output) -> Result<(), Failure> {
    logging::start_quietly();
    let (common, stage): (_, Staging) = match &options.simulator {
        Which::All(options) => return all::run(options, output),
        Which::Fineract(common) => (common, stage_fineract),
        Which::Gsma(common) => (common, stage_gsma),
        Which::Mpesa(common) => (common, stage_mpesa),
    };
    stays_here(common.listen, "--listen")?;
    runtime::build()?.block_on(present(common.listen, stage(common)?, output))
}

/// Refuses an address that others reach.
fn stays_here(listen: SocketAddr, place: &str) -> Result<(), Failure> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    let why = format!("{listen} is not a loopback address: simulators stay on this machine");
    Err(Failure::Usage(format!("{place}: {why}")))
}

/// The listener at an address; `remedy` says what to do if it is taken.
async fn bind(listen: SocketAddr, remedy: &str) -> Result<TcpListener, Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!("cannot listen on {listen}: {error}; {remedy}"))
    };
    TcpListener::bind(listen).await.map_err(failed)
}

async fn present(listen: SocketAddr, stage: Stage, output: Output) -> Result<(), Failure> {
    let remedy = "stop what listens there, or take another address (--listen)";
    let listener = bind(listen, remedy).await?;
    let scheme = if stage.tls.is_some() { "https" } else { "http" };
    let address = listener.local_addr().map_err(|error| Failure::failed(error.to_string()))?;
    let url = format!("{scheme}://{address}");
    let mut text = vec![format!("{} is simulated at {url}{}", stage.name, stage.path)];
    text.push("Try:".to_owned());
    text.extend(stage.try_this.iter().map(|line| format!("  {}", line.replace("URL", &url))));
    text.push("Ctrl-C ends it.".to_owned());
    let json = json!({ "url": url, "api": format!("{url}{}", stage.path), "facts": stage.facts });
    output.line(&text.join("\n"), &json);
    until_interrupted(put_up(listener, stage.router, stage.tls)).await
}

/// Serves until the process ends.
async fn put_up(
    listener: TcpListener,
    router: axum::Router,
    tls: Option<Tls>,
) -> std::io::Result<()> {
    match tls {
        Some(tls) => serve_tls(listener, router, tls).await,
        None => serve(listener, router).await,
    }
}

/// Serves until Ctrl-C.
async fn until_interrupted(
    served: impl Future<Output = std::io::Result<()>>,
) -> Result<(), Failure> {
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Ok(()),
        served = served => served.map_err(|error| Failure::failed(error.to_string())),
    }
}

fn stage_fineract(common: &Common) -> Result<Stage, Failure> {
    let options: fineract::Options = read(common.options.as_deref())?;
    let user = options.users.first().cloned().unwrap_or_default();
    let tenant = options.tenants.first().cloned().unwrap_or_default();
    let simulator = fineract::Simulator::new(options, Clock::System, common.faults());
    let clients = furnish(&simulator, "--options: clients")?;
    let mut try_this = vec![
        format!(
            "curl -u {}:{} -H 'Fineract-Platform-TenantId: {tenant}' \
             URL/fineract-provider/api/v1/savingsaccounts/1",
            user.name, user.password
        ),
        "curl URL/_sim/books".to_owned(),
        format!(
            "{} clients are there, each with 1,000,000.00 in a savings account, an active loan and \
             an approved one:",
            clients.len()
        ),
    ];
    let shown = clients.iter().take(CLIENTS_SHOWN);
    try_this.extend(shown.map(|(client, ids)| format!("  {}", accounts_of(client, ids))));
    let facts = json!({ "tenant": tenant, "user": user.name, "clients": clients.len() });
    let (name, path) = ("Fineract", "/fineract-provider".to_owned());
    Ok(Stage { router: simulator.router(), name, path, try_this, facts, tls: None })
}

type Clients = Vec<(ClientSpec, ClientIds)>;

/// Opens the clients of a core's options, so that there is somebody to pay to.
fn furnish(simulator: &fineract::Simulator, place: &str) -> Result<Clients, Failure> {
    simulator.furnish().map_err(|error| Failure::Usage(format!("{place}: {error}")))
}

/// A client with all accounts, in one line.
fn accounts_of(client: &ClientSpec, ids: &ClientIds) -> String {
    let accounts = client.savings.iter().zip(&ids.savings).zip(ids.loans.chunks(2));
    let accounts: Vec<_> = accounts
        .map(|((account, savings), loans)| {
            let loan = |number| loans.get(number).copied().unwrap_or_default();
            format!(
                "{}: savings {savings:09}, loans {:09} (active) and {:09} (approved)",
                account.currency,
                loan(0),
                loan(1)
            )
        })
        .collect();
    format!("{}, number {}: {}", client.name, client.mobile_no, accounts.join("; "))
}

fn stage_gsma(common: &Common) -> Result<Stage, Failure> {
    let options: gsma::Options = read(common.options.as_deref())?;
    let path =
        options.prefix_1_2.clone().or_else(|| options.prefix_1_1.clone()).unwrap_or_default();
    let simulator = gsma::Simulator::new(options, Clock::System, delivery(), common.faults());
    let try_this = vec![
        format!("curl URL{path}/heartbeat"),
        "curl URL/_sim/books".to_owned(),
        payment("255700000001", "SV1"),
    ];
    let facts = json!({ "prefix": path });
    let name = "A GSMA provider";
    let tls = simulator
        .tls()
        .map_err(|error| Failure::Usage(format!("--options: security.tls: {error}")))?;
    Ok(Stage { router: simulator.router(), name, path, try_this, facts, tls })
}

fn stage_mpesa(common: &Common) -> Result<Stage, Failure> {
    let options = read_mpesa(common.options.as_deref())?;
    let path = format!("/{}/ipg/v2/{}", options.environment, options.market.context());
    let (api_key, short_code) = (options.api_key.clone(), options.short_code.clone());
    let strict = options.strict;
    let simulator = mpesa::Simulator::new(options, Clock::System, delivery(), common.faults());
    let public_key = simulator.public_key();
    let try_this = vec![
        "curl URL/_sim/public-key   # goes into the mapping as mpesa.public_key".to_owned(),
        "curl URL/_sim/books".to_owned(),
        payment("255700000001", "SV1"),
        format!("the API key is {api_key}, the short code {short_code}; mpesa.base_url is URL"),
        if strict {
            "it is strict: numbers for texts, parameters in the body of a GET, and POST for \
             reversals are refused; strict = false in --options takes them"
        } else {
            "it is lenient: numbers for texts, parameters in the body of a GET, and POST for \
             reversals are taken, as published clients send them; strict = true in --options \
             refuses them"
        }
        .to_owned(),
    ];
    let facts = json!({
        "api_key": api_key, "short_code": short_code, "public_key": public_key,
    });
    let name = "M-Pesa";
    Ok(Stage { router: simulator.router(), name, path, try_this, facts, tls: None })
}

/// The command by which a customer pays at the wallet.
fn payment(msisdn: &str, account_reference: &str) -> String {
    format!(
        "curl -H 'Content-Type: application/json' -d '{{\"msisdn\":\"{msisdn}\",\
         \"amount_minor\":500000,\"account_reference\":\"{account_reference}\"}}' \
         URL/_sim/payments"
    )
}

fn delivery() -> Arc<dyn Delivery> {
    Arc::new(HttpDelivery::default())
}

/// The options of an M-Pesa market. It is lenient unless they say otherwise: whoever tries a client
/// wants to see it work, and is told what a strict market would refuse.
fn read_mpesa(file: Option<&Path>) -> Result<mpesa::Options, Failure> {
    let mut table: toml::Table = read(file)?;
    table.entry("strict").or_insert(toml::Value::Boolean(false));
    let name = file.map(|file| format!("{}: ", file.display())).unwrap_or_default();
    table.try_into().map_err(|error| Failure::Usage(format!("--options: {name}{error}")))
}

/// The options of a file, or the defaults.
fn read<T: DeserializeOwned + Default>(file: Option<&Path>) -> Result<T, Failure> {
    let Some(file) = file else { return Ok(T::default()) };
    let unusable = |why: String| Failure::Usage(format!("--options: {}: {why}", file.display()));
    let length = std::fs::metadata(file).map_err(|error| unusable(error.to_string()))?.len();
    if length > OPTIONS_BYTES_MAX {
        return Err(unusable(format!("is longer than {OPTIONS_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    toml::from_str(&text).map_err(|error| unusable(error.to_string()))
}
