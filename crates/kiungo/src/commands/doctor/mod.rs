//! `kiungo doctor`: asks everybody, and says what to do.
//!
//! * `finding`: a finding, with its severity and remedy
//! * `clock`: checks that we and the counterparties agree on the time
//! * `callbacks`: checks that providers can reach us
//! * `proxy`: checks that no proxy is expected that is not used
//! * `queue`: checks that the broker is there, and as it should be

mod callbacks;
mod clock;
mod finding;
mod proxy;
mod queue;

use std::fmt::Display;

use clap::Args;
use kiungo_core_banking::{Core as _, ProbeError};
use kiungo_provider::ReadError;
use kiungo_store::Hold;
use kiungo_store_sql::OpenError;
use serde_json::json;

use super::output::Output;
use super::{Config, ConfigFile, Failure, runtime};
use crate::components::{AssembledCore, AssembledProvider, Assembly};
use crate::{adapters, logging, serve};
use finding::{Finding, State};

const SEE: &str = "see the message";

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
    let findings = runtime()?.block_on(examine(&config, &assembly));
    report(&findings, output)
}

async fn examine(config: &Config, assembly: &Assembly) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("configuration", "can be used, mappings included")];
    let warnings = config.warnings.iter();
    findings.extend(warnings.map(|w| Finding::warning("configuration", w, "change it")));
    if config.api.keys.is_empty() {
        findings.push(Finding::warning(
            "API keys",
            "there is none: nobody can use the API",
            "kiungo config key",
        ));
    }
    findings.extend(database(config).await);
    findings.push(queue::examine(config).await);
    for (id, core) in &assembly.cores {
        examine_core(&format!("core {id}"), core, &mut findings).await;
    }
    for (id, provider) in &assembly.providers {
        examine_provider(&format!("provider {id}"), provider, &mut findings).await;
    }
    findings.push(callbacks::examine(config, assembly));
    findings.extend(proxy::examine(config));
    findings
}

/// Looks at its schema, and opens it if `serve` would find it as it is.
async fn database(config: &Config) -> Vec<Finding> {
    let subject = "database";
    let address = &config.database.address;
    let failed = |why: &dyn Display| {
        Finding::failed(subject, &config.database.failure(why).to_string(), SEE)
    };
    let state = match address.schema().await {
        Ok(state) => state,
        Err(error) => return vec![failed(&error)],
    };
    if state.applied.is_none() {
        let found = format!("{} is set up at the first start", address.shown());
        return vec![Finding::ok(subject, &found)];
    }
    if !state.missing.is_empty() {
        let found = format!("the next start applies {} migrations", state.missing.len());
        return vec![Finding::ok(subject, &found)];
    }
    let database = match address.open().await {
        Ok(database) => database,
        Err(error @ OpenError::InUse { .. }) => {
            let advice = "nothing, if that is the Kiungo that is meant to run; `kiungo provider list` \
                          shows what it holds";
            return vec![Finding::warning(subject, &error.to_string(), advice)];
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
            let mut findings = vec![Finding::ok(subject, "opens, is up to date, and answers")];
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
    Finding::warning(&format!("provider {provider}"), &found, &advice)
}

async fn examine_core(subject: &str, core: &AssembledCore, findings: &mut Vec<Finding>) {
    match core.core.probe().await {
        Ok(lines) => findings.extend(lines.iter().map(|line| {
            line.strip_prefix("warning: ").map_or_else(
                || Finding::ok(subject, line),
                |warning| Finding::warning(subject, warning, "see the adapter's README"),
            )
        })),
        Err(ProbeError::Unavailable(why)) => {
            let advice = format!("check that {} is reachable from here", core.base_url);
            findings.push(Finding::failed(subject, &why, &advice));
        }
        Err(ProbeError::Repair(why)) => {
            findings.push(Finding::failed(subject, &why, "change the core, or [cores.fineract]"));
        }
    }
    findings.push(clock::examine(subject, core.transport.as_ref(), &core.base_url).await);
}

async fn examine_provider(
    subject: &str,
    provider: &AssembledProvider,
    findings: &mut Vec<Finding>,
) {
    findings.push(match provider.link.provider.probe().await {
        Ok(state) => Finding::ok(subject, &state),
        Err(ReadError::Unavailable(why)) => {
            let advice = "try again; if nothing answers there, check the address and the way to it";
            Finding::failed(subject, &why, advice)
        }
        Err(ReadError::Repair(why)) => {
            let advice = format!("check the secrets, and {}", provider.mapping.file());
            Finding::failed(subject, &why, &advice)
        }
    });
    if let Some(url) = adapters::base_url(&provider.mapping) {
        findings.push(clock::examine(subject, provider.transport.as_ref(), &url).await);
    }
}

fn report(findings: &[Finding], output: Output) -> Result<(), Failure> {
    let rows = findings.iter().map(Finding::row).collect();
    let failed = findings.iter().any(|finding| finding.state == State::Failed);
    let json = json!({ "ok": !failed, "findings": findings });
    output.table(&["", "what", "found", "what to do"], rows, &json);
    if failed { Err(Failure::Said) } else { Ok(()) }
}
