//! The audit at the end: the counterparties' books, the journals and the ledger must tell one
//! workload.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_domain::transfer::{Entry, Event, Origin, Status};
use kiungo_domain::{Outcome, ProviderId, Receipt, Reference, Timestamp, Transfer, TransferId};
use kiungo_simulator::audit::{Claim, audit};
use kiungo_simulator::books::{Books, Movement};
use kiungo_simulator::faults::hash;
use kiungo_store::{Reports as _, TransferQuery, TransferStore as _};

use super::Failure;
use super::counterparties::PROVIDERS;
use super::ledger;
use super::operators::Operators;
use super::world::{SeedReport, Wanted, World};

/// The longest time between the intent and the departure of an attempt, and so the time after
/// midnight in which it may still be dated by the day before.
const SENT_WITHIN: Duration = Duration::from_secs(30);
/// The time by which Dar es Salaam is ahead of UTC.
const ZONE: Duration = Duration::from_hours(3);

impl World {
    pub(super) async fn audit(
        &self,
        wanted: Vec<Wanted>,
        operators: &Operators,
        mut findings: Vec<String>,
    ) -> Result<SeedReport, Failure> {
        findings.extend(operators.findings());
        let mut report = SeedReport {
            seed: self.seed,
            crashes: self.processes.crashes(),
            freezes: self.processes.freezes.load(Ordering::Relaxed),
            decisions: operators.decisions(),
            findings,
            ..SeedReport::default()
        };
        let providers = self.counterparties.provider_books();
        let core = self.counterparties.core.books();
        let transfers = self.transfers().await?;
        let mut claims = Vec::new();
        for want in wanted {
            claims.extend(self.claim(want, operators, &providers, &mut report.findings).await?);
        }
        for claim in &claims {
            report.transfers += 1;
            report.unknowns += self.unknowns(claim.id).await?;
            match claim.status {
                Status::Completed => report.ended[0] += 1,
                Status::Failed => report.ended[1] += 1,
                Status::Reversed => report.ended[2] += 1,
                Status::Suspended => report.ended[3] += 1,
                Status::Received
                | Status::InProgress
                | Status::AwaitingCustomer
                | Status::NeedsAttention => {
                    report.stuck += 1;
                    report.findings.push(self.tell(claim.id).await?);
                }
            }
        }
        self.claim_others(&transfers, operators, &mut claims);
        report.audit = audit(&claims, &providers, &core);
        report.findings.extend(report.audit.findings.iter().cloned());
        report.findings.extend(self.find_untold(&providers).await?);
        report.findings.extend(self.find_misdated(&core).await?);
        report.findings.extend(ledger::compare(self, &transfers, &providers, &core).await?);
        self.tell_of_findings(&mut report.findings, &transfers).await?;
        let seen = format!("{claims:?}{providers:?}{core:?}{}", report.crashes);
        report.fingerprint = hash(0, &[seen.as_bytes()]);
        Ok(report)
    }

    async fn transfers(&self) -> Result<Vec<Transfer>, Failure> {
        let mut transfers = Vec::new();
        let mut query = TransferQuery { limit: 500, ..TransferQuery::default() };
        loop {
            let page = self.store.search(&query).await?;
            for row in &page.rows {
                transfers.extend(self.store.transfer(row.id).await?);
            }
            if page.next.is_none() {
                return Ok(transfers);
            }
            query.cursor = page.next;
        }
    }

    async fn claim(
        &self,
        wanted: Wanted,
        operators: &Operators,
        providers: &BTreeMap<String, Books>,
        findings: &mut Vec<String>,
    ) -> Result<Option<Claim>, Failure> {
        let (id, kind, act, accounts, payment) = match wanted {
            Wanted::Order { id, kind, act, account } => (id, Some(kind), act, vec![account], None),
            Wanted::Payment { receipt, act, account } => {
                let provider = ProviderId::new(PROVIDERS[act.provider])?;
                let owner = self.store.by_receipt(&provider, &Receipt::new(&receipt)?).await?;
                let Some(owner) = owner else {
                    if !is_returned(providers, provider.as_str(), &receipt) {
                        findings.push(format!("payment {receipt} became no transfer"));
                    }
                    return Ok(None);
                };
                (owner, None, act, account.into_iter().collect(), Some(receipt))
            }
        };
        let Some(transfer) = self.store.transfer(id).await? else {
            findings.push(format!("{id} was accepted, and is not there"));
            return Ok(None);
        };
        let carried_by = transfer.merged_into();
        let mut accounts: BTreeSet<String> = accounts.into_iter().collect();
        accounts.extend(operators.assigned(carried_by.unwrap_or(id)));
        Ok(Some(Claim {
            id,
            kind: kind.unwrap_or(transfer.kind()),
            provider: PROVIDERS[act.provider].to_owned(),
            msisdn: self.clients.get(act.client).map(|client| client.msisdn.digits().to_owned()),
            accounts: accounts.into_iter().collect(),
            amount_minor: i64::try_from(act.shillings * 100)?,
            payment,
            carried_by,
            status: transfer.status(),
        }))
    }

