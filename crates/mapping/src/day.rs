//! The calendar day of a provider, in its own time zone.

use std::ops::Range;

use jiff::tz::TimeZone;
use kiungo_domain::Timestamp;

/// The day of this moment, from its first moment to the first of the next; `None` outside the
/// calendar. A day may have 23 or 25 hours.
pub(crate) fn day_of(at: Timestamp, zone: &TimeZone) -> Option<Range<Timestamp>> {
    let moment = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    let today = moment.to_zoned(zone.clone()).start_of_day().ok()?;
    let tomorrow = today.tomorrow().ok()?.start_of_day().ok()?;
    let micros = |day: jiff::Zoned| Timestamp::from_micros(day.timestamp().as_microsecond());
    Some(micros(today)..micros(tomorrow))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let zoned: jiff::Zoned = text.parse().unwrap();
        Timestamp::from_micros(zoned.timestamp().as_microsecond())
    }

    #[test]
    fn a_day_is_the_providers_and_has_the_hours_that_it_has() {
        let zone = TimeZone::get("Africa/Dar_es_Salaam").unwrap();
        let start = at("2026-11-22T00:00:00+03:00[Africa/Dar_es_Salaam]");
        let end = at("2026-11-23T00:00:00+03:00[Africa/Dar_es_Salaam]");
        // The evening before in UTC is the day already.
        for moment in
            [start, at("2026-11-21T21:00:00+00:00[UTC]"), at("2026-11-22T20:59:59+00:00[UTC]")]
        {
            assert_eq!(day_of(moment, &zone), Some(start..end));
        }
        assert_eq!(day_of(end, &zone).unwrap().start, end);
        // Cairo's clocks go back on 2026-10-29 at midnight: an hour comes twice.
        let cairo = TimeZone::get("Africa/Cairo").unwrap();
        let long = day_of(at("2026-10-29T12:00:00+03:00[Africa/Cairo]"), &cairo).unwrap();
        assert_eq!(long.end.since(long.start).as_secs(), 25 * 3600);
    }

    #[test]
    fn no_moment_panics() {
        for micros in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX] {
            let _ = day_of(Timestamp::from_micros(micros), &TimeZone::UTC);
        }
        let end = jiff::Timestamp::MAX.as_microsecond();
        assert_eq!(day_of(Timestamp::from_micros(end), &TimeZone::UTC), None);
    }
}
