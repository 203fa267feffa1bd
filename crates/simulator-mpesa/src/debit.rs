//! Direct debits (`mpesa-openapi.md` §6): mandates, payments under them, their query and
//! their end. They answer at once, in asynchronous mode only the payment does not; a mandate is
//! active when it is made, because nobody holds a phone here.

use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::response::Response;
use kiungo_domain::Money;
use kiungo_simulator::digest::sha256_hex;
use serde_json::{Value, json};

use super::answer::{self, Ids};
use super::call::Call;
use super::codes::{self, Code};
use super::fields::{self, Fields};
use super::mandates::Mandate;
use super::options::BooleanForm;
use super::order::{Kind, Order, check_country, check_msisdn, check_short_code, read_amount};
use super::simulator::Simulator;
use super::triggers::{self, Debit, Trigger};
use super::{Options, admission};

/// The longest answer that is read back.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A call that was admitted and read.
struct Admitted {
    session: String,
    fields: Fields,
    ids: Ids,
}

fn admit(
    simulator: &Simulator,
    call: &Call,
    product: &str,
    in_url: bool,
) -> Result<Admitted, Box<Response>> {
    let session = admission::admit(simulator, call, product)?;
    let strict = simulator.options().strict;
    let fields = if in_url {
        Fields::from_query(call.uri.query().unwrap_or_default(), &call.body, strict)
    } else {
        Fields::from_json(&call.body, strict)
    };
    let fields = fields.map_err(|code| Box::new(answer::early_refusal(code)))?;
    let conversation = simulator.state().new_conversation();
    let ids = Ids { conversation, third_party: fields.third_party() };
    Ok(Admitted { session, fields, ids })
}

/// Checks the fields that every direct debit call names.
fn check_head(fields: &Fields, options: &Options) -> Result<String, Code> {
    fields.demand(&[
        fields::COUNTRY,
        fields::SHORT_CODE,
        fields::CONVERSATION_ID,
        fields::MANDATE_REFERENCE,
    ])?;
    fields.get(fields::CONVERSATION_ID)?;
    check_country(fields, options)?;
    check_short_code(&fields.get(fields::SHORT_CODE)?, options)?;
    fields.get(fields::MANDATE_REFERENCE)
}

/// The magic number of a call, whatever the patterns say.
fn trigger(call: Debit, fields: &Fields, options: &Options) -> Option<Trigger> {
    let raw = |rule| fields.raw(rule).unwrap_or_default();
    triggers::of_debit(call, raw(fields::MSISDN), raw(fields::MANDATE_REFERENCE), options)
}

/// `POST directDebitCreation/`.
pub(super) fn create(simulator: &Simulator, call: &Call) -> Response {
    let admitted = match admit(simulator, call, "directDebitCreation", false) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    match made(simulator, &admitted) {
        Ok((reference, mandate)) => answer::success(
            StatusCode::CREATED,
            &admitted.ids,
            &[
                ("TransactionReference", &reference),
                ("MsisdnToken", &mandate.token),
                ("MandateID", &mandate.id),
            ],
        ),
        Err(code) => answer::query_refusal(code, &admitted.ids),
    }
}

fn made(simulator: &Simulator, admitted: &Admitted) -> Result<(String, Mandate), Code> {
    let (fields, options) = (&admitted.fields, simulator.options());
    let reference = check_head(fields, options)?;
    fields.demand(&[fields::AGREED, fields::MSISDN])?;
    if fields.get(fields::AGREED)? != "1" {
        return Err(codes::AGREED);
    }
    let party = fields.get(fields::MSISDN)?;
    check_msisdn(&party, options)?;
    let text = |rule| Ok::<_, Code>(fields.optional(rule)?.unwrap_or_default());
    let (first_payment, frequency) = (text(fields::FIRST_PAYMENT)?, text(fields::FREQUENCY)?);
    let days = (text(fields::FIRST_DAY)?, text(fields::LAST_DAY)?);
    check_schedule(&frequency, &first_payment, &days)?;
    let expiry = text(fields::EXPIRY)?;
    if let Some(Trigger::Fails(code)) = trigger(Debit::Create, fields, options) {
        return Err(code);
    }
    let mut state = simulator.state();
    if state.ledger.balance(&party).is_none() {
        return Err(codes::MSISDN);
    }
    state.mandates.count += 1;
    let token = sha256_hex(party.as_bytes()).chars().take(24).collect();
    let id = format!("{}", 15_000 + state.mandates.count);
    let active = true;
    let mandate = Mandate { id, party, token, active, first_payment, frequency, days, expiry };
    state.mandates.by_reference.insert(reference.clone(), mandate.clone());
    Ok((reference, mandate))
}

