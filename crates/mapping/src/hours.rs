//! `[hours]`: the opening hours of a provider, in its own time zone.

use std::ops::Range;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};
use kiungo_domain::Timestamp;
use kiungo_settings::{Item, Table};

/// Minutes of a day, from inclusive, to exclusive; 24:00 is 1440.
type Opening = Range<u16>;

/// The opening hours of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hours {
    /// From Monday on; each in order and without overlap.
    days: [Vec<Opening>; 7],
}

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

const DAY: u16 = 24 * 60;

impl Default for Hours {
    /// Always open.
    fn default() -> Self {
        Self { days: std::array::from_fn(|_| vec![Opening { start: 0, end: DAY }]) }
    }
}

impl Hours {
    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let mut hours = Self::default();
        let Some(mut table) = root.table("hours") else { return hours };
        if let Some(openings) = table.get("every_day").and_then(|item| openings(&item)) {
            hours.days = std::array::from_fn(|_| openings.clone());
        }
        for ((name, _), day) in DAYS.into_iter().zip(&mut hours.days) {
            if let Some(openings) = table.get(name).and_then(|item| openings(&item)) {
                *day = openings;
            }
        }
        if hours.days.iter().all(Vec::is_empty) {
            table.problem("is never open; leave the section out if it always is");
        }
        table.finish();
        hours
    }

    /// `Ok` if open at this moment; otherwise when it opens again.
    pub(crate) fn open_at(&self, at: Timestamp, zone: &TimeZone) -> Result<(), Timestamp> {
        // A moment outside the calendar is no reason to hold money back.
        let Ok(now) = jiff::Timestamp::from_microsecond(at.as_micros()) else { return Ok(()) };
        let now = now.to_zoned(zone.clone());
        let minute = minute_of(now.time());
        if self.openings(now.weekday()).iter().any(|opening| opening.contains(&minute)) {
            return Ok(());
        }
        self.next_opening(&now).map_or(Ok(()), Err)
    }

    fn next_opening(&self, now: &Zoned) -> Option<Timestamp> {
        for days in 0..=7 {
            let date = now.date().checked_add(Span::new().days(days)).ok()?;
            for opening in self.openings(date.weekday()) {
                let start = date.to_datetime(time_of(opening.start)?);
                let start = start.to_zoned(now.time_zone().clone()).ok()?.timestamp();
                if start > now.timestamp() {
                    return Some(Timestamp::from_micros(start.as_microsecond()));
                }
            }
        }
        None
    }

    fn openings(&self, weekday: Weekday) -> &[Opening] {
        let index = usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0);
        self.days.get(index).map_or(&[], Vec::as_slice)
    }
}

fn minute_of(time: Time) -> u16 {
    u16::try_from(time.hour()).unwrap_or(0) * 60 + u16::try_from(time.minute()).unwrap_or(0)
}

fn time_of(minute: u16) -> Option<Time> {
    Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()
}

/// Reads `["06:00-12:00", "13:00-22:00"]`.
fn openings(item: &Item<'_>) -> Option<Vec<Opening>> {
    let mut openings: Vec<Opening> = Vec::new();
    for part in item.list()? {
        let text = part.text()?;
        let Some(opening) = opening(text) else {
            part.problem(format!(
                "`{text}` is not an opening; write it as \"06:00-22:00\", at most up to 24:00"
            ));
            continue;
        };
        if opening.is_empty() {
            part.problem(format!(
                "`{text}` ends before it begins; a night is two openings, \"22:00-24:00\" and, on \
                 the next day, \"00:00-06:00\""
            ));
        } else if openings.last().is_some_and(|last| opening.start < last.end) {
            part.problem(format!("`{text}` begins before the opening in front of it has ended"));
        }
        openings.push(opening);
    }
    Some(openings)
}

fn opening(text: &str) -> Option<Opening> {
    let (start, end) = text.split_once('-')?;
    Some(clock(start)?..clock(end)?)
}

/// Minutes of `HH:MM`, from `00:00` to `24:00`.
fn clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let zoned: Zoned = text.parse().unwrap();
        Timestamp::from_micros(zoned.timestamp().as_microsecond())
    }

    fn office_hours() -> Hours {
        let mut hours = Hours::default();
        for day in &mut hours.days {
            *day = vec![360..720, 780..1320];
        }
        hours.days[6].clear();
        hours
    }

    #[test]
    fn open_hours_are_those_of_the_providers_zone() {
        let zone = TimeZone::get("Africa/Dar_es_Salaam").unwrap();
        let hours = office_hours();
        // A Saturday before a closed Sunday.
        assert_eq!(
            hours.open_at(at("2026-11-21T06:00:00+03:00[Africa/Dar_es_Salaam]"), &zone),
            Ok(())
        );
        assert_eq!(
            hours.open_at(at("2026-11-21T12:30:00+03:00[Africa/Dar_es_Salaam]"), &zone),
            Err(at("2026-11-21T13:00:00+03:00[Africa/Dar_es_Salaam]"))
        );
        assert_eq!(
            hours.open_at(at("2026-11-21T22:00:00+03:00[Africa/Dar_es_Salaam]"), &zone),
            Err(at("2026-11-23T06:00:00+03:00[Africa/Dar_es_Salaam]"))
        );
    }

    #[test]
    fn without_hours_it_is_always_open_and_no_moment_panics() {
        for micros in [i64::MIN, -1, 0, 1_700_000_000_000_000, i64::MAX] {
            let moment = Timestamp::from_micros(micros);
            assert_eq!(Hours::default().open_at(moment, &TimeZone::UTC), Ok(()));
        }
    }

    #[test]
    fn clocks_are_two_digits_and_two_digits() {
        assert_eq!(clock("24:00"), Some(1440));
        assert_eq!(clock("06:30"), Some(390));
        for text in ["24:01", "6:00", "06:60", "0600", "", "+6:00", "99:99"] {
            assert_eq!(clock(text), None, "{text}");
        }
    }
}
