//! An arrival from a provider, as it is shown to a person who has to decide about it.

use kiungo_store::{InboxItem, InboxState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time;

/// Headers whose values may be shown; any other may be a secret or name a person.
const SHOWN: [&str; 8] = [
    "content-type",
    "content-length",
    "content-encoding",
    "accept",
    "date",
    "user-agent",
    "x-date",
    "x-correlationid",
];

/// Something that arrived from a provider, whole but for secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Arrival)]
pub struct ArrivalView {
    /// Its number.
    id: i64,
    provider: String,
    /// `waiting`, `handled` or `quarantined`.
    state: &'static str,
    /// The reason for the state, or the outcome.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// The method of the request.
    method: String,
    /// The path behind the secret of the provider's address.
    path: String,
    /// The headers; the value of one that may hold a secret is `hidden`.
    headers: Vec<HeaderView>,
    /// The body as text. Bytes that are not UTF-8 are shown as `\u{fffd}`.
    body: String,
    /// True if the body is shown exactly as it came.
    body_is_text: bool,
    /// The number of times that it arrived.
    arrivals: u32,
    /// The time at which it arrived first.
    #[schema(format = DateTime)]
    at: String,
    /// The actions that a person can take on it: `handle_again`, `dismiss`.
    choices: Vec<&'static str>,
}

/// A header of a request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ArrivalHeader)]
pub struct HeaderView {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

impl ArrivalView {
    /// The view of a stored arrival.
    pub fn new(item: &InboxItem) -> Self {
        let head = serde_json::from_str(&item.head);
        let head = head.unwrap_or(Head {
            method: String::new(),
            path: String::new(),
            headers: Vec::new(),
        });
        let (state, detail, choices): (_, _, &[&str]) = match &item.state {
            InboxState::Waiting { concern: Some(concern), .. } => {
                ("waiting", concern.clone(), &["dismiss"])
            }
            InboxState::Waiting { concern: None, .. } => ("waiting", String::new(), &[]),
            InboxState::Handled { note } => ("handled", note.clone(), &[]),
            InboxState::Quarantined { reason } => {
                ("quarantined", reason.clone(), &["handle_again", "dismiss"])
            }
        };
        let text = std::str::from_utf8(&item.body).ok();
        Self {
            id: item.id.0,
            provider: item.provider.to_string(),
            state,
            detail,
            method: head.method,
            path: head.path,
            headers: head.headers.into_iter().map(header).collect(),
            body: text
                .map_or_else(|| String::from_utf8_lossy(&item.body).into_owned(), str::to_owned),
            body_is_text: text.is_some(),
            arrivals: item.arrivals,
            at: time::to_text(item.at),
            choices: choices.to_vec(),
        }
    }
}

fn header((name, value): (String, String)) -> HeaderView {
    let shown = SHOWN.iter().any(|shown| name.eq_ignore_ascii_case(shown));
    HeaderView { name, value: if shown { value } else { "hidden".to_owned() } }
}
