//! Chooses the statement by which a search finds its transfers.

use kiungo_domain::{CoreId, Kind, Msisdn, ProviderId, Timestamp};
use kiungo_store::page::{Position, page, page_limit};
use kiungo_store::terms::amount_term;
use kiungo_store::{Page, StoreError, Summary, TransferQuery};

use super::read;
use super::session::{Parameter, Readers, Record};
use super::statements::Statements;

type Found = (Position<i64>, Summary);

/// A statement, and the text that it looks for.
type Way = (&'static str, Option<String>);

pub(super) async fn search(
    readers: &impl Readers,
    query: &TransferQuery,
) -> Result<Page<Summary>, StoreError> {
    let (statement, parameters) = asked(readers.statements(), query)?;
    let rows = readers.rows(statement, parameters).await?;
    let rows: Result<_, StoreError> = rows.iter().map(found).collect();
    Ok(page(rows?, page_limit(query.limit)))
}

/// The statement that answers a query, with what it is given.
pub(crate) fn asked(
    statements: &Statements,
    query: &TransferQuery,
) -> Result<(&'static str, Vec<Parameter>), StoreError> {
    let (statement, sought) = way(statements, query);
    Ok((statement, Bounds::of(query)?.parameters(query, sought)))
}

/// The narrowest way that the query allows. Combinations of provider, kind and status are walked
/// one by one, each as far as the page reaches: a rare one is found at once, and a frequent one is
/// not sorted as a whole.
fn way(statements: &Statements, query: &TransferQuery) -> Way {
    if let Some(receipt) = &query.receipt {
        return (statements.search_receipt, Some(receipt.as_str().to_owned()));
    }
    if let Some(reference) = &query.client_reference {
        return (statements.search_client_reference, Some(reference.clone()));
    }
    if let Some(account) = &query.account {
        return (statements.search_term, Some(account.clone()));
    }
    if let Some(msisdn) = &query.msisdn {
        return (statements.search_msisdn, Some(msisdn.digits().to_owned()));
    }
    if let Some(amount) = query.amount {
        return (statements.search_term, Some(amount_term(amount)));
    }
    let by_standing = !query.statuses.is_empty()
        || query.provider.is_some()
        || query.kind.is_some()
        || !query.providers.is_empty()
        || !query.kinds.is_empty();
    (if by_standing { statements.search_standing } else { statements.search_all }, None)
}

/// Between which times, and before which number at the later of them.
struct Bounds {
    from: i64,
    until: i64,
    before_no: i64,
}

impl Bounds {
    fn of(query: &TransferQuery) -> Result<Self, StoreError> {
        let after = Position::<i64>::after(query.cursor.as_ref())?;
        let from = query.from.map_or(i64::MIN, Timestamp::as_micros);
        let last = query.to.map_or(i64::MAX, |to| to.as_micros().saturating_sub(1));
        Ok(match after {
            Some(position) if position.at.as_micros() <= last => {
                Self { from, until: position.at.as_micros(), before_no: position.key }
            }
            _ => Self { from, until: last, before_no: i64::MAX },
        })
    }

    /// In the order in which all statements of a search take them.
    fn parameters(&self, query: &TransferQuery, sought: Option<String>) -> Vec<Parameter> {
        let statuses = query.statuses.iter().map(|status| status.as_str());
        let kinds = query.kinds.iter().map(|kind| kind.as_str());
        let rows = i64::try_from(page_limit(query.limit)).unwrap_or(i64::MAX - 1) + 1;
        vec![
            Parameter::Text(sought),
            words(statuses),
            Parameter::Text(query.kind.map(Kind::as_str).map(str::to_owned)),
            Parameter::Text(query.provider.as_ref().map(ProviderId::as_str).map(str::to_owned)),
            Parameter::Text(query.msisdn.as_ref().map(Msisdn::digits).map(str::to_owned)),
            Parameter::Integer(self.from),
            Parameter::Integer(self.until),
            Parameter::Integer(self.before_no),
            Parameter::Integer(rows),
            Parameter::Text(query.client_reference.clone()),
            words(query.cores.iter().map(CoreId::as_str)),
            words(query.providers.iter().map(ProviderId::as_str)),
            words(kinds),
            Parameter::Text(query.account.clone()),
            Parameter::Text(query.amount.map(amount_term)),
        ]
    }
}

/// One of these; any, if there are none.
fn words<'a>(words: impl Iterator<Item = &'a str>) -> Parameter {
    let words: Vec<String> = words.map(str::to_owned).collect();
    Parameter::Words((!words.is_empty()).then_some(words))
}

fn found(row: &impl Record) -> Result<Found, StoreError> {
    let position = Position { at: read::time(row, 1)?, key: read::integer(row, 0)? };
    Ok((position, read::summary(row, 2)?))
}
