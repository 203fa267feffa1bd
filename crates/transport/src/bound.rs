//! Bounds the time for which a request may wait before its first byte is written.
//!
//! A process can be frozen, or held up, between the moment at which an operation was intended and
//! the moment at which its request is sent. Meanwhile others may have found out that it never
//! arrived. So the intent states the time until which an operation may be sent, and a transport
//! sends nothing later. A process's own clock stands still while its machine is suspended, and the
//! time of day can be set back: the longer of the two waits counts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use thiserror::Error;
use tokio::time::Instant;

use crate::Failure;

tokio::task_local! {
    static BOUND: Bound;
}

/// The moment at which an operation was intended, by both clocks.
#[derive(Clone)]
pub struct Intended {
    at: Instant,
    by_time_of_day: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Intended {
    /// The moment `at`; `by_time_of_day` says how long ago that is by the time of day.
    pub fn new(at: Instant, by_time_of_day: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { at, by_time_of_day: Arc::new(by_time_of_day) }
    }

    /// The time since the intent, by the clock that says more.
    pub fn ago(&self) -> Duration {
        self.at.elapsed().max((self.by_time_of_day)())
    }
}

impl fmt::Debug for Intended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Intended").field(&self.at).finish()
    }
}

/// From when on nothing more is sent.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    intended: Intended,
    wait_max: Duration,
}

impl Bound {
    /// The bound of the operation that this task carries out, if it has one.
    pub(crate) fn present() -> Option<Self> {
        BOUND.try_with(Self::clone).ok()
    }

    /// The reason that nothing is sent any more, if it is too late.
    pub(crate) fn missed(&self) -> Option<String> {
        let waited = self.intended.ago();
        (waited > self.wait_max).then(|| format!("held up for {} ms", waited.as_millis()))
    }
}

/// Runs `operation`, whose requests are sent within `wait_max` of its intent, or not at all.
pub async fn sent_within<T>(
    intended: Intended,
    wait_max: Duration,
    operation: impl Future<Output = T>,
) -> T {
    BOUND.scope(Bound { intended, wait_max }, operation).await
}

/// Fails if it is too late to send: asked by every [`crate::Transport`] right before it writes.
///
/// # Errors
/// [`Failure::NotSent`] if so.
pub fn still_in_time() -> Result<(), Failure> {
    match Bound::present().and_then(|bound| bound.missed()) {
        Some(why) => Err(Failure::NotSent { why }),
        None => Ok(()),
    }
}

/// A request's body, which is not given out once it is too late: the connection may have taken long
/// to open, and a request that arrives without its body is not executed.
pub(crate) struct TimelyBody {
    bound: Bound,
    content: Option<Bytes>,
}

impl TimelyBody {
    pub(crate) const fn new(bound: Bound, content: Bytes) -> Self {
        Self { bound, content: Some(content) }
    }
}

/// Too late.
#[derive(Debug, Error)]
#[error("the request was given up before its body was sent: {0}")]
pub(crate) struct TooLate(String);

impl http_body::Body for TimelyBody {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        let Some(content) = self.content.take() else { return Poll::Ready(None) };
        Poll::Ready(Some(match self.bound.missed() {
            Some(why) => Err(TooLate(why)),
            None => Ok(Frame::data(content)),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.content.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn now() -> Intended {
        Intended::new(Instant::now(), || Duration::ZERO)
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_later_than_its_bound() {
        assert!(still_in_time().is_ok(), "without a bound");
        let (at, bound) = (now(), Duration::from_secs(5));
        let send = |wait: u64| async move {
            tokio::time::sleep(Duration::from_secs(wait)).await;
            still_in_time()
        };
        assert!(sent_within(at.clone(), bound, send(5)).await.is_ok());
        let late = sent_within(at, bound, send(1)).await;
        assert_eq!(late, Err(Failure::NotSent { why: "held up for 6000 ms".to_owned() }));
    }

    /// The machine is suspended after the intent: its own clock stands still meanwhile.
    #[tokio::test(start_paused = true)]
    async fn a_suspended_machine_sends_nothing_when_it_wakes_up() {
        use http_body_util::BodyExt as _;

        let day = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&day);
        let intended = Intended::new(Instant::now(), move || {
            Duration::from_secs(clock.load(Ordering::SeqCst))
        });
        let bound = Duration::from_secs(5);
        let body = sent_within(intended.clone(), bound, async {
            still_in_time().map(|()| Bound::present().expect("a bound"))
        });
        let body = TimelyBody::new(body.await.expect("in time"), Bytes::from_static(b"money"));
        day.store(3_600, Ordering::SeqCst);
        let late = sent_within(intended, bound, async { still_in_time() }).await;
        assert_eq!(late, Err(Failure::NotSent { why: "held up for 3600000 ms".to_owned() }));
        assert!(body.collect().await.is_err(), "nor what had been begun");
    }

    #[tokio::test]
    async fn a_body_in_time_arrives_whole_with_its_length() {
        use axum::routing::post;
        use http_body_util::BodyExt as _;

        let echo = post(|request: axum::extract::Request| async move {
            let length = request.headers()[http::header::CONTENT_LENGTH].clone();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            format!("{}:{}", length.to_str().unwrap(), String::from_utf8_lossy(&body))
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum::serve(listener, axum::Router::new().route("/", echo));
        tokio::spawn(server.into_future());
        let network = crate::Network::new(&crate::NetworkOptions::default()).unwrap();
        let request = || {
            let request = http::Request::post(format!("http://{address}/"));
            request.body(Bytes::from_static(b"money")).unwrap()
        };
        let minute = Duration::from_secs(60);
        let send = |bound| {
            let sending = crate::Transport::send(&network, request(), minute);
            sent_within(now(), bound, sending)
        };
        assert_eq!(send(minute).await.unwrap().body(), "5:money");
        let late = sent_within(now(), Duration::ZERO, async {
            tokio::task::yield_now().await;
            crate::Transport::send(&network, request(), minute).await
        });
        assert!(matches!(late.await, Err(Failure::NotSent { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_not_given_out_too_late() {
        use http_body_util::BodyExt as _;

        let bound = Bound { intended: now(), wait_max: Duration::from_secs(5) };
        let body = || TimelyBody::new(bound.clone(), Bytes::from_static(b"money"));
        assert_eq!(body().collect().await.unwrap().to_bytes(), "money");
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(body().collect().await.is_err());
    }
}
