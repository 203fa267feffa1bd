//! Takes commands, has them carried out, answers with an event, and only then lets go of them.
//!
//! A command that can be carried out ends in `command.accepted`, one that never can in
//! `command.rejected` and among the dead letters, whole. One that is impossible for now is held,
//! not acknowledged, and tried again. It may be delivered more than once all the same: its id is
//! its idempotency key, so that it is carried out once, and answered each time.

use std::sync::Arc;
use std::time::Duration;

use kiungo_api::OptionsError;
use kiungo_api::Service;
use kiungo_api::problem::{Code, Problem};
use kiungo_queue::{Command, Commands, EventMessage, Events, QueueError, Settle};
use metrics::counter;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cloud_event::{self, MEDIA_TYPE};
use crate::command::{CommandType, Request};
use crate::command_handler::{Done, Order, for_now};
use crate::event::{About, EventEncoder};
use crate::event_payload::CommandAccepted;
use crate::options::{Client, MessagingOptions};
use crate::pause::Pauses;
use crate::refusal::Refusal;

/// The word that stands for the type of a command that could not be read, in metrics.
pub const UNREADABLE: &str = "unreadable";

/// The consumer of commands.
#[derive(Clone)]
pub struct CommandConsumer(Arc<Inner>);

struct Inner {
    service: Arc<dyn Service>,
    events: Arc<dyn Events>,
    encoder: EventEncoder,
    options: MessagingOptions,
}

/// A command as far as it could be read.
#[derive(Default)]
struct Seen {
    id: Option<String>,
    kind: Option<String>,
    client: Option<String>,
}

/// The answer to a command, and the way in which its delivery ends.
enum CommandResult {
    Accepted(Done),
    Rejected(Refusal),
    Later,
}

impl CommandConsumer {
    /// A consumer that has commands carried out by `service` and answers through `events`.
    ///
    /// # Errors
    /// An option that cannot be used.
    pub fn new(
        service: Arc<dyn Service>,
        events: Arc<dyn Events>,
        options: MessagingOptions,
    ) -> Result<Self, OptionsError> {
        options.check()?;
        let encoder = EventEncoder::new(&options);
        Ok(Self(Arc::new(Inner { service, events, encoder, options })))
    }

    /// Takes commands until it is told to stop, then lets those that are being carried out come to
    /// their end; those that wait go back to the broker.
    pub async fn run(self, mut commands: Box<dyn Commands>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.0.options.commands_in_flight_max));
        let tasks = TaskTracker::new();
        let next = async {
            while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                let Some(command) = commands.next().await else { break };
                let (inner, stop) = (Arc::clone(&self.0), stop.clone());
                tasks.spawn(async move {
                    inner.attend(command, &stop).await;
                    drop(place);
                });
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = next => {}
        }
        tasks.close();
        tasks.wait().await;
    }
}

impl Inner {
    async fn attend(&self, command: Command, stop: &CancellationToken) {
        let until = Instant::now() + Duration::from_secs(self.options.command_hold_s);
        let mut seen = Seen::default();
        let order = self.read(&command, &mut seen);
        let kind = order.as_ref().map_or(UNREADABLE, |order| order.kind.as_str());
        let outcome = match &order {
            Ok(order) => self.patiently(order, until, stop).await,
            Err(refusal) => CommandResult::Rejected(refusal.clone()),
        };
        let result = match outcome {
            CommandResult::Later => "later",
            CommandResult::Accepted(Done { replayed: true, .. }) => "replayed",
            CommandResult::Accepted(_) => "accepted",
            CommandResult::Rejected(_) => "rejected",
        };
        counter!("kiungo_commands_total", "type" => kind, "result" => result).increment(1);
        let Some(answer) = self.answer(&outcome, order.ok(), &seen, &command.body) else {
            return settled(command.settle.later().await);
        };
        if !self.tell(answer, until, stop).await {
            return settled(command.settle.later().await);
        }
        settle(command.settle, outcome).await;
    }

    /// The command, if it may be carried out.
    fn read(&self, command: &Command, seen: &mut Seen) -> Result<Order, Refusal> {
        let bytes_max = self.options.command_bytes_max;
        if command.body.len() > bytes_max {
            let why = format!("the body has more than {bytes_max} bytes");
            return Err(Refusal::new(Code::PayloadTooLarge, &why));
        }
        let event = match cloud_event::read(&command.body) {
            Ok(event) => event,
            Err(unreadable) => {
                (seen.id, seen.kind) = (unreadable.id, unreadable.kind);
                // A sender that may not send anything learns nothing but that.
                seen.client = Some(self.sender(command)?.name.clone());
                check_content_type(command)?;
                return Err(Refusal::at("", &unreadable.problem));
            }
        };
        (seen.id, seen.kind) = (Some(event.id.clone()), Some(event.kind.clone()));
        let client = self.sender(command)?;
        seen.client = Some(client.name.clone());
        check_content_type(command)?;
        let Some(kind) = CommandType::named(&event.kind) else {
            let known = CommandType::ALL.map(CommandType::as_str);
            return Err(Refusal::at("", &cloud_event::unknown_type(&known)));
        };
        if !client.has(kind.role()) {
            let (kind, role) = (kind.as_str(), kind.role().as_str());
            let why = format!("{kind} needs the role `{role}`");
            return Err(Refusal::new(Code::Forbidden, &why));
        }
        let request = Request::read(kind, &event.data, &*self.service);
        let request = request.map_err(|problem| Refusal::at("/data", &problem))?;
        let (client, scope) = (client.name.clone(), client.scope.clone());
        Ok(Order { id: event.id, kind, client, scope, request })
    }

