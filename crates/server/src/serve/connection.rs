//! One connection, from its first request to its end.
//!
//! A client does not know that we stop until we say so, and a request that it sends meanwhile is
//! lost when the connection is closed under it. So a stop waits a moment on each connection for
//! requests on their way.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::ConnectionBounds;
use super::connection_slots::{ConnectionSlot, Phase, Standing};
use super::watched::Watched;

/// The time for which a stop waits for the first request of a connection. A client that connects
/// sends one within a round trip, or a little later from a busy machine.
const FIRST_REQUEST: Duration = Duration::from_secs(2);

/// The time for which a stop waits on a connection that has had requests: its client may keep it
/// for later. Requests that were sent already are read within that time.
const NEXT_REQUEST: Duration = Duration::from_millis(100);

/// Answers the requests of a connection until its client closes it, is too slow, has to make room, or
/// `shutdown` is cancelled.
pub(super) async fn attend(
    stream: TcpStream,
    slot: ConnectionSlot,
    router: Router,
    bounds: ConnectionBounds,
    shutdown: CancellationToken,
) -> hyper::Result<()> {
    let asked = Arc::new(AtomicBool::new(false));
    let standing = Arc::clone(&slot.standing);
    let service = Noting {
        router: TowerToHyperService::new(router),
        asked: Arc::clone(&asked),
        standing: Arc::clone(&standing),
    };
    let stream =
        Watched::new(stream, Arc::clone(&standing), bounds.head_timeout, bounds.answer_timeout);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // hyper's time runs from the end of the last request on.
        .header_read_timeout(bounds.idle_timeout)
        .max_headers(bounds.header_count_max)
        .max_buf_size(bounds.head_bytes_max)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        () = standing.closed.cancelled() => return Ok(()),
        ended = connection.as_mut() => return ended,
        () = shutdown.cancelled() => {}
    }
    let wait = if asked.load(Ordering::Relaxed) { NEXT_REQUEST } else { FIRST_REQUEST };
    tokio::select! {
        biased;
        () = standing.closed.cancelled() => return Ok(()),
        ended = connection.as_mut() => return ended,
        () = tokio::time::sleep(wait) => {}
    }
    connection.as_mut().graceful_shutdown();
    let ended = connection.await;
    drop(slot);
    ended
}

/// The router; notes that it was asked, and the phase of the connection.
struct Noting {
    router: TowerToHyperService<Router>,
    asked: Arc<AtomicBool>,
    standing: Arc<Standing>,
}

type Inner = TowerToHyperService<Router>;

impl Service<Request<Incoming>> for Noting {
    type Response = <Inner as Service<Request<Incoming>>>::Response;
    type Error = <Inner as Service<Request<Incoming>>>::Error;
    type Future = Answering<<Inner as Service<Request<Incoming>>>::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.asked.store(true, Ordering::Relaxed);
        self.standing.enter(Phase::Asked);
        Answering {
            answer: Box::pin(self.router.call(request)),
            standing: Arc::clone(&self.standing),
        }
    }
}

/// An answer being made; notes when it is.
struct Answering<F> {
    answer: Pin<Box<F>>,
    standing: Arc<Standing>,
}

impl<F: Future> Future for Answering<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let answer = ready!(self.answer.as_mut().poll(context));
        self.standing.enter(Phase::Answered { stalled: None });
        Poll::Ready(answer)
    }
}
