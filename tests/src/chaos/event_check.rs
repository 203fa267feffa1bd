//! Compares the events that were received with the journals and with the API's answers at the end.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::TransferId;
use kiungo_domain::transfer::{Event, Status};

use super::journal_check::Journals;
use super::listener::ReceivedEvent;

/// The faults of the events, for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EventCheck {
    /// The changes that were committed and not told.
    pub(super) missing: Vec<String>,
    /// The events that are not so, or came too late.
    pub(super) contradicting: Vec<String>,
    /// The number of events that came more than once, or after something later; allowed.
    pub(super) repeated: usize,
}

/// The facts that a journal tells: version, and status or case.
type Facts = BTreeSet<(u64, Fact)>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Status(String),
    Case(String),
}

/// Compares.
pub(super) fn compare(
    received: &[ReceivedEvent],
    journals: &Journals,
    statuses: &BTreeMap<TransferId, Status>,
) -> EventCheck {
    let expected: BTreeMap<TransferId, Facts> =
        journals.histories().map(|(id, history)| (id, facts(&history))).collect();
    let mut check = EventCheck::default();
    let mut published: BTreeMap<TransferId, Facts> = BTreeMap::new();
    for event in received {
        let known = event.transfer.and_then(|id| expected.get(&id).map(|facts| (id, facts)));
        let Some((id, facts)) = known else {
            check.contradicting.push(format!("{} {}: of no transfer", event.kind, event.id));
            continue;
        };
        let fact = match &event.case {
            Some(case) => Fact::Case(case.clone()),
            None => Fact::Status(event.status.clone()),
        };
        let own_kind = match &fact {
            Fact::Status(status) => format!("kiungo.transfer.{status}"),
            Fact::Case(_) => "kiungo.case.opened".to_owned(),
        };
        let fact = (event.sequence, fact);
        if event.kind != own_kind || !facts.contains(&fact) {
            check.contradicting.push(format!("{}: its journal knows nothing of it", event.id));
            continue;
        }
        let before = published.entry(id).or_default();
        let latest = before.last().map_or(0, |(version, _)| *version);
        if before.contains(&fact) {
            check.repeated += 1;
        } else if fact.0 < latest {
            check.contradicting.push(format!("{}: first told after version {latest}", event.id));
        }
        before.insert(fact);
    }
    for (id, facts) in &expected {
        let published = published.remove(id).unwrap_or_default();
        let unpublished = facts.difference(&published);
        check.missing.extend(unpublished.map(|(version, fact)| format!("{id}/{version} {fact:?}")));
        let last = published.iter().rev().find_map(|(_, fact)| match fact {
            Fact::Status(status) => Some(status.as_str()),
            Fact::Case(_) => None,
        });
        let shown = statuses.get(id).map(|status| status.as_str());
        if last.is_some() && last != shown {
            let what = format!("{id}: told {last:?} at last, and the API says {shown:?}");
            check.contradicting.push(what);
        }
    }
    for id in statuses.keys().filter(|id| !expected.contains_key(id)) {
        check.contradicting.push(format!("{id}: shown by the API, and without a journal"));
    }
    check
}

fn facts(history: &[super::journal_check::Past<'_>]) -> Facts {
    let mut facts = Facts::new();
    let mut status = None;
    let mut cases = Vec::new();
    for past in history {
        if let Event::CaseOpened { case, .. } = &past.line.event {
            cases.push(case.as_str().to_owned());
        }
        if !past.ends_decision {
            continue;
        }
        let (version, now) = (past.transfer.version(), past.transfer.status());
        facts.extend(cases.drain(..).map(|case| (version, Fact::Case(case))));
        if status != Some(now) {
            facts.insert((version, Fact::Status(now.as_str().to_owned())));
        }
        status = Some(now);
    }
    facts
}

#[cfg(test)]
mod tests {
    use kiungo_domain::transfer::Instruction;
    use kiungo_domain::{CoreAccount, Timestamp};
    use serde_json::json;

    use super::super::journal_check::Line;
    use super::*;

    const ID: &str = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";

    fn id() -> TransferId {
        TransferId::parse(ID).unwrap()
    }

    /// Received, then cleared: two statuses.
    fn journals() -> Journals {
        let instruction: Instruction = serde_json::from_value(json!({
            "id": ID, "kind": "deposit", "provider": "p", "core": "main", "accounts": [],
            "amount": { "minor": 100, "currency": "TZS" },
            "origin": { "from": "api", "client": "c" },
        }))
        .unwrap();
        let account = CoreAccount { kind: kiungo_domain::AccountKind::Savings, id: 1 };
        let cleared = Event::Cleared { account, account_no: "1".to_owned() };
        let events = [Event::Received(instruction), cleared];
        let line = |(at, event)| Line { at: Timestamp::from_micros(at), committed: at, event };
        Journals::of([(id(), (1..).zip(events).map(line).collect())])
    }

    fn event(sequence: u64, status: &str) -> ReceivedEvent {
        ReceivedEvent {
            id: format!("{sequence}/{status}"),
            kind: format!("kiungo.transfer.{status}"),
            transfer: Some(id()),
            sequence,
            status: status.to_owned(),
            case: None,
        }
    }

    fn counts(received: &[ReceivedEvent]) -> (usize, usize, usize) {
        let statuses = BTreeMap::from([(id(), Status::InProgress)]);
        let check = compare(received, &journals(), &statuses);
        (check.missing.len(), check.contradicting.len(), check.repeated)
    }

    #[test]
    fn everything_in_order_is_right_also_when_some_of_it_comes_again() {
        let (one, two) = (event(1, "received"), event(2, "in_progress"));
        assert_eq!(counts(&[one.clone(), two.clone()]), (0, 0, 0));
        assert_eq!(counts(&[one.clone(), two.clone(), one, two]), (0, 0, 2));
    }

    #[test]
    fn missing_false_late_and_orphaned_events_are_found() {
        let (one, two) = (event(1, "received"), event(2, "in_progress"));
        assert_eq!(counts(std::slice::from_ref(&two)), (1, 0, 0));
        assert_eq!(
            counts(std::slice::from_ref(&one)),
            (1, 1, 0),
            "the API says more than was told"
        );
        assert_eq!(counts(&[two.clone(), one.clone()]), (0, 1, 0), "late");
        assert_eq!(counts(&[one.clone(), two.clone(), event(2, "completed")]), (0, 1, 0));
        let nobodys = ReceivedEvent { transfer: None, ..one.clone() };
        assert_eq!(counts(&[one, two, nobodys]), (0, 1, 0));
    }
}
