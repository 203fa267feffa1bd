//! The simulators of a world, and the adapters that talk to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kiungo::adapters::{self, ProviderParts};
use kiungo::mapping_override;
use kiungo_core_banking::Core;
use kiungo_core_fineract as fineract;
use kiungo_domain::policy::Policy;
use kiungo_domain::{CoreId, ProviderId};
use kiungo_engine::{CoreLink, ProviderLink, TrafficOptions};
use kiungo_mapping::{InquirySettings, Mapping, MappingErrors};
use kiungo_provider::Secrets;
use kiungo_simulator::books::Books;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::{Fault, Faults, Plan};
use kiungo_simulator_fineract as core_simulator;
use kiungo_simulator_fineract::Version;
use kiungo_simulator_gsma as gsma;
use kiungo_simulator_gsma::options::PaidBy;
use kiungo_simulator_mpesa as mpesa;
use kiungo_transport::Transport;

use super::chance::Chance;
use super::freeze::FreezeSwitch;
use super::habits::Habits;
use super::network::{
    AcknowledgedReversals, CallbackDelivery, EngineSlot, FaultyNetwork, NetworkState,
};

/// The names of the providers, in the order in which stories count them.
pub const PROVIDERS: [&str; 2] = ["gsma-sandbox", "mpesa-tz"];

/// The place of the core among the counterparties.
const CORE: usize = 2;

/// The changes to the shipped mapping of the GSMA sandbox: shillings, and our simulator.
const GSMA_CHANGES: &str = r#"
[numbers]
dial_codes = ["255"]
[money]
currency = "TZS"
[limits.collect]
max = "100000000.00"
[limits.pay_out]
max = "100000000.00"
[traffic]
per_second_max = 1000
[gsma]
base_url = "http://gsma.test/v1.2/mm"
auth = "none"
[gsma.payments]
validates = false
"#;

/// The line in the mapping of a provider that carries a second sending out again.
const NO_PROMISE: &str = "rejects_duplicates = false\n";
/// The consequence of its absent operations then.
const NO_RESENDING: &str = "when_absent = \"case\"\nwhen_payout_absent = \"case\"\n";

/// The changes to the shipped mapping of M-Pesa in Tanzania: payments by customers come in, and the
/// machine gives back payouts that provably never arrived.
const MPESA_CHANGES: &str = r#"
[inquiry]
when_payout_absent = "reject"
[traffic]
per_second_max = 1000
[callbacks]
expected = true
payments = true
[mpesa]
base_url = "http://mpesa.test"
notification = "c2b-confirmation"
"#;

/// The links of an engine.
pub type Links = (BTreeMap<ProviderId, ProviderLink>, BTreeMap<CoreId, CoreLink>);

/// The three counterparties.
pub struct Counterparties {
    /// The GSMA provider.
    pub gsma: gsma::Simulator,
    /// The M-Pesa market.
    pub mpesa: mpesa::Simulator,
    /// The core.
    pub core: core_simulator::Simulator,
    core_recognises: bool,
    habits: Habits,
    faults: [Faults; 3],
    networks: [FaultyNetwork; 3],
    seed: u64,
}

impl Counterparties {
    /// Counterparties whose habits are drawn from the seed.
    pub fn draw(
        seed: u64,
        habits: &Habits,
        clock: Clock,
        slot: &EngineSlot,
        network_state: &NetworkState,
        acknowledged: &AcknowledgedReversals,
    ) -> Self {
        let chance = Chance::new(seed, "habits");
        let faults: [Faults; 3] = [0, 1, 2].map(|n| Faults::new(Plan::none(seed ^ n)));
        let delivery = |purpose| {
            let chance = Chance::new(seed, purpose);
            let (slot, network_state, acknowledged) =
                (slot.clone(), network_state.clone(), acknowledged.clone());
            Arc::new(CallbackDelivery::new(
                slot,
                chance,
                network_state,
                acknowledged,
                habits.bursts,
            ))
        };
        let flows = [
            gsma::options::Flow::Requested,
            gsma::options::Flow::Synchronous,
            gsma::options::Flow::Polling,
        ];
        let gsma = gsma::Simulator::new(
            gsma::Options {
                flow: chance.pick(&flows).copied().unwrap_or(gsma::options::Flow::Requested),
                notify_base: Some(format!("http://kiungo.test/callbacks/{}/", PROVIDERS[0])),
                callback_attempts: 12,
                conduct: habits.gsma.clone(),
                ..gsma::Options::default()
            },
            clock,
            delivery("gsma callbacks"),
            faults[0].clone(),
        );
        let notify = format!("http://kiungo.test/callbacks/{}/", PROVIDERS[1]);
        let mpesa = mpesa::Simulator::new(
            mpesa::Options {
                key_bits: 2_048,
                asynchronous: chance.happens(5_000),
                delay_ms: 500,
                response_url: Some(format!("{notify}results")),
                callback_attempts: 12,
                paybill: mpesa::options::Paybill {
                    notify_base: Some(notify),
                    validation: chance.happens(3_000),
                    msisdn: if chance.happens(5_000) {
                        mpesa::options::MsisdnForm::Plain
                    } else {
                        mpesa::options::MsisdnForm::Masked
                    },
                    ..mpesa::options::Paybill::default()
                },
                conduct: habits.mpesa.clone(),
                ..mpesa::Options::default()
            },
            clock,
            delivery("mpesa callbacks"),
            faults[1].clone(),
        );
        let versions =
            [Version::V1_8, Version::V1_10, Version::V1_12, Version::V1_14, Version::V1_15];
        let version = chance.pick(&versions).copied().unwrap_or(Version::V1_12);
        let core = core_simulator::Simulator::new(
            core_simulator::Options {
                version,
                idempotency: !habits.core_forgets_keys,
                forbidden_ms: habits.forbidden_ms,
                ..core_simulator::Options::default()
            },
            clock,
            faults[2].clone(),
        );
        // Before 1.9 a core recognises no second sending.
        let recognises = version != Version::V1_8 && !habits.core_forgets_keys;
        let routers = [
            (gsma.router(), habits.gsma.deduplicates),
            (mpesa.router(), habits.mpesa.deduplicates),
            (core.router(), recognises),
        ];
        let networks = routers.map(|(router, doubles)| {
            FaultyNetwork::new(router, Chance::new(seed, "network"), network_state.clone(), doubles)
        });
        let (core_recognises, habits) = (recognises, habits.clone());
        Self { gsma, mpesa, core, core_recognises, habits, faults, networks, seed }
    }

