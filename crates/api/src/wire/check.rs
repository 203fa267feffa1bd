//! Reading the members of a request. Errors are collected, so that a client sees all at once.

use kiungo_domain::typed::{is_directional, is_hidden};

use crate::problem::{MemberError, Problem};

/// The characters of an idempotency key at most, wherever it comes in: as the header of a request, or as
/// the id of a command. Room for any UUID or number with a prefix, and no novel.
pub const KEY_CHARS_MAX: usize = 200;

/// The errors so far.
#[derive(Default)]
pub struct Checks(Vec<MemberError>);

impl Checks {
    /// The value, or `None` with its error noted under the member.
    pub fn member<T, E: ToString>(&mut self, path: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.0.push(MemberError::member(path, error.to_string()))).ok()
    }

    /// The value, or `None` with its error noted under the parameter.
    pub fn parameter<T, E: ToString>(&mut self, name: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.0.push(MemberError::parameter(name, error.to_string()))).ok()
    }

    /// The problem of all errors, if there is one.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }

    /// The whole that was put together; `None` only after an error.
    pub fn give<T>(self, whole: Option<T>) -> Result<T, Problem> {
        self.finish()?;
        whole.ok_or_else(|| Problem::invalid(Vec::new()))
    }
}

/// A text for people or another system: 1 to `length_max` characters, none a control character or one
/// that changes the direction of writing, no blanks around it. Every text of a person or client that is
/// shown again comes in here.
pub fn text(text: &str, length_max: usize) -> Result<String, String> {
    let length = text.chars().count();
    if (1..=length_max).contains(&length)
        && !text.contains(is_hidden)
        && text.trim().len() == text.len()
    {
        Ok(text.to_owned())
    } else if text.contains(is_directional) {
        // Invisible characters, which a reader of the general rule would not expect.
        Err("the text has characters that change the direction of writing (U+061C, U+200E, U+200F, \
             U+202A to U+202E, U+2066 to U+2069), so that it could look like another one"
            .to_owned())
    } else {
        Err(format!(
            "a text is 1 to {length_max} characters, without control characters and without \
             blanks around it"
        ))
    }
}
