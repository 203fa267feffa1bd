//! Builds cores and providers from the configuration, and finds every mistake that can be found
//! without sending a request.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kiungo_core_banking::Core;
use kiungo_core_fineract::{
    Auth, Fineract, Options as FineractOptions, Secrets as FineractSecrets,
};
use kiungo_domain::{CoreId, ProviderId};
use kiungo_engine::{CoreLink, ProviderLink, TrafficOptions};
use kiungo_mapping::Mapping;
use kiungo_provider::{Address, Secrets};
use kiungo_settings::{Problem, Problems};
use kiungo_transport::{Network, NetworkOptions, Transport, is_exposed_text};
use secrecy::{ExposeSecret, SecretString};

use crate::adapters::{self, ProviderParts, WiringErrors};
use crate::config::{Checked, Config, CoreConfig, ProviderConfig};
use crate::families::FAMILIES;

/// Cores and providers, ready to be asked. Nothing has been sent.
pub(crate) struct Assembly {
    pub(crate) cores: BTreeMap<CoreId, AssembledCore>,
    pub(crate) providers: BTreeMap<ProviderId, AssembledProvider>,
}

/// A core with the means to reach it.
pub(crate) struct AssembledCore {
    /// The adapter.
    pub(crate) core: Arc<Fineract>,
    /// The limits of its traffic.
    pub(crate) traffic: TrafficOptions,
    /// Its address.
    pub(crate) base_url: String,
    /// The transport that reaches it.
    pub(crate) transport: Arc<dyn Transport>,
}

/// A provider with the means to reach it.
pub(crate) struct AssembledProvider {
    /// The adapter and its rules.
    pub(crate) link: ProviderLink,
    pub(crate) mapping: Mapping,
    /// The transport that reaches it.
    pub(crate) transport: Arc<dyn Transport>,
}

impl AssembledCore {
    /// The link as the engine takes it.
    pub(crate) fn link(&self) -> CoreLink {
        CoreLink { core: Arc::clone(&self.core) as Arc<dyn Core>, traffic: self.traffic }
    }
}

impl Assembly {
    /// Makes the adapters, and reports all mistakes.
    pub(crate) fn new(config: &Config) -> Result<Self, Problems> {
        let checked = config.check()?;
        let mut problems = Vec::new();
        let mut cores = BTreeMap::new();
        for core in &config.cores {
            match assemble_core(core) {
                Ok(assembled) => drop(cores.insert(core.id.clone(), assembled)),
                Err(errors) => problems.extend(errors.into_problems()),
            }
        }
        let mut providers = BTreeMap::new();
        for provider in &config.providers {
            match assemble_provider(config, provider, &checked, &cores) {
                Ok(Some(assembled)) => drop(providers.insert(provider.id.clone(), assembled)),
                // The mistake of its core has been reported already.
                Ok(None) => {}
                Err(errors) => problems.extend(errors.into_problems()),
            }
        }
        if problems.is_empty() {
            Ok(Self { cores, providers })
        } else {
            Err(Problems::in_order(problems))
        }
    }
}

fn assemble_core(core: &CoreConfig) -> Result<AssembledCore, Problems> {
    let place = |part: &str| format!("core `{}`: {part}", core.id);
    let (ca, proxy) = (core.ca_file.as_deref(), core.proxy.clone());
    let allowed = core.plaintext_allowed;
    let transport = network(ca, None, proxy, allowed, &place("ca_file, proxy"))?;
    let options: FineractOptions = core.fineract.read_as()?;
    let token_url = match &options.auth {
        Auth::Oauth2 { token_url, .. } => Some(token_url.as_str()),
        Auth::Basic { .. } => None,
    };
    for url in [Some(options.base_url.as_str()), token_url].into_iter().flatten() {
        if !core.plaintext_allowed && is_exposed_text(url) {
            return Err(core.fineract.problem_with(exposed(url, "[[cores]]")));
        }
    }
    let secrets: FineractSecrets =
        core.secrets.read().map_err(|e| Problems::one(place("secrets"), e.to_string()))?;
    let base_url = options.base_url.clone();
    let fineract = Fineract::new(options, secrets, Arc::clone(&transport))
        .map_err(|error| core.fineract.problem_with(error))?;
    let traffic = TrafficOptions {
        in_flight_max: core.traffic.in_flight_max,
        per_second_max: Some(core.traffic.per_second_max),
        breaker_failures: core.traffic.breaker_failures,
        breaker_window: core.traffic.breaker_window,
        breaker_cool_down: core.traffic.breaker_cool_down,
    };
    Ok(AssembledCore { core: Arc::new(fineract), traffic, base_url, transport })
}

