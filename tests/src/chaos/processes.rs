//! Kiungo's processes, and the faults that are injected into them.

use std::sync::{Arc, Mutex as Shared, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until};

use super::plan::{FaultKind, Planned};
use super::process::{Launcher, Process};
use super::proxy::{Proxy, Way};
use super::servers::Servers;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The arguments of a worker: it shows its health on a free port.
const WORKER: [&str; 3] = ["worker", "--listen", "127.0.0.1:0"];

/// One process that serves, and the workers.
pub(super) struct Processes {
    api: Mutex<Process>,
    workers: Vec<Mutex<Worker>>,
    servers: Arc<Servers>,
    happened: Shared<Happened>,
    start: Instant,
}

struct Worker {
    process: Process,
    proxy: Proxy,
}

/// The faults that were injected.
#[derive(Debug, Clone, Default)]
pub(super) struct Happened {
    /// Faults, each with the seconds since the start.
    pub(super) faults: Vec<(FaultKind, u64)>,
    /// The times at which workers were killed, in microseconds since 1970.
    pub(super) worker_kills: Vec<i64>,
    /// The events that should not have happened, for people.
    pub(super) wrong: Vec<String>,
}

impl Processes {
    /// Starts everybody.
    ///
    /// # Errors
    /// A process does not become ready.
    pub(super) async fn start(
        launcher: &Launcher,
        servers: Arc<Servers>,
        count: usize,
    ) -> anyhow::Result<Self> {
        let broker = broker_address(&servers.broker)?;
        let api = launcher.launch("api", &["serve"], &servers.broker).await?;
        let mut starting = JoinSet::new();
        for number in 0..count {
            let (launcher, url) = (launcher.clone(), servers.broker.clone());
            starting.spawn(async move {
                let proxy = Proxy::start(broker).await?;
                let url = url.replace(&broker.to_string(), &proxy.address().to_string());
                let process = launcher.launch(&format!("worker-{number}"), &WORKER, &url).await?;
                anyhow::Ok((number, Worker { process, proxy }))
            });
        }
        let started: Result<Vec<_>, _> = starting.join_all().await.into_iter().collect();
        let mut started = started?;
        started.sort_by_key(|(number, _)| *number);
        let workers = started.into_iter().map(|(_, worker)| Mutex::new(worker)).collect();
        let api = Mutex::new(api);
        let (happened, start) = (Shared::default(), Instant::now());
        Ok(Self { api, workers, servers, happened, start })
    }

    /// Injects all faults, each at its time.
    pub(super) async fn inject_all(self: &Arc<Self>, plan: Vec<Planned>) {
        let start = Instant::now();
        let mut under_way = JoinSet::new();
        for planned in plan {
            let processes = Arc::clone(self);
            under_way.spawn(async move {
                sleep_until(start + planned.at).await;
                if let Err(error) = processes.inject(planned).await {
                    processes.wrong(format!("{}: {error:#}", planned.what.as_str()));
                }
            });
        }
        under_way.join_all().await;
    }

    async fn inject(&self, planned: Planned) -> anyhow::Result<()> {
        let Planned { what, worker, lasts, .. } = planned;
        match what {
            FaultKind::StopBroker => {
                self.note(what, "");
                self.servers.restart_broker(lasts).await?;
                self.say("RabbitMQ is back");
            }
            FaultKind::RestartDatabase | FaultKind::CrashDatabase => {
                self.note(what, "");
                let crash = what == FaultKind::CrashDatabase;
                self.servers.restart_database(crash, lasts).await?;
                self.say("PostgreSQL is back");
            }
            FaultKind::KillApi | FaultKind::RollApi => {
                let mut api = self.api.lock().await;
                self.note(what, "");
                if what == FaultKind::KillApi {
                    api.kill().await?;
                } else {
                    api.stop().await?;
                }
                sleep(lasts).await;
                api.start_again().await?;
                self.say("the API is back");
            }
            FaultKind::KillWorker => {
                let mut worker = self.worker(worker)?.lock().await;
                self.note(what, &worker.process.name);
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                worker.process.kill().await?;
                let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
                self.change(|happened| happened.worker_kills.push(now));
                sleep(lasts).await;
                worker.process.start_again().await?;
                self.say(&format!("{} is back", worker.process.name));
            }
            FaultKind::FreezeWorker => {
                let worker = self.worker(worker)?.lock().await;
                self.note(what, &worker.process.name);
                worker.process.signal("STOP").await?;
                sleep(lasts).await;
                worker.process.signal("CONT").await?;
                self.say(&format!("{} goes on", worker.process.name));
            }
            FaultKind::CutLink | FaultKind::SilenceLink => {
                let worker = self.worker(worker)?.lock().await;
                self.note(what, &worker.process.name);
                let cut = what == FaultKind::CutLink;
                worker.proxy.set(if cut { Way::Cut } else { Way::Silent });
                sleep(lasts).await;
                worker.proxy.set(Way::Open);
                self.say(&format!("{} reaches the broker again", worker.process.name));
            }
        }
        Ok(())
    }

    /// Looks after the processes: one that ends by itself is wrong, and is started again.
    pub(super) async fn watch(&self) {
        let mut ticks = interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            if let Ok(mut api) = self.api.try_lock() {
                self.look_after(&mut api).await;
            }
            for worker in &self.workers {
                if let Ok(mut worker) = worker.try_lock() {
                    self.look_after(&mut worker.process).await;
                }
            }
        }
    }

    async fn look_after(&self, process: &mut Process) {
        let Some(status) = process.ended() else { return };
        self.wrong(format!("{} ended by itself: {status}", process.name));
        if let Err(error) = process.start_again().await {
            self.wrong(format!("{error:#}"));
        }
    }

    /// Stops everybody, as an administrator would.
    pub(super) async fn stop(&self) {
        let mut api = self.api.lock().await;
        let mut stopped = vec![api.stop().await];
        for worker in &self.workers {
            stopped.push(worker.lock().await.process.stop().await);
        }
        for error in stopped.into_iter().filter_map(Result::err) {
            self.wrong(format!("{error:#}"));
        }
    }

    /// The faults that were injected until now.
    pub(super) fn happened(&self) -> Happened {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn worker(&self, number: usize) -> anyhow::Result<&Mutex<Worker>> {
        self.workers.get(number).context("there is no such worker")
    }

    fn note(&self, what: FaultKind, who: &str) {
        let seconds = self.start.elapsed().as_secs();
        self.change(|happened| happened.faults.push((what, seconds)));
        self.say(format!("{} {who}", what.as_str()).trim_end());
    }

    fn wrong(&self, what: String) {
        self.say(&format!("WRONG: {what}"));
        self.change(|happened| happened.wrong.push(what));
    }

    fn change(&self, change: impl FnOnce(&mut Happened)) {
        change(&mut self.happened.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn say(&self, what: &str) {
        eprintln!("{:>4} s  {what}", self.start.elapsed().as_secs());
    }
}

fn broker_address(url: &str) -> anyhow::Result<std::net::SocketAddr> {
    let after = url.rsplit_once('@').map_or(url, |(_, after)| after);
    let address = after.split_once('/').map_or(after, |(address, _)| address);
    address.parse().context("the broker's address")
}
