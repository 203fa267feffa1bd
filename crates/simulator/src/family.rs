//! The seam by which a family of simulators is wired: a list of families is all that a program needs to
//! offer, build and serve any of them.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use kiungo_domain::Currency;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::faults::Faults;
use crate::tls::Tls;

/// A kind of counterparty that can be simulated.
pub trait Family: fmt::Debug + Sync {
    /// The names of the family.
    fn names(&self) -> Names;

    /// Builds a simulator and its texts by options of the family's own.
    ///
    /// # Errors
    /// Options that cannot be used.
    fn build(&self, options: Source<'_>, surroundings: Surroundings) -> Result<Ready, Unfit>;
}

/// The names of a family, for each place in which it is named.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// The word of the command line, and of a file's section: `gsma`.
    pub word: &'static str,
    /// The line of the help: `A provider of the GSMA Mobile Money API`.
    pub about: &'static str,
    /// The text after the help; none for most.
    pub after_help: Option<&'static str>,
    /// The subject of "… is simulated at": `A GSMA provider`.
    pub subject: &'static str,
    /// The entry of a list: `GSMA provider`.
    pub title: &'static str,
    /// The entry of a list within a sentence: `a GSMA provider`.
    pub in_a_sentence: &'static str,
}

/// The parts of the world that a simulator is given.
#[derive(Clone)]
pub struct Surroundings {
    /// The source of the time of day.
    pub clock: Clock,
    /// The means by which callbacks travel.
    pub delivery: Arc<dyn Delivery>,
    /// The faults.
    pub faults: Faults,
}

/// The place that options are read from.
#[derive(Debug)]
pub enum Source<'a> {
    /// None: the defaults.
    Defaults,
    /// The text of a file that holds nothing else.
    File(&'a str),
    /// A table of a larger file, whose errors name the place in that file.
    Section(Spanned<DeValue<'a>>),
}

impl Source<'_> {
    /// Reads the options.
    ///
    /// # Errors
    /// A text that is no TOML, or that holds other options.
    pub fn read<O: DeserializeOwned + Default>(self) -> Result<O, toml::de::Error> {
        match self {
            Self::Defaults => Ok(O::default()),
            Self::File(text) => toml::from_str(text),
            Self::Section(table) => O::deserialize(ValueDeserializer::from(table)),
        }
    }
}

/// Options that cannot be used.
#[derive(Debug, Error)]
pub enum Unfit {
    /// A text that cannot be read as options.
    #[error(transparent)]
    Unreadable(#[from] toml::de::Error),
    /// An option whose value does not fit.
    #[error("{option}: {why}")]
    Value {
        /// The option's path, below the options.
        option: &'static str,
        /// The fault in it.
        why: String,
    },
}

/// A simulator that is ready to be served. `URL` in its texts stands for the address at which it is.
pub struct Ready {
    /// The API, and `/_sim`.
    pub router: Router,
    /// TLS, where the options want it.
    pub tls: Option<Tls>,
    /// The path of the API, for a mapping or a core's section.
    pub path: String,
    /// Further addresses.
    pub addresses: Vec<Address>,
    /// The commands to try first.
    pub try_this: Vec<String>,
    /// What a client has to know, for programs.
    pub facts: Value,
    /// The currency of the wallets; `None` if it is a core.
    pub currency: Option<Currency>,
    /// The clients of a core; empty at a provider.
    pub clients: Vec<Client>,
}

/// An address of a simulator beside that of its API.
#[derive(Debug, Clone)]
pub struct Address {
    /// The name for programs.
    pub name: &'static str,
    /// The name for people; `None` if it is not worth showing.
    pub label: Option<&'static str>,
    /// The path.
    pub path: String,
}

/// A client of a simulated core.
#[derive(Debug, Clone)]
pub struct Client {
    /// The mobile number, all digits.
    pub msisdn: String,
    /// The accounts, one set in each currency of the core.
    pub accounts: Vec<Accounts>,
}

/// The accounts of a client in one currency, each by its id.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// ISO 4217 code.
    pub currency: String,
    /// The savings account.
    pub savings: u64,
    /// A loan that has been paid out.
    pub active_loan: u64,
    /// A loan that waits to be paid out.
    pub approved_loan: u64,
}
