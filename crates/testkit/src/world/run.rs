//! One seed, from morning to the audit.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kiungo_domain::transfer::{Entry, Event, Kind, Status};
use kiungo_domain::{
    AccountRef, Currency, Money, Msisdn, Outcome, ProviderId, Receipt, Reference, Timestamp,
    TransferId, party::AccountKey,
};
use kiungo_engine::{Caller, Clock, Ids, NewTransfer, SubmitError};
use kiungo_simulators::audit::{Audit, Claim, audit};
use kiungo_simulators::clock::Clock as SimulatorClock;
use kiungo_simulators::faults::hash;
use kiungo_simulators::fineract::{ClientSpec, LoanSpec, LoanStatus, SavingsSpec};
use kiungo_store::{MemoryStore, Store};
use uuid::Uuid;

use super::carriage::{Door, Weather};
use super::counterparties::{Counterparties, PROVIDERS};
use super::processes::{Processes, Staff};
use super::story::{Deed, Story, What};

/// 2026-03-02T05:00:00Z, a Monday morning in Dar es Salaam.
const MORNING: Timestamp = Timestamp::from_micros(1_772_427_600_000_000);

/// The longest time that everything may take to settle after the faults have stopped.
const SETTLE_WITHIN: Duration = Duration::from_secs(4 * 24 * 3_600);
/// The time after which the core's administrator comes: after a person has been called about every
/// unknown.
const REPAIR_AFTER: Duration = Duration::from_secs(10 * 3_600);

/// The result of a seed.
#[derive(Debug, Clone, Default)]
pub struct SeedReport {
    /// The seed.
    pub seed: u64,
    /// The number of transfers.
    pub transfers: u64,
    /// The number of transfers that did not settle.
    pub stuck: u64,
    /// The number of times that a process died.
    pub crashes: u64,
    /// The number of times that a worker was frozen.
    pub freezes: u64,
    /// The audit of the counterparties' books.
    pub audit: Audit,
    /// The number of attempts that came to an unknown outcome.
    pub unknowns: u64,
    /// The numbers of transfers that completed, failed, were given back, are suspended.
    pub ended: [u64; 4],
    /// A number that depends on everything that happened: two runs of a seed have the same.
    pub fingerprint: u64,
    /// The findings, for people.
    pub findings: Vec<String>,
}

impl SeedReport {
    /// True if nothing was found.
    pub fn is_clean(&self) -> bool {
        self.stuck == 0 && self.audit.is_clean() && self.findings.is_empty()
    }
}

/// Lives the day of a seed in virtual time. A world that cannot even be set up is a finding.
pub fn run_seed(seed: u64, transfers: u32, staff: Staff) -> SeedReport {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let lived = match runtime {
        Ok(runtime) => runtime.block_on(World::live(seed, transfers, staff)),
        Err(error) => Err(error.into()),
    };
    lived.unwrap_or_else(|error| SeedReport {
        seed,
        findings: vec![format!("the world could not be set up: {error}")],
        ..SeedReport::default()
    })
}

type Failure = Box<dyn std::error::Error>;

/// Virtual time of day.
struct VirtualClock {
    origin: tokio::time::Instant,
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        MORNING.after(self.origin.elapsed())
    }
}

/// Ids by counting, so that a seed replays exactly.
struct CountedIds {
    seed: u64,
    given: AtomicU64,
}

impl Ids for CountedIds {
    fn next(&self) -> TransferId {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let high = u128::from(hash(self.seed, &[b"ids"])) << 64;
        let version = 0x7_u128 << 76;
        let mask = !(0xf_u128 << 76);
        let low = 0x8000_0000_0000_0000_u128 | (u128::from(number) << 8);
        TransferId::new(Uuid::from_u128(((high & mask) | version) | low))
    }
}

/// A client of the institution.
struct Client {
    msisdn: Msisdn,
    savings: u64,
    loan: u64,
    /// Approved loans, one for each disbursement, by the amount they were approved for.
    approved: std::sync::Mutex<Vec<(u64, u64)>>,
}

/// The wish of a person, for the audit.
enum Wanted {
    Order { id: TransferId, kind: Kind, deed: Deed, account: String },
    Payment { receipt: String, deed: Deed, account: Option<String> },
}

