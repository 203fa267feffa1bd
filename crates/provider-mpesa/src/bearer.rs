//! Makes the content of the `Authorization` header: the API key or the session id, encrypted with
//! the environment's public key by RSA with PKCS#1 v1.5 padding (`mpesa-openapi.md` §3).

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// Encrypts with the environment's public key.
pub(crate) struct Encrypter(Pkcs1PublicEncryptingKey);

impl Encrypter {
    /// The key from a DER `SubjectPublicKeyInfo`; the error is the library's reason.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, String> {
        let key = PublicEncryptingKey::from_der(der).map_err(|error| error.to_string())?;
        Pkcs1PublicEncryptingKey::new(key).map(Self).map_err(|error| error.to_string())
    }

    /// `Bearer <base64>` for this secret; `None` if it is empty or does not fit into one block.
    /// The padding is random: the same secret gives another value each time.
    pub(crate) fn bearer(&self, secret: &str) -> Option<HeaderValue> {
        if secret.is_empty() || secret.len() > self.0.max_plaintext_size() {
            return None;
        }
        let mut block = vec![0; self.0.ciphertext_size()];
        let encrypted = self.0.encrypt(secret.as_bytes(), &mut block).ok()?;
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", STANDARD.encode(encrypted))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl std::fmt::Debug for Encrypter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encrypter").finish_non_exhaustive()
    }
}
