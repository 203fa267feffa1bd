//! A call of the API as it was received.

use axum::http::{HeaderMap, Uri};
use bytes::Bytes;

/// One call as received.
pub(crate) struct Call {
    pub(crate) market: String,
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
    pub(crate) body: Bytes,
}
