//! The keys of callers: API keys and callback secrets, known by their SHA-256 alone and compared in
//! constant time.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use kiungo_api::Identity;
use kiungo_domain::{CoreId, ProviderId};
use secrecy::ExposeSecret;

use crate::options::ServerOptions;

/// All keys and secrets.
pub(crate) struct Keyring {
    keys: Vec<([u8; 32], Identity)>,
    callbacks: BTreeMap<ProviderId, [u8; 32]>,
    hooks: BTreeMap<CoreId, [u8; 32]>,
}

impl Keyring {
    /// The keys and secrets of options that have been checked.
    pub(crate) fn new(options: &ServerOptions) -> Self {
        let identity = |key: &crate::ApiKey| {
            let identity = Identity::new(&key.name, key.roles.clone(), key.scope.clone());
            key.digest().map(|digest| (digest, identity))
        };
        let secrets = options.callback_secrets.iter();
        let hooks = options.hook_secrets.iter();
        Self {
            keys: options.keys.iter().filter_map(identity).collect(),
            callbacks: secrets.map(|(id, s)| (id.clone(), sha256(s.expose_secret()))).collect(),
            hooks: hooks.map(|(id, s)| (id.clone(), sha256(s.expose_secret()))).collect(),
        }
    }

    /// The holder of this key. Every key is compared, so that the time tells nothing.
    pub(crate) fn holder(&self, token: &str) -> Option<&Identity> {
        let presented = sha256(token);
        let mut found = None;
        for (digest, identity) in &self.keys {
            if verify_slices_are_equal(digest, &presented).is_ok() {
                found = Some(identity);
            }
        }
        found
    }

    /// The provider whose callback address has this name and secret. An unknown name is compared
    /// with an impossible secret, so that the time does not tell which names exist.
    pub(crate) fn calling_provider(&self, name: &str, secret: &str) -> Option<&ProviderId> {
        calling(&self.callbacks, ProviderId::new(name).ok().as_ref(), secret)
    }

    /// The core whose hook address has this name and secret, compared in the same way.
    pub(crate) fn calling_core(&self, name: &str, secret: &str) -> Option<&CoreId> {
        calling(&self.hooks, CoreId::new(name).ok().as_ref(), secret)
    }
}

fn calling<'a, I: Ord>(
    secrets: &'a BTreeMap<I, [u8; 32]>,
    id: Option<&I>,
    secret: &str,
) -> Option<&'a I> {
    let presented = sha256(secret);
    let known = id.and_then(|id| secrets.get_key_value(id));
    let nobody = [0; 32];
    let digest = known.map_or(&nobody, |(_, digest)| digest);
    let equal = verify_slices_are_equal(digest, &presented).is_ok();
    known.filter(|_| equal).map(|(id, _)| id)
}

pub(crate) fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}
