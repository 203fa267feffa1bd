//! The memory that open transfers take: each has been accepted, and its provider answers that it is
//! pending.

use std::fs;
use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_engine::Engine;
use kiungo_store::Reports;
use kiungo_store::intercept::Intercepted;
use tokio::time::Instant;

use super::counterparties::{self, Spec};
use super::flow::{Watch, is_pending, submit_all};
use super::product::{self, Wiring};
use super::{BenchError, BenchOptions, Decimal, OpenReport, steady_state};

/// Measures.
pub(super) async fn run(options: BenchOptions) -> Result<OpenReport, BenchError> {
    let BenchOptions { transfers, in_flight } = options;
    let (_companion, addresses) =
        counterparties::start(Spec { pending: true, ..Spec::of(transfers) })?;
    let folder = tempfile::tempdir()?;
    let store = product::store(folder.path()).await?;
    let watch = Watch::new(in_flight, is_pending);
    let observed = Intercepted::over(store.clone(), &watch);
    let wiring =
        Wiring { addresses: &addresses, in_flight, carrier: &product::plain, notify: None };
    let setup = wiring.setup(observed, wiring.engine_options()).await?;
    let engine = Engine::new(setup);
    engine.start().await.map_err(|e| product::setup(&e))?;
    drop(submit_all(&engine, &watch, transfers, in_flight).await?);
    watch.wait_for(transfers).await?;
    let now = Timestamp::from_micros(i64::MAX);
    let open = store.overview(now).await.map_err(|e| BenchError::NotDone(e.to_string()))?.open;
    if open != u64::from(transfers) {
        return Err(BenchError::NotDone(format!("{open} of {transfers} transfers are open")));
    }
    let memory = Memory::read()?;
    engine.stop(Duration::from_secs(10)).await;
    store.close().await;
    let moments: Vec<Instant> = watch.ended().into_iter().map(|(_, at)| at).collect();
    Ok(OpenReport {
        open,
        memory_mb: Decimal::ratio(memory.resident_bytes, 1_000_000),
        peak_mb: Decimal::ratio(memory.peak_bytes, 1_000_000),
        rate: steady_state::rate(&moments),
    })
}

/// The memory that this process has resident.
pub(super) struct Memory {
    pub(super) resident_bytes: u64,
    pub(super) peak_bytes: u64,
}

impl Memory {
    /// Asks the kernel, in Linux's form.
    pub(super) fn read() -> Result<Self, BenchError> {
        Self::parse(&fs::read_to_string("/proc/self/status")?)
    }

    fn parse(status: &str) -> Result<Self, BenchError> {
        Ok(Self { resident_bytes: bytes(status, "VmRSS:")?, peak_bytes: bytes(status, "VmHWM:")? })
    }
}

/// `VmRSS:      1234 kB`
fn bytes(status: &str, name: &str) -> Result<u64, BenchError> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.trim().strip_suffix("kB"));
    let number = number.ok_or_else(|| BenchError::Memory(format!("no {name} in kB")))?;
    Ok(number.trim().parse::<u64>()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_answer_is_read() {
        let memory = Memory::parse("Name:\tx\nVmHWM:\t   30208 kB\nVmRSS:\t  29000 kB\n").unwrap();
        assert_eq!((memory.peak_bytes, memory.resident_bytes), (30_932_992, 29_696_000));
        assert!(Memory::parse("Name:\tx\n").is_err());
    }
}
