//! `kiungo mapping`: checking the files that say how providers talk.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kiungo_mapping::Problem;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::families::FAMILIES;
use crate::requirements::{self, Requirement};
use crate::terminal::output::Output;

/// Check mapping files
#[derive(Debug, Args)]
pub(crate) struct MappingOptions {
    #[command(subcommand)]
    command: MappingCommand,
}

#[derive(Debug, Subcommand)]
enum MappingCommand {
    /// Check files and name line and key of everything that is wrong (exit code 1), and what is still
    /// to be given
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
        let checked = FAMILIES.load(file).and_then(|mapping| {
            let plan = FAMILIES.plan(&mapping)?;
            Ok((requirements::of(&mapping, &*plan), mapping))
        });
        match checked {
            Ok((left, mapping)) => {
                text.push(format!("{}: ok ({})", file.display(), mapping.name()));
                text.extend(left.iter().map(|left| {
                    format!("  to be given by the {}: {}", left.by.as_str(), left.what)
                }));
                let left: Vec<Value> = left.iter().map(to_be_given).collect();
                let id = mapping.id().as_str();
                json.push(json!({ "file": file, "ok": true, "id": id, "to_be_given": left }));
            }
            Err(errors) => {
                failed = true;
                text.push(errors.to_string());
                let problems: Vec<Value> = errors.problems().iter().map(place).collect();
                json.push(json!({ "file": file, "ok": false, "problems": problems }));
            }
        }
    }
    output.line(&text.join("\n"), &Value::Array(json));
    if failed { Err(Failure::Said) } else { Ok(()) }
}

fn place(problem: &Problem) -> Value {
    let Problem { line, column, key, message, .. } = problem;
    json!({ "line": line, "column": column, "key": key, "message": message })
}

fn to_be_given(requirement: &Requirement) -> Value {
    let mut value = place(&requirement.what);
    value["by"] = json!(requirement.by.as_str());
    value
}
