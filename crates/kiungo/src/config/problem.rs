//! The problems of a configuration: all of them at once, each with its source and key.

use std::fmt;

use kiungo_mapping::Problem;
use serde::Serialize;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigProblem {
    /// The place in the source: `kiungo.toml:3:1`, `environment variable KIUNGO__SERVER__PORT`.
    pub(crate) place: String,
    /// The key with all tables around it; empty if the whole source is meant.
    pub(crate) key: String,
    /// The fault, and a remedy. Never a secret.
    pub(crate) message: String,
}

impl ConfigProblem {
    /// A problem of a mapping file, at its own place.
    pub(crate) fn of_mapping(problem: &Problem) -> Self {
        let place = match problem.line {
            0 => problem.file.clone(),
            line => format!("{}:{line}:{}", problem.file, problem.column),
        };
        Self { place, key: problem.key.clone(), message: problem.message.clone() }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        for part in [&self.key, &self.message].into_iter().filter(|part| !part.is_empty()) {
            write!(f, ": {part}")?;
        }
        Ok(())
    }
}

/// A setting that is valid and ought to be changed all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Warning {
    /// The kind of warning: a stable word for programs.
    pub(crate) name: &'static str,
    /// The setting, and the harm that it can do. Never a secret.
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Warning {
    pub(crate) fn new(
        name: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { name, message: message.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.remedy)
    }
}

/// All problems of a configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigErrors(pub(crate) Vec<ConfigProblem>);

impl ConfigErrors {
    pub(crate) fn one(place: impl Into<String>, message: impl Into<String>) -> Self {
        let (place, message) = (place.into(), message.into());
        Self(vec![ConfigProblem { place, key: String::new(), message }])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}
