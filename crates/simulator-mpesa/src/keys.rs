//! The market's RSA key pair: PKCS#1 v1.5, as the portal prescribes (`mpesa-openapi.md` §3).

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A private key, and the public one as the portal shows it.
pub(super) struct KeyPair {
    private: Pkcs1PrivateDecryptingKey,
    /// DER `SubjectPublicKeyInfo` in base64.
    pub(super) public: String,
}

/// The pair of this size, made when first needed.
pub(super) fn pair(bits: u16) -> Option<&'static KeyPair> {
    static SMALL: OnceLock<Option<KeyPair>> = OnceLock::new();
    static LARGE: OnceLock<Option<KeyPair>> = OnceLock::new();
    let (cell, size) = match bits {
        2_048 => (&SMALL, KeySize::Rsa2048),
        _ => (&LARGE, KeySize::Rsa4096),
    };
    cell.get_or_init(|| generate(size)).as_ref()
}

fn generate(size: KeySize) -> Option<KeyPair> {
    KeyPair::of(PrivateDecryptingKey::generate(size).ok()?)
}

/// A new private key of 2048 bits for [`Options::private_key`](super::Options::private_key): DER PKCS#8
/// in base64. `None` if the system cannot make one.
pub fn new_private_key() -> Option<String> {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).ok()?;
    let der: Pkcs8V1Der<'_> = private.as_der().ok()?;
    Some(STANDARD.encode(der.as_ref()))
}

impl KeyPair {
    /// The pair of a private key: DER PKCS#8 in base64.
    pub(super) fn read(private: &str) -> Option<Self> {
        let der = STANDARD.decode(private).ok()?;
        Self::of(PrivateDecryptingKey::from_pkcs8(&der).ok()?)
    }

    fn of(private: PrivateDecryptingKey) -> Option<Self> {
        let public: PublicKeyX509Der<'_> = private.public_key().as_der().ok()?;
        let public = STANDARD.encode(public.as_ref());
        Some(Self { private: Pkcs1PrivateDecryptingKey::new(private).ok()?, public })
    }

    /// Decrypts `bearer`, base64 of a ciphertext.
    pub(super) fn decrypt(&self, bearer: &str) -> Option<String> {
        let ciphertext = STANDARD.decode(bearer).ok()?;
        let mut plain = vec![0; self.private.min_output_size()];
        let text = self.private.decrypt(&ciphertext, &mut plain).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}
