//! The markets of the API and what differs between them (`mpesa-openapi.md` §1).

use serde::Deserialize;

/// A market of the M-Pesa OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    /// Ghana (Vodafone, Telecel).
    Ghana,
    /// Tanzania (Vodacom).
    Tanzania,
    /// Lesotho (Vodacom).
    Lesotho,
    /// The Democratic Republic of the Congo (Vodacom).
    DrCongo,
    /// Mozambique (Vodacom), over IPG v2; its older v1x API is another one.
    Mozambique,
}

/// What an adapter must know about a market. Every field can be overridden in the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketDetails {
    /// The market's part of the path.
    pub context: String,
    /// `input_Country`: not ISO 3166 (`TZN`, `DRC`, `LES`).
    pub country: String,
    /// `input_Currency`.
    pub currency: String,
    /// The country code that every number of the market starts with.
    pub dial_code: String,
    /// How many digits a number has, country code included.
    pub msisdn_digits: Vec<usize>,
    /// Whether the name of a wallet's holder can be asked for.
    pub holder_name: bool,
    /// The IANA time zone in which the market prints local times. The market's capital; not stated
    /// by the API, which prints no times itself.
    pub time_zone: String,
}

impl Market {
    /// Every market.
    pub const ALL: [Self; 5] =
        [Self::Ghana, Self::Tanzania, Self::Lesotho, Self::DrCongo, Self::Mozambique];

    /// What is known of the market (`mpesa-openapi.md` §1).
    pub fn details(self) -> MarketDetails {
        let (context, country, currency, dial_code, digits, zone) = match self {
            Self::Ghana => ("vodafoneGHA", "GHA", "GHS", "233", 12, "Africa/Accra"),
            Self::Tanzania => ("vodacomTZN", "TZN", "TZS", "255", 12, "Africa/Dar_es_Salaam"),
            Self::Lesotho => ("vodacomLES", "LES", "LSL", "266", 11, "Africa/Maseru"),
            Self::DrCongo => ("vodacomDRC", "DRC", "USD", "243", 12, "Africa/Kinshasa"),
            Self::Mozambique => ("vodacomMOZ", "MOZ", "MZN", "258", 12, "Africa/Maputo"),
        };
        MarketDetails {
            context: context.to_owned(),
            country: country.to_owned(),
            currency: currency.to_owned(),
            dial_code: dial_code.to_owned(),
            msisdn_digits: vec![digits],
            holder_name: self == Self::Ghana,
            time_zone: zone.to_owned(),
        }
    }
}

impl MarketDetails {
    /// Whether a number can belong to this market.
    pub(crate) fn has_number(&self, digits: &str) -> bool {
        digits.starts_with(&self.dial_code) && self.msisdn_digits.contains(&digits.len())
    }
}

/// Whether the sandbox may be sent this number: its own triggers (`000000000001`) are no valid
/// numbers, and Lesotho's are shorter than the printed pattern says.
pub(crate) fn sandbox_has_number(digits: &str) -> bool {
    (11..=14).contains(&digits.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_markets_country_code_and_length() {
        let tanzania = Market::Tanzania.details();
        assert!(tanzania.has_number("255712345678"));
        for digits in ["25571234567", "2557123456789", "266512345678", "000000000001"] {
            assert!(!tanzania.has_number(digits), "{digits}");
        }
    }

    #[test]
    fn a_number_of_lesotho_has_eleven_digits() {
        let lesotho = Market::Lesotho.details();
        assert!(lesotho.has_number("26650123456"));
        assert!(!lesotho.has_number("266501234567"));
    }

    #[test]
    fn the_sandbox_takes_its_own_triggers_and_the_numbers_of_every_market() {
        for digits in ["000000000001", "26650123456", "255712345678"] {
            assert!(sandbox_has_number(digits), "{digits}");
        }
        assert!(!sandbox_has_number("0712345678"));
    }

    #[test]
    fn only_ghana_tells_the_name_of_a_wallets_holder() {
        for market in Market::ALL {
            assert_eq!(market.details().holder_name, market == Market::Ghana, "{market:?}");
        }
    }
}
