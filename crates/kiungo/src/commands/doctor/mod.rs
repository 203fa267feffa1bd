//! `kiungo doctor`: asks all counterparties, and names the remedies.
//!
//! * `finding`: a finding, with its severity and remedy
//! * `core`: checks each core
//! * `provider`: checks each provider
//! * `clock`: checks that we and the counterparties agree on the time
//! * `callbacks`: checks that providers can reach us
//! * `proxy`: finds proxy variables that Kiungo does not use
//! * `queue`: checks that the broker is there, and as it should be

mod callbacks;
mod clock;
mod core;
mod finding;
mod provider;
mod proxy;
mod queue;

use std::fmt::Display;

use clap::Args;
use kiungo_store::Hold;
use kiungo_store_sql::OpenError;
use serde_json::json;

use crate::commands::config_file::ConfigFile;
use crate::components::Assembly;
use crate::config::Config;
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;
use crate::{logging, serve};
use finding::{Finding, State};

/// Check that everything works together, and say what to do where it does not
///
/// Checks the configuration, the mappings, the database, the broker, each core (login, permissions,
/// settings), each provider (session or token, account), the clocks, and the address of callbacks.
/// Moves no money.
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(options: &DoctorOptions, output: Output) -> Result<(), Failure> {
    logging::start_quietly();
    let config = options.config.load()?;
    serve::check(&config)?;
    let assembly = Assembly::new(&config)?;
    let findings = runtime::build()?.block_on(examine(&config, &assembly));
    report(&findings, output)
}

async fn examine(config: &Config, assembly: &Assembly) -> Vec<Finding> {
    const SUBJECT: &str = "configuration";
    let mut findings = vec![Finding::ok(SUBJECT, SUBJECT, "can be used, mappings included")];
    let warnings = config.warnings.iter();
    findings.extend(
        warnings.map(|w| Finding::warning(w.name, SUBJECT, w.message.as_str(), w.remedy.as_str())),
    );
    findings.extend(database(config).await);
    findings.push(queue::examine(config).await);
    core::examine(config, assembly, &mut findings).await;
    provider::examine(assembly, &mut findings).await;
    findings.push(callbacks::examine(config, assembly).await);
    findings.extend(proxy::examine(config));
    findings
}

/// Checks the schema, and opens the database if `serve` would not have to change it.
async fn database(config: &Config) -> Vec<Finding> {
    let subject = "database";
    let address = &config.database.address;
    let failed = |why: &dyn Display| {
        let found = config.database.failure(why).to_string();
        let advice = "mend what is named, and look again; a wrong path or address: [database]";
        Finding::failed("database_failed", subject, found, advice)
    };
    let state = match address.schema().await {
        Ok(state) => state,
        Err(error) => return vec![failed(&error)],
    };
    if state.applied.is_none() {
        let found = format!("{} is empty, and is set up at the first start", address.shown());
        return vec![Finding::ok("database_new", subject, found)];
    }
    if !state.missing.is_empty() {
        let found = format!("the next start applies {} migrations", state.missing.len());
        return vec![Finding::ok("database_migrations", subject, found)];
    }
    let database = match address.open().await {
        Ok(database) => database,
        Err(error @ OpenError::InUse { .. }) => {
            let advice = "nothing, if that is the Kiungo that is meant to run; `kiungo provider list` \
                          shows what it holds";
            let found = error.to_string();
            return vec![Finding::warning("database_in_use", subject, found, advice)];
        }
        Err(error) => return vec![failed(&error)],
    };
    let answer = match database.store().ping().await {
        Ok(()) => database.store().holds().await,
        Err(error) => Err(error),
    };
    database.close().await;
    match answer {
        Ok(holds) => {
            let mut findings = vec![Finding::ok(
                subject,
                subject,
                format!("{} opens, is up to date, and answers", address.shown()),
            )];
            findings.extend(holds.iter().map(held));
            findings
        }
        Err(error) => vec![failed(&error)],
    }
}

/// An operation of a provider that is held: its transfers wait.
fn held(hold: &Hold) -> Finding {
    let (provider, operation) = (&hold.provider, hold.operation.as_str());
    let found = format!("`{operation}` is held ({}): {}", hold.condition.as_str(), hold.detail);
    let advice = format!(
        "mend the cause, then: kiungo provider release {provider} {operation} --reason \"...\""
    );
    Finding::warning("operation_held", &format!("provider {provider}"), found, advice)
}

fn report(findings: &[Finding], output: Output) -> Result<(), Failure> {
    let rows = findings.iter().map(Finding::row).collect();
    let failed = findings.iter().any(|finding| finding.state == State::Failed);
    let json = json!({ "ok": !failed, "findings": findings });
    output.table(&["", "what", "found", "what to do"], rows, &json);
    if failed { Err(Failure::Said) } else { Ok(()) }
}
