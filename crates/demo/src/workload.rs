//! The plan of the day, drawn before anything of it happens: who wants to move how much, in which
//! order, and when Kiungo is killed. All of it follows from the seed.

use kiungo_domain::Kind;
use kiungo_sandbox::members::{gsma, mpesa};

use super::chance::Chance;

/// The currency of all amounts.
pub(super) const CURRENCY: &str = "TZS";
/// One unit of the currency in minor units.
pub(super) const SHILLING: i64 = 100;
/// The amount that an ordinary loan was lent at the start.
pub(super) const LOAN_MINOR: i64 = 20_000_000 * SHILLING;
/// One in this number of people has next to nothing, in the account or in the wallet.
const POOR_PERCENT: u64 = 4;
/// The percentage of the inbound transfers that the customer starts at the wallet.
const AT_WALLET_PERCENT: u64 = 40;
/// The percentage of the people at the wallet who mistype the account.
const MISTYPED_PERCENT: u64 = 8;

/// A provider of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wallet {
    Gsma,
    Mpesa,
}

impl Wallet {
    pub(super) const ALL: [Self; 2] = [Self::Gsma, Self::Mpesa];

    /// Its id in the configuration.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Gsma => gsma::ID,
            Self::Mpesa => mpesa::ID,
        }
    }
}

/// A customer of the MFI, with one savings account and one loan under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    /// The wallet's number, all digits; the same at both providers.
    pub(super) msisdn: String,
    pub(super) savings_minor: i64,
    /// The wallet's balance, where it is not the simulators' ample default.
    pub(super) wallet_minor: Option<i64>,
    /// The principals of approved loans that wait to be paid out.
    pub(super) approved_minor: Vec<i64>,
}

/// A wished transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its place in the day.
    pub(super) number: usize,
    pub(super) kind: Kind,
    pub(super) wallet: Wallet,
    /// The number of the person.
    pub(super) person: usize,
    /// For a disbursement: the number of the approved loan among the person's.
    pub(super) loan: usize,
    pub(super) amount_minor: i64,
    pub(super) start: Start,
}

/// The way in which a transfer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// The MFI orders it over the API.
    Api,
    /// The customer pays at the wallet and types an account.
    AtWallet(Typed),
}

/// The form in which the payer types the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// `SV000000012`, as printed on the passbook.
    AsPrinted,
    /// `sv 12`.
    Short,
    /// `SV-000000012`.
    Dashed,
    /// An account number that does not exist.
    WrongNumber,
    /// A text that is no account number at all.
    Nonsense,
}

impl Typed {
    /// True if the text names no account.
    pub(super) const fn is_mistyped(self) -> bool {
        matches!(self, Self::WrongNumber | Self::Nonsense)
    }

    /// The text of a payer who means the account with this id.
    pub(super) fn text(self, kind: Kind, account: u64) -> String {
        let letters = if kind == Kind::Repayment { "LN" } else { "SV" };
        match self {
            Self::AsPrinted => format!("{letters}{account:09}"),
            Self::Short => format!("{} {account}", letters.to_lowercase()),
            Self::Dashed => format!("{letters}-{account:09}"),
            Self::WrongNumber => format!("{letters}{:09}", account.saturating_add(700_000_000)),
            Self::Nonsense => format!("school fees {account}"),
        }
    }
}

/// The whole day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Workload {
    pub(super) seed: u64,
    pub(super) people: Vec<Person>,
    pub(super) wanted: Vec<Wanted>,
    /// Kiungo is killed just before the transfers with these numbers begin.
    pub(super) kills: [usize; 2],
}

impl Workload {
    /// The workload of `seed` with this number of transfers.
    pub(super) fn new(seed: u64, transfers: usize) -> Self {
        let count = transfers.div_ceil(5).max(20);
        let mut people: Vec<Person> = (0..count).map(|index| person(seed, index)).collect();
        let cells = shuffled(seed, transfers);
        let wanted = cells.into_iter().enumerate();
        let wanted = wanted.map(|(number, cell)| want(seed, number, cell, &mut people)).collect();
        let mut chance = Chance::of(seed, "kills", 0);
        let mut at = |low: usize, high: usize| {
            let percent = low.saturating_add(chance.index(high - low));
            transfers.saturating_mul(percent) / 100
        };
        let kills = [at(25, 40), at(55, 75)];
        Self { seed, people, wanted, kills }
    }
}

type Cell = (Kind, Wallet);

/// The kind and provider of each transfer, in a drawn order; the first eight draws see to it that
/// even a short day has each of them.
fn shuffled(seed: u64, transfers: usize) -> Vec<Cell> {
    let all = Kind::ALL.into_iter().flat_map(|kind| Wallet::ALL.map(|wallet| (kind, wallet)));
    let mut cells: Vec<Cell> = all.take(transfers).collect();
    while cells.len() < transfers {
        let mut chance = Chance::of(seed, "cell", cells.len());
        let kind = match chance.below(100) {
            0..30 => Kind::Deposit,
            30..60 => Kind::Repayment,
            60..85 => Kind::Withdrawal,
            _ => Kind::Disbursement,
        };
        let wallet = if chance.happens(50) { Wallet::Gsma } else { Wallet::Mpesa };
        cells.push((kind, wallet));
    }
    let mut chance = Chance::of(seed, "order", 0);
    for last in (1..cells.len()).rev() {
        cells.swap(last, chance.index(last + 1));
    }
    cells
}

