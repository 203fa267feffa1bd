//! One seed, from morning to the audit.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::transfer::{Kind, Status};
use kiungo_domain::{AccountRef, ProviderId, Reference, party::AccountKey};
use kiungo_engine::{Caller, Clock, NewTransfer, SubmitError};
use kiungo_simulator::clock::Clock as SimulatorClock;
use kiungo_simulator::control::Provider as _;
use kiungo_store::{MemoryStore, Reports as _, Store, TransferStore as _};

use super::Failure;
use super::chance::Chance;
use super::clients::{Client, money};
use super::counterparties::{Counterparties, PROVIDERS};
use super::habits::Habits;
use super::network::{AcknowledgedReversals, EngineSlot, NetworkState};
use super::operators::Operators;
use super::processes::{Processes, Staff};
use super::store_faults::Trouble;
use super::time::{CountedIds, VirtualClock};
use super::watch::Watch;
use super::workload::{Act, What, Workload};
use super::world::{SeedReport, Wanted, World};

/// The longest time that everything may take to settle after the faults have stopped.
const SETTLE_WITHIN: Duration = Duration::from_secs(6 * 24 * 3_600);
/// The time after which the core's administrator comes: by then a person has been called about
/// every unknown.
const REPAIR_AFTER: Duration = Duration::from_secs(10 * 3_600);
/// The interval between checks that everything has settled and that persons are called in time.
const LOOK_EVERY: Duration = Duration::from_secs(1_800);

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

impl World {
    async fn live(seed: u64, transfers: u32, staff: Staff) -> Result<SeedReport, Failure> {
        let workload = Workload::draw(seed, transfers);
        let world = Arc::new(Self::set_up(seed, &workload, staff)?);
        world.network_state.set(true);
        let network_state = world.network_state.clone();
        let faulty = move || network_state.is_faulty();
        let keepers = world.processes.open(&world.counterparties, faulty).await?;
        world.counterparties.misbehave(true);
        let operators = Arc::new(Operators::new(&world));
        let mut others = vec![tokio::spawn(Arc::clone(&world).set_clock_back())];
        others.extend(
            world
                .habits
                .operators
                .map(|wait| tokio::spawn(Arc::clone(&operators).work(Arc::clone(&world), wait))),
        );
        let wanted = Arc::clone(&world).act(workload).await?;
        world.network_state.set(false);
        world.counterparties.misbehave(false);
        world.processes.disarm();
        for other in others {
            other.await?;
        }
        let findings = world.settle(&operators).await?;
        let report = world.audit(wanted, &operators, findings).await?;
        // The simulators know the slot and the engines know the simulators: leave no circle behind.
        world.processes.close(keepers);
        Ok(report)
    }

    fn set_up(seed: u64, workload: &Workload, staff: Staff) -> Result<Self, Failure> {
        let habits = Habits::draw(seed, workload.day);
        let origin = tokio::time::Instant::now();
        let (slot, network_state, acknowledged) =
            (EngineSlot::default(), NetworkState::default(), AcknowledgedReversals::default());
        let simulator_clock = SimulatorClock::Virtual { epoch: habits.begin, origin };
        let counterparties = Counterparties::draw(
            seed,
            &habits,
            simulator_clock,
            &slot,
            &network_state,
            &acknowledged,
        );
        let clients = (0..workload.clients)
            .map(|index| Client::open(&counterparties, workload, index))
            .collect::<Result<Vec<_>, Failure>>()?;
        let clock = Arc::new(VirtualClock::new(habits.begin, origin, habits.ahead()));
        let ids = Arc::new(CountedIds::new(seed, habits.old_ids));
        let kept = Arc::new(MemoryStore::audited());
        let trouble =
            Trouble::new(Chance::new(seed, "trouble"), network_state.clone(), habits.trouble);
        let processes = Processes::new(
            seed,
            staff,
            Arc::clone(&kept) as Arc<dyn Store>,
            trouble,
            Arc::clone(&clock) as Arc<dyn Clock>,
            ids,
            slot,
        );
        Ok(Self {
            seed,
            habits,
            clock,
            store: kept,
            counterparties: Arc::new(counterparties),
            processes: Arc::new(processes),
            network_state,
            clients,
            acknowledged,
        })
    }

    async fn set_clock_back(self: Arc<Self>) {
        let Some(step) = self.habits.clock else { return };
        tokio::time::sleep(step.after).await;
        self.clock.set_back(step.by);
    }

