//! The ledger compared with the counterparties' books: what it says of each float, of the fees, and of
//! the core is what the movements that Kiungo counts as executed add up to.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Event, Origin, StepName};
use kiungo_domain::{Outcome, Transfer};
use kiungo_simulator::books::{Books, Movement};
use kiungo_store::{Reports as _, TransferStore as _};

use super::Failure;
use super::world::World;

/// The party that gets the charges, in a provider's books.
const CHARGES: &str = "charges";

/// Receipts at the providers that transfers count as executed, by provider.
type Counted = BTreeSet<(String, String)>;

/// Compares the ledger with the books.
pub(super) async fn compare(
    world: &World,
    transfers: &[Transfer],
    providers: &BTreeMap<String, Books>,
    core: &Books,
) -> Result<Vec<String>, Failure> {
    let (counted, charged) = counted(world, transfers).await?;
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
        let fees = fees(books, provider, &charged);
        let moved: i64 = movements.iter().map(|movement| signed(books, movement)).sum();
        compare(format!("float:{provider}"), moved - fees);
        compare(format!("fees:{provider}"), fees);
    }
    let booked = core.movements.iter().filter(|it| !it.reference.is_empty() && !it.unasked);
    compare("core:main".to_owned(), booked.map(|movement| core_signed(core, movement)).sum());
    Ok(findings)
}

/// Returns the receipts that count as executed now, and those that ever did: a charge stays when
/// its operation is reversed.
async fn counted(world: &World, transfers: &[Transfer]) -> Result<(Counted, Counted), Failure> {
    let (mut counted, mut charged) = (Counted::new(), Counted::new());
    for transfer in transfers {
        let provider = transfer.instruction().provider.to_string();
        let mut of_step = BTreeMap::<StepName, String>::new();
        for entry in world.store.journal(transfer.id()).await? {
            match entry.event {
                Event::Received(instruction) => {
                    if let Origin::Wallet { receipt, .. } = instruction.origin {
                        of_step.insert(StepName::First, receipt.to_string());
                        counted.insert((provider.clone(), receipt.to_string()));
                        charged.insert((provider.clone(), receipt.to_string()));
                    }
                }
                Event::Concluded { step, outcome: Outcome::Executed(confirmation) }
                | Event::Adopted { step, confirmation, .. }
                    if transfer.operation(step).side() == Side::Wallet =>
                {
                    of_step.insert(step, confirmation.receipt.to_string());
                    counted.insert((provider.clone(), confirmation.receipt.to_string()));
                    charged.insert((provider.clone(), confirmation.receipt.to_string()));
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
    Ok((counted, charged))
}

/// The charges that the organisation paid for movements that count, or counted once.
fn fees(books: &Books, provider: &str, charged: &Counted) -> i64 {
    let of_ours = |fee: &&Movement| {
        let of = (provider.to_owned(), fee.label.clone());
        fee.operation == "fee" && fee.party.starts_with(CHARGES) && charged.contains(&of)
    };
    books.movements.iter().filter(of_ours).map(|fee| fee.amount_minor).sum()
}

/// Returns the amount that a movement adds to the float.
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

/// Returns the amount that a booking in the core adds to the ledger's account of the core: money
/// given to customers' accounts is owed to the core, money taken from them is owed by it.
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
