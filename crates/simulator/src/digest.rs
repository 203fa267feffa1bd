//! SHA-256 in hexadecimal: content hashes, hashed phone numbers.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};

/// The digest of `bytes` as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
