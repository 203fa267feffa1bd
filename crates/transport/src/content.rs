//! Unpacks a body: `gzip` around it, a byte order mark before it, UTF-16.
//!
//! One place for what we ask for and for what we are sent, so that the same bytes mean the same
//! wherever they come from.

use std::borrow::Cow;
use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

/// The content codings that are taken off; every request names them in `Accept-Encoding`.
pub const CODINGS: &str = "gzip";

/// Codings that are in use and not taken off (RFC 9110 §8.4.1, IANA's registry). Any other
/// declaration (`UTF-8` stands there at times) is no coding, and the body is as it is.
const UNREAD_CODINGS: [&str; 5] = ["br", "zstd", "deflate", "compress", "x-compress"];

/// A body that cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContentError {
    /// A coding that is not read, or several.
    #[error("the body is packed as `{0}`; only gzip is read")]
    Coding(String),
    /// The body is longer than the bound once it is unpacked.
    #[error("the body is longer than {bytes_max} bytes when it is unpacked")]
    TooLong {
        /// The bound, in bytes.
        bytes_max: usize,
    },
    /// The body does not match its declaration, or is cut off.
    #[error("the gzip around the body is damaged")]
    Damaged,
}

/// The body without the coding that `Content-Encoding` declares, at most `bytes_max` bytes of it. A
/// body that is declared as gzip and does not begin like gzip was unpacked on the way by a proxy
/// that left the header: it is taken as it is.
///
/// # Errors
/// [`ContentError`], if it is coded otherwise, damaged, or unpacks to more.
pub fn unpacked(coding: &str, body: Bytes, bytes_max: usize) -> Result<Bytes, ContentError> {
    let named = coding.split(',').map(|coding| coding.trim().to_ascii_lowercase());
    let named: Vec<String> =
        named.filter(|coding| !coding.is_empty() && coding != "identity").collect();
    let is_gzip = |coding: &String| coding == "gzip" || coding == "x-gzip";
    let is_unread = |coding: &String| UNREAD_CODINGS.contains(&coding.as_str());
    let several = named.iter().filter(|coding| is_gzip(coding)).count() > 1;
    if body.is_empty() {
        Ok(body)
    } else if several || named.iter().any(is_unread) {
        Err(ContentError::Coding(coding.chars().take(40).collect()))
    } else if named.iter().any(is_gzip) && body.starts_with(&GZIP_MAGIC) {
        inflated(&body, bytes_max)
    } else {
        Ok(body)
    }
}

/// The first two bytes of every gzip member (RFC 1952 §2.3.1); no JSON begins like this.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

fn inflated(body: &[u8], bytes_max: usize) -> Result<Bytes, ContentError> {
    // One byte more than may be: so it is seen that there is more, and no more than that is made.
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut whole = Vec::new();
    MultiGzDecoder::new(body)
        .take(bound)
        .read_to_end(&mut whole)
        .map_err(|_| ContentError::Damaged)?;
    if whole.len() > bytes_max {
        return Err(ContentError::TooLong { bytes_max });
    }
    Ok(whole.into())
}

/// The text of a JSON body: UTF-8 or UTF-16, with or without a byte order mark. UTF-16 without one
/// is told by its zero bytes, which no JSON text in UTF-8 has (RFC 4627 §3). Bytes that are no text
/// (a name in Latin-1) become U+FFFD: a name must not make a payment unreadable, and whatever decides
/// holds no such character.
pub fn text(body: &[u8]) -> Cow<'_, str> {
    match body {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0, 1..=255, ..] => Cow::Owned(utf16(body, u16::from_be_bytes)),
        [1..=255, 0, ..] => Cow::Owned(utf16(body, u16::from_le_bytes)),
        _ => String::from_utf8_lossy(body),
    }
}

