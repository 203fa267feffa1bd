//! Asks a core for its version and abilities, and whether it works as configured (`fineract.md`
//! §18, §20).

use bytes::Bytes;
use kiungo_core_banking::{Observation, ProbeError};
use serde::Deserialize;
use serde_json::json;

use crate::booking::FORMAT;
use crate::calendar::Calendar;
use crate::catalogue::{self, ErrorMeaning};
use crate::client::{Answer, Client, ReadError};
use crate::config::{Auth, ClosedPeriods, Options};
use crate::version::{FLOOR, Profile, Version};
use crate::wire::{ErrorBody, Page};

/// The result of a probe.
pub(crate) struct Seen {
    pub(crate) profile: Profile,
    /// Confirmations and warnings.
    pub(crate) lines: Vec<Observation>,
}

/// The permissions that the connector's user needs (`fineract.md` §1.2), however it is configured.
const NEEDED: [&str; 12] = [
    "READ_CLIENT",
    "READ_SAVINGSACCOUNT",
    "READ_LOAN",
    "READ_PAYMENTTYPE",
    "READ_AUDIT",
    "DEPOSIT_SAVINGSACCOUNT",
    "WITHDRAWAL_SAVINGSACCOUNT",
    "UNDOTRANSACTION_SAVINGSACCOUNT",
    "REPAYMENT_LOAN",
    "ADJUST_LOAN",
    "DISBURSE_LOAN",
    "DISBURSALUNDO_LOAN",
];
/// The further permissions that some ways of working need.
const USEFUL: [&str; 3] =
    ["HOLDAMOUNT_SAVINGSACCOUNT", "RELEASEAMOUNT_SAVINGSACCOUNT", "READ_CONFIGURATION"];

/// The permissions that the user needs as the connector is configured, and as the tenant is.
fn needed(options: &Options, profile: &Profile) -> Vec<&'static str> {
    let moves = options.closed_periods == ClosedPeriods::NextOpenDay;
    let by_setting = [
        ("READ_BUSINESS_DATE", profile.business_date == Some(true)),
        ("READ_GLCLOSURE", moves),
        ("READ_WORKINGDAYS", moves && !profile.loans_on_non_working_days),
        ("READ_HOLIDAY", moves && options.office.is_some() && !profile.loans_on_holidays),
    ];
    let by_setting = by_setting.into_iter().filter(|(_, is_needed)| *is_needed);
    NEEDED.into_iter().chain(by_setting.map(|(name, _)| name)).collect()
}

/// Logs in and finds out what the core can do.
pub(crate) async fn inspect(client: &Client) -> Result<Seen, ProbeError> {
    let options = &client.settings.options;
    let mut lines = Vec::new();
    if client.settings.base_url.starts_with("http:") {
        lines.push(Observation::warning(
            "core_without_tls",
            "plain http, so the login can be read on the way",
            "write https:// in base_url, unless the core is on this machine",
        ));
    }
    login(client, &mut lines).await?;
    let mut profile = Profile::assumed(
        client.settings.version,
        options.business_date.known(None),
        options.maker_checker.known(None),
    );
    if client.settings.version.is_none() {
        (profile.version, profile.exact) = version(client).await?;
    }
    let version = profile.version;
    let stated = if profile.exact {
        format!("the core is Fineract {version}")
    } else {
        format!("the core is Fineract {version} or later, it does not say")
    };
    lines.push(Observation::good("core_version", stated));
    switches(client, &mut profile, &mut lines).await?;
    profile.idempotent = idempotency(client, &profile, &mut lines).await?;
    profile.asked = true;
    Ok(Seen { profile, lines })
}

/// A payment type of the core.
#[derive(Deserialize)]
pub(crate) struct PaymentType {
    id: u64,
    #[serde(default)]
    name: String,
    /// Money over the counter, not by telephone.
    #[serde(default, rename = "isCashPayment")]
    cash: bool,
}

/// The payment types: the cheapest read that needs tenant, login and a permission.
pub(crate) async fn payment_types(client: &Client) -> Result<Vec<PaymentType>, ProbeError> {
    let answer = get(client, "/api/v1/paymenttypes").await?;
    if answer.status != 200 {
        return Err(refused("the payment types cannot be read", &answer));
    }
    let types = Page::<PaymentType>::parse(&answer.body);
    types
        .map(|types| types.items)
        .map_err(|_| ProbeError::Repair("base_url: what answers there is not Fineract".to_owned()))
}

