//! The options of the simulated Fineract.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The settings of a simulated core. All tenants share them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The release whose behaviour is shown.
    pub version: Version,
    /// The tenants' identifiers; the first is the one that [`super::Simulator::books`] shows.
    pub tenants: Vec<String>,
    /// The way in which clients authenticate.
    pub auth: Auth,
    /// The users who may log in.
    pub users: Vec<User>,
    /// The tenants' time zone. A stock server is set to `Asia/Kolkata`.
    pub time_zone: Zone,
    /// `None`: the business date is switched off, and "today" is the calendar date in the time
    /// zone. Otherwise: how many days the business date is behind the calendar.
    pub business_date_lag_days: Option<u16>,
    /// The business date is switched on, but no date was ever set: "today" is the calendar date, and
    /// asking for the date brings 404.
    pub business_date_never_set: bool,
    /// The payment types.
    pub payment_types: Vec<PaymentType>,
    /// The database below, which decides how a duplicate is reported (`fineract.md` §5).
    pub database: Database,
    /// True if `Idempotency-Key` is honoured; a core that does not deduplicate books a repeated key
    /// again. Releases before 1.9 never do, and with bearer tokens only those from 1.13 on.
    pub idempotency: bool,
    /// From when until when every command is refused because the user lacks the permission, in
    /// milliseconds since the simulator's start: somebody changed a role for a night.
    pub forbidden_ms: Option<(u64, u64)>,
    /// The name of the idempotency header.
    pub idempotency_header: String,
    /// The tasks that need a second person, for example `DEPOSIT_SAVINGSACCOUNT`.
    pub maker_checker: Vec<String>,
    /// The books of the office are closed up to and including this day.
    pub gl_closed_until: Option<Date>,
    /// Days on which loans take no postings, unless `allow_on_holiday`.
    pub holidays: Vec<Date>,
    /// True if loans take postings on holidays.
    pub allow_on_holiday: bool,
    /// ISO numbers (Monday is 1) of the weekdays on which loans take no postings.
    pub non_working_weekdays: Vec<i8>,
    /// The time between a command's row and its booking, in milliseconds; twins of its key meet its
    /// row meanwhile. A real server takes 50 to 500; 0 books at once, so that no two commands are
    /// ever under way together.
    pub command_ms: u64,
    /// After this many responses one asks to close its connection; 0 switches it off. A real server
    /// counts per connection, the simulator over all of them: on average it is the same.
    pub keep_alive_limit: u32,
    /// The clients that [`super::Simulator::furnish`] opens.
    pub clients: Clients,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: Version::V1_12,
            tenants: vec!["default".to_owned()],
            auth: Auth::Basic,
            users: vec![User::default()],
            time_zone: Zone::default(),
            business_date_lag_days: None,
            business_date_never_set: false,
            payment_types: PaymentType::stock(),
            database: Database::Postgresql,
            idempotency: true,
            forbidden_ms: None,
            idempotency_header: "Idempotency-Key".to_owned(),
            maker_checker: Vec::new(),
            gl_closed_until: None,
            holidays: Vec::new(),
            allow_on_holiday: false,
            non_working_weekdays: Vec::new(),
            command_ms: 0,
            keep_alive_limit: 100,
            clients: Clients::default(),
        }
    }
}

impl Options {
    /// True if a repeated key is recognised (`fineract.md` §1.1, §4).
    pub(crate) fn honours_keys(&self) -> bool {
        let chain_has_the_filter = self.auth == Auth::Basic || self.version >= Version::V1_14;
        self.idempotency && self.version >= Version::V1_10 && chain_has_the_filter
    }

    /// True if the switch of the business date is on.
    pub(crate) const fn keeps_business_date(&self) -> bool {
        self.business_date_never_set || self.business_date_lag_days.is_some()
    }

    /// The reason that loans take no postings on this day; `None` if they do.
    pub(crate) fn day_off(&self, date: Date) -> Option<DayOff> {
        if !self.allow_on_holiday && self.holidays.contains(&date) {
            return Some(DayOff::Holiday);
        }
        let weekday = Weekday::to_monday_one_offset(date.weekday());
        self.non_working_weekdays.contains(&weekday).then_some(DayOff::NonWorkingDay)
    }
}

/// The reason that a day takes no loan postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayOff {
    Holiday,
    NonWorkingDay,
}

/// A release whose behaviour is shown (`fineract.md` §20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Version {
    /// 1.8.4: no idempotency, no external-id routes, no transaction search.
    #[serde(rename = "1.8")]
    V1_8,
    /// 1.10.1: idempotency with the key-collision 403.
    #[serde(rename = "1.10")]
    V1_10,
    /// 1.12.1: 425 instead of that 403, paged loan transactions, typed answers begin.
    #[serde(rename = "1.12")]
    V1_12,
    /// 1.14.0: idempotency also with bearer tokens (since 1.13).
    #[serde(rename = "1.14")]
    V1_14,
    /// 1.15.0: external ids on savings transactions, one transaction with the command's result.
    #[serde(rename = "1.15")]
    V1_15,
}

