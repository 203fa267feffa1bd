//! The digits of a written number.

use super::NumberError;

/// The longest text that is read: a number of fifteen digits with something between any two.
const TEXT_BYTES_MAX: usize = 64;
/// Fewer digits are a short code; more than fifteen, beside the `00` in front, no number is (E.164).
const DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

/// A text that is built like a phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// Every digit that was written, without a `+`.
    pub(super) digits: String,
    /// True if the text begins with `+`.
    plus: bool,
}

impl Written {
    /// Reads digits, a `+` in front, and what people put between digits; also `tel:` (RFC 3966).
    pub(super) fn read(text: &str) -> Result<Self, NumberError> {
        let text = text.trim();
        if text.len() > TEXT_BYTES_MAX {
            return Err(NumberError::Unreadable);
        }
        let scheme = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        let text = scheme.and_then(|scheme| text.get(scheme.len()..)).unwrap_or(text);
        let mut written = Self { digits: String::with_capacity(text.len()), plus: false };
        for c in text.chars() {
            match c {
                '0'..='9' => written.digits.push(c),
                '+' if !written.plus && written.digits.is_empty() => written.plus = true,
                '(' | ')' => {}
                // In front of a number a hyphen is a sign.
                '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' if !written.digits.is_empty() => {}
                c if c.is_whitespace() => {}
                _ => return Err(NumberError::Unreadable),
            }
        }
        let length = written.international().len();
        if DIGITS.contains(&length) { Ok(written) } else { Err(NumberError::Unreadable) }
    }

    /// True if the text itself says that a country code comes first: by `+`, or by `00`.
    pub(super) fn is_marked(&self) -> bool {
        self.plus || self.digits.starts_with("00")
    }

    /// The digits as an international number: without a `00` that stands for the `+`.
    pub(super) fn international(&self) -> &str {
        let dialled = self.digits.strip_prefix("00").filter(|_| !self.plus);
        dialled.unwrap_or(&self.digits)
    }
}
