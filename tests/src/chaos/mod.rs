//! Chaos: the real program as many processes on `PostgreSQL` and `RabbitMQ`, thousands of transfers
//! under heavy faults, while everything that they stand on is killed, stopped, frozen and cut off.
//!
//! The misfortunes and their times are drawn from a seed; how the processes meet them is up to the
//! machine, so a failing seed shows the same misfortunes again, not the same interleaving.
//!
//! * `plan`: the misfortunes, and their times
//! * `servers`, `process`, `proxy`: the parts that they befall; `processes`: carrying them out
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
use kiungo_demo::scenario::{Beginning, Day, Evening, Stage};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use journal_check::Journals;
use listener::Listener;
use plan::Misfortune;
use process::Launcher;
use processes::{Crew, Happened};
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
    /// The time during which transfers begin and misfortunes happen.
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
    let stage = Stage::set(folder, &servers.database, options.seed, options.transfers).await?;
    let stage = Arc::new(stage);
    let listener = Listener::start(&servers.broker).await?;
    let config = stage.config();
    let launcher = Launcher { program: options.program.clone(), config, logs: folder.to_owned() };
    let crew = Crew::start(&launcher, Arc::clone(&servers), options.workers).await?;
    let crew = Arc::new(crew);
    eprintln!(
        "seed {}: {} transfers in {} s, {} workers",
        options.seed,
        options.transfers,
        options.length.as_secs(),
        options.workers
    );

    let (day, evening, settled_after) = tokio::select! {
        biased;
        lived = day_and_evening(options, &stage, &crew) => lived?,
        () = crew.watch() => anyhow::bail!("nobody looks after the processes"),
    };
    until_told(&servers, &listener).await?;
    let stuck = if evening.open > 0 {
        [listener.queues().await?, journal_check::open(&servers.database).await?].concat()
    } else {
        Vec::new()
    };
    crew.stop().await;
    let ran = Ran { options, stage: &stage, servers: &servers, listener: &listener };
    let mut report = ran.checked(&day, &evening, crew.happened()).await?;
    report.settled_after_s = settled_after.as_secs();
    report.find("open", &stuck);
    Ok(report.checked())
}

/// A run that is over, to be checked.
struct Ran<'a> {
    options: &'a ChaosOptions,
    stage: &'a Stage,
    servers: &'a Servers,
    listener: &'a Listener,
}

impl Ran<'_> {
    async fn checked(
        &self,
        day: &Day,
        evening: &Evening,
        happened: Happened,
    ) -> anyhow::Result<ChaosReport> {
        let Self { options, stage, servers, listener } = self;
        let letters = listener.dead_letters().await?;
        let audited = stage.audit(day, evening).await?;
        let journals = Journals::read(&servers.database).await?;
        let order = order::violations(&journals, &audited.core);
        let heard = listener.heard();
        let hearing = event_check::compare(&heard, &journals, &evening.statuses());
        let recovery: Vec<_> =
            happened.worker_kills.iter().filter_map(|at| journals.taken_up_after(*at)).collect();
        let killed = |(what, _): &&(Misfortune, u64)| {
            matches!(what, Misfortune::KillWorker | Misfortune::KillApi)
        };
        let told = |(what, second): &(Misfortune, u64)| format!("{second} s: {}", what.as_str());
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
            events: heard.len() as u64,
            events_repeated: hearing.repeated as u64,
            events_missing: hearing.missing.len() as u64,
            events_contradicting: hearing.contradicting.len() as u64,
            dead_letters: letters.len() as u64,
            open: evening.open as u64,
            recovery_max_ms: recovery.iter().map(|(first, _)| *first).max(),
            recovery_of_all_max_ms: recovery.iter().map(|(_, last)| *last).max(),
            kills: happened.misfortunes.iter().filter(killed).count() as u64,
            misfortunes: happened.misfortunes.iter().map(told).collect(),
            ..ChaosReport::default()
        };
        report.find("books", &audited.audit.findings);
        report.find("kiungo", &audited.findings);
        report.find("order", &order);
        report.find("event missing", &hearing.missing);
        report.find("event contradicting", &hearing.contradicting);
        report.find("dead letter", &letters);
        report.find("process", &happened.wrong);
        Ok(report)
    }
}

/// The day with its misfortunes, and the evening until everything has settled; how long that took.
async fn day_and_evening(
    options: &ChaosOptions,
    stage: &Arc<Stage>,
    crew: &Arc<Crew>,
) -> anyhow::Result<(Day, Evening, Duration)> {
    let plan = plan::plan(options.seed, options.length, options.workers, options.freeze);
    let begun = Arc::new(AtomicUsize::new(0));
    let day = async { tokio::join!(wishes(stage, options.length, &begun), crew.suffer(plan)).0 };
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
            _ = repairs.tick() => stage.repair_core(),
            _ = shows.tick() => {
                let begun = begun.load(Ordering::Relaxed);
                eprintln!("{:>4} s  {begun} transfers have begun", start.elapsed().as_secs());
            }
        }
    };
    stage.calm_down();
    let calm = Instant::now();
    eprintln!("{:>4} s  nothing goes wrong any more", start.elapsed().as_secs());
    let mut said = Instant::now();
    let evening = stage.settle(&day, options.settle, |open| {
        if said.elapsed() > SHOW_EVERY / 2 {
            said = Instant::now();
            eprintln!("{:>4} s  {open} are open", start.elapsed().as_secs());
        }
    });
    let evening = evening.await?;
    Ok((day, evening, calm.elapsed()))
}

/// Has all wishes begin, evenly over this time; returns when all have.
async fn wishes(stage: &Arc<Stage>, length: Duration, begun: &Arc<AtomicUsize>) -> Day {
    let count = u32::try_from(stage.wishes()).unwrap_or(u32::MAX);
    let start = Instant::now();
    let mut wishes: JoinSet<(usize, Beginning)> = JoinSet::new();
    for number in 0..count {
        sleep_until(start + length * number / count).await;
        let (stage, begun) = (Arc::clone(stage), Arc::clone(begun));
        wishes.spawn(async move {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            let beginning = stage.begin(number).await;
            begun.fetch_add(1, Ordering::Relaxed);
            (number, beginning)
        });
    }
    Day::of(wishes.join_all().await)
}

/// Waits until no event waits any more, neither in the outbox nor at the broker.
async fn until_told(servers: &Servers, listener: &Listener) -> anyhow::Result<()> {
    let until = Instant::now() + TELL_WITHIN;
    while journal_check::untold(&servers.database).await? > 0 || !listener.is_silent() {
        ensure!(
            Instant::now() < until,
            "events still wait {} s after everything has settled; {} were heard",
            TELL_WITHIN.as_secs(),
            listener.count()
        );
        sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}
