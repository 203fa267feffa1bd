//! A connection's bytes, watched: how long a request's head takes once it has begun, and how long a
//! client does not take what was written for it.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::connection_slots::{Phase, Standing};

/// A stream that ends when its client is too slow.
pub(super) struct Watched {
    stream: TcpStream,
    standing: Arc<Standing>,
    head: Deadline,
    answer: Deadline,
}

/// A time that runs while something lasts.
struct Deadline {
    after: Duration,
    began: Option<Instant>,
    /// Made only when there is something to wait for.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(
        stream: TcpStream,
        standing: Arc<Standing>,
        head_timeout: Duration,
        answer_timeout: Duration,
    ) -> Self {
        let (head, answer) = (Deadline::new(head_timeout), Deadline::new(answer_timeout));
        Self { stream, standing, head, answer }
    }

    /// Waits for a client that takes nothing more for now, and fails once that has lasted too long.
    fn stalled<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if let Phase::Answered { stalled: None } = self.standing.phase() {
            self.standing.enter(Phase::Answered { stalled: Some(Instant::now()) });
        }
        ready!(self.answer.poll(context));
        Poll::Ready(Err(too_slow("the answer was not taken in time")))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if !matches!(this.standing.phase(), Phase::Waiting { .. }) {
            // A body, or a request sent before the answer to the last: neither is a head that trickles.
            this.head.stop();
            return read;
        }
        if read.is_pending() {
            if this.head.is_running() {
                ready!(this.head.poll(context));
                return Poll::Ready(Err(too_slow("the head of a request did not end in time")));
            }
        } else if buffer.filled().len() > before {
            this.head.start();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Pending => this.stalled(context),
            written @ Poll::Ready(_) => written,
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write_vectored(context, slices) {
            Poll::Pending => this.stalled(context),
            written @ Poll::Ready(_) => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when all that there was to write is written: the client has taken the answer, or the
    /// kernel has for it.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.answer.stop();
        if let Phase::Answered { .. } = this.standing.phase() {
            this.head.stop();
            this.standing.enter(Phase::Waiting { since: Instant::now() });
        }
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl Deadline {
    const fn new(after: Duration) -> Self {
        Self { after, began: None, sleep: None }
    }

    const fn is_running(&self) -> bool {
        self.began.is_some()
    }

    fn start(&mut self) {
        self.began.get_or_insert_with(Instant::now);
    }

    fn stop(&mut self) {
        self.began = None;
        self.sleep = None;
    }

    /// Ready when the time is over, which begins now if it has not begun.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let until = *self.began.get_or_insert_with(Instant::now) + self.after;
        let sleep = || Box::pin(tokio::time::sleep_until(until));
        self.sleep.get_or_insert_with(sleep).as_mut().poll(context)
    }
}

fn too_slow(what: &'static str) -> io::Error {
    metrics::counter!("kiungo_connections_too_slow_total").increment(1);
    io::Error::new(io::ErrorKind::TimedOut, what)
}
