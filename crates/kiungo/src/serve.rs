//! The engine behind HTTP: checked, opened, connected, served, and stopped gracefully.
//!
//! * `crash`: dying at a named point, for tests
//! * `cores`: connecting to cores, now or later
//! * `process`: what the process itself uses
//! * `requests`: what cores ask to be paid out
//! * `server`: what the HTTP server is told

mod cores;
mod crash;
mod process;
mod requests;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;

use kiungo_domain::{CoreId, ProviderId};
use kiungo_engine::requests::RequestTurns;
use kiungo_engine::{Engine, EngineOptions, Setup, SystemClock, TimeOrderedIds};
use kiungo_provider::Provider;
use kiungo_server::serve::ConnectionBounds;
use kiungo_server::{Readiness, ServerOptions, ServerState};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::assembly::{AssembledCore, Assembly};
use crate::commands::output::Output;
use crate::commands::{Config, Failure};
use crate::database::Database;

/// Checks what [`serve`] checks first of the section `server`.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(config: &Config) -> Result<(), Failure> {
    server::options(config).check().map_err(|error| Failure::Usage(format!("server: {error}")))
}

/// Serves until a signal says to stop.
///
/// # Errors
/// What kept it from starting.
pub(crate) async fn serve(config: Config, output: Output) -> Result<(), Failure> {
    let tripwire = crash::tripwire_from_environment().map_err(Failure::Usage)?;
    check(&config)?;
    let server_options = server::options(&config);
    let assembly = Assembly::new(&config)?;
    // Before anything else is touched: the usual mistake is a second Kiungo on the same port.
    let address = config.server.address;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("cannot listen on {address} (server.listen, server.port): {error}"))
    })?;
    let address = listener.local_addr().map_err(|error| Failure::failed(error.to_string()))?;
    let signals = Signals::new()?;
    let opened = config.database.address.open_alone().await;
    let database = opened.map_err(|error| config.database.failure(&error))?;
    let prometheus = kiungo_server::metrics::builder()
        .install_recorder()
        .map_err(|error| Failure::failed(format!("metrics: {error}")))?;
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
        tripwire,
    };
    let engine = Engine::new(setup);
    engine.start().await.map_err(|error| Failure::failed(format!("the database: {error}")))?;
    let desk = requests::desk(&config, &cores, &engine, RequestTurns::Alone);
    let pollers = requests::Pollers::start(desk.as_ref());
    let running = Running { config, engine, database, readiness: Readiness::default(), pollers };
    let mut state = ServerState::new(
        Arc::new(running.engine.clone()),
        server_options.clone(),
        prometheus,
        running.readiness.clone(),
    )
    .map_err(|error| Failure::Usage(format!("server: {error}")))?;
    if let Some(desk) = desk {
        state = state.with_core_requests(Arc::new(desk));
    }
    running.readiness.set(true);
    output.line(
        &format!("kiungo is ready on http://{address}"),
        &serde_json::json!({ "ready": format!("http://{address}") }),
    );
    tracing::info!(%address, "ready");
    warm_up(adapters);
    running.until_stopped(listener, state, &server_options, signals).await;
    Ok(())
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
        notice_waits_max: engine.notice_waits_max,
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

/// What is stopped at the end.
struct Running {
    config: Config,
    engine: Engine,
    database: Database,
    readiness: Readiness,
    pollers: requests::Pollers,
}

impl Running {
    async fn until_stopped(
        self,
        listener: TcpListener,
        state: ServerState,
        options: &ServerOptions,
        mut signals: Signals,
    ) {
        let grace = self.config.server.shutdown_grace;
        let shutdown = CancellationToken::new();
        let router = kiungo_server::router(state);
        let bounds = ConnectionBounds::from(options);
        let http = kiungo_server::serve(listener, router, bounds, shutdown.clone(), grace);
        let http = tokio::spawn(http);
        signals.next().await;
        tracing::info!(grace.seconds = grace.as_secs(), "stopping");
        self.readiness.set(false);
        shutdown.cancel();
        self.pollers.stop().await;
        let impatient = {
            let engine = self.engine.clone();
            tokio::spawn(async move {
                signals.next().await;
                tracing::warn!("stopping at once, by a second signal");
                engine.kill();
            })
        };
        let (clean, cut_off) = tokio::join!(self.engine.stop(grace), http);
        impatient.abort();
        if !clean {
            tracing::warn!(
                "some operations were parked in flight; they are asked about at the next start"
            );
        }
        self.database.close().await;
        tracing::info!(clean, connections.cut_off = cut_off.unwrap_or_default(), "stopped");
    }
}

/// What tells the process to stop.
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
