//! `[numbers]`: the phone numbers of the provider's wallets.

use kiungo_domain::Msisdn;
use kiungo_domain::numbering::{Market, MarketError};
use kiungo_settings::{Item, Table};

/// More countries than one provider serves, and more test numbers than a sandbox has.
const LIST_MAX: usize = 100;

/// Reads the section, which every mapping has: without it a number could only be guessed at.
pub(crate) fn read(root: &mut Table<'_>) -> Option<Market> {
    let hint = "a section [numbers] with the country calling code, for example \
                dial_codes = [\"255\"]";
    let mut table = root.required("numbers", hint)?.table()?;
    let codes = table.required("dial_codes", "country calling codes, for example [\"255\"]");
    let market = codes.and_then(|item| {
        let codes = texts(&item)?;
        or_problem(&item, Market::of(&codes))
    });
    let lengths = table.get("lengths");
    let first_digits = table.get("first_digits");
    let test_numbers = table.get("test_numbers");
    table.finish();
    let mut market = market?;
    if let Some(item) = lengths {
        let lengths = item.list()?.iter().map(|item| item.integer(4..=14)).collect::<Vec<_>>();
        let lengths = lengths.into_iter().collect::<Option<Vec<u64>>>()?;
        let lengths: Vec<usize> =
            lengths.into_iter().filter_map(|length| usize::try_from(length).ok()).collect();
        market = or_problem(&item, market.with_lengths(&lengths))?;
    }
    if let Some(item) = first_digits {
        market = or_problem(&item, market.with_first_digits(item.text()?))?;
    }
    if let Some(item) = test_numbers {
        let number =
            |text: &&str| Msisdn::parse(text).map_err(|error| item.problem(error.to_string()));
        let numbers = texts(&item)?.iter().map(number).collect::<Result<Vec<_>, ()>>().ok()?;
        market = market.with_test_numbers(numbers);
    }
    Some(market)
}

fn texts<'a>(item: &Item<'a>) -> Option<Vec<&'a str>> {
    let items = item.list()?;
    if items.len() > LIST_MAX {
        item.problem(format!("has {} entries; {LIST_MAX} at most", items.len()));
        return None;
    }
    items.iter().map(Item::text).collect()
}

fn or_problem(item: &Item<'_>, market: Result<Market, MarketError>) -> Option<Market> {
    market.map_err(|error| item.problem(error.to_string())).ok()
}
