//! The things that a mapping leaves to be given: what `kiungo config check` will ask for, said while
//! there is only the mapping.

use kiungo_mapping::{Mapping, Problem};
use kiungo_provider::{Address, Plan, Secret};
use kiungo_transport::is_exposed_text;

/// Something that is still to be given, with the place in the mapping that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// The file that has to give it.
    pub(crate) by: Giver,
    /// The place, and what is to be given.
    pub(crate) what: Problem,
}

/// The file that has to give something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Giver {
    /// The mapping itself.
    Mapping,
    /// The configuration.
    Configuration,
}

impl Giver {
    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Configuration => "configuration",
        }
    }
}

/// Everything that is still to be given before a mapping's provider can be wired.
pub(crate) fn of(mapping: &Mapping, plan: &dyn Plan) -> Vec<Requirement> {
    let own = plan.missing().into_iter().map(|what| Requirement { by: Giver::Mapping, what });
    let mut requirements: Vec<_> = own.collect();
    let mut ask = |path: &[&str], message: String| {
        let what = mapping.problem(path, message);
        requirements.push(Requirement { by: Giver::Configuration, what });
    };
    for Secret { name, needed_by } in plan.secrets() {
        let Some(need) = needed_by else { continue };
        let path: Vec<&str> = need.path.iter().map(String::as_str).collect();
        ask(&path, format!("{} needs the secret `providers.secrets.{name}`", need.setting));
    }
    if mapping.callbacks().expected {
        let path = ["callbacks", "expected"];
        for setting in ["server.public_url", "providers.callback_secret"] {
            ask(&path, format!("the provider calls back, which needs `{setting}`"));
        }
    }
    for Address { key, url } in plan.addresses() {
        if is_exposed_text(&url) {
            let path: Vec<&str> = key.split('.').collect();
            let message = "is on another machine and has no TLS, which needs \
                           `providers.plaintext_allowed = true`: better write https://";
            ask(&path, message.to_owned());
        }
    }
    requirements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::FAMILIES;
    use crate::mapping_override::{self, GSMA_SANDBOX, MPESA_TZ};

    fn asked(base: &str, changes: &str) -> Vec<String> {
        let mapping = mapping_override::mapping("test.toml", base, changes).unwrap();
        let plan = FAMILIES.plan(&mapping).unwrap();
        let line = |Requirement { by, what }| {
            assert!(what.line > 0, "{what}");
            format!("{} {}: {}", by.as_str(), what.key, what.message)
        };
        of(&mapping, &*plan).into_iter().map(line).collect()
    }

    #[test]
    fn a_mapping_asks_for_keys_secrets_and_what_callbacks_need() {
        let asked = asked(MPESA_TZ, "[callbacks]\nexpected = true");
        let expected = [
            "mapping mpesa.public_key: is missing: copy it from the portal, it belongs to the \
             environment",
            "configuration provider.family: family = \"mpesa\" needs the secret \
             `providers.secrets.api_key`",
            "configuration callbacks.expected: the provider calls back, which needs \
             `server.public_url`",
            "configuration callbacks.expected: the provider calls back, which needs \
             `providers.callback_secret`",
        ];
        assert_eq!(asked, expected);
    }

    #[test]
    fn the_required_settings_depend_on_the_login_and_the_address() {
        let changes = "callbacks = { expected = false, payments = false, validation = false }\n\
                       [gsma]\nauth = \"basic\"\nbase_url = \"http://momo.example/mm\"\n\
                       payments = { validates = false }";
        let asked = asked(GSMA_SANDBOX, changes);
        assert_eq!(asked.len(), 3, "{asked:?}");
        assert!(asked[0].contains("auth = \"basic\"") && asked[0].contains("secrets.user"));
        assert!(asked[1].contains("secrets.password"), "{asked:?}");
        assert!(asked[2].contains("gsma.base_url") && asked[2].contains("plaintext_allowed"));
    }
}
