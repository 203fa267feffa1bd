//! Giving a message up: it is published whole among the dead letters, with the reason in its
//! headers, before it leaves its queue. And reading it back.
//!
//! The broker lets no user publish in another's name, so the sender stands in a header. The header
//! is believed only if the broker confirms that the message is ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use kiungo_domain::Timestamp;
use kiungo_queue::{DeadLetter, DeadLetterId, QueueError, Redriven};
use lapin::BasicProperties;
use lapin::message::Delivery as Message;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use tokio::sync::Mutex;

use super::confirmed::{Confirmed, Outgoing, PERSISTENT};
use super::topology::short;
use super::{RabbitOptions, Topology};

const REASON: &str = "kiungo-reason";
const PATH: &str = "kiungo-path";
const EXCHANGE: &str = "kiungo-exchange";
const ROUTING_KEY: &str = "kiungo-routing-key";
const QUEUE: &str = "kiungo-queue";
const GIVEN_UP_AT: &str = "kiungo-given-up-at";
const USER: &str = "kiungo-user";
const REDRIVEN_BY: &str = "kiungo-redriven-by";
const REDRIVEN_WHY: &str = "kiungo-redriven-why";

/// A reason is a sentence; headers have to fit into a frame.
const TEXT_MAX: usize = 1_000;

/// The place where a message was.
pub(super) struct Origin {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    pub(super) queue: String,
}

/// The way into the dead letters, and out of them.
pub(super) struct DeadLetterPublisher {
    user: String,
    dead: String,
    confirmed: Mutex<Confirmed>,
}

impl DeadLetterPublisher {
    pub(super) fn new(options: &RabbitOptions, topology: &Topology, confirmed: Confirmed) -> Self {
        let (user, dead) = (options.user().to_owned(), topology.dead_exchange());
        Self { user, dead, confirmed: Mutex::new(confirmed) }
    }

    /// Puts a message among the dead letters; confirmed when this returns `Ok`.
    pub(super) async fn give_up(
        &self,
        origin: &Origin,
        properties: &BasicProperties,
        body: Bytes,
        reason: &str,
        path: Option<&str>,
    ) -> Result<(), QueueError> {
        let sender = self.sender(properties);
        let told = [
            (REASON, Some(reason)),
            (PATH, path),
            (EXCHANGE, Some(&*origin.exchange)),
            (ROUTING_KEY, Some(&*origin.routing_key)),
            (QUEUE, Some(&*origin.queue)),
            (USER, sender.as_deref()),
        ];
        let properties = given_up_now(self.marked(properties, &told));
        let (exchange, routing_key) = (self.dead.clone(), origin.routing_key.clone());
        self.send(Outgoing { exchange, routing_key, properties, body }).await
    }

    /// Sends a dead letter to where it was sent first; confirmed when this returns `Ok`.
    pub(super) async fn send_again(
        &self,
        letter: &DeadLetter,
        properties: &BasicProperties,
        redriven: &Redriven,
    ) -> Result<(), QueueError> {
        let told = [
            (REDRIVEN_BY, Some(&*redriven.by)),
            (REDRIVEN_WHY, Some(&*redriven.reason)),
            (USER, letter.user.as_deref()),
        ];
        let properties = self.marked(properties, &told);
        let (exchange, routing_key) = (letter.exchange.clone(), letter.routing_key.clone());
        self.send(Outgoing { exchange, routing_key, properties, body: letter.body.clone() }).await
    }

    /// The sender of a message, as the broker knows it.
    pub(super) fn sender(&self, properties: &BasicProperties) -> Option<String> {
        let user = properties.user_id().as_ref().map(ToString::to_string);
        match header(properties, USER) {
            Some(sender) if self.is_ours(properties) => Some(sender),
            // Without the header, the message names no other sender.
            None if self.is_ours(properties) && self.was_passed_on(properties) => None,
            _ => user,
        }
    }

    /// The person who took a message out of the dead letters, if any.
    pub(super) fn redriven(&self, properties: &BasicProperties) -> Option<Redriven> {
        let by = header(properties, REDRIVEN_BY).filter(|_| self.is_ours(properties))?;
        Some(Redriven { by, reason: header(properties, REDRIVEN_WHY).unwrap_or_default() })
    }

    /// A dead letter, given up by us or by the broker.
    pub(super) fn read(&self, message: &Message) -> DeadLetter {
        let properties = &message.properties;
        let ours = header(properties, REASON).filter(|_| self.is_ours(properties));
        let (reason, path, origin, given_up_at) = if let Some(reason) = ours {
            let text = |name| header(properties, name).unwrap_or_default();
            let (exchange, queue) = (text(EXCHANGE), text(QUEUE));
            let origin = Origin { exchange, routing_key: text(ROUTING_KEY), queue };
            let at =
                properties.headers().as_ref().and_then(|h| moment(h.inner().get(GIVEN_UP_AT)?));
            (reason, header(properties, PATH), origin, at)
        } else {
            let (reason, origin, at) = death(message);
            (reason, None, origin, at)
        };
        DeadLetter {
            id: name(message),
            exchange: origin.exchange,
            routing_key: origin.routing_key,
            queue: origin.queue,
            given_up_at,
            reason,
            path,
            user: self.sender(properties),
            content_type: properties.content_type().as_ref().map(ToString::to_string),
            body: Bytes::copy_from_slice(&message.data),
        }
    }

