//! The simulated world: engine, adapters and store in memory, against the simulators as function
//! calls, under virtual time, on one thread, in one order.
//!
//! Everything that goes wrong is drawn from a seed: what the counterparties do (faults of the
//! simulators), what the network does ([`network`]), and where the process dies ([`fail_points`]).
//! After the faults stop, everything must settle, and the audit of the counterparties' books must
//! find nothing. A failing seed replays exactly.
//!
//! * [`workload`]: who wants what, drawn from the seed
//! * [`habits`]: what is peculiar to the seed: late approvals, an empty float, a clock that is set
//!   back …
//! * [`counterparties`]: the simulators and the adapters that talk to them
//! * [`network`]: the network
//! * [`fail_points`]: the points at which the process dies
//! * [`processes`]: the processes that do the work, and their faults
//! * [`freeze`]: a process that is frozen and does not know
//! * [`store_faults`]: a database that fails
//! * `operators`, `consulted_books`: what persons decide, and what they look up before
//! * `watch`: what must hold while time passes
//! * `audit`, `ledger`: what must hold in the end: the counterparties' books, the journals, the
//!   ledger
//! * [`world`]: the world of one seed, and its result
//! * [`run`]: one seed, from morning to the audit

mod audit;
pub mod chance;
mod clients;
mod consulted_books;
pub mod counterparties;
pub mod fail_points;
pub mod freeze;
pub mod habits;
mod ledger;
pub mod network;
mod operators;
pub mod processes;
pub mod run;
pub mod store_faults;
mod time;
mod watch;
pub mod workload;
pub mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

pub use processes::Staff;
pub use run::run_seed;
pub use world::SeedReport;

/// The world could not be set up, or one of its parts does not answer.
type Failure = Box<dyn std::error::Error>;

/// The size of a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulateOptions {
    /// The number of transfers in all.
    pub transfers: u64,
    /// The number of transfers under each seed.
    pub per_seed: u32,
    /// The first seed; the others follow it.
    pub seed: u64,
    /// The number of worlds at a time, each on a thread of its own.
    pub threads: usize,
    /// The processes that do the work.
    pub staff: Staff,
}

/// The result of a simulation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SimulateReport {
    /// The number of seeds that were run.
    pub seeds: u64,
    /// The number of transfers.
    pub transfers: u64,
    /// Money that left one side and did not reach the other, or against what the status says.
    pub lost: u64,
    /// Operations that were executed more than once.
    pub doubled: u64,
    /// Transfers that did not settle after the faults had stopped.
    pub stuck: u64,
    /// Money that went to the wrong party or in another amount.
    pub misattributed: u64,
    /// The number of times that a process died.
    pub crashes: u64,
    /// The number of times that a worker was frozen.
    pub freezes: u64,
    /// The number of attempts that came to an unknown outcome.
    pub unknowns: u64,
    /// The number of decisions that persons at the operators made.
    pub decisions: u64,
    /// The seeds that failed, each with its first finding.
    pub failures: BTreeMap<u64, String>,
    /// The first seed that failed.
    pub first_failing_seed: Option<u64>,
    /// The findings of that seed, for people.
    pub findings: Vec<String>,
}

impl SimulateReport {
    /// True if nothing was found.
    pub const fn is_clean(&self) -> bool {
        self.first_failing_seed.is_none()
    }

    fn add(&mut self, report: &SeedReport) {
        self.seeds += 1;
        self.transfers += report.transfers;
        self.lost += report.audit.lost;
        self.doubled += report.audit.doubled;
        self.stuck += report.stuck;
        self.misattributed += report.audit.misattributed;
        self.crashes += report.crashes;
        self.freezes += report.freezes;
        self.unknowns += report.unknowns;
        self.decisions += report.decisions;
        if !report.is_clean() {
            let finding = report.findings.first().cloned().unwrap_or_default();
            let line = finding.lines().next().unwrap_or_default().to_owned();
            self.failures.insert(report.seed, line);
        }
        let first = self.first_failing_seed.is_none_or(|seed| report.seed < seed);
        if !report.is_clean() && first {
            self.first_failing_seed = Some(report.seed);
            self.findings.clone_from(&report.findings);
        }
    }
}

/// Runs seeds until this number of transfers was simulated. `progress` is called after each seed.
pub fn simulate(
    options: SimulateOptions,
    progress: &(dyn Fn(&SimulateReport) + Sync),
) -> SimulateReport {
    let per_seed = u64::from(options.per_seed.max(1));
    let seeds = options.transfers.div_ceil(per_seed);
    let next = AtomicU64::new(0);
    let report = Mutex::new(SimulateReport::default());
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= seeds {
                        return;
                    }
                    let one =
                        run_seed(options.seed.wrapping_add(index), options.per_seed, options.staff);
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    report.add(&one);
                    progress(&report);
                }
            });
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}
