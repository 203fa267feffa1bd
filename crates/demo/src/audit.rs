//! Compares the wishes of the demo with the API's answers and with the counterparties' books.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::transfer::Status;
use kiungo_domain::{Kind, TransferId};
use kiungo_simulator::audit::{self, Audit, Claim};
use kiungo_simulator::books::Books;

use super::drain::Ends;
use super::run::Begun;
use super::workload::{CURRENCY, Start, Wallet, Wanted, Workload};

/// The number of transfers of one kind at one provider, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) reversed: u64,
    pub(super) suspended: u64,
    pub(super) open: u64,
    /// Payments that did not happen: the wallet was short, or Kiungo turned the payer away.
    pub(super) not_paid: u64,
}

impl Tally {
    /// All of them.
    pub(super) const fn total(&self) -> u64 {
        self.completed + self.failed + self.reversed + self.suspended + self.open + self.not_paid
    }

    /// Adds another one.
    pub(super) const fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.reversed += other.reversed;
        self.suspended += other.suspended;
        self.open += other.open;
        self.not_paid += other.not_paid;
    }

    const fn count(&mut self, status: Status) {
        match status {
            Status::Completed => self.completed += 1,
            Status::Failed => self.failed += 1,
            Status::Reversed => self.reversed += 1,
            Status::Suspended => self.suspended += 1,
            Status::Received
            | Status::InProgress
            | Status::AwaitingCustomer
            | Status::NeedsAttention => self.open += 1,
        }
    }
}

/// The result of checking a day.
#[derive(Debug, Default)]
pub(super) struct AuditResult {
    pub(super) cells: BTreeMap<(Kind, Wallet), Tally>,
    /// The sum of all completed transfers by currency, in minor units.
    pub(super) moved_minor: BTreeMap<&'static str, i64>,
    pub(super) audit: Audit,
    /// The other faults, for people.
    pub(super) findings: Vec<String>,
}

impl AuditResult {
    /// The sum of all tallies.
    pub(super) fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.cells.values().for_each(|tally| total.add(tally));
        total
    }
}

/// Finds the account of a transfer, as the books name it.
pub(super) type AccountOf<'a> = &'a dyn Fn(&Wanted) -> u64;

/// Checks the day.
pub(super) fn check(
    workload: &Workload,
    begun: &[Begun],
    ends: &Ends,
    account: AccountOf<'_>,
    providers: &BTreeMap<String, Books>,
    core: &Books,
) -> AuditResult {
    let mut result = AuditResult::default();
    let mut claims = Vec::new();
    let mut expected = BTreeSet::new();
    for (wanted, begun) in workload.wanted.iter().zip(begun) {
        let tally = result.cells.entry((wanted.kind, wanted.wallet)).or_default();
        let id = match begun {
            Begun::Ordered(id) => Some(*id),
            Begun::Paid(_) => ends.payments.get(&wanted.number).copied(),
            Begun::NotPaid(_) => {
                tally.not_paid += 1;
                continue;
            }
            Begun::NotTaken(_) => None,
        };
        let shown = id.and_then(|id| ends.all.get(&id));
        let Some(shown) = shown else {
            tally.open += 1;
            let what = match begun {
                Begun::NotTaken(why) => format!("was not taken: {why}"),
                Begun::Paid(receipt) => {
                    format!("was paid ({receipt}), and no transfer knows of it")
                }
                _ => "is no longer known".to_owned(),
            };
            result.findings.push(format!("transfer {} of the workload {what}", wanted.number));
            continue;
        };
        tally.count(shown.status);
        if shown.status == Status::Completed {
            let moved = result.moved_minor.entry(CURRENCY).or_default();
            *moved = moved.saturating_add(wanted.amount_minor);
        }
        if shown.status == Status::NeedsAttention {
            let case = shown.case.as_deref().unwrap_or("no case");
            result.findings.push(format!("{} needs a person: {case}", shown.id));
        }
        expected.insert(shown.id);
        claims.push(claim(workload, wanted, begun, shown.id, shown.status, account(wanted)));
    }
    result.findings.extend(unwanted(ends, &expected));
    result.audit = audit::audit(&claims, providers, core);
    result
}

