//! The world of one seed, and what a run of it comes to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kiungo_domain::TransferId;
use kiungo_domain::transfer::Kind;
use kiungo_simulator::audit::Audit;
use kiungo_store::MemoryStore;

use super::clients::Client;
use super::counterparties::Counterparties;
use super::habits::Habits;
use super::network::{AcknowledgedReversals, NetworkState};
use super::processes::Processes;
use super::time::VirtualClock;
use super::workload::Act;

/// The result of a seed.
#[derive(Debug, Clone, Default)]
pub struct SeedReport {
    /// The seed.
    pub seed: u64,
    /// The number of transfers.
    pub transfers: u64,
    /// The number of transfers that did not settle.
    pub stuck: u64,
    /// The number of times that a process died.
    pub crashes: u64,
    /// The number of times that a worker was frozen.
    pub freezes: u64,
    /// The number of decisions that persons at the operators made.
    pub decisions: u64,
    /// The audit of the counterparties' books.
    pub audit: Audit,
    /// The number of attempts that came to an unknown outcome.
    pub unknowns: u64,
    /// The numbers of transfers that completed, failed, were reversed, are suspended.
    pub ended: [u64; 4],
    /// A number that depends on everything that happened: two runs of a seed have the same.
    pub fingerprint: u64,
    /// The findings, for people.
    pub findings: Vec<String>,
}

impl SeedReport {
    /// True if nothing was found.
    pub fn is_clean(&self) -> bool {
        self.stuck == 0 && self.audit.is_clean() && self.findings.is_empty()
    }
}

/// An order or a payment that somebody wanted, for the audit.
pub(super) enum Wanted {
    Order { id: TransferId, kind: Kind, act: Act, account: String },
    Payment { receipt: String, act: Act, account: Option<String> },
}

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) habits: Habits,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) counterparties: Arc<Counterparties>,
    pub(super) processes: Arc<Processes>,
    pub(super) network_state: NetworkState,
    pub(super) clients: Vec<Client>,
    pub(super) acknowledged: AcknowledgedReversals,
}

/// A counter that many add to.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
