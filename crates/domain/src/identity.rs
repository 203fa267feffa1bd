//! One identity end to end (rule 8): ids of transfers, of their operations, and of the parties.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::transfer::step_name::StepName;

/// The id of a transfer: a time-ordered UUID with room at its end for [`Reference`]s, so that a
/// reference in a provider's records leads to the transfer.
///
/// The UUID's version tells how much room. Ids are made with version 8, whose last two bytes are
/// zero; those of Kiungo 0.1 have version 7, whose last byte is zero, and so fewer generations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransferId(Uuid);

/// The UUID version of ids whose last two bytes are free (RFC 9562 §5.8: for vendors' own layouts).
const WIDE: u8 = 8;

fn is_wide(uuid: &Uuid) -> bool {
    uuid.as_bytes()[6] >> 4 == WIDE
}

impl TransferId {
    /// The transfer id made from `uuid`, whose place for references is cleared.
    pub fn new(uuid: Uuid) -> Self {
        let mut bytes = *uuid.as_bytes();
        bytes[15] = 0;
        if is_wide(&uuid) {
            bytes[14] = 0;
        }
        Self(Uuid::from_bytes(bytes))
    }

    /// A new transfer's id, made from a time-ordered UUID of version 7: the same time and chance,
    /// in the layout with more room for references.
    pub fn from_time_ordered(uuid: Uuid) -> Self {
        let mut bytes = *uuid.as_bytes();
        bytes[6] = (bytes[6] & 0x0f) | (WIDE << 4);
        Self::new(Uuid::from_bytes(bytes))
    }

    /// Reads the hyphenated form; anything that could not be a transfer's id is an error.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let uuid = Uuid::try_parse(text).map_err(|_| IdentityError::NotATransferId)?;
        let id = Self::new(uuid);
        if id.0 == uuid { Ok(id) } else { Err(IdentityError::NotATransferId) }
    }

    /// The id as a UUID.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// The highest generation of a step that a reference of this transfer can carry.
    pub fn generation_max(&self) -> u16 {
        if is_wide(&self.0) { 0x3ffe } else { 62 }
    }
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The unit into which work is divided: transfers whose core account was named alike have the same
/// slot, so that the process that has the slot sees them in their order (rule 11). Slots are many
/// and never change their meaning; how many queues they are divided among is a matter of
/// configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(u16);

impl Slot {
    /// The number of slots.
    pub const COUNT: u16 = 4_096;

    /// The slot of these bytes (FNV-1a, which spreads short texts well and is the same everywhere).
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in parts {
            for byte in part.iter().chain(&[0]) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        // The low bits of FNV are its weakest.
        Self(u16::try_from((hash ^ (hash >> 32)) % u64::from(Self::COUNT)).unwrap_or(0))
    }

    /// The slot with this number, as it was stored; numbers past the last begin anew.
    pub const fn from_number(number: u16) -> Self {
        Self(number % Self::COUNT)
    }

    /// Its number, below [`Slot::COUNT`].
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// Our id for one operation of a transfer, as the other side sees it: the transfer's id with the
/// step and the generation at its end. A step gets a new generation, and so a new reference, only
/// after a definite failure (rule 8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(Uuid);

impl Reference {
    /// The reference of `step` in its `generation` (counted from 0), which is at most
    /// [`TransferId::generation_max`].
    pub fn new(transfer: TransferId, step: StepName, generation: u16) -> Self {
        let mut bytes = *transfer.0.as_bytes();
        // Counted from 1 within its place, so that no reference equals its transfer's id.
        let number = generation.min(transfer.generation_max()) + 1;
        let [high, low] = number.to_be_bytes();
        if is_wide(&transfer.0) {
            bytes[14] = (step.index() << 6) | high;
            bytes[15] = low;
        } else {
            bytes[15] = (step.index() << 6) | low;
        }
        Self(Uuid::from_bytes(bytes))
    }

    /// Reads a reference in hyphenated or compact form, in either case.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let uuid = Uuid::try_parse(text).map_err(|_| IdentityError::NotAReference)?;
        let reference = Self(uuid);
        if reference.number() == 0 { Err(IdentityError::NotAReference) } else { Ok(reference) }
    }

    /// The transfer that the operation belongs to.
    pub fn transfer(&self) -> TransferId {
        TransferId::new(self.0)
    }

    /// The step of the transfer.
    pub fn step(&self) -> StepName {
        let place = if is_wide(&self.0) { 14 } else { 15 };
        StepName::from_index(self.0.as_bytes()[place] >> 6)
    }

    /// The generation of the step, counted from 0.
    pub fn generation(&self) -> u16 {
        self.number().saturating_sub(1)
    }

    /// The generation counted from 1; 0 where the UUID is no reference.
    fn number(&self) -> u16 {
        let bytes = self.0.as_bytes();
        let high = if is_wide(&self.0) { bytes[14] & 0x3f } else { 0 };
        let low = if is_wide(&self.0) { bytes[15] } else { bytes[15] & 0x3f };
        u16::from_be_bytes([high, low])
    }

    /// 36 characters with hyphens, lower case: where a UUID is asked for (GSMA, Fineract).
    pub fn hyphenated(&self) -> String {
        self.0.hyphenated().to_string()
    }