    /// Transfers without an order: each stands for a payment of a customer that no collection of
    /// ours has counted, and whose money is booked only where a person said.
    fn claim_others(&self, transfers: &[Transfer], operators: &Operators, claims: &mut Vec<Claim>) {
        let known: BTreeSet<TransferId> =
            claims.iter().flat_map(|claim| [Some(claim.id), claim.carried_by]).flatten().collect();
        for transfer in transfers.iter().filter(|transfer| !known.contains(&transfer.id())) {
            let instruction = transfer.instruction();
            let payment = match &instruction.origin {
                Origin::Wallet { receipt, .. } => Some(receipt.to_string()),
                Origin::Api { .. } => None,
            };
            let mut accounts = operators.assigned(transfer.id());
            // A label that we sent may have been read back as the account that was typed.
            accounts.extend(
                transfer
                    .account()
                    .map(|account| format!("{}:{}", account.kind.as_str(), account.id))
                    .filter(|_| self.is_of_payer(transfer)),
            );
            claims.push(Claim {
                id: transfer.id(),
                kind: transfer.kind(),
                provider: instruction.provider.to_string(),
                // Only the provider knows who paid, and may say otherwise.
                msisdn: instruction
                    .msisdn
                    .as_ref()
                    .filter(|_| self.habits.gsma.other_wallet == 0)
                    .map(|msisdn| msisdn.digits().to_owned()),
                accounts: accounts.into_iter().collect(),
                amount_minor: transfer.amount().minor(),
                payment,
                carried_by: None,
                status: transfer.status(),
            });
        }
    }

    /// True if the account belongs to the payer.
    fn is_of_payer(&self, transfer: &Transfer) -> bool {
        let Some(account) = transfer.account() else { return false };
        let msisdn = transfer.instruction().msisdn.as_ref();
        self.clients.iter().any(|client| {
            msisdn.is_none_or(|msisdn| client.msisdn == *msisdn)
                && [client.savings, client.loan].contains(&account.id)
        })
    }

    /// Evidence that contradicts what is recorded has its case: a reversal that Kiungo was told of,
    /// an approval beside the one that counts.
    async fn find_untold(
        &self,
        providers: &BTreeMap<String, Books>,
    ) -> Result<Vec<String>, Failure> {
        let mut findings = Vec::new();
        let name = PROVIDERS[0];
        let provider = ProviderId::new(name)?;
        let Some(books) = providers.get(name) else { return Ok(findings) };
        for movement in &books.movements {
            let returned = is_returned(providers, name, &movement.receipt);
            let told = returned && self.acknowledged.has(&movement.receipt);
            let beside = movement.unasked && movement.operation == "collect";
            if !told && !beside {
                continue;
            }
            let receipt = Receipt::new(&movement.receipt)?;
            let Some(owner) = self.store.by_receipt(&provider, &receipt).await? else { continue };
            let meant = Reference::parse(&movement.reference).map(|it| it.transfer());
            if beside && !told && meant == Ok(owner) {
                continue;
            }
            let id = meant.unwrap_or(owner);
            let opened = |entry: &Entry| {
                matches!(entry.event, Event::CaseOpened { .. } | Event::Merged { .. })
            };
            let mut called = false;
            for id in [id, owner] {
                called |= self.store.journal(id).await?.iter().any(opened);
            }
            if !called {
                let what = if told { "reversal" } else { "second payment" };
                findings.push(format!("{id} has no case about the {what} of {receipt}"));
            }
        }
        Ok(findings)
    }

