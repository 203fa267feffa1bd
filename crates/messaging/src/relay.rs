//! Publishes what has become known, in its order, at least once.
//!
//! The process that has the lease `relay` does it, one at a time. It reads the oldest rows of the
//! outbox, publishes them with confirms, and only then removes them. If anything goes wrong in
//! between, the same rows are published again, from the first. So a listener may hear something
//! twice, also after something later; the sequence of an event tells it what it knows already.

use std::sync::Arc;
use std::time::Duration;

use kiungo_api::OptionsError;
use kiungo_api::Service;
use kiungo_queue::{EventMessage, Events, QueueError};
use kiungo_store::{LeaseStore, OutboxRow, OutboxStore, StoreError};
use metrics::{counter, gauge, histogram};
use tokio::sync::Notify;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;

use crate::event::EventEncoder;
use crate::options::MessagingOptions;
use crate::pause::Pauses;
use crate::term::{LEASE, Term};

/// The interval at which a process without the lease asks for it: a second more until another takes
/// over.
const STANDBY: Duration = Duration::from_secs(1);
/// The longest wait for giving the lease back at the end: without that, it ends by itself.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// Publishes what has become known.
pub struct Relay {
    service: Arc<dyn Service>,
    outbox: Arc<dyn OutboxStore>,
    leases: Arc<dyn LeaseStore>,
    events: Arc<dyn Events>,
    encoder: EventEncoder,
    holder: String,
    wake: Arc<Notify>,
    options: MessagingOptions,
}

/// The result of one look at the outbox.
enum Look {
    /// Events were published: there may be more.
    More,
    /// The outbox is empty.
    Nothing,
    /// The term is over, or too near its end.
    TermOver,
}

/// The failure of a look.
enum Failure {
    Store(StoreError),
    Queue(QueueError),
}

impl Relay {
    /// A relay of this process. `holder` is the name of the process, at most 200 bytes, no other's;
    /// `wake` may be told when something was committed that is to be published.
    ///
    /// # Errors
    /// An option that cannot be used.
    pub fn new(
        service: Arc<dyn Service>,
        outbox: Arc<dyn OutboxStore>,
        leases: Arc<dyn LeaseStore>,
        events: Arc<dyn Events>,
        options: MessagingOptions,
        holder: String,
        wake: Arc<Notify>,
    ) -> Result<Self, OptionsError> {
        options.check()?;
        let encoder = EventEncoder::new(&options);
        Ok(Self { service, outbox, leases, events, encoder, holder, wake, options })
    }

    /// Publishes, or waits for its turn, until it is told to stop. A batch that is being published
    /// then is published whole, so that the next process goes on behind it.
    pub async fn run(self, stop: CancellationToken) {
        self.take_turns(&stop).await;
        let back = self.leases.release_lease(LEASE, &self.holder);
        if !matches!(tokio::time::timeout(GIVE_BACK, back).await, Ok(Ok(()))) {
            tracing::info!("the lease of the relay was not given back; it ends by itself");
        }
    }

    async fn take_turns(&self, stop: &CancellationToken) {
        let length = Duration::from_secs(self.options.relay_lease_s);
        let mut pauses = Pauses::default();
        while !stop.is_cancelled() {
            match self.take_term(length).await {
                Ok(Some(term)) => self.serve(term, length, stop).await,
                Ok(None) => sleep(STANDBY, stop).await,
                Err(error) => {
                    self.wait_after(&Failure::Store(error), &mut pauses, stop).await;
                    continue;
                }
            }
            pauses.reset();
        }
    }

    async fn take_term(&self, length: Duration) -> Result<Option<Term>, StoreError> {
        Term::take(&*self.leases, &self.holder, self.service.clock_now(), length).await
    }

    /// Publishes as long as the lease is there and can be renewed.
    async fn serve(&self, mut term: Term, length: Duration, stop: &CancellationToken) {
        tracing::debug!(holder = self.holder, "this process publishes events");
        let poll = Duration::from_millis(self.options.events_poll_ms);
        let mut pauses = Pauses::default();
        while !stop.is_cancelled() {
            if term.is_to_be_renewed() {
                match self.take_term(length).await {
                    Ok(Some(renewed)) => term = renewed,
                    Ok(None) => return,
                    // Goes on as long as the term lasts.
                    Err(error) => self.wait_after(&Failure::Store(error), &mut pauses, stop).await,
                }
            }
            match self.look(&term).await {
                Ok(Look::More) => pauses.reset(),
                Ok(Look::Nothing) => {
                    pauses.reset();
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(poll) => {}
                    }
                }
                Ok(Look::TermOver) => return,
                Err(failure) => self.wait_after(&failure, &mut pauses, stop).await,
            }
        }
    }

    /// Publishes the oldest rows, and removes them.
    async fn look(&self, term: &Term) -> Result<Look, Failure> {
        if term.open_until(self.service.clock_now()).is_none() {
            return Ok(Look::TermOver);
        }
        let rows = self.outbox.outbox_rows(self.options.events_batch).await;
        let rows = rows.map_err(Failure::Store)?;
        gauge!("kiungo_events_waiting").set(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        if rows.is_empty() {
            return Ok(Look::Nothing);
        }
        let messages: Vec<EventMessage> = rows.iter().map(|row| self.message(row)).collect();
        // The last look at the clocks before something is sent: reading may have taken long, or
        // the process may have been frozen since.
        let Some(until) = term.open_until(self.service.clock_now()) else {
            return Ok(Look::TermOver);
        };
        let published = timeout_at(until, self.events.publish(&messages)).await;
        let Ok(published) = published else {
            return Ok(Look::TermOver);
        };
        published.map_err(Failure::Queue)?;
        self.measure(&rows);
        let numbers: Vec<i64> = rows.iter().map(|row| row.no).collect();
        self.outbox.mark_published(&numbers).await.map_err(Failure::Store)?;
        Ok(Look::More)
    }

    fn message(&self, row: &OutboxRow) -> EventMessage {
        let of = &row.transfer;
        let expected = self.service.expected_fee(&of.provider, of.kind, of.amount);
        self.encoder.transfer(row, expected)
    }

    fn measure(&self, rows: &[OutboxRow]) {
        let now = self.service.clock_now();
        let lag = histogram!("kiungo_event_lag_seconds");
        for row in rows {
            lag.record(now.since(row.at));
        }
        counter!("kiungo_events_published_total").increment(u64::try_from(rows.len()).unwrap_or(0));
    }

    async fn wait_after(&self, failure: &Failure, pauses: &mut Pauses, stop: &CancellationToken) {
        match failure {
            Failure::Store(error) => {
                tracing::warn!(error.message = %error, "events wait: the store failed");
            }
            Failure::Queue(error) => {
                tracing::warn!(error.message = %error, "events wait: the broker failed");
            }
        }
        sleep(pauses.next(), stop).await;
    }
}

async fn sleep(pause: Duration, stop: &CancellationToken) {
    stop.run_until_cancelled(tokio::time::sleep(pause)).await;
}
