//! The throttle of one counterparty: in-flight limit, rate limit, and a breaker that holds work
//! instead of failing it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::request::BreakerState;
use crate::setup::TrafficOptions;

/// The longest wait for a turn that is taken before a commit: the intent then shares the commit of
/// the outcome before it, and waits for its turn after that. Short, because a process that dies in
/// between leaves an unknown behind that was never sent.
const START_AHEAD: Duration = Duration::from_millis(100);

/// The part of the slots, and of the rate, that questions of people and clients may take: one in
/// this number. Transfers have the rest to themselves.
const ASKING_SHARE: u32 = 4;

/// The wait before a question that finds no slot may come again: an answer takes about as long.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// The throttle of one counterparty.
#[derive(Debug)]
pub(crate) struct Throttle {
    options: TrafficOptions,
    slots: Arc<Semaphore>,
    asking: Arc<Semaphore>,
    state: Mutex<ThrottleState>,
}

#[derive(Debug)]
struct ThrottleState {
    /// The last failures in a row, the oldest first; never more than open the breaker.
    failures: VecDeque<Instant>,
    open_until: Option<Instant>,
    probing: bool,
    next_start: Instant,
    next_question: Instant,
}

/// The refusal of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Throttled {
    /// The wait before the next try.
    pub(crate) wait: Duration,
}

/// Leave to send one request.
#[derive(Debug)]
pub(crate) struct Permit {
    throttle: Arc<Throttle>,
    probe: bool,
    turn: Instant,
    _slot: OwnedSemaphorePermit,
    _asking: Option<OwnedSemaphorePermit>,
}

impl Throttle {
    pub(crate) fn new(options: TrafficOptions) -> Arc<Self> {
        let slots = options.in_flight_max.max(1);
        let share = usize::try_from(ASKING_SHARE).unwrap_or(1);
        Arc::new(Self {
            options,
            slots: Arc::new(Semaphore::new(slots)),
            asking: Arc::new(Semaphore::new((slots / share).max(1))),
            state: Mutex::new(ThrottleState {
                failures: VecDeque::new(),
                open_until: None,
                probing: false,
                next_start: Instant::now(),
                next_question: Instant::now(),
            }),
        })
    }

