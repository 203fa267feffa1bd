//! Searching an account's rows: a Spring page through Gson, with a page index called `offset`
//! (`fineract.md` §9.4).

use std::ops::Bound;

use jiff::civil::Date;

use super::view;
use super::{Savings, SavingsTransaction};
use crate::bank::Bank;
use crate::by_id::row;
use crate::calendar;
use crate::decimal::Decimal;
use crate::json::Json;
use crate::options::Version;
use crate::query::Query;
use crate::refusal::{Problem, Refusal};

struct Filter {
    from: Option<Date>,
    to: Option<Date>,
    submitted_from: Option<Date>,
    submitted_to: Option<Date>,
    amount_from: Option<Decimal>,
    amount_to: Option<Decimal>,
    types: Vec<u16>,
    credit: bool,
    debit: bool,
    page: usize,
    size: usize,
    ascending: bool,
}

/// The page that the query asks for. An unknown account gives an empty page.
pub(crate) fn search(
    bank: &Bank,
    account: u64,
    query: &Query,
    version: Version,
) -> Result<Json, Refusal> {
    let filter = Filter::read(query)?;
    let (mut total, mut content) = (0_usize, Vec::new());
    if let Some(savings) = row(&bank.savings, account) {
        let start = filter.page.saturating_mul(filter.size);
        let wanted = start..start.saturating_add(filter.size);
        filter.each(bank, savings, |row| {
            if wanted.contains(&total) {
                content.push(view::transaction(savings, row, version));
            }
            total += 1;
        });
    }
    Ok(Json::object()
        .with("total", total)
        .with("content", content)
        .with("pageable", pageable(&filter)))
}

fn pageable(filter: &Filter) -> Json {
    let order = |property| {
        Json::object()
            .with("direction", if filter.ascending { "ASC" } else { "DESC" })
            .with("property", property)
            .with("ignoreCase", false)
            .with("nullHandling", "NATIVE")
    };
    let orders = ["transaction_date", "created_on_utc", "id"].map(order).to_vec();
    Json::object()
        .with("sort", Json::object().with("orders", orders))
        .with("pageNumber", filter.page)
        .with("pageSize", filter.size)
}

impl Filter {
    fn read(query: &Query) -> Result<Self, Refusal> {
        if query.get("orderBy").is_some() && query.get("sortOrder").is_none() {
            return Err(Refusal::Unmapped("Cannot invoke \"String.toUpperCase()\""));
        }
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
        let types = query.get("types").unwrap_or("");
        let types = types.split(',').filter(|text| !text.is_empty());
        let types: Result<Vec<u16>, _> = types.map(str::parse).collect();
        Ok(Self {
            from: date(query, "fromDate")?,
            to: date(query, "toDate")?,
            submitted_from: date(query, "fromSubmittedDate")?,
            submitted_to: date(query, "toSubmittedDate")?,
            amount_from: amount(query, "fromAmount")?,
            amount_to: amount(query, "toAmount")?,
            types: types.map_err(|_| invalid("types", query.get("types").unwrap_or("")))?,
            credit: query.get("credit") == Some("true"),
            debit: query.get("debit") == Some("true"),
            page: number("offset").unwrap_or(0),
            size: number("limit").filter(|limit| *limit > 0).unwrap_or(50),
            ascending: query
                .get("sortOrder")
                .is_some_and(|order| order.eq_ignore_ascii_case("asc")),
        })
    }

    fn each(&self, bank: &Bank, savings: &Savings, mut found: impl FnMut(&SavingsTransaction)) {
        let from = self.from.map_or(Bound::Unbounded, |date| Bound::Included((date, 0)));
        let to = self.to.map_or(Bound::Unbounded, |date| Bound::Included((date, u64::MAX)));
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return;
        }
        let mut visit = |(_, id): &(Date, u64)| {
            let row = row(&bank.savings_transactions, *id);
            if let Some(row) = row.filter(|row| self.accepts(row, savings)) {
                found(row);
            }
        };
        let rows = savings.by_date.range((from, to));
        if self.ascending { rows.for_each(&mut visit) } else { rows.rev().for_each(&mut visit) }
    }

    fn accepts(&self, row: &SavingsTransaction, savings: &Savings) -> bool {
        let exponent = |amount: &Decimal| amount.minor(savings.currency).unwrap_or(0);
        let credit = row.kind.is_credit();
        !row.is_reversal
            && self.submitted_from.is_none_or(|from| row.submitted_on >= from)
            && self.submitted_to.is_none_or(|to| row.submitted_on <= to)
            && self.amount_from.as_ref().is_none_or(|from| row.amount >= exponent(from))
            && self.amount_to.as_ref().is_none_or(|to| row.amount <= exponent(to))
            && (self.types.is_empty() || self.types.contains(&row.kind.number()))
            && (self.credit == self.debit || self.credit == credit)
    }
}

fn date(query: &Query, name: &'static str) -> Result<Option<Date>, Refusal> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let pattern = query.get("dateFormat").unwrap_or("yyyy-MM-dd");
    match calendar::parse(text, pattern) {
        Some(date) => Ok(Some(date)),
        None => Err(invalid(name, text)),
    }
}

fn amount(query: &Query, name: &'static str) -> Result<Option<Decimal>, Refusal> {
    let Some(text) = query.get(name) else { return Ok(None) };
    match Decimal::parse(text) {
        Some(amount) => Ok(Some(amount)),
        None => Err(invalid(name, text)),
    }
}

fn invalid(name: &'static str, text: &str) -> Refusal {
    let code = "validation.msg.invalid.dateFormat.format";
    let message = format!("The parameter `{name}` is invalid.");
    Refusal::invalid(Problem::new(code, message).of(name).arg(text))
}
