//! The viewer of an answer, by what the key may see.

use kiungo_domain::Msisdn;
use kiungo_domain::typed::characters;

use crate::access::Identity;
use crate::access::Role;

/// Digits of the shortest national numbers of wallets.
const NATIONAL_MIN: usize = 7;
/// Digits from which on a text that a payer typed is taken for a phone number.
const LONG_MIN: usize = 10;

/// The viewer: decides whether phone numbers are shown in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    full: bool,
}

impl Viewer {
    /// The viewer, who sees phone numbers masked, or in full.
    pub const fn new(full: bool) -> Self {
        Self { full }
    }

    /// The holder of this key.
    pub fn of(identity: &Identity) -> Self {
        Self { full: identity.has(Role::Operate) }
    }

    /// The number, masked unless the viewer is an operator.
    pub fn msisdn(self, msisdn: &Msisdn) -> String {
        if self.full { msisdn.digits().to_owned() } else { msisdn.to_string() }
    }

    /// A text that a payer typed: masked where it is a phone number, in whichever form. `is_phone`
    /// says that a rule of the mapping takes it for one; it is one as well if it has so many digits, or
    /// if it is the end of the payer's own number.
    pub fn typed(self, text: &str, is_phone: bool, payer: Option<&Msisdn>) -> String {
        let mut bare: String =
            characters(text).iter().map(|c| c.plain).filter(char::is_ascii_digit).collect();
        bare.truncate(15);
        let own = bare.len() >= NATIONAL_MIN
            && payer.is_some_and(|payer| payer.digits().ends_with(bare.trim_start_matches('0')));
        // Numbers of accounts are padded with zeros, or shorter.
        let long = bare.len() >= LONG_MIN && !bare.starts_with("000");
        if self.full || !(is_phone || own || long) {
            return text.to_owned();
        }
        match Msisdn::parse(&bare) {
            Ok(msisdn) => msisdn.to_string(),
            Err(_) => "****".to_owned(),
        }
    }
}
