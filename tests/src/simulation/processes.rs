//! The processes of a world: one that does everything, or one that accepts and several that work,
//! which die, are frozen, and lose their broker, each for itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_engine::fail_point::{FailPoint, FailPoints};
use kiungo_engine::{Clock, Engine, EngineOptions, Ids, Setup, Sharing, SharingOptions};
use kiungo_queue::WorkQueue;
use kiungo_queue::memory::{DeliveryFaults, MemoryOptions, MemoryQueue};
use kiungo_store::Store;
use kiungo_store::intercept::Intercepted;

use super::chance::Chance;
use super::counterparties::Counterparties;
use super::fail_points::DrawnTripwire;
use super::freeze::{FreezableDatabase, FreezableQueue, FreezeSwitch};
use super::network::EngineSlot;
use super::store_faults::Trouble;

/// The longest time for which a worker is frozen.
const FROZEN_MAX: Duration = Duration::from_secs(120);

/// The longest time for which a worker is frozen that was about to send: long enough that the
/// others prove the absence of what it sends when it comes back.
const FROZEN_LONG: Duration = Duration::from_hours(24);

/// The longest time for which the broker is away.
const BROKER_AWAY_MAX: Duration = Duration::from_secs(60);

/// The processes that do the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Staff {
    /// One process does everything.
    #[default]
    Alone,
    /// One process accepts, and this number of workers work.
    Shared {
        /// The number of workers.
        workers: u16,
    },
}

/// The parts from which every process is made.
pub(super) struct Processes {
    pub(super) seed: u64,
    pub(super) staff: Staff,
    pub(super) store: Arc<dyn Store>,
    trouble: Trouble,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) queue: MemoryQueue,
    /// The slot of the engine that accepts orders and callbacks.
    pub(super) slot: EngineSlot,
    pub(super) tripwires: Vec<Arc<DrawnTripwire>>,
    /// The time for which a new process does not know what the core can do.
    ignorance: Chance,
    started: AtomicU64,
    /// The engines that run, by the number of their process.
    engines: Mutex<BTreeMap<usize, Engine>>,
    /// The number of times that a process was frozen.
    pub(super) freezes: AtomicU64,
}

type Failure = Box<dyn std::error::Error>;

impl Processes {
    pub(super) fn new(
        seed: u64,
        staff: Staff,
        store: Arc<dyn Store>,
        trouble: Trouble,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        slot: EngineSlot,
    ) -> Self {
        let count = match staff {
            Staff::Alone => 1,
            Staff::Shared { workers } => 1 + usize::from(workers),
        };
        let fail_points = |number: usize| {
            let purpose =
                if number == 0 { "deaths".to_owned() } else { format!("deaths {number}") };
            Arc::new(DrawnTripwire::new(Chance::new(seed, &purpose), 40))
        };
        let queue = MemoryQueue::new(MemoryOptions { shards: 4, ..MemoryOptions::default() });
        let chance = Chance::new(seed, "mischief");
        if staff != Staff::Alone {
            queue.set_delivery_faults(DeliveryFaults {
                doubled: chance.happens(5_000),
                reversed: chance.happens(5_000),
            });
        }
        Self {
            seed,
            staff,
            store,
            trouble,
            clock,
            ids,
            queue,
            slot,
            tripwires: (0..count).map(fail_points).collect(),
            ignorance: Chance::new(seed, "ignorance"),
            started: AtomicU64::new(0),
            engines: Mutex::default(),
            freezes: AtomicU64::new(0),
        }
    }

    /// No more deaths.
    pub(super) fn disarm(&self) {
        self.tripwires.iter().for_each(|fail_points| fail_points.disarm());
    }

    pub(super) fn crashes(&self) -> u64 {
        self.tripwires.iter().map(|fail_points| fail_points.crashes()).sum()
    }

    /// Starts all processes, each of which is started again whenever it dies.
    pub(super) async fn open(
        self: &Arc<Self>,
        counterparties: &Arc<Counterparties>,
        faulty: impl Fn() -> bool + Clone + Send + 'static,
    ) -> Result<Vec<tokio::task::JoinHandle<()>>, Failure> {
        let mut keepers = Vec::new();
        for number in 0..self.tripwires.len() {
            let switch = FreezeSwitch::default();
            // The database may refuse at first.
            let mut started = self.start(counterparties, number, &switch).await;
            while started.is_err() && faulty() {
                tokio::time::sleep(Duration::from_secs(1)).await;
                started = self.start(counterparties, number, &switch).await;
            }
            started?;
            let (all, others) = (Arc::clone(self), Arc::clone(counterparties));
            keepers.push(tokio::spawn(all.keep_alive(others, number, switch.clone())));
            if number > 0 {
                keepers.push(tokio::spawn(Arc::clone(self).freeze(number, switch, faulty.clone())));
            }
        }
        if self.staff != Staff::Alone {
            keepers.push(tokio::spawn(Arc::clone(self).stop_broker(faulty)));
        }
        Ok(keepers)
    }

    /// Ends everything.
    pub(super) fn close(&self, keepers: Vec<tokio::task::JoinHandle<()>>) {
        for keeper in keepers {
            keeper.abort();
        }
        let engines = std::mem::take(&mut *self.engines());
        for engine in engines.into_values() {
            engine.kill();
        }
        self.slot.set(None);
    }

