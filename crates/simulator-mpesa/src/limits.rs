//! The amounts that may be moved: per session and product, and per customer and day
//! (`mpesa-openapi.md` §2).
//!
//! The portal sets limits "for each call" of an application, so products are counted apart: a
//! collection that hits a limit closes the session for collections only.

use std::collections::HashMap;

use super::codes::{self, Code};
use super::options::Limits;
use super::sessions::Tally;

/// The amounts that customers have moved today.
#[derive(Default)]
pub(super) struct Customers {
    day: i64,
    moved: HashMap<String, (u32, i64)>,
}

/// One transaction, as limits see it.
pub(super) struct Asked<'a> {
    pub(super) party: &'a str,
    pub(super) minor: i64,
    /// Days since 1970, local.
    pub(super) day: i64,
    /// True if one that is too large by itself closes the session.
    pub(super) single_value_closes: bool,
}

/// Counts what is asked for the session and the customer, or says which limit forbids it.
pub(super) fn count(
    limits: &Limits,
    session: &mut Tally,
    customers: &mut Customers,
    asked: &Asked<'_>,
) -> Result<(), Code> {
    let Asked { party, minor, day, .. } = *asked;
    if let Some(code) = session.closed {
        return Err(code);
    }
    if customers.day != day {
        *customers = Customers { day, moved: HashMap::new() };
    }
    let (count, value) = customers.moved.get(party).copied().unwrap_or_default();
    let count = count.saturating_add(1);
    let value = value.saturating_add(minor);
    let session_count = session.count.saturating_add(1);
    let session_value = session.value_minor.saturating_add(minor);
    let organisation = [
        (over(minor, limits.single_minor_max), codes::SINGLE_VALUE),
        (over(session_value, limits.session_minor_max), codes::ORGANISATION_VALUE),
        (over(session_count, limits.session_count_max), codes::ORGANISATION_COUNT),
    ];
    let customer = [
        (over(value, limits.customer_minor_max), codes::CUSTOMER_VALUE),
        (over(count, limits.customer_count_max), codes::CUSTOMER_COUNT),
    ];
    let hits = organisation.iter().chain(&customer).filter(|(hit, _)| *hit);
    let mut codes_hit = hits.map(|(_, code)| *code);
    if let Some(first) = codes_hit.next() {
        let code = if codes_hit.next().is_some() { codes::SEVERAL_LIMITS } else { first };
        let closes = |code: Code| asked.single_value_closes || code != codes::SINGLE_VALUE;
        if organisation.iter().any(|(hit, code)| *hit && closes(*code)) {
            session.closed = Some(code);
        }
        return Err(code);
    }
    session.count = session_count;
    session.value_minor = session_value;
    customers.moved.insert(party.to_owned(), (count, value));
    Ok(())
}

fn over<T: PartialOrd + Copy>(value: T, maximum: Option<T>) -> bool {
    maximum.is_some_and(|maximum| value > maximum)
}
