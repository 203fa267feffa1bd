//! `kiungo demo`: a day of a microfinance institution, on one machine, with everything that can go
//! wrong, and an audit at the end.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use comfy_table::TableStyle;
use kiungo_demo::{Demo, Faults, Host, TRANSFERS_MAX, TRANSFERS_MIN, WORKERS_MAX};
use serde_json::Value;

use crate::failure::Failure;
use crate::runtime;
use crate::terminal::layout::STYLE;
use crate::terminal::output::{Output, note};

/// Live a day of a microfinance institution, faults included, and audit every shilling
///
/// Starts a simulated core, a GSMA provider and an M-Pesa market, and Kiungo with them, on loopback
/// ports. Moves money, lets much go wrong, kills Kiungo twice, and compares the books at the end.
/// The exit code is 0 only if nothing was lost, doubled, wrongly attributed, or is stuck. With
/// --database and --queue, one process serves and several work; the kills hit both.
#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// The number of transfers of the day
    #[arg(long, default_value_t = 2_000,
          value_parser = clap::value_parser!(u64).range(TRANSFERS_MIN..=TRANSFERS_MAX))]
    transfers: u64,
    /// The seed of all that is drawn: the same seed gives the same day
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The amount of faults
    #[arg(long, value_enum, default_value_t = Amount::Some)]
    faults: Amount,
    /// Go on serving afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Where configuration, database and log are written
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    data: PathBuf,
    /// Keep the books in this empty database (postgres://…), not in a file of that folder
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Share the work through this broker (amqp://…); what is made in it goes at the end
    #[arg(long, value_name = "URL", requires = "database")]
    queue: Option<String>,
    /// The number of workers that share the work
    #[arg(long, value_name = "N", default_value_t = 2, requires = "queue",
          value_parser = clap::value_parser!(u16).range(1..=i64::from(WORKERS_MAX)))]
    workers: u16,
}

/// The amount of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Amount {
    /// Nothing.
    None,
    /// About as much as on a bad day.
    Some,
    /// Nearly every transfer meets something.
    Heavy,
}

/// This program, as the demo sees it.
struct Program(Output);

impl Host for Program {
    fn program(&self) -> anyhow::Result<PathBuf> {
        std::env::current_exe().context("cannot find this program's own file")
    }

    fn is_json(&self) -> bool {
        self.0.is_json()
    }

    fn table_style(&self) -> TableStyle {
        STYLE
    }

    fn answer(&self, text: &str, json: &Value) {
        self.0.line(text, json);
    }

    fn note(&self, text: &str) {
        note(text);
    }
}

/// Runs the demo.
pub(crate) fn run(options: &DemoOptions, output: Output) -> Result<(), Failure> {
    let demo = Demo {
        transfers: options.transfers,
        seed: options.seed,
        faults: match options.faults {
            Amount::None => Faults::None,
            Amount::Some => Faults::Some,
            Amount::Heavy => Faults::Heavy,
        },
        keep: options.keep,
        data: options.data.clone(),
        database: options.database.clone(),
        queue: options.queue.clone(),
        workers: options.workers,
    };
    match runtime::build()?.block_on(demo.run(&Program(output))) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Said),
        Err(error) => Err(Failure::failed(format!("{error:#}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kiungo_sandbox::configuration::Configuration;
    use kiungo_sandbox::members_of_a_sandbox;

    use crate::config::{Config, Sources};
    use crate::families::FAMILIES;

    #[tokio::test]
    async fn the_demo_writes_a_configuration_without_complaints() {
        for queue in [None, Some("amqp://kiungo:secret@127.0.0.1:1/%2f")] {
            let home = tempfile::tempdir().unwrap();
            let file = kiungo_demo::write_configuration(home.path(), queue).await.unwrap();
            let providers = members_of_a_sandbox().filter_map(|(_, member)| member.provider());
            for provider in providers {
                FAMILIES.load(&Configuration::mapping_path(home.path(), provider.id)).unwrap();
            }
            let sources = Sources { file: Some(file), environment: BTreeMap::new() };
            let config = Config::load(&sources).unwrap();
            config.check().unwrap();
            assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        }
    }
}
