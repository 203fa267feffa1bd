//! `kiungo demo`: a day of a microfinance institution, on one machine, with everything that can go
//! wrong, and an audit at the end.
//!
//! The counterparties are simulators in this process, Kiungo is a process of its own that is killed
//! twice, or several that share the work; they talk over HTTP on loopback ports. What is wanted,
//! what goes wrong and when Kiungo is killed follow from the seed. The audit compares what was
//! wanted with the books of the counterparties; of Kiungo it believes only how each transfer ended,
//! and finds every lie in that.
//!
//! * `workload`, `chance`: the plan of the day, drawn from the seed
//! * `faults`: the faults, and their rates
//! * `world`: the simulators; `files`, `process`: Kiungo; `client`: its API; `broker`: its broker
//! * `run`, `drain`: from the first transfer to the last one settled
//! * `audit`, `ledger`: the audit
//! * `report`, `examples`, `progress`: the output
//! * [`scenario`]: the day for those who bring processes and misfortunes of their own

mod audit;
mod broker;
mod chance;
mod client;
mod drain;
mod examples;
mod faults;
mod files;
mod ledger;
mod process;
mod progress;
mod report;
mod run;
pub mod scenario;
mod workload;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::failure::Failure;
use crate::runtime;
use crate::sandbox::Secrets;
use crate::terminal::output::{Output, note};

use broker::Broker;
use client::Api;
use drain::{Ends, OPEN};
use faults::Faults;
use files::Folder;
use process::Kiungo;
use progress::Progress;
use report::{Circumstances, Report};
use run::{Begun, Counters};
use workload::Story;
use world::World;

/// The largest number of transfers in a day: the simulators keep all of them in memory.
const TRANSFERS_MAX: u64 = 1_000_000;
/// The largest number of workers that share one machine with everything else.
const WORKERS_MAX: u16 = 16;
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// Live a day of a microfinance institution, faults included, and audit every shilling
///
/// Starts a simulated core, a GSMA provider and an M-Pesa market, and Kiungo with them, on loopback
/// ports. Moves money, lets much go wrong, kills Kiungo twice, and compares the books at the end.
/// The exit code is 0 only if nothing was lost, doubled, wrongly attributed, or is stuck. With
/// --database and --queue, one process serves and several work; the kills hit both.
#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// How many transfers the day has
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(8..=TRANSFERS_MAX))]
    transfers: u64,
    /// What everything is drawn from: the same seed tells the same story
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How much goes wrong
    #[arg(long, value_enum, default_value_t = Faults::Some)]
    faults: Faults,
    /// Go on serving afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Where configuration, database and log are written
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    data: PathBuf,
    /// Keep the books in this empty database (postgres://…), not in a file of that folder
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Share the work through this broker (amqp://…); what is made in it goes at the end
    #[arg(long, value_name = "URL", requires = "database")]
    queue: Option<String>,
    /// How many workers share it
    #[arg(long, value_name = "N", default_value_t = 2, requires = "queue",
          value_parser = clap::value_parser!(u16).range(1..=i64::from(WORKERS_MAX)))]
    workers: u16,
}

/// Runs the demo.
pub(crate) fn run(options: &DemoOptions, output: Output) -> Result<(), Failure> {
    let demo = async {
        let broker = options.queue.as_deref().map(Broker::new).transpose()?;
        let result = tokio::select! {
            biased;
            result = live(options, broker.as_ref(), output) => result,
            _ = tokio::signal::ctrl_c(), if !options.keep => Err(anyhow::anyhow!("interrupted")),
        };
        if let Some(broker) = &broker {
            broker.clear().await;
        }
        result
    };
    match runtime::build()?.block_on(demo) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Said),
        Err(error) => Err(Failure::failed(format!("{error:#}"))),
    }
}

