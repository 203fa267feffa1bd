//! `kiungo migrate`: the schema of the database.

use clap::Args;
use kiungo_store_sql::{SchemaState, SchemaStep};
use serde_json::{Value, json};

use crate::commands::config_file::ConfigFile;
use crate::config::Config;
use crate::failure::Failure;
use crate::logging;
use crate::runtime;
use crate::terminal::output::Output;

/// Bring the schema of the database up to date
///
/// `kiungo serve` does the same when it starts. On PostgreSQL this may run while Kiungo serves: the
/// release that runs works on the schema of the next one.
#[derive(Debug, Args)]
pub(crate) struct MigrateOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// Change nothing, and say which migrations are missing (exit code 1 if one is)
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &MigrateOptions, output: Output) -> Result<(), Failure> {
    logging::start_quietly();
    let config = options.config.load()?;
    let state = runtime::build()?.block_on(async {
        if options.check { look(&config).await } else { migrate(&config).await }
    })?;
    let steps = state.missing.iter().map(|step| json!([step.number, step.subject]));
    let steps: Vec<Value> = steps.collect();
    let missing = options.check && !steps.is_empty();
    let of_steps = if options.check { "missing" } else { "applied" };
    let shown = config.database.address.shown();
    output.line(
        &text(&shown, &state.missing, of_steps),
        &json!({ "database": shown, "up_to_date": !missing, of_steps: steps }),
    );
    if missing { Err(Failure::Said) } else { Ok(()) }
}

fn text(database: &str, steps: &[SchemaStep], of_steps: &str) -> String {
    if steps.is_empty() {
        return format!("{database}: the schema is up to date");
    }
    let steps = steps.iter().map(|step| format!("{of_steps}: {} {}", step.number, step.subject));
    format!("{database}\n{}", steps.collect::<Vec<_>>().join("\n"))
}

async fn look(config: &Config) -> Result<SchemaState, Failure> {
    config.database.address.schema().await.map_err(|error| config.database.failure(&error))
}

/// Opening it applies what is missing; what that was.
async fn migrate(config: &Config) -> Result<SchemaState, Failure> {
    let before = look(config).await?;
    let database = config.database.address.open().await;
    database.map_err(|error| config.database.failure(&error))?.close().await;
    Ok(before)
}