    /// Gives a permit at once, or none. Its time may yet have to come: [`Permit::ready`].
    pub(crate) fn try_enter(self: &Arc<Self>) -> Option<Permit> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        let (probe, turn) = self.admit(START_AHEAD).ok()?;
        Some(Permit { throttle: Arc::clone(self), probe, turn, _slot: slot, _asking: None })
    }

    /// Waits for a free slot and for its turn; an open breaker is not waited for.
    pub(crate) async fn enter(self: &Arc<Self>) -> Result<Permit, Throttled> {
        self.check_breaker()?;
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
            return Err(Throttled { wait: Duration::from_secs(1) });
        };
        let (probe, turn) = self.admit(Duration::from_secs(1))?;
        let permit = Permit { throttle: Arc::clone(self), probe, turn, _slot: slot, _asking: None };
        permit.ready().await;
        Ok(permit)
    }

    /// Lets a question that no money depends on pass at once, or not at all: within a share of the
    /// slots and of the rate, and only while the breaker is closed, because a probe is for work.
    /// Its time may yet have to come: [`Permit::ready`].
    pub(crate) fn try_ask(self: &Arc<Self>) -> Result<Permit, Throttled> {
        let full = |_| Throttled { wait: ASK_AGAIN };
        let asking = Arc::clone(&self.asking).try_acquire_owned().map_err(full)?;
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(full)?;
        let now = Instant::now();
        if let Some(until) = self.lock().open_until {
            return Err(Throttled { wait: until.saturating_duration_since(now).max(ASK_AGAIN) });
        }
        if let Some(rate) = self.options.per_second_max.filter(|rate| *rate > 0) {
            let mut state = self.lock();
            if state.next_question > now {
                return Err(Throttled { wait: state.next_question - now });
            }
            if state.next_start > now + START_AHEAD {
                return Err(Throttled { wait: state.next_start - now });
            }
            state.next_question = now + Duration::from_secs(1) * ASKING_SHARE / rate;
        }
        let (probe, turn) = self.admit(START_AHEAD)?;
        Ok(Permit { throttle: Arc::clone(self), probe, turn, _slot: slot, _asking: Some(asking) })
    }

    pub(crate) fn breaker(&self) -> BreakerState {
        match self.lock().open_until {
            None => BreakerState::Closed,
            Some(until) if until > Instant::now() => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.options.in_flight_max.max(1).saturating_sub(self.slots.available_permits())
    }

    fn check_breaker(&self) -> Result<(), Throttled> {
        let now = Instant::now();
        match self.lock().open_until {
            Some(until) if until > now => Err(Throttled { wait: until - now }),
            _ => Ok(()),
        }
    }

    /// Takes a turn that is at most `patience` away. Returns true if the permit is a breaker's
    /// probe, and the moment of the turn.
    fn admit(&self, patience: Duration) -> Result<(bool, Instant), Throttled> {
        let now = Instant::now();
        let mut state = self.lock();
        let probe = match state.open_until {
            None => false,
            Some(until) if until > now => return Err(Throttled { wait: until - now }),
            Some(_) if state.probing => {
                return Err(Throttled { wait: self.options.breaker_cool_down });
            }
            Some(_) => true,
        };
        let turn = state.next_start.max(now);
        if let Some(rate) = self.options.per_second_max.filter(|rate| *rate > 0) {
            if turn > now + patience {
                return Err(Throttled { wait: turn - now });
            }
            state.next_start = turn + Duration::from_secs(1) / rate;
        }
        state.probing = probe;
        Ok((probe, turn))
    }

    fn lock(&self) -> MutexGuard<'_, ThrottleState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Waits for its turn under the rate limit.
    pub(crate) async fn ready(&self) {
        // A sleep that is over already would still cost the timer's millisecond.
        if self.turn > Instant::now() {
            tokio::time::sleep_until(self.turn).await;
        }
    }

    /// Reports if the counterparty answered: an answer closes the breaker, and a number of failures
    /// in a row within the window opens it. Silence and refused connections count against it, a
    /// refusal by a listed code does not.
    pub(crate) fn report(self, answered: bool) {
        let mut state = self.throttle.lock();
        if answered {
            state.failures.clear();
            state.open_until = None;
            return;
        }
        let (now, options) = (Instant::now(), &self.throttle.options);
        let most = usize::try_from(options.breaker_failures.max(1)).unwrap_or(usize::MAX);
        state.failures.push_back(now);
        while state.failures.len() > most {
            state.failures.pop_front();
        }
        let oldest = state.failures.front().filter(|_| state.failures.len() == most);
        if self.probe || oldest.is_some_and(|at| now - *at <= options.breaker_window) {
            state.open_until = Some(now + options.breaker_cool_down);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.probe {
            self.throttle.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> TrafficOptions {
        TrafficOptions { in_flight_max: 2, breaker_failures: 3, ..TrafficOptions::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_breaker_holds_work_until_a_probe_is_answered() {
        let throttle = Throttle::new(options());
        for _ in 0..3 {
            throttle.enter().await.unwrap().report(false);
        }
        assert_eq!(throttle.breaker(), BreakerState::Open);
        assert!(throttle.enter().await.is_err());
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(throttle.breaker(), BreakerState::HalfOpen);
        let probe = throttle.enter().await.unwrap();
        assert!(throttle.try_enter().is_none(), "one probe at a time");
        probe.report(true);
        assert_eq!(throttle.breaker(), BreakerState::Closed);
        assert!(throttle.try_enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_opens_the_breaker_again() {
        let throttle = Throttle::new(options());
        for _ in 0..3 {
            throttle.enter().await.unwrap().report(false);
        }
        tokio::time::sleep(Duration::from_secs(6)).await;
        throttle.enter().await.unwrap().report(false);
        assert_eq!(throttle.breaker(), BreakerState::Open);
    }

    /// One failure at each of these seconds; true if the breaker is open then.
    async fn open_after(throttle: &Arc<Throttle>, seconds: &[u64]) -> bool {
        let start = Instant::now();
        for second in seconds {
            tokio::time::sleep_until(start + Duration::from_secs(*second)).await;
            throttle.enter().await.unwrap().report(false);
        }
        throttle.breaker() == BreakerState::Open
    }

    #[tokio::test(start_paused = true)]
    async fn failures_open_the_breaker_only_within_the_window() {
        let window = TrafficOptions { breaker_window: Duration::from_secs(30), ..options() };
        assert!(open_after(&Throttle::new(window), &[0, 15, 30]).await);
        assert!(!open_after(&Throttle::new(window), &[0, 15, 31, 46, 62]).await);
        assert!(open_after(&Throttle::new(window), &[0, 20, 40, 45]).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_begins_the_count_anew() {
        let throttle = Throttle::new(options());
        assert!(!open_after(&throttle, &[0, 1]).await);
        throttle.enter().await.unwrap().report(true);
        assert!(!open_after(&throttle, &[0, 1]).await);
        assert!(open_after(&throttle, &[0]).await);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_limit_are_in_flight() {
        let throttle = Throttle::new(options());
        let (one, two) = (throttle.try_enter().unwrap(), throttle.try_enter().unwrap());
        assert!(throttle.try_enter().is_none());
        assert_eq!(throttle.in_flight(), 2);
        drop((one, two));
        assert!(throttle.try_enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_kept() {
        let throttle =
            Throttle::new(TrafficOptions { per_second_max: Some(10), ..TrafficOptions::default() });
        let start = Instant::now();
        for _ in 0..21 {
            throttle.enter().await.unwrap().report(true);
        }
        assert_eq!(start.elapsed().as_millis(), 2_000);
    }

    #[tokio::test(start_paused = true)]
    async fn questions_take_a_share_of_the_slots() {
        let throttle = Throttle::new(TrafficOptions { in_flight_max: 8, ..options() });
        let asked: Vec<Permit> = std::iter::from_fn(|| throttle.try_ask().ok()).collect();
        assert_eq!(asked.len(), 2);
        let work: Vec<Permit> = std::iter::from_fn(|| throttle.try_enter()).collect();
        assert_eq!(work.len(), 6);
        drop(asked);
        let _work: Vec<Permit> = std::iter::from_fn(|| throttle.try_enter()).collect();
        assert!(throttle.try_ask().is_err(), "work has all slots");
    }

    #[tokio::test(start_paused = true)]
    async fn questions_take_a_share_of_the_rate() {
        let throttle =
            Throttle::new(TrafficOptions { per_second_max: Some(20), ..TrafficOptions::default() });
        let start = Instant::now();
        let mut asked = 0;
        while start.elapsed() < Duration::from_secs(10) {
            if let Ok(permit) = throttle.try_ask() {
                permit.report(true);
                asked += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!((49..=51).contains(&asked), "{asked} in 10 s, of 200");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_no_probe_of_an_open_breaker() {
        let throttle = Throttle::new(options());
        for _ in 0..3 {
            throttle.enter().await.unwrap().report(false);
        }
        assert!(throttle.try_ask().is_err());
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(throttle.try_ask().is_err());
        throttle.enter().await.unwrap().report(true);
        assert!(throttle.try_ask().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_shortly_ahead_is_taken_now_and_waited_for_later() {
        let throttle =
            Throttle::new(TrafficOptions { per_second_max: Some(20), ..TrafficOptions::default() });
        let start = Instant::now();
        let passes: Vec<Permit> = std::iter::from_fn(|| throttle.try_enter()).collect();
        assert_eq!(passes.len(), 3, "now, in 50 ms, in 100 ms");
        for (permit, ms) in passes.iter().zip([0, 50, 100]) {
            permit.ready().await;
            assert_eq!(start.elapsed().as_millis(), ms);
        }
    }
}
