//! Reading and validating a creation request (`gsma-mobile-money-api.md` §7, §8, §10.1).

use axum::http::{HeaderMap, Uri};
use kiungo_domain::{Currency, Money, Timestamp};
use kiungo_simulator::ledger::FLOAT;
use serde_json::{Map, Value, json};

use super::admission::content_is_whole;
use super::error::{ApiError, Category};
use super::options::Options;
use super::schema::{Schema, Violations, is_institution_type};
use super::version::Version;
use super::{format, iso, trigger};

/// The transaction types of §8.
pub(super) const KINDS: [&str; 9] = [
    "billpay",
    "deposit",
    "disbursement",
    "transfer",
    "merchantpay",
    "inttransfer",
    "adjustment",
    "reversal",
    "withdrawal",
];

/// An instruction to move money, as accepted.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) sender: Sender,
    /// The transaction type.
    pub(super) kind: String,
    pub(super) payer: String,
    pub(super) payee: String,
    pub(super) amount: Money,
    /// The properties that come back: the request's, and both parties.
    pub(super) echo: Map<String, Value>,
    /// The reference of the transaction that is reversed.
    pub(super) original: Option<String>,
    /// The account as the customer and the statement see it.
    pub(super) label: String,
    /// The business content that faults are drawn by.
    pub(super) key: String,
    /// A failure decided beforehand, by a trigger.
    pub(super) failing: Option<ApiError>,
}

/// The client that asks, and the way in which it wants to hear of the result.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) client: String,
    pub(super) version: Version,
    pub(super) correlation: Option<String>,
    pub(super) callback_url: Option<Uri>,
}

impl Order {
    /// The operation's name in books and faults.
    pub(super) fn operation(&self) -> &'static str {
        if self.original.is_some() {
            "reverse"
        } else if self.payee == FLOAT {
            "collect"
        } else if self.payer == FLOAT {
            "pay_out"
        } else {
            "transfer"
        }
    }

    /// A text property of the request.
    pub(super) fn text(&self, name: &str) -> &str {
        self.echo.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A request as received.
pub(super) struct Raw<'a> {
    pub(super) version: Version,
    pub(super) options: &'a Options,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
}