/// Checks the fields that go with a frequency (§6).
fn check_schedule(
    frequency: &str,
    first_payment: &str,
    (first_day, last_day): &(String, String),
) -> Result<(), Code> {
    let days_given = !first_day.is_empty() || !last_day.is_empty();
    let monthly = match frequency {
        "" | "01" | "02" | "03" | "08" => false,
        "04" | "05" | "06" | "07" => true,
        _ => return Err(codes::FREQUENCY),
    };
    // Without a schedule there is no first day; a monthly one needs it.
    let dated = !first_payment.is_empty();
    if (frequency.is_empty() && dated) || (monthly && !dated) {
        return Err(codes::FIRST_PAYMENT);
    }
    if days_given && !monthly { Err(codes::FIRST_DAY) } else { Ok(()) }
}

/// The mandate that a call names, and that it agrees with.
fn named(simulator: &Simulator, fields: &Fields, reference: &str) -> Result<Mandate, Code> {
    let number = fields.optional(fields::MSISDN)?;
    let token = fields.optional(fields::TOKEN)?;
    let id = fields.optional(fields::MANDATE_ID)?;
    if number.is_none() && token.is_none() {
        return Err(codes::NUMBER_REQUIRED);
    }
    let mandate = simulator.state().mandates.by_reference.get(reference).cloned();
    let mandate = mandate.ok_or(codes::NO_ACTIVE_MANDATE)?;
    if id.is_some_and(|id| id != mandate.id) {
        return Err(codes::MANDATE_DISAGREES);
    }
    let same_token = token.as_ref().is_none_or(|token| *token == mandate.token);
    match number {
        Some(number) if number != mandate.party || !same_token => Err(codes::TOKEN_DISAGREES),
        None if !same_token => Err(codes::TOKEN),
        _ => Ok(mandate),
    }
}

/// `POST directDebitPayment/`.
pub(super) async fn pay(simulator: &Simulator, call: &Call) -> Response {
    let admitted = match admit(simulator, call, "directDebitPayment", false) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let (order, token) = match ordered(simulator, &admitted) {
        Ok(ordered) => ordered,
        Err(code) => return answer::refusal(code, &admitted.ids),
    };
    let key = order.key();
    let delay = std::time::Duration::from_millis(simulator.options().delay_ms);
    let response = simulator.work(order, key, &admitted.session, delay).await;
    with_field(response, "output_MsisdnToken", token).await
}

fn ordered(simulator: &Simulator, admitted: &Admitted) -> Result<(Order, String), Code> {
    let (fields, options) = (&admitted.fields, simulator.options());
    let magic = trigger(Debit::Pay, fields, options);
    if let Some(Trigger::Fails(code)) = magic {
        return Err(code);
    }
    let reference = check_head(fields, options)?;
    fields.demand(&[fields::AMOUNT, fields::CURRENCY])?;
    let currency = fields.get(fields::CURRENCY)?;
    if !currency.eq_ignore_ascii_case(options.currency().code()) {
        return Err(codes::CURRENCY);
    }
    let amount = read_amount(&fields.get(fields::AMOUNT)?, options)?;
    let (party, token) = if magic.is_some() {
        // The magic success stands for no mandate: somebody pays.
        ("000000000001".to_owned(), String::from("magic"))
    } else {
        let mandate = named(simulator, fields, &reference)?;
        if !mandate.active {
            return Err(codes::NO_ACTIVE_MANDATE);
        }
        (mandate.party, mandate.token)
    };
    let third_party = fields.get(fields::CONVERSATION_ID)?;
    let label: String = reference.chars().take(20).collect();
    let original = String::new();
    let kind = Kind::C2b;
    Ok((Order { kind, third_party, party, amount: Some(amount), label, original }, token))
}

/// Adds one field to an answer of success.
async fn with_field(response: Response, name: &str, value: String) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
    let mut body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if parts.status.is_success() && body.is_object() {
        body[name] = value.into();
    }
    let mut changed = answer::json_answer(parts.status, &body);
    *changed.extensions_mut() = parts.extensions;
    changed
}

/// `GET queryDirectDebit/`.
pub(super) async fn query(simulator: &Simulator, call: &Call) -> Response {
    let admitted = match admit(simulator, call, "queryDirectDebit", true) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    match described(simulator, &admitted) {
        Ok((pairs, sufficient)) => {
            let pairs: Vec<(&str, &str)> =
                pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let response = answer::success(StatusCode::OK, &admitted.ids, &pairs);
            match sufficient {
                Some(sufficient) => {
                    let form = simulator.options().sufficient_balance;
                    with_boolean(response, sufficient, form).await
                }
                None => response,
            }
        }
        Err(code) => answer::query_refusal(code, &admitted.ids),
    }
}

