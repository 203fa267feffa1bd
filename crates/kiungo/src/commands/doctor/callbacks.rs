//! Checks that providers can reach us: the address by itself, and whether Kiungo answers there.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use kiungo_transport::{Network, NetworkOptions, Response, Transport, is_exposed_text};
use reqwest::Url;
use serde::Deserialize;

use super::finding::Finding;
use crate::adapters;
use crate::components::Assembly;
use crate::config::Config;

const SUBJECT: &str = "callbacks";
const TIMEOUT: Duration = Duration::from_secs(10);
/// A secret that no provider has.
const NO_SECRET: &str = "kiungo-doctor";
/// The word by which Kiungo's own "not found" is known.
const NOT_FOUND: &str = "not_found";

pub(super) async fn examine(config: &Config, assembly: &Assembly) -> Finding {
    let expected: Vec<_> =
        assembly.providers.iter().filter(|(_, it)| it.mapping.callbacks().expected).collect();
    let (Some(url), Some((id, _))) = (&config.server.public_url, expected.first()) else {
        return Finding::ok("callbacks", SUBJECT, "no provider calls back");
    };
    let remote = expected
        .iter()
        .filter_map(|(_, provider)| adapters::base_url(&provider.mapping))
        .any(|base_url| !is_loopback(&base_url));
    if remote && is_loopback(url) {
        let advice = "set server.public_url to the address that providers reach";
        let found = format!("providers call {url}, which is this machine only");
        return Finding::failed("callback_address_local", SUBJECT, found, advice);
    }
    // The secrets of callbacks stay here, and whether TLS is there was judged with the configuration.
    let options = NetworkOptions { plaintext_allowed: true, ..NetworkOptions::default() };
    match Network::new(&options) {
        Ok(network) => ask(&network, url, id.as_str()).await,
        Err(error) => Finding::warning(
            "callback_address_silent",
            SUBJECT,
            format!("{url} cannot be asked: {error}"),
            "check it from another machine",
        ),
    }
}

/// Calls back as a provider with a wrong secret would, which Kiungo refuses and keeps nothing of.
async fn ask(transport: &dyn Transport, url: &str, provider: &str) -> Finding {
    let address = format!("{url}/callbacks/{provider}/{NO_SECRET}");
    let Ok(request) = http::Request::get(&address).body(Bytes::new()) else {
        let found = format!("{url} cannot be asked");
        let advice = "correct server.public_url";
        return Finding::failed("callback_address_silent", SUBJECT, found, advice);
    };
    match transport.send(request, TIMEOUT).await {
        Ok(answer) if is_ours(&answer) => {
            Finding::ok("callbacks", SUBJECT, format!("providers call {url}, where Kiungo answers"))
        }
        Ok(answer) if matches!(answer.status().as_u16(), 502..=504) => Finding::warning(
            "callback_address_silent",
            SUBJECT,
            format!("the proxy at {url} answers {}", answer.status().as_u16()),
            "start Kiungo and look again; if it runs, correct the address that the proxy passes requests to",
        ),
        Ok(answer) if matches!(answer.status().as_u16(), 401 | 403) => Finding::warning(
            "callback_address_closed",
            SUBJECT,
            format!("what answers at {url} refuses this machine ({})", answer.status().as_u16()),
            "nothing, if the proxy there admits the providers' addresses only",
        ),
        Ok(answer) => Finding::failed(
            "callback_address_foreign",
            SUBJECT,
            format!("something else than Kiungo answers at {url} ({})", answer.status().as_u16()),
            "correct server.public_url, or have the proxy there pass /callbacks/ on to Kiungo",
        ),
        Err(failure) => Finding::warning(
            "callback_address_silent",
            SUBJECT,
            format!("there is no answer at {url}: {failure}"),
            "start Kiungo and look again; if it runs, check DNS, the firewall and the proxy. Where this \
             machine cannot reach its own public address, check from another one",
        ),
    }
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

/// True for Kiungo's own refusal of an address that it does not know.
fn is_ours(answer: &Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    answer.status() == http::StatusCode::NOT_FOUND
        && kind.is_some_and(|kind| kind.starts_with(b"application/problem+json"))
        && serde_json::from_slice::<Problem>(answer.body()).is_ok_and(|it| it.code == NOT_FOUND)
}

/// True for an address that is on this machine.
fn is_loopback(url: &str) -> bool {
    let Ok(mut url) = Url::parse(url) else { return false };
    // Without TLS, only what is on this machine is not exposed.
    url.set_scheme("http").is_ok() && !is_exposed_text(url.as_str())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::any;
    use tokio::net::TcpListener;

    use super::super::finding::State;
    use super::*;

    #[test]
    fn this_machine_has_several_names() {
        for url in ["http://127.0.0.1:8080", "http://localhost/x", "https://[::1]:1"] {
            assert!(is_loopback(url), "{url}");
        }
        assert!(!is_loopback("https://pay.example"));
    }

    /// The finding about an address where this is answered.
    async fn answered(status: u16, kind: &'static str, body: &'static str) -> Finding {
        let answer = any(move || async move {
            (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, kind)], body)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/callbacks/mpesa-tz/kiungo-doctor", answer);
        tokio::spawn(axum::serve(listener, router).into_future());
        let network = Network::new(&NetworkOptions::default()).unwrap();
        ask(&network, &url, "mpesa-tz").await
    }

    #[tokio::test]
    async fn only_kiungo_itself_is_taken_for_kiungo() {
        let problem = "application/problem+json";
        let ours = answered(404, problem, r#"{"status":404,"code":"not_found"}"#).await;
        assert_eq!((ours.state, ours.name), (State::Ok, "callbacks"), "{ours:?}");
        for (status, kind, body) in [
            (200, "text/html", "<html>It works!</html>"),
            (404, "text/html", "<html>Not Found</html>"),
            (404, problem, r#"{"status":404}"#),
            (301, "text/html", ""),
        ] {
            let other = answered(status, kind, body).await;
            assert_eq!((other.state, other.name), (State::Failed, "callback_address_foreign"));
        }
        let closed = answered(403, "text/html", "<html>Forbidden</html>").await;
        assert_eq!((closed.state, closed.name), (State::Warning, "callback_address_closed"));
        let proxy = answered(502, "text/html", "<html>Bad Gateway</html>").await;
        assert_eq!((proxy.state, proxy.name), (State::Warning, "callback_address_silent"));
    }

    #[tokio::test]
    async fn an_address_where_nobody_answers_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let network = Network::new(&NetworkOptions::default()).unwrap();
        let silent = ask(&network, &url, "mpesa-tz").await;
        assert_eq!((silent.state, silent.name), (State::Warning, "callback_address_silent"));
        assert!(silent.found.contains(&url), "{silent:?}");
    }
}