impl Raw<'_> {
    /// The body as an object, after the checks that concern the whole of it.
    pub(super) fn object(&self) -> Result<Map<String, Value>, ApiError> {
        if !content_is_whole(self.headers, self.body) {
            let error = self.malformed("The content hash does not match the body");
            return Err(error.field("X-Content-Hash", "SHA-256 of the body, hexadecimal"));
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(self.malformed("The body is not a JSON object")),
        }
    }

    fn malformed(&self, text: &str) -> ApiError {
        ApiError::new(Category::Validation, "formatError", text, self.now)
    }

    /// The headers of a creation (§2.1).
    pub(super) fn sender(&self, client: String, polling: bool) -> Result<Sender, ApiError> {
        let mut violations = Violations::default();
        let text = |name| self.headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let correlation = text("x-correlationid");
        match correlation {
            Some(id) if !format::is_uuid(id) => {
                violations.add("formatError", "X-CorrelationID", "UUID");
            }
            None if self.options.strict && !polling => {
                violations.add("mandatoryValueNotSupplied", "X-CorrelationID", "UUID");
            }
            _ => {}
        }
        let callback_url = text("x-callback-url").map(str::parse::<Uri>);
        let absolute = |url: &Uri| url.scheme().is_some() && url.host().is_some();
        let callback_url = match callback_url {
            None => None,
            Some(Ok(url)) if absolute(&url) => Some(url),
            Some(_) => {
                violations.add("formatError", "X-Callback-URL", "absolute URI");
                None
            }
        };
        self.check_headers(&mut violations);
        violations.into_result(self.now)?;
        // Ids are compared in lower case: a UUID is the same in either.
        Ok(Sender {
            client,
            version: self.version,
            correlation: correlation.map(str::to_ascii_lowercase),
            callback_url,
        })
    }

    /// The headers that may be left out, and must be right where they are not (§2.1).
    pub(super) fn check_headers(&self, violations: &mut Violations) {
        let text = |name| self.headers.get(name).map(|value| value.to_str().unwrap_or_default());
        if let Some(date) = text("x-date") {
            let read = format::read_date_time(date).or_else(|| format::read_http_date(date));
            let near = |at: Timestamp| {
                let apart = at.as_micros().abs_diff(self.now.as_micros()) / 1_000_000;
                self.options.security.date_deviation_s_max.is_none_or(|most| apart <= most)
            };
            match read {
                None => violations.add("formatError", "X-Date", "date-time"),
                Some(at) if !near(at) => violations.add("formatError", "X-Date", "about now"),
                Some(_) => {}
            }
        }
        let json =
            |kind: &str| kind.trim_start().to_ascii_lowercase().starts_with("application/json");
        if text("content-type").is_some_and(|kind| !json(kind)) {
            violations.add("formatError", "Content-Type", "application/json");
        }
        for name in ["X-Channel", "X-Client-Id"] {
            if text(name).is_some_and(|value| value.len() > 256) {
                violations.add("lengthError", name, "0 to 256 characters");
            }
        }
        let institution = "X-Account-Holding-Institution-Identifier";
        let kind = format!("{institution}-Type");
        match (self.headers.contains_key(institution), self.headers.get(&kind)) {
            (false, None) => {}
            (true, None) => {
                violations.add("mandatoryValueNotSupplied", &kind, "with the identifier");
            }
            (false, Some(_)) => {
                violations.add("mandatoryValueNotSupplied", institution, "with its type");
            }
            (true, Some(word)) if word.to_str().is_ok_and(is_institution_type) => {}
            (true, Some(_)) => violations.add("formatError", &kind, "lei|swiftbic|organisationid"),
        }
    }

    /// A transaction: of the type in the path, or of the one in the body.
    pub(super) fn transaction(
        &self,
        client: String,
        path_kind: Option<&str>,
    ) -> Result<Order, ApiError> {
        let body = self.object()?;
        let polling = !self.headers.contains_key("x-callback-url");
        let sender = self.sender(client, polling)?;
        let mut violations = Violations::default();
        let kind = read_kind(&body, path_kind, &mut violations);
        let amount = self.amount(&body, true, &mut violations);
        let debit = self.party(&body, "debitParty", &mut violations);
        let credit = self.party(&body, "creditParty", &mut violations);
        if debit.is_none() && credit.is_none() && violations.is_empty() {
            violations.add(
                "mandatoryValueNotSupplied",
                "debitParty",
                "one of debitParty, creditParty",
            );
        }
        let mut echo = self.schema().transaction(&body, &mut violations);
        for name in ["amount", "currency", "debitParty", "creditParty"] {
            if let Some(value) = body.get(name) {
                echo.insert(name.to_owned(), value.clone());
            }
        }
        violations.into_result(self.now)?;
        let amount = amount.unwrap_or(Money::zero(self.options.currency));
        let (from, to) = self.complete(&body, debit, credit, &mut echo);
        let customer = if from == FLOAT { &to } else { &from };
        let label = self.label(&echo);
        let key = format!("{customer}|{}|{label}", amount.minor());
        let failing = trigger::failure(&kind, amount, from == to, self.now);
        let failing = failing.filter(|_| self.options.triggers);
        Ok(Order {
            sender,
            kind,
            payer: from,
            payee: to,
            amount,
            echo,
            original: None,
            label,
            key,
            failing,
        })
    }

    /// The optional properties of a reversal, and its amount where it is one of a part.
    pub(super) fn reversal(
        &self,
        body: &Map<String, Value>,
    ) -> Result<(Map<String, Value>, Option<Money>), ApiError> {
        let mut violations = Violations::default();
        let amount = self.amount(body, false, &mut violations);
        let known = self.schema().reversal(body, &mut violations);
        for field in ["debitParty", "creditParty"] {
            self.party(body, field, &mut violations);
        }
        violations.into_result(self.now)?;
        Ok((known, amount))
    }

    fn amount(
        &self,
        body: &Map<String, Value>,
        mandatory: bool,
        violations: &mut Violations,
    ) -> Option<Money> {
        let mut currency = self.options.currency;
        let named = body.get("currency").and_then(Value::as_str);
        let named = named.and_then(|code| Currency::from_code(code).ok());
        match body.get("currency") {
            None if mandatory || body.contains_key("amount") => {
                violations.add("mandatoryValueNotSupplied", "currency", "^[A-Z]{3}$");
            }
            None => {}
            Some(Value::String(_)) if named.is_some_and(|named| self.options.takes(named)) => {
                currency = named.unwrap_or(currency);
            }
            Some(Value::String(code)) if iso::is_currency(code) => {
                violations.add("currencyNotSupported", "currency", currency.code());
            }
            Some(_) => violations.add("formatError", "currency", "^[A-Z]{3}$"),
        }
        let pattern = format::amount_pattern(self.version);
        let text = match body.get("amount") {
            None if mandatory => {
                violations.add("mandatoryValueNotSupplied", "amount", pattern);
                return None;
            }
            None => return None,
            Some(Value::String(text)) => text,
            Some(_) => {
                violations.add("formatError", "amount", pattern);
                return None;
            }
        };
        let opposite = text.strip_prefix('-');
        if opposite.is_some_and(|text| format::is_amount(text, self.version)) {
            violations.add("negativeValue", "amount", pattern);
            return None;
        }
        if !format::is_amount(text, self.version) {
            violations.add("formatError", "amount", pattern);
            return None;
        }
        let amount = Money::parse(text, currency).ok();
        if amount.is_none() {
            let (code, decimals) = (currency.code(), currency.exponent());
            let why = format!("at most {decimals} decimals and 18 digits in {code}");
            violations.add("formatError", "amount", &why);
        }
        amount
    }

    /// The ledger's party that `field` names, if it is there.
    fn party(
        &self,
        body: &Map<String, Value>,
        field: &str,
        violations: &mut Violations,
    ) -> Option<String> {
        let value = body.get(field)?;
        let Some(pairs) = read_pairs(value, 1..=10) else {
            violations.add("formatError", field, "1 to 10 of {key, value}");
            return None;
        };
        if self.options.strict
            && let Some((key, _)) = pairs.iter().find(|(key, _)| !format::is_key(key))
        {
            violations.add("formatError", field, &format!("{key} is not an identifier"));
            return None;
        }
        let own = &self.options.own_account;
        let mut parties = pairs.iter().map(|(key, value)| (key, format::party(key, value, own)));
        if parties.clone().any(|(_, party)| party.is_none()) {
            violations.add("formatError", field, "6 to 15 digits");
            return None;
        }
        // The organisation's own account and a phone number say most; else the first identifier.
        let best = parties
            .clone()
            .find(|(_, party)| party.as_deref() == Some(FLOAT))
            .or_else(|| parties.clone().find(|(key, _)| key.eq_ignore_ascii_case("msisdn")))
            .or_else(|| parties.next());
        best.and_then(|(_, party)| party)
    }

    /// The schema of this request.
    pub(super) const fn schema(&self) -> Schema {
        Schema { version: self.version, strict: self.options.strict }
    }

    /// Fills in the party that was left out: the caller's own account (§10.1).
    fn complete(
        &self,
        body: &Map<String, Value>,
        debit: Option<String>,
        credit: Option<String>,
        echo: &mut Map<String, Value>,
    ) -> (String, String) {
        let own = &self.options.own_account;
        for field in ["debitParty", "creditParty"] {
            if !body.contains_key(field) {
                echo.insert(field.into(), json!([{ "key": own.key, "value": own.value }]));
            }
        }
        let or_own = |party: Option<String>| party.unwrap_or_else(|| FLOAT.to_owned());
        let parties = (or_own(debit), or_own(credit));
        if self.options.quirks.canonical_parties {
            echo.insert("debitParty".into(), canonical(&parties.0, self.options));
            echo.insert("creditParty".into(), canonical(&parties.1, self.options));
        }
        parties
    }

    /// The entry of `customData` or `metadata` under the configured key, or else the description.
    fn label(&self, echo: &Map<String, Value>) -> String {
        let noted = ["customData", "metadata"].into_iter().find_map(|name| {
            let pairs = read_pairs(echo.get(name)?, 0..=20)?;
            let wanted = &self.options.label_key;
            pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted))
        });
        let description = || echo.get("descriptionText")?.as_str().map(str::to_owned);
        noted.map(|(_, value)| value).or_else(description).unwrap_or_default()
    }
}

