//! Which way into the table of transfers a search takes.

use kiungo_domain::transfer::Status;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::{read, sql};
use crate::page::{Position, page, page_limit};
use crate::{Page, StoreError, Summary, TransferQuery};

type Found = Vec<(Position<i64>, Summary)>;

/// A statement, and what it looks for.
type Way = (&'static str, Option<String>);

pub(super) async fn search(
    readers: &SqlitePool,
    query: &TransferQuery,
) -> Result<Page<Summary>, StoreError> {
    let limit = page_limit(query.limit);
    let bounds = Bounds::of(query)?;
    let mut found = Found::new();
    for way in ways(query) {
        found.extend(walk(readers, query, &way, &bounds, limit).await?);
    }
    // Several ways lead to disjoint rows, each in order; together they are sorted once more.
    found.sort_by_key(|(position, _)| std::cmp::Reverse((position.at, position.key)));
    Ok(page(found, limit))
}

/// The narrowest way that the query allows. Statuses are walked one by one, each as far as the page
/// reaches: a rare one is found at once, and a frequent one is not sorted as a whole.
fn ways(query: &TransferQuery) -> Vec<Way> {
    if let Some(receipt) = &query.receipt {
        return vec![(sql::SEARCH_RECEIPT, Some(receipt.as_str().to_owned()))];
    }
    if let Some(reference) = &query.client_reference {
        return vec![(sql::SEARCH_CLIENT_REFERENCE, Some(reference.clone()))];
    }
    if let Some(msisdn) = &query.msisdn {
        return vec![(sql::SEARCH_MSISDN, Some(msisdn.digits().to_owned()))];
    }
    if !query.statuses.is_empty() {
        let asked = |status: &Status| query.statuses.contains(status);
        let way = |status: Status| (sql::SEARCH_STATUS, Some(status.as_str().to_owned()));
        return Status::ALL.into_iter().filter(asked).map(way).collect();
    }
    if let Some(provider) = &query.provider {
        return vec![(sql::SEARCH_PROVIDER, Some(provider.as_str().to_owned()))];
    }
    vec![(sql::SEARCH_ALL, None)]
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
        let from = query.from.map_or(i64::MIN, kiungo_domain::Timestamp::as_micros);
        let last = query.to.map_or(i64::MAX, |to| to.as_micros().saturating_sub(1));
        Ok(match after {
            Some(position) if position.at.as_micros() <= last => {
                Self { from, until: position.at.as_micros(), before_no: position.key }
            }
            _ => Self { from, until: last, before_no: i64::MAX },
        })
    }
}

async fn walk(
    readers: &SqlitePool,
    query: &TransferQuery,
    way: &Way,
    bounds: &Bounds,
    limit: usize,
) -> Result<Found, StoreError> {
    let words: Vec<&str> = query.statuses.iter().map(|status| status.as_str()).collect();
    let statuses = if words.is_empty() { None } else { Some(crate::batch::rows::json(&words)?) };
    let rows = sqlx::query(way.0)
        .bind(way.1.as_deref())
        .bind(statuses)
        .bind(query.kind.map(kiungo_domain::Kind::as_str))
        .bind(query.provider.as_ref().map(kiungo_domain::ProviderId::as_str))
        .bind(query.msisdn.as_ref().map(kiungo_domain::Msisdn::digits))
        .bind(bounds.from)
        .bind(bounds.until)
        .bind(bounds.before_no)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
        .bind(query.client_reference.as_deref())
        .fetch_all(readers)
        .await
        .map_err(|error| read::unavailable(&error))?;
    rows.iter().map(found).collect()
}

fn found(row: &SqliteRow) -> Result<(Position<i64>, Summary), StoreError> {
    let position = Position { at: read::time(row, 1)?, key: read::integer(row, 0)? };
    Ok((position, read::json(row, 2)?))
}
