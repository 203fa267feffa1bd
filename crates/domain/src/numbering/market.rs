//! The numbers that a provider takes, and reading a text as one of them.

use std::fmt;

use thiserror::Error;

use super::{Plan, Written};
use crate::party::Msisdn;

/// The numbers that one provider takes: those of its countries, by their calling codes, and the
/// provider's own numbers for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    countries: Vec<Country>,
    test_numbers: Vec<Msisdn>,
}

/// A country of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Country {
    code: &'static str,
    trunk: &'static str,
    /// As in [`Plan`].
    mobiles: Vec<(usize, String)>,
}

/// No market can be made of this.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MarketError {
    /// There is no country.
    #[error("names no country calling code")]
    NoCountry,
    /// The code is not known, or has no mobile numbers.
    #[error(
        "`{0}` is no country calling code with mobile numbers; write one such as \"255\", without +"
    )]
    UnknownCode(String),
    /// With its code, a number of this length would be longer than fifteen digits, or is none.
    #[error("a number of +{code} cannot have {length} digits after the code")]
    Length {
        /// The calling code.
        code: String,
        /// The length.
        length: usize,
    },
    /// Every number begins with some digit.
    #[error("names no digit that numbers begin with; write them in one text, such as \"67\"")]
    FirstDigits,
}

/// The reason that a text is not a number of a market. The messages never contain the number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumberError {
    /// The text is no phone number, or only a part of one.
    #[error(
        "a phone number is 6 to 15 digits, in international form (+255…) or in the national form of \
         the provider's market"
    )]
    Unreadable,
    /// The number is not of this market.
    #[error("the provider has no wallet with such a number: its numbers are {market}")]
    Elsewhere {
        /// The form of the market's numbers.
        market: String,
    },
    /// The text can be read as several numbers.
    #[error(
        "the phone number can be read as several numbers; write it with + and the country code"
    )]
    Ambiguous,
}

impl Market {
    /// The market of these country calling codes, by the published numbering plans.
    ///
    /// # Errors
    /// A code that no plan is known of, or none at all.
    pub fn of(codes: &[&str]) -> Result<Self, MarketError> {
        let country = |code: &&str| {
            let plan = Plan::of_code(code);
            plan.map(Country::of).ok_or_else(|| MarketError::UnknownCode((*code).to_owned()))
        };
        let countries = codes.iter().map(country).collect::<Result<Vec<_>, _>>()?;
        if countries.is_empty() {
            return Err(MarketError::NoCountry);
        }
        Ok(Self { countries, test_numbers: Vec::new() })
    }

    /// The market of one plan.
    pub(super) fn of_plan(plan: &Plan) -> Self {
        Self { countries: vec![Country::of(plan)], test_numbers: Vec::new() }
    }

    /// The same market whose numbers have these lengths, without the country code.
    ///
    /// # Errors
    /// A length that no number can have, or none.
    pub fn with_lengths(mut self, lengths: &[usize]) -> Result<Self, MarketError> {
        for country in &mut self.countries {
            let most = 15 - country.code.len();
            let wrong = lengths.iter().copied().find(|length| !(4..=most).contains(length));
            if let Some(length) = wrong.or(lengths.is_empty().then_some(0)) {
                return Err(MarketError::Length { code: country.code.to_owned(), length });
            }
            let firsts = country.first_digits();
            country.mobiles = lengths.iter().map(|length| (*length, firsts.clone())).collect();
        }
        Ok(self)
    }