    fn is_ours(&self, properties: &BasicProperties) -> bool {
        properties.user_id().as_ref().is_some_and(|user| user.as_str() == self.user)
    }

    fn was_passed_on(&self, properties: &BasicProperties) -> bool {
        self.redriven(properties).is_some() || header(properties, REASON).is_some()
    }

    /// The properties of a message that we pass on, with these headers and none of an earlier time.
    fn marked(
        &self,
        properties: &BasicProperties,
        told: &[(&'static str, Option<&str>)],
    ) -> BasicProperties {
        let mut headers = FieldTable::default();
        let former = properties.headers().as_ref();
        for (name, value) in former.into_iter().flat_map(FieldTable::inner) {
            if is_the_senders(name.as_str()) {
                headers.insert(name.clone(), value.clone());
            }
        }
        for (name, value) in told {
            if let Some(value) = value {
                let value: String = value.chars().take(TEXT_MAX).collect();
                headers.insert((*name).into(), AMQPValue::LongString(value.into()));
            }
        }
        let mut marked = BasicProperties::default()
            .with_headers(headers)
            .with_delivery_mode(PERSISTENT)
            .with_user_id(short(&self.user));
        // Not the expiration, after which the broker would drop it, nor a priority.
        if let Some(value) = properties.content_type().clone() {
            marked = marked.with_content_type(value);
        }
        if let Some(value) = properties.content_encoding().clone() {
            marked = marked.with_content_encoding(value);
        }
        if let Some(value) = properties.message_id().clone() {
            marked = marked.with_message_id(value);
        }
        if let Some(value) = properties.correlation_id().clone() {
            marked = marked.with_correlation_id(value);
        }
        if let Some(value) = properties.reply_to().clone() {
            marked = marked.with_reply_to(value);
        }
        if let Some(value) = *properties.timestamp() {
            marked = marked.with_timestamp(value);
        }
        if let Some(value) = properties.kind().clone() {
            marked = marked.with_type(value);
        }
        if let Some(value) = properties.app_id().clone() {
            marked = marked.with_app_id(value);
        }
        marked
    }

    async fn send(&self, message: Outgoing) -> Result<(), QueueError> {
        let (exchange, routing_key) = (message.exchange.clone(), message.routing_key.clone());
        let returned = self.confirmed.lock().await.publish(&[message]).await?;
        if returned.is_empty() {
            Ok(())
        } else {
            Err(QueueError::Unroutable { exchange, routing_key })
        }
    }
}

/// Not what we or the broker added; nor `CC` and `BCC`, by which the broker would send it elsewhere
/// too.
fn is_the_senders(header: &str) -> bool {
    const BROKERS: &[&str] = &["x-death", "x-delivery-count", "x-acquired-count", "CC", "BCC"];
    !header.starts_with("kiungo-")
        && !header.starts_with("x-first-death-")
        && !header.starts_with("x-last-death-")
        && !BROKERS.contains(&header)
}

fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    text(properties.headers().as_ref()?.inner().get(name)?)
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// The properties with the time of now, to the second, as the broker notes it too.
fn given_up_now(properties: BasicProperties) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    headers.insert(GIVEN_UP_AT.into(), AMQPValue::Timestamp(since.as_secs()));
    properties.with_headers(headers)
}

fn moment(value: &AMQPValue) -> Option<Timestamp> {
    let AMQPValue::Timestamp(seconds) = value else { return None };
    Some(Timestamp::from_micros(0).after(Duration::from_secs(*seconds)))
}

/// The broker's account of a message that it gave up itself.
fn death(message: &Message) -> (String, Origin, Option<Timestamp>) {
    let headers = message.properties.headers().as_ref();
    let deaths = headers.and_then(|headers| headers.inner().get("x-death"));
    let latest = match deaths {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first(),
        _ => None,
    };
    let Some(AMQPValue::FieldTable(latest)) = latest else {
        let origin = Origin {
            exchange: message.exchange.to_string(),
            routing_key: message.routing_key.to_string(),
            queue: String::new(),
        };
        return ("sent straight to the dead letters".to_owned(), origin, None);
    };
    let told = |name: &str| latest.inner().get(name).and_then(text).unwrap_or_default();
    let routing_key = match latest.inner().get("routing-keys") {
        Some(AMQPValue::FieldArray(keys)) => keys.as_slice().first().and_then(text),
        _ => None,
    };
    let routing_key = routing_key.unwrap_or_else(|| message.routing_key.to_string());
    let at = latest.inner().get("time").and_then(moment);
    (told("reason"), Origin { exchange: told("exchange"), routing_key, queue: told("queue") }, at)
}

/// The message's id, else a digest of what does not change when it is looked at.
fn name(message: &Message) -> DeadLetterId {
    let id = message.properties.message_id().as_ref().map(ShortString::as_str);
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        return DeadLetterId(id.to_owned());
    }
    let mut content = message.data.clone();
    content.extend_from_slice(message.routing_key.as_str().as_bytes());
    let headers = message.properties.headers().as_ref();
    for (name, value) in headers.into_iter().flat_map(FieldTable::inner) {
        if !["x-delivery-count", "x-acquired-count"].contains(&name.as_str()) {
            content.extend_from_slice(format!("{name}={value:?}").as_bytes());
        }
    }
    let digest = digest(&SHA256, &content);
    // Half of it is enough.
    DeadLetterId(hex::encode(digest.as_ref().get(..16).unwrap_or_default()))
}
