//! Obtaining, keeping and renewing credentials.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kiungo_transport::authorization;
use kiungo_transport::token::{Granted, Lease, Timing, TokenCache};
use kiungo_transport::{Request, Response, Transport};
use secrecy::{ExposeSecret, SecretString};

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

/// Client credentials and the token that they bought.
struct OAuth {
    url: String,
    basic: HeaderValue,
    lifetime_default: Duration,
    timeout: Duration,
    cache: TokenCache<AuthError>,
}

/// The headers that authenticate a request.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) headers: HeaderMap,
    /// `None` where nothing could be renewed.
    token: Option<Lease>,
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
        let Some(oauth) = &self.oauth else {
            return Ok(Credential { headers: self.fixed.clone(), token: None });
        };
        let obtain = oauth.obtain(&*self.transport, &self.fixed);
        Ok(self.with(oauth.cache.lease(obtain).await?))
    }

    /// New headers after `refused` was refused; `None` if there is nothing that could be renewed.
    /// Callers that were refused with the same token share one renewal.
    pub(crate) async fn renew(
        &self,
        refused: &Credential,
    ) -> Option<Result<Credential, AuthError>> {
        let (oauth, token) = (self.oauth.as_ref()?, refused.token.as_ref()?);
        let obtain = oauth.obtain(&*self.transport, &self.fixed);
        Some(oauth.cache.renew(token, obtain).await.map(|token| self.with(token)))
    }

    /// Never uses this token again, so that the next request obtains another.
    pub(crate) async fn forget(&self, refused: &Credential) {
        if let (Some(oauth), Some(token)) = (&self.oauth, &refused.token) {
            oauth.cache.forget(token).await;
        }
    }

    fn with(&self, token: Lease) -> Credential {
        let mut headers = self.fixed.clone();
        headers.insert(header::AUTHORIZATION, token.header.clone());
        Credential { headers, token: Some(token) }
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
            lifetime_default: Duration::from_secs(options.token_lifetime_default_s),
            timeout: options.read_timeout(),
            // A request after a failure tries again: only the callers that waited share the
            // failure.
            cache: TokenCache::new(Timing {
                renew_before: Duration::from_secs(options.token_renew_before_s),
                failure_kept: Duration::ZERO,
            }),
        })
    }

    /// Asks for a token (`gsma-mobile-money-api.md` §3, token request).
    async fn obtain(
        &self,
        transport: &dyn Transport,
        fixed: &HeaderMap,
    ) -> Result<Granted, AuthError> {
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
        let answer = send(transport, request, self.timeout).await.map_err(unsent)?;
        self.read(&answer)
    }

    fn read(&self, answer: &Response) -> Result<Granted, AuthError> {
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
        let secret = SecretString::from(secret);
        let header = authorization::bearer(secret.expose_secret()).ok_or_else(unusable)?;
        let lifetime = stated.map_or(self.lifetime_default, Duration::from_secs);
        Ok(Granted { header, lifetime })
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
    authorization::basic(user, password).ok_or(OptionsError::Secret("user"))
}