async fn login(client: &Client, lines: &mut Vec<Observation>) -> Result<(), ProbeError> {
    let types = payment_types(client).await?;
    lines.push(Observation::good("core_login", "the login works"));
    let Some(id) = client.settings.options.payment_type else {
        lines.push(Observation::warning(
            "payment_type_unset",
            "no payment_type; every order must bring one from its mapping",
            "set payment_type in [cores.fineract], or [core] payment_type in every mapping",
        ));
        return Ok(());
    };
    let checked = check_payment_type(id, &types);
    if checked.name == NO_SUCH_TYPE {
        return Err(ProbeError::Repair(format!("payment_type: {}", checked.text)));
    }
    lines.push(checked);
    Ok(())
}

const NO_SUCH_TYPE: &str = "payment_type_missing";

/// Judges the payment type of this id.
pub(crate) fn check_payment_type(id: u64, types: &[PaymentType]) -> Observation {
    match types.iter().find(|payment_type| payment_type.id == id) {
        Some(found) if found.cash => Observation::warning(
            "payment_type_is_cash",
            format!("payment type {id} is `{}`, cash over the counter", found.name),
            "make a payment type for mobile money in the core, with an account of its own in the \
             general ledger",
        ),
        Some(found) => {
            Observation::good("payment_type", format!("payment type {id} is `{}`", found.name))
        }
        None => Observation::warning(
            NO_SUCH_TYPE,
            format!("the core has no payment type {id}"),
            "take one of GET /v1/paymenttypes of the core",
        ),
    }
}

#[derive(Deserialize)]
struct Info {
    git: Option<Git>,
    build: Option<Build>,
}

#[derive(Deserialize)]
struct Git {
    build: Option<Build>,
}

#[derive(Deserialize)]
struct Build {
    version: Option<String>,
}

/// The version by its own word, else by the routes that it has.
async fn version(client: &Client) -> Result<(Version, bool), ProbeError> {
    let answer = get(client, "/actuator/info").await?;
    if let Some(version) = stated_version(&answer) {
        if version < FLOOR {
            return Err(ProbeError::Repair(format!(
                "the core is Fineract {version}; {FLOOR} is the oldest that is supported"
            )));
        }
        return Ok((version, true));
    }
    // Exists since 1.9, and answers 403 rather than 404 to a user who may not read it.
    let events = get(client, "/api/v1/externalevents/configuration").await?;
    if !matches!(events.status, 200 | 403) {
        return Ok((FLOOR, false));
    }
    // Exists since 1.12; before, the path only takes postings.
    let transactions = get(client, "/api/v1/loans/0/transactions").await?;
    let route_exists = transactions.status == 200
        || matches!(
            catalogue::classify(transactions.status, &transactions.body),
            ErrorMeaning::Listed { ref code, .. } if code == "error.msg.loan.id.invalid"
        );
    Ok((Version::new(1, if route_exists { 12 } else { 9 }), false))
}

fn stated_version(answer: &Answer) -> Option<Version> {
    if answer.status != 200 {
        return None;
    }
    let info: Info = serde_json::from_slice(&answer.body).ok()?;
    let stated = info.git.and_then(|git| git.build).and_then(|build| build.version);
    let stated = stated.or(info.build.and_then(|build| build.version))?;
    Version::parse(&stated)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    global_configuration: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    enabled: bool,
}

