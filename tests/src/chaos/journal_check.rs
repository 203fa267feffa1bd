//! The journals as they stand in the database at the end, with the time of each commit.

use std::collections::BTreeMap;

use anyhow::Context as _;
use kiungo_domain::transfer::{Event, StepName};
use kiungo_domain::{Outcome, Timestamp, Transfer, TransferId};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};

/// The words of the journal about an attempt whose process was gone.
const INTERRUPTED: &str = "Kiungo stopped before";

/// In the order of each journal. The time of the commit, and not that of the decision, is the order
/// in which things came to be.
const READ: &str = "SELECT transfer_id::text, at_us, \
    (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint, event \
    FROM transfer_events ORDER BY transfer_id, seq";
/// The open transfers, each with its shard of sixteen, the seconds until it is due, and its last
/// event.
const OPEN: &str = "SELECT t.id::text || ' ' || t.status || ', shard ' || (t.slot % 16) || ', due in ' \
    || coalesce((t.due_us / 1000000 - extract(epoch FROM now())::bigint)::text, '-') || ' s, holds ' \
    || coalesce((SELECT l.kind || ' ' || l.account FROM lanes l WHERE l.transfer_id = t.id), 'nothing') \
    || ': ' || (SELECT left(e.event, 160) FROM transfer_events e \
        WHERE e.transfer_id = t.id ORDER BY e.seq DESC LIMIT 1) \
    FROM transfer_states t WHERE t.is_open AND t.status <> 'suspended' ORDER BY t.no";
const WAITING: &str = "SELECT count(*) FROM outbox";

/// A line of a journal.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The time of the decision.
    pub(super) at: Timestamp,
    /// The time of the commit, in microseconds since 1970.
    pub(super) committed: i64,
    pub(super) event: Event,
}

/// A line with the transfer as it was after it.
pub(super) struct Past<'a> {
    pub(super) line: &'a Line,
    /// The transfer after it.
    pub(super) transfer: Transfer,
    /// True if the decision that it belongs to ends with it.
    pub(super) ends_decision: bool,
}

/// All journals.
#[derive(Debug, Default)]
pub(super) struct Journals(BTreeMap<TransferId, Vec<Line>>);

impl Journals {
    /// Reads them.
    ///
    /// # Errors
    /// The database does not answer, or holds what is no journal.
    pub(super) async fn read(database: &str) -> anyhow::Result<Self> {
        let options: PgConnectOptions = database.parse()?;
        let mut connection = options.connect().await?;
        let rows: Vec<(String, i64, i64, String)> =
            sqlx::query_as(READ).fetch_all(&mut connection).await?;
        connection.close().await?;
        let mut journals = Self::default();
        for (id, at, committed, event) in rows {
            let event = Event::from_stored(&event).with_context(|| format!("journal of {id}"))?;
            let line = Line { at: Timestamp::from_micros(at), committed, event };
            journals.0.entry(TransferId::parse(&id)?).or_default().push(line);
        }
        Ok(journals)
    }

    /// Makes the journals of these transfers.
    #[cfg(test)]
    pub(super) fn of(journals: impl IntoIterator<Item = (TransferId, Vec<Line>)>) -> Self {
        Self(journals.into_iter().collect())
    }

    /// The number of journals.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Every transfer with its history.
    pub(super) fn histories(&self) -> impl Iterator<Item = (TransferId, Vec<Past<'_>>)> {
        self.0.iter().map(|(id, lines)| (*id, history(lines)))
    }

    /// For a process that was killed at this time (microseconds): the milliseconds until another
    /// process took up the first of its transfers in flight, and until the last.
    pub(super) fn taken_up_after(&self, killed: i64) -> Option<(i64, i64)> {
        let waits: Vec<i64> = self.0.values().filter_map(|lines| wait(lines, killed)).collect();
        Some((*waits.iter().min()? / 1_000, *waits.iter().max()? / 1_000))
    }
}

/// The open transfers, for people.
///
/// # Errors
/// The database does not answer.
pub(super) async fn open(database: &str) -> anyhow::Result<Vec<String>> {
    let options: PgConnectOptions = database.parse()?;
    let mut connection = options.connect().await?;
    let open = sqlx::query_scalar(OPEN).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(open)
}

/// The number of events that wait to be told.
///
/// # Errors
/// The database does not answer.
pub(super) async fn unpublished(database: &str) -> anyhow::Result<i64> {
    let options: PgConnectOptions = database.parse()?;
    let mut connection = options.connect().await?;
    let count: i64 = sqlx::query_scalar(WAITING).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(count)
}

fn history(lines: &[Line]) -> Vec<Past<'_>> {
    let events = |count: usize| lines.iter().take(count).map(|line| (line.at, &line.event));
    let past = |(index, line): (usize, &'_ Line)| {
        Transfer::replay(events(index + 1)).map(|t| (line.committed, t))
    };
    let after: Vec<_> = lines.iter().enumerate().filter_map(past).collect();
    let ends = |index: usize| match (lines.get(index), lines.get(index + 1)) {
        (Some(this), Some(next)) => (this.at, this.committed) != (next.at, next.committed),
        _ => true,
    };
    let whole = lines.iter().zip(after).enumerate();
    whole
        .map(|(index, (line, (_, transfer)))| Past { line, transfer, ends_decision: ends(index) })
        .collect()
}

/// From the kill until the attempt that it interrupted was recorded as such.
fn wait(lines: &[Line], killed: i64) -> Option<i64> {
    let mut started: Option<(StepName, i64)> = None;
    for line in lines {
        match &line.event {
            Event::Started { step, .. } => started = Some((*step, line.committed)),
            Event::Concluded { step, outcome } => {
                let interrupted =
                    matches!(outcome, Outcome::Unknown { why } if why.starts_with(INTERRUPTED));
                if let Some((sent, since)) = started.take()
                    && interrupted
                    && sent == *step
                    && since < killed
                    && line.committed > killed
                {
                    return Some(line.committed - killed);
                }
            }
            _ => {}
        }
    }
    None
}
