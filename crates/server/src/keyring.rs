//! The keys of callers: API keys and callback secrets, known by their SHA-256 alone and compared in
//! constant time.

use std::collections::BTreeMap;

use kiungo_api::{Identity, SecretDigest};
use kiungo_domain::{CoreId, ProviderId};
use secrecy::{ExposeSecret, SecretString};

use crate::options::ServerOptions;

/// All keys and secrets.
pub(crate) struct Keyring {
    keys: Vec<(SecretDigest, Identity)>,
    callbacks: BTreeMap<ProviderId, SecretDigest>,
    hooks: BTreeMap<CoreId, SecretDigest>,
}

impl Keyring {
    /// The keys and secrets of options that have been checked.
    pub(crate) fn new(options: &ServerOptions) -> Self {
        let identity = |key: &crate::ApiKey| {
            (key.digest, Identity::new(&key.name, key.roles.clone(), key.scope.clone()))
        };
        let digest = |secret: &SecretString| SecretDigest::of(secret.expose_secret());
        let secrets = options.callback_secrets.iter();
        let hooks = options.hook_secrets.iter();
        Self {
            keys: options.keys.iter().map(identity).collect(),
            callbacks: secrets.map(|(id, secret)| (id.clone(), digest(secret))).collect(),
            hooks: hooks.map(|(id, secret)| (id.clone(), digest(secret))).collect(),
        }
    }

    /// The holder of this key. Every key is compared, so that the time tells nothing.
    pub(crate) fn holder(&self, token: &str) -> Option<&Identity> {
        let presented = SecretDigest::of(token);
        let mut found = None;
        for (digest, identity) in &self.keys {
            if digest.is(&presented) {
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
    secrets: &'a BTreeMap<I, SecretDigest>,
    id: Option<&I>,
    secret: &str,
) -> Option<&'a I> {
    let presented = SecretDigest::of(secret);
    let known = id.and_then(|id| secrets.get_key_value(id));
    let digest = known.map_or(&SecretDigest::IMPOSSIBLE, |(_, digest)| digest);
    let equal = digest.is(&presented);
    known.filter(|_| equal).map(|(id, _)| id)
}