/// The tenant's switches that concern postings. Their names lost underscores in 1.11.
async fn switches(
    client: &Client,
    profile: &mut Profile,
    lines: &mut Vec<Observation>,
) -> Result<(), ProbeError> {
    let options = &client.settings.options;
    let answer = get(client, "/api/v1/configurations").await?;
    let read = (answer.status == 200)
        .then(|| serde_json::from_slice::<Configuration>(&answer.body).ok())
        .flatten();
    let on = |name: &str| {
        let read = read.as_ref()?;
        let same = |entry: &&Entry| entry.name.replace('_', "-") == name;
        Some(read.global_configuration.iter().find(same).is_some_and(|entry| entry.enabled))
    };
    profile.business_date = options.business_date.known(on("enable-business-date"));
    profile.maker_checker = options.maker_checker.known(on("maker-checker"));
    profile.loans_on_holidays = on("allow-transactions-on-holiday").unwrap_or(false);
    profile.loans_on_non_working_days = on("allow-transactions-on-non-workingday").unwrap_or(false);
    let zone = &options.time_zone;
    lines.push(match profile.business_date {
        Some(true) => {
            Observation::good("business_date", "value dates follow the tenant's business date")
        }
        Some(false) => {
            Observation::good("business_date", format!("value dates follow the calendar of {zone}"))
        }
        None => Observation::warning(
            "business_date_unread",
            format!(
                "whether the tenant keeps a business date cannot be read; value dates follow the \
                 calendar of {zone}"
            ),
            "give the user the permission READ_CONFIGURATION, or set business_date",
        ),
    });
    match profile.maker_checker {
        Some(true) => lines.push(Observation::warning(
            "maker_checker_on",
            "maker-checker is on; flagged commands wait for a second person",
            "leave Kiungo's commands out of it, or have them approved in the core",
        )),
        Some(false) => {}
        None => lines.push(Observation::warning(
            "maker_checker_unread",
            "whether maker-checker is on cannot be read",
            "give the user the permission READ_CONFIGURATION, or set maker_checker",
        )),
    }
    Ok(())
}

/// A key of its own, no operation's. Always the same, so that probing leaves one row behind, not
/// one per start.
const PROBE_KEY: &str = "kiungo-idempotency-probe";

/// Sends a command twice that no core applies: a deposit without amount or date. The refusal
/// comes out of the command handler, so it is stored, and the second answer shows whether keys are
/// minded. Version numbers alone do not say: up to 1.12, `OAuth2` switches it off. Any other answer
/// says nothing: taken for "not minded", a booking that still runs could go out under a new key.
async fn idempotency(
    client: &Client,
    profile: &Profile,
    lines: &mut Vec<Observation>,
) -> Result<bool, ProbeError> {
    let outdated = profile.exact && profile.version < Version::new(1, 9);
    let deaf = client.is_oauth2() && profile.exact && profile.version < Version::new(1, 13);
    if outdated || deaf {
        let (why, remedy) = if outdated {
            ("before 1.9 there is no idempotency; nothing is sent twice", "upgrade the core")
        } else {
            let remedy = "upgrade the core, or log in with a user name and password";
            ("before 1.13, OAuth2 switches idempotency off; nothing is sent twice", remedy)
        };
        lines.push(Observation::warning("core_idempotency_off", why, remedy));
        return Ok(false);
    }
    let body = Bytes::from(json!(FORMAT).to_string());
    let path = "/api/v1/savingsaccounts/0/transactions?command=deposit";
    let mut recognised = false;
    for _ in 0..2 {
        let answer = client
            .command(path, PROBE_KEY, body.clone())
            .await
            .map_err(|error| ProbeError::Unavailable(error.why()))?;
        // The outcome of the first command does not matter: it is remembered.
        recognised = answer.cached;
        let handled = matches!(answer.status, 400 | 404)
            && ErrorBody::parse(&answer.body).is_some_and(|error| !error.codes().is_empty());
        if !handled && !recognised {
            return Err(refused("whether a repeated key is recognised cannot be seen", &answer));
        }
    }
    lines.push(if recognised {
        Observation::good("core_idempotency", "a repeated idempotency key is recognised")
    } else {
        Observation::warning(
            "core_idempotency_off",
            "a repeated idempotency key is not recognised; nothing is sent twice",
            "unknown outcomes take longer to clear up; look whether a proxy drops the header \
             Idempotency-Key",
        )
    });
    Ok(recognised)
}

#[derive(Deserialize)]
struct Permissions {
    permissions: Option<Vec<String>>,
}

/// Reads the permissions of the user, which the core tells only for a user name and password.
pub(crate) async fn permissions(
    client: &Client,
    profile: &Profile,
) -> Result<Vec<Observation>, ProbeError> {
    let Some(body) = client.login_body() else {
        let text = "permissions cannot be read with OAuth2";
        return Ok(vec![Observation::good("core_permissions", text)]);
    };
    let answer = client
        .search("/api/v1/authentication", body)
        .await
        .map_err(|error| ProbeError::Unavailable(error.why()))?;
    let read = (answer.status == 200)
        .then(|| serde_json::from_slice::<Permissions>(&answer.body).ok())
        .flatten()
        .and_then(|read| read.permissions);
    let Some(granted) = read else {
        return Ok(vec![Observation::warning(
            "core_permissions_unread",
            "the user's permissions cannot be read",
            "compare them with the list in docs/fineract.md",
        )]);
    };
    check_permissions(&granted, &needed(&client.settings.options, profile))
}

