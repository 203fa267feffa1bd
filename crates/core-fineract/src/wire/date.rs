//! Dates in both shapes: `[2026,9,1]` and `"2026-09-01"`.

use serde::Deserialize;

/// A day without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "Shape")]
pub(crate) struct Date(pub(crate) jiff::civil::Date);

#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    Numbers(Vec<i64>),
    Text(String),
}

impl TryFrom<Shape> for Date {
    type Error = &'static str;

    fn try_from(shape: Shape) -> Result<Self, Self::Error> {
        match shape {
            Shape::Numbers(numbers) => from_numbers(&numbers),
            Shape::Text(text) => text.get(..10).and_then(|day| day.parse().ok()),
        }
        .map(Self)
        .ok_or("this is not a date")
    }
}

/// Year, month and day; a time of day behind them is dropped.
fn from_numbers(numbers: &[i64]) -> Option<jiff::civil::Date> {
    let [year, month, day, ..] = numbers else { return None };
    jiff::civil::Date::new(
        i16::try_from(*year).ok()?,
        i8::try_from(*month).ok()?,
        i8::try_from(*day).ok()?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_one_day() {
        let day = Date(jiff::civil::date(2026, 9, 1));
        for text in
            ["[2026,9,1]", "\"2026-09-01\"", "[2026,9,1,7,15,30]", "\"2026-09-01T07:15:30\""]
        {
            assert_eq!(serde_json::from_str::<Date>(text).unwrap(), day, "{text}");
        }
        for text in ["[]", "[2026,9]", "[2026,13,1]", "\"\"", "\"01.09.2026\"", "5", "[99999,1,1]"]
        {
            assert!(serde_json::from_str::<Date>(text).is_err(), "{text}");
        }
    }
}