    /// 32 upper-case alphanumerics: where hyphens are refused (M-Pesa `OpenAPI`).
    pub fn compact(&self) -> String {
        format!("{:X}", self.0.simple())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The reason that a text is not an identity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// Not a transfer's id.
    #[error("this is not a transfer id")]
    NotATransferId,
    /// Not a reference of ours.
    #[error("this is not a reference of ours")]
    NotAReference,
    /// A name of a provider or core with other characters, or too long.
    #[error("`{0}` is not a name: 1 to 32 of a-z, 0-9 and -")]
    NotAName(String),
    /// A receipt that is empty, too long, or has characters that cannot be seen.
    #[error("a receipt is 1 to 256 visible characters, with single blanks between them at most")]
    NotAReceipt,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and wraps the name: 1 to 32 of `a-z`, `0-9` and `-`.
            pub fn new(name: &str) -> Result<Self, IdentityError> {
                let fits = (1..=32).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if fits {
                    Ok(Self(name.into()))
                } else {
                    Err(IdentityError::NotAName(crate::excerpt(name)))
                }
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentityError;

            fn try_from(name: String) -> Result<Self, Self::Error> {
                Self::new(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name_type! {
    /// The name of a provider as configured, for example `mpesa-tz`.
    ProviderId
}
name_type! {
    /// The name of a core (a Fineract tenant) as configured.
    CoreId
}

/// The other side's id for something it executed: a provider's receipt, a core's transaction id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Receipt(Box<str>);

impl Receipt {
    /// The largest number of characters in a receipt: the bound that the GSMA's API sets for its
    /// transaction reference (`gsma-mobile-money-api.md` §7, S1). No other API that we know allows
    /// more.
    pub const CHARS_MAX: usize = 256;

    /// Checks and wraps a receipt: 1 to 256 characters, all of them visible, with single blanks inside
    /// at most, so that two that look alike are alike: no control characters, nothing that changes
    /// the direction of writing or has no width, and no U+FFFD, which stands for what could not be
    /// read. The placeholder `N/A` that M-Pesa sends for a missing value (`mpesa-openapi.md` §6) is
    /// none.
    pub fn new(text: &str) -> Result<Self, IdentityError> {
        let mut behind_blank = true;
        let mut count = 0;
        for c in text.chars() {
            count += 1;
            let is_blank = c == ' ';
            if count > Self::CHARS_MAX || (is_blank && behind_blank) || !(is_blank || is_visible(c))
            {
                return Err(IdentityError::NotAReceipt);
            }
            behind_blank = is_blank;
        }
        if behind_blank || text.eq_ignore_ascii_case("n/a") {
            return Err(IdentityError::NotAReceipt);
        }
        Ok(Self(text.into()))
    }

    /// The receipt's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// True if a character is visible and shows only itself: no control, no blank, none of Unicode's
/// characters for formatting (categories Cc, Cf, Zs, Zl, Zp, Co, and unassigned code points).
fn is_visible(c: char) -> bool {
    !c.is_control()
        && !c.is_whitespace()
        && !matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{ffff}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..
        )
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Receipt {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<Receipt> for String {
    fn from(receipt: Receipt) -> Self {
        receipt.0.into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_its_transfer_step_and_generation() {
        let of_version_0_1 = Uuid::from_u128(0x0190_0000_0000_7abc_8000_0000_0000_1234);
        let old = TransferId::new(of_version_0_1);
        let new = TransferId::from_time_ordered(of_version_0_1);
        assert_eq!((old.generation_max(), new.generation_max()), (62, 16_382));
        for (transfer, step) in
            StepName::ALL.into_iter().flat_map(|step| [(old, step), (new, step)])
        {
            for generation in [0, 1, 62, 63, 255, 256, 16_382] {
                if generation > transfer.generation_max() {
                    continue;
                }
                let reference = Reference::new(transfer, step, generation);
                assert_eq!(reference.transfer(), transfer);
                assert_eq!(reference.step(), step);
                assert_eq!(reference.generation(), generation);
                assert_eq!(Reference::parse(&reference.compact()), Ok(reference));
                assert_eq!(Reference::parse(&reference.hyphenated()), Ok(reference));
                assert_eq!(reference.compact().len(), 32);
                assert!(TransferId::parse(&reference.hyphenated()).is_err());
            }
        }
        assert_eq!(TransferId::parse(&new.to_string()), Ok(new));
        assert!(Reference::parse(&new.to_string()).is_err(), "the transfer's own id is none");
    }

    #[test]
    fn names_are_checked() {
        assert!(ProviderId::new("mpesa-tz").is_ok());
        for name in ["", "Mpesa", "a b", "x/y", &"x".repeat(33)] {
            assert!(ProviderId::new(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_receipt_is_whatever_can_be_seen_and_told_apart() {
        for text in ["7KX21QD40B", "PP 260301.1200 A1", "RÉF-1", "снег☃", &"é".repeat(256), "-"]
        {
            assert_eq!(Receipt::new(text).map(|receipt| receipt.to_string()), Ok(text.to_owned()));
        }
        let stranger = [
            "",
            " ",
            "N/A",
            "n/a",
            " a",
            "a ",
            "a  b",
            "a\tb",
            "a\nb",
            "a\0",
            "a\u{a0}b",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "\u{feff}a",
            "a\u{fffd}",
            "a\u{ad}b",
            "a\u{85}",
            "a\u{e0041}",
        ];
        for text in stranger.into_iter().chain([&*"é".repeat(257)]) {
            assert_eq!(Receipt::new(text), Err(IdentityError::NotAReceipt), "{text:?}");
        }
    }
}
