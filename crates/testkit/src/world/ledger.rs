//! The ledger compared with the counterparties' books: what it says of each float, of the fees, and of
//! the core is what the movements that Kiungo counts as executed add up to.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Event, Origin, StepName};
use kiungo_domain::{Outcome, Transfer};
use kiungo_simulators::books::{Books, Movement};
use kiungo_simulators::gsma::options::PaidBy;
use kiungo_store::Store as _;

use super::counterparties::PROVIDERS;
use super::run::{Failure, World};

/// Receipts at the providers that transfers count as executed, by provider.
type Counted = BTreeSet<(String, String)>;

/// Compares the ledger with the books.
pub(super) async fn compare(
    world: &World,
    transfers: &[Transfer],
    providers: &BTreeMap<String, Books>,
    core: &Books,
) -> Result<Vec<String>, Failure> {
    let counted = counted(world, transfers).await?;
    let mut ledger = BTreeMap::<String, i64>::new();
    for balance in world.store.ledger().await? {
        *ledger.entry(balance.account).or_default() += balance.minor;
    }
    let says = |account: &str| ledger.get(account).copied().unwrap_or(0);
    let mut findings = Vec::new();
    let mut compare = |account: String, books: i64| {
        let says = says(&account);
        if says != books {
            findings.push(format!("the ledger says {says} of {account}, the books {books}"));
        }
    };
    for (provider, books) in providers {
        let movements: Vec<&Movement> = books
            .movements
            .iter()
            .filter(|it| counted.contains(&(provider.clone(), it.receipt.clone())))
            .collect();
        let fees = if provider == PROVIDERS[0] { fees(world, books, &movements) } else { 0 };
        let moved: i64 = movements.iter().map(|movement| signed(books, movement)).sum();
        compare(format!("float:{provider}"), moved - fees);
        compare(format!("fees:{provider}"), fees);
    }
    let booked = core.movements.iter().filter(|it| !it.reference.is_empty() && !it.unasked);
    compare("core:main".to_owned(), booked.map(|movement| core_signed(core, movement)).sum());
    Ok(findings)
}

async fn counted(world: &World, transfers: &[Transfer]) -> Result<Counted, Failure> {
    let mut counted = Counted::new();
    for transfer in transfers {
        let provider = transfer.instruction().provider.to_string();
        let mut of_step = BTreeMap::<StepName, String>::new();
        for entry in world.store.journal(transfer.id()).await? {
            match entry.event {
                Event::Received(instruction) => {
                    if let Origin::Wallet { receipt, .. } = instruction.origin {
                        of_step.insert(StepName::First, receipt.to_string());
                        counted.insert((provider.clone(), receipt.to_string()));
                    }
                }
                Event::Concluded { step, outcome: Outcome::Completed(confirmation) }
                | Event::Adopted { step, confirmation, .. }
                    if transfer.operation(step).side() == Side::Wallet =>
                {
                    of_step.insert(step, confirmation.receipt.to_string());
                    counted.insert((provider.clone(), confirmation.receipt.to_string()));
                }
                Event::Annulled { step, .. } => {
                    if let Some(receipt) = of_step.remove(&step) {
                        counted.remove(&(provider.clone(), receipt));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(counted)
}

/// What the organisation was charged for these movements. A second approval is not charged.
fn fees(world: &World, books: &Books, movements: &[&Movement]) -> i64 {
    if world.habits.fee != Some(PaidBy::Organisation) {
        return 0;
    }
    let charge = |movement: &&&Movement| {
        let second = movement.unasked
            && books.movements.iter().any(|other| {
                other.reference == movement.reference
                    && other.receipt != movement.receipt
                    && !other.unasked
            });
        !second && world.habits.gsma.charges.contains_key(&movement.operation)
    };
    let charged = movements.iter().filter(charge);
    charged.filter_map(|it| world.habits.gsma.charges.get(&it.operation)).map(|it| it.minor).sum()
}

/// What a movement adds to the float.
fn signed(books: &Books, movement: &Movement) -> i64 {
    let comes_in = |operation: &str| matches!(operation, "collect" | "payment");
    let original = books.movements.iter().find(|other| {
        !movement.takes_back.is_empty()
            && other.party == movement.party
            && other.receipt == movement.takes_back
    });
    let adds = match original {
        Some(original) => !comes_in(&original.operation),
        None => comes_in(&movement.operation),
    };
    if adds { movement.amount_minor } else { -movement.amount_minor }
}

/// What a booking in the core adds to what the ledger says of the core: what customers' accounts were
/// given is owed to the core, what they were taken is owed by it.
fn core_signed(core: &Books, movement: &Movement) -> i64 {
    let takes = |operation: &str| matches!(operation, "withdraw" | "disburse");
    let original = core.movements.iter().find(|other| {
        !movement.takes_back.is_empty()
            && other.party == movement.party
            && other.receipt == movement.takes_back
    });
    let adds = match original {
        Some(original) => !takes(&original.operation),
        None => takes(&movement.operation),
    };
    if adds { movement.amount_minor } else { -movement.amount_minor }
}
