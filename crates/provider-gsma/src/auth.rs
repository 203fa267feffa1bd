//! Obtaining, keeping and renewing credentials.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kiungo_transport::{Request, Response, Transport};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::{AuthScheme, Options, OptionsError, Secrets};
use crate::wire;

const API_KEY: &str = "x-api-key";
const CLIENT_ID: &str = "x-client-id";

/// Gives every request its credentials.
pub(crate) struct Authenticator {
    transport: Arc<dyn Transport>,
    /// Headers that never change: API key, client id, and `Authorization` with Basic.
    fixed: HeaderMap,
    oauth: Option<OAuth>,
}

/// Client credentials and the token that they bought. The lock is held while a token is obtained,
/// so that all who need one wait for the same request.
struct OAuth {
    url: String,
    basic: HeaderValue,
    renew_before: Duration,
    lifetime_default: Duration,
    timeout: Duration,
    failures: AtomicU64,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    token: Option<Token>,
    generation: u64,
    failure: Option<AuthError>,
}

struct Token {
    header: HeaderValue,
    renew_at: Instant,
}

/// The headers that authenticate a request.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) headers: HeaderMap,
    generation: u64,
}

/// There are no credentials to send a request with; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthError {
    /// The cause, for people.
    pub(crate) why: String,
    /// True if a person must repair the configuration.
    pub(crate) repair: bool,
}

impl Authenticator {
    pub(crate) fn new(
        options: &Options,
        secrets: &Secrets,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, OptionsError> {
        let mut fixed = HeaderMap::new();
        if let Some(key) = &secrets.api_key {
            fixed.insert(API_KEY, secret_header("api_key", key.expose_secret())?);
        }
        let consumer_key =
            secrets.client_id.as_ref().filter(|_| options.auth != AuthScheme::Oauth2);
        if let Some(id) = secrets.x_client_id.as_ref().or(consumer_key) {
            fixed.insert(CLIENT_ID, secret_header("client_id", id.expose_secret())?);
        }
        let oauth = match options.auth {
            AuthScheme::None => None,
            AuthScheme::Basic => {
                let user = needed(secrets.user.as_ref(), "user", "auth = \"basic\"")?;
                let password = needed(secrets.password.as_ref(), "password", "auth = \"basic\"")?;
                fixed.insert(header::AUTHORIZATION, basic(user, password)?);
                None
            }
            AuthScheme::Oauth2 => Some(OAuth::new(options, secrets)?),
        };
        Ok(Self { transport, fixed, oauth })
    }

    /// The headers to send a request with, a valid token included.
    pub(crate) async fn credential(&self) -> Result<Credential, AuthError> {
        self.at_least(None).await
    }

    /// New headers after `refused` was refused; `None` if there is nothing that could be renewed.
    /// Callers that were refused with the same token share one renewal.
    pub(crate) async fn renew(
        &self,
        refused: &Credential,
    ) -> Option<Result<Credential, AuthError>> {
        self.oauth.as_ref()?;
        Some(self.at_least(Some(refused.generation + 1)).await)
    }

    /// Never uses this token again, so that the next request obtains another.
    pub(crate) async fn forget(&self, refused: &Credential) {
        if let Some(oauth) = &self.oauth {
            let mut cache = oauth.cache.lock().await;
            if cache.generation == refused.generation {
                cache.token = None;
            }
        }
    }

    async fn at_least(&self, generation: Option<u64>) -> Result<Credential, AuthError> {
        let mut headers = self.fixed.clone();
        let Some(oauth) = &self.oauth else {
            return Ok(Credential { headers, generation: 0 });
        };
        let (token, generation) =
            oauth.token(generation.unwrap_or(0), &*self.transport, &self.fixed).await?;
        headers.insert(header::AUTHORIZATION, token);
        Ok(Credential { headers, generation })
    }
}

impl OAuth {
    fn new(options: &Options, secrets: &Secrets) -> Result<Self, OptionsError> {
        let by = "auth = \"oauth2\"";
        let id = needed(secrets.client_id.as_ref(), "client_id", by)?;
        let secret = needed(secrets.client_secret.as_ref(), "client_secret", by)?;
        let url = options.token_url.clone();
        Ok(Self {
            url: url.ok_or(OptionsError::Missing { key: "token_url", by })?,
            basic: basic(id, secret)?,
            renew_before: Duration::from_secs(options.token_renew_before_s),
            lifetime_default: Duration::from_secs(options.token_lifetime_default_s),
            timeout: options.read_timeout(),
            failures: AtomicU64::new(0),
            cache: Mutex::default(),
        })
    }

