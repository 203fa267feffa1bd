//! A worker is killed in the middle of its work: how long until others have gone on with all of it.

use std::time::Duration;

use kiungo_engine::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::front_end::FrontEnd;
use super::member::Membership;
use super::test_bed::TestBed;
use super::{SharedOptions, worker};
use crate::counterparties::{self, Spec};
use crate::watch::{Watch, is_done, submit_all};
use crate::{BenchError, BenchOptions};

/// Longer than anybody would wait.
const RECOVERED_WITHIN: Duration = Duration::from_secs(60);

/// The transfers that were open at a time: their number, the number of those that have gone on
/// since, and the microseconds until the last of them did.
const GONE_ON: &str = "
    SELECT count(*), count(next.at_us), coalesce(max(next.at_us), $1) - $1
    FROM transfer_states AS t CROSS JOIN LATERAL (
        SELECT min(e.at_us) AS at_us FROM transfer_events AS e
        WHERE e.transfer_id = t.id AND e.at_us > $1
    ) AS next
    WHERE t.received_us <= $1 AND (t.is_open OR t.updated_us > $1)";

/// The result of the measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The number of transfers that were open when the worker was killed.
    pub(crate) open: u64,
    /// The time after which the last of them had gone on.
    pub(crate) recovery_us: u64,
}

/// Measures.
pub(crate) async fn run(options: SharedOptions) -> Result<Found, BenchError> {
    TestBed::lend(&options, "recovery", async |test_bed| measure(&options, test_bed).await).await
}

async fn measure(options: &SharedOptions, test_bed: TestBed) -> Result<Found, BenchError> {
    let BenchOptions { transfers, in_flight } = options.bench;
    let (_companion, addresses) = counterparties::start(Spec::of(transfers))?;
    let of = Membership { test_bed, addresses, in_flight };
    let watch = Watch::new(options.open(), is_done);
    let front_end = FrontEnd::start(&of, &watch).await?;
    let mut workers = worker::start(options.workers.max(2), &of).await?;
    let engine = front_end.member.engine.clone();
    let submitting = {
        let (watch, open) = (watch.clone(), options.open());
        tokio::spawn(async move { submit_all(&engine, &watch, transfers, open).await })
    };
    watch.wait_for(transfers / 3).await?;
    let killed_at = SystemClock.now().as_micros();
    drop(workers.pop());
    // The operations that the worker had sent are asked about, which takes longer than this
    // measurement; they keep some of the places in flight.
    let found = gone_on(&of.test_bed, killed_at).await;
    submitting.abort();
    drop(workers);
    front_end.stop().await?;
    found
}

async fn gone_on(test_bed: &TestBed, killed_at: i64) -> Result<Found, BenchError> {
    let mut connection = test_bed.connection().await?;
    let began = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let asked = sqlx::query_as::<_, (i64, i64, i64)>(GONE_ON).bind(killed_at);
        let (open, gone_on, micros) = asked.fetch_one(&mut connection).await?;
        if open == gone_on && open > 0 {
            let number = |number: i64| u64::try_from(number).unwrap_or(0);
            return Ok(Found { open: number(open), recovery_us: number(micros) });
        }
        if began.elapsed() > RECOVERED_WITHIN {
            return Err(BenchError::NotDone(format!("{gone_on} of {open} went on")));
        }
    }
}
