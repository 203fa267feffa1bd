//! Logging in: a fixed header, or a bearer token that is fetched once for all who wait.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, header};
use kiungo_domain::excerpt;
use kiungo_transport::authorization::{self, bearer};
use kiungo_transport::token::{Granted, Lease, Timing, TokenCache};
use kiungo_transport::{Request, Response, Transport};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::{Auth, ClientAuth, OptionsError, Secrets, is_address};

/// The source of the `Authorization` header.
pub(crate) enum Authenticator {
    /// The same for every request.
    Basic { header: HeaderValue, password: SecretString },
    /// A token with an end.
    Oauth2(Box<TokenSource>),
}

/// The credentials of one request.
pub(crate) enum Credential {
    Basic(HeaderValue),
    Token(Lease),
}

impl Credential {
    pub(crate) const fn header(&self) -> &HeaderValue {
        match self {
            Self::Basic(header) => header,
            Self::Token(lease) => &lease.header,
        }
    }
}

/// The reason that there is no token. Nothing was sent to the core.
#[derive(Debug, Clone)]
pub(crate) enum AuthFailure {
    /// The authorization server did not answer usefully.
    Unavailable(String),
    /// The identity provider refuses our client.
    Refused { code: String },
}

impl Authenticator {
    pub(crate) fn new(auth: &Auth, secrets: Secrets) -> Result<Self, OptionsError> {
        match auth {
            Auth::Basic { username } => {
                let password = secret(secrets.password, "password")?;
                if username.is_empty() || username.contains(':') {
                    return Err(OptionsError::Login("auth.username"));
                }
                Ok(Self::Basic { header: basic(username, password.expose_secret())?, password })
            }
            Auth::Oauth2 { token_url, client_id, scope, client_auth } => {
                let secret = secret(secrets.client_secret, "client_secret")?;
                if !is_address(token_url) {
                    return Err(OptionsError::TokenUrl(token_url.clone()));
                }
                if client_id.is_empty() {
                    return Err(OptionsError::Login("auth.client_id"));
                }
                Ok(Self::Oauth2(Box::new(TokenSource {
                    token_url: token_url.clone(),
                    client_id: client_id.clone(),
                    scope: scope.clone(),
                    client_auth: *client_auth,
                    secret,
                    cache: TokenCache::new(Timing {
                        renew_before: RENEW_BEFORE,
                        failure_kept: FAILURE_KEPT,
                    }),
                })))
            }
        }
    }

    /// The header for one request; fetches a token if there is none that lasts.
    pub(crate) async fn credential(
        &self,
        transport: &dyn Transport,
        timeout: Duration,
    ) -> Result<Credential, AuthFailure> {
        match self {
            Self::Basic { header, .. } => Ok(Credential::Basic(header.clone())),
            Self::Oauth2(source) => {
                let lease = source.cache.lease(source.fetch(transport, timeout)).await?;
                Ok(Credential::Token(lease))
            }
        }
    }

    /// Drops the token that the core refused, unless it has been replaced meanwhile.
    pub(crate) async fn forget(&self, refused: &Lease) {
        if let Self::Oauth2(source) = self {
            source.cache.forget(refused).await;
        }
    }

    /// The password, where there is one.
    pub(crate) fn password(&self) -> Option<&str> {
        match self {
            Self::Basic { password, .. } => Some(password.expose_secret()),
            Self::Oauth2(_) => None,
        }
    }

    pub(crate) const fn is_oauth2(&self) -> bool {
        matches!(self, Self::Oauth2(_))
    }
}

/// Fetches tokens with client credentials (RFC 6749 §4.4).
pub(crate) struct TokenSource {
    token_url: String,
    client_id: String,
    scope: Option<String>,
    client_auth: ClientAuth,
    secret: SecretString,
    cache: TokenCache<AuthFailure>,
}

/// After a failure, all who ask get the same answer instead of asking one after the other.
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// The lifetime of a token, in seconds, that is assumed if the server does not state it (RFC 6749
/// §5.1 leaves it open).
const LIFETIME_ASSUMED_S: u64 = 60;
/// A token is renewed this long before its end.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

impl TokenSource {
    async fn fetch(
        &self,
        transport: &dyn Transport,
        timeout: Duration,
    ) -> Result<Granted, AuthFailure> {
        let request = self.request().map_err(|_| {
            AuthFailure::Unavailable("the token request cannot be written".to_owned())
        })?;
        match transport.send(request, timeout).await {
            Ok(response) => read_token(&response),
            Err(failure) => Err(AuthFailure::Unavailable(format!("no token: {failure}"))),
        }
    }

    fn request(&self) -> Result<Request, Box<dyn std::error::Error>> {
        let mut form = vec![("grant_type", "client_credentials")];
        if let Some(scope) = &self.scope {
            form.push(("scope", scope));
        }
        let mut request = http::Request::post(&self.token_url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        match self.client_auth {
            ClientAuth::Basic => {
                // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
                let id = encode(&self.client_id)?;
                let secret = encode(self.secret.expose_secret())?;
                request = request.header(header::AUTHORIZATION, basic(&id, &secret)?);
            }
            ClientAuth::Body => {
                form.push(("client_id", &self.client_id));
                form.push(("client_secret", self.secret.expose_secret()));
            }
        }
        Ok(request.body(Bytes::from(serde_urlencoded::to_string(form)?))?)
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct TokenError {
    error: String,
}

fn read_token(response: &Response) -> Result<Granted, AuthFailure> {
    let status = response.status().as_u16();
    let unusable = || AuthFailure::Unavailable(format!("no token: {status} from its server"));
    if status != 200 {
        return match serde_json::from_slice::<TokenError>(response.body()) {
            Ok(TokenError { error }) if matches!(status, 400 | 401) => {
                Err(AuthFailure::Refused { code: excerpt(&error) })
            }
            _ => Err(unusable()),
        };
    }
    let answer: TokenAnswer = serde_json::from_slice(response.body()).map_err(|_| unusable())?;
    let header = bearer(answer.access_token.expose_secret()).ok_or_else(unusable)?;
    let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(LIFETIME_ASSUMED_S));
    Ok(Granted { header, lifetime })
}

fn secret(secret: Option<SecretString>, key: &'static str) -> Result<SecretString, OptionsError> {
    secret.filter(|secret| !secret.expose_secret().is_empty()).ok_or(OptionsError::Secret(key))
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, OptionsError> {
    authorization::basic(user, password).ok_or(OptionsError::Login("auth.username"))
}

fn encode(text: &str) -> Result<String, serde_urlencoded::ser::Error> {
    // The pair's key is cut off again: only the value's encoding is wanted.
    let pair = serde_urlencoded::to_string([("", text)])?;
    Ok(pair.trim_start_matches('=').to_owned())
}
