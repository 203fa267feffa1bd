//! Events as they are stored: JSON with the number of its form.
//!
//! A journal outlives the program that wrote it. An event of an older form is brought to the
//! present form, one step for each number in between, before it is read; the state machine knows
//! the present form alone. To change the JSON of an event, raise [`FORM`], write the step from the
//! form before, and freeze the new form beside the older ones (`tests/events_1.jsonl`).
//!
//! * Form 0 has no number: versions before 0.2. Version 0.1 merged into completed transfers only, and
//!   did not say so.
//! * Form 1: a merged transfer says what it shows.

use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::Event;

/// The form in which events are written.
pub const FORM: u64 = 1;

/// The beginning of an event of this form.
const MARK: &str = "{\"form\":1,";

/// The step from each form to the next, by number.
const UPCASTS: &[fn(&mut Value)] = &[merged_shows_completed];

/// A stored event that cannot be read. The messages hold nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoredEventError {
    /// A newer program has written it.
    #[error("the event has form {0}, which this program does not know: a newer one wrote it")]
    Newer(u64),
    /// The text is not the JSON of an event.
    #[error("the event cannot be read: {kind:?} at character {column}")]
    Unreadable {
        /// The kind of fault.
        kind: serde_json::error::Category,
        /// Its place.
        column: usize,
    },
}

impl From<serde_json::Error> for StoredEventError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable { kind: error.classify(), column: error.column() }
    }
}

impl Event {
    /// The text that is stored.
    ///
    /// # Errors
    /// It cannot be written as JSON: a fault of the program.
    pub fn to_stored(&self) -> Result<String, serde_json::Error> {
        let json = serde_json::to_string(self)?;
        Ok(format!("{MARK}{}", json.trim_start_matches('{')))
    }

    /// The event that was stored in this or an older form.
    ///
    /// # Errors
    /// It has a newer form, or is not an event.
    pub fn from_stored(text: &str) -> Result<Self, StoredEventError> {
        #[derive(Deserialize)]
        struct Numbered {
            #[serde(default)]
            form: u64,
        }
        // Text in the present form need not be converted.
        if text.starts_with(MARK) {
            return Ok(serde_json::from_str(text)?);
        }
        let Numbered { form } = serde_json::from_str(text)?;
        let steps = usize::try_from(form).ok().and_then(|form| UPCASTS.get(form..));
        let steps = steps.ok_or(StoredEventError::Newer(form))?;
        let mut value: Value = serde_json::from_str(text)?;
        for step in steps {
            step(&mut value);
        }
        Ok(serde_json::from_value(value)?)
    }
}

fn merged_shows_completed(event: &mut Value) {
    let is_merged = event.get("event").is_some_and(|name| name == "merged");
    if let Some(members) = event.as_object_mut().filter(|_| is_merged) {
        members.entry("shows").or_insert(json!("completed"));
    }
}
