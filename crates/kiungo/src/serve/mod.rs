//! The engine behind HTTP: checked, opened, connected, served, and stopped gracefully.
//!
//! * `agreement`: that all divide the work alike
//! * `crash`: dying at a named point, for tests
//! * `cores`: connecting to cores, now or later
//! * `notify`: the messages to systemd
//! * `process`: the resources that the process uses
//! * `providers`: telling others which providers answer
//! * `requests`: the requests of cores for payouts
//! * `role`: the part that a process takes
//! * `server`: the options of the HTTP server
//! * `sharing`: the parts of a process that shares the work
//! * `socket`: the sockets that it listens on
//! * `stop`: stopping without failing anybody

mod agreement;
mod cores;
mod crash;
mod notify;
mod process;
mod providers;
mod requests;
mod role;
mod server;
mod sharing;
mod socket;
mod stop;

use std::collections::BTreeMap;
use std::sync::Arc;

use kiungo_domain::{CoreId, ProviderId};
use kiungo_engine::{Engine, EngineOptions, Setup, SystemClock, TimeOrderedIds};
use kiungo_messaging::command::CommandType;
use kiungo_messaging::command_consumer::UNREADABLE;
use kiungo_provider::Provider;
use kiungo_server::metrics::Known;
use kiungo_server::serve::ConnectionBounds;
use kiungo_server::{Readiness, ServerOptions, ServerState};
use kiungo_store_sql::Database;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::components::{AssembledCore, Assembly};
use crate::config::Config;
use crate::config::queue::QueueAddress;
use crate::failure::Failure;
use crate::terminal::output::Output;
use sharing::{BackgroundTasks, Shared};

pub(crate) use role::ProcessRole;
pub(crate) use socket::{Listen, passed as passed_socket};

/// Checks what [`serve`] checks first of the section `server`.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(config: &Config) -> Result<(), Failure> {
    server::options(config).check().map_err(|error| Failure::Usage(format!("server: {error}")))
}

