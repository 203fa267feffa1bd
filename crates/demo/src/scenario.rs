//! The demo's day for those who bring processes and faults of their own: the same people and
//! wishes, the same counterparties under heavy faults, and the same audit.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiungo_domain::transfer::Status;
use kiungo_domain::{Kind, TransferId};
use kiungo_sandbox::Secrets;
use kiungo_simulator::audit::Audit;
use kiungo_simulator::books::Books;

use super::audit;
use super::chance::Chance;
use super::client::Api;
use super::drain::{self, Ends, OPEN};
use super::faults::Faults;
use super::files::Folder;
use super::ledger;
use super::run::{self, Begun};
use super::workload::{Wanted, Workload};
use super::world::World;

/// The percentage of transfers that are about the accounts of these few people, so that several
/// transfers of one account are under way at the same time.
const HOT_PERCENT: u64 = 25;
const HOT_PEOPLE: u64 = 24;

/// People, wishes, counterparties, and the files of a Kiungo that is to serve them.
pub struct Scenario {
    workload: Workload,
    world: World,
    secrets: Secrets,
    folder: Folder,
    api: Api,
}

/// The results of the wishes, in the order of the workload.
#[derive(Debug, Default)]
pub struct Day {
    begun: Vec<Begun>,
}

/// The result of one wish.
#[derive(Debug)]
pub struct Beginning(Begun);

/// The end of a day.
#[derive(Debug, Default)]
pub struct DayEnd {
    ends: Ends,
    /// The number of transfers that were still open when the wait ended.
    pub open: usize,
}

/// The audit of a day by the counterparties' books.
#[derive(Debug)]
pub struct DayAudit {
    /// Lost, doubled, misattributed.
    pub audit: Audit,
    /// The other faults, for people: wishes that were never taken, transfers that nobody wanted,
    /// transfers that need a person, and Kiungo's own ledger where it differs from the books.
    pub findings: Vec<String>,
    /// The bookings of the core, in its order.
    pub core: Books,
}

impl Scenario {
    /// Draws the workload of `seed`, starts the counterparties, and writes what Kiungo reads to
    /// this folder; its database is the empty one at `database`.
    ///
    /// # Errors
    /// A port, a file or the database cannot be had.
    pub async fn set(
        folder: &Path,
        database: &str,
        seed: u64,
        transfers: usize,
    ) -> anyhow::Result<Self> {
        let folder = Folder::prepare(folder, Some(database)).await?;
        let workload = crowded(Workload::new(seed, transfers));
        let secrets = Secrets::new()?;
        let world = World::start(&workload, Faults::Heavy, &secrets).await?;
        folder.write(&world.addresses, &secrets, &world.facts().await?)?;
        let api = Api::new(world.kiungo(), &secrets.api_key)?;
        Ok(Self { workload, world, secrets, folder, api })
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.config()
    }

    /// The address at which Kiungo is to serve.
    pub const fn address(&self) -> SocketAddr {
        self.world.kiungo()
    }

    /// A key of its API.
    pub fn api_key(&self) -> &str {
        &self.secrets.api_key
    }

    /// The number of wishes.
    pub const fn wishes(&self) -> usize {
        self.workload.wanted.len()
    }

    /// Has the wish with this number begin: ordered from Kiungo, as often as it takes under one
    /// key, or paid at the wallet.
    pub async fn begin(&self, number: usize) -> Beginning {
        Beginning(run::begin(&self.workload, &self.world, &self.api, number).await)
    }

    /// Does the work of the core's administrator: makes keys usable again whose command died inside
    /// it.
    pub fn repair_core(&self) {
        self.world.repair_core();
    }

    /// From now on no counterparty makes mistakes.
    pub fn calm_down(&self) {
        self.world.calm_down();
    }

    /// The number of transfers that are open now, by the API.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn open(&self) -> anyhow::Result<usize> {
        Ok(self.api.list(&OPEN, usize::MAX).await?.len())
    }

    /// Waits until everything has settled, at most for `within`; `look` gets the number of open
    /// transfers.
    ///
    /// # Errors
    /// Kiungo does not answer.
    pub async fn settle(
        &self,
        day: &Day,
        within: Duration,
        mut look: impl FnMut(usize),
    ) -> anyhow::Result<DayEnd> {
        let mut open = 0;
        let ends = drain::settle_within(&self.api, &self.workload, &day.begun, within, |now| {
            open = now;
            self.world.repair_core();
            look(now);
        })
        .await?;
        Ok(DayEnd { ends, open })
    }

    /// Judges the day; Kiungo's processes have stopped.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn audit(&self, day: &Day, end: &DayEnd) -> anyhow::Result<DayAudit> {
        let (providers, core) = (self.world.provider_books(), self.world.core_books());
        let account = |wanted: &Wanted| self.world.account(wanted);
        let checked =
            audit::check(&self.workload, &day.begun, &end.ends, &account, &providers, &core);
        let mut findings = checked.findings;
        findings.extend(ledger::complaints(self.folder.database(), &providers, &core).await?);
        Ok(DayAudit { audit: checked.audit, findings, core })
    }
}

impl Day {
    /// The day of these wishes, each with its number.
    pub fn of(mut wishes: Vec<(usize, Beginning)>) -> Self {
        wishes.sort_by_key(|(number, _)| *number);
        Self { begun: wishes.into_iter().map(|(_, beginning)| beginning.0).collect() }
    }

    /// The number of wishes that Kiungo did not take.
    pub fn not_taken(&self) -> usize {
        self.begun.iter().filter(|begun| matches!(begun, Begun::NotTaken(_))).count()
    }
}

impl DayEnd {
    /// The status of each transfer, by the API.
    pub fn statuses(&self) -> BTreeMap<TransferId, Status> {
        self.ends.all.iter().map(|(id, shown)| (*id, shown.status)).collect()
    }
}

/// Has a part of the wishes be those of a few people. Loans that wait to be paid out stay with
/// their owners.
fn crowded(mut workload: Workload) -> Workload {
    for wanted in workload.wanted.iter_mut().filter(|wanted| wanted.kind != Kind::Disbursement) {
        let mut chance = Chance::of(workload.seed, "crowd", wanted.number);
        if chance.happens(HOT_PERCENT) {
            let hot = usize::try_from(chance.below(HOT_PEOPLE)).unwrap_or(0);
            wanted.person = hot.min(workload.people.len().saturating_sub(1));
        }
    }
    workload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_about_a_few_accounts_and_every_loan_stays_where_it_is() {
        let (plain, crowded) = (Workload::new(3, 400), crowded(Workload::new(3, 400)));
        let of_few = |workload: &Workload| workload.wanted.iter().filter(|w| w.person < 24).count();
        assert!(of_few(&crowded) > of_few(&plain) + 40);
        for (before, after) in plain.wanted.iter().zip(&crowded.wanted) {
            assert!(before.kind != Kind::Disbursement || before == after);
        }
    }
}