fn check_permissions(granted: &[String], needed: &[&str]) -> Result<Vec<Observation>, ProbeError> {
    let has = |name: &str| granted.iter().any(|permission| permission == name);
    let may = |name: &str| {
        has(name)
            || has("ALL_FUNCTIONS")
            || (name.starts_with("READ_") && has("ALL_FUNCTIONS_READ"))
    };
    let missing: Vec<&str> = needed.iter().copied().filter(|name| !may(name)).collect();
    if !missing.is_empty() {
        return Err(ProbeError::Repair(format!(
            "the user lacks permissions: {}",
            missing.join(", ")
        )));
    }
    let mut lines =
        vec![Observation::good("core_permissions", "the user has the needed permissions")];
    let missing: Vec<&str> = USEFUL.into_iter().filter(|name| !may(name)).collect();
    if !missing.is_empty() {
        lines.push(Observation::warning(
            "core_permissions_useful",
            format!("the user lacks {}", missing.join(", ")),
            "give the user these permissions too",
        ));
    }
    if has("ALL_FUNCTIONS") {
        lines.push(Observation::warning(
            "core_permissions_too_many",
            "the user may do everything",
            "give it a role with only what it needs",
        ));
    }
    if granted.iter().any(|permission| permission.ends_with("_CHECKER")) {
        lines.push(Observation::warning(
            "core_permissions_checker",
            "the user may approve its own commands (a checker right)",
            "take the permissions that end in _CHECKER from it",
        ));
    }
    Ok(lines)
}

/// Turns the result of reading the calendar into a warning, if one is due: every booking reads it
/// first.
pub(crate) fn calendar(
    client: &Client,
    profile: &Profile,
    read: Result<Calendar, ReadError>,
) -> Result<Option<Observation>, ProbeError> {
    let calendar = read.map_err(|error| match error {
        ReadError::Unusable(why) => {
            ProbeError::Unavailable(format!("the calendar cannot be read: {why}"))
        }
        error => ProbeError::Repair(format!("the calendar cannot be read: {}", error.why())),
    })?;
    let never_set = profile.business_date == Some(true) && calendar.business_date.is_none();
    let zone = &client.settings.options.time_zone;
    Ok(never_set.then(|| {
        Observation::warning(
            "business_date_never_set",
            format!(
                "the tenant's business date is on but was never set; value dates follow the \
                 calendar of {zone} until it is"
            ),
            "set the business date in the core, or switch it off",
        )
    }))
}

async fn get(client: &Client, path: &str) -> Result<Answer, ProbeError> {
    client.get(path).await.map_err(|error| match error {
        crate::client::SendError::Login { code } => {
            ProbeError::Repair(format!("the authorization server refuses our client: {code}"))
        }
        error => ProbeError::Unavailable(error.why()),
    })
}

/// The error of a refused read: a person must repair it, or it may heal by itself.
fn refused(what: &str, answer: &Answer) -> ProbeError {
    match catalogue::classify(answer.status, &answer.body) {
        ErrorMeaning::Listed { row, code, message } if row.class == catalogue::Class::Repair => {
            ProbeError::Repair(format!("{what}: {code}: {message}"))
        }
        ErrorMeaning::Listed { code, message, .. } => {
            ProbeError::Unavailable(format!("{what}: {code}: {message}"))
        }
        ErrorMeaning::Unlisted { .. } if matches!(answer.status, 301..=308 | 404) => {
            ProbeError::Repair(format!("base_url: {} instead of Fineract", answer.status))
        }
        ErrorMeaning::Unlisted { why } => ProbeError::Unavailable(format!("{what}: {why}")),
    }
}

impl Client {
    /// The body with which a user asks for its own permissions; none with `OAuth2`.
    fn login_body(&self) -> Option<Bytes> {
        let Auth::Basic { username } = &self.settings.options.auth else { return None };
        let password = self.password()?;
        Some(Bytes::from(json!({"username": username, "password": password}).to_string()))
    }
}
