//! Sending: the only file that talks to the transport with the core's login.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, header};
use kiungo_domain::excerpt;
use kiungo_domain::outcome::{Outcome, Reason, Rejection, Retry};
use kiungo_transport::{Failure, Transport};
use serde::de::DeserializeOwned;

use crate::auth::{AuthFailure, Authenticator, Credential};
use crate::catalogue::{self, Class, ErrorMeaning};
use crate::config::Settings;
use crate::wire::{Page, read_object};

/// A client of one tenant.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    authenticator: Authenticator,
    transport: Arc<dyn Transport>,
}

/// An answer, whatever it says.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Answered from what was stored for the same key (`fineract.md` §4.2).
    pub(crate) cached: bool,
    pub(crate) body: Bytes,
}

/// The reason that there is no answer.
#[derive(Debug, Clone)]
pub(crate) enum SendError {
    /// Surely nothing reached the core.
    NotSent(String),
    /// The request may have reached the core.
    NoAnswer(String),
    /// The login is refused before anything is sent to the core.
    Login { code: String },
}

impl SendError {
    /// The outcome of a command that met this failure.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::NotSent(why) => Outcome::not_sent(why),
            Self::NoAnswer(why) => Outcome::Unknown { why },
            Self::Login { code } => Outcome::Rejected(Rejection {
                code,
                reason: Reason::Configuration,
                message: "the authorization server refuses our client".to_owned(),
                retry: Retry::AfterRepair,
            }),
        }
    }

    pub(crate) fn why(self) -> String {
        match self {
            Self::NotSent(why) | Self::NoAnswer(why) => why,
            Self::Login { code } => format!("the authorization server refuses our client: {code}"),
        }
    }
}

/// The reason that a read brought nothing.
#[derive(Debug, Clone)]
pub(crate) enum ReadError {
    /// The core says that there is no such thing.
    NotFound { code: String },
    /// Login, permissions or settings: a person must repair it.
    Repair { code: String, message: String },
    /// No usable answer.
    Unusable(String),
}

impl ReadError {
    pub(crate) fn why(self) -> String {
        match self {
            Self::NotFound { code } => format!("404 {code}"),
            Self::Repair { code, message } => format!("{code}: {message}"),
            Self::Unusable(why) => why,
        }
    }
}

impl Client {
    pub(crate) fn new(
        settings: Settings,
        authenticator: Authenticator,
        transport: Arc<dyn Transport>,
    ) -> Self {
        Self { settings, authenticator, transport }
    }

    pub(crate) const fn is_oauth2(&self) -> bool {
        self.authenticator.is_oauth2()
    }

    /// The password, for the one request that needs it in its body.
    pub(crate) fn password(&self) -> Option<&str> {
        self.authenticator.password()
    }

    /// Sends a command once, under the idempotency key `key`.
    pub(crate) async fn command(
        &self,
        path: &str,
        key: &str,
        body: Bytes,
    ) -> Result<Answer, SendError> {
        self.send(Method::POST, path, Some(key), body, self.settings.command_timeout).await
    }

    /// Sends a search, which is a POST that changes nothing.
    pub(crate) async fn search(&self, path: &str, body: Bytes) -> Result<Answer, SendError> {
        self.send(Method::POST, path, None, body, self.settings.read_timeout).await
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, SendError> {
        self.send(Method::GET, path, None, Bytes::new(), self.settings.read_timeout).await
    }

    /// Reads one thing.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ReadError> {
        let answer = self.get(path).await.map_err(|e| ReadError::Unusable(e.why()))?;
        let body = answer.found()?;
        read_object(&body).map_err(|e| unreadable(&e))
    }

    /// Reads one page of a list, in whatever shape.
    pub(crate) async fn read_page<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Page<T>, ReadError> {
        let answer = self.get(path).await.map_err(|e| ReadError::Unusable(e.why()))?;
        answer.page()
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Answer, SendError> {
        let credential = self
            .authenticator
            .credential(self.transport.as_ref(), self.settings.read_timeout)
            .await
            .map_err(|failure| match failure {
                AuthFailure::Unavailable(why) => SendError::NotSent(why),
                AuthFailure::Refused { code } => SendError::Login { code },
            })?;
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.settings.base_url))
            .header("Fineract-Platform-TenantId", &self.settings.tenant)
            .header(header::AUTHORIZATION, credential.header())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let request = request
            .body(body)
            .map_err(|_| SendError::NotSent("the request cannot be written".to_owned()))?;
        let response =
            self.transport.send(request, timeout).await.map_err(|failure| match failure {
                Failure::NotSent { why } => SendError::NotSent(why),
                Failure::NoAnswer { why } => SendError::NoAnswer(why),
            })?;
        let status = response.status().as_u16();
        if status == 401
            && let Credential::Token(lease) = &credential
        {
            self.authenticator.forget(lease).await;
            if !lease.fresh {
                // A token that was good before has ended: turned away before the command was
                // recorded (`fineract.md` §4.2). The next sending brings a new one.
                return Err(SendError::NotSent("the token has ended".to_owned()));
            }
        }
        let cached = response
            .headers()
            .get("x-served-from-cache")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        Ok(Answer { status, cached, body: response.into_body() })
    }
}

impl Answer {
    /// The body of a thing that was found.
    fn found(self) -> Result<Bytes, ReadError> {
        if self.status == 200 {
            return Ok(self.body);
        }
        Err(match catalogue::classify(self.status, &self.body) {
            ErrorMeaning::Listed { code, .. } if self.status == 404 => ReadError::NotFound { code },
            ErrorMeaning::Listed { row, code, message } if row.class == Class::Repair => {
                ReadError::Repair { code, message }
            }
            ErrorMeaning::Listed { code, message, .. } => {
                ReadError::Unusable(format!("{} {code}: {message}", self.status))
            }
            ErrorMeaning::Unlisted { why } => match self.status {
                404 => not_found_by_envelope(&self.body)
                    .map_or(ReadError::Unusable(why), |code| ReadError::NotFound { code }),
                _ => ReadError::Unusable(why),
            },
        })
    }

    pub(crate) fn page<T: DeserializeOwned>(self) -> Result<Page<T>, ReadError> {
        let body = self.found()?;
        Page::parse(&body).map_err(|e| unreadable(&e))
    }
}

/// For a read, Fineract's own "not found" is enough: which code it carries is not a money matter.
fn not_found_by_envelope(body: &[u8]) -> Option<String> {
    let error = crate::wire::ErrorBody::parse(body)?;
    error.codes().first().map(|code| excerpt(code))
}

/// Names the position at which the answer stops making sense, without quoting the answer.
fn unreadable(error: &serde_json::Error) -> ReadError {
    ReadError::Unusable(format!(
        "the answer cannot be read (line {}, column {})",
        error.line(),
        error.column()
    ))
}

/// A query made of outside text.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}
