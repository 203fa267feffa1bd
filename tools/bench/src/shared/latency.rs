//! Measures the time from a commit until its event is published.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kiungo_engine::{Clock as _, SystemClock};
use kiungo_queue::{EventMessage, Events, QueueError};
use kiungo_store::intercept::{Answer, Call, Interceptor};
use kiungo_store::{OutboxRow, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::test_bed::TestBed;
use crate::{BenchError, steady_state};

/// Reads when the rows with these numbers were committed, in microseconds of Unix time.
const COMMITTED: &str = "
    SELECT no, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint
    FROM outbox WHERE no = ANY ($1::bigint[])";

/// From the commit of each event to the broker's confirmation. The database says when it committed,
/// if it keeps that; asking it is part of what is measured.
pub(crate) struct Lag {
    commits: Option<tokio::sync::Mutex<PgConnection>>,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    /// By the id of the message that tells it.
    committed_at: HashMap<String, i64>,
    micros: Vec<u64>,
}

/// The time that publishing took in the steady state, in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct PublishTimes {
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

impl Lag {
    /// Measures with the times of the database of a test bed.
    pub(crate) async fn of(test_bed: &TestBed) -> Result<Self, BenchError> {
        let mut connection = test_bed.connection().await?;
        let kept: String =
            sqlx::query_scalar("SHOW track_commit_timestamp").fetch_one(&mut connection).await?;
        let commits = (kept == "on").then(|| tokio::sync::Mutex::new(connection));
        Ok(Self { commits, notes: Mutex::default() })
    }

    /// The result; none if the database does not keep when it committed.
    pub(crate) fn found(&self) -> Result<Option<PublishTimes>, BenchError> {
        if self.commits.is_none() {
            return Ok(None);
        }
        let all = self.notes().micros.clone();
        if all.is_empty() {
            return Err(BenchError::NotDone("of no event the commit is known".to_owned()));
        }
        let tenth = all.len() / 10;
        let mut steady = all[tenth..all.len() - tenth].to_vec();
        steady.sort_unstable();
        let percentile = |percent| steady_state::percentile(&steady, percent);
        Ok(Some(PublishTimes { p50_us: percentile(50), p99_us: percentile(99) }))
    }

    fn confirmed(&self, events: &[EventMessage]) {
        let now = SystemClock.now().as_micros();
        let mut notes = self.notes();
        for event in events {
            if let Some(at) = notes.committed_at.remove(&event.id) {
                notes.micros.push(u64::try_from(now - at).unwrap_or(0));
            }
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interceptor for Lag {
    type Kept = ();

    async fn before(&self, _call: &Call<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn after(&self, _kept: (), answer: Answer<'_>) -> Result<(), StoreError> {
        if let Answer::OutboxRows(rows) = answer {
            self.read(rows).await;
        }
        Ok(())
    }
}

impl Lag {
    /// Asks when what is about to be told was committed.
    async fn read(&self, rows: &[OutboxRow]) {
        let Some(commits) = &self.commits else { return };
        let id_of = |row: &OutboxRow| {
            let of = &row.transfer;
            (row.no, format!("{}/{}/{}", of.id, of.version, of.status.as_str()))
        };
        let mut ids: HashMap<i64, String> = rows.iter().map(id_of).collect();
        let numbers: Vec<i64> = ids.keys().copied().collect();
        let asked = sqlx::query_as::<_, (i64, i64)>(COMMITTED).bind(numbers);
        // Without an answer these do not count.
        if let Ok(times) = asked.fetch_all(&mut *commits.lock().await).await {
            let times = times.into_iter().filter_map(|(no, at)| Some((ids.remove(&no)?, at)));
            self.notes().committed_at.extend(times);
        }
    }
}

/// A broker whose confirmations are heard.
pub(crate) struct Heard {
    pub(crate) broker: Arc<dyn Events>,
    pub(crate) lag: Arc<Lag>,
}

#[async_trait]
impl Events for Heard {
    async fn publish(&self, events: &[EventMessage]) -> Result<(), QueueError> {
        self.broker.publish(events).await?;
        self.lag.confirmed(events);
        Ok(())
    }
}
