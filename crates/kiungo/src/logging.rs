//! Sends log lines to standard error, so that standard output holds answers alone.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Directives that override the configuration: the broker's client would log how it logs in, whole
/// messages that nobody took, and, as an error, each end of a connection, which the queue reports.
const QUIET: &[&str] = &["lapin=off"];

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
