//! The filters of lists.

use kiungo_domain::transfer::Status;
use kiungo_domain::{Currency, Kind, Money, ProviderId, Receipt, Timestamp};
use kiungo_store::terms::account_term;
use kiungo_store::{Cursor, TransferQuery};
use serde::Deserialize;
use utoipa::IntoParams;

use super::check::{Checks, text};
use super::{time, words};
use crate::problem::Problem;
use crate::service::Wallets;

/// Rows of a page when the client does not say.
const LIMIT_DEFAULT: u32 = 50;
/// Rows of a page at most: beyond it an answer takes noticeable memory and time.
const LIMIT_MAX: u32 = 500;

/// A filter of transfers. Every parameter that is given must fit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransferFilter {
    /// One or more statuses, separated by commas.
    #[param(example = "received,in_progress")]
    status: Option<String>,
    /// The kind.
    #[param(schema_with = words::kind_schema, required = false)]
    kind: Option<String>,
    /// The provider.
    #[param(pattern = "^[a-z0-9-]{1,32}$")]
    provider: Option<String>,
    /// The wallet, in any form that its provider's market has. In national form it may need `provider`
    /// beside it.
    #[param(pattern = "^[^0-9]*([0-9][^0-9]*){6,17}$")]
    msisdn: Option<String>,
    /// A receipt, of the provider or of the core. It is looked for as it is given, then in upper case.
    #[param(min_length = 1, max_length = 256)]
    receipt: Option<String>,
    /// Your own id.
    #[param(min_length = 1, max_length = 100)]
    client_reference: Option<String>,
    /// An account as people have it: its number or id in the core, the name under which the transfer was
    /// asked for, or the text that the payer typed. Letters and digits count, in upper or lower case, and
    /// zeros in front of a number do not.
    #[param(min_length = 1, max_length = 100, example = "000004400")]
    account: Option<String>,
    /// The gross amount, with `currency` beside it.
    #[param(pattern = r"^[0-9]+(\.[0-9]+)?$", example = "125.50")]
    amount: Option<String>,
    /// The currency of `amount` (ISO 4217).
    #[param(pattern = "^[A-Z]{3}$", example = "TZS")]
    currency: Option<String>,
    /// Received at this moment (RFC 3339) or later.
    #[param(example = "2026-11-21T00:00:00Z", format = DateTime)]
    from: Option<String>,
    /// Received before this moment.
    #[param(format = DateTime)]
    to: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 3, max_length = 101)]
    cursor: Option<String>,
    /// Rows at most: 1 to 500, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// A filter of suspended transfers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuspenseFilter {
    /// The provider.
    #[param(pattern = "^[a-z0-9-]{1,32}$")]
    provider: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 3, max_length = 101)]
    cursor: Option<String>,
    /// Rows at most: 1 to 500, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// A page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageFilter {
    /// `next` of the page before.
    #[param(min_length = 3, max_length = 101)]
    cursor: Option<String>,
    /// Rows at most: 1 to 500, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

impl TransferFilter {
    /// The query, if every parameter is right.
    pub fn read(self, wallets: &dyn Wallets) -> Result<TransferQuery, Problem> {
        let mut checks = Checks::default();
        let provider = provider(self.provider, &mut checks);
        let msisdn = self.msisdn.and_then(|text| {
            checks.parameter("msisdn", wallets.find_wallet(provider.as_ref(), &text))
        });
        let statuses = self.status.and_then(|list| checks.parameter("status", statuses(&list)));
        let from = self.from.and_then(|text| checks.parameter("from", time::from_text(&text)));
        let to = self.to.and_then(|text| checks.parameter("to", time::from_text(&text)));
        let amount = amount(self.amount.as_deref(), self.currency.as_deref(), &mut checks);
        let account = self.account.and_then(|name| {
            let name = checks.parameter("account", text(&name, 100))?;
            let why = "an account is named by letters or digits, and not by zeros alone";
            checks.parameter("account", account_term(&name).ok_or(why))
        });
        let query = TransferQuery {
            statuses: statuses.unwrap_or_default(),
            kind: self.kind.and_then(|word| checks.parameter("kind", kind(&word))),
            provider,
            msisdn,
            receipt: self.receipt.and_then(|text| checks.parameter("receipt", Receipt::new(&text))),
            client_reference: self
                .client_reference
                .and_then(|id| checks.parameter("client_reference", text(&id, 100))),
            account,
            amount,
            from,
            to,
            cursor: cursor(self.cursor, Cursor::of_transfers, &mut checks),
            limit: limit(self.limit, &mut checks),
            ..TransferQuery::default()
        };
        checks.parameter("to", in_order(from, to));
        checks.finish()?;
        Ok(query)
    }
}

