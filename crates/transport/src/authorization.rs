//! The values of `Authorization`. They are marked as secret, so that nothing that prints headers shows
//! them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// Name and password (RFC 7617); `None` if no header can carry them.
pub fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    value(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// A token (RFC 6750); `None` if no header can carry it.
pub fn bearer(token: &str) -> Option<HeaderValue> {
    value(&format!("Bearer {token}"))
}

fn value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_as_the_scheme_says_and_never_shown() {
        let (basic, bearer) = (basic("consumer", "hush").unwrap(), bearer("e30").unwrap());
        assert_eq!(basic.to_str().unwrap(), "Basic Y29uc3VtZXI6aHVzaA==");
        assert_eq!(bearer.to_str().unwrap(), "Bearer e30");
        assert_eq!(format!("{basic:?} {bearer:?}"), "Sensitive Sensitive");
        assert_eq!(super::bearer("bad\ntoken"), None);
    }
}
