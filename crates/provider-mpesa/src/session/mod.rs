//! The session manager: one per application and market, shared by all calls
//! (`mpesa-openapi.md` §3.3).
//!
//! A session is created when first needed, waited for until it is live, and replaced before it
//! ends: the next one is created in the background while the old one still serves. Limits are
//! counted per session, so there is never one per request. Creation is single flight, and held back
//! for a growing while after a failure.

mod opener;
mod slots;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub(crate) use opener::Opener;
pub(crate) use slots::{Lease, State, Timing};
use slots::{Look, Slots};

/// Why there is no session. Nothing of the operation that needed it has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum SessionError {
    /// No answer to `getSession`.
    #[error("no session could be created: {0}")]
    Unreachable(String),
    /// `getSession` was refused, by a code.
    #[error(
        "no session was granted ({code} {text}): check that API key and public_key belong to this \
         environment, and check market and origin"
    )]
    Refused { code: String, text: String },
    /// The answer to `getSession` holds no session.
    #[error("the answer to getSession holds no session: {0}")]
    Unusable(String),
    /// A session was granted, and refused at its first use.
    #[error("a new session was refused at its first use: check activation_delay, origin, market")]
    NeverWorked,
}

impl SessionError {
    /// Whether a person must repair something.
    pub(crate) const fn needs_repair(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NeverWorked)
    }
}

/// Hands out the session. Dropping it ends a renewal that is under way.
pub(crate) struct Sessions {
    shared: Arc<Shared>,
    renewals: Mutex<JoinSet<()>>,
}

struct Shared {
    opener: Opener,
    slots: Mutex<Slots>,
    /// Held while a session is being created: single flight.
    flight: tokio::sync::Mutex<()>,
}

impl Sessions {
    pub(crate) fn new(opener: Opener, timing: Timing) -> Self {
        let shared = Shared {
            opener,
            slots: Mutex::new(Slots::new(timing)),
            flight: tokio::sync::Mutex::new(()),
        };
        Self { shared: Arc::new(shared), renewals: Mutex::new(JoinSet::new()) }
    }

    /// A live session: waits for its activation, creates it if there is none, and begins its
    /// renewal when it is due. May be dropped at any time.
    pub(crate) async fn lease(&self) -> Result<Lease, SessionError> {
        loop {
            match self.shared.look() {
                Look::Live { lease, renewal_due } => {
                    if renewal_due {
                        self.renew();
                    }
                    return Ok(lease);
                }
                Look::Pending(active_at) => sleep_until(active_at).await,
                Look::HeldBack(error) => return Err(error),
                Look::Missing => self.shared.create().await?,
            }
        }
    }

    /// Makes sure that there is a session, without waiting for its activation.
    pub(crate) async fn ensure(&self) -> Result<State, SessionError> {
        if matches!(self.shared.look(), Look::Missing) {
            self.shared.create().await?;
        }
        match self.shared.look() {
            Look::HeldBack(error) => Err(error),
            _ => Ok(lock(&self.shared.slots).state(Instant::now())),
        }
    }

    /// The session was accepted: an answer with a code of M-Pesa's came back.
    pub(crate) fn accepted(&self, lease: &Lease) {
        lock(&self.shared.slots).accepted(lease);
    }

    /// The session was refused: it is given up, and the next one is created at once.
    pub(crate) fn refused(&self, lease: &Lease) {
        if lock(&self.shared.slots).refused(lease, Instant::now()) {
            tracing::warn!("the M-Pesa session was refused; another one is created");
            self.renew();
        }
    }

    fn renew(&self) {
        let mut renewals = lock(&self.renewals);
        while renewals.try_join_next().is_some() {}
        if renewals.is_empty() {
            let shared = Arc::clone(&self.shared);
            renewals.spawn(async move {
                if let Err(error) = shared.create().await {
                    tracing::warn!(%error, "the M-Pesa session could not be renewed");
                }
            });
        }
    }
}

impl Shared {
    fn look(&self) -> Look {
        lock(&self.slots).look(Instant::now())
    }

    /// Creates a session, unless somebody else has done so (or failed to) meanwhile.
    async fn create(&self) -> Result<(), SessionError> {
        let _flight = self.flight.lock().await;
        match self.look() {
            Look::Missing | Look::Live { renewal_due: true, .. } => {}
            Look::Live { .. } | Look::Pending(_) => return Ok(()),
            Look::HeldBack(error) => return Err(error),
        }
        let asked_at = Instant::now();
        let opened = self.opener.open().await;
        lock(&self.slots).created(opened, asked_at, Instant::now())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
