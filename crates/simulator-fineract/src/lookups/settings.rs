//! Reference data and settings (`fineract.md` §8.2, §18).

use kiungo_domain::{Currency, Timestamp};

use crate::answer::Answer;
use crate::calendar;
use crate::currency::currency_view;
use crate::json::{Json, Serializer, coded};
use crate::options::{Options, Version};
use crate::refusal::{Problem, Refusal};
use crate::result::{OFFICE_ID, OFFICE_NAME};
use crate::route::Read;

/// Answers what is read of the settings.
pub(crate) fn read(options: &Options, now: Timestamp, what: &Read) -> Result<Answer, Refusal> {
    let json = match what {
        Read::Offices => offices(),
        Read::Currencies => currencies(),
        Read::Configurations => Json::object().with("globalConfiguration", configurations(options)),
        Read::Configuration(name) => configuration(options, name)?,
        Read::BusinessDates => business_dates(options, now).into(),
        Read::BusinessDate(name) => business_date(options, now, name)?,
        Read::GlClosures => gl_closures(options),
        Read::Holidays => holidays(options),
        Read::WorkingDays => working_days(options),
        Read::ExternalEvents => external_events(),
        _ => return Err(Refusal::Container(404)),
    };
    Ok(Answer::ok(Serializer::Gson, &json))
}

/// The payment types.
pub(crate) fn payment_types(options: &Options) -> Json {
    let view = |(position, known): (usize, &crate::options::PaymentType)| {
        Json::object()
            .with("id", known.id)
            .with("name", known.name.as_str())
            .with("description", known.name.as_str())
            .with("isCashPayment", known.is_cash)
            .with("position", position + 1)
            .with("isSystemDefined", false)
    };
    Json::List(options.payment_types.iter().enumerate().map(view).collect())
}

fn offices() -> Json {
    let opened = Serializer::Gson.date(jiff::civil::date(2009, 1, 1));
    let office = Json::object()
        .with("id", OFFICE_ID)
        .with("name", OFFICE_NAME)
        .with("nameDecorated", OFFICE_NAME)
        .with("externalId", "1")
        .with("openingDate", opened)
        .with("hierarchy", ".");
    Json::List(vec![office])
}

fn currencies() -> Json {
    let codes = ["GHS", "KES", "MZN", "RWF", "TZS", "UGX", "USD", "XOF", "ZMW"];
    let all = codes.into_iter().filter_map(|code| Currency::from_code(code).ok());
    let options: Vec<Json> = all.map(currency_view).collect();
    Json::object().with("selectedCurrencyOptions", options.clone()).with("currencyOptions", options)
}

/// The names have underscores up to 1.10.1 and hyphens from 1.11 on.
fn switches(options: &Options) -> [(&'static str, bool); 5] {
    let new = options.version >= Version::V1_12;
    let pick = |old, new_name| if new { new_name } else { old };
    [
        ("maker-checker", !options.maker_checker.is_empty()),
        ("allow-transactions-on-holiday", options.allow_on_holiday),
        (
            pick("allow-transactions-on-non_workingday", "allow-transactions-on-non-workingday"),
            options.non_working_weekdays.is_empty(),
        ),
        (pick("enable_business_date", "enable-business-date"), options.keeps_business_date()),
        ("enable-auto-generated-external-id", false),
    ]
}

fn configurations(options: &Options) -> Vec<Json> {
    switches(options).into_iter().enumerate().map(switch).collect()
}

fn configuration(options: &Options, name: &str) -> Result<Json, Refusal> {
    let found = switches(options).into_iter().enumerate().find(|(_, known)| known.0 == name);
    found.map(switch).ok_or_else(|| {
        let message = format!("Configuration property `{name}` does not exist");
        let problem = Problem::new("error.msg.configuration.property.invalid", message);
        Refusal::NotFound(problem.arg(name))
    })
}

fn switch((index, (name, enabled)): (usize, (&'static str, bool))) -> Json {
    Json::object()
        .with("name", name)
        .with("enabled", enabled)
        .with("value", 0_i64)
        .with("id", index + 1)
        .with("trapDoor", false)
}

/// None of them as long as no date was set.
fn business_dates(options: &Options, now: Timestamp) -> Vec<Json> {
    if options.business_date_never_set || options.business_date_lag_days.is_none() {
        return Vec::new();
    }
    let today = calendar::business_date(options, now);
    let before = today.yesterday().unwrap_or(today);
    [("Business Date", "BUSINESS_DATE", today), ("Close of Business Date", "COB_DATE", before)]
        .map(|(description, kind, date)| {
            Json::object()
                .with("description", description)
                .with("type", kind)
                .with("date", Serializer::Gson.date(date))
        })
        .to_vec()
}

fn business_date(options: &Options, now: Timestamp, name: &str) -> Result<Json, Refusal> {
    let index = match name {
        "BUSINESS_DATE" => Some(0),
        "COB_DATE" => Some(1),
        _ => None,
    };
    let found = index.and_then(|index| business_dates(options, now).into_iter().nth(index));
    found.ok_or_else(|| {
        let message = format!("Business date with type `{name}` is not found.");
        let problem = Problem::new("error.msg.businessdate.not.found", message);
        Refusal::NotFound(problem.arg(name).arg(Vec::new()))
    })
}

fn gl_closures(options: &Options) -> Json {
    let view = |date| {
        Json::object()
            .with("id", 1_i64)
            .with("officeId", OFFICE_ID)
            .with("officeName", OFFICE_NAME)
            .with("closingDate", Serializer::Gson.date(date))
            .with("deleted", false)
    };
    Json::List(options.gl_closed_until.map(view).into_iter().collect())
}

fn holidays(options: &Options) -> Json {
    let view = |(index, date): (usize, &jiff::civil::Date)| {
        Json::object()
            .with("id", index + 1)
            .with("name", format!("Holiday {}", index + 1))
            .with("fromDate", Serializer::Gson.date(*date))
            .with("toDate", Serializer::Gson.date(*date))
            .with("status", coded(300, "holidayStatusType.active", "Active"))
    };
    Json::List(options.holidays.iter().enumerate().map(view).collect())
}

/// The weekdays as an iCalendar rule.
fn working_days(options: &Options) -> Json {
    let names = [(1, "MO"), (2, "TU"), (3, "WE"), (4, "TH"), (5, "FR"), (6, "SA"), (7, "SU")];
    let works = |day: &i8| !options.non_working_weekdays.contains(day);
    let days: Vec<&str> =
        names.iter().filter(|(day, _)| works(day)).map(|(_, name)| *name).collect();
    Json::object()
        .with("id", 1_i64)
        .with("recurrence", format!("FREQ=WEEKLY;INTERVAL=1;BYDAY={}", days.join(",")))
        .with("repaymentRescheduleType", coded(1, "RepaymentRescheduleType.same.day", "same day"))
        .with("extendTermForDailyRepayments", false)
        .with("extendTermForRepaymentsOnHolidays", false)
}

fn external_events() -> Json {
    let types = [
        "LoanDisbursalTransactionBusinessEvent",
        "LoanTransactionMakeRepaymentPostBusinessEvent",
        "SavingsDepositBusinessEvent",
        "SavingsWithdrawalBusinessEvent",
    ];
    let view = |kind| Json::object().with("type", kind).with("enabled", false);
    Json::object().with("externalEventConfiguration", types.map(view).to_vec())
}
