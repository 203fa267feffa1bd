//! The state that the handlers share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kiungo_api::{CoreRequestService, OptionsError, Service};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ServerOptions;
use crate::docs::documents::Documents;
use crate::keyring::Keyring;
use crate::metrics::overview::OverviewCache;

/// The state that the handlers share; cheap to clone.
#[derive(Clone)]
pub struct ServerState(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) options: ServerOptions,
    pub(crate) keyring: Keyring,
    pub(crate) readiness: Readiness,
    pub(crate) prometheus: PrometheusHandle,
    pub(crate) overview: OverviewCache,
    pub(crate) api_places: Arc<Semaphore>,
    pub(crate) callback_places: Arc<Semaphore>,
    pub(crate) hook_places: Arc<Semaphore>,
    pub(crate) documents: Documents,
    /// The part that takes up the requests of cores, if there is one.
    pub(crate) core_requests: Option<Arc<dyn CoreRequestService>>,
    clients: Mutex<BTreeMap<Arc<str>, Arc<Semaphore>>>,
    requests: AtomicU64,
}

impl ServerState {
    /// The state of a server that asks `service`.
    ///
    /// # Errors
    /// An option that cannot be used.
    pub fn new(
        service: Arc<dyn Service>,
        options: ServerOptions,
        prometheus: PrometheusHandle,
        readiness: Readiness,
    ) -> Result<Self, OptionsError> {
        options.check()?;
        Ok(Self(Arc::new(Shared {
            keyring: Keyring::new(&options),
            api_places: Arc::new(Semaphore::new(options.api_in_flight_max)),
            callback_places: Arc::new(Semaphore::new(options.callbacks_in_flight_max)),
            hook_places: Arc::new(Semaphore::new(options.hooks_in_flight_max)),
            service,
            options,
            readiness,
            prometheus,
            overview: OverviewCache::default(),
            documents: Documents::default(),
            core_requests: None,
            clients: Mutex::default(),
            requests: AtomicU64::new(0),
        })))
    }

    /// The same state, with the part that takes up the requests of cores. To be said before the
    /// state is shared: afterwards it changes nothing.
    #[must_use]
    pub fn with_core_requests(mut self, requests: Arc<dyn CoreRequestService>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.core_requests = Some(requests);
        }
        self
    }
}

impl Shared {
    /// A slot for one more request of this client; `None` if it has taken all of its own.
    pub(crate) fn client_place(&self, client: &Arc<str>) -> Option<OwnedSemaphorePermit> {
        let slots = {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            // As many entries as there are names in the configuration.
            let new = || Arc::new(Semaphore::new(self.options.client_in_flight_max));
            Arc::clone(clients.entry(Arc::clone(client)).or_insert_with(new))
        };
        slots.try_acquire_owned().ok()
    }

    /// An id for a request that came without one: the time, and a number so that no two are equal.
    pub(crate) fn next_request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{number:x}", self.service.clock_now().as_micros())
    }
}

/// Says whether the process takes work: false until the engine has recovered, and again while it
/// stops.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether work is taken.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// True if work is taken.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
