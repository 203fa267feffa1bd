//! The course of the demo: the day, its end, the audit and the report.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_sandbox::Secrets;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::broker::Broker;
use super::client::Api;
use super::drain::{Ends, OPEN};
use super::faults::Faults;
use super::files::Folder;
use super::host::Host;
use super::process::Kiungo;
use super::progress::Progress;
use super::report::{Circumstances, Report};
use super::run::{Begun, Counters};
use super::workload::{self, Workload};
use super::world::World;
use super::{audit, drain, examples, ledger, run};

/// The largest number of transfers in a day: the simulators keep all of them in memory.
pub const TRANSFERS_MAX: u64 = 1_000_000;
/// The smallest number of transfers in which every part of the workload has room.
pub const TRANSFERS_MIN: u64 = 8;
/// The largest number of workers that share one machine with everything else.
pub const WORKERS_MAX: u16 = 16;
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// A demo as it is wanted. Its complaints name the arguments of `kiungo demo`.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The number of transfers: from [`TRANSFERS_MIN`] to [`TRANSFERS_MAX`].
    pub transfers: u64,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// The amount of faults.
    pub faults: Faults,
    /// True if everything is to go on serving afterwards, until Ctrl-C.
    pub keep: bool,
    /// The folder of configuration, database and log.
    pub data: PathBuf,
    /// The address of an empty database; a file in the folder if there is none.
    pub database: Option<String>,
    /// The address of the broker that the work is shared through.
    pub queue: Option<String>,
    /// The number of workers that share it: up to [`WORKERS_MAX`].
    pub workers: u16,
}

impl Demo {
    /// Lives the day; whether all is well at its end.
    ///
    /// # Errors
    /// The day could not be lived: a port, a file, the database or the broker cannot be had, or a process
    /// of Kiungo fails.
    pub async fn run(&self, host: &dyn Host) -> anyhow::Result<bool> {
        let broker = self.queue.as_deref().map(Broker::new).transpose()?;
        let result = tokio::select! {
            biased;
            result = live(self, broker.as_ref(), host) => result,
            _ = tokio::signal::ctrl_c(), if !self.keep => Err(anyhow::anyhow!("interrupted")),
        };
        if let Some(broker) = &broker
            && let Err(left) = broker.clear().await
        {
            host.note(&left);
        }
        result
    }
}

/// The demo; whether all is well at its end.
async fn live(options: &Demo, broker: Option<&Broker>, host: &dyn Host) -> anyhow::Result<bool> {
    let start = Instant::now();
    let program = host.program()?;
    let transfers = usize::try_from(options.transfers)?;
    let mut progress = Progress::new(host, transfers);
    let mut folder = Folder::prepare(&options.data, options.database.as_deref()).await?;
    let workers = if broker.is_some() { options.workers } else { 0 };
    progress.say(&plan(&folder, workers));
    folder.share(broker);
    let workload = Arc::new(Workload::new(options.seed, transfers));
    let secrets = Secrets::new()?;
    let world = Arc::new(World::start(&workload, options.faults, &secrets).await?);
    folder.write(&world.addresses, &secrets, &world.facts().await?)?;
    let kiungo = Kiungo::start(program.clone(), &folder, workers).await?;
    let api = Api::new(world.kiungo(), &secrets.api_key)?;
    progress.say(&format!(
        "{} people, {transfers} transfers, faults {}, seed {}",
        workload.people.len(),
        options.faults.as_str(),
        options.seed
    ));

    let counters = Arc::new(Counters::default());
    let (kiungo, begun) =
        watched_day(&workload, &world, &api, kiungo, &counters, &mut progress).await?;
    world.calm_down();
    progress.say("The day is over and no fault happens any more; open transfers settle.");
    let count = begun.len();
    let ends = drain::settle(&api, &workload, &begun, |open| {
        world.repair_core();
        progress.show(count, open, "settling");
    })
    .await?;
    let examples = if host.is_json() { Vec::new() } else { examples::collect(&api, &ends).await? };
    kiungo.stop().await?;
    progress.finish();

    let account = |wanted: &workload::Wanted| world.account(wanted);
    let (providers, core) = (world.provider_books(), world.core_books());
    let result = audit::check(&workload, &begun, &ends, &account, &providers, &core);
    let circumstances = Circumstances {
        seed: options.seed,
        faults: options.faults.as_str(),
        kills: counters.kills.load(Ordering::Relaxed),
        elapsed: start.elapsed(),
        ledger: ledger::complaints(folder.database(), &providers, &core).await?,
    };
    let report = Report::new(&result, circumstances);
    let text = report.text(&result, &examples, host.table_style());
    host.answer(&text, &serde_json::to_value(&report)?);
    if options.keep {
        let kiungo = Kiungo::start(program.clone(), &folder, workers).await?;
        host.note(&next_steps(&folder, &world, &secrets, &workload, &begun, &ends));
        tokio::signal::ctrl_c().await?;
        kiungo.stop().await?;
    }
    Ok(report.is_good())
}

