//! The transport over TCP and TLS.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::bound::{Bound, TimelyBody};
use crate::content::{self, CODINGS};
use crate::plaintext::is_exposed;
use crate::{Failure, Request, Response, Transport};

/// The options by which one provider or core is reached.
#[derive(Debug)]
pub struct NetworkOptions {
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The number of idle connections that are kept.
    pub idle_connections_max: usize,
    /// The longest response body that is read, packed or unpacked; a longer one is no answer.
    pub response_bytes_max: usize,
    /// PEM certificates of an own authority, trusted beside the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// PEM client certificate and key, for mutual TLS.
    pub identity_pem: Option<SecretString>,
    /// An HTTP proxy that everything goes through: `http://[USER:PASSWORD@]HOST:PORT`, or
    /// `https://…`. Without one nothing does: variables like `HTTPS_PROXY` are not read.
    pub proxy: Option<SecretString>,
    /// Lets requests without TLS go to another machine. Default false: nothing is sent then.
    pub plaintext_allowed: bool,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_connections_max: 64,
            response_bytes_max: 4 * 1024 * 1024,
            ca_pem: None,
            identity_pem: None,
            proxy: None,
            plaintext_allowed: false,
        }
    }
}

/// The network could not be set up.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The own authority's certificates cannot be read.
    #[error("the authority's PEM certificates cannot be read: {0}")]
    Authority(#[source] reqwest::Error),
    /// The client certificate or key cannot be read.
    #[error("the client certificate and key (PEM) cannot be read: {0}")]
    Identity(#[source] reqwest::Error),
    /// The proxy's address is none.
    #[error("the proxy is not an address like http://proxy.example:3128")]
    Proxy,
    /// The client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[source] reqwest::Error),
}

/// Sends requests over TCP. Certificates are always checked; there is no way to switch that off.
#[derive(Debug, Clone)]
pub struct Network {
    client: reqwest::Client,
    /// The proxy for messages: without its user and password.
    proxy: Option<String>,
    response_bytes_max: usize,
    plaintext_allowed: bool,
}

impl Network {
    /// Sets up a client with its own connections.
    pub fn new(options: &NetworkOptions) -> Result<Self, NetworkError> {
        let mut builder = reqwest::Client::builder()
            // A redirected POST would be repeated as a GET, and a retried one would be sent twice.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(options.connect_timeout)
            .pool_max_idle_per_host(options.idle_connections_max)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            // The proxy variables of a process's environment are no decision about this money.
            .no_proxy();
        if let Some(address) = &options.proxy {
            builder = builder.proxy(proxy(address)?);
        }
        if let Some(pem) = &options.ca_pem {
            let authorities =
                reqwest::Certificate::from_pem_bundle(pem).map_err(NetworkError::Authority)?;
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(pem) = &options.identity_pem {
            let identity = reqwest::Identity::from_pem(pem.expose_secret().as_bytes())
                .map_err(NetworkError::Identity)?;
            builder = builder.identity(identity);
        }
        let client = builder.build().map_err(NetworkError::Client)?;
        let NetworkOptions { response_bytes_max, plaintext_allowed, .. } = *options;
        let address = options.proxy.as_ref().map(ExposeSecret::expose_secret);
        let proxy = address.and_then(|address| address.parse().ok()).map(|uri| address_of(&uri));
        Ok(Self { client, proxy, response_bytes_max, plaintext_allowed })
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, Failure> {
        let uri = request.uri().clone();
        let exchange = async {
            crate::still_in_time()?;
            self.exchange(request).await
        };
        tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| {
            let address = address_of(&uri);
            let why = format!("{address} did not answer within {} ms", timeout.as_millis());
            Err(Failure::NoAnswer { why })
        })
    }
}

impl Network {
    /// Sends, and reads the whole answer. The body has a bound of its own in time.
    pub(crate) async fn exchange(&self, mut request: Request) -> Result<Response, Failure> {
        // The address is a text only in a message.
        let uri = request.uri().clone();
        if !self.plaintext_allowed && is_exposed(&uri) {
            let address = address_of(&uri);
            let why = format!(
                "{address} is http:// on another machine, which the configuration does not allow \
                 (plaintext_allowed)"
            );
            return Err(Failure::NotSent { why });
        }
        let codings = HeaderValue::from_static(CODINGS);
        request.headers_mut().entry(ACCEPT_ENCODING).or_insert(codings);
        let mut request = reqwest::Request::try_from(request)
            .map_err(|error| Failure::NotSent { why: describe(&uri, error) })?;
        if let Some(bound) = Bound::present()
            && let Some(content) = request.body().and_then(reqwest::Body::as_bytes)
            && !content.is_empty()
        {
            let content = Bytes::copy_from_slice(content);
            *request.body_mut() = Some(reqwest::Body::wrap(TimelyBody::new(bound, content)));
        }
        let mut response = self.client.execute(request).await.map_err(|e| self.failure(&uri, e))?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(&uri, error))? {
            if body.len() + chunk.len() > self.response_bytes_max {
                let why = format!("the response is longer than {} bytes", self.response_bytes_max);
                return Err(Failure::NoAnswer { why });
            }
            body.extend_from_slice(&chunk);
        }
        let mut headers = std::mem::take(response.headers_mut());
        let body = self.unpack(&mut headers, body.freeze())?;
        let mut whole = http::Response::new(body);
        *whole.status_mut() = response.status();
        *whole.headers_mut() = headers;
        Ok(whole)
    }

    /// Only a failure to connect is surely before the first byte.
    fn failure(&self, uri: &http::Uri, error: reqwest::Error) -> Failure {
        if !error.is_connect() && !error.is_builder() {
            return no_answer(uri, error);
        }
        let mut address = address_of(uri);
        if let Some(proxy) = &self.proxy {
            address = format!("{address} through the proxy {proxy}");
        }
        if error.is_builder() {
            let why = format!("{address}: {}", causes(error).join(": "));
            return Failure::NotSent { why };
        }
        // The two libraries' own words for it come first.
        let causes = causes(error);
        let told = causes.get(2..).filter(|told| !told.is_empty()).unwrap_or(&causes);
        Failure::NotSent { why: format!("cannot connect to {address}: {}", told.join(": ")) }
    }

    /// The body as it was meant; a body that cannot be unpacked is no answer, with any status.
    fn unpack(&self, headers: &mut HeaderMap, body: Bytes) -> Result<Bytes, Failure> {
        let named = headers.get_all(CONTENT_ENCODING).iter();
        let named: Vec<_> =
            named.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        if named.is_empty() {
            return Ok(body);
        }
        let body = content::unpacked(&named.join(","), body, self.response_bytes_max)
            .map_err(|error| Failure::NoAnswer { why: error.to_string() })?;
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        Ok(body)
    }
}

fn proxy(address: &SecretString) -> Result<reqwest::Proxy, NetworkError> {
    let address = address.expose_secret();
    let uri: http::Uri = address.parse().map_err(|_| NetworkError::Proxy)?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_bare =
        matches!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), None | Some("/" | ""));
    if !is_http || !is_bare || uri.host().is_none_or(str::is_empty) {
        return Err(NetworkError::Proxy);
    }
    reqwest::Proxy::all(address).map_err(|_| NetworkError::Proxy)
}

