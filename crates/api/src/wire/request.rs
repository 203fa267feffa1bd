//! The bodies that clients send.

use std::borrow::Cow;

use kiungo_domain::numbering::{NumberError, check_text};
use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountKind, AccountRef, CoreId, Currency, Kind, Money, Msisdn, ProviderId};
use kiungo_engine::request::{NewTransfer, SubmitError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::check::{Checks, text};
use super::words;
use crate::problem::Problem;
use crate::service::Wallets;
use crate::sha256_hex;
use crate::wire::Object;

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
    /// The kind of the transfer.
    #[schema(schema_with = words::kind_schema)]
    kind: Kind,
    /// The provider, as configured.
    #[schema(pattern = "^[a-z0-9-]{1,32}$")]
    provider: String,
    /// The core, as configured; the provider's own if left out.
    #[schema(pattern = "^[a-z0-9-]{1,32}$")]
    core: Option<String>,
    /// The customer's wallet, in international form or in the national form of the provider's market:
    /// `255712345678`, `+255 712 345 678`, `00255712345678` and `0712345678` are one number. A number
    /// of another market is refused.
    #[schema(examples("255712345678"), pattern = "^[^0-9]*([0-9][^0-9]*){6,17}$")]
    msisdn: String,
    #[schema(value_type = AccountSchema)]
    account: Object<AccountInput>,
    /// The gross amount: digits with at most one decimal point, a text and not a number.
    #[schema(examples("125.50"), pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// ISO 4217, upper case.
    #[schema(examples("TZS"), pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Your own id for it: 1 to 100 characters. It need not be unique.
    #[schema(min_length = 1, max_length = 100)]
    client_reference: Option<String>,
    /// A text for people: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
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
    #[schema(min_length = 1, max_length = 50)]
    account_no: Option<String>,
    /// An id given by another system: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    external_id: Option<String>,
}

/// The schema of [`AccountInput`], with the rule that the type itself cannot say: exactly one name.
#[derive(Debug)]
pub struct AccountSchema;

impl PartialSchema for AccountSchema {
    fn schema() -> RefOr<Schema> {
        let mut schema = AccountInput::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            // A member that is null counts as left out.
            let by = [("id", "integer"), ("account_no", "string"), ("external_id", "string")];
            let by = by.map(|(name, kind)| {
                json!({
                    "description": format!("named by `{name}`."),
                    "required": [name],
                    "properties": { name: { "type": kind } },
                })
            });
            object.extensions = Some([("oneOf", json!(by))].into_iter().collect());
        }
        schema
    }
}

impl ToSchema for AccountSchema {
    fn name() -> Cow<'static, str> {
        AccountInput::name()
    }
}

/// Why a transfer is to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "reason": "The customer paid into the wrong account" })))]
pub struct ReversalRequest {
    /// For the journal: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// The version of the transfer that you saw. If it has changed since, nothing is done.
    version: Option<u64>,
}

/// The account of suspended money.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "account": { "type": "savings", "id": 42 } })))]
pub struct AssignmentRequest {
    #[schema(value_type = AccountSchema)]
    account: Object<AccountInput>,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: Option<String>,
    /// The version of the transfer that you saw. If it has changed since, nothing is done.
    version: Option<u64>,
}

impl TransferRequest {
    /// The transfer, if every member is right. `wallets` knows how providers' numbers are written.
    pub fn read(self, wallets: &dyn Wallets) -> Result<NewTransfer, Problem> {
        let mut checks = Checks::default();
        let mut refused = None;
        let provider = checks.member("/provider", ProviderId::new(&self.provider));
        let core = self.core.map(|core| checks.member("/core", CoreId::new(&core)));
        let wallet = provider.as_ref().map(|provider| wallet(wallets, provider, &self.msisdn));
        let msisdn = match wallet {
            Some(Err(Unread::Text(error))) => checks.member("/msisdn", Err(error)),
            Some(Err(Unread::Refused(error))) => {
                // A mistake in the rest is reported first, because it is one of the client's
                // program.
                refused = Some(error);
                None
            }
            Some(Ok(msisdn)) => Some(msisdn),
            None => checks.member("/msisdn", check_text(&self.msisdn)).and(None),
        };
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
        match refused {
            Some(error) => {
                checks.finish()?;
                Err(error.into())
            }
            None => checks.give(whole),
        }
    }
}

