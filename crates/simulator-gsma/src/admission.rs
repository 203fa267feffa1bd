//! The admission of callers: configured credentials, living tokens, and the hash of a content.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiungo_domain::Timestamp;
use kiungo_simulator::digest::sha256_hex;
use kiungo_simulator::faults::hash;

use super::options::{Credentials, Security};

/// The name of an admitted client, by which correlation ids are kept apart.
#[derive(Debug, Clone)]
pub(super) struct Client(pub(super) String);

/// The configured credentials, in the form that headers carry them, and the living tokens.
pub(super) struct Admission {
    basic: Option<(HeaderValue, String)>,
    pub(super) oauth: Option<(HeaderValue, String)>,
    api_key: Option<String>,
    pub(super) lifetime: Duration,
    pub(super) token_type: bool,
    seed: u64,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    given: u64,
    expiry: HashMap<String, Timestamp>,
}

/// The reason that a caller is not admitted.
pub(super) enum Refusal {
    /// In the API's own form.
    Unauthorised,
    /// By the gateway in front, in a form of its own.
    Gateway,
}

impl Admission {
    pub(super) fn new(security: &Security, seed: u64) -> Self {
        let header = |credentials: &Option<Credentials>| {
            let credentials = credentials.as_ref()?;
            let pair = STANDARD.encode(format!("{}:{}", credentials.name, credentials.secret));
            let value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
            Some((value, credentials.name.clone()))
        };
        Self {
            basic: header(&security.basic),
            oauth: header(&security.oauth),
            api_key: security.api_key.clone(),
            lifetime: Duration::from_secs(security.token_lifetime_s),
            token_type: security.token_type,
            seed,
            tokens: Mutex::default(),
        }
    }

    pub(super) fn revoke(&self) {
        self.tokens().expiry.clear();
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn admit(&self, headers: &HeaderMap, now: Timestamp) -> Result<Client, Refusal> {
        if let Some(key) = &self.api_key
            && headers.get("x-api-key").is_none_or(|given| given.as_bytes() != key.as_bytes())
        {
            return Err(Refusal::Unauthorised);
        }
        if self.basic.is_none() && self.oauth.is_none() {
            return Ok(Client(String::from("anonymous")));
        }
        let given = headers.get(header::AUTHORIZATION).ok_or(Refusal::Unauthorised)?;
        if let Some((expected, name)) = &self.basic
            && given == expected
        {
            return Ok(Client(name.clone()));
        }
        let Some((_, name)) = &self.oauth else { return Err(Refusal::Unauthorised) };
        let token = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let token = token.ok_or(Refusal::Unauthorised)?;
        let alive = self.tokens().expiry.get(token).is_some_and(|expiry| now < *expiry);
        if alive { Ok(Client(name.clone())) } else { Err(Refusal::Gateway) }
    }

    /// A new token; expired ones are forgotten meanwhile.
    pub(super) fn give(&self, now: Timestamp) -> String {
        let mut tokens = self.tokens();
        tokens.expiry.retain(|_, expiry| now < *expiry);
        tokens.given += 1;
        let part = |name: &[u8]| hash(self.seed, &[b"token", name, &tokens.given.to_le_bytes()]);
        let token = format!("{:016x}.{:016x}.{:016x}", part(b"1"), part(b"2"), part(b"3"));
        tokens.expiry.insert(token.clone(), now.after(self.lifetime));
        token
    }
}

/// True if the body matches `X-Content-Hash`, where that is stated (§2.1).
pub(super) fn content_is_whole(headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(stated) = headers.get("x-content-hash") else { return true };
    let digest = sha256_hex(body);
    stated.to_str().is_ok_and(|stated| stated.trim().eq_ignore_ascii_case(&digest))
}
