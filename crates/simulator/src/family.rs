//! The seam by which a family of simulators is wired: a list of families is all that a program needs to
//! offer, build and serve any of them.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use kiungo_domain::Currency;
use kiungo_settings::{Entries, Kind, Layer, Problem, Problems, Sources, own};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

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
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// None: the defaults.
    Defaults,
    /// A file that holds nothing else.
    File {
        /// Its name, for messages.
        name: &'a str,
        /// Its text.
        text: &'a str,
    },
    /// A table of a larger file, whose problems name the place in that file.
    Section {
        /// The file.
        sources: &'a Sources,
        /// The path of the table.
        path: &'a str,
        /// The table.
        value: &'a kiungo_settings::Value,
    },
}

impl Source<'_> {
    /// Reads the options.
    ///
    /// # Errors
    /// A text that is no TOML, or that holds other options.
    pub fn read<O: DeserializeOwned + Default>(self) -> Result<O, Problems> {
        let one = |problem: Problem| Problems::in_order(vec![problem]);
        match self {
            Self::Defaults => Ok(O::default()),
            Self::File { name, text } => {
                let mut sources = Sources::default();
                let root = sources.parse(Layer::File, name, text)?;
                let whole = kiungo_settings::Value { at: 0..text.len(), kind: Kind::Table(root) };
                own::read(&sources, "", &whole).map_err(one)
            }
            Self::Section { sources, path, value } => own::read(sources, path, value).map_err(one),
        }
    }

    /// True if the source gives an option of that name.
    pub fn gives(self, option: &str) -> bool {
        let has = |entries: &Entries| entries.contains_key(option);
        match self {
            Self::Defaults => false,
            Self::File { name, text } => {
                Sources::default().parse(Layer::File, name, text).is_ok_and(|root| has(&root))
            }
            Self::Section { value, .. } => value.entries().is_some_and(has),
        }
    }
}

/// Options that cannot be used.
#[derive(Debug, Error)]
pub enum Unfit {
    /// A text that cannot be read as options.
    #[error(transparent)]
    Unreadable(#[from] Problems),
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