/// The type, from the path or else from the body.
fn read_kind(
    body: &Map<String, Value>,
    path_kind: Option<&str>,
    violations: &mut Violations,
) -> String {
    let kind = path_kind.or_else(|| body.get("type").and_then(Value::as_str));
    match kind {
        None => violations.add("mandatoryValueNotSupplied", "type", &KINDS.join("|")),
        Some(kind) if !KINDS.contains(&kind) => {
            violations.add("formatError", "type", &KINDS.join("|"));
        }
        Some(_) => {}
    }
    kind.unwrap_or_default().to_owned()
}

/// All identifiers of a party, as the hosted simulator gives them (§15.1).
pub(super) fn canonical(party: &str, options: &Options) -> Value {
    let own = &options.own_account;
    if party == FLOAT {
        return json!([{ "key": own.key, "value": own.value }]);
    }
    match party.split_once(':') {
        Some((key, value)) => json!([{ "key": key, "value": value }]),
        None => json!([
            { "key": "msisdn", "value": format!("+{party}") },
            { "key": "accountid", "value": format!("A{party}") },
        ]),
    }
}

/// An array of `{key, value}` with texts of 1 to 256 characters.
fn read_pairs(
    value: &Value,
    count: std::ops::RangeInclusive<usize>,
) -> Option<Vec<(String, String)>> {
    let items = value.as_array().filter(|items| count.contains(&items.len()))?;
    let text = |item: &Value, name: &str| {
        let text = item.get(name)?.as_str()?;
        (1..=256).contains(&text.chars().count()).then(|| text.to_owned())
    };
    items.iter().map(|item| Some((text(item, "key")?, text(item, "value")?))).collect()
}