    fn engines(&self) -> MutexGuard<'_, BTreeMap<usize, Engine>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a process: new adapters, a new engine, the same store and queue.
    async fn start(
        &self,
        counterparties: &Counterparties,
        number: usize,
        switch: &FreezeSwitch,
    ) -> Result<(), Failure> {
        let core = counterparties.core(self.until_core_is_asked(), switch)?;
        let (providers, cores) = counterparties.link(&core, switch)?;
        let queue = Arc::new(self.queue.clone()) as Arc<dyn WorkQueue>;
        let name = format!("process-{}", self.started.fetch_add(1, Ordering::Relaxed));
        let sharing = (self.staff != Staff::Alone).then(|| Sharing {
            queue: Arc::new(FreezableQueue { queue, switch: switch.clone() }),
            works: number > 0,
            name,
            options: SharingOptions::default(),
        });
        let poll_interval = match self.staff {
            Staff::Alone => EngineOptions::default().poll_interval,
            // The day is long, and each look at the due table is an event of it.
            Staff::Shared { .. } => Duration::from_secs(2),
        };
        let database = FreezableDatabase { switch: switch.clone(), trouble: self.trouble.clone() };
        let engine = Engine::new(Setup {
            store: Intercepted::over(Arc::clone(&self.store), &Arc::new(database)),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            providers,
            cores,
            options: EngineOptions { in_flight_max: 64, poll_interval, ..EngineOptions::default() },
            sharing,
            fail_points: self.fail_points(number, switch),
        });
        if let Err(error) = engine.start().await {
            engine.kill();
            return Err(error.into());
        }
        self.engines().insert(number, engine.clone());
        if number == 0 {
            self.slot.set(Some(engine));
        }
        Ok(())
    }

    fn fail_points(&self, number: usize, switch: &FreezeSwitch) -> Option<Arc<dyn FailPoints>> {
        let deaths = Arc::clone(self.tripwires.get(number)?) as Arc<dyn FailPoints>;
        if number != 1 {
            return Some(deaths);
        }
        let start = self.started.load(Ordering::Relaxed);
        let chance = Chance::new(self.seed, &format!("frost before sending {start}"));
        let armed = Arc::clone(self.tripwires.get(number)?);
        Some(Arc::new(CrashingMaker { deaths, armed, switch: switch.clone(), chance }))
    }

    /// Mostly at once; but a core may answer everything except what it can do for a long time.
    fn until_core_is_asked(&self) -> Duration {
        let longest = if self.ignorance.happens(2_500) { 1_800 } else { 0 };
        self.ignorance.wait(Duration::from_secs(longest))
    }

    async fn keep_alive(
        self: Arc<Self>,
        counterparties: Arc<Counterparties>,
        number: usize,
        switch: FreezeSwitch,
    ) {
        let purpose =
            if number == 0 { "downtime".to_owned() } else { format!("downtime {number}") };
        let chance = Chance::new(self.seed, &purpose);
        let Some(fail_points) = self.tripwires.get(number) else { return };
        loop {
            fail_points.died.notified().await;
            let dead = self.engines().remove(&number);
            if let Some(engine) = dead {
                engine.kill();
            }
            if number == 0 {
                self.slot.set(None);
            }
            tokio::time::sleep(chance.wait(Duration::from_secs(20))).await;
            switch.thawed().await;
            while self.start(&counterparties, number, &switch).await.is_err() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Stops a worker now and then, which does not notice.
    async fn freeze(
        self: Arc<Self>,
        number: usize,
        switch: FreezeSwitch,
        faulty: impl Fn() -> bool + Send,
    ) {
        let chance = Chance::new(self.seed, &format!("frost {number}"));
        loop {
            tokio::time::sleep(chance.wait(Duration::from_secs(400))).await;
            if !faulty() {
                return;
            }
            self.freezes.fetch_add(1, Ordering::Relaxed);
            switch.freeze();
            tokio::time::sleep(chance.wait(FROZEN_MAX)).await;
            switch.thaw();
        }
    }

    /// Stops the broker now and then.
    async fn stop_broker(self: Arc<Self>, faulty: impl Fn() -> bool + Send) {
        let chance = Chance::new(self.seed, "broker");
        loop {
            tokio::time::sleep(chance.wait(Duration::from_secs(900))).await;
            if !faulty() {
                return;
            }
            self.queue.go_down();
            tokio::time::sleep(chance.wait(BROKER_AWAY_MAX)).await;
            self.queue.come_up();
        }
    }
}

/// The place at which one of the workers may be frozen as well: between an intent and its sending.
struct CrashingMaker {
    deaths: Arc<dyn FailPoints>,
    armed: Arc<DrawnTripwire>,
    switch: FreezeSwitch,
    chance: Chance,
}

#[async_trait]
impl FailPoints for CrashingMaker {
    async fn reached(&self, moment: FailPoint, what: &str) {
        self.deaths.reached(moment, what).await;
        let here = moment == FailPoint::BeforeSend && self.armed.is_armed();
        if here && self.chance.happens(300) {
            self.switch.freeze();
            let (switch, frozen) = (self.switch.clone(), self.chance.wait(FROZEN_LONG));
            tokio::spawn(async move {
                tokio::time::sleep(frozen).await;
                switch.thaw();
            });
        }
        self.switch.thawed().await;
    }
}
