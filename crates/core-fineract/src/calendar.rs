//! The value date: the day of a moment by the tenant's calendar, and the treatment of a booking
//! when that day is closed (`fineract.md` §18).

use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use kiungo_core_banking::CoreOrder;
use kiungo_domain::{AccountKind, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::{Client, ReadError, query};
use crate::config::ClosedPeriods;
use crate::version::Profile;
use crate::wire;

/// The facts that are known about the tenant's days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// The tenant's own date, if it keeps one.
    pub(crate) business_date: Option<Date>,
    /// The last day that is closed in the general ledger.
    pub(crate) closed_until: Option<Date>,
    /// Days on which loans take no postings, first and last.
    pub(crate) loan_holidays: Vec<(Date, Date)>,
    /// Week days on which loans take no postings.
    pub(crate) loan_rest_days: Vec<Weekday>,
}

/// There is no open day to book on yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotOpen {
    /// The first open day, if there is one within a year.
    pub(crate) until: Option<Date>,
}

/// Closures and holidays further ahead than this are not looked through.
const SEARCH_DAYS: usize = 366;

/// The day of `moment` in `zone`.
pub(crate) fn day(moment: Timestamp, zone: &TimeZone) -> Date {
    jiff::Timestamp::from_microsecond(moment.as_micros())
        .unwrap_or(if moment.as_micros() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX })
        .to_zoned(zone.clone())
        .date()
}

impl Calendar {
    /// The day on which `order` is booked.
    pub(crate) fn value_date(
        &self,
        order: &CoreOrder,
        zone: &TimeZone,
        closed_periods: ClosedPeriods,
    ) -> Result<Date, NotOpen> {
        let latest = self
            .business_date
            .unwrap_or_else(|| day(order.value_at, zone).max(day(order.at, zone)));
        // A day after the tenant's own would be refused as in the future.
        let wanted = day(order.value_at, zone).min(latest);
        if closed_periods == ClosedPeriods::Refuse {
            return Ok(wanted);
        }
        let open = wanted
            .series(1.day())
            .take(SEARCH_DAYS)
            .find(|day| self.is_open(*day, order.account.kind));
        match open {
            Some(day) if day <= latest => Ok(day),
            until => Err(NotOpen { until }),
        }
    }

    fn is_open(&self, day: Date, kind: AccountKind) -> bool {
        let closed = self.closed_until.is_some_and(|closed| day <= closed);
        let rests = kind == AccountKind::Loan
            && (self.loan_rest_days.contains(&day.weekday())
                || self.loan_holidays.iter().any(|(first, last)| (*first..=*last).contains(&day)));
        !closed && !rests
    }
}

/// The calendar as last read, for as long as it counts.
#[derive(Default)]
pub(crate) struct CalendarCache(Mutex<Option<(Instant, Calendar)>>);

impl CalendarCache {
    /// The calendar; asks the core only for what the options make necessary.
    pub(crate) async fn get(
        &self,
        client: &Client,
        profile: &Profile,
    ) -> Result<Calendar, ReadError> {
        let options = &client.settings.options;
        let business_date = profile.business_date.unwrap_or(false);
        let closed_periods = options.closed_periods == ClosedPeriods::NextOpenDay;
        if !business_date && !closed_periods {
            return Ok(Calendar::default());
        }
        let mut known = self.0.lock().await;
        if let Some((at, calendar)) = known.as_ref()
            && at.elapsed() < Duration::from_secs(options.calendar_refresh_s)
        {
            return Ok(calendar.clone());
        }
        let mut calendar = Calendar::default();
        if business_date {
            calendar.business_date = read_business_date(client).await?;
        }
        if closed_periods {
            read_closed_days(client, profile, &mut calendar).await?;
        }
        *known = Some((Instant::now(), calendar.clone()));
        Ok(calendar)
    }

