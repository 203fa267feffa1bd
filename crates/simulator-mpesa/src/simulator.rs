//! The market as a whole: its state behind one lock, its clock, its faults, its options.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_simulator::callback_sender::Courier;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::Faults;

use super::keys;
use super::keys::KeyPair;
use super::options::Options;
use super::state::State;

/// The simulator; a cheap handle.
#[derive(Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) courier: Courier,
    /// The key pair of the options, if they have one; read when first needed.
    pub(crate) own_keys: OnceLock<Option<KeyPair>>,
    pub(crate) state: Mutex<State>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("mpesa::Simulator").finish_non_exhaustive()
    }
}

impl Simulator {
    /// A market with `options`, whose callbacks travel by `delivery`.
    pub fn new(
        options: Options,
        clock: Clock,
        delivery: Arc<dyn Delivery>,
        faults: Faults,
    ) -> Self {
        let courier = Courier {
            delivery,
            faults: faults.clone(),
            attempts: options.callback_attempts,
            retry_after: Duration::from_millis(options.callback_retry_ms),
        };
        let state = Mutex::new(State::new(&options, faults.seed(), clock.now()));
        let own_keys = OnceLock::new();
        Self { inner: Arc::new(Inner { options, clock, faults, courier, own_keys, state }) }
    }

    /// The public key that bearers are encrypted with: DER `SubjectPublicKeyInfo` in base64. That
    /// of [`Options::private_key`], or else made when first needed, once per process and size;
    /// empty if there is none.
    pub fn public_key(&self) -> String {
        self.keys().map(|pair| pair.public.clone()).unwrap_or_default()
    }

    pub(crate) fn keys(&self) -> Option<&KeyPair> {
        match &self.options().private_key {
            Some(private) => self.inner.own_keys.get_or_init(|| KeyPair::read(private)).as_ref(),
            None => keys::pair(self.options().key_bits),
        }
    }

    /// The number of results and confirmations that the client acknowledged in another form than
    /// the documented one; such an acknowledgement is tolerated.
    pub fn wrong_acknowledgements(&self) -> u64 {
        self.state().wrong_acknowledgements
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// True if a piece of conduct befalls `key` this time.
    pub(super) fn happens(&self, name: &str, key: &str, rate: u16) -> bool {
        let seed = self.faults().seed();
        self.state().draws.happens(seed, name, key, rate)
    }

    /// True if the float is empty now, by the options.
    pub(super) fn float_is_empty(&self, began: Timestamp) -> bool {
        let Some((from, to)) = self.options().conduct.float_empty_ms else { return false };
        let since = self.now().as_micros().saturating_sub(began.as_micros()).max(0) / 1_000;
        let since = u64::try_from(since).unwrap_or(0);
        (from..to).contains(&since)
    }
}
