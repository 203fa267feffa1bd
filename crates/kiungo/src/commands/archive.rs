//! `kiungo archive`: settled transfers out of the tables that work goes on in.

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kiungo_domain::Timestamp;
use kiungo_mapping::duration;
use kiungo_store::ArchiveStore;
use serde_json::json;

use crate::commands::config_file::ConfigFile;
use crate::failure::Failure;
use crate::logging;
use crate::runtime;
use crate::terminal::output::Output;

/// Transfers moved in one transaction: a few hundredths of a second, so that others hardly wait.
const BATCH: u32 = 500;

/// The least age of archived transfers: people look for younger ones, and most late events of a
/// transfer happen within two days.
const YOUNGEST: SignedDuration = SignedDuration::from_hours(48);

/// Move old, settled transfers into the archive
///
/// They are still found by id and by receipt, refuse whoever claims their receipt or their idempotency
/// key a second time, and come back if something happens to them; lists and searches leave them out.
/// On PostgreSQL this may run while Kiungo serves; a SQLite file has one process at a time. It can be
/// stopped at any moment and run again.
#[derive(Debug, Args)]
pub(crate) struct ArchiveOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// Transfers received and last changed before this date (UTC) or moment: 2026-06-01
    #[arg(long, value_name = "DATE", value_parser = moment, required_unless_present = "older_than")]
    before: Option<jiff::Timestamp>,
    /// Transfers older than this: 90d
    #[arg(long, value_name = "PERIOD", value_parser = duration::parse, conflicts_with = "before")]
    older_than: Option<Duration>,
}

pub(crate) fn run(options: &ArchiveOptions, output: Output) -> Result<(), Failure> {
    logging::start_quietly();
    let before = bound(options, jiff::Timestamp::now()).map_err(Failure::Usage)?;
    let config = options.config.load()?;
    let archived = runtime::build()?.block_on(async {
        let opened = config.database.address.open().await;
        let database = opened.map_err(|error| config.database.failure(&error))?;
        let archived = archive(database.store().as_ref(), before, output).await;
        database.close().await;
        archived
    })?;
    output.line(
        &format!("archived: {archived} (settled before {before})"),
        &json!({ "archived": archived, "before": before.to_string() }),
    );
    Ok(())
}

/// The moment before which transfers are moved; why it is refused.
fn bound(options: &ArchiveOptions, now: jiff::Timestamp) -> Result<jiff::Timestamp, String> {
    let far = |_| "--older-than is too long".to_owned();
    let before = match (options.before, options.older_than) {
        (Some(before), _) => before,
        (None, Some(age)) => now.checked_sub(age).map_err(far)?,
        (None, None) => return Err("--before or --older-than is missing".to_owned()),
    };
    if now.duration_since(before) < YOUNGEST {
        let hours = YOUNGEST.as_hours();
        return Err(format!(
            "transfers of the last {hours} hours stay: they are what people look for"
        ));
    }
    Ok(before)
}

async fn archive(
    store: &dyn ArchiveStore,
    before: jiff::Timestamp,
    output: Output,
) -> Result<u64, Failure> {
    let shows = !output.is_json() && std::io::stderr().is_terminal();
    let progress = if shows { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let before = Timestamp::from_micros(before.as_microsecond());
    let mut archived = 0;
    loop {
        let moved = store.archive(before, BATCH).await.map_err(|error| {
            Failure::failed(format!("after {archived} transfers: {error}; run it again"))
        })?;
        if moved == 0 {
            progress.finish_and_clear();
            return Ok(archived);
        }
        archived += moved;
        progress.set_message(format!("{archived} archived"));
        progress.tick();
    }
}

/// A date, of which the beginning in UTC is meant, or a moment.
fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    let wrong = || "write a date (2026-06-01) or a moment (2026-06-01T00:00:00Z)".to_owned();
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment);
    }
    let date = text.parse::<Date>().map_err(|_| wrong())?;
    date.to_zoned(TimeZone::UTC).map(|day| day.timestamp()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(before: Option<&str>, older_than: Option<&str>) -> ArchiveOptions {
        ArchiveOptions {
            config: ConfigFile { config: None },
            before: before.map(|text| moment(text).unwrap()),
            older_than: older_than.map(|text| duration::parse(text).unwrap()),
        }
    }

    #[test]
    fn a_date_is_its_beginning_and_a_period_ends_now() {
        let now = moment("2026-11-22T12:00:00Z").unwrap();
        let shown = |options| bound(&options, now).map(|before| before.to_string());
        let of = |text: &str| Ok(text.to_owned());
        assert_eq!(shown(options(Some("2026-06-01"), None)), of("2026-06-01T00:00:00Z"));
        assert_eq!(shown(options(Some("2026-06-01T03:00+03"), None)), of("2026-06-01T00:00:00Z"));
        assert_eq!(shown(options(None, Some("90d"))), of("2026-08-24T12:00:00Z"));
        assert!(moment("yesterday").is_err() && moment("2026-02-30").is_err());
    }

    #[test]
    fn transfers_that_a_daily_limit_counts_are_refused() {
        let now = moment("2026-11-22T12:00:00Z").unwrap();
        for wrong in [
            options(None, Some("47h")),
            options(Some("2026-11-21"), None),
            options(Some("2027-01-01"), None),
        ] {
            assert!(bound(&wrong, now).is_err_and(|why| why.contains("48 hours")), "{wrong:?}");
        }
        assert!(bound(&options(None, Some("2d")), now).is_ok());
    }
}