struct World {
    seed: u64,
    clock: Arc<VirtualClock>,
    store: Arc<MemoryStore>,
    counterparties: Arc<Counterparties>,
    processes: Arc<Processes>,
    weather: Weather,
    clients: Vec<Client>,
}

impl World {
    async fn live(seed: u64, transfers: u32, staff: Staff) -> Result<SeedReport, Failure> {
        let story = Story::draw(seed, transfers);
        let world = Arc::new(Self::set_up(seed, &story, staff)?);
        world.weather.set(true);
        let weather = world.weather.clone();
        let misfortune = move || weather.is_stormy();
        let keepers = world.processes.open(&world.counterparties, misfortune).await?;
        world.counterparties.misbehave(true);
        let wanted = Arc::clone(&world).act(story).await?;
        world.weather.set(false);
        world.counterparties.misbehave(false);
        world.processes.disarm();
        let findings = world.settle().await?;
        let mut report = world.judge(wanted).await?;
        report.findings.extend(findings);
        // The simulators know the door and the engines know the simulators: leave no circle behind.
        world.processes.close(keepers);
        Ok(report)
    }

    fn set_up(seed: u64, story: &Story, staff: Staff) -> Result<Self, Failure> {
        let origin = tokio::time::Instant::now();
        let (door, weather) = (Door::default(), Weather::default());
        let simulator_clock = SimulatorClock::Virtual { epoch: MORNING, origin };
        let counterparties = Counterparties::draw(seed, simulator_clock, &door, &weather);
        let clients = (0..story.clients)
            .map(|index| open_client(&counterparties, story, index))
            .collect::<Result<Vec<_>, Failure>>()?;
        let clock = Arc::new(VirtualClock { origin });
        let ids = Arc::new(CountedIds { seed, given: AtomicU64::new(0) });
        let kept = Arc::new(MemoryStore::audited());
        let processes = Processes::new(
            seed,
            staff,
            Arc::clone(&kept) as Arc<dyn Store>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            ids,
            door,
        );
        Ok(Self {
            seed,
            clock,
            store: kept,
            counterparties: Arc::new(counterparties),
            processes: Arc::new(processes),
            weather,
            clients,
        })
    }

    /// Everybody does what the story says.
    async fn act(self: Arc<Self>, story: Story) -> Result<Vec<Wanted>, Failure> {
        let begin = tokio::time::Instant::now();
        let mut tasks = Vec::new();
        for (number, deed) in story.deeds.into_iter().enumerate() {
            tokio::time::sleep_until(begin + deed.at).await;
            let world = Arc::clone(&self);
            tasks.push(tokio::spawn(async move { world.do_deed(number, deed).await }));
        }
        let mut wanted = Vec::new();
        for task in tasks {
            wanted.extend(task.await?);
        }
        Ok(wanted)
    }

    async fn do_deed(&self, number: usize, deed: Deed) -> Option<Wanted> {
        let client = self.clients.get(deed.client)?;
        match deed.what.clone() {
            What::Order(kind) => self.order(number, kind, deed, client).await,
            What::Pay { loan, mistyped } => {
                let account = if loan {
                    format!("LN{}", client.loan)
                } else {
                    format!("SV{}", client.savings)
                };
                let typed = if mistyped { format!("X{account}X") } else { account };
                let minor = i64::try_from(deed.shillings * 100).ok()?;
                let msisdn = client.msisdn.digits();
                let paid = if deed.provider == 0 {
                    self.counterparties.gsma.pay(msisdn, minor, &typed).await
                } else {
                    self.counterparties.mpesa.pay(msisdn, minor, &typed).await
                };
                let party = if loan {
                    format!("loan:{}", client.loan)
                } else {
                    format!("savings:{}", client.savings)
                };
                let account = (!mistyped).then_some(party);
                paid.ok().map(|receipt| Wanted::Payment { receipt, deed, account })
            }
        }
    }

