//! A transfer as it is shown.

use kiungo_domain::outcome::Rejection;
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{Origin, Transfer};
use kiungo_domain::{AccountRef, CoreAccount, Money, Msisdn};
use kiungo_engine::ExpectedFee;
use kiungo_store::{Cursor, Summary};
use serde::Serialize;
use utoipa::ToSchema;

use super::case::{ChoiceView, choices};
use super::event::MoneyView;
use super::viewer::Viewer;
use super::{time, words};

/// A transfer. A member without a value is left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Transfer)]
pub struct TransferView {
    /// Its id. The references that providers and cores see differ from it in the last two digits.
    #[schema(examples("019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00"))]
    id: String,
    /// The number of its changes: a decision about it names the version that was shown.
    version: u64,
    #[schema(schema_with = words::kind_schema)]
    kind: &'static str,
    #[schema(schema_with = words::status_schema)]
    status: &'static str,
    /// The provider.
    #[schema(examples("mpesa-tz"))]
    provider: String,
    /// The core.
    #[schema(examples("main"))]
    core: String,
    /// The wallet: in full for keys with the role `operate`, masked for others; absent where the
    /// provider hides a payer's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("255****78"))]
    msisdn: Option<String>,
    /// The account, once the core has found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
    /// The account as it was named, in the order in which the names are tried.
    named_accounts: Vec<NamedAccountView>,
    /// The gross amount.
    #[schema(examples("12500.00"))]
    amount: String,
    /// ISO 4217.
    #[schema(examples("TZS"))]
    currency: String,
    /// The charge by the provider's tariff, where the configuration has one. A fee stands beside
    /// the amount and never changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_fee: Option<ExpectedFeeView>,
    /// The charge that the provider states.
    #[serde(skip_serializing_if = "Option::is_none")]
    stated_fee: Option<MoneyView>,
    /// The client's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_reference: Option<String>,
    /// A text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    origin: OriginView,
    /// The provider's receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    wallet_receipt: Option<String>,
    /// The core's transaction id.
    #[serde(skip_serializing_if = "Option::is_none")]
    core_receipt: Option<String>,
    /// Why it failed, is suspended, or was given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<RejectionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::case_schema, required = false)]
    case: Option<&'static str>,
    /// The transfer that carries the same payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<String>,
    /// The actions that a person can take now; only where one transfer is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<ChoiceView>>,
    /// When it was received: RFC 3339, UTC, microseconds.
    #[schema(format = DateTime, examples("2026-11-21T08:33:20.000500Z"))]
    received_at: String,
    /// When it last changed.
    #[schema(format = DateTime, examples("2026-11-21T08:33:24.118203Z"))]
    updated_at: String,
}

/// A fee that a provider is expected to charge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExpectedFee)]
pub struct ExpectedFeeView {
    #[schema(examples("150.00"))]
    amount: String,
    #[schema(examples("TZS"))]
    currency: String,
    /// `customer`, at the wallet, or `organisation`, from its float.
    #[schema(examples("customer"))]
    paid_by: &'static str,
}

/// An account as the core knows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundAccount)]
pub struct AccountView {
    #[serde(rename = "type")]
    #[schema(schema_with = words::account_type_schema)]
    kind: &'static str,
    /// The core's numeric id.
    id: u64,
    /// The number printed for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_no: Option<String>,
}

