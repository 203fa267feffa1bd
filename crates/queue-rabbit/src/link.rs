//! The one connection, and its recovery: a supervisor builds it, waits until it is lost, and builds
//! the next one, for ever. Nothing of a lost connection is used again: memberships end, and their
//! owners join anew.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use kiungo_queue::QueueError;
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind, Event, runtime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::options::CONNECT_WITHIN;
use super::{OpenError, RabbitOptions, Topology, topology, unavailable};

/// Waits between attempts to connect: quick at first, and never so long that the broker's return
/// is noticed late.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The interval at which the connection is looked at, beside listening to what it says.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The longest time that declaring everything may take: hundreds of queues on a busy broker.
const DECLARE_WITHIN: Duration = Duration::from_secs(60);

/// The longest time that an orderly end may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

#[derive(Clone)]
enum State {
    Connecting,
    Down(OpenError),
    Up(Arc<Connection>),
    Closed,
}

/// The way to the broker. Its clones are the same one; the last one closes it.
#[derive(Clone)]
pub(super) struct Link {
    state: watch::Receiver<State>,
    stop: Arc<watch::Sender<bool>>,
}

impl Link {
    /// Begins to connect.
    pub(super) fn start(options: Arc<RabbitOptions>, topology: Arc<Topology>) -> Self {
        let (sender, state) = watch::channel(State::Connecting);
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            supervise(&options, &topology, &sender, stopped).await;
            sender.send_replace(State::Closed);
        });
        Self { state, stop: Arc::new(stop) }
    }

    /// The result of the first attempt.
    pub(super) async fn first(&self) -> Result<(), OpenError> {
        let mut state = self.state.clone();
        match state.wait_for(|state| !matches!(state, State::Connecting)).await.as_deref() {
            Ok(State::Down(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(connection) if connection.status().connected())
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(&*self.state.borrow(), State::Closed)
    }

    /// A new channel, as soon as there is a connection.
    pub(super) async fn channel(&self, deadline: Instant) -> Result<Channel, QueueError> {
        let mut state = self.state.clone();
        let late = |state: &State| {
            QueueError::Unavailable(match state {
                State::Down(error) => error.to_string(),
                _ => "there was no connection in time".to_owned(),
            })
        };
        loop {
            let ready = |state: &State| matches!(state, State::Up(_) | State::Closed);
            let connection = match timeout_at(deadline, state.wait_for(ready)).await {
                Err(_) => return Err(late(&self.state.borrow())),
                Ok(Ok(state)) => match &*state {
                    State::Up(connection) => Arc::clone(connection),
                    _ => return Err(closed()),
                },
                Ok(Err(_)) => return Err(closed()),
            };
            match timeout_at(deadline, connection.create_channel()).await {
                Ok(Ok(channel)) => return Ok(channel),
                // A connection that is about to be replaced: the next one will do.
                Ok(Err(error)) if connection.status().connected() => {
                    return Err(unavailable(&error));
                }
                Ok(Err(_)) => {
                    let _ = timeout_at(deadline, timeout(LOOK_EVERY, state.changed())).await;
                }
                Err(_) => return Err(late(&self.state.borrow())),
            }
            if Instant::now() >= deadline {
                return Err(late(&self.state.borrow()));
            }
        }
    }

    /// Ends it, and waits until it has ended.
    pub(super) async fn close(&self) {
        self.stop.send_replace(true);
        let mut state = self.state.clone();
        let _ = state.wait_for(|state| matches!(state, State::Closed)).await;
    }
}

fn closed() -> QueueError {
    QueueError::Unavailable("the queue is closed".to_owned())
}

async fn supervise(
    options: &RabbitOptions,
    topology: &Topology,
    state: &watch::Sender<State>,
    mut stop: watch::Receiver<bool>,
) {
    let mut wait = FIRST_WAIT;
    let mut told = false;
    loop {
        let attempt = tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            attempt = connect(options, topology) => attempt,
        };
        let failure = match attempt {
            Ok(connection) => {
                let connection = Arc::new(connection);
                if told {
                    tracing::info!("connected to {} again", options.shown());
                }
                (told, wait) = (false, FIRST_WAIT);
                state.send_replace(State::Up(Arc::clone(&connection)));
                let lost = tokio::select! {
                    biased;
                    () = stopped(&mut stop) => {
                        let _ = timeout(CLOSE_WITHIN, connection.close(200, "OK".into())).await;
                        return;
                    }
                    lost = lost(&connection) => lost,
                };
                OpenError::Unreachable { broker: options.shown(), why: lost }
            }
            Err(failure) => failure,
        };
        if !told {
            tracing::error!("{failure}; trying again until it is there");
            told = true;
        }
        state.send_replace(State::Down(failure));
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = sleep(wait) => {}
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Ends once it is stopped, or no longer used.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connect(options: &RabbitOptions, topology: &Topology) -> Result<Connection, OpenError> {
    let broker = options.shown();
    let properties = ConnectionProperties::default()
        .with_connection_name(format!("kiungo {}", std::process::id()).into());
    let runtime = runtime::default_runtime().map_err(|error| refusal(options, &error))?;
    let connecting =
        Connection::connect_uri_with_config(options.address(), properties, options.tls(), runtime);
    let silent = |what: &str, within: Duration| OpenError::Unreachable {
        broker: broker.clone(),
        why: format!("{what} took longer than {} s", within.as_secs()),
    };
    let connection = timeout(CONNECT_WITHIN, connecting).await;
    let connection = connection.map_err(|_| silent("connecting", CONNECT_WITHIN))?;
    let connection = connection.map_err(|error| refusal(options, &error))?;
    if options.declares {
        let declared = topology::declare(topology, &connection, options);
        let declared = timeout(DECLARE_WITHIN, declared).await;
        declared.map_err(|_| silent("declaring the topology", DECLARE_WITHIN))??;
    }
    Ok(connection)
}

fn refusal(options: &RabbitOptions, error: &lapin::Error) -> OpenError {
    let (broker, why) = (options.shown(), error.to_string());
    // ACCESS_REFUSED, or NOT_ALLOWED for a virtual host.
    match error.kind() {
        ErrorKind::ProtocolError(error) if [403, 530].contains(&error.get_id()) => {
            OpenError::Refused { broker, user: options.user().to_owned(), why }
        }
        _ => OpenError::Unreachable { broker, why },
    }
}

/// Waits until the connection is lost; why it was.
async fn lost(connection: &Connection) -> String {
    let mut events = Box::pin(connection.events_listener());
    let mut why = None;
    // Events from before anybody listened are seen by their result.
    while connection.status().connected() {
        match timeout(LOOK_EVERY, events.next()).await {
            Ok(Some(Event::ConnectionBlocked(reason))) => {
                tracing::warn!("the broker takes no messages for now: {reason}");
            }
            Ok(Some(Event::ConnectionUnblocked)) => {
                tracing::info!("the broker takes messages again");
            }
            Ok(Some(Event::Error(error))) => why = Some(error.to_string()),
            Ok(Some(_)) | Err(_) => {}
            Ok(None) => break,
        }
    }
    why.unwrap_or_else(|| "the connection was lost".to_owned())
}