    fn sender(&self, command: &Command) -> Result<&Client, Refusal> {
        let refused = |why| Err(Refusal::new(Code::Unauthenticated, why));
        match command.user.as_deref() {
            None => refused("the message has no user_id, which the broker would check"),
            Some(user) => match self.options.client(user) {
                None => refused("the user of the message is not configured as a client"),
                Some(client) => Ok(client),
            },
        }
    }

    /// Has it carried out, and tries again as long as it is impossible for now.
    async fn patiently(
        &self,
        order: &Order,
        until: Instant,
        stop: &CancellationToken,
    ) -> CommandResult {
        let bound = Duration::from_secs(self.options.command_timeout_s);
        let mut pauses = Pauses::default();
        loop {
            let problem = match timeout(bound, order.carry_out(&*self.service)).await {
                Ok(Ok(done)) => return CommandResult::Accepted(done),
                Ok(Err(problem)) if !for_now(problem.code()) => {
                    let root = if problem.errors().is_empty() { "" } else { "/data" };
                    return CommandResult::Rejected(Refusal::at(root, &problem));
                }
                Ok(Err(problem)) => problem,
                Err(_) => Problem::new(Code::RequestTimeout, "it took too long"),
            };
            let (client, code) = (&order.client, problem.code().as_str());
            tracing::warn!(client, code, "a command waits: {}", problem.detail());
            if !wait(pauses.next(), until, stop).await {
                return CommandResult::Later;
            }
        }
    }

    /// The event that answers a command; none if there is nothing to say yet.
    fn answer(
        &self,
        outcome: &CommandResult,
        order: Option<Order>,
        seen: &Seen,
        body: &[u8],
    ) -> Option<EventMessage> {
        let at = self.service.clock_now();
        match outcome {
            CommandResult::Later => None,
            CommandResult::Accepted(done) => {
                let Order { id, kind, client, .. } = order?;
                let accepted = CommandAccepted {
                    command: id,
                    kind: kind.as_str(),
                    client,
                    transfer: done.transfer.map(|id| id.to_string()),
                    action: done.action.map(|(id, _)| id.to_string()),
                    state: done.action.map(|(_, state)| state.as_str()),
                    replayed: done.replayed,
                };
                Some(self.encoder.accepted(accepted, at))
            }
            CommandResult::Rejected(refusal) => {
                let (client, code) = (seen.client.as_deref(), refusal.code.as_str());
                tracing::info!(client, code, path = refusal.path(), "a command was rejected");
                let (id, kind) = (seen.id.as_deref(), seen.kind.as_deref());
                Some(self.encoder.rejected(About { id, kind, client, body }, refusal, at))
            }
        }
    }

    /// Publishes the answer; returns true if the broker has it.
    async fn tell(&self, answer: EventMessage, until: Instant, stop: &CancellationToken) -> bool {
        let answer = [answer];
        let mut pauses = Pauses::default();
        while let Err(error) = self.events.publish(&answer).await {
            tracing::warn!(error.message = %error, "the answer to a command waits");
            if !wait(pauses.next(), until, stop).await {
                return false;
            }
        }
        true
    }
}

fn check_content_type(command: &Command) -> Result<(), Refusal> {
    let named = command.content_type.as_deref();
    if named.is_some_and(cloud_event::is_cloud_event) {
        return Ok(());
    }
    let why = format!("the content type of the message is not {MEDIA_TYPE} in UTF-8");
    Err(Refusal::new(Code::UnsupportedMediaType, &why))
}

async fn settle(settle: Box<dyn Settle>, outcome: CommandResult) {
    settled(match outcome {
        CommandResult::Accepted(_) => settle.done().await,
        CommandResult::Rejected(refusal) => {
            let reason = format!("{}: {}", refusal.code.as_str(), refusal.reason);
            settle.reject(&reason, refusal.path()).await
        }
        CommandResult::Later => settle.later().await,
    });
}

/// Logs a failure to settle a delivery: the broker delivers that command again, and it is answered
/// again.
fn settled(result: Result<(), QueueError>) {
    if let Err(error) = result {
        tracing::warn!(error.message = %error, "the outcome of a command could not be reported to the broker");
    }
}

/// Waits before the next try; `false` if there is none any more.
async fn wait(pause: Duration, until: Instant, stop: &CancellationToken) -> bool {
    let again = Instant::now() + pause;
    again < until && stop.run_until_cancelled(tokio::time::sleep_until(again)).await.is_some()
}