/// The demo; whether all is well at its end.
async fn live(
    options: &DemoOptions,
    broker: Option<&Broker>,
    output: Output,
) -> anyhow::Result<bool> {
    let start = Instant::now();
    let transfers = usize::try_from(options.transfers)?;
    let mut progress = Progress::new(output.is_json(), transfers);
    let mut folder = Folder::prepare(&options.data, options.database.as_deref()).await?;
    let workers = if broker.is_some() { options.workers } else { 0 };
    progress.say(&plan(&folder, workers));
    folder.share(broker);
    let story = Arc::new(Story::new(options.seed, transfers));
    let secrets = Secrets::new()?;
    let world = Arc::new(World::start(&story, options.faults, &secrets).await?);
    folder.write(&world.addresses, &secrets, &world.mpesa_public_key().await?)?;
    let kiungo = Kiungo::start(&folder, workers).await?;
    let api = Api::new(world.addresses.kiungo, &secrets.api_key)?;
    progress.say(&format!(
        "{} people, {transfers} transfers, faults {}, seed {}",
        story.people.len(),
        options.faults.as_str(),
        options.seed
    ));

    let counters = Arc::new(Counters::default());
    let (kiungo, begun) =
        watched_day(&story, &world, &api, kiungo, &counters, &mut progress).await?;
    world.calm_down();
    progress.say("The day is over and nothing goes wrong any more; what is under way settles.");
    let count = begun.len();
    let ends = drain::settle(&api, &story, &begun, |open| {
        world.repair_core();
        progress.show(count, open, "settling");
    })
    .await?;
    let tales = if output.is_json() { Vec::new() } else { examples::tell(&api, &ends).await? };
    kiungo.stop().await?;
    progress.finish();

    let account = |wanted: &workload::Wanted| world.account(wanted);
    let (providers, core) = (world.provider_books(), world.core_books());
    let verdict = audit::judge(&story, &begun, &ends, &account, &providers, &core);
    let circumstances = Circumstances {
        seed: options.seed,
        faults: options.faults.as_str(),
        kills: counters.kills.load(Ordering::Relaxed),
        elapsed: start.elapsed(),
        ledger: ledger::complaints(folder.database(), &providers, &core).await?,
    };
    let report = Report::new(&verdict, circumstances);
    output.line(&report.text(&verdict, &tales), &serde_json::to_value(&report)?);
    if options.keep {
        let kiungo = Kiungo::start(&folder, workers).await?;
        note(&what_to_try(&folder, &world, &secrets, &story, &begun, &ends));
        tokio::signal::ctrl_c().await?;
        kiungo.stop().await?;
    }
    Ok(report.is_good())
}

/// What is about to happen, and where it is written down.
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
    story: &Arc<Story>,
    world: &Arc<World>,
    api: &Api,
    kiungo: Kiungo,
    counters: &Arc<Counters>,
    progress: &mut Progress,
) -> anyhow::Result<(Kiungo, Vec<Begun>)> {
    let day = run::live(story, world, api, kiungo, counters);
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
            progress.say("kill -9! What was killed is started again at once.");
        }
        let begun = counters.begun.load(Ordering::Relaxed);
        if matches!(progress, Progress::Silent) {
            continue;
        }
        // Right after a kill nobody answers.
        if let Ok(open) = api.list(&OPEN, usize::MAX).await {
            progress.show(begun, open.len(), "the day goes on");
        }
    }
}

fn what_to_try(
    folder: &Folder,
    world: &World,
    secrets: &Secrets,
    story: &Story,
    begun: &[Begun],
    ends: &Ends,
) -> String {
    let addresses = &world.addresses;
    let (kiungo, key) = (addresses.kiungo, &secrets.api_key);
    let ordered = begun.iter().find_map(|begun| match begun {
        Begun::Ordered(id) => ends.all.get(id).map(|shown| shown.id.to_string()),
        _ => None,
    });
    let msisdn = story.people.first().map_or("", |person| person.msisdn.as_str());
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
        fineract = addresses.fineract,
        gsma = addresses.gsma,
        mpesa = addresses.mpesa,
        files = folder.path().display(),
        id = ordered.unwrap_or_default(),
    )
}
