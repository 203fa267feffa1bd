//! Addresses: the configured prefix, account addressing, and links.

use http::Uri;
use kiungo_transport::percent::{decode, segment};

use crate::config::LinkStyle;

/// The prefix of all resources: scheme, host, and a path without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    scheme: String,
    /// Lower case, with the port written out.
    host: String,
    port: u16,
    /// As configured, without a trailing slash.
    url: String,
    path: String,
}

impl Base {
    /// Reads an absolute `http` or `https` URL; `None` if it is none, or names a user or a query.
    pub(crate) fn new(url: &str) -> Option<Self> {
        let url = url.trim_end_matches('/');
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || uri.query().is_some() || url.contains('#') {
            return None;
        }
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        Some(Self {
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(default_port),
            path: uri.path().trim_end_matches('/').to_owned(),
            scheme,
            url: url.to_owned(),
        })
    }

    /// The URL of a resource; `path` has no leading slash and is already encoded.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    /// The scheme, host and port alone.
    pub(crate) fn origin(&self) -> Self {
        Self { path: String::new(), ..self.clone() }
    }

    /// Returns true for an address of the same scheme, host and port, at this path or below it.
    pub(crate) fn covers(&self, url: &str) -> bool {
        let printable = url.bytes().all(|b| b.is_ascii_graphic());
        if !printable || url.contains(['#', '\\', '@']) || climbs(url) {
            return false;
        }
        let address = url.split_once('?').map_or(url, |(address, _)| address);
        Self::new(address).is_some_and(|target| {
            let below = target.path.strip_prefix(&self.path);
            self.same_origin(&target)
                && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn same_origin(&self, other: &Self) -> bool {
        (&self.scheme, &self.host, self.port) == (&other.scheme, &other.host, other.port)
    }

    /// Resolves a `/responses` link to a URL under our own host: absolute or relative to the `mm`
    /// root (`gsma-mobile-money-api.md` §4.5). A link elsewhere is refused, because our credentials
    /// would go with the request (§18, trap 12).
    pub(crate) fn resolve(&self, link: &str, style: LinkStyle) -> Result<String, LinkError> {
        let link = link.trim();
        let printable = link.bytes().all(|b| b.is_ascii_graphic());
        if link.is_empty() || !printable || link.contains(['#', '\\', '@']) || climbs(link) {
            return Err(LinkError::Malformed);
        }
        if style == LinkStyle::PathOnly && link.contains("://") {
            return self.tail(link);
        }
        if link.contains("://") {
            let (address, query) = link.split_once('?').unwrap_or((link, ""));
            let target = Self::new(address).ok_or(LinkError::Malformed)?;
            if !self.same_origin(&target) {
                return Err(LinkError::Foreign);
            }
            let mark = if query.is_empty() { "" } else { "?" };
            return Ok(format!("{}{mark}{query}", target.url));
        }
        if link.starts_with("//") {
            return Err(LinkError::Foreign);
        }
        // A path that repeats our prefix is relative to the host, any other to the `mm` root.
        let own_prefix = format!("{}/", self.path);
        let relative = if self.path.is_empty() { None } else { link.strip_prefix(&own_prefix) };
        let path = relative.unwrap_or_else(|| link.trim_start_matches('/'));
        if path.is_empty() { Err(LinkError::Malformed) } else { Ok(self.join(path)) }
    }

    fn tail(&self, link: &str) -> Result<String, LinkError> {
        let path = link.split_once('?').map_or(link, |(path, _)| path).trim_end_matches('/');
        let mut segments = path.rsplit('/');
        match (segments.next(), segments.next()) {
            (Some(id), Some(kind @ ("transactions" | "errors" | "requeststates"))) => {
                Ok(self.join(&format!("{kind}/{id}")))
            }
            _ => Err(LinkError::Malformed),
        }
    }
}

/// True if a path has a segment that climbs, encoded or not.
fn climbs(path: &str) -> bool {
    path.split(['/', '?']).any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    })
}

/// The reason that a link is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the link names another host and is not followed")]
    Foreign,
    #[error("the link cannot be read")]
    Malformed,
}

/// `accounts/{type}/{id}/{resource}`.
pub(crate) fn account(kind: &str, id: &str, resource: &str) -> String {
    format!("accounts/{}/{}/{resource}", segment(kind), segment(id))
}

