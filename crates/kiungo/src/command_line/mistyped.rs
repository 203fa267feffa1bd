//! Words that are no command: what the program proposes instead, and what it never does.

use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error};
use kiungo_sandbox::SIMULATORS;

/// The commands that may be proposed for a mistyped one: they move no money, decide nothing and
/// change no installation. Any other command has to be written out by its user.
const HARMLESS: &[&str] = &[
    "init",
    "demo",
    "transfer",
    "transfer show",
    "transfer list",
    "transfer suggestions",
    "transfer inquire",
    "case",
    "case list",
    "suspense",
    "suspense list",
    "suspense suggestions",
    "core-request",
    "core-request list",
    "core-request show",
    "provider",
    "provider list",
    "provider balance",
    "provider holder",
    "arrival",
    "arrival list",
    "arrival show",
    "action",
    "action list",
    "action show",
    "simulate",
    "simulate all",
    "config",
    "config check",
    "config show",
    "config key",
    "mapping",
    "mapping check",
    "mapping show",
    "doctor",
    "queue",
    "queue topology",
    "queue asyncapi",
    "queue dead",
    "queue dead list",
    "queue dead show",
    "completions",
    "man",
    "version",
];

/// The paths of all of them; the simulators, which harm nothing, stand in a list of their own.
pub(super) fn harmless_paths() -> impl Iterator<Item = String> {
    let simulators = SIMULATORS.iter().map(|it| format!("simulate {}", it.family.names().word));
    HARMLESS.iter().map(|path| (*path).to_owned()).chain(simulators)
}

/// Reads the arguments of the program.
///
/// # Errors
/// They cannot be used; or help or the version are asked for. It proposes only harmless commands.
pub(super) fn read<Line: Parser>(
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<Line, Error> {
    Line::try_parse_from(arguments).map_err(harmless)
}

/// The error without proposals of commands that act, and without values: of two decisions, the one
/// that resembles what was typed may be the opposite of what was meant. The help has all of them.
fn harmless(mut error: Error) -> Error {
    error.remove(ContextKind::SuggestedValue);
    let proposed = match error.remove(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(words)) => words,
        Some(ContextValue::String(word)) => vec![word],
        _ => Vec::new(),
    };
    // The error does not say where the word stands: a word has to be harmless everywhere.
    let harmless: Vec<String> = proposed.into_iter().filter(|word| is_harmless(word)).collect();
    if !harmless.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(harmless));
    }
    error
}

fn is_harmless(word: &str) -> bool {
    harmless_paths().any(|path| path.rsplit(' ').next() == Some(word))
}
