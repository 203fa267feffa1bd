//! What clients send.

use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountKind, AccountRef, CoreId, Currency, Kind, Money, Msisdn, ProviderId};
use kiungo_engine::request::NewTransfer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::{Checks, text};
use super::words;
use crate::extract::Object;
use crate::keyring::sha256_hex;
use crate::problem::Problem;

/// A transfer that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "kind": "deposit",
    "provider": "mpesa-tz",
    "msisdn": "255712345678",
    "account": { "type": "savings", "account_no": "000000042" },
    "amount": "12500",
    "currency": "TZS",
    "client_reference": "invoice-2026-118",
    "note": "November savings"
})))]
pub struct TransferRequest {
    /// What is wanted.
    #[schema(schema_with = words::kind_schema)]
    kind: Kind,
    /// The provider, as configured.
    provider: String,
    /// The core, as configured; the provider's own if left out.
    core: Option<String>,
    /// The customer's wallet: 6 to 15 digits in international form.
    #[schema(examples("255712345678"))]
    msisdn: String,
    #[schema(value_type = AccountInput)]
    account: Object<AccountInput>,
    /// The gross amount: digits with at most one decimal point, a text and not a number.
    #[schema(examples("125.50"))]
    amount: String,
    /// ISO 4217, upper case.
    #[schema(examples("TZS"))]
    currency: String,
    /// Your own id for it: 1 to 100 characters. It need not be unique.
    client_reference: Option<String>,
    /// A text for people: 1 to 200 characters.
    note: Option<String>,
}

/// An account in the core, named by exactly one of `id`, `account_no` and `external_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Account, examples(json!({ "type": "savings", "account_no": "000000042" })))]
pub struct AccountInput {
    /// Savings for deposits and withdrawals, loan for repayments and disbursements.
    #[serde(rename = "type")]
    #[schema(schema_with = words::account_type_schema)]
    kind: AccountKind,
    /// The core's numeric id.
    id: Option<u64>,
    /// The number printed for the customer: 1 to 50 characters.
    account_no: Option<String>,
    /// An id given by another system: 1 to 100 characters.
    external_id: Option<String>,
}

/// Why a transfer is to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "reason": "The customer paid into the wrong account" })))]
pub(crate) struct ReversalRequest {
    /// For the journal: 1 to 200 characters.
    reason: String,
}

/// The account of suspended money.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "account": { "type": "savings", "id": 42 } })))]
pub(crate) struct AssignmentRequest {
    #[schema(value_type = AccountInput)]
    account: Object<AccountInput>,
}

impl TransferRequest {
    /// The transfer, if every member is right.
    pub fn read(self) -> Result<NewTransfer, Problem> {
        let mut checks = Checks::default();
        let provider = checks.member("/provider", ProviderId::new(&self.provider));
        let core = self.core.map(|core| checks.member("/core", CoreId::new(&core)));
        let msisdn = checks.member("/msisdn", Msisdn::parse(&self.msisdn));
        let account = self.account.0.read("/account", &mut checks);
        let fits = match &account {
            Some(account) if account.kind != Some(self.kind.account_kind()) => Err(format!(
                "a {} needs a {} account",
                self.kind.as_str(),
                self.kind.account_kind().as_str()
            )),
            _ => Ok(()),
        };
        checks.member("/account/type", fits);
        let currency = checks.member("/currency", Currency::from_code(&self.currency));
        let amount = currency.and_then(|currency| read_amount(&self.amount, currency, &mut checks));
        let client_reference = self
            .client_reference
            .map(|reference| checks.member("/client_reference", text(&reference, 100)));
        let note = self.note.map(|note| checks.member("/note", text(&note, 200)));
        let whole = provider.zip(msisdn).zip(account.zip(amount));
        let whole = whole.map(|((provider, msisdn), (account, amount))| NewTransfer {
            kind: self.kind,
            provider,
            core: core.flatten(),
            msisdn,
            account,
            amount,
            client_reference: client_reference.flatten(),
            note: note.flatten(),
        });
        checks.give(whole)
    }
}

fn read_amount(amount: &str, currency: Currency, checks: &mut Checks) -> Option<Money> {
    let amount = checks.member("/amount", Money::parse(amount, currency))?;
    let positive = if amount.is_zero() { Err("the amount is zero") } else { Ok(amount) };
    checks.member("/amount", positive)
}

impl AccountInput {
    /// The account, if every member is right; `path` is where it stands in the request.
    pub fn read(self, path: &str, checks: &mut Checks) -> Option<AccountRef> {
        let key = match (self.id, self.account_no, self.external_id) {
            (Some(id), None, None) => Some(AccountKey::Id(id)),
            (None, Some(number), None) => checks
                .member(&format!("{path}/account_no"), text(&number, 50))
                .map(AccountKey::AccountNo),
            (None, None, Some(id)) => checks
                .member(&format!("{path}/external_id"), text(&id, 100))
                .map(AccountKey::ExternalId),
            _ => checks.member(path, Err("give exactly one of id, account_no and external_id")),
        };
        key.map(|key| AccountRef { kind: Some(self.kind), key })
    }
}

impl ReversalRequest {
    /// The reason.
    pub(crate) fn read(self) -> Result<String, Problem> {
        let mut checks = Checks::default();
        let reason = checks.member("/reason", text(&self.reason, 200));
        checks.give(reason)
    }
}

impl AssignmentRequest {
    /// The account.
    pub(crate) fn read(self) -> Result<AccountRef, Problem> {
        let mut checks = Checks::default();
        let account = self.account.0.read("/account", &mut checks);
        checks.give(account)
    }
}

/// SHA-256 over what the request means, so that neither blanks nor the order of members nor `125.5`
/// instead of `125.50` make it another.
pub fn digest(new: &NewTransfer) -> String {
    #[derive(Serialize)]
    struct Canonical<'a> {
        form: u8,
        kind: Kind,
        provider: &'a ProviderId,
        core: &'a Option<CoreId>,
        msisdn: &'a Msisdn,
        account: &'a AccountRef,
        amount: Money,
        client_reference: &'a Option<String>,
        note: &'a Option<String>,
    }
    let canonical = Canonical {
        // A new form of request would get a new number, and so could never be taken for an old one.
        form: 1,
        kind: new.kind,
        provider: &new.provider,
        core: &new.core,
        msisdn: &new.msisdn,
        account: &new.account,
        amount: new.amount,
        client_reference: &new.client_reference,
        note: &new.note,
    };
    // Structs of plain values always have a JSON form.
    sha256_hex(&serde_json::to_vec(&canonical).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"kind":"deposit","provider":"mpesa-tz","msisdn":"255712345678",
        "account":{"type":"savings","id":1},"amount":"125.50","currency":"TZS"}"#;

    fn read(json: &str) -> Result<NewTransfer, Problem> {
        serde_json::from_str::<TransferRequest>(json).unwrap().read()
    }

    #[test]
    fn the_digest_is_of_what_the_request_means() {
        let one = digest(&read(GOOD).unwrap());
        let spaced = GOOD.replace(':', " : ").replace("125.50", "125.5").replace("2557", "+2557");
        assert_eq!(digest(&read(&spaced).unwrap()), one);
        for (from, to) in [
            ("125.50", "125.51"),
            ("mpesa-tz", "mpesa-ke"),
            ("\"id\":1", "\"account_no\":\"1\""),
            ("TZS\"", "TZS\",\"note\":\"x\""),
            ("TZS\"", "TZS\",\"client_reference\":\"x\""),
        ] {
            assert_ne!(digest(&read(&GOOD.replace(from, to)).unwrap()), one, "{to}");
        }
    }
}
