//! The market as a whole: its routes, and what can be done with it from outside.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use jiff::civil::Date;
use kiungo_domain::Timestamp;
use kiungo_simulator::books::Books;
use kiungo_simulator::callback_sender::Courier;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::{self, Provider};
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::Faults;
use kiungo_simulator::payment::PaymentRefused;

use super::keys::KeyPair;
use super::options::Options;
use super::order::Kind;
use super::state::State;
use super::{admission, answer, debit, desk, keys, money, paybill, query, session, statement};

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

/// One call as received.
pub(crate) struct Call {
    pub(crate) market: String,
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
    pub(crate) body: Bytes,
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

    /// The API, and `/_sim`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/{environment}/ipg/v2/{market}/{*operation}", any(dispatch))
            .merge(desk::routes())
            .fallback(|| async { answer::not_found() })
            .with_state(self.clone())
            .merge(control::router(self.clone()))
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

    /// The truth, for an audit.
    pub fn books(&self) -> Books {
        self.state().ledger.books()
    }

    /// Opens a wallet with a balance, or adds to an open one.
    pub fn open_wallet(&self, msisdn: &str, balance_minor: i64) {
        self.state().ledger.open(msisdn.trim_start_matches('+'), balance_minor);
    }

    /// A customer pays the organisation by himself and names an account: the client validates,
    /// the money moves, and a moment later the client has it confirmed. The receipt.
    ///
    /// # Errors
    /// When the wallet does not allow it, or the client turned it away; nothing moved then.
    pub async fn pay(
        &self,
        msisdn: &str,
        amount_minor: i64,
        account_reference: &str,
    ) -> Result<String, PaymentRefused> {
        paybill::pay(self, msisdn, amount_minor, account_reference).await
    }

    /// The operator takes a transaction back, unasked: a query shows it as reversed from then on.
    /// The receipt of the reversal.
    ///
    /// # Errors
    /// The response code, if there is no such transaction, it was taken back already, or its money
    /// has been spent.
    pub fn take_back(&self, receipt: &str) -> Result<String, &'static str> {
        money::take_back(self, receipt).map_err(|code| code.name)
    }

    /// The organisation's statement for these local days, both included, as the portal exports it
    /// in CSV (`mobile-money-files.md` §1). From the first movement, and to the last, if `None`.
    pub fn statement(&self, from: Option<Date>, to: Option<Date>) -> String {
        statement::export(self, from, to)
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
}

impl Provider for Simulator {
    fn books(&self) -> Books {
        Self::books(self)
    }

    fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    fn open_wallet(&self, msisdn: &str, balance_minor: i64) {
        Self::open_wallet(self, msisdn, balance_minor);
    }

    async fn pay(
        &self,
        msisdn: &str,
        amount_minor: i64,
        account_reference: &str,
    ) -> Result<String, PaymentRefused> {
        Self::pay(self, msisdn, amount_minor, account_reference).await
    }
}

/// Every path ends in a slash; one without is not found (`mpesa-openapi.md` §1).
async fn dispatch(
    Shared(simulator): Shared<Simulator>,
    Path((environment, market, operation)): Path<(String, String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if environment != simulator.options().environment {
        return answer::not_found();
    }
    let call = Call { market, headers, uri, body };
    let lenient = !simulator.options().strict;
    match (method.as_str(), operation.as_str()) {
        ("GET", "getSession/") => session::create(&simulator, &call),
        ("POST", "c2bPayment/singleStage/") => money::take(&simulator, &call, Kind::C2b).await,
        ("POST", "b2cPayment/") => money::take(&simulator, &call, Kind::B2c).await,
        ("POST", "b2bPayment/") => money::take(&simulator, &call, Kind::B2b).await,
        ("PUT", "reversal/") => money::take(&simulator, &call, Kind::Reversal).await,
        ("POST", "reversal/") if lenient => money::take(&simulator, &call, Kind::Reversal).await,
        ("GET", "queryTransactionStatus/") => query::status(&simulator, &call).await,
        ("GET", "queryBeneficiaryName/") => query::name(&simulator, &call).await,
        ("POST", "directDebitCreation/") => debit::create(&simulator, &call),
        ("POST", "directDebitPayment/") => debit::pay(&simulator, &call).await,
        ("GET", "queryDirectDebit/") => debit::query(&simulator, &call).await,
        ("PUT", "directDebitCancel/") => debit::cancel(&simulator, &call),
        // Documented, and not simulated: the real platform has these products switched off.
        ("POST", "c2bPayment/multiStage/") | ("PUT", "updateTransactionStatus/") => {
            admission::not_enabled(&simulator, &call)
        }
        _ => answer::not_found(),
    }
}