/// States in an answer whether the balance suffices, in the form that the options name.
async fn with_boolean(response: Response, sufficient: bool, form: BooleanForm) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
    let mut body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    body["output_SufficientBalance"] = match form {
        BooleanForm::Boolean => json!(sufficient),
        BooleanForm::Text => json!(if sufficient { "True" } else { "False" }),
    };
    answer::json_answer(parts.status, &body)
}

type Described = (Vec<(&'static str, String)>, Option<bool>);

fn described(simulator: &Simulator, admitted: &Admitted) -> Result<Described, Code> {
    let (fields, options) = (&admitted.fields, simulator.options());
    let magic = trigger(Debit::Query, fields, options);
    if let Some(Trigger::Fails(code)) = magic {
        return Err(code);
    }
    let reference = check_head(fields, options)?;
    let asks = fields.optional(fields::QUERY_BALANCE)?;
    let asks = asks.is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let amount = match fields.optional(fields::BALANCE)? {
        Some(text) => Some(read_amount(&text, options).map_err(|_| codes::BALANCE)?),
        None if asks => return Err(codes::BALANCE_MISSING),
        None => None,
    };
    let mandate =
        if magic.is_some() { magic_mandate(fields) } else { named(simulator, fields, &reference)? };
    let number = fields.raw(fields::MSISDN).unwrap_or_default();
    let id = fields.raw(fields::MANDATE_ID).unwrap_or_default();
    let (account, state) = triggers::states_of_debit(number, id, options);
    let balance = simulator.state().ledger.balance(&mandate.party).unwrap_or_default();
    let sufficient = amount
        .filter(|_| asks)
        .map(Money::minor)
        .map(|minor| triggers::is_sufficient(minor, options).unwrap_or(balance >= minor));
    let own = if mandate.active { "Active" } else { "Cancelled" };
    let pairs = vec![
        ("TransactionReference", reference),
        ("MsisdnToken", mandate.token),
        ("MandateID", mandate.id),
        ("MandateStatus", state.unwrap_or(own).to_owned()),
        ("AccountStatus", account.unwrap_or("Active").to_owned()),
        ("FirstPaymentDate", mandate.first_payment),
        ("Frequency", mandate.frequency),
        ("PaymentDayFrom", mandate.days.0),
        ("PaymentDayTo", mandate.days.1),
        ("ExpiryDate", mandate.expiry),
    ];
    Ok((pairs, sufficient))
}

/// The mandate for which a magic reference stands.
fn magic_mandate(fields: &Fields) -> Mandate {
    let text = |rule| fields.raw(rule).unwrap_or_default().to_owned();
    Mandate {
        id: text(fields::MANDATE_ID),
        party: text(fields::MSISDN),
        token: text(fields::TOKEN),
        active: true,
        first_payment: String::new(),
        frequency: String::new(),
        days: (String::new(), String::new()),
        expiry: String::new(),
    }
}

/// `PUT directDebitCancel/`.
pub(super) fn cancel(simulator: &Simulator, call: &Call) -> Response {
    let admitted = match admit(simulator, call, "directDebitCancel", false) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    match ended(simulator, &admitted) {
        Ok((reference, token)) => answer::success(
            StatusCode::CREATED,
            &admitted.ids,
            &[("TransactionReference", &reference), ("MsisdnToken", &token)],
        ),
        Err(code) => answer::query_refusal(code, &admitted.ids),
    }
}

fn ended(simulator: &Simulator, admitted: &Admitted) -> Result<(String, String), Code> {
    let (fields, options) = (&admitted.fields, simulator.options());
    match trigger(Debit::Cancel, fields, options) {
        Some(Trigger::Fails(code)) => return Err(code),
        Some(Trigger::Succeeds) => {
            return Ok((check_head(fields, options)?, String::from("magic")));
        }
        None => {}
    }
    let reference = check_head(fields, options)?;
    // Here INS-6 means that there is no such mandate (§6).
    let mandate = named(simulator, fields, &reference)
        .map_err(|code| if code == codes::NO_ACTIVE_MANDATE { codes::NO_MANDATE } else { code })?;
    if let Some(known) = simulator.state().mandates.by_reference.get_mut(&reference) {
        known.active = false;
    }
    Ok((reference, mandate.token))
}
