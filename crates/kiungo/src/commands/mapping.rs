//! `kiungo mapping`: checking and showing the files that say how providers talk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kiungo_mapping::{Problem, file};
use kiungo_settings::{Document, layers, print};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::families::FAMILIES;
use crate::requirements::{self, Requirement};
use crate::terminal::output::Output;

/// Check mapping files, and show them with the values of the files that they extend
#[derive(Debug, Args)]
pub(crate) struct MappingOptions {
    #[command(subcommand)]
    command: MappingCommand,
}

#[derive(Debug, Subcommand)]
enum MappingCommand {
    /// Check files and name line and key of everything that is wrong (exit code 1), and what is still
    /// to be given
    ///
    /// A file that is no provider by itself, and that another of the files extends, is checked together with
    /// that one.
    Check {
        /// The files, for example mappings/*.toml
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print a file with the values of the files that it extends, each with the place that it comes from
    ///
    /// The keys are sorted. The values are not checked.
    Show {
        /// The file, for example mappings/mpesa-tz.toml
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(crate) fn run(options: &MappingOptions, output: Output) -> Result<(), Failure> {
    match &options.command {
        MappingCommand::Check { files } => check(files, output),
        MappingCommand::Show { file } => show(file, output),
    }
}

fn check(files: &[PathBuf], output: Output) -> Result<(), Failure> {
    let mut text = Vec::new();
    let mut json = Vec::new();
    let mut failed = false;
    let extended = extended(files);
    for file in files {
        if let Some(children) = extended.get(&canonical(file)).filter(|_| !is_provider(file)) {
            let children: Vec<_> =
                children.iter().map(|child| child.display().to_string()).collect();
            text.push(format!("{}: checked with {}", file.display(), children.join(", ")));
            json.push(json!({ "file": file, "ok": true, "extended_by": children }));
            continue;
        }
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

/// The files that others of them extend, each with those.
fn extended(files: &[PathBuf]) -> BTreeMap<PathBuf, BTreeSet<&Path>> {
    let mut extended: BTreeMap<_, BTreeSet<&Path>> = BTreeMap::new();
    for child in files {
        for parent in file::parents(child) {
            extended.entry(canonical(&parent)).or_default().insert(child);
        }
    }
    extended
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// True if a file names a provider, or cannot be read, which its check will say.
fn is_provider(path: &Path) -> bool {
    let named = |document: &Document| {
        Some(document.root().get("provider")?.value.entries()?.contains_key("id"))
    };
    file::read(path).map_or(true, |document| named(&document).unwrap_or(false))
}

fn show(path: &Path, output: Output) -> Result<(), Failure> {
    let document = file::read(path).map_err(|problems| Failure::failed(problems.to_string()))?;
    let mut values = Map::new();
    for key in document.root().keys() {
        let value = document.section(key).map_err(|error| Failure::failed(error.to_string()))?;
        values.insert(key.clone(), value);
    }
    let places = layers::offsets(document.root()).into_iter();
    let places: BTreeMap<_, _> =
        places.map(|(key, at)| (key, document.sources().place(at.start))).collect();
    output.line(
        print::with_places(&document).trim_end(),
        &json!({
            "file": path, "extends": document.parents(), "mapping": values, "places": places,
        }),
    );
    Ok(())
}

fn place(problem: &Problem) -> Value {
    let Problem { file, line, column, key, message } = problem;
    json!({ "file": file, "line": line, "column": column, "key": key, "message": message })
}

fn to_be_given(requirement: &Requirement) -> Value {
    let mut value = place(&requirement.what);
    value["by"] = json!(requirement.by.as_str());
    value
}
