//! The characters that one place of a pattern takes.

use kiungo_domain::typed::{is_separator, plain};

/// A set of characters: each ASCII character by itself, all others together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CharSet {
    ascii: u128,
    others: bool,
    /// The one other character that a literal stands for.
    pub(super) other: Option<char>,
}

impl CharSet {
    pub(super) const EMPTY: Self = Self { ascii: 0, others: false, other: None };

    pub(super) fn one(c: char, loose: bool) -> Self {
        let c = if loose { plain(c) } else { c };
        if !c.is_ascii() {
            return Self { other: Some(c), ..Self::EMPTY };
        }
        let cases = if loose { [c.to_ascii_lowercase(), c.to_ascii_uppercase()] } else { [c, c] };
        Self::of(|ascii| cases.contains(&ascii))
    }

    pub(super) fn of(holds: impl Fn(char) -> bool) -> Self {
        let ascii = (0..128_u8)
            .filter(|byte| holds(char::from(*byte)))
            .fold(0, |set, byte| set | (1_u128 << byte));
        Self { ascii, ..Self::EMPTY }
    }

    pub(super) fn class(name: &str, loose: bool) -> Option<Self> {
        match name {
            "digits" => Some(Self::of(|c| c.is_ascii_digit())),
            "letters" => Some(Self::of(|c| c.is_ascii_alphabetic())),
            "alnum" => Some(Self::of(|c| c.is_ascii_alphanumeric())),
            "any" => {
                let printable =
                    Self::of(|c| (c.is_ascii_graphic() || c == ' ') && !(loose && is_separator(c)));
                Some(Self { others: true, ..printable })
            }
            _ => None,
        }
    }

    pub(super) fn has(self, c: char) -> bool {
        if c.is_ascii() {
            self.ascii & (1 << u32::from(c)) != 0
        } else {
            self.others || self.other == Some(c)
        }
    }

    /// Some character of both sets, letters and digits first.
    pub(super) fn meet(self, other: Self) -> Option<char> {
        let both = self.ascii & other.ascii;
        let holds = |byte: &u8| both & (1 << *byte) != 0;
        let ascii = (b'0'..=b'9').chain(b'A'..=b'Z').chain(0..128).find(holds).map(char::from);
        let named = [self.other, other.other].into_iter().flatten();
        let mut named = named.filter(|c| self.has(*c) && other.has(*c));
        ascii.or_else(|| named.next()).or((self.others && other.others).then_some('é'))
    }

    /// The digits of the set, and all the rest.
    pub(super) fn by_digits(self) -> [(Self, bool); 2] {
        let digits = Self::of(|c| c.is_ascii_digit()).ascii;
        let rest = Self { ascii: self.ascii & !digits, ..self };
        [(Self { ascii: self.ascii & digits, ..Self::EMPTY }, true), (rest, false)]
    }
}
