//! HTTP calls: headers, credentials, and the one repeat after a renewed token.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use kiungo_domain::{Reference, Timestamp};
use kiungo_transport::{Failure, Request, Response, Transport};

use crate::auth::{AuthError, Authenticator, Credential};
use crate::config::{Options, OptionsError, Secrets};
use crate::map::codes::Refusal;
use crate::map::date;
use crate::paths::Base;
use crate::wire::{Body, read_body};

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlationid");
const CALLBACK_URL: HeaderName = HeaderName::from_static("x-callback-url");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-content-hash");
const DATE: HeaderName = HeaderName::from_static("x-date");
const INSTITUTION_TYPE: HeaderName =
    HeaderName::from_static("x-account-holding-institution-identifier-type");
const INSTITUTION: HeaderName = HeaderName::from_static("x-account-holding-institution-identifier");

/// Sends requests with everything that every request needs.
pub(crate) struct Client {
    transport: Arc<dyn Transport>,
    auth: Authenticator,
    pub(crate) base: Base,
    institution: HeaderMap,
    integrity_headers: bool,
    read_timeout: Duration,
}

/// A creation, ready to be sent.
pub(crate) struct Creation {
    /// Below the base URL.
    pub(crate) path: String,
    pub(crate) reference: Reference,
    pub(crate) callback_url: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) body: Bytes,
    pub(crate) timeout: Duration,
}

/// Says whether a resource is routed by the institution that holds the account (§2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Routed {
    ByInstitution,
    No,
}

/// The reason that there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("{}", .0.why)]
    NoCredential(AuthError),
    #[error("{0}")]
    Failed(Failure),
    #[error("the request cannot be built: {0}")]
    Unbuildable(String),
}

impl Unanswered {
    /// True if surely nothing has been seen by the other side.
    pub(crate) const fn is_not_sent(&self) -> bool {
        match self {
            Self::NoCredential(_) | Self::Unbuildable(_) => true,
            Self::Failed(failure) => matches!(failure, Failure::NotSent { .. }),
        }
    }
}

impl Client {
    pub(crate) fn new(
        options: &Options,
        secrets: &Secrets,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, OptionsError> {
        let wrong_url = || OptionsError::Url { key: "base_url" };
        let mut institution = HeaderMap::new();
        if let Some(holder) = &options.institution {
            for (name, value) in [(INSTITUTION_TYPE, &holder.kind), (INSTITUTION, &holder.id)] {
                let value = HeaderValue::from_str(value).map_err(|error| {
                    OptionsError::Unusable { key: "institution", why: error.to_string() }
                })?;
                institution.insert(name, value);
            }
        }
        Ok(Self {
            auth: Authenticator::new(options, secrets, Arc::clone(&transport))?,
            base: Base::new(&options.base_url).ok_or_else(wrong_url)?,
            transport,
            institution,
            integrity_headers: options.integrity_headers,
            read_timeout: options.read_timeout(),
        })
    }

    /// Reads a resource below the base URL.
    pub(crate) async fn get(&self, path: &str, routed: Routed) -> Result<Response, Unanswered> {
        self.get_url(&self.base.join(path), routed).await
    }

    /// Reads a URL, which must have come from [`Base::join`] or [`Base::resolve`].
    pub(crate) async fn get_url(&self, url: &str, routed: Routed) -> Result<Response, Unanswered> {
        let mut headers = common();
        if routed == Routed::ByInstitution {
            headers.extend(self.institution.clone());
        }
        self.exchange(&Method::GET, url, &headers, &Bytes::new(), self.read_timeout).await
    }

    /// Sends a creation. The body and the correlation id are the same in a repeat (§18, trap 14).
    pub(crate) async fn post(&self, creation: &Creation) -> Result<Response, Unanswered> {
        let mut headers = common();
        headers.extend(self.institution.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CORRELATION_ID, value(&creation.reference.hyphenated())?);
        if let Some(url) = &creation.callback_url {
            headers.insert(CALLBACK_URL, value(url)?);
        }
        if self.integrity_headers {
            headers.insert(CONTENT_HASH, value(&content_hash(&creation.body))?);
            if let Some(date) = date::write(creation.at) {
                headers.insert(DATE, value(&date)?);
            }
        }
        let url = self.base.join(&creation.path);
        self.exchange(&Method::POST, &url, &headers, &creation.body, creation.timeout).await
    }

    /// Tells something at an address of the provider's choice: without our credentials, which are for
    /// its API, and with the correlation id of its own request (§2.3, §4.2).
    pub(crate) async fn put(
        &self,
        url: &str,
        correlation: Option<&str>,
        body: Bytes,
        at: Timestamp,
    ) -> Result<Response, Unanswered> {
        let mut headers = common();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(id) = correlation {
            headers.insert(CORRELATION_ID, value(id)?);
        }
        if self.integrity_headers {
            headers.insert(CONTENT_HASH, value(&content_hash(&body))?);
            if let Some(date) = date::write(at) {
                headers.insert(DATE, value(&date)?);
            }
        }
        self.send(build(&Method::PUT, url, &headers, &HeaderMap::new(), &body)?, self.read_timeout)
            .await
    }

    /// Sends once, and once more if the gateway refuses the token. A 401 with a GSMA Error object
    /// is an answer: it may be the payer who declined (§6.2).
    async fn exchange(
        &self,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
        body: &Bytes,
        timeout: Duration,
    ) -> Result<Response, Unanswered> {
        let credential = self.auth.credential().await.map_err(Unanswered::NoCredential)?;
        let request =
            |credential: &Credential| build(method, url, headers, &credential.headers, body);
        let first = self.send(request(&credential)?, timeout).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        if let Some(Body::Error(error)) = read_body(first.body()) {
            if Refusal::of(&error).is_about_the_client() {
                self.auth.forget(&credential).await;
            }
            return Ok(first);
        }
        let Some(Ok(renewed)) = self.auth.renew(&credential).await else {
            return Ok(first);
        };
        match self.send(request(&renewed)?, timeout).await {
            // The first sending was answered, so this one does not make the attempt unsent.
            Err(error) if error.is_not_sent() => Ok(first),
            second => second,
        }
    }

    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, Unanswered> {
        self.transport.send(request, timeout).await.map_err(Unanswered::Failed)
    }
}

/// The hash of a body as `X-Content-Hash` carries it: SHA-256 in lower-case hex (§2.1).
pub(crate) fn content_hash(body: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, body))
}

fn common() -> HeaderMap {
    HeaderMap::from_iter([
        (header::ACCEPT, HeaderValue::from_static("application/json")),
        (header::ACCEPT_CHARSET, HeaderValue::from_static("utf-8")),
    ])
}

fn value(text: &str) -> Result<HeaderValue, Unanswered> {
    HeaderValue::from_str(text).map_err(|error| Unanswered::Unbuildable(error.to_string()))
}

fn build(
    method: &Method,
    url: &str,
    headers: &HeaderMap,
    credential: &HeaderMap,
    body: &Bytes,
) -> Result<Request, Unanswered> {
    let mut request = http::Request::builder()
        .method(method.clone())
        .uri(url)
        .body(body.clone())
        .map_err(|error| Unanswered::Unbuildable(error.to_string()))?;
    request.headers_mut().extend(headers.clone());
    request.headers_mut().extend(credential.clone());
    Ok(request)
}