/// Runs a process until a signal says to stop.
///
/// # Errors
/// What kept it from starting.
pub(crate) async fn run(
    config: Config,
    role: ProcessRole,
    listen: Listen,
    output: Output,
) -> Result<(), Failure> {
    let role = role::role_with(&config, role)?;
    let fail_points = crash::tripwire_from_environment().map_err(Failure::Usage)?;
    check(&config)?;
    let server_options = server::options(&config);
    let assembly = Assembly::new(&config)?;
    // Before anything else is touched: the usual mistake is a second Kiungo on the same port.
    let listener = listen.listener(&config).await?;
    let address = listener.as_ref().map(TcpListener::local_addr).transpose();
    let address = address.map_err(|error| Failure::failed(error.to_string()))?;
    let signals = Signals::new()?;
    let database = open_database(&config).await?;
    let shared = Shared::open(&config, database.store()).await?;
    let prometheus = kiungo_server::metrics::builder()
        .install_recorder()
        .map_err(|error| Failure::failed(format!("metrics: {error}")))?;
    kiungo_server::metrics::announce(&known_names(&config));
    process::watch(prometheus.clone());

    let Assembly { cores, providers } = assembly;
    cores::connect(&cores).await;
    let adapters: BTreeMap<ProviderId, Arc<dyn Provider>> =
        providers.iter().map(|(id, p)| (id.clone(), Arc::clone(&p.link.provider))).collect();
    let setup = Setup {
        store: database.store(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
        providers: providers.into_iter().map(|(id, provider)| (id, provider.link)).collect(),
        cores: core_links(&cores),
        options: engine_options(&config),
        sharing: shared.as_ref().map(|shared| shared.sharing(&config, role)),
        fail_points,
    };
    let engine = Engine::new(setup);
    engine.start().await.map_err(|error| Failure::failed(format!("the database: {error}")))?;
    let turns = requests::turns(shared.as_ref().map(Shared::name), role);
    let background = shared.map(|shared| shared.start(&config, &engine, role)).transpose()?;
    let intake = requests::intake(&config, &cores, &engine, turns);
    let pollers = requests::Pollers::start(intake.as_ref());
    let readiness = Readiness::default();
    let running = Running { config, role, engine, database, background, pollers, readiness };
    let mut state = ServerState::new(
        Arc::new(running.engine.clone()),
        server_options.clone(),
        prometheus,
        running.readiness.clone(),
    )
    .map_err(|error| Failure::Usage(format!("server: {error}")))?;
    if let Some(intake) = intake {
        state = state.with_core_requests(Arc::new(intake));
    }
    running.readiness.set(true);
    let url = address.map(|address| format!("http://{address}"));
    let whereabouts = url.as_ref().map(|url| format!(" on {url}")).unwrap_or_default();
    output.line(
        &format!("kiungo is ready{whereabouts}"),
        &serde_json::json!({ "ready": url.unwrap_or_default() }),
    );
    notify::ready();
    tracing::info!(duty = %role, address = address.map(tracing::field::display), "ready");
    warm_up(adapters);
    running.until_stopped(listener, state, &server_options, signals).await;
    Ok(())
}

async fn open_database(config: &Config) -> Result<Database, Failure> {
    let address = &config.database.address;
    let opened = match config.queue.address {
        QueueAddress::Rabbit(_) => address.open_shared().await,
        QueueAddress::Embedded => Some(address.open_alone().await),
    };
    let Some(opened) = opened else {
        return Err(Failure::Usage(
            "a RabbitMQ queue shares the work among processes, and a SQLite file has one: set \
             database.url = \"postgres://…\", or queue.url = \"embedded\""
                .to_owned(),
        ));
    };
    opened.map_err(|error| config.database.failure(&error))
}

fn core_links(
    cores: &BTreeMap<CoreId, AssembledCore>,
) -> BTreeMap<CoreId, kiungo_engine::CoreLink> {
    cores.iter().map(|(id, core)| (id.clone(), core.link())).collect()
}

fn engine_options(config: &Config) -> EngineOptions {
    let engine = config.engine;
    EngineOptions {
        in_flight_max: engine.in_flight_max,
        backlog_max: engine.backlog_max,
        due_batch: engine.due_batch,
        poll_interval: engine.poll_interval,
        lease: engine.lease,
        busy_wait: engine.busy_wait,
        notice_wait_max: engine.notice_wait_max,
        send_within: engine.send_within,
        second_person: config.actions.second_person.clone(),
    }
}

/// The names that labels of metrics take in this installation.
fn known_names(config: &Config) -> Known {
    let commands = CommandType::ALL.map(CommandType::as_str).into_iter().chain([UNREADABLE]);
    Known {
        providers: config.providers.iter().map(|provider| provider.id.to_string()).collect(),
        cores: config.cores.iter().map(|core| core.id.to_string()).collect(),
        commands: match config.queue.address {
            QueueAddress::Rabbit(_) => commands.map(str::to_owned).collect(),
            QueueAddress::Embedded => Vec::new(),
        },
    }
}

/// Logs in at every provider, so that the first customer does not wait for it (a session at M-Pesa
/// takes up to 30 s to become live), and so that wrong credentials are in the log from the start.
fn warm_up(providers: BTreeMap<ProviderId, Arc<dyn Provider>>) {
    for (id, provider) in providers {
        tokio::spawn(async move {
            match provider.probe().await {
                Ok(state) => tracing::info!(provider = %id, state, "the provider answers"),
                Err(error) => {
                    tracing::warn!(provider = %id, error.message = %error, "the provider does not work as configured yet");
                }
            }
        });
    }
}

/// The parts that are stopped at the end.
struct Running {
    config: Config,
    role: ProcessRole,
    engine: Engine,
    database: Database,
    background: Option<BackgroundTasks>,
    pollers: requests::Pollers,
    readiness: Readiness,
}

impl Running {
    async fn until_stopped(
        self,
        listener: Option<TcpListener>,
        state: ServerState,
        options: &ServerOptions,
        mut signals: Signals,
    ) {
        let grace = self.config.server.shutdown_grace;
        let shutdown = CancellationToken::new();
        let router = if self.role.serves() {
            kiungo_server::router(state)
        } else {
            kiungo_server::watch_router(state)
        };
        let bounds = ConnectionBounds::from(options);
        let until = shutdown.clone();
        let http = tokio::spawn(async move {
            if let Some(listener) = listener {
                kiungo_server::serve(listener, router, bounds, until, grace).await
            } else {
                until.cancelled().await;
                0
            }
        });
        signals.next().await;
        let drain = self.config.server.drain;
        tracing::info!(
            drain.seconds = drain.as_secs(),
            grace.seconds = grace.as_secs(),
            "stopping"
        );
        notify::stopping(drain + grace);
        self.readiness.set(false);
        let at_once = CancellationToken::new();
        let impatient = {
            let (engine, at_once) = (self.engine.clone(), at_once.clone());
            tokio::spawn(async move {
                signals.next().await;
                tracing::warn!("stopping at once, by a second signal");
                at_once.cancel();
                engine.kill();
            })
        };
        stop::drain(drain, &at_once).await;
        shutdown.cancel();
        self.pollers.stop().await;
        if let Some(background) = &self.background {
            background.stop().await;
        }
        let (clean, cut_off) = stop::finish(&self.engine, http, grace, &at_once).await;
        impatient.abort();
        if !clean {
            tracing::warn!(
                "some operations were parked in flight; they are asked about at the next start"
            );
        }
        if let Some(background) = &self.background {
            background.close().await;
        }
        self.database.close().await;
        tracing::info!(clean, connections.cut_off = cut_off, "stopped");
    }
}

/// The signals that tell the process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::failed(format!("signals cannot be heard: {error}")))
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