fn claim(
    workload: &Workload,
    wanted: &Wanted,
    begun: &Begun,
    id: TransferId,
    status: Status,
    account: u64,
) -> Claim {
    let account = format!("{}:{account}", wanted.kind.account_kind().as_str());
    let mistyped = matches!(wanted.start, Start::AtWallet(typed) if typed.is_mistyped());
    Claim {
        carried_by: None,
        id,
        kind: wanted.kind,
        provider: wanted.wallet.id().to_owned(),
        msisdn: workload.people.get(wanted.person).map(|person| person.msisdn.clone()),
        accounts: if mistyped { Vec::new() } else { vec![account] },
        amount_minor: wanted.amount_minor,
        payment: match begun {
            Begun::Paid(receipt) => Some(receipt.clone()),
            _ => None,
        },
        status,
    }
}

/// Transfers that belong to no wish: made of a forged notification, or of one order twice.
fn unwanted<'a>(
    ends: &'a Ends,
    expected: &'a BTreeSet<TransferId>,
) -> impl Iterator<Item = String> + 'a {
    let own = |id: &TransferId| expected.contains(id);
    ends.all
        .values()
        .filter(move |shown| shown.merged_into.is_none() && !own(&shown.id))
        .map(|shown| format!("{} {}: it belongs to no wish", shown.kind.as_str(), shown.id))
}

#[cfg(test)]
mod tests {
    use kiungo_domain::policy::Side;
    use kiungo_domain::{Reference, TransferId};
    use kiungo_simulator::books::Movement;
    use uuid::Uuid;

    use super::super::client::Shown;
    use super::*;

    /// A day on which everybody got what was wanted, with its books.
    struct Day {
        workload: Workload,
        begun: Vec<Begun>,
        ends: Ends,
        providers: BTreeMap<String, Books>,
        core: Books,
    }

    fn account(wanted: &Wanted) -> u64 {
        u64::try_from(wanted.person).unwrap() + 1
    }

    fn book(books: &mut Books, movement: Movement, sign: i64, float: bool) {
        let amount = movement.amount_minor;
        *books.balances.entry(movement.party.clone()).or_default() += sign * amount;
        if float {
            *books.balances.entry("float".to_owned()).or_default() -= sign * amount;
        }
        books.movements.push(movement);
    }

    impl Day {
        fn fine() -> Self {
            let workload = Workload::new(11, 60);
            let mut day = Self {
                begun: Vec::new(),
                ends: Ends::default(),
                providers: Wallet::ALL
                    .map(|wallet| (wallet.id().to_owned(), Books::default()))
                    .into(),
                core: Books::default(),
                workload,
            };
            for wanted in day.workload.wanted.clone() {
                day.carry_out(&wanted);
            }
            day
        }

