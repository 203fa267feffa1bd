//! Checks that providers can reach us, as far as the address tells.

use kiungo_transport::is_exposed_text;
use reqwest::Url;

use super::finding::Finding;
use crate::adapters;
use crate::components::Assembly;
use crate::config::Config;

const SUBJECT: &str = "callbacks";

pub(super) fn examine(config: &Config, assembly: &Assembly) -> Finding {
    let expected = assembly.providers.values().filter(|p| p.mapping.callbacks().expected);
    let expected: Vec<_> = expected.collect();
    let Some(url) = &config.server.public_url else {
        return Finding::ok(SUBJECT, "no provider calls back");
    };
    let remote = expected
        .iter()
        .filter_map(|provider| adapters::base_url(&provider.mapping))
        .any(|base_url| !is_loopback(&base_url));
    let named = format!("providers call {url}");
    if remote && is_loopback(url) {
        let advice = "set server.public_url to the address that providers reach";
        return Finding::failed(SUBJECT, &format!("{named}, which is this machine only"), advice);
    }
    if remote && url.starts_with("http://") {
        let advice =
            "put a proxy with TLS in front: the secret of the address travels in the clear";
        return Finding::warning(SUBJECT, &format!("{named}, without TLS"), advice);
    }
    Finding::ok(SUBJECT, &named)
}

/// True for an address that is on this machine.
fn is_loopback(url: &str) -> bool {
    let Ok(mut url) = Url::parse(url) else { return false };
    // Without TLS, only what is on this machine is not exposed.
    url.set_scheme("http").is_ok() && !is_exposed_text(url.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn this_machine_has_several_names() {
        for url in ["http://127.0.0.1:8080", "http://localhost/x", "https://[::1]:1"] {
            assert!(is_loopback(url), "{url}");
        }
        assert!(!is_loopback("https://pay.example"));
    }
}