/// Reads the multiple form of account addressing, `{type1}@{v1}${type2}@{v2}` (§7.3).
pub(crate) fn account_pairs(segment: &str) -> Option<Vec<(String, String)>> {
    let plain = decode(segment)?;
    let pairs: Option<Vec<_>> = plain
        .split('$')
        .map(|pair| pair.split_once('@').map(|(kind, id)| (kind.to_owned(), id.to_owned())))
        .collect();
    pairs.filter(|pairs| pairs.len() <= 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Base {
        Base::new("https://mm.example/v1.2/mm/").unwrap()
    }

    #[test]
    fn identifiers_are_encoded_in_paths() {
        assert_eq!(
            account("msisdn", "+26657000001", "status"),
            "accounts/msisdn/%2B26657000001/status"
        );
        assert_eq!(account("a/b", "..", "status"), "accounts/a%2Fb/%00/status");
    }

    #[test]
    fn a_link_is_resolved_against_the_mm_root() {
        let resolve = |link| base().resolve(link, LinkStyle::SameHost);
        let expected = "https://mm.example/v1.2/mm/transactions/REF-1";
        for link in [
            "/transactions/REF-1",
            "transactions/REF-1",
            "/v1.2/mm/transactions/REF-1",
            "https://mm.example/v1.2/mm/transactions/REF-1",
            "https://MM.example:443/v1.2/mm/transactions/REF-1",
        ] {
            let resolved = resolve(link).unwrap();
            let origin_free = resolved.to_ascii_lowercase().replace(":443", "");
            assert_eq!(origin_free, expected.to_ascii_lowercase(), "{link}");
        }
    }

    #[test]
    fn a_link_to_a_foreign_host_is_never_followed() {
        let resolve = |link| base().resolve(link, LinkStyle::SameHost);
        for link in [
            "https://evil.example/v1.2/mm/transactions/REF-1",
            "http://mm.example/v1.2/mm/transactions/REF-1",
            "https://mm.example:8443/v1.2/mm/transactions/REF-1",
            "//evil.example/transactions/REF-1",
        ] {
            assert_eq!(resolve(link), Err(LinkError::Foreign), "{link}");
        }
        for link in [
            "",
            "https://mm.example@evil.example/x",
            "/transactions/../accounts/balance",
            "/transactions/%2e%2E/accounts",
            "/transactions/REF 1",
            "/\\evil.example",
            "ftp://mm.example/x",
        ] {
            assert!(resolve(link).is_err(), "{link}");
        }
    }

    #[test]
    fn only_an_address_below_a_prefix_is_covered() {
        let prefix = Base::new("https://mm.example/told").unwrap();
        for url in [
            "https://mm.example/told",
            "https://MM.example:443/told/1",
            "https://mm.example/told/1?x=https://evil.example",
        ] {
            assert!(prefix.covers(url), "{url}");
        }
        for url in [
            "",
            "/told/1",
            "//mm.example/told",
            "http://mm.example/told",
            "https://mm.example:8443/told",
            "https://mm.example/toldly",
            "https://mm.example/other",
            "https://mm.example/told/../admin",
            "https://mm.example/told/%2e%2e/admin",
            "https://mm.example.evil.example/told",
            "https://mm.example@evil.example/told",
            "https://evil.example/told#https://mm.example/told",
            "https://evil.example\\@mm.example/told",
            "https://127.0.0.1/told",
            "https://mm.example/told 1",
            "ftp://mm.example/told",
        ] {
            assert!(!prefix.covers(url), "{url}");
        }
        assert!(prefix.origin().covers("https://mm.example/other"));
    }

    #[test]
    fn path_only_reads_an_internal_link_under_our_own_host() {
        let resolve = |link| base().resolve(link, LinkStyle::PathOnly);
        assert_eq!(
            resolve("http://10.0.0.7:9000/mm/transactions/REF-1"),
            Ok("https://mm.example/v1.2/mm/transactions/REF-1".to_owned())
        );
        assert_eq!(resolve("http://10.0.0.7/mm/admin/1"), Err(LinkError::Malformed));
    }

    #[test]
    fn the_multiple_form_of_addressing_is_read() {
        let pairs = account_pairs("msisdn@%2B266%24consumerno@LN1").unwrap();
        assert_eq!(pairs[1], ("consumerno".to_owned(), "LN1".to_owned()));
        assert_eq!(account_pairs("consumerno"), None);
    }

    proptest! {
        #[test]
        fn a_resolved_link_stays_on_our_host(link in "\\PC*", style in prop_oneof![
            Just(LinkStyle::SameHost), Just(LinkStyle::PathOnly)
        ]) {
            if let Ok(url) = base().resolve(&link, style) {
                let target = Base::new(url.split('?').next().unwrap_or_default());
                prop_assert!(target.is_none_or(|target| base().same_origin(&target)));
            }
        }
    }
}
