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
    /// True if the old session survives the creation of the next.
    pub(crate) overlap: bool,
    /// The age up to which a session is kept that is refused before it ever worked: its activation
    /// may take longer than usual, and another one would be younger still.
    pub(crate) activation_max: Duration,
}

impl Timing {
    /// The age at which a session is renewed: 80 % of its lifetime, earlier where the rest is too
    /// short for the next one to become live.
    fn renewal(&self) -> Duration {
        (self.lifetime / 5 * 4).min(self.lifetime.saturating_sub(self.activation_delay * 2))
    }

    /// The age up to which a session is used: a request needs a moment to arrive.
    fn use_by(&self) -> Duration {
        self.lifetime.saturating_sub((self.lifetime / 20).min(ARRIVAL))
    }
}

/// The right to make one call with a session.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    /// The header, encrypted once for all calls of the session.
    pub(crate) authorization: HeaderValue,
    /// A digest of the session id: it makes query ids fresh.
    pub(crate) seed: [u8; 32],
    /// The number of the session, counted from 1.
    pub(crate) serial: u64,
    /// True if it has worked at least once.
    pub(crate) proven: bool,
}

/// The answer to a caller that asks for a session.
#[derive(Debug)]
pub(super) enum Look {
    /// A session to use.
    Live { lease: Lease, renewal_due: bool },
    /// A session that is live from then on.
    Pending(Instant),
    /// None, and it is too early to try again.
    HeldBack(SessionError),
    /// None.
    Missing,
}

#[derive(Debug)]
struct Session {
    lease: Lease,
    created_at: Instant,
    active_at: Instant,
    renew_at: Instant,
    expires_at: Instant,
    /// The number of times that it was refused without ever having worked.
    refusals: u32,
}

/// The consequence of a refused session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The session was no longer in use.
    Elsewhere,
    /// The session is not live yet: it is kept, and tried again after a while.
    TriedAgain,
    /// The session is given up: another one is needed.
    GivenUp,
}

#[derive(Debug)]
pub(super) struct Slots {
    timing: Timing,
    current: Option<Session>,
    next: Option<Session>,
    /// The session before the current one, until that has worked.
    former: Option<Session>,
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
            former: None,
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

    /// The time at which the session in use ends; `None` if there is none.
    pub(super) fn expires_at(&mut self, now: Instant) -> Option<Instant> {
        self.turn(now);
        self.current.as_ref().map(|session| session.expires_at)
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
            proven: false,
        };
        self.next = Some(Session {
            lease,
            created_at: answered_at,
            active_at,
            renew_at: (asked_at + self.timing.renewal()).max(active_at),
            expires_at: asked_at + self.timing.use_by(),
            refusals: 0,
        });
        Ok(())
    }

    pub(super) fn accepted(&mut self, lease: &Lease) {
        if let Some(session) = self.current.as_mut().filter(|s| s.lease.serial == lease.serial) {
            session.lease.proven = true;
            self.former = None;
            self.failure_count = 0;
            self.setback = None;
        }
    }

    pub(super) fn has_worked(&self, lease: &Lease) -> bool {
        let known = [&self.current, &self.former, &self.next];
        let session = known.into_iter().flatten().find(|s| s.lease.serial == lease.serial);
        session.map_or(lease.proven, |session| session.lease.proven)
    }

    /// Takes note that the session was refused, if it is still the one in use. One that never
    /// worked is tried again, and the one before it serves meanwhile where there is one; once it is
    /// too old for that, it is given up, and the next attempt is held back, so that a wrong setting
    /// does not create a session per request.
    pub(super) fn refused(&mut self, lease: &Lease, now: Instant) -> Refused {
        let Some(mut session) = self.current.take_if(|s| s.lease.serial == lease.serial) else {
            return Refused::Elsewhere;
        };
        self.current = self.former.take();
        if session.lease.proven {
            return Refused::GivenUp;
        }
        if now < session.created_at + self.timing.activation_max && self.next.is_none() {
            session.active_at = now + back_off(session.refusals).min(LONGEST_PAUSE);
            session.refusals = session.refusals.saturating_add(1);
            self.next = Some(session);
            return Refused::TriedAgain;
        }
        self.set_back(SessionError::NeverWorked, now);
        Refused::GivenUp
    }

    /// Lets the next session take over when it is live, and drops those that have ended.
    fn turn(&mut self, now: Instant) {
        let overlap = self.timing.overlap;
        if let Some(next) = self.next.take_if(|next| now >= next.active_at) {
            let before = self.current.replace(next);
            // Until the new one has worked, the old one is there to fall back upon.
            self.former = before.filter(|_| overlap);
        }
        self.current
            .take_if(|session| now >= session.expires_at || (!overlap && now >= session.renew_at));
        self.former.take_if(|session| now >= session.expires_at);
    }

    /// 1 s, doubled by each further failure, 60 s at most.
    fn set_back(&mut self, error: SessionError, now: Instant) {
        let wait = back_off(self.failure_count).min(LONGEST_SETBACK);
        self.failure_count = self.failure_count.saturating_add(1);
        self.setback = Some((now + wait, error));
    }
}

/// 1 s, doubled by each failure before.
fn back_off(failures: u32) -> Duration {
    Duration::from_secs(1_u64 << failures.min(6))
}

/// The time before its end from which a session is no longer given out.
const ARRIVAL: Duration = Duration::from_secs(10);
const LONGEST_SETBACK: Duration = Duration::from_mins(1);
/// The longest time for which a session that is not live yet is left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
