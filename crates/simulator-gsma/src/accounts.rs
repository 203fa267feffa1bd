//! Asking about accounts (`gsma-mobile-money-api.md` §5, §7.3, §10.5).

use axum::extract::{Query, State as Shared};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use kiungo_domain::{Money, Timestamp};
use kiungo_simulator::ledger::FLOAT;
use kiungo_simulator::people::name_of;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{ApiError, Category};
use super::format;
use super::order::KINDS;
use super::simulator::{Api, Simulator};
use super::state::{AccountStatus, Transaction};
use super::version::Version;

/// The query of a list (§5).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
    #[serde(alias = "fromdatetime")]
    from_date_time: Option<String>,
    #[serde(alias = "todatetime")]
    to_date_time: Option<String>,
    transaction_status: Option<String>,
    transaction_type: Option<String>,
}

/// The number of records that come back if the client names none.
const LIMIT: usize = 50;

/// `GET /accounts/balance`, and `GET /accounts/{acct}/…` in both forms of addressing.
pub(super) async fn read(
    Shared(api): Shared<Api>,
    uri: Uri,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let (simulator, version) = (&api.simulator, api.version);
    let key = uri.path().to_owned();
    let answer = move |simulator: &Simulator| {
        let now = simulator.now();
        let answered = address(simulator, uri.path()).and_then(|(party, resource)| {
            let page = page.map_err(|_| malformed("Paging", now))?;
            answer(simulator, version, &party, &resource, &page)
        });
        answered.unwrap_or_else(|error| simulator.refuse(&error))
    };
    simulator.inquire("account", Some(key), answer).await
}

fn malformed(what: &str, now: Timestamp) -> ApiError {
    ApiError::new(Category::Validation, "formatError", format!("{what} malformed"), now)
}

/// The party and the resource that a path names.
fn address(simulator: &Simulator, path: &str) -> Result<(String, String), ApiError> {
    let now = simulator.now();
    let unknown = || ApiError::unknown("Resource", now);
    let decoded: Option<Vec<String>> =
        path.trim_start_matches("/accounts").split('/').skip(1).map(format::decode).collect();
    let segments = decoded.ok_or_else(|| malformed("Path", now))?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let bad_key = || malformed("Identifier type", now).field("identifierType", "see the key list");
    let own = &simulator.options().own_account;
    let party = |key: &str, value: &str| {
        if simulator.options().strict && !format::is_key(key) {
            return Err(bad_key());
        }
        format::party(key, value, own).ok_or_else(|| malformed("Identifier", now))
    };
    match segments.as_slice() {
        ["balance"] => Ok((FLOAT.to_owned(), "balance".to_owned())),
        [pairs, resource] if pairs.contains('@') => {
            let pairs: Vec<&str> = pairs.split('$').collect();
            let parties = pairs.iter().map(|pair| {
                let (key, value) = pair.split_once('@').ok_or_else(|| malformed("Path", now))?;
                party(key, value)
            });
            let parties = parties.collect::<Result<Vec<_>, _>>()?;
            let known = |party: &&String| simulator.state().ledger.balance(party).is_some();
            let found = parties.iter().find(known).or(parties.first());
            let found = found.filter(|_| pairs.len() <= 3).ok_or_else(|| malformed("Path", now))?;
            Ok((found.clone(), (*resource).to_owned()))
        }
        [key, value, resource] => Ok((party(key, value)?, (*resource).to_owned())),
        _ => Err(unknown()),
    }
}

fn answer(
    simulator: &Simulator,
    version: Version,
    party: &str,
    resource: &str,
    page: &Page,
) -> Result<Response, ApiError> {
    let now = simulator.now();
    let mut state = simulator.state();
    let (status, balance) = (state.status(party), state.ledger.balance(party));
    drop(state);
    let unknown = || ApiError::unknown("Account", now);
    if resource == "status" && status == AccountStatus::Unregistered {
        return Ok(format::json(StatusCode::OK, &json!({ "accountStatus": status })));
    }
    let minor = balance.ok_or_else(unknown)?;
    let body = match resource {
        "status" => json!({ "accountStatus": status }),
        "accountname" => name(party),
        "balance" => balance_of(simulator, status, minor),
        "transactions" => return transactions(simulator, version, party, page),
        _ => return Err(ApiError::unknown("Resource", now)),
    };
    Ok(format::json(StatusCode::OK, &body))
}

fn balance_of(simulator: &Simulator, status: AccountStatus, minor: i64) -> Value {
    let currency = simulator.options().currency;
    let text =
        |minor| Money::from_minor(minor, currency).map(Money::to_short_decimal).unwrap_or_default();
    json!({
        "accountStatus": status,
        "currentBalance": text(minor),
        "availableBalance": text(minor),
        "reservedBalance": text(0),
        "unclearedBalance": text(0),
        "currency": currency.code(),
    })
}

fn name(party: &str) -> Value {
    let (first, last) = name_of(party);
    let full = format!("{first} {last}");
    json!({ "name": { "firstName": first, "lastName": last, "fullName": full } })
}

/// A page of an account's transactions, newest first, with the two counts (§5).
fn transactions(
    simulator: &Simulator,
    version: Version,
    party: &str,
    page: &Page,
) -> Result<Response, ApiError> {
    let now = simulator.now();
    let kind = page.transaction_type.as_deref();
    if simulator.options().strict && kind.is_some_and(|kind| !KINDS.contains(&kind)) {
        return Err(malformed("Type", now).field("transactionType", &KINDS.join("|")));
    }
    let quirks = &simulator.options().quirks;
    let bound = |text: &Option<String>| match text {
        None => Ok(None),
        // A raw `+` of an offset arrives as a blank.
        Some(text) => format::read_date_time(&text.replace(' ', "+"))
            .map(|at| Some(at.as_micros()))
            .ok_or_else(|| malformed("Date", now)),
    };
    let (from, to) = (bound(&page.from_date_time)?, bound(&page.to_date_time)?);
    let same = |wanted: &Option<String>, word: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(word))
    };
    let wanted = |found: &&Transaction| {
        // Dates are written to the second, and compared as written.
        let created = found.created.as_micros() / 1_000_000 * 1_000_000;
        from.is_none_or(|from| created >= from)
            && to.is_none_or(|to| created <= to)
            && now >= found.visible_at
            && same(&page.transaction_status, found.status)
            && same(&page.transaction_type, &found.kind)
    };
    let state = simulator.state();
    let available = state.of_party(party).filter(wanted).count();
    if quirks.invalid_offset && page.offset > 0 && page.offset >= available {
        let text = "The offset lies past the end";
        return Err(ApiError::new(Category::Validation, "invalidOffset", text, now));
    }
    let limit = page.limit.unwrap_or(LIMIT).min(simulator.options().page_max);
    let chosen = state.of_party(party).filter(wanted).skip(page.offset).take(limit);
    let records: Vec<Value> = chosen.map(|found| found.to_json(quirks, version)).collect();
    drop(state);
    let counts =
        [("X-Records-Available-Count", available), ("X-Records-Returned-Count", records.len())];
    let mut response = format::json(StatusCode::OK, &Value::Array(records));
    for (header, count) in counts {
        response.headers_mut().insert(header, HeaderValue::from(count));
    }
    Ok(response)
}
