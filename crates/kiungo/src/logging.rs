//! Sends log lines to standard error, so that standard output holds answers alone.

use thiserror::Error;
use tracing_subscriber::EnvFilter;

/// The form of log lines, and which of them are shown.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    /// In the language of [`EnvFilter`].
    pub(crate) filter: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Directives that override the configuration: the broker's client would log how it logs in, whole
/// messages that nobody took, and, as an error, each end of a connection, which the queue reports.
const QUIET: &[&str] = &["lapin=off"];

/// The levels, as a filter names them.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The parts of Kiungo that a filter can name: its crates.
const PARTS: [&str; 18] = [
    "kiungo",
    "kiungo_api",
    "kiungo_core_banking",
    "kiungo_core_fineract",
    "kiungo_domain",
    "kiungo_engine",
    "kiungo_mapping",
    "kiungo_messaging",
    "kiungo_provider",
    "kiungo_provider_gsma",
    "kiungo_provider_mpesa",
    "kiungo_queue",
    "kiungo_queue_rabbit",
    "kiungo_server",
    "kiungo_settings",
    "kiungo_store",
    "kiungo_store_sql",
    "kiungo_transport",
];

/// A filter that would not do what its writer expects: the library takes a word that it does not know
/// for a module, whose lines alone it then shows.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum FilterError {
    /// The filter cannot be read at all.
    #[error("`{filter}` is not a filter: {why}; {}", accepted())]
    Unreadable {
        /// The filter.
        filter: String,
        /// The library's message.
        why: String,
    },
    /// A word that is neither a level nor a part.
    #[error("`{0}` is not a level; {accepted}", accepted = accepted())]
    Word(String),
    /// A part that does not exist.
    #[error("there is no part `{0}`; the parts are {parts}", parts = PARTS.join(", "))]
    Part(String),
    /// Nothing of Kiungo's own.
    #[error(
        "`{0}` shows no line of Kiungo, warnings and errors included: begin with a level, for example \
         \"info,{0}\""
    )]
    Nothing(String),
}

/// The forms of a filter.
fn accepted() -> String {
    format!(
        "write a level ({}), or levels for parts: \"info,kiungo_engine=debug\"",
        LEVELS.join(", ")
    )
}

/// Checks a filter in the language of [`EnvFilter`].
pub(crate) fn check(filter: &str) -> Result<(), FilterError> {
    let unreadable = |why: String| FilterError::Unreadable { filter: filter.to_owned(), why };
    filter.parse::<EnvFilter>().map_err(|error| unreadable(error.to_string()))?;
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let mut shows_ours = false;
    for directive in filter.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (target, level) =
            directive.rsplit_once('=').map_or((directive, None), |(t, level)| (t, Some(level)));
        if level.is_none() && is_level(directive) {
            shows_ours = true;
            continue;
        }
        // A span and its fields may follow.
        let target = target.split('[').next().unwrap_or_default();
        let part = target.split("::").next().unwrap_or_default();
        let is_ours = PARTS.contains(&part);
        if part.starts_with("kiungo") && !is_ours {
            return Err(FilterError::Part(part.to_owned()));
        }
        if level.is_none() && !is_ours && !directive.contains('[') {
            return Err(FilterError::Word(directive.to_owned()));
        }
        shows_ours |= is_ours || target.is_empty();
    }
    if shows_ours { Ok(()) } else { Err(FilterError::Nothing(filter.to_owned())) }
}

/// True if a filter hides warnings of Kiungo, or all lines.
pub(crate) fn hides_warnings(filter: &str) -> bool {
    let mut levels = filter.split(',').map(str::trim);
    levels.any(|level| level.eq_ignore_ascii_case("off") || level.eq_ignore_ascii_case("error"))
}

/// Sends log lines to standard error, as configured. A second call changes nothing.
pub(crate) fn start(log: &Log) {
    // The configuration was checked; a filter that cannot be read does not get here.
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = QUIET.iter().filter_map(|directive| directive.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    drop(started);
}

/// Warnings only, for commands that answer on standard output.
pub(crate) fn start_quietly() {
    start(&Log { format: LogFormat::Text, filter: "warn".to_owned() });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_names_levels_and_parts_is_taken() {
        for filter in [
            "info",
            "WARN",
            "off",
            "info,kiungo_engine=debug",
            "info,sqlx=warn",
            "kiungo_engine",
            "kiungo_engine::inbox=trace",
            "kiungo=debug,hyper=off",
            "kiungo_engine[transfer]=debug",
            "[transfer{id=7}]=debug",
        ] {
            assert_eq!(check(filter), Ok(()), "{filter}");
        }
    }

    /// `inof` alone silenced every line, errors included.
    #[test]
    fn a_filter_that_would_show_nothing_is_refused_and_says_what_is_accepted() {
        let said = |filter: &str| check(filter).unwrap_err().to_string();
        for word in ["inof", "loud", "info,verbose"] {
            let message = said(word);
            assert!(message.contains("is not a level"), "{message}");
            assert!(message.contains("off, error, warn, info, debug, trace"), "{message}");
        }
        assert!(said("info,kiungo_engin=debug").contains("there is no part `kiungo_engin`"));
        assert!(said("kiungo_engine=loud").contains("is not a filter"));
        let message = said("sqlx=debug");
        assert!(message.contains("\"info,sqlx=debug\""), "{message}");
        assert!(said("").contains("shows no line"));
    }

    #[test]
    fn the_parts_are_the_crates_of_the_program() {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let names = std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap()).filter(|name| {
            // The simulators' lines are theirs, and have commands of their own, the demo among them.
            !name.starts_with("simulator") && name != "sandbox" && name != "demo"
        });
        let mut names: Vec<String> = names
            .map(|name| match name.as_str() {
                "kiungo" => name,
                part => format!("kiungo_{}", part.replace('-', "_")),
            })
            .collect();
        names.sort();
        assert_eq!(names, PARTS);
    }
}