    /// Forgets it, because the core disagreed.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

/// The days between which a posting of `order` can stand, for finding it again. Wider than a day
/// to either side where the calendar may have moved it.
pub(crate) fn window(client: &Client, profile: &Profile, order: &CoreOrder) -> (Date, Date) {
    let settings = &client.settings;
    let value = day(order.value_at, &settings.zone);
    let asked = value.max(day(order.at, &settings.zone));
    let before = if profile.business_date == Some(false) { 1.day() } else { 31.days() };
    let after = match settings.options.closed_periods {
        ClosedPeriods::Refuse => 1.day(),
        ClosedPeriods::NextOpenDay => 31.days(),
    };
    (value.saturating_sub(before), asked.saturating_add(after))
}

#[derive(Deserialize)]
struct BusinessDay {
    date: wire::Date,
}

/// The code with which the core answers where a business date is kept but was never set. It books
/// on the calendar's date then (`fineract.md` §18).
const NEVER_SET: &str = "error.msg.businessdate.not.found";

async fn read_business_date(client: &Client) -> Result<Option<Date>, ReadError> {
    match client.read::<BusinessDay>("/api/v1/businessdate/BUSINESS_DATE").await {
        Ok(day) => Ok(Some(day.date.0)),
        Err(ReadError::NotFound { code }) if code == NEVER_SET => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Closure {
    closing_date: wire::Date,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holiday {
    from_date: wire::Date,
    to_date: wire::Date,
    status: Option<wire::Enumerated>,
}

#[derive(Deserialize)]
struct WorkingDays {
    /// An iCalendar rule: `FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE`.
    recurrence: String,
}

/// A holiday counts once it is activated.
const HOLIDAY_ACTIVE: u64 = 300;

async fn read_closed_days(
    client: &Client,
    profile: &Profile,
    calendar: &mut Calendar,
) -> Result<(), ReadError> {
    let office = client.settings.options.office.map(|id| id.to_string());
    let at_office = office.as_deref().map(|id| query(&[("officeId", id)]));
    let path = match &at_office {
        Some(query) => format!("/api/v1/glclosures?{query}"),
        None => "/api/v1/glclosures".to_owned(),
    };
    let closures = client.read_page::<Closure>(&path).await?;
    calendar.closed_until =
        closures.items.iter().filter(|c| !c.deleted).map(|c| c.closing_date.0).max();
    if !profile.loans_on_non_working_days {
        let days: WorkingDays = client.read("/api/v1/workingdays").await?;
        calendar.loan_rest_days = rest_days(&days.recurrence);
    }
    if let Some(query) = at_office.filter(|_| !profile.loans_on_holidays) {
        let holidays = client.read_page::<Holiday>(&format!("/api/v1/holidays?{query}")).await?;
        calendar.loan_holidays = holidays
            .items
            .iter()
            .filter(|h| h.status.is_none_or(|status| status.id == HOLIDAY_ACTIVE))
            .map(|h| (h.from_date.0, h.to_date.0))
            .collect();
    }
    Ok(())
}

/// The days that the rule does not name; none if it names none.
fn rest_days(recurrence: &str) -> Vec<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("MO", Weekday::Monday),
        ("TU", Weekday::Tuesday),
        ("WE", Weekday::Wednesday),
        ("TH", Weekday::Thursday),
        ("FR", Weekday::Friday),
        ("SA", Weekday::Saturday),
        ("SU", Weekday::Sunday),
    ];
    let named: Vec<&str> = recurrence
        .split(';')
        .find_map(|part| part.trim().strip_prefix("BYDAY="))
        .map(|days| days.split(',').map(str::trim).collect())
        .unwrap_or_default();
    if !NAMES.iter().any(|(name, _)| named.contains(name)) {
        return Vec::new();
    }
    NAMES.iter().filter(|(name, _)| !named.contains(name)).map(|(_, day)| *day).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tests::orders;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    fn order(booking: kiungo_core_banking::Booking, moment: &str) -> CoreOrder {
        CoreOrder { value_at: at(moment), at: at(moment), ..orders::order(booking) }
    }

    fn deposit(moment: &str) -> CoreOrder {
        order(kiungo_core_banking::Booking::Deposit, moment)
    }

    #[test]
    fn the_value_date_turns_at_midnight_of_the_tenants_zone() {
        let calendar = Calendar::default();
        for (zone, moment, expected) in [
            ("Africa/Dar_es_Salaam", "2026-08-31T20:59:59Z", date(2026, 8, 31)),
            ("Africa/Dar_es_Salaam", "2026-08-31T21:00:00Z", date(2026, 9, 1)),
            ("Asia/Kolkata", "2026-08-31T18:29:59Z", date(2026, 8, 31)),
            ("Asia/Kolkata", "2026-08-31T18:30:00Z", date(2026, 9, 1)),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            let day = calendar.value_date(&deposit(moment), &zone, ClosedPeriods::Refuse);
            assert_eq!(day, Ok(expected), "{moment}");
        }
    }

    #[test]
    fn a_business_date_that_lags_behind_is_the_value_date() {
        let zone = TimeZone::get("Africa/Dar_es_Salaam").unwrap();
        let calendar = Calendar { business_date: Some(date(2026, 8, 31)), ..Calendar::default() };
        let value_date =
            |moment| calendar.value_date(&deposit(moment), &zone, ClosedPeriods::Refuse);
        assert_eq!(value_date("2026-09-01T09:00:00Z"), Ok(date(2026, 8, 31)));
        assert_eq!(value_date("2026-08-29T09:00:00Z"), Ok(date(2026, 8, 29)));
    }

    #[test]
    fn a_closed_day_moves_to_the_next_open_one_or_waits_for_it() {
        use kiungo_core_banking::Booking;
        let zone = TimeZone::get("Africa/Dar_es_Salaam").unwrap();
        let calendar = Calendar {
            closed_until: Some(date(2026, 8, 31)),
            loan_holidays: vec![(date(2026, 9, 3), date(2026, 9, 4))],
            loan_rest_days: vec![Weekday::Saturday, Weekday::Sunday],
            ..Calendar::default()
        };
        let next = ClosedPeriods::NextOpenDay;
        let mut late = deposit("2026-08-20T09:00:00Z");
        late.at = at("2026-09-02T09:00:00Z");
        assert_eq!(calendar.value_date(&late, &zone, next), Ok(date(2026, 9, 1)));
        assert_eq!(calendar.value_date(&late, &zone, ClosedPeriods::Refuse), Ok(date(2026, 8, 20)));
        // Thursday and Friday are holidays, then comes the week-end: savings do not mind.
        let deposit = order(Booking::Deposit, "2026-09-03T09:00:00Z");
        assert_eq!(calendar.value_date(&deposit, &zone, next), Ok(date(2026, 9, 3)));
        let mut repayment = order(Booking::Repay, "2026-09-03T09:00:00Z");
        let waits = NotOpen { until: Some(date(2026, 9, 7)) };
        assert_eq!(calendar.value_date(&repayment, &zone, next), Err(waits));
        repayment.at = at("2026-09-07T06:00:00Z");
        assert_eq!(calendar.value_date(&repayment, &zone, next), Ok(date(2026, 9, 7)));
    }

    #[test]
    fn working_days_are_read_from_the_rule() {
        assert_eq!(rest_days("FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR,SA"), [Weekday::Sunday]);
        assert_eq!(rest_days("FREQ=DAILY"), []);
    }

    #[test]
    fn no_moment_is_out_of_reach() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let _ = (
            day(Timestamp::from_micros(i64::MAX), &zone),
            day(Timestamp::from_micros(i64::MIN), &zone),
        );
    }
}