fn person(seed: u64, index: usize) -> Person {
    const FIRST: [&str; 8] =
        ["Amina", "Baraka", "Faraja", "Juma", "Neema", "Rehema", "Salum", "Zawadi"];
    const LAST: [&str; 8] =
        ["Kimaro", "Lyimo", "Massawe", "Mushi", "Ngowi", "Shirima", "Swai", "Temba"];
    let mut chance = Chance::of(seed, "person", index);
    let mut of = |names: [&'static str; 8]| {
        names.get(chance.index(names.len())).copied().unwrap_or_default()
    };
    let name = format!("{} {}", of(FIRST), of(LAST));
    let has_little = chance.happens(POOR_PERCENT);
    let savings = if has_little { 500 } else { chance.between(2_000_000, 9_000_000) };
    let wallet_minor = chance.happens(POOR_PERCENT).then_some(400 * SHILLING);
    Person {
        name,
        msisdn: format!("2557{:08}", 10_000_000 + index),
        savings_minor: shillings(savings),
        wallet_minor,
        approved_minor: Vec::new(),
    }
}

fn want(seed: u64, number: usize, (kind, wallet): Cell, people: &mut [Person]) -> Wanted {
    let mut chance = Chance::of(seed, "transfer", number);
    let person = chance.index(people.len());
    let whole = match kind {
        Kind::Deposit | Kind::Repayment => chance.between(500, 200_000),
        Kind::Withdrawal => chance.between(1_000, 100_000),
        Kind::Disbursement => chance.between(50_000, 2_000_000),
    };
    let amount_minor = shillings(whole);
    let start = if kind.is_inbound() && chance.happens(AT_WALLET_PERCENT) {
        Start::AtWallet(typed(&mut chance))
    } else {
        Start::Api
    };
    let mut loan = 0;
    if kind == Kind::Disbursement
        && let Some(person) = people.get_mut(person)
    {
        loan = person.approved_minor.len();
        person.approved_minor.push(amount_minor);
    }
    Wanted { number, kind, wallet, person, loan, amount_minor, start }
}

fn typed(chance: &mut Chance) -> Typed {
    if chance.happens(MISTYPED_PERCENT) {
        return if chance.happens(50) { Typed::WrongNumber } else { Typed::Nonsense };
    }
    match chance.below(3) {
        0 => Typed::AsPrinted,
        1 => Typed::Short,
        _ => Typed::Dashed,
    }
}

fn shillings(whole: u64) -> i64 {
    i64::try_from(whole).unwrap_or(0).saturating_mul(SHILLING)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_another() {
        assert_eq!(Workload::new(7, 300), Workload::new(7, 300));
        let (one, other) = (Workload::new(7, 300), Workload::new(8, 300));
        assert_ne!(one.wanted, other.wanted);
        assert_ne!(one.people, other.people);
    }

    #[test]
    fn even_a_short_day_has_every_kind_at_every_provider() {
        let workload = Workload::new(3, 8);
        let cells: BTreeSet<_> = workload.wanted.iter().map(|w| (w.kind, w.wallet)).collect();
        assert_eq!(cells.len(), 8);
        assert_eq!(workload.wanted.len(), 8);
    }

    #[test]
    fn a_long_day_has_all_that_it_promises() {
        let workload = Workload::new(1, 2_000);
        let count = |test: fn(&Wanted) -> bool| workload.wanted.iter().filter(|w| test(w)).count();
        assert!(count(|w| w.start != Start::Api) > 300);
        let mistyped = |w: &Wanted| matches!(w.start, Start::AtWallet(t) if t.is_mistyped());
        assert!(workload.wanted.iter().filter(|w| mistyped(w)).count() > 10);
        assert!(workload.people.iter().any(|person| person.wallet_minor.is_some()));
        assert!(workload.people.iter().any(|person| person.savings_minor < 1_000 * SHILLING));
        let [first, second] = workload.kills;
        assert!(0 < first && first < second && second < 2_000);
        assert!(
            workload.wanted.iter().all(|w| w.amount_minor > 0 && w.amount_minor % SHILLING == 0)
        );
    }

    #[test]
    fn every_disbursement_has_a_loan_of_its_own() {
        let workload = Workload::new(5, 500);
        let mut loans = BTreeSet::new();
        for wanted in workload.wanted.iter().filter(|wanted| wanted.kind == Kind::Disbursement) {
            assert!(loans.insert((wanted.person, wanted.loan)));
            let principal = workload.people[wanted.person].approved_minor[wanted.loan];
            assert_eq!(principal, wanted.amount_minor);
        }
    }

    #[test]
    fn a_mistyped_account_is_none_of_the_demo() {
        for typed in [Typed::WrongNumber, Typed::Nonsense] {
            assert!(typed.is_mistyped());
            let text = typed.text(Kind::Deposit, 12);
            assert!(text == "SV700000012" || text == "school fees 12", "{text}");
        }
        assert_eq!(Typed::Short.text(Kind::Repayment, 12), "ln 12");
    }
}
