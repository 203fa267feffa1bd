//! The two places for a session, as pure decisions over moments in time.

use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::SessionError;
use super::opener::Opened;

/// The clockwork of sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// From its creation until a session is live.
    pub(crate) activation_delay: Duration,
    /// From its creation until a session ends.
    pub(crate) lifetime: Duration,
    /// Whether the old session survives the creation of the next.
    pub(crate) overlap: bool,
}

impl Timing {
    /// How long after its creation a session is renewed: at 80 % of its lifetime, earlier where
    /// the rest is too short for the next one to become live.
    fn renewal(&self) -> Duration {
        (self.lifetime / 5 * 4).min(self.lifetime.saturating_sub(self.activation_delay * 2))
    }

    /// How long after its creation a session is used at most: a request needs a moment to arrive.
    fn use_by(&self) -> Duration {
        self.lifetime.saturating_sub((self.lifetime / 20).min(ARRIVAL))
    }
}

/// The right to make one call with a session.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    /// The header, encrypted once for all calls of the session.
    pub(crate) authorization: HeaderValue,
    /// A digest of the session id: what makes query ids fresh.
    pub(crate) seed: [u8; 32],
    /// Which session: counted from 1.
    pub(crate) serial: u64,
}

/// Where the session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    None,
    /// Created, and not yet live.
    Pending { active_at: Instant },
    /// In use.
    Live { expires_at: Instant },
    /// Due for replacement: in use until the next one is live, then only by calls in flight.
    Draining { expires_at: Instant },
}

/// What a caller finds.
#[derive(Debug)]
pub(super) enum Look {
    /// A session to use.
    Live { lease: Lease, renewal_due: bool },
    /// One that is live from then on.
    Pending(Instant),
    /// None, and it is too early to try again.
    HeldBack(SessionError),
    /// None.
    Missing,
}

#[derive(Debug)]
struct Session {
    lease: Lease,
    active_at: Instant,
    renew_at: Instant,
    expires_at: Instant,
    /// It has worked at least once.
    proven: bool,
}

#[derive(Debug)]
pub(super) struct Slots {
    timing: Timing,
    current: Option<Session>,
    next: Option<Session>,
    created_count: u64,
    /// Failures since a session last worked.
    failure_count: u32,
    /// The last failure, and until when it keeps further attempts back.
    setback: Option<(Instant, SessionError)>,
}

impl Slots {
    pub(super) const fn new(timing: Timing) -> Self {
        Self {
            timing,
            current: None,
            next: None,
            created_count: 0,
            failure_count: 0,
            setback: None,
        }
    }

    pub(super) fn look(&mut self, now: Instant) -> Look {
        self.turn(now);
        let setback = self.setback.as_ref().filter(|(until, _)| now < *until);
        match (&self.current, &self.next) {
            (Some(session), next) => Look::Live {
                lease: session.lease.clone(),
                renewal_due: now >= session.renew_at && next.is_none() && setback.is_none(),
            },
            (None, Some(next)) => Look::Pending(next.active_at),
            (None, None) => match setback {
                Some((_, error)) => Look::HeldBack(error.clone()),
                None => Look::Missing,
            },
        }
    }

    pub(super) fn state(&mut self, now: Instant) -> State {
        self.turn(now);
        match (&self.current, &self.next) {
            (Some(session), _) if now < session.renew_at => {
                State::Live { expires_at: session.expires_at }
            }
            (Some(session), _) => State::Draining { expires_at: session.expires_at },
            (None, Some(next)) => State::Pending { active_at: next.active_at },
            (None, None) => State::None,
        }
    }

    /// Puts a new session into the second slot, or remembers the failure.
    pub(super) fn created(
        &mut self,
        opened: Result<Opened, SessionError>,
        asked_at: Instant,
        answered_at: Instant,
    ) -> Result<(), SessionError> {
        let opened = opened.inspect_err(|error| self.set_back(error.clone(), answered_at))?;
        self.created_count += 1;
        // Cautious on both sides: it ends counted from the question, and lives counted from the
        // answer.
        let active_at = answered_at + self.timing.activation_delay;
        let lease = Lease {
            authorization: opened.authorization,
            seed: opened.seed,
            serial: self.created_count,
        };
        self.next = Some(Session {
            lease,
            active_at,
            renew_at: (asked_at + self.timing.renewal()).max(active_at),
            expires_at: asked_at + self.timing.use_by(),
            proven: false,
        });
        Ok(())
    }

    pub(super) fn accepted(&mut self, lease: &Lease) {
        if let Some(session) = self.current.as_mut().filter(|s| s.lease.serial == lease.serial) {
            session.proven = true;
            self.failure_count = 0;
            self.setback = None;
        }
    }

    /// Gives the session up, if it is still the one in use. One that never worked keeps the next
    /// attempt back, so that a wrong setting does not create a session per request.
    pub(super) fn refused(&mut self, lease: &Lease, now: Instant) -> bool {
        let Some(session) = self.current.take_if(|s| s.lease.serial == lease.serial) else {
            return false;
        };
        if !session.proven {
            self.set_back(SessionError::NeverWorked, now);
        }
        true
    }

    /// Lets the next session take over when it is live, and drops one that has ended.
    fn turn(&mut self, now: Instant) {
        if let Some(next) = self.next.take_if(|next| now >= next.active_at) {
            self.current = Some(next);
        }
        let overlap = self.timing.overlap;
        self.current
            .take_if(|session| now >= session.expires_at || (!overlap && now >= session.renew_at));
    }

    /// 1 s, doubled by each further failure, 60 s at most.
    fn set_back(&mut self, error: SessionError, now: Instant) {
        let wait = Duration::from_secs(1_u64 << self.failure_count.min(6)).min(LONGEST_SETBACK);
        self.failure_count = self.failure_count.saturating_add(1);
        self.setback = Some((now + wait, error));
    }
}

/// How long before its end a session is no longer given out.
const ARRIVAL: Duration = Duration::from_secs(10);
const LONGEST_SETBACK: Duration = Duration::from_mins(1);
