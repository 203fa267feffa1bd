//! `kiungo mapping`: checking the files that say how providers talk.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kiungo_mapping::Mapping;
use serde_json::{Value, json};

use super::Failure;
use super::output::Output;
use crate::adapters;

/// Check mapping files
#[derive(Debug, Args)]
pub(crate) struct MappingOptions {
    #[command(subcommand)]
    command: MappingCommand,
}

#[derive(Debug, Subcommand)]
enum MappingCommand {
    /// Check files and name line and key of everything that is wrong (exit code 1)
    Check {
        /// The files, for example mappings/*.toml
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

pub(crate) fn run(options: &MappingOptions, output: Output) -> Result<(), Failure> {
    let MappingCommand::Check { files } = &options.command;
    let mut text = Vec::new();
    let mut json = Vec::new();
    let mut failed = false;
    for file in files {
        let checked =
            Mapping::load(file).and_then(|mapping| adapters::check(&mapping).map(|()| mapping));
        match checked {
            Ok(mapping) => {
                text.push(format!("{}: ok ({})", file.display(), mapping.name()));
                json.push(json!({ "file": file, "ok": true, "id": mapping.id().as_str() }));
            }
            Err(errors) => {
                failed = true;
                text.push(errors.to_string());
                let problem = |p: &kiungo_mapping::Problem| json!({ "line": p.line, "column": p.column, "key": p.key, "message": p.message });
                let problems: Vec<Value> = errors.problems().iter().map(problem).collect();
                json.push(json!({ "file": file, "ok": false, "problems": problems }));
            }
        }
    }
    output.line(&text.join("\n"), &Value::Array(json));
    if failed { Err(Failure::Said) } else { Ok(()) }
}