    /// Lets everything go wrong that can, or nothing.
    pub fn misbehave(&self, heavily: bool) {
        let chance = Chance::new(self.seed, "faults");
        for (index, faults) in self.faults.iter().enumerate() {
            let plan = if heavily {
                let late_at_most = self.late_at_most(index);
                heavy(self.seed ^ index as u64, &chance, late_at_most, self.habits.early_rejections)
            } else {
                Plan::none(self.seed ^ index as u64)
            };
            faults.set(plan);
        }
    }

    /// The latest time at which work that was begun is done at that counterparty. A core that
    /// recognises a second sending may take far longer than Kiungo waits before it sends again; any
    /// other must be done within its indexing window, or no rule could save the money.
    const fn late_at_most(&self, index: usize) -> u64 {
        let within_window = 100_000;
        if index == CORE && self.core_recognises { 20 * within_window } else { within_window }
    }

    /// The providers' books by name.
    pub fn provider_books(&self) -> BTreeMap<String, Books> {
        BTreeMap::from([
            (PROVIDERS[0].to_owned(), self.gsma.books()),
            (PROVIDERS[1].to_owned(), self.mpesa.books()),
        ])
    }

    /// A core adapter as a process has it that has just started: it asks the core what it can do
    /// after `delay`, again and again until the core says.
    pub fn core(
        &self,
        delay: Duration,
        switch: &FreezeSwitch,
    ) -> Result<Arc<fineract::Fineract>, fineract::OptionsError> {
        let options = serde_json::from_value(serde_json::json!({
            "base_url": "http://core.test/fineract-provider",
            "auth": { "type": "basic", "username": "mifos" },
            "time_zone": "Africa/Dar_es_Salaam",
            "payment_type": 1,
        }))
        .map_err(|error| fineract::OptionsError::BaseUrl(error.to_string()))?;
        let secrets = fineract::Secrets { password: Some("password".into()), client_secret: None };
        let core =
            Arc::new(fineract::Fineract::new(options, secrets, self.transport(CORE, switch))?);
        let asking = Arc::downgrade(&core);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            while let Some(core) = asking.upgrade() {
                if core.connect().await.is_ok() {
                    break;
                }
                drop(core);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        Ok(core)
    }

    /// The links of an engine: adapters as a process has them that has just started.
    pub fn link(
        &self,
        core: &Arc<fineract::Fineract>,
        switch: &FreezeSwitch,
    ) -> Result<Links, Box<dyn std::error::Error>> {
        let core_id = CoreId::new("main")?;
        let mut providers = BTreeMap::new();
        let market_secrets = Secrets::default().with("api_key", mpesa::Options::default().api_key);
        let secrets = [Secrets::default(), market_secrets];
        for (index, ((name, mapping), secrets)) in
            self.mappings()?.into_iter().zip(secrets).enumerate()
        {
            let core: Arc<dyn Core> = Arc::clone(core) as Arc<dyn Core>;
            let parts = ProviderParts {
                mapping,
                secrets,
                callback_base: Some(format!("http://kiungo.test/callbacks/{name}/")),
                transport: self.transport(index, switch),
                core_id: core_id.clone(),
                core,
                core_inquiry: InquirySettings::default(),
            };
            providers.insert(ProviderId::new(name)?, adapters::provider(parts)?);
        }
        let link = CoreLink {
            core: Arc::clone(core) as Arc<dyn Core>,
            traffic: TrafficOptions::default(),
        };
        Ok((providers, BTreeMap::from([(core_id, link)])))
    }

    /// The mappings of this seed.
    fn mappings(&self) -> Result<[(&'static str, Mapping); 2], MappingErrors> {
        let wait = format!("[inquiry]\ncase_after = \"{}h\"\n", self.habits.case_after_hours);
        let fees = self.habits.fee.map_or_else(String::new, |payer| {
            let payer = match payer {
                PaidBy::Customer => "customer",
                PaidBy::Organisation => "organisation",
            };
            let table = |operation: &str| {
                format!(
                    "[fees.{operation}]\npaid_by = \"{payer}\"\nbands = [{{ flat = \"17\" }}]\n"
                )
            };
            table("collect") + &table("pay_out")
        });
        let promise = if self.habits.gsma.deduplicates { "" } else { NO_PROMISE };
        let gsma = GSMA_CHANGES.replacen("[gsma]\n", &format!("[gsma]\n{promise}"), 1);
        let absent = if self.habits.gsma.deduplicates { "" } else { NO_RESENDING };
        let gsma = format!("{gsma}{wait}{absent}{fees}");
        let key = format!("[mpesa]\npublic_key = \"{}\"\n", self.mpesa.public_key());
        let mpesa = MPESA_CHANGES.replacen("[inquiry]\n", &wait, 1);
        let mpesa = mpesa.replacen("[mpesa]\n", &key, 1);
        Ok([
            (
                PROVIDERS[0],
                mapping_override::mapping(PROVIDERS[0], mapping_override::GSMA_SANDBOX, &gsma)?,
            ),
            (
                PROVIDERS[1],
                mapping_override::mapping(PROVIDERS[1], mapping_override::MPESA_TZ, &mpesa)?,
            ),
        ])
    }

    /// Returns the policy by which each provider's transfers are handled.
    pub fn policies(&self) -> Result<BTreeMap<ProviderId, Policy>, Box<dyn std::error::Error>> {
        let core = self.core(Duration::ZERO, &FreezeSwitch::default())?;
        let (providers, _) = self.link(&core, &FreezeSwitch::default())?;
        let policy = |(id, link): (ProviderId, ProviderLink)| (id, link.rules.policy().clone());
        Ok(providers.into_iter().map(policy).collect())
    }

    fn transport(&self, index: usize, switch: &FreezeSwitch) -> Arc<dyn Transport> {
        Arc::new(self.networks[index].on(switch))
    }
}

/// Returns a plan of all faults, with an emphasis of its own for each seed.
fn heavy(seed: u64, chance: &Chance, late_at_most: u64, early_rejections: u16) -> Plan {
    let rate = |up_to: u64| u16::try_from(chance.below(up_to)).unwrap_or(0);
    let all = BTreeMap::from([
        (Fault::ResetBefore, rate(500)),
        (Fault::ResetAfter, rate(1_000)),
        (Fault::ErrorBefore, rate(500)),
        (Fault::ErrorAfter, rate(800)),
        (Fault::HtmlAfter, rate(500)),
        (Fault::Slow, rate(500)),
        (Fault::LateWork, rate(500)),
        (Fault::CallbackLost, rate(2_000)),
        (Fault::CallbackTwice, rate(2_000)),
        (Fault::CallbackEarly, rate(1_000)),
        (Fault::CallbackLate, rate(1_000)),
        (Fault::CallbackForged, rate(500)),
        (Fault::CustomerRefuses, rate(1_000)),
        (Fault::IndexingLag, rate(2_000)),
        (Fault::UnknownStatus, rate(500)),
        (Fault::Locked, rate(1_000)),
        (Fault::AccountClosed, rate(300)),
        (Fault::DateRefused, rate(300)),
        (Fault::StuckBefore, rate(200)),
        (Fault::StuckAfter, rate(200)),
        (Fault::GatewayRefuses, early_rejections),
    ]);
    let kept = |fault: Fault| BTreeMap::from([(fault, 0)]);
    let rates = BTreeMap::from([
        ("*".to_owned(), all),
        // The one notification of a payment is all that M-Pesa tells of it; statements are another
        // issue's.
        ("payment".to_owned(), kept(Fault::CallbackLost)),
        // An undo that the core refuses is a person's case, not the machine's.
        (
            "undo".to_owned(),
            BTreeMap::from([
                (Fault::AccountClosed, 0),
                (Fault::DateRefused, 0),
                (Fault::UndoRefused, 0),
            ]),
        ),
    ]);
    let slow_ms = late_at_most.min(100_000 + chance.below(late_at_most));
    Plan { seed, rates, slow_ms, indexing_lag_ms: 240_000 }
}
