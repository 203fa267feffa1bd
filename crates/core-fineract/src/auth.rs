//! Logging in: a fixed header, or a bearer token that is fetched once for all who wait.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, header};
use kiungo_domain::excerpt;
use kiungo_transport::{Request, Response, Transport};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::{Auth, ClientAuth, OptionsError, Secrets, is_address};

/// The source of the `Authorization` header.
pub(crate) enum Authenticator {
    /// The same for every request.
    Basic { header: HeaderValue, password: SecretString },
    /// A token with an end.
    Oauth2(Box<TokenSource>),
}

/// A header; `fresh` is true if its token was fetched for just this request.
pub(crate) struct Credential {
    pub(crate) header: HeaderValue,
    pub(crate) fresh: bool,
}

/// The reason that there is no token. Nothing was sent to the core.
#[derive(Debug, Clone)]
pub(crate) enum AuthFailure {
    /// The authorization server did not answer usefully.
    Unavailable(String),
    /// It refuses our client.
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
                    state: Mutex::new(State::default()),
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
            Self::Basic { header, .. } => Ok(Credential { header: header.clone(), fresh: true }),
            Self::Oauth2(source) => source.credential(transport, timeout).await,
        }
    }

    /// Drops the token that the core refused, unless it has been replaced meanwhile.
    pub(crate) async fn forget(&self, refused: &HeaderValue) {
        if let Self::Oauth2(source) = self {
            let mut state = source.state.lock().await;
            if state.token.as_ref().is_some_and(|token| token.header == *refused) {
                state.token = None;
            }
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
    /// Held while a token is fetched: the others wait for it instead of fetching their own.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    failure: Option<(Instant, AuthFailure)>,
}

struct Token {
    header: HeaderValue,
    renew_at: Instant,
}

/// After a failure, all who waited get the same answer instead of asking one after the other.
const FAILURE_REMEMBERED: Duration = Duration::from_secs(1);
/// The lifetime of a token, in seconds, that is assumed if the server does not state it (RFC 6749
/// §5.1 leaves it open).
const LIFETIME_ASSUMED_S: u64 = 60;
/// A token is renewed this long before its end, so that it does not end under way.
const RENEW_BEFORE_S: u64 = 30;

impl TokenSource {
    async fn credential(
        &self,
        transport: &dyn Transport,
        timeout: Duration,
    ) -> Result<Credential, AuthFailure> {
        let mut state = self.state.lock().await;
        if let Some(token) = state.token.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(Credential { header: token.header.clone(), fresh: false });
        }
        if let Some((at, failure)) = &state.failure
            && at.elapsed() < FAILURE_REMEMBERED
        {
            return Err(failure.clone());
        }
        match self.fetch(transport, timeout).await {
            Ok(token) => {
                let header = token.header.clone();
                *state = State { token: Some(token), failure: None };
                Ok(Credential { header, fresh: true })
            }
            Err(failure) => {
                *state = State { token: None, failure: Some((Instant::now(), failure.clone())) };
                Err(failure)
            }
        }
    }

    async fn fetch(
        &self,
        transport: &dyn Transport,
        timeout: Duration,
    ) -> Result<Token, AuthFailure> {
        let request = self.request().map_err(|_| {
            AuthFailure::Unavailable("the token request cannot be written".to_owned())
        })?;
        let asked_at = Instant::now();
        match transport.send(request, timeout).await {
            Ok(response) => read_token(&response, asked_at),
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

fn read_token(response: &Response, asked_at: Instant) -> Result<Token, AuthFailure> {
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
    let bearer = format!("Bearer {}", answer.access_token.expose_secret());
    let mut header = HeaderValue::from_str(&bearer).map_err(|_| unusable())?;
    header.set_sensitive(true);
    let lifetime = answer.expires_in.unwrap_or(LIFETIME_ASSUMED_S);
    // A short life is used by half rather than not at all.
    let used = lifetime.saturating_sub(RENEW_BEFORE_S).max(lifetime / 2).min(86_400);
    Ok(Token { header, renew_at: asked_at + Duration::from_secs(used) })
}

fn secret(secret: Option<SecretString>, key: &'static str) -> Result<SecretString, OptionsError> {
    secret.filter(|secret| !secret.expose_secret().is_empty()).ok_or(OptionsError::Secret(key))
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, OptionsError> {
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}"))
        .map_err(|_| OptionsError::Login("auth.username"))?;
    header.set_sensitive(true);
    Ok(header)
}

fn encode(text: &str) -> Result<String, serde_urlencoded::ser::Error> {
    // The pair's key is cut off again: only the value's encoding is wanted.
    let pair = serde_urlencoded::to_string([("", text)])?;
    Ok(pair.trim_start_matches('=').to_owned())
}
