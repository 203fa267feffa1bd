//! Deposits over HTTP, as an institution has them: ordered by its own programs at the API, or paid
//! by customers at the wallet and reported by callback. The server is a process of its own, whose
//! processor time is measured; the load and the simulators are others.
//!
//! * `server`: the API and the callbacks over the engine
//! * `load`: the clients

pub(super) mod load;
pub(super) mod server;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::parts::Companion;
use super::{BenchError, Decimal, Part, cpu};
use server::Served;

/// The numbers of transfers that are open at a time, one measurement each.
pub(super) const IN_FLIGHT: [u32; 4] = [1, 8, 32, 64];

/// The side at which a deposit begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// `POST /v1/transfers`.
    Api,
    /// A payment at the wallet, which a callback reports.
    Wallet,
}

impl Way {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Api, Self::Wallet];

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::Wallet => "wallet",
        }
    }
}

/// The specification of a measurement.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) way: Way,
    pub(super) transfers: u32,
    pub(super) in_flight: u32,
}

/// The result of a measurement.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Deposits {
    /// The side at which they begin.
    pub way: Way,
    /// The number of them that are open at a time.
    pub in_flight: u32,
    /// Deposits completed per second.
    pub rate: u64,
    /// From the order, or the payment, to the completed transfer: the median, in milliseconds.
    pub p50_ms: Decimal,
    /// The time that 99 % of the deposits stay below.
    pub p99_ms: Decimal,
    /// The processor time of the server's process for each deposit, in microseconds.
    pub cpu_us: Decimal,
}

/// Measures.
pub(super) async fn run(spec: Spec) -> Result<Deposits, BenchError> {
    let (companion, served): (Companion, Served) = Companion::start(Part::DepositServer, &spec)?;
    let before = companion.cpu_us()?;
    let began = Instant::now();
    let mut taken = load::run(spec, &served).await?;
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let cpu_us = companion.cpu_us()? - before;
    taken.sort_unstable();
    let percentile = |of: usize| taken.get(taken.len() * of / 100).copied().unwrap_or(0);
    Ok(Deposits {
        way: spec.way,
        in_flight: spec.in_flight,
        rate: u64::from(spec.transfers) * 1_000_000 / micros.max(1),
        p50_ms: Decimal::ratio(percentile(50), 1_000),
        p99_ms: Decimal::ratio(percentile(99), 1_000),
        cpu_us: cpu::each(cpu_us, spec.transfers),
    })
}
