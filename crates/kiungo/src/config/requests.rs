//! `[cores.requests]`: the requests of a core for payouts, and the rules by which they are paid.

use std::collections::BTreeSet;
use std::time::Duration;

use kiungo_core_banking::RequestKind;
use kiungo_core_fineract::{DataTable, RequestOptions, WithdrawalTable};
use kiungo_domain::numbering::Market;
use kiungo_domain::{Currency, Money, ProviderId};
use kiungo_engine::requests::{
    Action, Conditions, Payee, RequestLinkOptions, RequestRules, Rule, WalletSource,
};
use secrecy::SecretString;

use super::read::{Section, quoted};
use super::secret;

/// The settings by which a core's requests are taken up.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    /// Part of the address that the core's hooks call; without one none can.
    pub(crate) hook_secret: Option<SecretString>,
    /// The rules that say which requests are paid.
    pub(crate) rules: RequestRules,
    /// The kinds of requests to look for in the core.
    pub(crate) sources: RequestOptions,
    /// Bounds and waits.
    pub(crate) link: RequestLinkOptions,
}

impl Requests {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let hook_secret = secret::one(&mut section, "hook_secret", "hook_secret_file");
        if hook_secret.as_ref().is_some_and(secret::is_weak_in_an_address) {
            let message = "must be 16 to 128 of a-z, A-Z, 0-9, - and _: openssl rand -hex 24";
            section.problem("hook_secret", message.to_owned());
        }
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        let defaults = RequestLinkOptions::default();
        let mut wait = |key, most, default| section.duration_or(key, second..=most, default);
        let poll_interval = wait("poll_interval", hour, defaults.poll_interval);
        let hook_wait = wait("hook_wait", 60 * second, defaults.hook_wait);
        let (pages_max, reads_max) = (defaults.pages_max.into(), defaults.reads_max.into());
        let at_a_time = u64::try_from(defaults.reads_at_a_time).unwrap_or(1);
        let link = RequestLinkOptions {
            poll_interval,
            pages_max: section.integer_or("pages_max", 1..=10_000, pages_max),
            reads_max: section.integer_or("reads_max", 1..=100_000, reads_max),
            reads_at_a_time: section.integer_or("reads_at_a_time", 1..=64, at_a_time),
            hook_wait,
        };
        let country_code = optional(section.text("country_code"));
        let home = country_code.and_then(|code| {
            Market::of(&[&code])
                .map_err(|error| section.problem("country_code", error.to_string()))
                .ok()
        });
        let payment_type_field = optional(section.text("payment_type_field"));
        check_field(&section, "payment_type_field", payment_type_field.as_deref());
        let given = section.get("withdrawals").is_some();
        let withdrawals = given.then(|| withdrawals(section.table("withdrawals"))).flatten();
        let has_payment_type = payment_type_field.is_some();
        let rules = section.tables("rules").into_iter();
        let rules: Vec<_> = rules.filter_map(|rule| read_rule(rule, has_payment_type)).collect();
        if rules.is_empty() {
            let message = "are missing: without a [[cores.requests.rules]] everything is ignored";
            section.problem("rules", message.to_owned());
        }
        let of_withdrawals = |rule: &Rule| rule.when.kind == Some(RequestKind::Withdrawal);
        if withdrawals.is_none() && rules.iter().any(of_withdrawals) {
            let message = "is missing: a rule is about withdrawals, so name the data table in \
                           which they are requested";
            section.problem("withdrawals", message.to_owned());
        }
        section.finish();
        let rules = RequestRules { rules, payment_type_field, home, ..RequestRules::default() };
        let sources = sources(&rules, withdrawals);
        Self { hook_secret, rules, sources, link }
    }
}

/// The kinds of requests that have to be looked for, so that every rule can be asked.
fn sources(rules: &RequestRules, withdrawals: Option<WithdrawalTable>) -> RequestOptions {
    let disbursements = rules.rules.iter().any(|rule| {
        rule.when.kind != Some(RequestKind::Withdrawal) && rule.action != Action::Ignore
    });
    let wallets = rules.rules.iter().filter_map(|rule| match &rule.action {
        Action::PayOut(payee) | Action::Ask(payee) => match &payee.wallet {
            WalletSource::Field(field) => Some(field),
            WalletSource::Owner => None,
        },
        Action::Ignore => None,
    });
    let fields = rules.rules.iter().flat_map(|rule| rule.when.fields.iter().map(|(name, _)| name));
    let names = wallets.chain(fields).chain(&rules.payment_type_field);
    let own = withdrawals.as_ref().map(|table| table.name.as_str());
    let columns: BTreeSet<_> = names.filter_map(|name| column_of(name)).collect();
    let tables: BTreeSet<_> = columns
        .iter()
        .map(|(table, _)| table.clone())
        .filter(|table| table.of_client || Some(table.name.as_str()) != own)
        .collect();
    RequestOptions { disbursements, withdrawals, tables, columns }
}

fn withdrawals(mut section: Section<'_>) -> Option<WithdrawalTable> {
    let name = section.required("table", "the data table, for example \"mm_withdrawal\"");
    let amount = section.required("amount", "the column with the amount, for example \"amount\"");
    let state = section.required("state", "the column that says how far it is, such as \"state\"");
    let open = section.required("open", "what stands there while it is open: \"requested\"");
    section.finish();
    Some(WithdrawalTable { name: name?, amount: amount?, state: state?, open: open? })
}

