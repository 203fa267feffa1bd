//! Moments as people read them: in the zone of this machine, with its offset.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// The form of a moment.
const FORM: &str = "%Y-%m-%d %H:%M:%S %:z";

/// The members of answers whose values are moments.
const MOMENTS: [&str; 7] =
    ["at", "since", "received_at", "updated_at", "opened_at", "heard_at", "in_transit_since"];

/// The zone of this machine: that of `TZ`, if it is set.
pub(crate) fn here() -> TimeZone {
    TimeZone::system()
}

/// True for a member of an answer whose value is a moment.
pub(crate) fn is_moment(member: &str) -> bool {
    MOMENTS.contains(&member)
}

/// A moment of an answer, to the second: less is in JSON. A text that is no moment is left as it
/// is.
pub(crate) fn shown(moment: &str, zone: &TimeZone) -> String {
    let Ok(moment) = moment.parse::<Timestamp>() else { return moment.to_owned() };
    moment.to_zoned(zone.clone()).strftime(FORM).to_string()
}

/// A moment that a person gave, for the server: RFC 3339, or a date with or without a time, which
/// are in this zone. The server refuses any other text.
pub(crate) fn given(text: &str, zone: &TimeZone) -> String {
    if text.parse::<Timestamp>().is_ok() {
        return text.to_owned();
    }
    let civil: Result<civil::DateTime, _> = text.trim().parse();
    match civil.and_then(|moment| moment.to_zoned(zone.clone())) {
        Ok(moment) => moment.timestamp().to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn a_moment_is_shown_in_the_zone_with_its_offset() {
        let moment = "2026-11-21T08:33:20.000500Z";
        assert_eq!(shown(moment, &zone("Africa/Nairobi")), "2026-11-21 11:33:20 +03:00");
        assert_eq!(shown(moment, &zone("Africa/Accra")), "2026-11-21 08:33:20 +00:00");
        assert_eq!(shown(moment, &TimeZone::UTC), "2026-11-21 08:33:20 +00:00");
        let night = "2026-11-21T22:33:20.000500Z";
        assert_eq!(shown(night, &zone("Africa/Maputo")), "2026-11-22 00:33:20 +02:00");
        assert_eq!(shown("soon", &TimeZone::UTC), "soon");
    }

    #[test]
    fn a_date_that_a_person_gives_begins_in_the_zone() {
        let zone = zone("Africa/Nairobi");
        assert_eq!(given("2026-11-21", &zone), "2026-11-20T21:00:00Z");
        assert_eq!(given("2026-11-21 11:33:20", &zone), "2026-11-21T08:33:20Z");
        for whole in ["2026-11-21T08:33:20Z", "2026-11-21T08:33:20+01:00", "yesterday"] {
            assert_eq!(given(whole, &zone), whole);
        }
    }
}
