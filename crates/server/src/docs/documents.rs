//! The document and the page as a process keeps them.

use std::sync::OnceLock;

use bytes::Bytes;

/// The document and the page, made when they are first asked for: an idle process need not.
#[derive(Default)]
pub(crate) struct Documents {
    pub(super) json: OnceLock<Bytes>,
    pub(super) page: OnceLock<Bytes>,
}
