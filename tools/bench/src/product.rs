//! The engine, wired to the simulators as in production: the shipped mappings, the adapters, the
//! network, `SQLite` with full durability.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use kiungo::adapters::{self, ProviderParts};
use kiungo::mapping_override;
use kiungo_core_banking::Core;
use kiungo_core_fineract::{Fineract, Secrets};
use kiungo_domain::{CoreId, ProviderId};
use kiungo_engine::{
    CoreLink, EngineOptions, ProviderLink, Setup, SystemClock, TimeOrderedIds, TrafficOptions,
};
use kiungo_mapping::InquirySettings;
use kiungo_provider::Secrets as ProviderSecrets;
use kiungo_store::Store;
use kiungo_store_sql::{SqliteOptions, SqliteStore};
use kiungo_transport::{Network, NetworkOptions, Transport};
use secrecy::SecretString;
use serde_json::json;

use super::counterparties::{Addresses, GSMA_CLIENT, callback_base};
use super::{BenchError, load};

/// The transport for the requests of a party, for measurements that look at them.
pub(super) type Carrier = dyn Fn(Network) -> Arc<dyn Transport>;

/// Returns the network itself: no measurement looks at its requests.
pub(super) fn plain(network: Network) -> Arc<dyn Transport> {
    Arc::new(network)
}

/// The parts that both sides of a comparison have in common.
pub(super) struct Wiring<'a> {
    pub(super) addresses: &'a Addresses,
    pub(super) in_flight: u32,
    pub(super) carrier: &'a Carrier,
    /// The server that is notified of payments at the wallet, if there is one.
    pub(super) notify: Option<SocketAddr>,
}

/// Opens the database in this folder.
pub(super) async fn store(folder: &Path) -> Result<Arc<SqliteStore>, BenchError> {
    let options = SqliteOptions::new(folder.join("kiungo.db"));
    SqliteStore::open(&options).await.map(Arc::new).map_err(|e| setup(&e))
}

/// A client with as many connections to its party as there are transfers in flight.
pub(super) fn network(in_flight: u32) -> Result<Network, BenchError> {
    let options =
        NetworkOptions { idle_connections_max: in_flight as usize, ..NetworkOptions::default() };
    Network::new(&options).map_err(|e| setup(&e))
}

impl Wiring<'_> {
    /// Prepares all that an engine needs, with `options`, over `store`.
    pub(super) async fn setup(
        &self,
        store: Arc<dyn Store>,
        options: EngineOptions,
    ) -> Result<Setup, BenchError> {
        let core_id = CoreId::new("main").map_err(|e| setup(&e))?;
        let core = self.core().await?;
        let providers = self.providers(&core_id, &core)?;
        let traffic =
            TrafficOptions { in_flight_max: self.in_flight as usize, ..TrafficOptions::default() };
        Ok(Setup {
            store,
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrderedIds),
            providers,
            cores: BTreeMap::from([(core_id, CoreLink { core, traffic })]),
            options,
            sharing: None,
            fail_points: None,
        })
    }

    /// Options under which the engine has room for everything in flight.
    pub(super) fn engine_options(&self) -> EngineOptions {
        EngineOptions {
            in_flight_max: self.in_flight as usize,
            backlog_max: u64::MAX,
            ..EngineOptions::default()
        }
    }

    fn transport(&self) -> Result<Arc<dyn Transport>, BenchError> {
        network(self.in_flight).map(self.carrier)
    }

    async fn core(&self) -> Result<Arc<dyn Core>, BenchError> {
        let options = json!({
            "base_url": format!("http://{}/fineract-provider", self.addresses.fineract),
            "auth": { "type": "basic", "username": "mifos" },
            "time_zone": "Africa/Dar_es_Salaam",
            "payment_type": 3,
        });
        let options = serde_json::from_value(options).map_err(|e| setup(&e))?;
        let secrets =
            Secrets { password: Some(SecretString::from("password")), ..Secrets::default() };
        let core = Fineract::new(options, secrets, self.transport()?).map_err(|e| setup(&e))?;
        core.connect().await.map_err(|e| setup(&e))?;
        Ok(Arc::new(core))
    }

    /// The providers under the names of their mappings.
    pub(super) fn providers(
        &self,
        core_id: &CoreId,
        core: &Arc<dyn Core>,
    ) -> Result<BTreeMap<ProviderId, ProviderLink>, BenchError> {
        let gsma = ProviderSecrets::default()
            .with("client_id", GSMA_CLIENT)
            .with("client_secret", GSMA_CLIENT);
        let api_key = kiungo_simulator_mpesa::Options::default().api_key;
        let mpesa = ProviderSecrets::default().with("api_key", api_key);
        let wired = [
            (load::PROVIDERS[0], mapping_override::GSMA_SANDBOX, self.gsma_changes(), gsma),
            (load::PROVIDERS[1], mapping_override::MPESA_TZ, self.mpesa_changes(), mpesa),
        ];
        let mut links = BTreeMap::new();
        for (name, base, changes, secrets) in wired {
            let parts = ProviderParts {
                mapping: mapping_override::mapping(name, base, &changes).map_err(|e| setup(&e))?,
                secrets,
                callback_base: self.notify.map(callback_base),
                transport: self.transport()?,
                core_id: core_id.clone(),
                core: Arc::clone(core),
                core_inquiry: InquirySettings::core(),
            };
            let link = adapters::provider(parts).map_err(|e| setup(&e))?;
            links.insert(ProviderId::new(name).map_err(|e| setup(&e))?, link);
        }
        Ok(links)
    }

    fn gsma_changes(&self) -> String {
        let (address, notify) = (self.addresses.gsma, self.notify.is_some());
        format!(
            "{}\nmoney = {{ currency = \"{}\" }}\nnumbers = {{ dial_codes = [\"255\"] }}\n\
             callbacks = {{ expected = {notify}, payments = {notify}, validation = false }}\n\
             [gsma]\nbase_url = \"http://{address}/v1.2/mm\"\n\
             token_url = \"http://{address}/v1/oauth/accesstoken\"\nanswers = \"polling\"\n\
             payments = {{ validates = false }}\n",
            self.common_changes(),
            load::CURRENCY,
        )
    }

    fn mpesa_changes(&self) -> String {
        let (address, key) = (self.addresses.mpesa, &self.addresses.public_key);
        format!(
            "{}\n[mpesa]\nbase_url = \"http://{address}\"\nactivation_delay = \"0s\"\n\
             public_key = \"{key}\"\n",
            self.common_changes(),
        )
    }

    /// No limit but the transfers in flight; nothing that waits is asked about meanwhile.
    fn common_changes(&self) -> String {
        format!(
            "traffic = {{ in_flight_max = {}, per_second_max = 100000 }}\n\
             inquiry = {{ ladder = [\"6h\"] }}",
            self.in_flight
        )
    }
}

pub(super) fn setup(error: &dyn std::fmt::Display) -> BenchError {
    BenchError::Setup(error.to_string())
}
