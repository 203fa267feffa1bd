//! A worker, in a process of its own.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use kiungo_store::StoreError;
use kiungo_store::intercept::{Call, Interceptor};

use super::member::{Member, Membership};
use crate::BenchError;
use crate::parts::{Companion, Part, say};

/// The time until new workers have divided the work among them: twice as long as they wait before
/// they look for one another.
const DIVIDED_AFTER: Duration = Duration::from_secs(5);

/// An observer that ignores every call.
struct Nobody;

impl Interceptor for Nobody {
    type Kept = ();

    async fn before(&self, _call: &Call<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Starts this number of workers, and waits until they have divided the work.
pub(super) async fn start(count: u32, of: &Membership) -> Result<Vec<Companion>, BenchError> {
    let started = (0..count).map(|_| {
        let (companion, ()) = Companion::start(Part::Worker, of)?;
        Ok::<_, BenchError>(companion)
    });
    let started = started.collect::<Result<_, _>>()?;
    tokio::time::sleep(DIVIDED_AFTER).await;
    Ok(started)
}

/// The processor time that all of them have used so far, in microseconds.
pub(super) fn cpu_us(workers: &[Companion]) -> Result<u64, BenchError> {
    workers.iter().map(Companion::cpu_us).sum()
}

/// Works until the parent process closes the input.
pub(crate) async fn serve(of: Membership) -> Result<(), BenchError> {
    let member = Member::start(&of, true, &Arc::new(Nobody)).await?;
    say("null")?;
    let closed = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(closed).await.map_err(std::io::Error::other)??;
    member.stop().await;
    Ok(())
}
