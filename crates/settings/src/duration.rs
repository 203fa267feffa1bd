//! Durations as people write them: `30s`, `2m`, `1h 30m`.

use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

/// The text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write whole numbers with ms, s, m, h or d, for example \"30s\" or \"1h 30m\"")]
pub struct DurationError;

/// Units in milliseconds, the largest first.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a duration: whole numbers, each with `ms`, `s`, `m` (minutes), `h` or `d`, the larger unit
/// first.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    let (mut sum, mut smallest) = (0_u64, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at(letters);
        let number: u64 = number.parse().map_err(|_| DurationError)?;
        let (_, milliseconds) =
            UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError)?;
        if *milliseconds >= smallest {
            return Err(DurationError);
        }
        smallest = *milliseconds;
        sum = number
            .checked_mul(*milliseconds)
            .and_then(|part| sum.checked_add(part))
            .ok_or(DurationError)?;
        rest = behind.trim_start();
    }
    if smallest == u64::MAX { Err(DurationError) } else { Ok(Duration::from_millis(sum)) }
}

/// Reads a duration within bounds; what is wrong with the text otherwise.
pub fn parse_within(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = parse(text).map_err(|error| format!("`{text}` is not a duration: {error}"))?;
    if range.contains(&duration) {
        return Ok(duration);
    }
    let (least, most) = (print(*range.start()), print(*range.end()));
    Err(format!("`{text}` is not between {least} and {most}"))
}

/// Writes a duration so that [`parse`] reads it again, to the millisecond.
pub fn print(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut parts = Vec::new();
    for (name, milliseconds) in UNITS {
        if rest >= milliseconds {
            parts.push(format!("{}{name}", rest / milliseconds));
            rest %= milliseconds;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("30s", 30), ("2m", 120), ("1h 30m", 5400), ("1h30m", 5400)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "30", "s", "-1s", "1.5h", "30m 1h", "1s1s", "1 w", "99999999999999999d"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_belong_to_what_is_allowed() {
        let range = Duration::from_secs(1)..=Duration::from_mins(1);
        for (text, read) in [
            ("1s", Ok(Duration::from_secs(1))),
            ("60s", Ok(Duration::from_mins(1))),
            ("61s", Err("`61s` is not between 1s and 1m".to_owned())),
            ("1", Err(format!("`1` is not a duration: {DurationError}"))),
        ] {
            assert_eq!(parse_within(text, &range), read);
        }
    }

    proptest! {
        #[test]
        fn printed_durations_are_read_again(milliseconds in 0..u64::MAX) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse(&print(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
