//! Requests that others on the way could read and change.

use std::net::IpAddr;

use http::Uri;

/// True for an address that is reached without TLS and is not on this machine: an attacker on the
/// way can read the credentials and change amounts. A name other than `localhost` counts as another
/// machine, whatever it resolves to today.
pub fn is_exposed(address: &Uri) -> bool {
    address.scheme_str() != Some("https") && !address.host().is_some_and(is_here)
}

/// The same for an address as it is written; a text that is no address is not exposed, since
/// nothing is sent there.
pub fn is_exposed_text(address: &str) -> bool {
    address.parse::<Uri>().is_ok_and(|address| is_exposed(&address))
}

fn is_here(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leaves_this_machine_without_tls_is_exposed() {
        for address in [
            "https://core.example/x",
            "HTTPS://core.example/x",
            "http://127.0.0.1:8080/x",
            "http://127.9.9.9",
            "http://localhost/x",
            "http://LOCALHOST.:80/x",
            "http://[::1]:1/x",
            "http://[::ffff:127.0.0.1]/x",
        ] {
            assert!(!is_exposed_text(address), "{address}");
        }
        for address in [
            "http://core.example/x",
            "HTTP://core.example/x",
            "http://10.0.0.7:8080/x",
            "http://0.0.0.0/x",
            "http://[fd00::1]/x",
            "http://localhost.example/x",
            "http://127.0.0.1.example/x",
            "http://127.0.0.1@core.example/x",
            "http://128.0.0.1/x",
        ] {
            assert!(is_exposed_text(address), "{address}");
        }
        assert!(!is_exposed_text("not an address"));
    }
}