    /// The same market whose numbers begin with one of these digits, behind the country code.
    ///
    /// # Errors
    /// A text that is not all digits, or empty.
    pub fn with_first_digits(mut self, digits: &str) -> Result<Self, MarketError> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MarketError::FirstDigits);
        }
        for (_, firsts) in self.countries.iter_mut().flat_map(|country| &mut country.mobiles) {
            digits.clone_into(firsts);
        }
        Ok(self)
    }

    /// The same market, which also takes these numbers exactly as they are: a sandbox's triggers are
    /// no numbers of any country.
    #[must_use]
    pub fn with_test_numbers(self, test_numbers: Vec<Msisdn>) -> Self {
        Self { test_numbers, ..self }
    }

    /// True if the market takes numbers that exist for tests only.
    pub const fn has_test_numbers(&self) -> bool {
        !self.test_numbers.is_empty()
    }

    /// True if the number is one of this market.
    pub fn has(&self, number: &Msisdn) -> bool {
        let digits = number.digits();
        let national = |country: &Country| {
            digits.strip_prefix(country.code).is_some_and(|national| country.fits(national))
        };
        self.test_numbers.contains(number) || self.countries.iter().any(national)
    }

    /// Reads a text as a number of this market: `+255 712…`, `00255712…`, `255712…`, `2550712…`, and
    /// the national form with or without the trunk prefix, `0712…` or `712…`, are one number.
    ///
    /// # Errors
    /// It is no number, none of this market, or could be several.
    pub fn read(&self, text: &str) -> Result<Msisdn, NumberError> {
        self.read_from(text, Some(self))
    }

    /// Reads a text as a number of this market, written by a person in another one: a number in
    /// national form is one of `home`. Without a home, no national form is read.
    ///
    /// # Errors
    /// It is no number, none of this market, or could be several.
    pub fn read_from(&self, text: &str, home: Option<&Self>) -> Result<Msisdn, NumberError> {
        let written = Written::read(text)?;
        let known = |number: &&Msisdn| number.digits() == written.digits;
        if let Some(number) = self.test_numbers.iter().find(known) {
            return Ok(number.clone());
        }
        let mut numbers: Vec<Msisdn> = self.internationally(&written).collect();
        if let Some(home) = home.filter(|_| !written.is_marked()) {
            let countries = home.countries.iter();
            numbers.extend(countries.flat_map(|country| country.numbers(&written.digits)));
        }
        numbers.retain(|number| self.has(number));
        numbers.sort_unstable();
        numbers.dedup();
        match numbers.pop() {
            None => Err(self.elsewhere()),
            Some(number) if numbers.is_empty() => Ok(number),
            Some(_) => Err(NumberError::Ambiguous),
        }
    }

    /// Reads a number as the provider states it: one of this market in any form, or one of
    /// elsewhere in international form. `None` if it is not a full number: masked, hashed, cut off.
    pub fn stated(&self, text: &str) -> Option<Msisdn> {
        if let Ok(number) = self.read(text) {
            return Some(number);
        }
        let written = Written::read(text).ok()?;
        let digits = written.international();
        let foreign = Plan::of_number(digits).map(|(plan, _)| Self::of_plan(plan));
        let foreign = foreign.and_then(|market| {
            let mut numbers = market.internationally(&written);
            numbers.next().filter(|_| numbers.next().is_none())
        });
        // A number that is marked as international is a full number even where no plan has it.
        let full = written.is_marked() && digits.len() > 7 && !digits.starts_with('0');
        foreign.or_else(|| full.then(|| Msisdn::parse(digits).ok()).flatten())
    }

    /// The refusal of a number that is not one of this market.
    pub fn elsewhere(&self) -> NumberError {
        NumberError::Elsewhere { market: self.to_string() }
    }

    /// The numbers that an international text may stand for.
    fn internationally(&self, written: &Written) -> impl Iterator<Item = Msisdn> {
        self.countries.iter().flat_map(|country| {
            let national = written.international().strip_prefix(country.code);
            national.into_iter().flat_map(|national| country.numbers(national))
        })
    }
}

impl Country {
    fn of(plan: &Plan) -> Self {
        let mobiles = plan.mobiles.iter();
        let mobiles = mobiles.map(|(length, firsts)| (*length, (*firsts).to_owned()));
        Self { code: plan.code, trunk: plan.trunk, mobiles: mobiles.collect() }
    }

    fn fits(&self, national: &str) -> bool {
        self.mobiles.iter().any(|(length, firsts)| {
            national.len() == *length
                && national.chars().next().is_some_and(|first| firsts.contains(first))
        })
    }

    /// The numbers that a national text may stand for: as it is, and without the trunk prefix.
    fn numbers(&self, digits: &str) -> Vec<Msisdn> {
        let trunk = Some(self.trunk).filter(|trunk| !trunk.is_empty());
        let bare = trunk.and_then(|trunk| digits.strip_prefix(trunk));
        let nationals = [Some(digits), bare].into_iter().flatten();
        let number = |national| Msisdn::parse(&format!("{}{national}", self.code)).ok();
        nationals.filter(|national| self.fits(national)).filter_map(number).collect()
    }

    /// The digits that any number begins with.
    fn first_digits(&self) -> String {
        let mut firsts: Vec<char> =
            self.mobiles.iter().flat_map(|(_, firsts)| firsts.chars()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        firsts.into_iter().collect()
    }
}

impl fmt::Display for Market {
    /// Writes the forms of the market's numbers, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms = self.countries.iter().flat_map(|country| {
            country.mobiles.iter().map(|(length, firsts)| {
                let firsts: Vec<String> = firsts.chars().map(String::from).collect();
                let code = country.code;
                format!("+{code} and {length} digits that begin with {}", firsts.join(" or "))
            })
        });
        f.write_str(&forms.collect::<Vec<_>>().join(", "))
    }
}
