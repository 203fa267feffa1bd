//! The provider as a whole: its parts, and what can be done with it from outside.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::Response;
use kiungo_domain::Timestamp;
use kiungo_simulator::callback_sender::Courier;
use kiungo_simulator::chance::Draws;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::Faults;
use kiungo_simulator::tls::{Tls, TlsError};

use super::admission::Admission;
use super::error::ApiError;
use super::options::Options;
use super::state::{self, AccountStatus, State};
use super::version::Version;
use super::{format, sandbox};

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
    pub(crate) admission: Admission,
    pub(crate) state: Mutex<State>,
    pub(crate) draws: Mutex<Draws>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("gsma::Simulator").finish_non_exhaustive()
    }
}

/// The simulator behind one prefix.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) simulator: Simulator,
    pub(crate) version: Version,
}

impl Simulator {
    /// A provider with `options`, whose callbacks travel by `delivery`.
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
        let admission = Admission::new(&options.security, faults.seed());
        let mut state = State::new(&options, faults.seed(), clock.now());
        if options.triggers {
            sandbox::furnish(&mut state, options.currency, clock.now());
        }
        let state = Mutex::new(state);
        let draws = Mutex::default();
        Self { inner: Arc::new(Inner { options, clock, faults, courier, admission, state, draws }) }
    }

    /// TLS, where the options want it.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub fn tls(&self) -> Result<Option<Tls>, TlsError> {
        self.options().security.tls.as_ref().map(Tls::read).transpose()
    }

    /// Puts an account into another state; it is named as when a wallet is opened.
    pub fn set_account_status(&self, account: &str, status: AccountStatus) {
        self.state().set_status(format::party_of_text(account), status);
    }

    /// Gives out a one-time code with which up to so much is paid out of an account, once. The
    /// account is named as when a wallet is opened.
    pub fn give_code(&self, code: &str, account: &str, minor_max: i64) {
        let party = format::party_of_text(account);
        self.state().codes.insert(code.to_owned(), state::Code { party, minor_max });
    }

    /// Every token given so far is refused from now on.
    pub fn revoke_tokens(&self) {
        self.inner.admission.revoke();
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

    /// The answer that carries `error`.
    pub(crate) fn refuse(&self, error: &ApiError) -> Response {
        format::json(error.status(), &error.to_json(&self.options().quirks))
    }
}
