//! The figures that are measured, and how they are printed.

use std::fmt;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{BenchOptions, Deposits, SharedOptions, backlog, cpu, floor, flow, shared};

/// A number with two decimals, kept in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Decimal(u64);

impl Decimal {
    /// `numerator / denominator`, rounded down to two decimals; 0 if the denominator is.
    pub fn ratio(numerator: u64, denominator: u64) -> Self {
        let hundredths = u128::from(numerator) * 100 / u128::from(denominator).max(1);
        Self(if denominator == 0 { 0 } else { u64::try_from(hundredths).unwrap_or(u64::MAX) })
    }

    /// A number of hundredths, as a decimal.
    pub const fn hundredths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let (whole, decimals) = raw.get().split_once('.').unwrap_or((raw.get(), ""));
        let number = |text: &str| text.parse::<u64>().map_err(D::Error::custom);
        let decimals = number(&format!("{decimals:0<2.2}"))?;
        Ok(Self(number(whole)?.saturating_mul(100).saturating_add(decimals)))
    }
}

/// The result of `bench transfers`. Serialised, it is what `--json` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchReport {
    /// Transfers completed per second, in the steady state.
    pub rate: u64,
    /// The number of transfers that the floor completed per second, in its steady state.
    pub floor: u64,
    /// `rate / floor`.
    pub ratio: Decimal,
    /// From accepted to done, the median, in milliseconds.
    pub p50_ms: Decimal,
    /// The same, of which 95 % stay below.
    pub p95_ms: Decimal,
    /// The same, of which 99 % stay below.
    pub p99_ms: Decimal,
    /// The processor time of Kiungo's process for each transfer, in microseconds.
    pub cpu_us: Decimal,
    /// The same of the floor.
    pub floor_cpu_us: Decimal,
    /// `floor_cpu_us / cpu_us`.
    pub cpu_ratio: Decimal,
    /// Transfers accepted per second while nothing else is done.
    pub accept_rate: u64,
    /// Transfers completed per second while none is accepted.
    pub drain_rate: u64,
    /// The most memory that the process of Kiungo had resident, in MB (1,000,000 bytes).
    pub memory_mb: Decimal,
}

impl BenchReport {
    pub(super) fn of(
        options: BenchOptions,
        flow: &flow::Found,
        backlog: &backlog::Found,
        floor: &floor::Found,
    ) -> Self {
        Self {
            rate: flow.speed.rate,
            floor: floor.rate,
            ratio: Decimal::ratio(flow.speed.rate, floor.rate),
            p50_ms: Decimal::ratio(flow.speed.p50_us, 1_000),
            p95_ms: Decimal::ratio(flow.speed.p95_us, 1_000),
            p99_ms: Decimal::ratio(flow.speed.p99_us, 1_000),
            cpu_us: cpu::each(flow.cpu_us, options.transfers),
            floor_cpu_us: cpu::each(floor.cpu_us, options.transfers),
            cpu_ratio: Decimal::ratio(floor.cpu_us, flow.cpu_us),
            accept_rate: backlog.accept_rate,
            drain_rate: backlog.drain_rate,
            memory_mb: Decimal::ratio(flow.peak_bytes, 1_000_000),
        }
    }
}

impl fmt::Display for BenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "transfers             {:>10} /s", self.rate)?;
        writeln!(f, "floor                 {:>10} /s", self.floor)?;
        writeln!(f, "ratio                 {:>10}", self.ratio)?;
        writeln!(f, "accepted to done, p50 {:>10} ms", self.p50_ms)?;
        writeln!(f, "                  p95 {:>10} ms", self.p95_ms)?;
        writeln!(f, "                  p99 {:>10} ms", self.p99_ms)?;
        writeln!(f, "CPU a transfer        {:>10} µs", self.cpu_us)?;
        writeln!(f, "    of the floor      {:>10} µs", self.floor_cpu_us)?;
        writeln!(f, "    ratio             {:>10}", self.cpu_ratio)?;
        writeln!(f, "accepting alone       {:>10} /s", self.accept_rate)?;
        writeln!(f, "draining alone        {:>10} /s", self.drain_rate)?;
        write!(f, "peak memory           {:>10} MB", self.memory_mb)
    }
}

