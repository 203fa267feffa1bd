//! Shows the progress of the day: bars on a terminal, a line now and then elsewhere, nothing beside
//! JSON.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;
use tokio::time::Instant;

use super::host::Host;

/// The interval of lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how the day goes.
pub(super) enum Progress<'a> {
    Silent,
    Lines { host: &'a dyn Host, next: Instant },
    Bar(ProgressBar),
}

impl<'a> Progress<'a> {
    /// For `transfers`; silent beside JSON.
    pub(super) fn new(host: &'a dyn Host, transfers: usize) -> Self {
        if host.is_json() {
            return Self::Silent;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { host, next: Instant::now() + LINE_EVERY };
        }
        let bar = ProgressBar::new(u64::try_from(transfers).unwrap_or(u64::MAX));
        let style = "{elapsed_precise} {bar:40.green} {pos}/{len} settled  {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// Shows a text in a line of its own.
    pub(super) fn say(&self, text: &str) {
        match self {
            Self::Silent => {}
            Self::Lines { host, .. } => host.note(text),
            Self::Bar(bar) => bar.println(text),
        }
    }

    /// Shows how many have begun and how many of them are open; `text` says what goes on.
    pub(super) fn show(&mut self, begun: usize, open: usize, text: &str) {
        let settled = begun.saturating_sub(open);
        match self {
            Self::Silent => {}
            Self::Lines { next, .. } if Instant::now() < *next => {}
            Self::Lines { host, next } => {
                *next = Instant::now() + LINE_EVERY;
                host.note(&format!("{begun} begun, {settled} settled, {open} open; {text}"));
            }
            Self::Bar(bar) => {
                bar.set_position(u64::try_from(settled).unwrap_or(u64::MAX));
                bar.set_message(format!("{open} open  {text}"));
            }
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
