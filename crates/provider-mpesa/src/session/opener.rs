//! `getSession` (`mpesa-openapi.md` §3).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{HeaderValue, Method};
use kiungo_domain::excerpt;
use kiungo_transport::{Failure, Transport};
use secrecy::{ExposeSecret, SecretString};

use super::SessionError;
use crate::bearer::Encrypter;
use crate::wire::{self, Reply};

/// Creates sessions: everything that `getSession` needs.
pub(crate) struct Opener {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) url: String,
    pub(crate) origin: HeaderValue,
    pub(crate) encrypter: Encrypter,
    pub(crate) api_key: SecretString,
    pub(crate) timeout: Duration,
}

/// A session as it was granted.
pub(super) struct Opened {
    pub(super) authorization: HeaderValue,
    pub(super) seed: [u8; 32],
}

impl Opener {
    pub(super) async fn open(&self) -> Result<Opened, SessionError> {
        let unusable = |what: &str| SessionError::Unusable(what.to_owned());
        let authorization = self
            .encrypter
            .bearer(self.api_key.expose_secret())
            .ok_or_else(|| unusable("the API key cannot be encrypted"))?;
        let request = wire::request(
            Method::GET,
            &format!("{}getSession/", self.url),
            &self.origin,
            authorization,
            Bytes::new(),
        )
        .map_err(|error| SessionError::Unusable(error.to_string()))?;
        let response = self.transport.send(request, self.timeout).await.map_err(|failure| {
            let (Failure::NotSent { why } | Failure::NoAnswer { why }) = failure;
            SessionError::Unreachable(why)
        })?;
        let id = session_id(&Reply::read(&response))?;
        let authorization = self
            .encrypter
            .bearer(&id)
            .ok_or_else(|| unusable("the session id is longer than the key can encrypt"))?;
        let mut seed = [0; 32];
        for (to, from) in seed.iter_mut().zip(digest(&SHA256, id.as_bytes()).as_ref()) {
            *to = *from;
        }
        tracing::info!("an M-Pesa session was created");
        Ok(Opened { authorization, seed })
    }
}

fn session_id(reply: &Reply) -> Result<String, SessionError> {
    match reply {
        Reply::Coded(coded) if coded.code == "INS-0" && coded.status.is_success() => coded
            .answer
            .session_id
            .get()
            .map(str::to_owned)
            .ok_or_else(|| SessionError::Unusable("INS-0 without a session id".to_owned())),
        Reply::Coded(coded) => Err(SessionError::Refused {
            code: excerpt(&coded.code),
            text: excerpt(coded.answer.description.get().unwrap_or_default()),
        }),
        Reply::SessionRefused { status, .. } => Err(SessionError::Refused {
            code: format!("HTTP {}", status.as_u16()),
            text: "without a code".to_owned(),
        }),
        Reply::TooMany => Err(SessionError::Unreachable("HTTP 429".to_owned())),
        Reply::NotThere => Err(SessionError::NotThere),
        Reply::Opaque { why } => Err(SessionError::Unreachable(why.clone())),
    }
}