/// The result of `bench transfers` where several processes share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedReport {
    /// The number of workers.
    pub workers: u32,
    /// Transfers completed per second, in the steady state.
    pub rate: u64,
    /// The number of transfers that the floor completed per second, in its steady state.
    pub floor: u64,
    /// `rate / floor`.
    pub ratio: Decimal,
    /// From accepted to heard as done, the median, in milliseconds.
    pub p50_ms: Decimal,
    /// The same, of which 95 % stay below.
    pub p95_ms: Decimal,
    /// The same, of which 99 % stay below.
    pub p99_ms: Decimal,
    /// From a commit to the broker's confirmation of what it makes known, the median. None if the
    /// database does not keep when it committed.
    pub told_p50_ms: Option<Decimal>,
    /// The same, of which 99 % stay below.
    pub told_p99_ms: Option<Decimal>,
    /// The processor time for each transfer of the process that accepts and publishes, in microseconds.
    pub front_end_cpu_us: Decimal,
    /// The same of all workers together.
    pub workers_cpu_us: Decimal,
    /// The same of the floor, which is one process.
    pub floor_cpu_us: Decimal,
    /// Transfers completed per second when they come at an even pace, below the limit.
    pub even_rate: u64,
    /// At that pace, from accepted to heard as done, the median.
    pub even_p50_ms: Decimal,
    /// The same, of which 99 % stay below.
    pub even_p99_ms: Decimal,
    /// At that pace, from a commit to the broker's confirmation, the median.
    pub even_told_p50_ms: Option<Decimal>,
    /// The same, of which 99 % stay below.
    pub even_told_p99_ms: Option<Decimal>,
    /// Transfers accepted per second while no worker is there.
    pub accept_rate: u64,
    /// Transfers completed per second while none is accepted.
    pub drain_rate: u64,
    /// After a worker was killed: until the last transfer that was open then had gone on.
    pub recovery_ms: Decimal,
    /// The number of transfers that were open then.
    pub recovered: u64,
    /// The number of transfers that were stored for the next two; 0 if they were not measured.
    pub stored: u32,
    /// The rate of a measurement among this number of stored transfers.
    pub stored_rate: u64,
    /// `stored_rate / rate`.
    pub stored_ratio: Decimal,
}

impl SharedReport {
    pub(super) fn of(options: &SharedOptions, found: &shared::Found) -> Self {
        let shared::Found { flow, among_many, even, backlog, recovery, floor } = found;
        let ms = |micros| Decimal::ratio(micros, 1_000);
        let stored_rate = among_many.as_ref().map_or(0, |found| found.speed.rate);
        Self {
            workers: options.workers,
            rate: flow.speed.rate,
            floor: floor.rate,
            ratio: Decimal::ratio(flow.speed.rate, floor.rate),
            p50_ms: ms(flow.speed.p50_us),
            p95_ms: ms(flow.speed.p95_us),
            p99_ms: ms(flow.speed.p99_us),
            told_p50_ms: flow.publish_times.map(|times| ms(times.p50_us)),
            told_p99_ms: flow.publish_times.map(|times| ms(times.p99_us)),
            front_end_cpu_us: cpu::each(flow.cpu.front_end_us, options.bench.transfers),
            workers_cpu_us: cpu::each(flow.cpu.workers_us, options.bench.transfers),
            floor_cpu_us: cpu::each(floor.cpu_us, options.bench.transfers),
            even_rate: even.speed.rate,
            even_p50_ms: ms(even.speed.p50_us),
            even_p99_ms: ms(even.speed.p99_us),
            even_told_p50_ms: even.publish_times.map(|times| ms(times.p50_us)),
            even_told_p99_ms: even.publish_times.map(|times| ms(times.p99_us)),
            accept_rate: backlog.accept_rate,
            drain_rate: backlog.drain_rate,
            recovery_ms: ms(recovery.recovery_us),
            recovered: recovery.open,
            stored: among_many.as_ref().map_or(0, |_| options.stored),
            stored_rate,
            stored_ratio: Decimal::ratio(stored_rate, flow.speed.rate),
        }
    }
}

impl fmt::Display for SharedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "workers               {:>10}", self.workers)?;
        writeln!(f, "transfers             {:>10} /s", self.rate)?;
        writeln!(f, "floor                 {:>10} /s", self.floor)?;
        writeln!(f, "ratio                 {:>10}", self.ratio)?;
        writeln!(f, "accepted to heard p50 {:>10} ms", self.p50_ms)?;
        writeln!(f, "                  p95 {:>10} ms", self.p95_ms)?;
        writeln!(f, "                  p99 {:>10} ms", self.p99_ms)?;
        write_publish_times(f, self.told_p50_ms, self.told_p99_ms)?;
        writeln!(f, "CPU of the front end  {:>10} µs", self.front_end_cpu_us)?;
        writeln!(f, "    of the workers    {:>10} µs", self.workers_cpu_us)?;
        writeln!(f, "    of the floor      {:>10} µs", self.floor_cpu_us)?;
        writeln!(f, "at an even pace       {:>10} /s", self.even_rate)?;
        writeln!(f, "accepted to heard p50 {:>10} ms", self.even_p50_ms)?;
        writeln!(f, "                  p99 {:>10} ms", self.even_p99_ms)?;
        write_publish_times(f, self.even_told_p50_ms, self.even_told_p99_ms)?;
        writeln!(f, "accepting alone       {:>10} /s", self.accept_rate)?;
        writeln!(f, "draining alone        {:>10} /s", self.drain_rate)?;
        write!(f, "recovery              {:>10} ms", self.recovery_ms)?;
        if self.stored > 0 {
            writeln!(f)?;
            writeln!(f, "among {:<15} {:>10} /s", self.stored, self.stored_rate)?;
            write!(f, "ratio                 {:>10}", self.stored_ratio)?;
        }
        Ok(())
    }
}

