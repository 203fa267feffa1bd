//! One core account, one operation at a time, in the order of the intents: by the journals and by
//! the core's books.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::policy::Side;
use kiungo_domain::transfer::Event;
use kiungo_domain::{Reference, TransferId};
use kiungo_simulator::books::Books;

use super::journal_check::{Journals, Past};

/// The time in which an operation of a transfer on its account may have been running.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hold {
    from: i64,
    to: i64,
    transfer: TransferId,
    references: BTreeSet<Reference>,
}

/// The operations that are out of order, for people.
pub(super) fn violations(journals: &Journals, core: &Books) -> Vec<String> {
    let holds = holds(journals);
    let mut found = Vec::new();
    for (account, holds) in &holds {
        let pairs = holds.iter().zip(holds.iter().skip(1));
        for (one, next) in pairs.filter(|(one, next)| next.from < one.to) {
            let (first, second) = (one.transfer, next.transfer);
            found.push(format!(
                "{account}: {second} began {} µs before {first} had settled",
                one.to.saturating_sub(next.from)
            ));
        }
    }
    found.extend(out_of_turn(&holds, core));
    found
}

/// The holds of each account, in their order.
fn holds(journals: &Journals) -> BTreeMap<String, Vec<Hold>> {
    let mut all: BTreeMap<String, Vec<Hold>> = BTreeMap::new();
    for (id, history) in journals.histories() {
        let mut open: Option<(String, Hold)> = None;
        for past in &history {
            let committed = past.line.committed;
            match (started(past), &mut open) {
                (Some((_, reference)), Some((_, hold))) => {
                    hold.references.insert(reference);
                }
                (Some((account, reference)), None) => {
                    let references = BTreeSet::from([reference]);
                    let hold = Hold { from: committed, to: i64::MAX, transfer: id, references };
                    open = Some((account, hold));
                }
                _ => {}
            }
            if !past.transfer.holds_account()
                && let Some((account, hold)) = open.take()
            {
                all.entry(account).or_default().push(Hold { to: committed, ..hold });
            }
        }
        if let Some((account, hold)) = open {
            all.entry(account).or_default().push(hold);
        }
    }
    for holds in all.values_mut() {
        holds.sort_by_key(|hold| (hold.from, hold.to));
    }
    all
}

/// The account and the reference of an operation of the core that is intended here.
fn started(past: &Past<'_>) -> Option<(String, Reference)> {
    let Event::Started { step, generation, .. } = &past.line.event else { return None };
    let transfer = &past.transfer;
    if transfer.operation(*step).side() != Side::Core {
        return None;
    }
    let account = transfer.account()?;
    let account = format!("{}:{}", account.kind.as_str(), account.id);
    Some((account, Reference::new(transfer.id(), *step, *generation)))
}

/// Bookings whose place in the books is not the place of their intents.
fn out_of_turn(holds: &BTreeMap<String, Vec<Hold>>, core: &Books) -> Vec<String> {
    let mut found = Vec::new();
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    for movement in &core.movements {
        let Ok(reference) = Reference::parse(&movement.reference) else { continue };
        let party = movement.party.as_str();
        let from = reached.entry(party).or_default();
        let of_account = holds.get(party).map_or(&[][..], Vec::as_slice);
        let own = |hold: &Hold| hold.references.contains(&reference);
        let later = of_account.iter().skip(*from).position(own);
        if let Some(place) = later {
            *from += place;
        } else {
            let what = if of_account.iter().any(own) { "out of turn" } else { "without an intent" };
            found.push(format!("{party}: {} {reference:?} was booked {what}", movement.operation));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use kiungo_domain::transfer::StepName;
    use kiungo_simulator::books::Movement;
    use uuid::Uuid;

    use super::*;

    fn reference(number: u128) -> Reference {
        let bits = 0x0190_0000_0000_7000_8000_0000_0000_0000 + (number << 12);
        Reference::new(TransferId::new(Uuid::from_u128(bits)), StepName::First, 0)
    }

    fn hold(number: u128, from: i64, to: i64) -> Hold {
        let reference = reference(number);
        Hold { from, to, transfer: reference.transfer(), references: BTreeSet::from([reference]) }
    }

    fn books(order: &[u128]) -> Books {
        let movement = |number: &u128| Movement {
            receipt: number.to_string(),
            reference: reference(*number).hyphenated(),
            operation: "withdraw".to_owned(),
            party: "savings:1".to_owned(),
            amount_minor: 1,
            currency: "TZS".to_owned(),
            ..Movement::default()
        };
        Books { movements: order.iter().map(movement).collect(), ..Books::default() }
    }

    #[test]
    fn bookings_in_the_order_of_their_intents_are_right_and_others_are_found() {
        let holds = vec![hold(1, 0, 5), hold(2, 5, 9), hold(3, 9, 12)];
        let holds = BTreeMap::from([("savings:1".to_owned(), holds)]);
        assert!(out_of_turn(&holds, &books(&[1, 2, 3])).is_empty());
        assert!(out_of_turn(&holds, &books(&[1, 3])).is_empty(), "one was never executed");
        assert_eq!(out_of_turn(&holds, &books(&[2, 1, 3])).len(), 1);
        assert_eq!(out_of_turn(&holds, &books(&[1, 4])).len(), 1, "nobody intended it");
    }
}