impl SuspenseFilter {
    /// The query, if every parameter is right.
    pub fn read(self) -> Result<TransferQuery, Problem> {
        let mut checks = Checks::default();
        let query = TransferQuery {
            statuses: vec![Status::Suspended],
            provider: provider(self.provider, &mut checks),
            cursor: cursor(self.cursor, Cursor::of_transfers, &mut checks),
            limit: limit(self.limit, &mut checks),
            ..TransferQuery::default()
        };
        checks.finish()?;
        Ok(query)
    }
}

impl PageFilter {
    /// The cursor and the limit, if both are right.
    pub fn read(self) -> Result<(Option<Cursor>, u32), Problem> {
        let mut checks = Checks::default();
        let cursor = cursor(self.cursor, Cursor::of_cases, &mut checks);
        let limit = limit(self.limit, &mut checks);
        checks.finish()?;
        Ok((cursor, limit))
    }
}

fn statuses(list: &str) -> Result<Vec<Status>, String> {
    let status = |word: &str| {
        let found = Status::ALL.into_iter().find(|status| status.as_str() == word);
        found.ok_or_else(|| {
            format!("a status is one of {}", Status::ALL.map(Status::as_str).join(", "))
        })
    };
    let mut statuses = list.split(',').map(status).collect::<Result<Vec<_>, _>>()?;
    // Saying one twice asks for nothing more, and the list stays as short as there are statuses.
    statuses.sort_unstable();
    statuses.dedup();
    Ok(statuses)
}

fn kind(word: &str) -> Result<Kind, String> {
    let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| format!("a kind is one of {}", Kind::ALL.map(Kind::as_str).join(", ")))
}

fn provider(name: Option<String>, checks: &mut Checks) -> Option<ProviderId> {
    name.and_then(|name| checks.parameter("provider", ProviderId::new(&name)))
}

/// An amount is looked for in its currency, and a currency only with an amount.
fn amount(amount: Option<&str>, currency: Option<&str>, checks: &mut Checks) -> Option<Money> {
    let (amount, currency) = match (amount, currency) {
        (None, None) => return None,
        (Some(amount), Some(currency)) => (amount, currency),
        (Some(_), None) => {
            return checks.parameter("amount", Err("an amount needs `currency` beside it"));
        }
        (None, Some(_)) => {
            return checks.parameter("currency", Err("a currency needs `amount` beside it"));
        }
    };
    let currency = checks.parameter("currency", Currency::from_code(currency))?;
    checks.parameter("amount", Money::parse(amount, currency))
}

fn cursor(
    text: Option<String>,
    read: fn(&str) -> Option<Cursor>,
    checks: &mut Checks,
) -> Option<Cursor> {
    let why = "a cursor is `next` of the page before, unchanged";
    text.and_then(|text| checks.parameter("cursor", read(&text).ok_or(why)))
}

pub(super) fn limit(limit: Option<String>, checks: &mut Checks) -> u32 {
    let read = |text: &str| match text.parse() {
        Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        _ => Err(format!("a limit is 1 to {LIMIT_MAX}")),
    };
    limit.and_then(|text| checks.parameter("limit", read(&text))).unwrap_or(LIMIT_DEFAULT)
}

fn in_order(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), &'static str> {
    match (from, to) {
        (Some(from), Some(to)) if to <= from => Err("`to` is not after `from`"),
        _ => Ok(()),
    }
}