    /// A token of at least this generation that need not be renewed yet.
    async fn token(
        &self,
        generation: u64,
        transport: &dyn Transport,
        fixed: &HeaderMap,
    ) -> Result<(HeaderValue, u64), AuthError> {
        let failures_before = self.failures.load(Ordering::Acquire);
        let mut cache = self.cache.lock().await;
        if let Some(token) = &cache.token
            && cache.generation >= generation
            && Instant::now() < token.renew_at
        {
            return Ok((token.header.clone(), cache.generation));
        }
        // A caller that waited while the request failed shares its failure, or a dead token
        // endpoint would keep the last of many waiters for as many time-outs.
        if self.failures.load(Ordering::Acquire) != failures_before
            && let Some(failure) = &cache.failure
        {
            return Err(failure.clone());
        }
        match self.obtain(transport, fixed).await {
            Ok(token) => {
                let header = token.header.clone();
                cache.generation += 1;
                cache.token = Some(token);
                cache.failure = None;
                Ok((header, cache.generation))
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::AcqRel);
                cache.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Asks for a token (`gsma-mobile-money-api.md` §3, token request).
    async fn obtain(
        &self,
        transport: &dyn Transport,
        fixed: &HeaderMap,
    ) -> Result<Token, AuthError> {
        let unsent = |why: String| AuthError { why, repair: false };
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(header::AUTHORIZATION, &self.basic)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from_static(b"grant_type=client_credentials"))
            .map_err(|_| unsent("the token URL cannot be used".to_owned()))?;
        if let Some(key) = fixed.get(API_KEY) {
            request.headers_mut().insert(API_KEY, key.clone());
        }
        let asked_at = Instant::now();
        let answer = send(transport, request, self.timeout).await.map_err(unsent)?;
        self.read(&answer, asked_at)
    }

    fn read(&self, answer: &Response, asked_at: Instant) -> Result<Token, AuthError> {
        let status = answer.status();
        if status != StatusCode::OK {
            let repair = status.is_client_error()
                && status != StatusCode::TOO_MANY_REQUESTS
                && status != StatusCode::REQUEST_TIMEOUT;
            let why = format!("the token endpoint answered {}", status.as_u16());
            return Err(AuthError { why, repair });
        }
        let unusable = || AuthError {
            why: "the token endpoint's answer has no token".to_owned(),
            repair: false,
        };
        let answer: wire::Token = wire::read_object(answer.body()).ok_or_else(unusable)?;
        let stated = answer.expires_in().and_then(|seconds| seconds.parse().ok());
        let secret = answer.access_token.filter(|token| !token.is_empty()).ok_or_else(unusable)?;
        let header = bearer(&SecretString::from(secret)).ok_or_else(unusable)?;
        let lifetime = stated.map_or(self.lifetime_default, Duration::from_secs);
        let useful = lifetime.saturating_sub(self.renew_before).max(lifetime / 2);
        // A token that lives for ages must not overflow the clock.
        let useful = useful.min(Duration::from_hours(24));
        Ok(Token { header, renew_at: asked_at + useful })
    }
}

async fn send(
    transport: &dyn Transport,
    request: Request,
    timeout: Duration,
) -> Result<Response, String> {
    let sent = transport.send(request, timeout).await;
    sent.map_err(|failure| format!("no token could be obtained: {failure}"))
}

fn needed<'a>(
    secret: Option<&'a SecretString>,
    name: &'static str,
    by: &'static str,
) -> Result<&'a str, OptionsError> {
    let given = secret.map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty());
    given.ok_or(OptionsError::NoSecret { name, by })
}

fn secret_header(name: &'static str, value: &str) -> Result<HeaderValue, OptionsError> {
    let mut header = HeaderValue::from_str(value).map_err(|_| OptionsError::Secret(name))?;
    header.set_sensitive(true);
    Ok(header)
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, OptionsError> {
    secret_header("user", &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

fn bearer(token: &SecretString) -> Option<HeaderValue> {
    secret_header("token", &format!("Bearer {}", token.expose_secret())).ok()
}