fn assemble_provider(
    config: &Config,
    provider: &ProviderConfig,
    checked: &Checked,
    cores: &BTreeMap<CoreId, AssembledCore>,
) -> Result<Option<AssembledProvider>, Problems> {
    let place = |part: &str| format!("provider `{}`: {part}", provider.id);
    let core_id = checked.cores.get(&provider.id);
    let core_config = config.cores.iter().find(|core| Some(&core.id) == core_id);
    let (Some(mapping), Some(core_config)) = (checked.mappings.get(&provider.id), core_config)
    else {
        return Ok(None);
    };
    let Some(core) = cores.get(&core_config.id) else { return Ok(None) };
    let (ca, identity) = (provider.ca_file.as_deref(), provider.identity_file.as_deref());
    let (proxy, allowed) = (provider.proxy.clone(), provider.plaintext_allowed);
    let wired = |errors| wiring_errors(&provider.id, errors);
    let plan = FAMILIES.plan(mapping).map_err(|errors| wired(errors.into()))?;
    for Address { key, url } in plan.addresses() {
        if !allowed && is_exposed_text(&url) {
            let path: Vec<&str> = key.split('.').collect();
            let problem = mapping.problem(&path, exposed(&url, "[[providers]]"));
            return Err(wired(Problems::from(problem).into()));
        }
    }
    let transport = network(ca, identity, proxy, allowed, &place("ca_file, identity_file, proxy"))?;
    let secrets: Secrets =
        provider.secrets.read().map_err(|e| Problems::one(place("secrets"), e.to_string()))?;
    let parts = ProviderParts {
        mapping: mapping.clone(),
        secrets,
        callback_base: callback_base(config, provider),
        transport: Arc::clone(&transport),
        core_id: core_config.id.clone(),
        core: Arc::clone(&core.core) as Arc<dyn Core>,
        core_inquiry: core_config.inquiry.clone(),
    };
    let link = adapters::provider(parts).map_err(wired)?;
    Ok(Some(AssembledProvider { link, mapping: mapping.clone(), transport }))
}

/// The places inside the mapping are more exact than the place of its path.
fn wiring_errors(provider: &ProviderId, errors: WiringErrors) -> Problems {
    let mut problems = errors.mapping;
    for secret in errors.secrets {
        let place = format!("provider `{provider}`: secrets.{}", secret.name);
        problems.push(Problem::of_whole(place, secret.why));
    }
    Problems::in_order(problems)
}

fn exposed(url: &str, entry: &str) -> String {
    format!(
        "`{url}` is on another machine and has no TLS, so that others on the way could read the \
         credentials and change amounts: write https://, or set plaintext_allowed = true in its \
         entry {entry} where the network in between is trusted"
    )
}

/// The address at which a provider calls back, its secret included; `None` if it cannot.
fn callback_base(config: &Config, provider: &ProviderConfig) -> Option<String> {
    let (url, secret) =
        (config.server.public_url.as_ref()?, provider.callback_secret.as_ref()?.expose_secret());
    Some(format!("{url}/callbacks/{}/{secret}/", provider.id))
}

