//! Checks that sections fit together with each other, and with the mappings.

use std::collections::BTreeMap;

use kiungo_api::Scope;
use kiungo_domain::{CoreId, ProviderId};
use kiungo_engine::requests::Action;
use kiungo_mapping::Mapping;
use kiungo_settings::{Problem, Problems};

use super::load::Config;
use super::parties::{CoreConfig, ProviderConfig};
use super::sources::{NAME_ONE, NO_FILE};
use crate::families::FAMILIES;

/// A configuration whose parts fit together, with its mappings.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The mapping of each provider.
    pub(crate) mappings: BTreeMap<ProviderId, Mapping>,
    /// The core in which each provider's payments are booked.
    pub(crate) cores: BTreeMap<ProviderId, CoreId>,
}

impl Config {
    /// Loads the mappings and compares the sections with each other. Finds everything that is wrong.
    pub(crate) fn check(&self) -> Result<Checked, Problems> {
        if !self.places.has_file() {
            // Cores and providers stand in a file: without one, everything else is missing too.
            return Err(Problems::one(NO_FILE, NAME_ONE));
        }
        let mut check = Check { config: self, problems: Vec::new() };
        check.unique("cores", "id", self.cores.iter().map(|core| core.id.as_str()));
        check.unique("providers", "id", self.providers.iter().map(|p| p.id.as_str()));
        if self.cores.is_empty() {
            check.problem("cores", "there is no core: add a section [[cores]]");
        }
        if self.providers.is_empty() {
            check.problem("providers", "there is no provider: add a section [[providers]]");
        }
        let mut checked = Checked { mappings: BTreeMap::new(), cores: BTreeMap::new() };
        for (index, provider) in self.providers.iter().enumerate() {
            check.provider(index, provider, &mut checked);
        }
        for (index, core) in self.cores.iter().enumerate() {
            check.file(&format!("cores[{index}].ca_file"), core.ca_file.as_deref());
            check.requests(index, core, &checked);
        }
        for (index, key) in self.api.keys.iter().enumerate() {
            check.scope(&format!("api.keys[{index}]"), &key.scope);
        }
        for (index, client) in self.messaging.options.clients.iter().enumerate() {
            check.scope(&format!("messaging.clients[{index}]"), &client.scope);
        }
        if check.problems.is_empty() {
            Ok(checked)
        } else {
            Err(Problems::in_order(check.problems))
        }
    }
}

struct Check<'a> {
    config: &'a Config,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(self.config.places.problem(key, message));
    }

    fn unique<'n>(&mut self, list: &str, label: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeMap::new();
        for (index, name) in names.enumerate() {
            // The environment writes - as _ and all letters small.
            let as_variable = name.to_lowercase().replace('-', "_");
            if let Some(first) = seen.insert(as_variable, index) {
                let message = format!("`{name}` stands in {list}[{first}] already");
                self.problem(&format!("{list}[{index}].{label}"), message);
            }
        }
    }

    fn file(&mut self, key: &str, path: Option<&std::path::Path>) {
        let Some(path) = path else { return };
        if let Err(error) = std::fs::File::open(path) {
            self.problem(key, format!("`{}` cannot be read: {error}", path.display()));
        }
    }

    fn provider(&mut self, index: usize, provider: &ProviderConfig, checked: &mut Checked) {
        let key = |name: &str| format!("providers[{index}].{name}");
        self.file(&key("ca_file"), provider.ca_file.as_deref());
        self.file(&key("identity_file"), provider.identity_file.as_deref());
        if let Some(core) = self.core_of(&key("core"), provider) {
            checked.cores.insert(provider.id.clone(), core);
        }
        let mapping = match FAMILIES.load(&provider.mapping) {
            Ok(mapping) => mapping,
            Err(errors) => return self.mapping_errors(&key("mapping"), &errors),
        };
        if *mapping.id() != provider.id {
            let message = format!(
                "{} is the mapping of `{}`, not of `{}`",
                provider.mapping.display(),
                mapping.id(),
                provider.id
            );
            self.problem(&key("mapping"), message);
        }
        if mapping.callbacks().expected {
            if self.config.server.public_url.is_none() {
                let message =
                    format!("`{}` calls back: write the address it can reach", provider.id);
                self.problem("server.public_url", message);
            }
            if provider.callback_secret.is_none() {
                let message = "the provider calls back: give it a secret, so that nobody can guess \
                               the address (openssl rand -hex 24)";
                self.problem(&key("callback_secret"), message);
            }
        }
        checked.mappings.insert(provider.id.clone(), mapping);
    }

    /// A rule pays out by a provider whose payments are booked in that core.
    fn requests(&mut self, index: usize, core: &CoreConfig, checked: &Checked) {
        let rules = core.requests.iter().flat_map(|requests| &requests.rules.rules);
        for (number, rule) in rules.enumerate() {
            let (Action::PayOut(payee) | Action::Ask(payee)) = &rule.action else { continue };
            let key = format!("cores[{index}].requests.rules[{number}].provider");
            match checked.cores.get(&payee.provider) {
                Some(booked) if *booked == core.id => {}
                Some(booked) => {
                    let message = format!("`{}` is booked in core `{booked}`", payee.provider);
                    self.problem(&key, message);
                }
                None if self.config.providers.iter().any(|known| known.id == payee.provider) => {}
                None => self.problem(&key, format!("`{}` is no provider", payee.provider)),
            }
        }
    }

    /// A scope that names nothing that is there would be one that somebody mistyped.
    fn scope(&mut self, entry: &str, scope: &Scope) {
        let known: Vec<_> = self.config.cores.iter().map(|core| core.id.as_str()).collect();
        for core in scope.cores.iter().flatten() {
            if !known.contains(&core.as_str()) {
                let message = format!("`{core}` is no core; there are: {}", known.join(", "));
                self.problem(&format!("{entry}.cores"), message);
            }
        }
        let known: Vec<_> = self.config.providers.iter().map(|p| p.id.as_str()).collect();
        for provider in scope.providers.iter().flatten() {
            if !known.contains(&provider.as_str()) {
                let message =
                    format!("`{provider}` is no provider; there are: {}", known.join(", "));
                self.problem(&format!("{entry}.providers"), message);
            }
        }
    }

    fn core_of(&mut self, key: &str, provider: &ProviderConfig) -> Option<CoreId> {
        let known: Vec<&str> = self.config.cores.iter().map(|core| core.id.as_str()).collect();
        match (&provider.core, known.as_slice()) {
            (Some(core), _) if known.contains(&core.as_str()) => Some(core.clone()),
            (_, []) => None,
            (Some(core), _) => {
                self.problem(key, format!("`{core}` is no core; there are: {}", known.join(", ")));
                None
            }
            (None, [_]) => self.config.cores.first().map(|core| core.id.clone()),
            (None, _) => {
                self.problem(key, format!("is missing; write one of {}", known.join(", ")));
                None
            }
        }
    }

    /// The mapping's own places say more than the place of its path.
    fn mapping_errors(&mut self, key: &str, errors: &Problems) {
        for problem in errors.problems() {
            if problem.line == 0 {
                self.problem(key, format!("{}: {}", problem.file, problem.message));
                continue;
            }
            self.problems.push(problem.clone());
        }
    }
}
