//! Reading a money operation by the field dictionary (`mpesa-openapi.md` §6).

use kiungo_domain::Money;
use kiungo_simulator::ledger::FLOAT;

use super::codes::{self, Code};
use super::fields::{self, Fields};
use super::options::Options;

/// The kind of money operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    C2b,
    B2c,
    B2b,
    Reversal,
    /// Started at the wallet.
    Payment,
}

impl Kind {
    /// The operation's name in books and faults.
    pub(super) const fn operation(self) -> &'static str {
        match self {
            Self::C2b => "collect",
            Self::B2c => "pay_out",
            Self::B2b => "b2b",
            Self::Reversal => "reverse",
            Self::Payment => "payment",
        }
    }

    /// The product's name: the first part of its path.
    pub(super) const fn product(self) -> &'static str {
        match self {
            Self::C2b | Self::Payment => "c2bPayment",
            Self::B2c => "b2cPayment",
            Self::B2b => "b2bPayment",
            Self::Reversal => "reversal",
        }
    }
}

/// A money operation as asked for.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) kind: Kind,
    pub(super) third_party: String,
    /// The customer's number; for B2B the other organisation; empty for a reversal.
    pub(super) party: String,
    /// `None`: the whole of what is reversed.
    pub(super) amount: Option<Money>,
    pub(super) label: String,
    /// The receipt of what is reversed.
    pub(super) original: String,
}

impl Order {
    /// Reads the fields of `kind`; refuses with the code of the first that does not fit.
    pub(super) fn read(kind: Kind, fields: &Fields, options: &Options) -> Result<Self, Code> {
        match kind {
            Kind::Reversal => Self::reversal(fields, options),
            _ => Self::payment(kind, fields, options),
        }
    }

    fn payment(kind: Kind, fields: &Fields, options: &Options) -> Result<Self, Code> {
        let (payer_code, party, description) = match kind {
            Kind::B2c => (fields::SHORT_CODE, fields::MSISDN, fields::PAYMENT_ITEMS),
            Kind::B2b => (fields::PRIMARY, fields::RECEIVER, fields::PURCHASED_ITEMS),
            _ => (fields::SHORT_CODE, fields::MSISDN, fields::PURCHASED_ITEMS),
        };
        let conversation = fields::CONVERSATION_ID;
        fields.demand(&[
            fields::AMOUNT,
            fields::COUNTRY,
            fields::CURRENCY,
            payer_code,
            party,
            fields::REFERENCE,
            conversation,
            description,
        ])?;
        let third_party = fields.get(conversation)?;
        check_country(fields, options)?;
        let currency = fields.get(fields::CURRENCY)?;
        if !currency.eq_ignore_ascii_case(options.currency().code()) {
            return Err(codes::CURRENCY);
        }
        check_short_code(&fields.get(payer_code)?, options)?;
        let party = fields.get(party)?;
        let party = if kind == Kind::B2b { format!("org:{party}") } else { party };
        if kind != Kind::B2b {
            check_msisdn(&party, options)?;
        }
        let label = fields.get(fields::REFERENCE)?;
        fields.get(description)?;
        let amount = read_amount(&fields.get(fields::AMOUNT)?, options)?;
        let original = String::new();
        Ok(Self { kind, third_party, party, amount: Some(amount), label, original })
    }

    fn reversal(fields: &Fields, options: &Options) -> Result<Self, Code> {
        fields.demand(&[
            fields::COUNTRY,
            fields::SHORT_CODE,
            fields::CONVERSATION_ID,
            fields::TRANSACTION_ID,
        ])?;
        let third_party = fields.get(fields::CONVERSATION_ID)?;
        check_country(fields, options)?;
        check_short_code(&fields.get(fields::SHORT_CODE)?, options)?;
        let original = fields.get(fields::TRANSACTION_ID)?;
        let amount = fields.optional(fields::REVERSAL_AMOUNT)?;
        let amount = amount.map(|text| read_amount(&text, options)).transpose()?;
        Ok(Self {
            kind: Kind::Reversal,
            third_party,
            party: String::new(),
            amount,
            label: String::new(),
            original,
        })
    }

    /// The payer and the receiver, in the ledger's words.
    pub(super) fn parties(&self) -> (&str, &str) {
        match self.kind {
            Kind::C2b | Kind::Payment => (&self.party, FLOAT),
            _ => (FLOAT, &self.party),
        }
    }

    /// The business content that faults are drawn by.
    pub(super) fn key(&self) -> String {
        let minor = self.amount.map_or(0, Money::minor);
        format!("{}|{minor}|{}", self.party, self.label)
    }
}

/// Every operation names the market's country.
pub(super) fn check_country(fields: &Fields, options: &Options) -> Result<(), Code> {
    let country = fields.get(fields::COUNTRY)?;
    if country == options.market.country() { Ok(()) } else { Err(codes::INVALID) }
}

/// Every operation names the organisation.
pub(super) fn check_short_code(given: &str, options: &Options) -> Result<(), Code> {
    if given == options.short_code { Ok(()) } else { Err(codes::SHORT_CODE) }
}

/// The market decides how short a number may be.
pub(super) fn check_msisdn(given: &str, options: &Options) -> Result<(), Code> {
    let long_enough = given.len() >= options.market.msisdn_digits_min();
    if long_enough { Ok(()) } else { Err(codes::MSISDN) }
}

/// The amount in minor units; nothing at all, or more decimals than there are, is invalid.
pub(super) fn read_amount(text: &str, options: &Options) -> Result<Money, Code> {
    let currency = options.currency();
    let text = if text.starts_with('.') { format!("0{text}") } else { text.to_owned() };
    let amount = Money::parse(&text, currency).map_err(|_| codes::AMOUNT)?;
    let unit = 10_i64.pow(u32::from(currency.exponent()));
    let fits = !options.whole_amounts || amount.minor() % unit == 0;
    if fits && !amount.is_zero() { Ok(amount) } else { Err(codes::AMOUNT) }
}
