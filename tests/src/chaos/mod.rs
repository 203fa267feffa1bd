//! Chaos: the real program as many processes on `PostgreSQL` and `RabbitMQ`, thousands of transfers
//! under heavy faults, while everything that they stand on is killed, stopped, frozen and cut off.
//!
//! The faults and their times are drawn from a seed; how the processes meet them is up to the
//! machine, so a failing seed shows the same faults again, not the same interleaving.
//!
//! * `plan`: the faults, and their times
//! * `servers`, `process`, `proxy`: the parts that fail; `processes`: carrying them out
//! * `listener`: another system that hears all events
//! * `journal_check`: the records of Kiungo; `order`, `event_check`: the rules that must hold of
//!   them
//! * `report`: the result

mod event_check;
mod journal_check;
mod listener;
mod order;
mod plan;
mod process;
mod processes;
mod proxy;
mod report;
mod servers;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kiungo_demo::scenario::{Beginning, Day, DayEnd, Scenario};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use journal_check::Journals;
use listener::Listener;
use plan::FaultKind;
use process::Launcher;
use processes::{Happened, Processes};
use servers::Servers;

pub use process::ACT;
pub use report::ChaosReport;

/// The time that events may take after that.
const TELL_WITHIN: Duration = Duration::from_secs(30);
/// The interval at which the core's administrator looks after keys whose command died inside it.
const REPAIR_EVERY: Duration = Duration::from_secs(4);
const SHOW_EVERY: Duration = Duration::from_secs(10);

/// The options of a run.
#[derive(Debug, Clone)]
pub struct ChaosOptions {
    /// The seed of every draw.
    pub seed: u64,
    /// The number of transfers.
    pub transfers: usize,
    /// The number of workers.
    pub workers: usize,
    /// The time during which transfers begin and faults happen.
    pub length: Duration,
    /// The time for which a worker is frozen.
    pub freeze: Duration,
    /// The program that acts as `kiungo` if [`ACT`] is set.
    pub program: PathBuf,
    /// True if logs are kept in any case, and not only if it fails.
    pub keep: bool,
    /// The longest time that open transfers may take to settle once nothing goes wrong any more.
    pub settle: Duration,
}

/// Runs one seed: starts everything, and leaves nothing behind but the logs of a failure.
///
/// # Errors
/// Something could not be started or asked: no result.
pub async fn run(options: &ChaosOptions) -> anyhow::Result<ChaosReport> {
    let begun = Instant::now();
    let folder = folder(options.seed);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut report = live(options, &folder).await?;
    report.took_s = begun.elapsed().as_secs();
    if report.passed && !options.keep {
        let _ = std::fs::remove_dir_all(&folder);
    } else {
        eprintln!("the logs of all processes are in {}", folder.display());
    }
    Ok(report)
}

/// The folder for the logs of a seed.
fn folder(seed: u64) -> PathBuf {
    let root = servers::root();
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root.join("target"), |path| root.join(path));
    target.join("chaos").join(format!("seed-{seed}"))
}

async fn live(options: &ChaosOptions, folder: &std::path::Path) -> anyhow::Result<ChaosReport> {
    let servers = Arc::new(Servers::start().await?);
    let scenario =
        Scenario::set(folder, &servers.database, options.seed, options.transfers).await?;
    let scenario = Arc::new(scenario);
    let listener = Listener::start(&servers.broker).await?;
    let config = scenario.config();
    let launcher = Launcher { program: options.program.clone(), config, logs: folder.to_owned() };
    let processes = Processes::start(&launcher, Arc::clone(&servers), options.workers).await?;
    let processes = Arc::new(processes);
    eprintln!(
        "seed {}: {} transfers in {} s, {} workers",
        options.seed,
        options.transfers,
        options.length.as_secs(),
        options.workers
    );

    let (day, end, settled_after) = tokio::select! {
        biased;
        lived = run_day(options, &scenario, &processes) => lived?,
        () = processes.watch() => anyhow::bail!("nobody looks after the processes"),
    };
    until_published(&servers, &listener).await?;
    let stuck = if end.open > 0 {
        [listener.queues().await?, journal_check::open(&servers.database).await?].concat()
    } else {
        Vec::new()
    };
    processes.stop().await;
    let ran = Ran { options, scenario: &scenario, servers: &servers, listener: &listener };
    let mut report = ran.checked(&day, &end, processes.happened()).await?;
    report.settled_after_s = settled_after.as_secs();
    report.find("open", &stuck);
    Ok(report.checked())
}

/// A run that is over, to be checked.
struct Ran<'a> {
    options: &'a ChaosOptions,
    scenario: &'a Scenario,
    servers: &'a Servers,
    listener: &'a Listener,
}

