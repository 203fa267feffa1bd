//! `kiungo simulate`: the other side, to develop and try against.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use kiungo_simulators::clock::Clock;
use kiungo_simulators::delivery::{Delivery, HttpDelivery};
use kiungo_simulators::faults::{Faults, Plan};
use kiungo_simulators::fineract::{ClientSpec, LoanSpec, LoanStatus, SavingsSpec};
use kiungo_simulators::serve::{serve, serve_tls};
use kiungo_simulators::tls::Tls;
use kiungo_simulators::{fineract, gsma, mpesa};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::output::Output;
use super::{Failure, runtime};
use crate::logging;

/// The largest options file, in bytes.
const OPTIONS_BYTES_MAX: u64 = 1024 * 1024;
/// Clients of a core that starts without options.
const CLIENTS: u64 = 10;

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

pub(crate) fn run(options: &SimulateOptions, output: Output) -> Result<(), Failure> {
    logging::start_quietly();
    let (Which::Fineract(common) | Which::Gsma(common) | Which::Mpesa(common)) = &options.simulator;
    if !common.listen.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "--listen: {} is not a loopback address: simulators stay on this machine",
            common.listen
        )));
    }
    let faults = Faults::new(Plan::none(common.seed));
    let stage = match &options.simulator {
        Which::Fineract(common) => stage_fineract(common, faults)?,
        Which::Gsma(common) => stage_gsma(common, faults)?,
        Which::Mpesa(common) => stage_mpesa(common, faults)?,
    };
    runtime()?.block_on(present(common.listen, stage, output))
}

async fn present(listen: SocketAddr, stage: Stage, output: Output) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("cannot listen on {listen}: {error}"));
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let scheme = if stage.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr().map_err(failed)?);
    let mut text = vec![format!("{} is simulated at {url}{}", stage.name, stage.path)];
    text.push("Try:".to_owned());
    text.extend(stage.try_this.iter().map(|line| format!("  {}", line.replace("URL", &url))));
    text.push("Ctrl-C ends it.".to_owned());
    let json = json!({ "url": url, "api": format!("{url}{}", stage.path), "facts": stage.facts });
    output.line(&text.join("\n"), &json);
    let served = async {
        match stage.tls {
            Some(tls) => serve_tls(listener, stage.router, tls).await,
            None => serve(listener, stage.router).await,
        }
    };
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Ok(()),
        served = served => served.map_err(|error| Failure::failed(error.to_string())),
    }
}

fn stage_fineract(common: &Common, faults: Faults) -> Result<Stage, Failure> {
    let options: fineract::Options = read(common.options.as_deref())?;
    let user = options.users.first().cloned().unwrap_or_default();
    let tenant = options.tenants.first().cloned().unwrap_or_default();
    let simulator = fineract::Simulator::new(options, Clock::System, faults);
    for number in 1..=CLIENTS {
        simulator
            .open_client(client(number))
            .map_err(|error| Failure::failed(format!("client {number}: {error}")))?;
    }
    let try_this = vec![
        format!(
            "curl -u {}:{} -H 'Fineract-Platform-TenantId: {tenant}' \
             URL/fineract-provider/api/v1/savingsaccounts/1",
            user.name, user.password
        ),
        "curl URL/_sim/books".to_owned(),
        format!(
            "{CLIENTS} clients are there: client N has savings account N with 1,000,000.00 TZS, an \
             active loan and an approved one (loans 2N-1 and 2N)"
        ),
    ];
    let facts = json!({ "tenant": tenant, "user": user.name, "clients": CLIENTS });
    let (name, path) = ("Fineract", "/fineract-provider".to_owned());
    Ok(Stage { router: simulator.router(), name, path, try_this, facts, tls: None })
}

/// An ordinary client, so that there is something to pay to.
fn client(number: u64) -> ClientSpec {
    ClientSpec {
        name: format!("Client {number}"),
        mobile_no: format!("2557000000{number:02}"),
        external_id: format!("client-{number}"),
        closed: false,
        savings: vec![SavingsSpec::active("TZS", 100_000_000)],
        loans: vec![
            LoanSpec::new(LoanStatus::Active, "TZS", 50_000_000),
            LoanSpec::new(LoanStatus::Approved, "TZS", 50_000_000),
        ],
    }
}

fn stage_gsma(common: &Common, faults: Faults) -> Result<Stage, Failure> {
    let options: gsma::Options = read(common.options.as_deref())?;
    let path =
        options.prefix_1_2.clone().or_else(|| options.prefix_1_1.clone()).unwrap_or_default();
    let simulator = gsma::Simulator::new(options, Clock::System, delivery(), faults);
    let try_this = vec![
        format!("curl URL{path}/heartbeat"),
        "curl URL/_sim/books".to_owned(),
        payment("255700000001"),
    ];
    let facts = json!({ "prefix": path });
    let name = "A GSMA provider";
    let tls = simulator
        .tls()
        .map_err(|error| Failure::Usage(format!("--options: security.tls: {error}")))?;
    Ok(Stage { router: simulator.router(), name, path, try_this, facts, tls })
}

fn stage_mpesa(common: &Common, faults: Faults) -> Result<Stage, Failure> {
    let options = read_mpesa(common.options.as_deref())?;
    let path = format!("/{}/ipg/v2/{}", options.environment, options.market.context());
    let (api_key, short_code) = (options.api_key.clone(), options.short_code.clone());
    let strict = options.strict;
    let simulator = mpesa::Simulator::new(options, Clock::System, delivery(), faults);
    let public_key = simulator.public_key();
    let try_this = vec![
        "curl URL/_sim/public-key   # goes into the mapping as mpesa.public_key".to_owned(),
        "curl URL/_sim/books".to_owned(),
        payment("255700000001"),
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
fn payment(msisdn: &str) -> String {
    format!(
        "curl -H 'Content-Type: application/json' -d '{{\"msisdn\":\"{msisdn}\",\
         \"amount_minor\":500000,\"account_reference\":\"SV1\"}}' URL/_sim/payments"
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
