//! The versions of the API.

/// The version of the API by which a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1_1,
    V1_2,
}