impl Ran<'_> {
    async fn checked(
        &self,
        day: &Day,
        end: &DayEnd,
        happened: Happened,
    ) -> anyhow::Result<ChaosReport> {
        let Self { options, scenario, servers, listener } = self;
        let letters = listener.dead_letters().await?;
        let audited = scenario.audit(day, end).await?;
        let journals = Journals::read(&servers.database).await?;
        let order = order::violations(&journals, &audited.core);
        let received = listener.received();
        let check = event_check::compare(&received, &journals, &end.statuses());
        let recovery: Vec<_> =
            happened.worker_kills.iter().filter_map(|at| journals.taken_up_after(*at)).collect();
        let killed = |(what, _): &&(FaultKind, u64)| {
            matches!(what, FaultKind::KillWorker | FaultKind::KillApi)
        };
        let told = |(what, second): &(FaultKind, u64)| format!("{second} s: {}", what.as_str());
        let letters: Vec<String> = letters
            .iter()
            .map(|letter| format!("{} from {}: {}", letter.id.0, letter.queue, letter.reason))
            .collect();
        let mut report = ChaosReport {
            seed: options.seed,
            transfers: journals.count() as u64,
            workers: options.workers,
            lost: audited.audit.lost,
            doubled: audited.audit.doubled,
            misattributed: audited.audit.misattributed,
            balanced: audited.audit.balanced,
            order_violations: order.len() as u64,
            events: received.len() as u64,
            events_repeated: check.repeated as u64,
            events_missing: check.missing.len() as u64,
            events_contradicting: check.contradicting.len() as u64,
            dead_letters: letters.len() as u64,
            open: end.open as u64,
            recovery_max_ms: recovery.iter().map(|(first, _)| *first).max(),
            recovery_of_all_max_ms: recovery.iter().map(|(_, last)| *last).max(),
            kills: happened.faults.iter().filter(killed).count() as u64,
            faults: happened.faults.iter().map(told).collect(),
            ..ChaosReport::default()
        };
        report.find("books", &audited.audit.findings);
        report.find("kiungo", &audited.findings);
        report.find("order", &order);
        report.find("event missing", &check.missing);
        report.find("event contradicting", &check.contradicting);
        report.find("dead letter", &letters);
        report.find("process", &happened.wrong);
        Ok(report)
    }
}

/// The day with its faults, and the end until everything has settled; how long that took.
async fn run_day(
    options: &ChaosOptions,
    scenario: &Arc<Scenario>,
    processes: &Arc<Processes>,
) -> anyhow::Result<(Day, DayEnd, Duration)> {
    let plan = plan::plan(options.seed, options.length, options.workers, options.freeze);
    let begun = Arc::new(AtomicUsize::new(0));
    let day = async {
        tokio::join!(wishes(scenario, options.length, &begun), processes.inject_all(plan)).0
    };
    tokio::pin!(day);
    let start = Instant::now();
    let every = |period| {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    };
    let (mut repairs, mut shows) = (every(REPAIR_EVERY), every(SHOW_EVERY));
    let day = loop {
        tokio::select! {
            biased;
            day = &mut day => break day,
            _ = repairs.tick() => scenario.repair_core(),
            _ = shows.tick() => {
                let begun = begun.load(Ordering::Relaxed);
                eprintln!("{:>4} s  {begun} transfers have begun", start.elapsed().as_secs());
            }
        }
    };
    scenario.calm_down();
    let calm = Instant::now();
    eprintln!("{:>4} s  nothing goes wrong any more", start.elapsed().as_secs());
    let mut said = Instant::now();
    let end = scenario.settle(&day, options.settle, |open| {
        if said.elapsed() > SHOW_EVERY / 2 {
            said = Instant::now();
            eprintln!("{:>4} s  {open} are open", start.elapsed().as_secs());
        }
    });
    let end = end.await?;
    Ok((day, end, calm.elapsed()))
}

/// Has all wishes begin, evenly over this time; returns when all have.
async fn wishes(scenario: &Arc<Scenario>, length: Duration, begun: &Arc<AtomicUsize>) -> Day {
    let count = u32::try_from(scenario.wishes()).unwrap_or(u32::MAX);
    let start = Instant::now();
    let mut wishes: JoinSet<(usize, Beginning)> = JoinSet::new();
    for number in 0..count {
        sleep_until(start + length * number / count).await;
        let (scenario, begun) = (Arc::clone(scenario), Arc::clone(begun));
        wishes.spawn(async move {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            let beginning = scenario.begin(number).await;
            begun.fetch_add(1, Ordering::Relaxed);
            (number, beginning)
        });
    }
    Day::of(wishes.join_all().await)
}

/// Waits until no event waits any more, neither in the outbox nor at the broker.
async fn until_published(servers: &Servers, listener: &Listener) -> anyhow::Result<()> {
    let until = Instant::now() + TELL_WITHIN;
    while journal_check::unpublished(&servers.database).await? > 0 || !listener.is_silent() {
        ensure!(
            Instant::now() < until,
            "events still wait {} s after everything has settled; {} were received",
            TELL_WITHIN.as_secs(),
            listener.count()
        );
        sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}
