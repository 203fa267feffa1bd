//! The viewer of an answer, by what the key may see.

use kiungo_domain::Msisdn;
use kiungo_domain::typed::characters;

use crate::keyring::Identity;
use crate::options::Role;

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
    pub(crate) fn of(identity: &Identity) -> Self {
        Self { full: identity.has(Role::Operate) }
    }

    /// The number, masked unless the viewer is an operator.
    pub(crate) fn msisdn(self, msisdn: &Msisdn) -> String {
        if self.full { msisdn.digits().to_owned() } else { msisdn.to_string() }
    }

    /// A text that a payer typed: masked where it is a phone number, in whichever form.
    pub(crate) fn typed(self, text: &str, is_phone: bool) -> String {
        let mut bare: String =
            characters(text).iter().map(|c| c.plain).filter(char::is_ascii_digit).collect();
        bare.truncate(15);
        match Msisdn::parse(&bare) {
            Ok(msisdn) if is_phone && !self.full => msisdn.to_string(),
            _ => text.to_owned(),
        }
    }
}
