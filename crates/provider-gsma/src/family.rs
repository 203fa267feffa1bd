//! The family as the program meets it.

use std::sync::Arc;

use kiungo_mapping::{Mapping, MappingErrors, Problem};
use kiungo_provider::family::Need;
use kiungo_provider::{
    Address, BuildError, Capabilities, Family, Parts, Plan, Provider, Secret, Terms,
};

use crate::Gsma;
use crate::config::{self, AuthScheme, Options, OptionsError, Secrets};
use crate::provider::capabilities;

/// Providers that speak the GSMA Mobile Money API.
#[derive(Debug, Clone, Copy)]
pub struct GsmaFamily;

/// The section of the family.
const SECTION: &str = "gsma";

impl Family for GsmaFamily {
    fn name(&self) -> &'static str {
        SECTION
    }

    fn promises(&self) -> &'static [&'static str] {
        &["responses", "rejects_duplicates", "indexing_window_s", "payments.confirms"]
    }

    fn plan(&self, mapping: &Mapping) -> Result<Box<dyn Plan>, MappingErrors> {
        let options: Options = mapping.section(SECTION)?;
        options.check().map_err(|error| problem(mapping, &error))?;
        let terms = Terms::of(mapping);
        config::normalise(terms.clone()).map_err(|error| problem(mapping, &error))?;
        Ok(Box::new(GsmaPlan { mapping: mapping.clone(), options, terms }))
    }
}

struct GsmaPlan {
    mapping: Mapping,
    options: Options,
    terms: Terms,
}

impl Plan for GsmaPlan {
    fn capabilities(&self) -> Capabilities {
        capabilities(&self.options)
    }

    fn addresses(&self) -> Vec<Address> {
        let named =
            |key: &str, url: &String| Address { key: format!("{SECTION}.{key}"), url: url.clone() };
        let api = named("base_url", &self.options.base_url);
        let tokens = self.options.token_url.as_ref().map(|url| named("token_url", url));
        std::iter::once(api).chain(tokens).collect()
    }

    fn secrets(&self) -> Vec<Secret> {
        let (needed, setting): (&[&str], _) = match self.options.auth {
            AuthScheme::None => (&[], ""),
            AuthScheme::Basic => (&["user", "password"], "auth = \"basic\""),
            AuthScheme::Oauth2 => (&["client_id", "client_secret"], "auth = \"oauth2\""),
        };
        let need = || Need {
            path: [SECTION, "auth"].map(str::to_owned).to_vec(),
            setting: setting.to_owned(),
        };
        let secret = |name: &str| Secret {
            name: name.to_owned(),
            needed_by: needed.contains(&name).then(need),
        };
        Secrets::NAMES.map(secret).to_vec()
    }

    fn build(&self, parts: Parts<'_>) -> Result<Arc<dyn Provider>, BuildError> {
        let terms = Terms { callback_base: parts.callback_base, ..self.terms.clone() };
        let secrets = Secrets::of(parts.secrets);
        let adapter = Gsma::new(self.options.clone(), secrets, terms, parts.transport);
        Ok(Arc::new(adapter.map_err(|error| match error {
            OptionsError::NoSecret { name, by } => {
                BuildError::Secret { name: name.to_owned(), why: format!("is needed by {by}") }
            }
            OptionsError::Secret(name) => BuildError::Secret {
                name: name.to_owned(),
                why: "has characters that cannot be sent in a header".to_owned(),
            },
            error => BuildError::Mapping(problem(&self.mapping, &error).into()),
        })?))
    }
}

/// The fault of an option at its place in the file.
fn problem(mapping: &Mapping, error: &OptionsError) -> Problem {
    let path = error.path();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    mapping.problem(&path, error.fault())
}