fn read_rule(mut section: Section<'_>, has_payment_type: bool) -> Option<Rule> {
    section.show_entry();
    let kind = match section.text("kind").as_str() {
        "" => None,
        "disbursement" => Some(RequestKind::Disbursement),
        "withdrawal" => Some(RequestKind::Withdrawal),
        other => {
            let message = format!("`{other}` is not one of \"disbursement\", \"withdrawal\"");
            section.problem("kind", message);
            None
        }
    };
    let (products, offices) = (numbers(&mut section, "products"), numbers(&mut section, "offices"));
    let payment_types = section.texts("payment_types");
    if !payment_types.is_empty() && !has_payment_type {
        let message = "needs payment_type_field: the core keeps no payment type of what is not \
                       booked yet, so name the field in which your staff say it";
        section.problem("payment_types", message.to_owned());
    }
    let fields = fields(&mut section);
    let amount_max = amount_max(&mut section);
    let prefixes = section.texts("prefixes");
    if prefixes.iter().any(|prefix| !digits(prefix) || prefix.starts_with('0')) {
        let message = "must be digits in international form, for example [\"25574\"]";
        section.problem("prefixes", message.to_owned());
    }
    let action = section.required("action", "one of \"pay_out\", \"ask\", \"ignore\"");
    let payee = if matches!(action.as_deref(), Some("pay_out" | "ask")) {
        payee(&mut section)
    } else {
        section.text("provider");
        section.text("wallet");
        None
    };
    let action = match (action.as_deref(), payee) {
        (Some("pay_out"), payee) => payee.map(Action::PayOut),
        (Some("ask"), payee) => payee.map(Action::Ask),
        (Some("ignore"), _) => Some(Action::Ignore),
        (Some(other), _) => {
            let message = format!("`{other}` is not one of \"pay_out\", \"ask\", \"ignore\"");
            section.problem("action", message);
            None
        }
        (None, _) => None,
    };
    if action == Some(Action::Ignore) && !prefixes.is_empty() {
        let message = "needs a wallet, which a rule that ignores does not name".to_owned();
        section.problem("prefixes", message);
    }
    section.finish();
    let when = Conditions { kind, products, offices, payment_types, fields, amount_max, prefixes };
    Some(Rule { when, action: action? })
}

fn payee(section: &mut Section<'_>) -> Option<Payee> {
    let provider = section.required("provider", "the provider that pays it out");
    let provider = provider.and_then(|name| {
        ProviderId::new(&name).map_err(|error| section.problem("provider", error.to_string())).ok()
    });
    let wallet = section.required("wallet", "\"owner\", or a field such as \"mm.number\"")?;
    let wallet = if wallet == "owner" {
        WalletSource::Owner
    } else {
        check_field(section, "wallet", Some(&wallet));
        WalletSource::Field(wallet)
    };
    Some(Payee { provider: provider?, wallet })
}

/// `table.column=value`, each.
fn fields(section: &mut Section<'_>) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for text in section.texts("fields") {
        match text.split_once('=') {
            Some((name, value)) if !value.trim().is_empty() => {
                check_field(section, "fields", Some(name.trim()));
                fields.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ => {
                let message = format!("`{text}` is not \"table.column=value\"");
                section.problem("fields", message);
            }
        }
    }
    fields
}

fn amount_max(section: &mut Section<'_>) -> Option<Money> {
    let (amount, currency) = (section.text("amount_max"), section.text("currency"));
    match (amount.as_str(), currency.as_str()) {
        ("", "") => None,
        ("", _) | (_, "") => {
            let message = "needs the other: amount_max = \"500000\", currency = \"TZS\"";
            let key = if amount.is_empty() { "currency" } else { "amount_max" };
            section.problem(key, message.to_owned());
            None
        }
        (amount, code) => {
            let read = Currency::from_code(code).and_then(|code| Money::parse(amount, code));
            read.map_err(|error| section.problem("amount_max", error.to_string())).ok()
        }
    }
}

fn numbers(section: &mut Section<'_>, key: &'static str) -> Vec<u64> {
    let Some(item) = section.get(key) else { return Vec::new() };
    let values = item.list_or("a list of ids, for example [2, 5]").unwrap_or_default();
    let numbers: Vec<_> = values.iter().filter_map(|value| value.integer(0..=u64::MAX)).collect();
    let shown: Vec<_> = numbers.iter().map(u64::to_string).collect();
    section.show(key, &format!("[{}]", shown.join(", ")));
    numbers
}

fn check_field(section: &Section<'_>, key: &str, field: Option<&str>) {
    let Some(field) = field else { return };
    if column_of(field).is_none() {
        let message = format!(
            "{} is not \"table.column\" of a data table, or \"client/table.column\"",
            quoted(field)
        );
        section.problem(key, message);
    }
}

/// The table and column of a field: `table.column` of the account, `client/table.column` of its owner.
fn column_of(field: &str) -> Option<(DataTable, String)> {
    let (of_client, rest) = match field.strip_prefix("client/") {
        Some(rest) => (true, rest),
        None => (false, field),
    };
    let (name, column) = rest.split_once('.')?;
    let fits = !name.is_empty() && !column.is_empty() && !name.contains('/');
    let table = DataTable { of_client, name: name.to_owned() };
    fits.then(|| (table, column.to_owned()))
}

fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
