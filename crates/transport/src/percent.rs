//! Percent-encoding (RFC 3986 §2.1) of outside text in addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved characters.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text with everything encoded but unreserved characters.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

/// The text as one segment of a path. One of dots only would climb, and clients normalise it away even
/// when it is encoded; like an empty one it becomes `%00`, which names nothing.
pub fn segment(text: &str) -> String {
    let encoded = encode(text);
    if encoded.bytes().all(|byte| byte == b'.') { "%00".to_owned() } else { encoded }
}

/// Undoes percent-encoding; a raw `+` is a plus, not a blank. `None` if the content is not UTF-8 or an
/// escape is cut off.
pub fn decode(text: &str) -> Option<String> {
    let is_escape = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("a@b$c/d e-._~Z9"), "a%40b%24c%2Fd%20e-._~Z9");
        assert_eq!(encode("\u{e9}%"), "%C3%A9%25");
    }

    #[test]
    fn no_segment_climbs_or_is_empty() {
        for text in ["", ".", "..", "..."] {
            assert_eq!(segment(text), "%00", "{text:?}");
        }
        assert_eq!(segment("../a"), "..%2Fa");
    }

    #[test]
    fn invalid_encodings_are_not_decoded() {
        assert_eq!(decode("+26657%2B").as_deref(), Some("+26657+"));
        assert_eq!(decode("a%2fb%2Fc").as_deref(), Some("a/b/c"));
        for text in ["%zz", "%4", "%", "%%41", "a%+4", "%ff", "%4\u{e9}"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn encoded_text_is_decoded_to_the_same(text in "\\PC*") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }
    }
}
