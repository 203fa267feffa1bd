//! The seam by which a family of providers is wired, checked and fuzzed.
//!
//! A family is an API that several providers speak, with a crate of its own. The program knows its
//! families by one list, and asks each the same questions; nothing else names a family.
//!
//! ```text
//! file ──► Mapping ──► Plan ──────► Provider
//!          common      the family's  the adapter
//!          sections    own section
//! ```
//!
//! * The *mapping* holds what is common to all providers: money, limits, codes, references. It
//!   knows of a family only its name, which is also the name of its section.
//! * [`Family::plan`] reads that section into the family's own types and checks all that can be
//!   checked without secrets and without the network. Each fault is a [`Problem`] with its place in
//!   the file. A family whose adapter is data compiles that data here, once.
//! * A [`Plan`] answers what is asked before anything is sent: promises, addresses, the secrets that
//!   are taken (which may depend on what the file says), and the keys that are left to be filled in.
//! * [`Plan::build`] makes the adapter of the plan, of secrets, and of a transport.
//!
//! [`Families`] adds the checks that concern every family: a mapping must not rely on a promise that
//! its adapter does not make.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kiungo_domain::policy::WhenAbsent;
use kiungo_mapping::{Mapping, MappingErrors, Problem};
use kiungo_transport::Transport;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use thiserror::Error;

use crate::{Capabilities, Provider};

/// A family of providers.
pub trait Family: Send + Sync {
    /// The word of `provider.family`, and the name of the section with the family's options.
    fn name(&self) -> &'static str;

    /// The keys of the family's section that state what the provider promises, for example
    /// `payments.confirms`: a mapping cannot change what a file that it extends says in them.
    fn promises(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads the family's section of a mapping and checks it.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place in the file.
    fn plan(&self, mapping: &Mapping) -> Result<Box<dyn Plan>, MappingErrors>;
}

/// The checked options of one provider, as its family read them.
pub trait Plan: Send + Sync {
    /// The promises of the adapter.
    fn capabilities(&self) -> Capabilities;

    /// Every address that the adapter sends to; that of the API first.
    fn addresses(&self) -> Vec<Address>;

    /// Every secret that the adapter takes.
    fn secrets(&self) -> Vec<Secret>;

    /// The keys of the mapping that are still to be filled in before an adapter can be built.
    fn missing(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Settings that pass and can hardly be meant: the doctor shows them.
    fn doubts(&self) -> Vec<Doubt> {
        Vec::new()
    }

    /// Makes the adapter. Nothing is sent.
    ///
    /// # Errors
    /// What is missing, and secrets that cannot be used.
    fn build(&self, parts: Parts<'_>) -> Result<Arc<dyn Provider>, BuildError>;
}

/// A setting that passes and can hardly be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Its name, which stays the same.
    pub name: &'static str,
    /// The setting, and what speaks against it.
    pub found: String,
    /// The thing to do about it.
    pub advice: String,
}

/// An address in a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The key, for example `gsma.base_url`.
    pub key: String,
    /// The address.
    pub url: String,
}

/// A secret that an adapter takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name below `providers.secrets`.
    pub name: String,
    /// The part of the mapping that cannot do without it; `None` if it may be left out.
    pub needed_by: Option<Need>,
}

/// The part of a mapping that needs something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The keys that lead to it, for example `["gsma", "auth"]`.
    pub path: Vec<String>,
    /// The setting as one writes it, for example `auth = "basic"`.
    pub setting: String,
}

/// The secrets of a provider by their names; never printed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secrets(BTreeMap<String, SecretString>);

/// The parts that an adapter is made of, beside its plan.
pub struct Parts<'a> {
    /// Its secrets.
    pub secrets: &'a Secrets,
    /// The address at which the provider calls back, with the secret and a trailing slash; `None`
    /// if it cannot.
    pub callback_base: Option<String>,
    /// The transport of its requests.
    pub transport: Arc<dyn Transport>,
}

/// The reason that an adapter cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// The mapping file is wrong, or incomplete.
    #[error(transparent)]
    Mapping(#[from] MappingErrors),
    /// A secret is missing, or cannot be used. Its value is not repeated.
    #[error("the secret `{name}` {why}")]
    Secret {
        /// Its name.
        name: String,
        /// The fault.
        why: String,
    },
}

impl Secrets {
    /// The same secrets, and one more.
    #[must_use]
    pub fn with(mut self, name: &str, secret: impl Into<SecretString>) -> Self {
        self.0.insert(name.to_owned(), secret.into());
        self
    }

    /// The secret of this name; `None` if it is absent or empty.
    pub fn get(&self, name: &str) -> Option<SecretString> {
        self.0.get(name).filter(|secret| !secret.expose_secret().is_empty()).cloned()
    }

    /// The names of all that were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The families that a program knows.
#[derive(Clone, Copy)]
pub struct Families(pub &'static [&'static dyn Family]);

impl Families {
    /// Reads and checks a mapping file, but for the section of its family.
    ///
    /// # Errors
    /// Everything that is wrong with the common sections.
    pub fn load(&self, path: &Path) -> Result<Mapping, MappingErrors> {
        Mapping::load(path, &self.names())
    }

    /// The same for the text of a mapping file; `file` stands in messages.
    ///
    /// # Errors
    /// Everything that is wrong with the common sections.
    pub fn parse(&self, file: &str, text: &str) -> Result<Mapping, MappingErrors> {
        Mapping::parse(file, text, &self.names())
    }

    /// The plan for a mapping's provider.
    ///
    /// # Errors
    /// Everything that is wrong with the section of its family, or does not fit it.
    pub fn plan(&self, mapping: &Mapping) -> Result<Box<dyn Plan>, MappingErrors> {
        let Some(family) = self.0.iter().find(|family| family.name() == mapping.family()) else {
            let message = format!("`{}` is no family of this program", mapping.family());
            return Err(mapping.problem(&["provider", "family"], message).into());
        };
        let mut problems = sealed(mapping, *family);
        match family.plan(mapping) {
            Ok(plan) => {
                problems.extend(unpromised(mapping, &plan.capabilities()));
                MappingErrors::of(problems).map_or(Ok(plan), Err)
            }
            Err(errors) => {
                problems.extend(errors.into_problems());
                Err(MappingErrors::in_order(problems))
            }
        }
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|family| family.name()).collect()
    }
}

/// Promises of a provider that a mapping changes, though a file that it extends states them.
fn sealed(mapping: &Mapping, family: &dyn Family) -> Vec<Problem> {
    let sealed = |key: &&str| {
        let key = format!("{}.{key}", family.name());
        mapping.document().sealed(&key, "a promise of the provider")
    };
    family.promises().iter().flat_map(sealed).collect()
}

/// Settings that rely on what the adapter does not promise.
fn unpromised(mapping: &Mapping, capabilities: &Capabilities) -> Vec<Problem> {
    let inquiry = mapping.inquiry();
    let wishes =
        [("when_absent", inquiry.when_absent), ("when_payout_absent", inquiry.when_payout_absent)];
    let resent = |(_, wish): &(&str, _)| *wish == Some(WhenAbsent::Resend);
    let message = "\"resend\" could pay twice: the adapter does not promise that the provider refuses \
                   a second sending of one reference; write \"case\" or \"reject\"";
    let problem = |(key, _)| mapping.problem(&["inquiry", key], message);
    let wishes = wishes.into_iter().filter(resent).map(problem);
    if capabilities.resend_is_idempotent { Vec::new() } else { wishes.collect() }
}