/// Scheme, host and port of an address, for messages: no user, no password, no path and no query, which
/// can hold secrets and phone numbers.
fn address_of(uri: &http::Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    format!("{scheme}://{host}:{port}")
}

fn no_answer(uri: &http::Uri, error: reqwest::Error) -> Failure {
    Failure::NoAnswer { why: describe(uri, error) }
}

/// The address and the error with its causes, without the URL, which can hold phone numbers and secrets.
fn describe(uri: &http::Uri, error: reqwest::Error) -> String {
    format!("{}: {}", address_of(uri), causes(error).join(": "))
}

/// The error and its causes, the outermost first.
fn causes(error: reqwest::Error) -> Vec<String> {
    let error = error.without_url();
    let mut texts = vec![error.to_string()];
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(options: NetworkOptions, url: &str) -> String {
        let network = Network::new(&options).unwrap();
        let request = http::Request::get(url).body(Bytes::new()).unwrap();
        let sent = network.send(request, Duration::from_secs(10)).await;
        sent.unwrap_err().to_string()
    }

    /// A port that was just free; no other process takes it at once.
    async fn closed_port() -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn a_failure_to_connect_names_the_address_and_nothing_else_of_the_url() {
        let port = closed_port().await;
        let url = format!("http://127.0.0.1:{port}/secret-path/0712345678?key=sesame");
        let said = refused(NetworkOptions::default(), &url).await;
        let expected = format!("not sent: cannot connect to http://127.0.0.1:{port}: ");
        assert!(said.starts_with(&expected) && said.contains("refused"), "{said}");
        assert!(!said.contains("secret-path") && !said.contains("sesame"), "{said}");
        assert!(!said.contains("error sending request"), "{said}");
    }

    #[tokio::test]
    async fn a_proxy_that_does_not_answer_is_named_without_its_password() {
        let port = closed_port().await;
        let proxy = format!("http://kiungo:sesame@127.0.0.1:{port}");
        let options = NetworkOptions { proxy: Some(proxy.into()), ..NetworkOptions::default() };
        let said = refused(options, "https://core.example/fineract-provider").await;
        let expected =
            format!("https://core.example:443 through the proxy http://127.0.0.1:{port}: ");
        assert!(said.contains(&expected) && !said.contains("sesame"), "{said}");
    }
}
