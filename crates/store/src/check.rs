//! The checks that every store makes before it believes a decision or a journal, release builds
//! included.

use std::collections::BTreeMap;

use kiungo_domain::transfer::{Decision, Entry, Posting};
use kiungo_domain::{Currency, Transfer, TransferId};

use crate::StoreError;

/// Events follow the version that they were decided on, and postings balance (rule 14).
pub fn sound(decision: &Decision) -> Result<(), StoreError> {
    let id = decision.transfer.id();
    let corrupt = |what: String| Err(StoreError::Corrupt(format!("transfer {id}: {what}")));
    let mut version = decision.base_version;
    for entry in &decision.entries {
        version += 1;
        if entry.seq != version {
            return corrupt(format!("event {} where event {version} belongs", entry.seq));
        }
    }
    if decision.entries.is_empty() || version != decision.transfer.version() {
        let claimed = decision.transfer.version();
        return corrupt(format!("version {claimed}, but its events lead to {version}"));
    }
    for (currency, minor) in sums(&decision.postings) {
        if minor != 0 {
            return corrupt(format!("postings do not balance: {minor} {currency} left over"));
        }
    }
    Ok(())
}

fn sums(postings: &[Posting]) -> BTreeMap<Currency, i128> {
    let mut sums = BTreeMap::new();
    for posting in postings {
        *sums.entry(posting.currency).or_default() += i128::from(posting.minor);
    }
    sums
}

/// Folds a journal; `None` if it is empty.
pub fn fold<'a>(
    id: TransferId,
    journal: impl IntoIterator<Item = &'a Entry>,
) -> Result<Option<Transfer>, StoreError> {
    let corrupt = |what: String| StoreError::Corrupt(format!("journal of transfer {id}: {what}"));
    let mut gap = None;
    let mut expected = 0;
    let journal = journal.into_iter().map(|entry| {
        expected += 1;
        if entry.seq != expected {
            gap.get_or_insert((entry.seq, expected));
        }
        (entry.at, &entry.event)
    });
    let folded = Transfer::replay(journal);
    match (folded, gap) {
        (_, Some((seq, expected))) => Err(corrupt(format!("event {seq} instead of {expected}"))),
        (Some(transfer), None) if transfer.id() == id => Ok(Some(transfer)),
        (Some(transfer), None) => Err(corrupt(format!("it tells of transfer {}", transfer.id()))),
        (None, None) if expected == 0 => Ok(None),
        (None, None) => Err(corrupt("it does not begin with its receipt".to_owned())),
    }
}
