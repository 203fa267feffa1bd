//! The family as the program meets it.

use std::sync::Arc;
use std::time::Duration;

use kiungo_mapping::{Mapping, MappingErrors, Problem, duration};
use kiungo_provider::family::{Doubt, Need};
use kiungo_provider::{
    Address, BuildError, Capabilities, Family, Parts, Plan, Provider, Secret, Terms,
};

use crate::Mpesa;
use crate::config::{Options, OptionsError, Secrets};
use crate::settings::{Settings, encrypter};

/// The markets of the M-Pesa OpenAPI.
#[derive(Debug, Clone, Copy)]
pub struct MpesaFamily;

/// The section of the family.
const SECTION: &str = "mpesa";
/// The time that M-Pesa takes to make a session live (`mpesa-openapi.md` §3).
const ACTIVATION: Duration = Duration::from_secs(30);
/// The one secret.
const API_KEY: &str = "api_key";

impl Family for MpesaFamily {
    fn name(&self) -> &'static str {
        SECTION
    }

    fn promises(&self) -> &'static [&'static str] {
        &["indexing_window"]
    }

    fn plan(&self, mapping: &Mapping) -> Result<Box<dyn Plan>, MappingErrors> {
        let options: Options = mapping.section(SECTION)?;
        let terms = Terms::of(mapping);
        let placed = |error: OptionsError| problem(mapping, &error);
        let capabilities = Settings::check(options.clone(), &terms).map_err(placed)?.capabilities();
        let missing = match encrypter(&options.public_key) {
            Ok(_) => None,
            Err(error @ OptionsError::NoPublicKey) => Some(problem(mapping, &error)),
            Err(error) => return Err(problem(mapping, &error).into()),
        };
        Ok(Box::new(MpesaPlan { mapping: mapping.clone(), options, terms, capabilities, missing }))
    }
}

struct MpesaPlan {
    mapping: Mapping,
    options: Options,
    terms: Terms,
    capabilities: Capabilities,
    /// The public key, where the file has none yet.
    missing: Option<Problem>,
}

impl Plan for MpesaPlan {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn addresses(&self) -> Vec<Address> {
        let (key, url) = (format!("{SECTION}.base_url"), self.options.base_url.clone());
        vec![Address { key, url }]
    }

    fn secrets(&self) -> Vec<Secret> {
        let need = Need {
            path: ["provider", "family"].map(str::to_owned).to_vec(),
            setting: format!("family = \"{SECTION}\""),
        };
        vec![Secret { name: API_KEY.to_owned(), needed_by: Some(need) }]
    }

    fn missing(&self) -> Vec<Problem> {
        self.missing.iter().cloned().collect()
    }

    fn doubts(&self) -> Vec<Doubt> {
        let (most, lifetime) = (self.options.activation_max, self.options.session_lifetime);
        let shown = duration::print;
        let activation = (most < ACTIVATION).then(|| Doubt {
            name: "mpesa_activation",
            found: format!(
                "mpesa.activation_max is {}, and a session takes up to {} to become live",
                shown(most),
                shown(ACTIVATION)
            ),
            advice: "write 3m: a session that is given up sooner may never have been tried"
                .to_owned(),
        });
        let lifetime = (lifetime <= most.max(ACTIVATION)).then(|| Doubt {
            name: "mpesa_session_lifetime",
            found: format!(
                "mpesa.session_lifetime is {}: a session may end before it is live",
                shown(lifetime)
            ),
            advice:
                "write the session lifetime of the application in M-Pesa's portal, and raise it \
                     there if it is as short as this"
                    .to_owned(),
        });
        activation.into_iter().chain(lifetime).collect()
    }

    fn build(&self, parts: Parts<'_>) -> Result<Arc<dyn Provider>, BuildError> {
        let terms = Terms { callback_base: parts.callback_base, ..self.terms.clone() };
        let unusable = |why: &str| BuildError::Secret { name: API_KEY.into(), why: why.to_owned() };
        let api_key = parts.secrets.get(API_KEY).ok_or_else(|| unusable("is missing"))?;
        let adapter = Mpesa::new(self.options.clone(), Secrets { api_key }, terms, parts.transport);
        Ok(Arc::new(adapter.map_err(|error| match error {
            OptionsError::ApiKey => unusable("is longer than the public key can encrypt"),
            error => BuildError::Mapping(problem(&self.mapping, &error).into()),
        })?))
    }
}

/// The fault of an option at its place in the file.
fn problem(mapping: &Mapping, error: &OptionsError) -> Problem {
    let (key, said) = (error.key(), error.to_string());
    // The place names the key already.
    let message = said.strip_prefix(&format!("`{key}` ")).unwrap_or(&said);
    mapping.problem(&[SECTION, key], message)
}