    /// Everybody does what the workload says.
    async fn act(self: Arc<Self>, workload: Workload) -> Result<Vec<Wanted>, Failure> {
        let begin = tokio::time::Instant::now();
        let mut tasks = Vec::new();
        for (number, act) in workload.acts.into_iter().enumerate() {
            tokio::time::sleep_until(begin + act.at).await;
            let world = Arc::clone(&self);
            tasks.push(tokio::spawn(async move { world.perform(number, act).await }));
        }
        let mut wanted = Vec::new();
        for task in tasks {
            wanted.extend(task.await?);
        }
        Ok(wanted)
    }

    async fn perform(&self, number: usize, act: Act) -> Option<Wanted> {
        let client = self.clients.get(act.client)?;
        match act.what.clone() {
            What::Order(kind) => self.order(number, kind, act, client).await,
            What::Pay { loan, mistyped } => {
                let account = if loan {
                    format!("LN{}", client.loan)
                } else {
                    format!("SV{}", client.savings)
                };
                let typed = if mistyped { format!("X{account}X") } else { account };
                let minor = i64::try_from(act.shillings * 100).ok()?;
                let msisdn = client.msisdn.digits();
                let paid = if act.provider == 0 {
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
                paid.ok().map(|receipt| Wanted::Payment { receipt, act, account })
            }
        }
    }

    /// Submits until it is accepted or refused, always with the same key.
    async fn order(&self, number: usize, kind: Kind, act: Act, client: &Client) -> Option<Wanted> {
        let id = match kind {
            Kind::Deposit | Kind::Withdrawal => client.savings,
            Kind::Repayment => client.loan,
            Kind::Disbursement => client.take_approved(act.shillings)?,
        };
        let new = NewTransfer {
            kind,
            provider: ProviderId::new(PROVIDERS[act.provider]).ok()?,
            core: None,
            msisdn: client.msisdn.clone(),
            account: AccountRef { kind: None, key: AccountKey::Id(id) },
            amount: money(act.shillings)?,
            client_reference: Some(format!("act-{number}")),
            note: None,
        };
        let key = format!("key-{number}");
        let caller = || Caller { client: "mfi".to_owned(), key: key.clone(), digest: key.clone() };
        loop {
            if let Some(engine) = self.processes.slot.engine() {
                // A process that dies in the middle never answers.
                let answer = engine.submit(new.clone(), caller());
                match tokio::time::timeout(Duration::from_secs(30), answer).await {
                    Ok(Ok(submitted)) => {
                        let account = format!("{}:{id}", kind.account_kind().as_str());
                        return Some(Wanted::Order { id: submitted.first.id, kind, act, account });
                    }
                    Ok(Err(SubmitError::Rejected(_))) => return None,
                    Ok(Err(_)) | Err(_) => {}
                }
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    /// Waits until everything rests and nobody at the operators has anything left to do. The core's
    /// administrator repairs what only he can, but not before everybody else was called.
    async fn settle(&self, operators: &Operators) -> Result<Vec<String>, Failure> {
        let begin = tokio::time::Instant::now();
        let mut watch = Watch::new(self)?;
        while begin.elapsed() < SETTLE_WITHIN {
            tokio::time::sleep(LOOK_EVERY).await;
            watch.look(self).await?;
            if begin.elapsed() < self.habits.aftermath() {
                continue;
            }
            let repairs = begin.elapsed() >= REPAIR_AFTER;
            if repairs {
                watch.findings.extend(self.stuck_without_a_case().await?);
                self.counterparties.core.free_stuck_keys();
            }
            let at_rest = self.is_at_rest().await?;
            if !at_rest && !repairs {
                continue;
            }
            let acted = operators.close_what_is_open(self).await?;
            if at_rest && acted == 0 {
                break;
            }
        }
        Ok(watch.findings)
    }

    async fn is_at_rest(&self) -> Result<bool, Failure> {
        let overview = self.store.overview(self.clock.now()).await?;
        let moving = |status: Status| !status.is_final() && status != Status::Suspended;
        let open = overview.transfers.iter().any(|(_, _, status, _)| moving(*status));
        Ok(!open && overview.inbox_waiting == 0)
    }

    /// A booking that died inside the core looks for ever as if it were still running. It must
    /// never be booked under another key, and a person must have been called.
    async fn stuck_without_a_case(&self) -> Result<Vec<String>, Failure> {
        let mut findings = Vec::new();
        for key in self.counterparties.core.stuck_keys() {
            // The probe has a key of its own.
            let Ok(reference) = Reference::parse(&key) else { continue };
            let Some(transfer) = self.store.transfer(reference.transfer()).await? else { continue };
            // A person may have decided about it before.
            let awaited = transfer.open_step() == Some(reference.step())
                && transfer.reference(reference.step()) == reference;
            if awaited && transfer.status() != Status::NeedsAttention {
                let (id, status) = (transfer.id(), transfer.status().as_str());
                findings.push(format!("{id} is stuck in the core, and is {status}"));
            }
        }
        Ok(findings)
    }
}