    /// The core books for the day of the first sending.
    async fn find_misdated(&self, core: &Books) -> Result<Vec<String>, Failure> {
        let mut findings = Vec::new();
        for movement in core.movements.iter().filter(|it| it.takes_back.is_empty()) {
            let Ok(reference) = Reference::parse(&movement.reference) else { continue };
            let journal = self.store.journal(reference.transfer()).await?;
            let Some(began) = first_sending(&journal, reference) else { continue };
            let days = [day(began), day(began.after(SENT_WITHIN))];
            if !days.contains(&movement.value_date) {
                let (id, date) = (reference.transfer(), &movement.value_date);
                findings.push(format!(
                    "{id}: {reference} was sent on {}, and is booked for {date}",
                    days[0]
                ));
            }
        }
        Ok(findings)
    }

    async fn unknowns(&self, id: TransferId) -> Result<u64, Failure> {
        let journal = self.store.journal(id).await?;
        let unknown = |entry: &&Entry| {
            matches!(entry.event, Event::Concluded { outcome: Outcome::Unknown { .. }, .. })
        };
        Ok(journal.iter().filter(unknown).count() as u64)
    }

    /// What happened to the transfers that findings name.
    async fn tell_of_findings(
        &self,
        findings: &mut Vec<String>,
        transfers: &[Transfer],
    ) -> Result<(), Failure> {
        let text = findings.join("\n");
        let named = transfers.iter().filter(|transfer| text.contains(&transfer.id().to_string()));
        for transfer in named.take(5) {
            findings.push(self.tell(transfer.id()).await?);
        }
        if !findings.is_empty() {
            findings.push(format!("{:?}", self.habits));
        }
        Ok(())
    }

    /// All that happened to a transfer, for people.
    async fn tell(&self, id: TransferId) -> Result<String, Failure> {
        let Some(transfer) = self.store.transfer(id).await? else { return Ok(String::new()) };
        let mut text = format!(
            "{id} {} on {} is {}:",
            transfer.kind().as_str(),
            transfer.instruction().provider,
            transfer.status().as_str()
        );
        let journal = self.store.journal(id).await?;
        let skipped = journal.len().saturating_sub(60);
        for entry in journal.iter().skip(skipped) {
            let after = entry.at.since(self.habits.begin).as_secs();
            write!(text, "\n    +{after}s {}", serde_json::to_string(&entry.event)?)?;
        }
        let own = |movement: &&Movement| {
            Reference::parse(&movement.reference).is_ok_and(|it| it.transfer() == id)
        };
        let mut books = self.counterparties.provider_books();
        books.insert("core".to_owned(), self.counterparties.core.books());
        for (name, books) in &books {
            for movement in books.movements.iter().filter(own) {
                write!(text, "\n    {name}: {movement:?}")?;
            }
        }
        Ok(text)
    }
}

/// The time of the first sending under a reference that may have been seen by the core.
fn first_sending(journal: &[Entry], reference: Reference) -> Option<Timestamp> {
    let of = (reference.step(), reference.generation());
    let (mut began, mut may_be_seen) = (None, false);
    for entry in journal {
        match &entry.event {
            Event::Started { step, generation, .. } if (*step, *generation) == of => {
                began = began.or(Some(entry.at));
            }
            Event::Concluded { step, outcome } if *step == of.0 => match outcome {
                Outcome::NotSent { answered: false, .. } if !may_be_seen => began = None,
                Outcome::NotSent { .. } | Outcome::Unknown { .. } | Outcome::Pending(_) => {
                    may_be_seen = began.is_some();
                }
                _ => {}
            },
            _ => {}
        }
    }
    began
}

/// True if a provider has taken this back by itself.
fn is_returned(providers: &BTreeMap<String, Books>, provider: &str, receipt: &str) -> bool {
    providers.get(provider).is_some_and(|books| {
        books.movements.iter().any(|movement| movement.unasked && movement.takes_back == receipt)
    })
}

/// The day of a moment in Dar es Salaam, as `2026-03-02`.
fn day(at: Timestamp) -> String {
    let there = jiff::Timestamp::from_microsecond(at.after(ZONE).as_micros());
    there.map(|moment| moment.strftime("%F").to_string()).unwrap_or_default()
}