    /// Submits until it is accepted or refused, always with the same key.
    async fn order(
        &self,
        number: usize,
        kind: Kind,
        deed: Deed,
        client: &Client,
    ) -> Option<Wanted> {
        let id = match kind {
            Kind::Deposit | Kind::Withdrawal => client.savings,
            Kind::Repayment => client.loan,
            Kind::Disbursement => client.take_approved(deed.shillings)?,
        };
        let new = NewTransfer {
            kind,
            provider: ProviderId::new(PROVIDERS[deed.provider]).ok()?,
            core: None,
            msisdn: client.msisdn.clone(),
            account: AccountRef { kind: None, key: AccountKey::Id(id) },
            amount: money(deed.shillings)?,
            client_reference: Some(format!("deed-{number}")),
            note: None,
        };
        let key = format!("key-{number}");
        let caller = || Caller { client: "mfi".to_owned(), key: key.clone(), digest: key.clone() };
        loop {
            if let Some(engine) = self.processes.door.engine() {
                // A process that dies in the middle never answers.
                let answer = engine.submit(new.clone(), caller());
                match tokio::time::timeout(Duration::from_secs(30), answer).await {
                    Ok(Ok(submitted)) => {
                        let account = format!("{}:{id}", kind.account_kind().as_str());
                        return Some(Wanted::Order { id: submitted.first.id, kind, deed, account });
                    }
                    Ok(Err(SubmitError::Refused(_))) => return None,
                    Ok(Err(_)) | Err(_) => {}
                }
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    /// Waits until everything rests; or until nothing is left but what the core's administrator
    /// must repair, who then does.
    async fn settle(&self) -> Result<Vec<String>, Failure> {
        let begin = tokio::time::Instant::now();
        let mut findings = Vec::new();
        while begin.elapsed() < SETTLE_WITHIN {
            tokio::time::sleep(Duration::from_secs(1_800)).await;
            let overview = self.store.overview(self.clock.now()).await?;
            let open: u64 = overview
                .transfers
                .iter()
                .filter(|(_, _, status, _)| !status.is_final() && *status != Status::Suspended)
                .map(|(_, _, _, count)| count)
                .sum();
            if open == 0 && overview.inbox_waiting == 0 {
                break;
            }
            if begin.elapsed() >= REPAIR_AFTER {
                findings.extend(self.stuck_without_a_case().await?);
                self.counterparties.core.free_stuck_keys();
            }
        }
        Ok(findings)
    }

    /// A booking that died inside the core looks for ever as if it were still running. It must never
    /// be booked under another key, and a person must have been called.
    async fn stuck_without_a_case(&self) -> Result<Vec<String>, Failure> {
        let mut findings = Vec::new();
        for key in self.counterparties.core.stuck_keys() {
            // The probe has a key of its own.
            let Ok(reference) = Reference::parse(&key) else { continue };
            let id = reference.transfer();
            let summary = self.store.summary(id).await?;
            let status = summary.map(|summary| summary.status);
            if status != Some(Status::NeedsAttention) {
                findings.push(format!("{id} is stuck in the core, and is {status:?}"));
            }
        }
        Ok(findings)
    }

    async fn judge(&self, wanted: Vec<Wanted>) -> Result<SeedReport, Failure> {
        let mut report = SeedReport {
            seed: self.seed,
            crashes: self.processes.crashes(),
            freezes: self.processes.freezes.load(Ordering::Relaxed),
            ..SeedReport::default()
        };
        let mut claims = Vec::new();
        for want in wanted {
            match self.claim(want).await? {
                Some(claim) => claims.push(claim),
                None => report.findings.push("a payment became no transfer".to_owned()),
            }
        }
        for claim in &claims {
            report.transfers += 1;
            report.unknowns += self.unknowns(claim.id).await?;
            match claim.status {
                Status::Completed => report.ended[0] += 1,
                Status::Failed => report.ended[1] += 1,
                Status::Reversed => report.ended[2] += 1,
                Status::Suspended => report.ended[3] += 1,
                _ => {
                    report.stuck += 1;
                    report.findings.push(self.tell(claim).await?);
                }
            }
        }
        let providers = self.counterparties.provider_books();
        let core = self.counterparties.core.books();
        report.audit = audit(&claims, &providers, &core);
        for finding in &report.audit.findings {
            report.findings.push(finding.clone());
            if let Some(claim) = claims.iter().find(|claim| finding.contains(&claim.id.to_string()))
            {
                report.findings.push(self.tell(claim).await?);
            }
        }
        let seen = format!("{claims:?}{providers:?}{core:?}{}", report.crashes);
        report.fingerprint = hash(0, &[seen.as_bytes()]);
        Ok(report)
    }

    async fn claim(&self, wanted: Wanted) -> Result<Option<Claim>, Failure> {
        let (id, kind, deed, accounts, payment) = match wanted {
            Wanted::Order { id, kind, deed, account } => {
                (id, Some(kind), deed, vec![account], None)
            }
            Wanted::Payment { receipt, deed, account } => {
                let provider = ProviderId::new(PROVIDERS[deed.provider])?;
                let owner = self.store.by_receipt(&provider, &Receipt::new(&receipt)?).await?;
                let Some(owner) = owner else { return Ok(None) };
                (owner, None, deed, account.into_iter().collect(), Some(receipt))
            }
        };
        let Some(summary) = self.store.summary(id).await? else { return Ok(None) };
        Ok(Some(Claim {
            carried_by: None,
            id,
            kind: kind.unwrap_or(summary.kind),
            provider: PROVIDERS[deed.provider].to_owned(),
            msisdn: self.clients.get(deed.client).map(|client| client.msisdn.digits().to_owned()),
            accounts,
            amount_minor: i64::try_from(deed.shillings * 100)?,
            payment,
            status: summary.status,
        }))
    }

    async fn unknowns(&self, id: TransferId) -> Result<u64, Failure> {
        let journal = self.store.journal(id).await?;
        let unknown = |entry: &&Entry| {
            matches!(entry.event, Event::Concluded { outcome: Outcome::Unknown { .. }, .. })
        };
        Ok(journal.iter().filter(unknown).count() as u64)
    }

    /// The whole story of a transfer that did not settle.
    async fn tell(&self, claim: &Claim) -> Result<String, Failure> {
        let mut text = format!(
            "{} {} on {} is {}:",
            claim.id,
            claim.kind.as_str(),
            claim.provider,
            claim.status.as_str()
        );
        let journal = self.store.journal(claim.id).await?;
        let skipped = journal.len().saturating_sub(40);
        for entry in journal.iter().skip(skipped) {
            let after = entry.at.since(MORNING).as_secs();
            write!(text, "\n    +{after}s {}", serde_json::to_string(&entry.event)?)?;
        }
        Ok(text)
    }
}

impl Client {
    fn take_approved(&self, shillings: u64) -> Option<u64> {
        let mut approved = self.approved.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let index = approved.iter().position(|(amount, _)| *amount == shillings)?;
        Some(approved.swap_remove(index).1)
    }
}

fn open_client(
    counterparties: &Counterparties,
    story: &Story,
    index: usize,
) -> Result<Client, Failure> {
    let digits = format!("2557000{index:05}");
    let approved: Vec<u64> = story.disbursements(index).map(|deed| deed.shillings).collect();
    let mut loans = vec![LoanSpec::new(LoanStatus::Active, "TZS", 10_000_000_000)];
    loans.extend(approved.iter().map(|shillings| {
        let minor = i64::try_from(shillings * 100).unwrap_or(i64::MAX);
        LoanSpec::new(LoanStatus::Approved, "TZS", minor)
    }));
    let ids = counterparties.core.open_client(ClientSpec {
        name: format!("Client {index}"),
        mobile_no: digits.clone(),
        external_id: format!("C-{index}"),
        closed: false,
        // Little enough that some withdrawals find too little.
        savings: vec![SavingsSpec::active("TZS", 3_000_000)],
        loans,
    })?;
    let savings = *ids.savings.first().ok_or("the client has no savings account")?;
    let loan = *ids.loans.first().ok_or("the client has no loan")?;
    let approved = approved.into_iter().zip(ids.loans.iter().skip(1).copied()).collect();
    Ok(Client {
        msisdn: Msisdn::parse(&digits)?,
        savings,
        loan,
        approved: std::sync::Mutex::new(approved),
    })
}

fn money(shillings: u64) -> Option<Money> {
    let currency = Currency::from_code("TZS").ok()?;
    Money::from_minor(i64::try_from(shillings.checked_mul(100)?).ok()?, currency)
}
