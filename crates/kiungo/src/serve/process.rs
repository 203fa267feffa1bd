//! Measures the resources that the process uses, for Prometheus, under the names that its
//! dashboards expect; and keeps up the recorder, whose memory would otherwise grow between scrapes.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::{MissedTickBehavior, interval};

const PERIOD: Duration = Duration::from_secs(5);

/// Keeps the process' own metrics up to date for as long as it lives.
pub(super) fn watch(prometheus: PrometheusHandle) {
    tokio::spawn(async move {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            prometheus.run_upkeep();
            observe();
        }
    });
}

/// Sets the metrics of this process. There are none where the system does not tell (anything but
/// Linux).
fn observe() {
    if let Some(bytes) =
        std::fs::read_to_string("/proc/self/status").ok().and_then(|s| resident(&s))
    {
        metrics::gauge!("process_resident_memory_bytes").set(approximate(bytes));
    }
    if let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") {
        let count = u64::try_from(descriptors.count()).unwrap_or(u64::MAX);
        metrics::gauge!("process_open_fds").set(approximate(count));
    }
}

/// `VmRSS:    12345 kB`, in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is no money")]
const fn approximate(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::resident;

    #[test]
    fn resident_memory_is_read_from_the_status() {
        assert_eq!(resident("VmHWM:\t 2 kB\nVmRSS:\t    10 kB\n"), Some(10_240));
        assert_eq!(resident("VmHWM:\t 2 kB\n"), None);
    }
}
