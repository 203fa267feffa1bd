//! Reading the members of a request. Errors are collected, so that a client sees all at once.

use crate::problem::{MemberError, Problem};

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

/// A text for people or another system: 1 to `length_max` characters, none a control character,
/// no blanks around it.
pub fn text(text: &str, length_max: usize) -> Result<String, String> {
    let length = text.chars().count();
    if (1..=length_max).contains(&length)
        && !text.chars().any(char::is_control)
        && text.trim().len() == text.len()
    {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "a text is 1 to {length_max} characters, without control characters and without \
             blanks around it"
        ))
    }
}
