//! The plan of faults: drawn from the seed, each at least once.

use std::time::Duration;

use crate::simulation::chance::Chance;

/// The time before the first fault: the processes come to know one another first.
const QUIET_AT_FIRST: Duration = Duration::from_secs(4);
/// The time within which a freeze begins, so that the others find the process frozen.
const FREEZE_WITHIN: Duration = Duration::from_secs(3);

/// A failure that is brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FaultKind {
    /// A worker stands still, and goes on later as if nothing had been.
    FreezeWorker,
    /// A worker is killed, and replaced later.
    KillWorker,
    /// The broker stops, and starts later.
    StopBroker,
    /// The database stops in an orderly way, and starts.
    RestartDatabase,
    /// The database ends as in a power cut, and recovers.
    CrashDatabase,
    /// A worker's connections to the broker break, and cannot be made for a while.
    CutLink,
    /// No byte between a worker and the broker arrives for a while, and neither side is told.
    SilenceLink,
    /// The process that serves is killed, and started later.
    KillApi,
    /// The process that serves is asked to stop, and started again.
    RollApi,
}

/// A fault in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    /// The time of the fault, from the first transfer on.
    pub(super) at: Duration,
    /// The fault.
    pub(super) what: FaultKind,
    /// The worker, where it is about one.
    pub(super) worker: usize,
    /// The time for which it lasts.
    pub(super) lasts: Duration,
}

/// All but the freeze: of some there are several.
const OTHERS: [FaultKind; 11] = [
    FaultKind::KillWorker,
    FaultKind::KillWorker,
    FaultKind::KillWorker,
    FaultKind::KillWorker,
    FaultKind::StopBroker,
    FaultKind::RestartDatabase,
    FaultKind::CrashDatabase,
    FaultKind::CutLink,
    FaultKind::SilenceLink,
    FaultKind::KillApi,
    FaultKind::RollApi,
];

impl FaultKind {
    /// Its name, for people.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::FreezeWorker => "a worker freezes",
            Self::KillWorker => "kill -9 of a worker",
            Self::StopBroker => "RabbitMQ stops",
            Self::RestartDatabase => "PostgreSQL restarts (fast)",
            Self::CrashDatabase => "PostgreSQL restarts (immediate)",
            Self::CutLink => "a worker's link to the broker is cut",
            Self::SilenceLink => "a worker's link to the broker falls silent",
            Self::KillApi => "kill -9 of the API",
            Self::RollApi => "the API restarts (SIGTERM)",
        }
    }

    /// The time for which it lasts, in milliseconds: at least and at most.
    const fn lasts(self) -> (u64, u64) {
        match self {
            Self::KillWorker => (2_000, 4_000),
            Self::StopBroker => (1_000, 5_000),
            Self::RestartDatabase | Self::CrashDatabase => (0, 2_000),
            Self::CutLink => (2_000, 6_000),
            // The broker takes a worker for dead that says nothing for ten seconds.
            Self::SilenceLink => (6_000, 14_000),
            Self::KillApi => (500, 3_000),
            Self::RollApi | Self::FreezeWorker => (0, 0),
        }
    }
}

/// The faults of `seed` within `length`, in their order; one worker is frozen for `freeze`.
pub(super) fn plan(seed: u64, length: Duration, workers: usize, freeze: Duration) -> Vec<Planned> {
    let chance = Chance::new(seed, "misfortunes");
    let frozen = index(&chance, workers);
    let at = QUIET_AT_FIRST + chance.wait(FREEZE_WITHIN);
    let thaws = at + freeze;
    let what = FaultKind::FreezeWorker;
    let mut planned = vec![Planned { at, what, worker: frozen, lasts: freeze }];
    let mut others = OTHERS;
    for last in (1..others.len()).rev() {
        others.swap(last, index(&chance, last + 1));
    }
    let count = u32::try_from(others.len()).unwrap_or(u32::MAX);
    let gap = length.saturating_sub(QUIET_AT_FIRST) / count;
    for (place, what) in (0_u32..).zip(others) {
        let at = QUIET_AT_FIRST + gap * place + chance.wait(gap);
        let mut worker = index(&chance, workers);
        if worker == frozen && at < thaws && workers > 1 {
            worker = (worker + 1 + index(&chance, workers - 1)) % workers;
        }
        let (least, most) = what.lasts();
        let lasts = Duration::from_millis(least + chance.below(most - least + 1));
        planned.push(Planned { at, what, worker, lasts });
    }
    planned.sort_by_key(|planned| planned.at);
    planned
}

fn index(chance: &Chance, length: usize) -> usize {
    usize::try_from(chance.below(length as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_seed_has_every_fault_and_leaves_the_frozen_worker_alone() {
        let freeze = Duration::from_secs(60);
        for seed in 0..200 {
            let planned = plan(seed, Duration::from_secs(75), 3, freeze);
            assert_eq!(planned, plan(seed, Duration::from_secs(75), 3, freeze));
            let kinds: BTreeSet<_> = planned.iter().map(|planned| planned.what).collect();
            assert_eq!(kinds.len(), 9);
            let frozen = planned.iter().find(|p| p.what == FaultKind::FreezeWorker).unwrap();
            for other in planned.iter().filter(|other| other.what != FaultKind::FreezeWorker) {
                let apart = other.worker != frozen.worker || other.at >= frozen.at + freeze;
                assert!(apart && other.worker < 3, "{seed}: {other:?}");
                assert!(other.at <= Duration::from_secs(75));
            }
        }
        let one = plan(1, Duration::from_secs(75), 3, freeze);
        assert_ne!(one, plan(2, Duration::from_secs(75), 3, freeze));
    }
}