impl Version {
    /// The number as `/actuator/info` prints it.
    pub(crate) const fn number(self) -> &'static str {
        match self {
            Self::V1_8 => "1.8.4",
            Self::V1_10 => "1.10.1",
            Self::V1_12 => "1.12.1",
            Self::V1_14 => "1.14.0",
            Self::V1_15 => "1.15.0",
        }
    }
}

/// The way in which clients authenticate (`fineract.md` §1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// User name and password on each call.
    Basic,
    /// A bearer token on each call; see [`User::token`].
    Bearer,
}

/// The database below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    /// `MySQL` or `MariaDB`.
    Mysql,
    /// `PostgreSQL`.
    Postgresql,
}

/// A user who may log in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password (of the simulator: nothing secret).
    pub password: String,
    /// The bearer token that stands for this user; none if empty.
    pub token: String,
    /// The permissions of the user, for example `READ_LOAN`, `ALL_FUNCTIONS`, `CHECKER_SUPER_USER`.
    pub permissions: Vec<String>,
    /// True if the password has expired, which refuses every command.
    pub password_outdated: bool,
}

impl Default for User {
    fn default() -> Self {
        Self {
            name: "mifos".to_owned(),
            password: "password".to_owned(),
            token: String::new(),
            permissions: vec!["ALL_FUNCTIONS".to_owned()],
            password_outdated: false,
        }
    }
}

impl User {
    /// True if the user may do `task`.
    pub(crate) fn may(&self, task: &str) -> bool {
        let reads = task.starts_with("READ_");
        self.permissions.iter().any(|held| {
            held == task || held == "ALL_FUNCTIONS" || (reads && held == "ALL_FUNCTIONS_READ")
        })
    }

    /// True if the user's commands need no second person.
    pub(crate) fn is_checker_of(&self, task: &str) -> bool {
        let own = |held: &str| held.strip_suffix("_CHECKER") == Some(task);
        let all = ["ALL_FUNCTIONS", "CHECKER_SUPER_USER"];
        self.permissions.iter().any(|held| all.contains(&held.as_str()) || own(held))
    }
}

/// The clients that a core has at its start, where it is furnished with some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clients {
    /// The number of clients.
    pub count: u64,
    /// The currencies (ISO 4217): in each of them every client has a savings account, an active
    /// loan and an approved one.
    pub currencies: Vec<String>,
    /// The mobile numbers are counted from these, which take turns: client N has the one in its
    /// turn, plus N.
    pub numbers: Vec<u64>,
}

impl Default for Clients {
    fn default() -> Self {
        Self { count: 10, currencies: vec!["TZS".to_owned()], numbers: vec![255_700_000_000] }
    }
}

/// A payment type (`fineract.md` §8.2).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentType {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// True if it stands for cash.
    #[serde(default)]
    pub is_cash: bool,
}

impl PaymentType {
    fn stock() -> Vec<Self> {
        let named =
            |(id, name, is_cash): (u64, &str, bool)| Self { id, name: name.to_owned(), is_cash };
        [(1, "Cash", true), (2, "M-Pesa", false), (3, "Mobile money", false)].map(named).to_vec()
    }
}

/// A time zone by its IANA name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone itself.
    pub(crate) fn get(&self) -> TimeZone {
        self.0.clone()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::get("Africa/Dar_es_Salaam").unwrap_or(TimeZone::UTC))
    }
}

impl TryFrom<String> for Zone {
    type Error = jiff::Error;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        TimeZone::get(&name).map(Self)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_defaults_and_refuse_unknown_names() {
        let options: Options = serde_json::from_str(
            r#"{"version":"1.15","time_zone":"Asia/Kolkata","database":"mysql","users":[{"name":"mm"}]}"#,
        )
        .expect("settings");
        assert_eq!(options.version, Version::V1_15);
        assert_eq!(options.time_zone.name(), "Asia/Kolkata");
        assert_eq!(options.tenants, ["default"]);
        assert!(serde_json::from_str::<Options>(r#"{"verison":"1.15"}"#).is_err());
        assert!(serde_json::from_str::<Options>(r#"{"time_zone":"Mars/Base"}"#).is_err());
    }

    #[test]
    fn bearer_tokens_lose_the_keys_before_1_13() {
        let honours =
            |version, auth| Options { version, auth, ..Options::default() }.honours_keys();
        assert!(!honours(Version::V1_8, Auth::Basic));
        assert!(honours(Version::V1_10, Auth::Basic));
        assert!(!honours(Version::V1_12, Auth::Bearer));
        assert!(honours(Version::V1_14, Auth::Bearer));
    }

    #[test]
    fn reading_everything_is_not_writing_anything() {
        let user = User { permissions: vec!["ALL_FUNCTIONS_READ".to_owned()], ..User::default() };
        assert!(user.may("READ_LOAN"));
        assert!(!user.may("REPAYMENT_LOAN"));
    }
}
