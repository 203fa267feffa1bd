//! Days: what "today" is, and how dates are written in requests.

use jiff::civil::Date;
use kiungo_domain::Timestamp;

use super::options::Options;

/// The business date of a moment (`fineract.md` §18).
pub(crate) fn business_date(options: &Options, now: Timestamp) -> Date {
    let calendar = calendar_date(options, now);
    let lag = options.business_date_lag_days.filter(|_| !options.business_date_never_set);
    let lag = lag.map_or(0, i64::from);
    calendar.checked_sub(jiff::Span::new().days(lag)).unwrap_or(calendar)
}

/// The calendar date of a moment in the tenant's time zone.
pub(crate) fn calendar_date(options: &Options, now: Timestamp) -> Date {
    let moment = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or_default();
    moment.to_zoned(options.time_zone.get()).date()
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Reads `text` by a Java date pattern: strict on the calendar, lenient on width; a trailing time is
/// dropped (`fineract.md` §2.1).
pub(crate) fn parse(text: &str, pattern: &str) -> Option<Date> {
    let (mut year, mut month, mut day) = (None, None, None);
    let mut rest = text.trim();
    let mut pattern = pattern;
    while let Some(symbol) = pattern.chars().next() {
        let width = pattern.chars().take_while(|char| *char == symbol).count();
        pattern = pattern.get(width * symbol.len_utf8()..)?;
        match symbol {
            'y' | 'u' => year = Some(i16::try_from(number(&mut rest, 4)?).ok()?),
            'M' | 'L' if width > 2 => month = Some(month_name(&mut rest)?),
            'M' | 'L' => month = Some(i8::try_from(number(&mut rest, 2)?).ok()?),
            'd' => day = Some(i8::try_from(number(&mut rest, 2)?).ok()?),
            other => {
                for _ in 0..width {
                    rest = rest.strip_prefix(other)?;
                }
            }
        }
    }
    let time_of_day =
        |rest: &str| rest.starts_with(' ') && rest.bytes().filter(|b| *b == b':').count() == 2;
    if !(rest.is_empty() || time_of_day(rest)) {
        return None;
    }
    Date::new(year?, month?, day?).ok()
}

fn number(rest: &mut &str, width_max: usize) -> Option<u16> {
    let width = rest.bytes().take(width_max).take_while(u8::is_ascii_digit).count();
    let (digits, tail) = rest.split_at_checked(width)?;
    *rest = tail;
    digits.parse().ok()
}

fn month_name(rest: &mut &str) -> Option<i8> {
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, tail) = rest.split_at_checked(letters)?;
    let matches = |month: &str| {
        month.eq_ignore_ascii_case(name)
            || month.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(name))
    };
    let index = MONTHS.iter().position(|month| matches(month))?;
    *rest = tail;
    i8::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn dates_are_read_by_their_pattern() {
        for (text, pattern) in [
            ("2026-09-01", "yyyy-MM-dd"),
            ("2026-9-1", "yyyy-MM-dd"),
            ("2026-09-01 10:15:30", "yyyy-MM-dd"),
            ("01 September 2026", "dd MMMM yyyy"),
            ("1 Sep 2026", "d MMM yyyy"),
            ("01/09/2026", "dd/MM/yyyy"),
        ] {
            assert_eq!(parse(text, pattern), Some(date(2026, 9, 1)), "{text} {pattern}");
        }
        for (text, pattern) in
            [("2026-02-30", "yyyy-MM-dd"), ("2026-09-01x", "yyyy-MM-dd"), ("", "yyyy"), ("é", "dd")]
        {
            assert_eq!(parse(text, pattern), None, "{text} {pattern}");
        }
    }

    #[test]
    fn today_is_the_tenants_day() {
        // 2026-09-01T22:30:00Z is already the second of September in Dar es Salaam.
        let now = Timestamp::from_micros(1_788_301_800_000_000);
        assert_eq!(business_date(&Options::default(), now), date(2026, 9, 2));
        let behind = Options { business_date_lag_days: Some(1), ..Options::default() };
        assert_eq!(business_date(&behind, now), date(2026, 9, 1));
        assert_eq!(calendar_date(&behind, now), date(2026, 9, 2));
    }
}
