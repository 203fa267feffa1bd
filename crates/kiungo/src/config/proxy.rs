//! The proxy of one counterparty: `proxy`, or `proxy_file` where the address holds a password.

use secrecy::SecretString;

use super::read::{Section, quoted};
use super::secret::{HIDDEN, from_file, goes_before, is_misplaced};

/// The variables by which other programs are told of a proxy. They are not read: what carries money
/// is written in the configuration, for each counterparty.
pub(crate) const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The proxy of a core or provider, if it has one. Whether it is an address is found where it is
/// used.
pub(super) fn read(section: &mut Section<'_>) -> Option<SecretString> {
    let text = section.read_text("proxy").filter(|text| !text.is_empty());
    let is_secret = text.as_ref().is_some_and(|text| text.contains('@'));
    if is_secret {
        section.show("proxy", HIDDEN);
    }
    let text = text.filter(|_| !is_secret || !is_misplaced(section, "proxy"));
    let path = section.read_text("proxy_file").filter(|path| !path.is_empty());
    if let Some(path) = &path {
        section.show("proxy_file", &quoted(path));
    }
    match (text, path) {
        (Some(_), Some(path)) if goes_before(section, "proxy_file", "proxy") => {
            from_file(section, "proxy_file", &path)
        }
        (None, Some(path)) => from_file(section, "proxy_file", &path),
        (Some(text), _) => {
            if !is_secret {
                section.show("proxy", &quoted(&text));
            }
            Some(SecretString::from(text))
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::tests::{FILE, Place, SECRETS};

    fn with(key: &str, value: &str) -> Place {
        Place::new(
            &FILE.replace("id = \"mpesa-tz\"", &format!("id = \"mpesa-tz\"\n{key} = \"{value}\"")),
        )
    }

    #[test]
    fn a_proxy_belongs_to_one_counterparty() {
        let config = with("proxy", "http://proxy.example:3128").load(&SECRETS).unwrap();
        let proxies: Vec<_> = config.providers.iter().map(|p| p.proxy.as_ref()).collect();
        let [Some(proxy), None] = proxies[..] else { panic!("{proxies:?}") };
        assert_eq!(proxy.expose_secret(), "http://proxy.example:3128");
        assert!(config.cores[0].proxy.is_none());
        assert!(config.redacted().contains("proxy = \"http://proxy.example:3128\""));
    }

    #[test]
    fn a_proxys_password_stands_in_the_environment_or_a_file_and_is_never_shown() {
        let address = "http://kiungo:pass-word@proxy.example:3128";
        let error = with("proxy", address).load(&SECRETS).unwrap_err();
        assert!(error.contains("proxy_file") && !error.contains("pass-word"), "{error}");
        let variable = ("KIUNGO__PROVIDERS__MPESA_TZ__PROXY", address);
        let place = Place::new(FILE);
        let file = place.write("proxy", &format!("{address}\n"));
        let file = ("KIUNGO__PROVIDERS__MPESA_TZ__PROXY_FILE", file.as_str());
        for given in [variable, file] {
            let environment: Vec<_> = SECRETS.into_iter().chain([given]).collect();
            let config = place.load(&environment).unwrap();
            let proxy = config.providers[0].proxy.as_ref().unwrap();
            assert_eq!(proxy.expose_secret(), address);
            assert!(!config.redacted().contains("pass-word"), "{}", config.redacted());
            assert!(!format!("{config:?}").contains("pass-word"));
        }
        let both: Vec<_> = SECRETS.into_iter().chain([variable, file]).collect();
        assert!(place.load(&both).unwrap_err().contains("a second time"));
    }
}
