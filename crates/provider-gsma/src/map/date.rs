//! Date-times (`gsma-mobile-money-api.md` §7.2): written in RFC 3339, read leniently.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kiungo_domain::Timestamp;

use crate::wire::Text;

/// A moment in RFC 3339 UTC, to the millisecond; `None` outside the calendar's range.
pub(crate) fn write(at: Timestamp) -> Option<String> {
    let milliseconds = at.as_micros().div_euclid(1000);
    jiff::Timestamp::from_millisecond(milliseconds).ok().map(|moment| moment.to_string())
}

/// Like [`write`], rounded up: for the end of a period, which must not lose its last moment.
pub(crate) fn write_up(at: Timestamp) -> Option<String> {
    write(Timestamp::from_micros(at.as_micros().saturating_add(999)))
}

/// Reads a date-time; without an offset it is UTC. `None` if absent or unreadable.
pub(crate) fn read(text: Option<&Text>) -> Option<Timestamp> {
    let text = Text::given(text)?;
    let moment: jiff::Timestamp = text.parse().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(Timestamp::from_micros(moment.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        read(Some(&text.into())).map(Timestamp::as_micros)
    }

    #[test]
    fn a_date_without_offset_is_utc() {
        let expected = Some(1_620_032_007_000_000);
        assert_eq!(micros("2021-05-03T08:53:27"), expected);
        assert_eq!(micros("2021-05-03T08:53:27Z"), expected);
        assert_eq!(micros("2021-05-03T10:53:27+02:00"), expected);
        assert_eq!(micros("2021-05-03T08:53:27.5Z"), Some(1_620_032_007_500_000));
        assert_eq!(micros("yesterday"), None);
        assert_eq!(read(None), None);
    }

    #[test]
    fn a_date_is_written_in_utc() {
        let at = Timestamp::from_micros(1_772_357_400_000_000);
        assert_eq!(write(at).as_deref(), Some("2026-03-01T09:30:00Z"));
        assert_eq!(write(Timestamp::from_micros(i64::MAX)), None);
        let late = Timestamp::from_micros(1_772_357_400_000_001);
        assert_eq!(write(late).as_deref(), Some("2026-03-01T09:30:00Z"));
        assert_eq!(write_up(late).as_deref(), Some("2026-03-01T09:30:00.001Z"));
        assert_eq!(write_up(at).as_deref(), Some("2026-03-01T09:30:00Z"));
    }
}
