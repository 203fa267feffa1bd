//! `[fees.*]`: the charges of a provider, by operation and amount.
//!
//! A fee stands beside its amount, never inside it (rule 9). The tables serve to show a fee before
//! it is charged, and to compare with the fee that the provider states.

use kiungo_domain::Money;
use kiungo_domain::policy::FeePayer;
use kiungo_domain::transfer::ByOperation;
use kiungo_settings::{Item, Table};

use crate::money::{Limits, MoneyFormat, read_amount};
use crate::operations;

/// The fee of one operation by its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeTable {
    /// The payer of the fee.
    pub paid_by: FeePayer,
    rounding: Rounding,
    /// The smallest step of a fee, in minor units.
    unit: i64,
    /// In ascending order of `up_to`.
    bands: Vec<Band>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Up,
    HalfUp,
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Band {
    up_to: Option<i64>,
    flat: i64,
    per_mille: i64,
    min: i64,
    max: Option<i64>,
}

/// Reads `[fees]`; `limits` are those of the file, if they can be read.
pub(crate) fn read(
    root: &mut Table<'_>,
    money: MoneyFormat,
    limits: Option<&ByOperation<Limits>>,
) -> ByOperation<FeeTable> {
    let Some(mut table) = root.table("fees") else { return ByOperation::default() };
    let fees =
        operations::values(&mut table, operations::with_limits_and_fees(), |operation, fee| {
            let max = limits.and_then(|limits| limits.get(operation)).map(|limits| limits.max);
            FeeTable::read(fee, money, max)
        });
    table.finish();
    fees
}

impl FeeTable {
    /// The fee for this gross amount; `None` beyond the table's last band.
    pub fn fee(&self, amount: Money) -> Option<Money> {
        let minor = amount.minor();
        let band = self.bands.iter().find(|band| band.up_to.is_none_or(|up_to| minor <= up_to))?;
        let share = self.round(i128::from(minor) * i128::from(band.per_mille))?;
        let fee = band.flat.checked_add(share)?.max(band.min);
        Money::from_minor(band.max.map_or(fee, |max| fee.min(max)), amount.currency())
    }

    /// `thousandths` of a minor unit as minor units, rounded to the table's unit.
    fn round(&self, thousandths: i128) -> Option<i64> {
        let unit = i128::from(self.unit) * 1000;
        let units = match self.rounding {
            Rounding::Down => thousandths / unit,
            Rounding::HalfUp => (thousandths + unit / 2) / unit,
            Rounding::Up => (thousandths + unit - 1) / unit,
        };
        i64::try_from(units * i128::from(self.unit)).ok()
    }

    fn read(mut table: Table<'_>, money: MoneyFormat, max: Option<Money>) -> Option<Self> {
        let paid_by = table
            .required("paid_by", "\"customer\" or \"organisation\"")
            .and_then(|item| item.choice(&FeePayer::ALL.map(|payer| (payer.as_str(), payer))));
        let words = [("up", Rounding::Up), ("half_up", Rounding::HalfUp), ("down", Rounding::Down)];
        let rounding = table.get("rounding").and_then(|item| item.choice(&words));
        let bands = table.required("bands", "a list such as [{ up_to = \"1000\", flat = \"10\" }]");
        let bands = bands.and_then(|item| bands_of(&item, money, max));
        table.finish();
        let (rounding, unit) = (rounding.unwrap_or(Rounding::HalfUp), money.unit());
        Some(Self { paid_by: paid_by?, rounding, unit, bands: bands? })
    }
}

/// `max` is the largest amount of a transaction, which the bands have to reach.
fn bands_of(item: &Item<'_>, money: MoneyFormat, max: Option<Money>) -> Option<Vec<Band>> {
    let (before, items) = (item.problem_count(), item.list()?);
    if items.is_empty() {
        item.problem("must have at least one band; leave the section out if there is no fee");
    }
    let mut bands: Vec<Band> = Vec::new();
    for item in &items {
        let band = band(item, money)?;
        match bands.last().map(|last| last.up_to) {
            Some(None) => item.problem("is never reached: the band in front of it has no up_to"),
            Some(Some(last)) if band.up_to.is_some_and(|up_to| up_to <= last) => {
                item.problem("its up_to must be more than that of the band in front of it");
            }
            _ => {}
        }
        bands.push(band);
    }
    if let (Some(item), Some(end), Some(max)) =
        (items.last(), bands.last().and_then(|last| last.up_to), max)
        && item.problem_count() == before
        && end < max.minor()
    {
        item.problem(format!(
            "is the last band and ends below {max}, the max of [limits]: what is more would have no \
             known fee; leave its up_to out, or add a band"
        ));
    }
    Some(bands)
}

fn band(item: &Item<'_>, money: MoneyFormat) -> Option<Band> {
    let mut table = item.table()?;
    let mut amount = |key| Some(read_amount(&table.get(key)?, money.currency)?.minor());
    let (up_to, flat) = (amount("up_to"), amount("flat"));
    let (min, max) = (amount("min"), amount("max"));
    let per_mille = table.get("per_mille").and_then(|item| item.integer(0..=1000));
    if flat.is_none() && per_mille.is_none() {
        table.problem("must say flat, per_mille, or both; a band without fee is flat = \"0\"");
    }
    if let (Some(min), Some(max)) = (min, max)
        && max < min
    {
        table.problem("its max is less than its min");
    }
    table.finish();
    let per_mille = per_mille.and_then(|number| i64::try_from(number).ok()).unwrap_or(0);
    Some(Band { up_to, flat: flat.unwrap_or(0), per_mille, min: min.unwrap_or(0), max })
}

#[cfg(test)]
mod tests {
    use kiungo_domain::Currency;
    use proptest::prelude::*;

    use super::*;

    fn shillings(minor: i64) -> Money {
        Money::from_minor(minor, Currency::from_code("TZS").unwrap()).unwrap()
    }

    fn table(rounding: Rounding) -> FeeTable {
        let band = Band { up_to: Some(100_000), flat: 1000, per_mille: 0, min: 0, max: None };
        let share = Band { up_to: None, flat: 0, per_mille: 15, min: 2000, max: Some(50_000) };
        FeeTable { paid_by: FeePayer::Customer, rounding, unit: 100, bands: vec![band, share] }
    }

    #[test]
    fn a_fee_is_flat_or_a_share_within_bounds_in_whole_units() {
        let fee = |minor| table(Rounding::HalfUp).fee(shillings(minor)).unwrap().minor();
        assert_eq!(fee(100_000), 1000);
        assert_eq!(fee(100_001), 2000, "the minimum");
        assert_eq!(fee(1_003_300), 15_000, "15049.5 rounds down to whole shillings");
        assert_eq!(fee(1_003_400), 15_100, "15051 rounds up to whole shillings");
        assert_eq!(fee(90_000_000), 50_000, "the maximum");
        assert_eq!(table(Rounding::Up).fee(shillings(1_000_100)).unwrap().minor(), 15_100);
        assert_eq!(table(Rounding::Down).fee(shillings(1_006_600)).unwrap().minor(), 15_000);
    }

    #[test]
    fn beyond_the_last_band_there_is_no_known_fee() {
        let mut table = table(Rounding::Down);
        table.bands.truncate(1);
        assert_eq!(table.fee(shillings(100_001)), None);
    }

    proptest! {
        #[test]
        fn no_amount_overflows(minor in 0..i64::MAX) {
            for rounding in [Rounding::Up, Rounding::HalfUp, Rounding::Down] {
                let fee = table(rounding).fee(shillings(minor)).unwrap();
                prop_assert!(fee.minor() <= 50_000);
            }
        }
    }
}