/// The text that announces the day, and the folder of its files.
fn plan(folder: &Folder, workers: u16) -> String {
    let kiungo = match workers {
        0 => "a Kiungo that is killed twice in mid-flow".to_owned(),
        1 => "a Kiungo that serves and one that works, both killed in mid-flow".to_owned(),
        more => format!("a Kiungo that serves and {more} that work, killed in mid-flow"),
    };
    format!(
        "A day of a microfinance institution, with what goes wrong in practice: a simulated Fineract, a \
         simulated GSMA provider, a simulated M-Pesa market, and {kiungo}. Everything stays on this \
         machine; at the end every shilling is looked for in the simulators' books.\n\
         Configuration, database and log are written to {}; those of an earlier demo there are replaced.",
        folder.path().display()
    )
}

/// The day, shown while it goes on.
async fn watched_day(
    workload: &Arc<Workload>,
    world: &Arc<World>,
    api: &Api,
    kiungo: Kiungo,
    counters: &Arc<Counters>,
    progress: &mut Progress<'_>,
) -> anyhow::Result<(Kiungo, Vec<Begun>)> {
    let day = run::live(workload, world, api, kiungo, counters);
    tokio::pin!(day);
    let mut ticks = interval(SHOW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kills = 0;
    loop {
        tokio::select! {
            biased;
            ended = &mut day => return ended,
            _ = ticks.tick() => {}
        }
        let killed = counters.kills.load(Ordering::Relaxed);
        if killed > kills {
            kills = killed;
            progress.say("kill -9! The killed processes are started again at once.");
        }
        let begun = counters.begun.load(Ordering::Relaxed);
        if matches!(progress, Progress::Silent) {
            continue;
        }
        // Right after a kill no process answers.
        if let Ok(open) = api.list(&OPEN, usize::MAX).await {
            progress.show(begun, open.len(), "the day goes on");
        }
    }
}

fn next_steps(
    folder: &Folder,
    world: &World,
    secrets: &Secrets,
    workload: &Workload,
    begun: &[Begun],
    ends: &Ends,
) -> String {
    let ports = world.ports;
    let (kiungo, key) = (world.kiungo(), &secrets.api_key);
    let ordered = begun.iter().find_map(|begun| match begun {
        Begun::Ordered(id) => ends.all.get(id).map(|shown| shown.id.to_string()),
        _ => None,
    });
    let msisdn = workload.people.first().map_or("", |person| person.msisdn.as_str());
    format!(
        "\nStill serving, until Ctrl-C:\n\
         \x20 Kiungo            http://{kiungo}  (its API: http://{kiungo}/docs)\n\
         \x20 Fineract          http://{fineract}/fineract-provider\n\
         \x20 GSMA provider     http://{gsma}/v1.2/mm   books: http://{gsma}/_sim/books\n\
         \x20 M-Pesa            http://{mpesa}   books: http://{mpesa}/_sim/books\n\
         \x20 API key           {key}\n\
         \x20 files             {files}\n\n\
         Try:\n\
         \x20 curl -H 'Authorization: Bearer {key}' http://{kiungo}/v1/transfers/{id}/events\n\
         \x20 curl -H 'Authorization: Bearer {key}' http://{kiungo}/v1/suspense\n\
         \x20 curl -H 'Content-Type: application/json' http://{gsma}/_sim/payments \
         -d '{{\"msisdn\":\"{msisdn}\",\"amount_minor\":500000,\"account_reference\":\"SV 1\"}}'\n",
        fineract = ports.fineract,
        gsma = ports.gsma,
        mpesa = ports.mpesa,
        files = folder.path().display(),
        id = ordered.unwrap_or_default(),
    )
}
