//! Error bodies: the envelope, the bare element, and the servlet container's own (§6).

use serde::Deserialize;

use super::{Text, read_object};

/// Top-level codes that only name a family; the real code stands in the elements.
const FAMILIES: [&str; 5] = [
    "validation.msg.validation.errors.exist",
    "validation.msg.domain.rule.violation",
    "error.msg.resource.not.found",
    "error.msg.platform.service.unavailable",
    "error.msg.platform.server.side.error",
];

/// Any error body.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorBody {
    user_message_globalisation_code: Text,
    developer_message: Text,
    errors: Option<Vec<Element>>,
    /// The container's members.
    status: Option<u16>,
    error: Text,
    path: Text,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Element {
    user_message_globalisation_code: Text,
    developer_message: Text,
}

impl ErrorBody {
    /// The body, if it is JSON of a known shape.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        read_object(body).ok()
    }

    /// The codes that say what happened: those of the elements under a generic top-level code,
    /// else the top-level code itself. An element without a code counts as an empty one.
    pub(crate) fn codes(&self) -> Vec<&str> {
        match self.user_message_globalisation_code.get() {
            Some(family) if FAMILIES.contains(&family) => self
                .errors
                .iter()
                .flatten()
                .map(|e| e.user_message_globalisation_code.get().unwrap_or(""))
                .collect(),
            Some(code) => vec![code],
            None => Vec::new(),
        }
    }

    /// The text for developers: since 1.15 the one for users can be a parameter's name.
    pub(crate) fn message(&self) -> &str {
        let element = self.errors.iter().flatten().find_map(|e| e.developer_message.get());
        element.or(self.developer_message.get()).unwrap_or("no text")
    }

    /// True if this is the servlet container's own body for `status`.
    pub(crate) fn is_container(&self, status: u16) -> bool {
        self.status == Some(status)
            && self.user_message_globalisation_code.get().is_none()
            && self.error.get().is_some()
            && self.path.get().is_some()
    }
}