/// The reason why there is no wallet.
enum Unread {
    /// The text is no number.
    Text(NumberError),
    /// The text is a number, and not one of the provider.
    Refused(SubmitError),
}

fn wallet(wallets: &dyn Wallets, provider: &ProviderId, text: &str) -> Result<Msisdn, Unread> {
    match wallets.read_wallet(provider, text) {
        Ok(msisdn) => Ok(msisdn),
        Err(SubmitError::Wallet(error @ NumberError::Unreadable)) => Err(Unread::Text(error)),
        // Where it can be read without the provider, the engine has the last word: it alone knows
        // whether the same was accepted before, when the provider took such numbers.
        Err(error) => Msisdn::international(text).ok_or(Unread::Refused(error)),
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
    /// The reason, and the version that was seen.
    pub fn read(self) -> Result<(String, Option<u64>), Problem> {
        let mut checks = Checks::default();
        let reason = checks.member("/reason", text(&self.reason, 200));
        checks.give(reason.map(|reason| (reason, self.version)))
    }
}

impl AssignmentRequest {
    /// The account, the reason if one is given, and the version that was seen.
    pub fn read(self) -> Result<(AccountRef, String, Option<u64>), Problem> {
        let mut checks = Checks::default();
        let account = self.account.0.read("/account", &mut checks);
        let why = match &self.reason {
            Some(why) => checks.member("/reason", text(why, 200)),
            None => Some(String::new()),
        };
        checks.give(account.zip(why).map(|(account, why)| (account, why, self.version)))
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
    use kiungo_domain::numbering::Market;

    use super::*;
    use crate::problem::Code;

    const GOOD: &str = r#"{"kind":"deposit","provider":"mpesa-tz","msisdn":"255712345678",
        "account":{"type":"savings","id":1},"amount":"125.50","currency":"TZS"}"#;

    /// Every provider but one is in Tanzania.
    struct Tanzania;

    impl Wallets for Tanzania {
        fn read_wallet(&self, provider: &ProviderId, text: &str) -> Result<Msisdn, SubmitError> {
            if provider.as_str() == "nowhere" {
                return Err(SubmitError::UnknownProvider(provider.clone()));
            }
            Ok(Market::of(&["255"]).unwrap().read(text)?)
        }

        fn find_wallet(&self, _: Option<&ProviderId>, _: &str) -> Result<Msisdn, NumberError> {
            Err(NumberError::Unreadable)
        }
    }

    fn read(json: &str) -> Result<NewTransfer, Problem> {
        serde_json::from_str::<TransferRequest>(json).unwrap().read(&Tanzania)
    }

    #[test]
    fn a_wallets_number_is_one_number_in_every_notation() {
        let one = read(GOOD).unwrap();
        assert_eq!(one.msisdn.digits(), "255712345678");
        for text in
            ["0712345678", "712345678", "00255712345678", "2550712345678", "+255-712-345-678"]
        {
            let same = read(&GOOD.replace("255712345678", text)).unwrap();
            assert_eq!((&same, digest(&same)), (&one, digest(&one)), "{text}");
        }
    }

    #[test]
    fn a_number_that_is_none_of_the_provider_is_refused_by_name() {
        let problem = |from: &str, to: &str| {
            let problem = read(&GOOD.replace(from, to)).unwrap_err();
            let pointers = problem.errors().iter().filter_map(|error| error.pointer.clone());
            (problem.code(), pointers.collect::<Vec<_>>().join(" "))
        };
        let wallet = |to| problem("255712345678", to);
        let refused = (Code::TransferRefused, "#/msisdn".to_owned());
        for text in ["0841234567", "+0712345678", "0812345678"] {
            assert_eq!(wallet(text), refused, "{text}");
        }
        for text in ["", "07x2345678", "2557****5678"] {
            assert_eq!(wallet(text), (Code::InvalidRequest, "#/msisdn".to_owned()), "{text}");
        }
        // The engine refuses it, unless the same was accepted before.
        let foreign = read(&GOOD.replace("255712345678", "+254712345678")).unwrap();
        assert_eq!(foreign.msisdn.digits(), "254712345678");
        let both = problem("255712345678\"", "0841234567\",\"note\":\"\"");
        assert_eq!(both, (Code::InvalidRequest, "#/note".to_owned()));
        let nowhere = GOOD.replace("255712345678", "0712345678");
        let nowhere = read(&nowhere.replace("mpesa-tz", "nowhere")).unwrap_err();
        assert_eq!(nowhere.code(), Code::UnknownProvider);
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
