//! SHA-256: as text, and as the form in which the secrets of callers are kept.

use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use thiserror::Error;

/// SHA-256, hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// The SHA-256 of a caller's secret: an API key, or the secret in the address of a callback. A secret
/// has at least 128 random bits: it is compared by a fast hash, which only holds for what cannot be
/// guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of no secret.
    pub const IMPOSSIBLE: Self = Self([0; 32]);

    /// The digest of this secret.
    pub fn of(secret: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(bytes)
    }

    /// True if the secret that was presented is this one, compared in constant time.
    pub fn is(&self, presented: &Self) -> bool {
        verify_slices_are_equal(&self.0, &presented.0).is_ok()
    }

    /// True for the digest of a secret that everybody knows: the word that stood in examples, words
    /// that are put in place of a secret, no secret at all, and zeros in place of a digest.
    fn is_known_to_all(&self) -> bool {
        const WORDS: [&str; 8] =
            ["test", "", "secret", "password", "changeme", "change-me", "kiungo", "demo"];
        *self == Self::IMPOSSIBLE || WORDS.iter().any(|word| Self::of(word) == *self)
    }
}

/// A text that is refused as the digest of a caller's key. It is not shown: it may be the key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DigestError {
    /// It has another form.
    #[error("is not 64 hexadecimal digits: printf %s \"$KEY\" | sha256sum")]
    Form,
    /// Everybody knows the key.
    #[error(
        "is the hash of a key that everybody knows, from an example: make a key of your own with \
         `kiungo config key`, which prints the lines to put here"
    )]
    KnownToAll,
}

impl FromStr for SecretDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError::Form)?;
        let digest = Self(bytes);
        if digest.is_known_to_all() { Err(DigestError::KnownToAll) } else { Ok(digest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_one_that_sha256sum_prints() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), expected);
        assert_eq!(expected.parse(), Ok(SecretDigest::of("abc")));
    }

    #[test]
    fn a_digest_is_read_in_either_case() {
        let digest = |text: &str| text.repeat(32).parse::<SecretDigest>();
        assert_eq!(digest("0f"), Ok(SecretDigest([0x0f; 32])));
        assert_eq!(digest("0F"), Ok(SecretDigest([0x0f; 32])));
        for text in ["xy".repeat(32), "ab".repeat(31), "ab".repeat(32) + "a", String::new()] {
            assert_eq!(text.parse::<SecretDigest>(), Err(DigestError::Form), "{text}");
        }
    }

    #[test]
    fn the_digest_of_a_key_that_everybody_knows_is_refused() {
        // SHA-256 of "test", which stood in the documentation.
        let sample = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        for text in [sample.to_owned(), sample.to_uppercase(), "0".repeat(64)] {
            assert_eq!(text.parse::<SecretDigest>(), Err(DigestError::KnownToAll), "{text}");
        }
        assert_eq!(sha256_hex(b"").parse::<SecretDigest>(), Err(DigestError::KnownToAll));
    }

    #[test]
    fn a_secret_is_recognised_by_its_digest_alone() {
        let kept = SecretDigest::of("a long secret");
        assert!(kept.is(&SecretDigest::of("a long secret")));
        assert!(!kept.is(&SecretDigest::of("another secret")));
    }
}