/// The connections to one counterparty, separate from others', so that a slow one takes no other's
/// place.
fn network(
    ca_file: Option<&Path>,
    identity_file: Option<&Path>,
    proxy: Option<SecretString>,
    plaintext_allowed: bool,
    place: &str,
) -> Result<Arc<dyn Transport>, Problems> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| {
            Problems::one(place, format!("`{}` cannot be read: {error}", path.display()))
        })
    };
    let ca_pem = ca_file.map(read).transpose()?;
    let identity = identity_file.map(read).transpose()?;
    let identity_pem = identity
        .map(|pem| String::from_utf8(pem).map(SecretString::from))
        .transpose()
        .map_err(|_| Problems::one(place, "the client certificate and key are not PEM text"))?;
    let options = NetworkOptions {
        ca_pem,
        identity_pem,
        proxy,
        plaintext_allowed,
        ..NetworkOptions::default()
    };
    let network =
        Network::new(&options).map_err(|error| Problems::one(place, error.to_string()))?;
    Ok(Arc::new(network))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Sources;
    use crate::mapping_override::{self, MPESA_TZ, whole};
    use crate::requirements;

    const FILE: &str = "[[cores]]\nid = \"main\"\n[cores.fineract]\n\
                        base_url = \"https://core.example/fineract-provider\"\n\
                        time_zone = \"Africa/Dar_es_Salaam\"\n\
                        auth = { type = \"basic\", username = \"kiungo\" }\n\
                        [[providers]]\nid = \"mpesa-tz\"\nmapping = \"MAPPING\"\n";

    fn complaint(file: &str, environment: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kiungo.toml");
        fs::write(&path, file).unwrap();
        let core = ("KIUNGO__CORES__MAIN__SECRETS__PASSWORD", "0042");
        let pairs = environment.iter().chain([&core]);
        let environment = pairs.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let config = Config::load(&Sources { file: Some(path), environment }).unwrap();
        Assembly::new(&config).err().map(|errors| errors.to_string()).unwrap_or_default()
    }

    /// `kiungo mapping check` lists the very settings that `kiungo config check` demands.
    #[test]
    fn the_configuration_must_give_the_values_that_a_mapping_leaves_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tz.toml");
        let text =
            mapping_override::merge(&whole(MPESA_TZ).unwrap(), "[callbacks]\nexpected = true")
                .unwrap();
        fs::write(&path, text).unwrap();
        let mapping = FAMILIES.load(&path).unwrap();
        let left = requirements::of(&mapping, &*FAMILIES.plan(&mapping).unwrap());
        let left: Vec<_> = left.iter().map(|left| left.what.to_string()).collect();
        let file = FILE.replace("MAPPING", path.to_str().unwrap());
        let callbacks = [
            ("KIUNGO__SERVER__PUBLIC_URL", "https://pay.example/"),
            ("KIUNGO__PROVIDERS__MPESA_TZ__CALLBACK_SECRET", "0123456789abcdef01"),
        ];
        let said = [complaint(&file, &[]), complaint(&file, &callbacks)].join("\n");
        let [key, secret, url, callback] = left.as_slice() else { panic!("{left:?}") };
        assert!(key.contains("mpesa.public_key") && said.contains(key.as_str()), "{key}\n{said}");
        for (listed, demanded) in [
            (secret, "secrets.api_key: is missing"),
            (url, "server.public_url"),
            (callback, "callback_secret"),
        ] {
            let word = demanded.split(':').next().unwrap();
            assert!(listed.contains(word) && said.contains(demanded), "{listed}\n{said}");
        }
    }

    #[test]
    fn secrets_that_do_not_fit_the_provider_are_all_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tz.toml");
        fs::write(&path, whole(MPESA_TZ).unwrap()).unwrap();
        let file = FILE.replace("MAPPING", path.to_str().unwrap());
        let said =
            complaint(&file, &[("KIUNGO__PROVIDERS__MPESA_TZ__SECRETS__API_KYE", "0123456")]);
        let expected = "provider `mpesa-tz`: secrets.api_kye: is no secret of this provider; did you \
                        mean `api_key`? (secrets: api_key)";
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("provider `mpesa-tz`: secrets.api_key: is missing"), "{said}");
        assert!(!said.contains("0123456"), "{said}");
    }
}
