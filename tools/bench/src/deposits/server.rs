//! The API and the callbacks over the engine, wired as in production, with one more address at which
//! the load waits for the end of a transfer.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use kiungo_api::{Role, Scope, SecretDigest, Service};
use kiungo_domain::ProviderId;
use kiungo_domain::transfer::Origin;
use kiungo_engine::Engine;
use kiungo_server::serve::ConnectionBounds;
use kiungo_server::{ApiKey, Readiness, ServerOptions, ServerState};
use kiungo_store::intercept::{Answer, Call, Intercepted, Interceptor};
use kiungo_store::{Change, StoreError};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Spec, Way};
use crate::counterparties::{self, CALLBACK_SECRET};
use crate::parts::say;
use crate::product::{self, Wiring, setup};
use crate::watch::is_done;
use crate::{BenchError, load};

/// The key of the API.
pub(super) const KEY: &str = "the key of the measurement, and of nothing else";

/// The addresses of a server and of the provider whose customers pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Served {
    pub(super) api: SocketAddr,
    pub(super) gsma: SocketAddr,
}

/// Serves until whoever started this process closes its input.
pub(crate) async fn serve(spec: Spec) -> Result<(), BenchError> {
    let Spec { way, transfers, in_flight } = spec;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let api = listener.local_addr()?;
    let notify = (way == Way::Wallet).then_some(api);
    // Four deposits need as many clients as sixteen transfers of all kinds.
    let parties = counterparties::Spec { notify, ..counterparties::Spec::of(4 * transfers) };
    let (_companion, addresses) = counterparties::start(parties)?;
    let folder = tempfile::tempdir()?;
    let store = product::store(folder.path()).await?;
    let ends = Arc::new(Ends::default());
    let observed = Intercepted::over(store.clone(), &ends);
    let wiring = Wiring { addresses: &addresses, in_flight, carrier: &product::plain, notify };
    let engine = Engine::new(wiring.setup(observed, wiring.engine_options()).await?);
    engine.start().await.map_err(|e| setup(&e))?;
    let options = options()?;
    let bounds = ConnectionBounds::from(&options);
    let prometheus = kiungo_server::metrics::builder().install_recorder().map_err(|e| setup(&e))?;
    let readiness = Readiness::default();
    readiness.set(true);
    let service = Arc::new(engine.clone()) as Arc<dyn Service>;
    let state = ServerState::new(service, options, prometheus, readiness).map_err(|e| setup(&e))?;
    let waiting = Router::new().route("/_bench/ended/{name}", get(ended)).with_state(ends);
    let router = kiungo_server::router(state).merge(waiting);
    let stop = CancellationToken::new();
    let http = kiungo_server::serve(listener, router, bounds, stop.clone(), Duration::ZERO);
    let http = tokio::spawn(http);
    let served = serde_json::to_string(&Served { api, gsma: addresses.gsma });
    say(&served.map_err(std::io::Error::other)?)?;
    let closed = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(closed).await.map_err(std::io::Error::other)??;
    stop.cancel();
    let _ = http.await;
    engine.stop(Duration::from_secs(10)).await;
    store.close().await;
    Ok(())
}

fn options() -> Result<ServerOptions, BenchError> {
    let provider = ProviderId::new(load::PROVIDERS[0]).map_err(|e| setup(&e))?;
    let key = ApiKey {
        name: "bench".to_owned(),
        digest: SecretDigest::of(KEY),
        roles: [Role::Read, Role::Write].into(),
        scope: Scope::default(),
    };
    let secrets = BTreeMap::from([(provider, SecretString::from(CALLBACK_SECRET))]);
    Ok(ServerOptions { keys: vec![key], callback_secrets: secrets, ..ServerOptions::default() })
}

/// The transfers that have ended, by id and by the receipt of the payment that began them.
#[derive(Default)]
struct Ends {
    names: Mutex<HashSet<String>>,
    more: Notify,
}

impl Ends {
    fn has(&self, name: &str) -> bool {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

impl Interceptor for Ends {
    /// The name of the transfer that ends once the change is durable.
    type Kept = Option<String>;

    async fn before(&self, call: &Call<'_>) -> Result<Self::Kept, StoreError> {
        Ok(match call {
            Call::Commit(change) if is_done(change) => Some(name(change)),
            _ => None,
        })
    }

    async fn after(&self, ended: Self::Kept, answer: Answer<'_>) -> Result<(), StoreError> {
        if let (Some(name), Answer::Done) = (ended, answer) {
            self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
            self.more.notify_waiters();
        }
        Ok(())
    }
}

/// The name under which the load waits for a transfer.
fn name(change: &Change) -> String {
    let transfer = &change.decision.transfer;
    match &transfer.instruction().origin {
        Origin::Wallet { receipt, .. } => receipt.as_str().to_owned(),
        Origin::Api { .. } => transfer.id().to_string(),
    }
}

/// Answers once the transfer has ended.
async fn ended(State(ends): State<Arc<Ends>>, Path(name): Path<String>) {
    loop {
        let mut more = std::pin::pin!(ends.more.notified());
        // Counts from here on, whether it is waited for or not.
        more.as_mut().enable();
        if ends.has(&name) {
            return;
        }
        more.await;
    }
}