fn write_publish_times(
    f: &mut fmt::Formatter<'_>,
    p50: Option<Decimal>,
    p99: Option<Decimal>,
) -> fmt::Result {
    let Some((p50, p99)) = p50.zip(p99) else {
        return writeln!(f, "committed to told     not measured: track_commit_timestamp is off");
    };
    writeln!(f, "committed to told p50 {p50:>10} ms")?;
    writeln!(f, "                  p99 {p99:>10} ms")
}

/// The rate with this number of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    /// The number of workers.
    pub workers: u32,
    /// The largest number of transfers that each has in flight.
    pub in_flight: u32,
    /// Transfers completed per second.
    pub rate: u64,
}

/// The result of `bench growth`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowthReport {
    /// The time that each counterparty took to answer, in milliseconds.
    pub answer_after_ms: u64,
    /// The results with more and more workers.
    pub grown: Vec<Grown>,
}

impl fmt::Display for GrowthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "each answer takes {} ms", self.answer_after_ms)?;
        for Grown { workers, in_flight, rate } in &self.grown {
            write!(f, "\n{workers} workers, {in_flight} in flight each: {rate:>6} /s")?;
        }
        Ok(())
    }
}

/// The result of `bench deposits`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DepositsReport(pub Vec<Deposits>);

impl fmt::Display for DepositsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "begun at  in flight      /s    p50 ms    p99 ms    CPU µs")?;
        for Deposits { way, in_flight, rate, p50_ms, p99_ms, cpu_us } in &self.0 {
            let way = way.name();
            write!(f, "\n{way:8}  {in_flight:9}  {rate:6}  {p50_ms:>8}  {p99_ms:>8}  {cpu_us:>8}")?;
        }
        Ok(())
    }
}

/// The result of `bench memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReport {
    /// The number of transfers that are open, each waiting for its provider.
    pub open: u64,
    /// The memory resident once they all wait, in MB (1,000,000 bytes).
    pub memory_mb: Decimal,
    /// The most that was resident on the way there, in MB.
    pub peak_mb: Decimal,
    /// The number of them that came to wait per second.
    pub rate: u64,
}

impl fmt::Display for OpenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "open transfers        {:>10}", self.open)?;
        writeln!(f, "memory                {:>10} MB", self.memory_mb)?;
        writeln!(f, "peak memory           {:>10} MB", self.peak_mb)?;
        write!(f, "opened                {:>10} /s", self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_a_number_in_json_and_comes_back() {
        for (hundredths, text) in [(0, "0.00"), (7, "0.07"), (61, "0.61"), (12_345, "123.45")] {
            let number = Decimal(hundredths);
            assert_eq!(serde_json::to_string(&number).unwrap(), text);
            assert_eq!(serde_json::from_str::<Decimal>(text).unwrap(), number);
        }
        assert_eq!(serde_json::from_str::<Decimal>("3").unwrap(), Decimal(300));
        assert_eq!(serde_json::from_str::<Decimal>("3.5").unwrap(), Decimal(350));
        assert_eq!(Decimal::ratio(2, 3), Decimal(66));
        assert_eq!(Decimal::ratio(1, 0), Decimal(0));
    }

    #[test]
    fn the_report_has_exactly_the_promised_keys() {
        let number = Decimal(1);
        let report = BenchReport {
            rate: 1,
            floor: 2,
            ratio: number,
            p50_ms: number,
            p95_ms: number,
            p99_ms: number,
            cpu_us: number,
            floor_cpu_us: number,
            cpu_ratio: number,
            accept_rate: 3,
            drain_rate: 4,
            memory_mb: number,
        };
        let json = serde_json::to_string(&report).unwrap();
        let expected = r#"{"rate":1,"floor":2,"ratio":0.01,"p50_ms":0.01,"p95_ms":0.01,"p99_ms":0.01,"cpu_us":0.01,"floor_cpu_us":0.01,"cpu_ratio":0.01,"accept_rate":3,"drain_rate":4,"memory_mb":0.01}"#;
        assert_eq!(json, expected);
    }
}
