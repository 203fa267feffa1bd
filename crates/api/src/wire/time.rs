//! Moments as RFC 3339, in UTC, with microseconds.

use kiungo_domain::Timestamp;

/// The moment as text. A moment beyond the range of RFC 3339 becomes the nearest one within it.
pub fn to_text(moment: Timestamp) -> String {
    let nearest = if moment.as_micros() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let moment = jiff::Timestamp::from_microsecond(moment.as_micros()).unwrap_or(nearest);
    format!("{moment:.6}")
}

/// The moment that a text names.
pub fn from_text(text: &str) -> Result<Timestamp, &'static str> {
    let moment: Result<jiff::Timestamp, _> = text.parse();
    moment.map(|moment| Timestamp::from_micros(moment.as_microsecond())).map_err(|_| {
        "a moment is written as in RFC 3339, for example 2026-11-21T08:30:00Z (in an address, `+` \
         is written %2B)"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_six_decimals_and_is_read_back() {
        let moment = Timestamp::from_micros(1_795_250_000_000_500);
        assert_eq!(to_text(moment), "2026-11-21T08:33:20.000500Z");
        assert_eq!(from_text(&to_text(moment)), Ok(moment));
        assert_eq!(from_text("2026-11-21T11:33:20.0005+03:00"), Ok(moment));
        assert!(from_text("2026-11-21").is_err() && from_text("2026-11-21T08:33:20").is_err());
    }

    #[test]
    fn a_moment_out_of_range_is_written_as_the_nearest() {
        assert!(to_text(Timestamp::from_micros(i64::MAX)).starts_with("9999-12-3"));
        assert!(to_text(Timestamp::from_micros(i64::MIN)).starts_with("-00"));
    }
}
