//! The session manager: one per application and market, shared by all calls
//! (`mpesa-openapi.md` §3).
//!
//! A session is created when first needed, waited for until it is live, and replaced before it
//! ends: the next one is created in the background while the old one still serves. Limits are
//! counted per session, so there is never one per request. Creation is single flight, and held back
//! for a growing while after a failure.
//!
//! A session that is refused before it ever worked may only need longer than usual to become live:
//! it is kept and tried again until it is older than `activation_max`. Replacing it would bring one
//! that is younger still, and so on for ever.

mod opener;
mod slots;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub(crate) use opener::Opener;
pub(crate) use slots::{Lease, Timing};
use slots::{Look, Refused, Slots};

/// The reason that there is no session. Nothing of the operation that needed it has been sent.
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
    /// There is nothing where `getSession` should be.
    #[error(
        "there is no getSession at this address (HTTP 404 without an M-Pesa response code): check \
         base_url, environment and market"
    )]
    NotThere,
    /// A session was granted, and refused for as long as its activation may take.
    #[error(
        "a new session was refused until it was older than activation_max: check origin, market, \
         and activation_max"
    )]
    NeverWorked,
    /// A session was granted, and is refused so far.
    #[error(
        "a new session is not live yet, although activation_delay is over: it is tried again until \
         it is older than activation_max"
    )]
    NotLiveYet,
}

impl SessionError {
    /// True if a person must repair something.
    pub(crate) const fn needs_repair(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NeverWorked | Self::NotThere)
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
    /// The longest time for which a caller waits for a session to become live.
    patience: Duration,
}

impl Sessions {
    pub(crate) fn new(opener: Opener, timing: Timing) -> Self {
        let shared = Shared {
            patience: opener.timeout + timing.activation_delay,
            opener,
            slots: Mutex::new(Slots::new(timing)),
            flight: tokio::sync::Mutex::new(()),
        };
        Self { shared: Arc::new(shared), renewals: Mutex::new(JoinSet::new()) }
    }

    /// A live session: waits for its activation, creates it if there is none, and begins its
    /// renewal when it is due. May be dropped at any time.
    pub(crate) async fn lease(&self) -> Result<Lease, SessionError> {
        self.lease_by(self.patience_ends()).await
    }

    /// The time at which a caller that comes now stops waiting for a session to become live.
    pub(crate) fn patience_ends(&self) -> Instant {
        Instant::now() + self.shared.patience
    }

    /// The same with a deadline that was set before.
    pub(crate) async fn lease_by(&self, deadline: Instant) -> Result<Lease, SessionError> {
        loop {
            match self.shared.look() {
                Look::Live { lease, renewal_due } => {
                    if renewal_due {
                        self.renew();
                    }
                    return Ok(lease);
                }
                Look::Pending(active_at) if active_at > deadline => {
                    return Err(SessionError::NotLiveYet);
                }
                Look::Pending(active_at) => sleep_until(active_at).await,
                Look::HeldBack(error) => return Err(error),
                Look::Missing => self.shared.create().await?,
            }
        }
    }

    /// The session was accepted: an answer with a code of M-Pesa's came back.
    pub(crate) fn accepted(&self, lease: &Lease) {
        lock(&self.shared.slots).accepted(lease);
    }

    /// The session was refused: a new one is tried again, an old one replaced at once.
    pub(crate) fn refused(&self, lease: &Lease) {
        let refused = lock(&self.shared.slots).refused(lease, Instant::now());
        match refused {
            Refused::Elsewhere => {}
            Refused::TriedAgain => {
                tracing::warn!(
                    "the new M-Pesa session is not live yet: check activation_delay; it is tried \
                     again"
                );
            }
            Refused::GivenUp => {
                tracing::warn!("the M-Pesa session was refused; another one is created");
                self.renew();
            }
        }
    }

    /// True if this session has worked at least once.
    pub(crate) fn has_worked(&self, lease: &Lease) -> bool {
        lock(&self.shared.slots).has_worked(lease)
    }

    /// The time at which the session in use ends; `None` if there is none.
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        lock(&self.shared.slots).expires_at(Instant::now())
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

    /// Creates a session, unless another task has done so (or failed to) meanwhile.
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