/// An account as somebody named it, by one of `id`, `account_no`, `external_id` and `phone`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = NamedAccount)]
pub struct NamedAccountView {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::account_type_schema, required = false)]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The phone number of its owner; masked like `msisdn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

/// The origin of a transfer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
#[schema(as = Origin)]
pub enum OriginView {
    /// By this API.
    Api {
        /// The name of the API key.
        client: String,
    },
    /// By the customer at the wallet.
    Wallet {
        /// The provider's receipt.
        receipt: String,
        /// The text that the payer typed as account.
        account_reference: String,
    },
}

/// Why something was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rejection)]
pub struct RejectionView {
    /// The other side's code, as it wrote it; a word of ours with underscores, such as
    /// `account_not_found`, where Kiungo refused it itself.
    #[schema(examples("INS-2006"))]
    code: String,
    /// The meaning of the code.
    #[schema(examples("insufficient_funds"))]
    reason: String,
    /// For people.
    message: String,
    /// The kind of repetition that can help: `never`, `new_reference`, `after_repair`.
    #[schema(examples("never"))]
    retry: String,
}

/// A page of transfers, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TransferPage)]
pub struct TransferPageView {
    transfers: Vec<TransferView>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl TransferView {
    /// The transfer as this viewer may see it.
    pub fn new(summary: &Summary, expected: Option<ExpectedFee>, viewer: Viewer) -> Self {
        let (amount, currency) = money(summary.amount);
        Self {
            id: summary.id.to_string(),
            version: summary.version,
            kind: summary.kind.as_str(),
            status: summary.status.as_str(),
            provider: summary.provider.to_string(),
            core: summary.core.to_string(),
            msisdn: summary.msisdn.as_ref().map(|msisdn| viewer.msisdn(msisdn)),
            account: summary
                .account
                .map(|account| AccountView::new(account, summary.account_no.clone())),
            named_accounts: named(&summary.accounts, summary.msisdn.as_ref(), viewer),
            amount,
            currency,
            expected_fee: expected.map(ExpectedFeeView::new),
            stated_fee: summary.wallet_fee.map(MoneyView::new),
            client_reference: summary.client_reference.clone(),
            note: summary.note.clone(),
            origin: OriginView::new(
                &summary.origin,
                &summary.accounts,
                summary.msisdn.as_ref(),
                viewer,
            ),
            wallet_receipt: summary.wallet_receipt.as_ref().map(ToString::to_string),
            core_receipt: summary.core_receipt.as_ref().map(ToString::to_string),
            rejection: summary.rejection.as_ref().map(RejectionView::new),
            case: summary.case.map(kiungo_domain::transfer::CaseKind::as_str),
            merged_into: summary.merged_into.map(|id| id.to_string()),
            choices: None,
            received_at: time::to_text(summary.received_at),
            updated_at: time::to_text(summary.updated_at),
        }
    }
}

impl TransferView {
    /// The same, with the actions that a person can take now.
    #[must_use]
    pub fn with_choices(self, transfer: &Transfer) -> Self {
        Self { choices: Some(choices(transfer)), ..self }
    }
}

impl TransferPageView {
    /// A page of these transfers.
    pub fn new(transfers: Vec<TransferView>, next: Option<Cursor>) -> Self {
        Self { transfers, next: next.map(|cursor| cursor.0) }
    }
}

impl ExpectedFeeView {
    fn new(fee: ExpectedFee) -> Self {
        let (amount, currency) = money(fee.amount);
        Self { amount, currency, paid_by: fee.paid_by }
    }
}

impl AccountView {
    /// The view of an account that the core knows.
    pub fn new(account: CoreAccount, account_no: Option<String>) -> Self {
        Self { kind: account.kind.as_str(), id: account.id, account_no }
    }
}

impl NamedAccountView {
    /// The view of an account as it was named.
    pub fn new(account: &AccountRef, payer: Option<&Msisdn>, viewer: Viewer) -> Self {
        let kind = account.kind.map(kiungo_domain::AccountKind::as_str);
        let named = Self { kind, ..Self::default() };
        match &account.key {
            AccountKey::Id(id) => Self { id: Some(*id), ..named },
            AccountKey::AccountNo(number) => {
                let number = viewer.typed(number, false, payer);
                Self { account_no: Some(number), ..named }
            }
            AccountKey::ExternalId(id) => Self { external_id: Some(id.clone()), ..named },
            AccountKey::Phone(phone) => Self { phone: Some(viewer.msisdn(phone)), ..named },
        }
    }
}

impl OriginView {
    /// The view of the way in which a transfer began.
    pub fn new(
        origin: &Origin,
        accounts: &[AccountRef],
        payer: Option<&Msisdn>,
        viewer: Viewer,
    ) -> Self {
        match origin {
            Origin::Api { client } => Self::Api { client: client.clone() },
            Origin::Wallet { receipt, account_reference } => {
                let is_phone = |account: &AccountRef| matches!(account.key, AccountKey::Phone(_));
                let is_phone = accounts.iter().any(is_phone);
                Self::Wallet {
                    receipt: receipt.to_string(),
                    account_reference: viewer.typed(account_reference, is_phone, payer),
                }
            }
        }
    }
}

impl RejectionView {
    /// The view of a refusal.
    pub fn new(rejection: &Rejection) -> Self {
        Self {
            code: rejection.code.clone(),
            reason: words::reason(rejection.reason),
            message: rejection.message.clone(),
            retry: words::word(&rejection.retry),
        }
    }
}

/// The accounts that were named.
pub fn named(
    accounts: &[AccountRef],
    payer: Option<&Msisdn>,
    viewer: Viewer,
) -> Vec<NamedAccountView> {
    accounts.iter().map(|account| NamedAccountView::new(account, payer, viewer)).collect()
}

/// The amount as text, and the currency's code.
pub fn money(money: Money) -> (String, String) {
    (money.to_decimal(), money.currency().to_string())
}
