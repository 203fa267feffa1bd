//! The projection of a transfer that queries read. A cache: always equal to what its journal adds
//! up to.

use kiungo_domain::outcome::Rejection;
use kiungo_domain::party::label_of;
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{CaseKind, Kind, Origin, Status, Transfer};
use kiungo_domain::{
    AccountRef, CoreAccount, CoreId, Money, Msisdn, ProviderId, Receipt, Timestamp, TransferId,
};
use serde::{Deserialize, Serialize};

/// The fields that are shown of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its id.
    pub id: TransferId,
    /// Its kind.
    pub kind: Kind,
    /// Its status, as users see it.
    pub status: Status,
    /// The provider.
    pub provider: ProviderId,
    /// The core.
    pub core: CoreId,
    /// The wallet.
    pub msisdn: Option<Msisdn>,
    /// The accounts as named, in the order in which they were tried.
    pub accounts: Vec<AccountRef>,
    /// The account, once found.
    pub account: Option<CoreAccount>,
    /// Its number, once found.
    pub account_no: Option<String>,
    /// The gross amount.
    pub amount: Money,
    /// The other system's id.
    pub client_reference: Option<String>,
    /// A text for people.
    pub note: Option<String>,
    /// The way in which it began.
    pub origin: Origin,
    /// The provider's receipt.
    pub wallet_receipt: Option<Receipt>,
    /// The fee that the provider stated beside the amount (rule 9).
    #[serde(default)]
    pub wallet_fee: Option<Money>,
    /// The core's transaction id.
    pub core_receipt: Option<Receipt>,
    /// The reason that it failed, is suspended, or was given back.
    pub rejection: Option<Rejection>,
    /// The open question, if a person is needed.
    pub case: Option<CaseKind>,
    /// The transfer that carries the same payment.
    pub merged_into: Option<TransferId>,
    /// True if an operation on its core account may be running right now (rule 11).
    pub holds_account: bool,
    /// The time since which it is unknown whether its present step was executed; `None` if it is
    /// known.
    #[serde(default)]
    pub unknown_since: Option<Timestamp>,
    /// The number of its events.
    pub version: u64,
    /// The time at which it was received.
    pub received_at: Timestamp,
    /// The time at which it last changed.
    pub updated_at: Timestamp,
}

impl Summary {
    /// The projection of a transfer.
    pub fn of(transfer: &Transfer) -> Self {
        let instruction = transfer.instruction();
        Self {
            id: transfer.id(),
            kind: transfer.kind(),
            status: transfer.status(),
            provider: instruction.provider.clone(),
            core: instruction.core.clone(),
            msisdn: instruction.msisdn.clone(),
            accounts: instruction.accounts.clone(),
            account: transfer.account(),
            account_no: transfer.account_no().map(str::to_owned),
            amount: transfer.amount(),
            client_reference: instruction.client_reference.clone(),
            note: instruction.note.clone(),
            origin: instruction.origin.clone(),
            wallet_receipt: transfer.wallet_receipt().cloned(),
            wallet_fee: wallet_fee(transfer),
            core_receipt: transfer.core_receipt().cloned(),
            rejection: transfer.rejection().cloned(),
            case: transfer.case(),
            merged_into: transfer.merged_into(),
            holds_account: transfer.holds_account(),
            unknown_since: transfer.unknown_since(),
            version: transfer.version(),
            received_at: transfer.received_at(),
            updated_at: transfer.updated_at(),
        }
    }
}

/// The part of a summary that never changes. It is stored once, beside the [`SummaryState`].
///
/// A reader passes over fields that it does not know: what was stored before the two were apart
/// holds all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryFacts {
    id: TransferId,
    provider: ProviderId,
    core: CoreId,
    msisdn: Option<Msisdn>,
    amount: Money,
    client_reference: Option<String>,
    note: Option<String>,
    origin: Origin,
    received_at: Timestamp,
}

/// The part of a summary that changes from version to version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryState {
    kind: Kind,
    status: Status,
    /// A person may name another account.
    accounts: Vec<AccountRef>,
    account: Option<CoreAccount>,
    account_no: Option<String>,
    wallet_receipt: Option<Receipt>,
    #[serde(default)]
    wallet_fee: Option<Money>,
    core_receipt: Option<Receipt>,
    rejection: Option<Rejection>,
    case: Option<CaseKind>,
    merged_into: Option<TransferId>,
    holds_account: bool,
    #[serde(default)]
    unknown_since: Option<Timestamp>,
    version: u64,
    updated_at: Timestamp,
}

impl Summary {
    /// The part that never changes.
    pub fn facts(&self) -> SummaryFacts {
        SummaryFacts {
            id: self.id,
            provider: self.provider.clone(),
            core: self.core.clone(),
            msisdn: self.msisdn.clone(),
            amount: self.amount,
            client_reference: self.client_reference.clone(),
            note: self.note.clone(),
            origin: self.origin.clone(),
            received_at: self.received_at,
        }
    }

    /// The part that changes.
    pub fn state(&self) -> SummaryState {
        SummaryState {
            kind: self.kind,
            status: self.status,
            accounts: self.accounts.clone(),
            account: self.account,
            account_no: self.account_no.clone(),
            wallet_receipt: self.wallet_receipt.clone(),
            wallet_fee: self.wallet_fee,
            core_receipt: self.core_receipt.clone(),
            rejection: self.rejection.clone(),
            case: self.case,
            merged_into: self.merged_into,
            holds_account: self.holds_account,
            unknown_since: self.unknown_since,
            version: self.version,
            updated_at: self.updated_at,
        }
    }

    /// The whole of the two.
    pub fn of_parts(facts: SummaryFacts, state: SummaryState) -> Self {
        Self {
            id: facts.id,
            kind: state.kind,
            status: state.status,
            provider: facts.provider,
            core: facts.core,
            msisdn: facts.msisdn,
            accounts: state.accounts,
            account: state.account,
            account_no: state.account_no,
            amount: facts.amount,
            client_reference: facts.client_reference,
            note: facts.note,
            origin: facts.origin,
            wallet_receipt: state.wallet_receipt,
            wallet_fee: state.wallet_fee,
            core_receipt: state.core_receipt,
            rejection: state.rejection,
            case: state.case,
            merged_into: state.merged_into,
            holds_account: state.holds_account,
            unknown_since: state.unknown_since,
            version: state.version,
            received_at: facts.received_at,
            updated_at: state.updated_at,
        }
    }
}

/// A collection under way, by what a payment can be told to be its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collecting {
    /// The amount, as it is compared.
    pub amount: String,
    /// The label that the customer sees, in upper case; `None` before the account is known.
    pub label: Option<String>,
}

/// An amount as collections are compared by it: `TZS 50000`, in minor units.
pub fn comparable(amount: Money) -> String {
    format!("{} {}", amount.currency(), amount.minor())
}

impl Summary {
    /// The collection that is under way, if this is one that we have begun and that has no receipt
    /// yet.
    pub fn collecting(&self) -> Option<Collecting> {
        let under_way = self.kind.is_inbound()
            && matches!(self.origin, Origin::Api { .. })
            && self.wallet_receipt.is_none()
            && self.merged_into.is_none()
            && !self.status.is_final();
        under_way.then(|| Collecting {
            amount: comparable(self.amount),
            label: self.account_no.as_deref().and_then(label_of).map(|it| it.to_ascii_uppercase()),
        })
    }
}

/// The fee that the provider stated for the forward wallet leg.
pub fn wallet_fee(transfer: &Transfer) -> Option<Money> {
    transfer.step(transfer.kind().leg(Side::Wallet)).confirmation()?.fee
}