        fn carry_out(&mut self, wanted: &Wanted) {
            let bits = 0x0190_0000_0000_7000_8000_0000_0000_0000 + ((wanted.number as u128) << 12);
            let id = TransferId::new(Uuid::from_u128(bits));
            let mistyped = matches!(wanted.start, Start::AtWallet(t) if t.is_mistyped());
            let at_wallet = wanted.start != Start::Api;
            let inbound = wanted.kind.is_inbound();
            let receipt = format!("R{}", wanted.number);
            let [wallet_step, core_step] =
                [Side::Wallet, Side::Core].map(|side| wanted.kind.leg(side));
            let movement = |step, operation: &str, party: String| Movement {
                receipt: receipt.clone(),
                reference: Reference::new(id, step, 0).hyphenated(),
                operation: operation.to_owned(),
                party,
                amount_minor: wanted.amount_minor,
                currency: "TZS".to_owned(),
                ..Movement::default()
            };
            let operation =
                if at_wallet { "payment" } else { wanted.kind.wallet_operation().as_str() };
            let party = self.workload.people[wanted.person].msisdn.clone();
            let sign = if inbound { -1 } else { 1 };
            let books = self.providers.get_mut(wanted.wallet.id()).unwrap();
            book(books, movement(wallet_step, operation, party), sign, true);
            if !mistyped {
                let operation = wanted.kind.operation(core_step).as_str();
                let kind = wanted.kind.account_kind().as_str();
                let party = format!("{kind}:{}", account(wanted));
                let adds = matches!(operation, "deposit" | "disburse");
                let sign = if adds { 1 } else { -1 };
                book(&mut self.core, movement(core_step, operation, party), sign, false);
            }
            let status = if mistyped { Status::Suspended } else { Status::Completed };
            let shown = Shown { id, kind: wanted.kind, status, merged_into: None, case: None };
            self.ends.all.insert(id, shown);
            if at_wallet {
                self.ends.payments.insert(wanted.number, id);
                self.begun.push(Begun::Paid(receipt));
            } else {
                self.begun.push(Begun::Ordered(id));
            }
        }

        fn check(&self) -> AuditResult {
            let (workload, begun, ends) = (&self.workload, &self.begun, &self.ends);
            check(workload, begun, ends, &account, &self.providers, &self.core)
        }

        /// The first transfer that the API was asked for.
        fn ordered(&self) -> TransferId {
            let id = |begun: &Begun| match begun {
                Begun::Ordered(id) => Some(*id),
                _ => None,
            };
            self.begun.iter().find_map(id).unwrap()
        }

        fn set(&mut self, id: TransferId, status: Status) {
            self.ends.all.get_mut(&id).unwrap().status = status;
        }
    }

    #[test]
    fn a_day_on_which_all_went_well_is_clean() {
        let result = Day::fine().check();
        assert!(result.audit.is_clean(), "{:?}", result.audit);
        assert!(result.findings.is_empty(), "{:?}", result.findings);
        let total = result.total();
        assert_eq!(total.total(), 60);
        assert_eq!(total.open + total.failed, 0);
    }

    #[test]
    fn a_lie_about_the_end_of_a_transfer_is_found() {
        for lie in [Status::Failed, Status::Reversed, Status::Suspended] {
            let mut day = Day::fine();
            let id = day.ordered();
            day.set(id, lie);
            assert_eq!(day.check().audit.lost, 1, "{lie:?}");
        }
    }

    #[test]
    fn a_booking_made_twice_or_elsewhere_or_never_is_found() {
        let mut day = Day::fine();
        let again = Movement { receipt: "again".to_owned(), ..day.core.movements[0].clone() };
        day.core.movements.push(again);
        let audit = day.check().audit;
        assert_eq!((audit.doubled, audit.balanced), (1, false));

        let mut day = Day::fine();
        day.core.movements[0].party = "savings:999".to_owned();
        assert_eq!(day.check().audit.misattributed, 1);

        let mut day = Day::fine();
        day.core.movements.remove(0);
        assert_eq!(day.check().audit.lost, 1);
    }

    #[test]
    fn a_payment_that_no_transfer_knows_is_lost_and_open() {
        let mut day = Day::fine();
        let (_, id) = day.ends.payments.pop_first().unwrap();
        day.ends.all.remove(&id);
        let result = day.check();
        assert!(result.audit.lost > 0);
        assert_eq!(result.total().open, 1);
    }

    #[test]
    fn a_transfer_that_nobody_wanted_is_found() {
        let mut day = Day::fine();
        let id = TransferId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_ffff_0000));
        let forged = Shown { id, ..day.ends.all.values().next().unwrap().clone() };
        day.ends.all.insert(id, forged);
        assert_eq!(day.check().findings.len(), 1);
    }
}
