//! Reading an answer a second time: as an object of raw values, and nothing else.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The members of a JSON object.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// `None` if this is no JSON object. Bytes that are no text may stand in members that are not
    /// read: a name in another encoding makes no payment unknown.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_str(&kiungo_transport::content::text(body)).ok().map(Self)
    }

    /// A member that is a text or a number, as text; `None` for anything else, and for blanks.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let raw = self.0.get(name)?.get();
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw).ok()?,
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => raw.to_owned(),
            _ => return None,
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A member that is an object.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.0.get(name)?.get().as_bytes())
    }

    /// True if there is such a member, and it is not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|raw| raw.get() != "null")
    }
}