fn utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = body.as_chunks();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String =
        char::decode_utf16(units).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn gzip(content: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn gzip_is_taken_off_up_to_the_bound_and_not_a_byte_further() {
        let packed = gzip(&[b'a'; 1_000]);
        assert!(packed.len() < 100);
        for coding in ["gzip", "GZIP", "x-gzip", "identity, gzip"] {
            assert_eq!(unpacked(coding, packed.clone(), 1_000).unwrap().len(), 1_000, "{coding}");
        }
        let too_long = Err(ContentError::TooLong { bytes_max: 999 });
        assert_eq!(unpacked("gzip", packed.clone(), 999), too_long);
        let cut = packed.slice(..packed.len() - 3);
        assert_eq!(unpacked("gzip", cut, 1_000), Err(ContentError::Damaged));
        let mut several = packed.to_vec();
        several.extend(gzip(b"b"));
        assert_eq!(unpacked("gzip", several.into(), 1_001).unwrap().last(), Some(&b'b'));
    }

    #[test]
    fn a_bomb_is_given_up_at_the_bound() {
        // A thousand times the bound, in a few kilobytes.
        let bomb = gzip(&vec![0; 16 << 20]);
        assert_eq!(
            unpacked("gzip", bomb, 16 << 10),
            Err(ContentError::TooLong { bytes_max: 16 << 10 })
        );
    }

    #[test]
    fn an_unpacked_body_is_taken_as_it_is() {
        let plain = Bytes::from_static(b"{}");
        for coding in ["", "identity", "gzip", "utf-8", "UTF-8", "none"] {
            assert_eq!(unpacked(coding, plain.clone(), 9), Ok(plain.clone()), "{coding}");
        }
        for coding in ["br", "zstd", "deflate", "gzip, gzip", "br, gzip"] {
            let refused = unpacked(coding, plain.clone(), 9);
            assert_eq!(refused, Err(ContentError::Coding(coding.to_owned())));
            assert_eq!(unpacked(coding, Bytes::new(), 9), Ok(Bytes::new()), "nothing is packed");
        }
    }

    #[test]
    fn marks_and_utf_16_are_read_and_what_is_no_text_spoils_nothing_else() {
        let text_of = |body: &[u8]| text(body).into_owned();
        let json = r#"{"name":"Éva ☃"}"#;
        let units: Vec<u16> = json.encode_utf16().collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let marked = |mark: &[u8], body: &[u8]| [mark, body].concat();
        for body in [
            json.as_bytes().to_vec(),
            marked(&[0xef, 0xbb, 0xbf], json.as_bytes()),
            big.clone(),
            little.clone(),
            marked(&[0xfe, 0xff], &big),
            marked(&[0xff, 0xfe], &little),
        ] {
            assert_eq!(text_of(&body), json, "{body:x?}");
        }
        assert_eq!(text_of(b"{\"a\":\"\xc9va\",\"b\":1}"), "{\"a\":\"\u{fffd}va\",\"b\":1}");
        assert_eq!(text_of(b"{\"a\":\"\xc9\",\"b\":1}"), "{\"a\":\"\u{fffd}\",\"b\":1}");
        assert_eq!(text_of(&[0, b'{', 0]), "{\u{fffd}");
        assert_eq!((text_of(b""), text_of(b"{")), (String::new(), "{".to_owned()));
    }

    proptest! {
        #[test]
        fn no_body_unpacks_to_more_than_the_bound(
            body in prop::collection::vec(any::<u8>(), 0..200),
            bytes_max in 0_usize..100,
        ) {
            let mut claimed = GZIP_MAGIC.to_vec();
            claimed.extend(&body);
            for body in [claimed.into(), gzip(&body)] {
                if let Ok(read) = unpacked("gzip", body, bytes_max) {
                    prop_assert!(read.len() <= bytes_max);
                }
            }
        }

        #[test]
        fn ascii_survives_whatever_stands_beside_it(junk in prop::collection::vec(0x80_u8.., 0..8)) {
            let body = [b"{\"a\":\"", &junk[..], b"\",\"b\":1}"].concat();
            let text = text(&body);
            let kept = text.starts_with("{\"a\":\"") && text.ends_with("\",\"b\":1}");
            prop_assert!(kept, "{}", text);
        }
    }
}
