//! Tokens that are valid for a time: one request for all who wait, and renewal before the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The longest time for which a token is used: one that lives for ages must not overflow the clock.
const USED_MAX: Duration = Duration::from_hours(24);

/// A token as it was granted.
#[derive(Debug)]
pub struct Granted {
    /// The value of `Authorization`.
    pub header: HeaderValue,
    /// From the request for it until its end.
    pub lifetime: Duration,
}

/// The right to send one request with a token.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The value of `Authorization`.
    pub header: HeaderValue,
    /// True if the token was obtained for just this request.
    pub fresh: bool,
    serial: u64,
}

/// The bounds of a cache.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A token is renewed this long before its end, so that it does not end under way; a short-lived
    /// one after half its life.
    pub renew_before: Duration,
    /// A failure is the answer to everybody who asks this long after it. Those who waited for the
    /// request that failed share it in any case: a dead token endpoint would otherwise keep the last
    /// of many waiters for as many time-outs.
    pub failure_kept: Duration,
}

/// The token that all requests to one other side share. `E` is the reason that there is none.
pub struct TokenCache<E> {
    timing: Timing,
    failures: AtomicU64,
    /// Held while a token is obtained: the others wait for it instead of obtaining their own.
    state: Mutex<State<E>>,
}

struct State<E> {
    token: Option<Token>,
    /// The number of tokens so far.
    serial: u64,
    failure: Option<(Instant, E)>,
}

struct Token {
    header: HeaderValue,
    renew_at: Instant,
}

impl<E: Clone> TokenCache<E> {
    /// A cache without a token.
    pub fn new(timing: Timing) -> Self {
        let state = State { token: None, serial: 0, failure: None };
        Self { timing, failures: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// A token that need not be renewed yet. `obtain` asks the other side for one; it is not polled
    /// unless it is needed.
    pub async fn lease(
        &self,
        obtain: impl Future<Output = Result<Granted, E>>,
    ) -> Result<Lease, E> {
        self.at_least(0, obtain).await
    }

    /// A later token than one that was refused. Callers that were refused with the same token share
    /// one renewal.
    pub async fn renew(
        &self,
        refused: &Lease,
        obtain: impl Future<Output = Result<Granted, E>>,
    ) -> Result<Lease, E> {
        self.at_least(refused.serial + 1, obtain).await
    }

    /// Drops a token that was refused, unless it has been replaced meanwhile.
    pub async fn forget(&self, refused: &Lease) {
        let mut state = self.state.lock().await;
        if state.serial == refused.serial {
            state.token = None;
        }
    }

    async fn at_least(
        &self,
        serial: u64,
        obtain: impl Future<Output = Result<Granted, E>>,
    ) -> Result<Lease, E> {
        let failures_before = self.failures.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token
            && state.serial >= serial
            && Instant::now() < token.renew_at
        {
            let header = token.header.clone();
            return Ok(Lease { header, fresh: false, serial: state.serial });
        }
        if let Some((at, failure)) = &state.failure
            && (self.failures.load(Ordering::Acquire) != failures_before
                || at.elapsed() < self.timing.failure_kept)
        {
            return Err(failure.clone());
        }
        let asked_at = Instant::now();
        match obtain.await {
            Ok(Granted { header, lifetime }) => {
                state.serial += 1;
                let renew_at = asked_at + self.timing.used(lifetime);
                state.token = Some(Token { header: header.clone(), renew_at });
                state.failure = None;
                Ok(Lease { header, fresh: true, serial: state.serial })
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::AcqRel);
                state.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

impl Timing {
    /// The time for which a token is used.
    fn used(self, lifetime: Duration) -> Duration {
        lifetime.saturating_sub(self.renew_before).max(lifetime / 2).min(USED_MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);

    /// A token endpoint that takes a second, and counts.
    #[derive(Default)]
    struct Endpoint {
        asked: AtomicU64,
    }

    impl Endpoint {
        async fn obtain(&self, works: bool) -> Result<Granted, u64> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let header = HeaderValue::from(number);
            works.then_some(Granted { header, lifetime: LIFETIME }).ok_or(number)
        }

        fn asked(&self) -> u64 {
            self.asked.load(Ordering::SeqCst)
        }
    }

    fn cache(failure_kept_s: u64) -> TokenCache<u64> {
        let failure_kept = Duration::from_secs(failure_kept_s);
        TokenCache::new(Timing { renew_before: Duration::from_secs(30), failure_kept })
    }

    /// Ten callers at once.
    async fn ten(
        cache: &Arc<TokenCache<u64>>,
        endpoint: &Arc<Endpoint>,
        works: bool,
    ) -> Vec<Result<Lease, u64>> {
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let (cache, endpoint) = (Arc::clone(cache), Arc::clone(endpoint));
                tokio::spawn(async move { cache.lease(endpoint.obtain(works)).await })
            })
            .collect();
        let mut answers = Vec::new();
        for caller in callers {
            answers.push(caller.await.unwrap());
        }
        answers
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_share_one_token_until_it_is_due() {
        let (cache, endpoint) = (Arc::new(cache(0)), Arc::new(Endpoint::default()));
        let leases = ten(&cache, &endpoint, true).await;
        let fresh = leases.iter().filter(|lease| lease.as_ref().unwrap().fresh).count();
        assert_eq!((endpoint.asked(), fresh), (1, 1));
        tokio::time::advance(Duration::from_secs(568)).await;
        assert!(!cache.lease(endpoint.obtain(true)).await.unwrap().fresh);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(cache.lease(endpoint.obtain(true)).await.unwrap().fresh);
        assert_eq!(endpoint.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_by_all_who_waited_and_kept_as_long_as_is_said() {
        for kept in [0, 3] {
            let (cache, endpoint) = (Arc::new(cache(kept)), Arc::new(Endpoint::default()));
            let failures = ten(&cache, &endpoint, false).await;
            assert!(failures.iter().all(|failure| matches!(failure, Err(1))), "{failures:?}");
            assert!(cache.lease(endpoint.obtain(false)).await.is_err());
            assert_eq!(endpoint.asked(), if kept == 0 { 2 } else { 1 });
            tokio::time::advance(Duration::from_secs(kept)).await;
            assert!(cache.lease(endpoint.obtain(true)).await.is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_replaced_once_for_all_who_were_refused() {
        let (cache, endpoint) = (cache(0), Endpoint::default());
        let refused = cache.lease(endpoint.obtain(true)).await.unwrap();
        let first = cache.renew(&refused, endpoint.obtain(true)).await.unwrap();
        let second = cache.renew(&refused, endpoint.obtain(true)).await.unwrap();
        assert_eq!(
            (first.header, second.header.clone()),
            ("2".parse().unwrap(), "2".parse().unwrap())
        );
        // It is not the one in use any more.
        cache.forget(&refused).await;
        assert!(!cache.lease(endpoint.obtain(true)).await.unwrap().fresh);
        cache.forget(&second).await;
        assert!(cache.lease(endpoint.obtain(true)).await.unwrap().fresh);
        assert_eq!(endpoint.asked(), 3);
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end_or_for_half_its_life() {
        let timing = cache(0).timing;
        let used = |seconds| timing.used(Duration::from_secs(seconds)).as_secs();
        assert_eq!([used(3_600), used(40), used(0), used(u64::MAX)], [3_570, 20, 0, 86_400]);
    }
}
