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

/// The facts that an adapter must know about a market. Every field can be overridden in the
/// options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketDetails {
    /// The market's part of the path.
    pub context: String,
    /// `input_Country`: not ISO 3166 (`TZN`, `DRC`, `LES`).
    pub country: String,
    /// `input_Currency`.
    pub currency: String,
    /// True if the name of a wallet's holder can be asked for.
    pub holder_name: bool,
    /// The IANA time zone in which the market prints local times. The market's capital; not stated
    /// by the API, which prints no times itself.
    pub time_zone: String,
}

impl Market {
    /// Every market.
    pub const ALL: [Self; 5] =
        [Self::Ghana, Self::Tanzania, Self::Lesotho, Self::DrCongo, Self::Mozambique];

    /// The facts that are known of the market (`mpesa-openapi.md` §1).
    pub fn details(self) -> MarketDetails {
        let (context, country, currency, zone) = match self {
            Self::Ghana => ("vodafoneGHA", "GHA", "GHS", "Africa/Accra"),
            Self::Tanzania => ("vodacomTZN", "TZN", "TZS", "Africa/Dar_es_Salaam"),
            Self::Lesotho => ("vodacomLES", "LES", "LSL", "Africa/Maseru"),
            Self::DrCongo => ("vodacomDRC", "DRC", "USD", "Africa/Kinshasa"),
            Self::Mozambique => ("vodacomMOZ", "MOZ", "MZN", "Africa/Maputo"),
        };
        MarketDetails {
            context: context.to_owned(),
            country: country.to_owned(),
            currency: currency.to_owned(),
            holder_name: self == Self::Ghana,
            time_zone: zone.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ghana_tells_the_name_of_a_wallets_holder() {
        for market in Market::ALL {
            assert_eq!(market.details().holder_name, market == Market::Ghana, "{market:?}");
        }
    }
}
