//! The client of a Kiungo that runs.

use std::time::Duration;

use clap::Args;
use kiungo_transport::is_exposed_text;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::failure::Failure;

/// Longer than the server's own bound on a request.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The address of the server, and the key.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Where Kiungo is served
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "KIUNGO_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// The API key; better in the environment, where no list of processes shows it
    #[arg(long, global = true, value_name = "KEY", env = "KIUNGO_API_KEY", hide_env_values = true)]
    key: Option<SecretString>,
    /// Let the key go to another machine without TLS
    #[arg(long, global = true, env = "KIUNGO_PLAINTEXT_ALLOWED")]
    plaintext_allowed: bool,
}

/// A client of the API.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: SecretString,
}

impl Client {
    pub(crate) fn new(server: &Server) -> Result<Self, Failure> {
        let unusable = |why: &str| Failure::Usage(format!("--url: `{}` {why}", server.url));
        let base = Url::parse(&server.url).map_err(|_| unusable("is not an address"))?;
        if base.cannot_be_a_base() || !matches!(base.scheme(), "http" | "https") {
            return Err(unusable("is not an http or https address"));
        }
        if !server.plaintext_allowed && is_exposed_text(base.as_str()) {
            let why = "is on another machine and has no TLS, so that others on the way could read \
                       the key: use https://, or --plaintext-allowed where the network in between \
                       is trusted";
            return Err(unusable(why));
        }
        let key = server.key.clone().ok_or_else(|| {
            Failure::Usage("an API key is needed: set KIUNGO_API_KEY, or give --key".to_owned())
        })?;
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Self { http, base, key })
    }

    pub(crate) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.answer(self.http.request(Method::GET, url)).await
    }

    pub(crate) async fn post(
        &self,
        path: &[&str],
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, Failure> {
        let mut request = self
            .http
            .request(Method::POST, self.url(path)?)
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request).await
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Usage("--url: cannot be extended".to_owned()))?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let unreachable = |error: reqwest::Error| {
            let why = error.without_url();
            let why = std::error::Error::source(&why).map_or(why.to_string(), ToString::to_string);
            Failure::failed(format!(
                "no answer from {}: {why}; is `kiungo serve` running?",
                self.base
            ))
        };
        let response =
            request.bearer_auth(self.key.expose_secret()).send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        let json: Value = serde_json::from_slice(&body).map_err(|_| {
            Failure::failed(format!("{} answered {status} without JSON: is it Kiungo?", self.base))
        })?;
        if status.is_success() { Ok(json) } else { Err(problem(status.as_u16(), &json)) }
    }
}

/// The object with one more member, if there is a value for it.
pub(super) fn with(mut object: Value, member: &str, value: Option<impl Into<Value>>) -> Value {
    if let Some(value) = value {
        object[member] = value.into();
    }
    object
}

/// The failure that an RFC 9457 problem tells.
fn problem(status: u16, body: &Value) -> Failure {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("code").is_empty() {
        let why = format!("answered {status} in a form that is not Kiungo's: check --url");
        return Failure::failed(why);
    }
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let places = errors.filter_map(|error| error.get("pointer").and_then(Value::as_str));
    let places: Vec<&str> = places.map(|place| place.trim_start_matches("#/")).collect();
    let places = places.join(", ");
    let places = if places.is_empty() { places } else { format!(" [{places}]") };
    let (title, code, detail) = (text("title"), text("code"), text("detail"));
    Failure::failed(format!("{title} ({status} {code}){places}: {detail}"))
}
