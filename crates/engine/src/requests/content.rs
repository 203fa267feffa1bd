//! The stored content of a request: the facts that were judged, and those that a transfer is made
//! of.

use aws_lc_rs::digest::{SHA256, digest};
use kiungo_core_banking::{CoreRequest, RequestKind};
use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountRef, CoreAccount, CoreId, Money, Msisdn, ProviderId};
use kiungo_store::{CoreRequestRow, StoreError};
use serde::{Deserialize, Serialize};

use super::rules::{Payee, RequestRules};
use crate::request::{Caller, NewTransfer};

/// A request as it is kept in its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The kind of payment that is asked for.
    pub kind: RequestKind,
    /// The account.
    pub account: CoreAccount,
    /// The number printed for the customer.
    pub account_no: String,
    /// The amount.
    pub amount: Money,
    /// The product's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<u64>,
    /// The id of the owner's office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<u64>,
    /// The provider that the rules chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// The wallet that it is to be paid to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<Msisdn>,
    /// The reason that it cannot be paid as it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
}

impl Content {
    /// The content to store of a request that is to be paid to `payee`, if any.
    pub(super) fn of(request: &CoreRequest, rules: &RequestRules, payee: Option<&Payee>) -> Self {
        let wallet = payee.map(|payee| rules.wallet(payee, request));
        let (msisdn, why) = match wallet {
            Some(Ok(msisdn)) => (Some(msisdn), None),
            Some(Err(why)) => (None, Some(why.to_string())),
            None => (None, Some("no rule says to which wallet it would be paid".to_owned())),
        };
        Self {
            kind: request.kind,
            account: request.account,
            account_no: request.account_no.clone(),
            amount: request.amount,
            product: request.facts.product,
            office: request.facts.office,
            provider: payee.map(|payee| payee.provider.clone()),
            msisdn,
            obstacle: request.obstacle.clone().or(why),
        }
    }

    /// Reads what is kept in a row.
    ///
    /// # Errors
    /// It was changed by hand, or a newer Kiungo wrote it.
    pub fn read(row: &CoreRequestRow) -> Result<Self, StoreError> {
        let unreadable = |error: serde_json::Error| {
            let (request, kind) = (&row.request, error.classify());
            StoreError::Corrupt(format!("request {request} of a core cannot be read: {kind:?}"))
        };
        serde_json::from_str(&row.content).map_err(unreadable)
    }

    pub(super) fn write(&self) -> Result<String, StoreError> {
        serde_json::to_string(self)
            .map_err(|error| StoreError::Corrupt(format!("a core's request: {error}")))
    }

    /// True if the core asks for another payment than before.
    pub(super) fn differs_from(&self, request: &CoreRequest) -> bool {
        (self.account, self.amount) != (request.account, request.amount)
    }

    /// The transfer that a row stands for, and the key that makes it one; `None` if it cannot be
    /// paid as it is.
    pub(super) fn transfer(&self, row: &CoreRequestRow) -> Option<(NewTransfer, Caller)> {
        let (Some(provider), Some(msisdn), None) = (&self.provider, &self.msisdn, &self.obstacle)
        else {
            return None;
        };
        let new = NewTransfer {
            kind: self.kind.transfer(),
            provider: provider.clone(),
            core: Some(row.core.clone()),
            msisdn: msisdn.clone(),
            account: AccountRef {
                kind: Some(self.account.kind),
                key: AccountKey::Id(self.account.id),
            },
            amount: self.amount,
            client_reference: Some(row.request.clone()),
            note: None,
        };
        let caller = Caller {
            client: client(&row.core),
            key: key(&row.request, row.generation),
            digest: self.digest(),
        };
        Some((new, caller))
    }

    /// The digest of the facts that a transfer is made of, and of nothing else.
    fn digest(&self) -> String {
        let provider = self.provider.as_ref().map_or("", ProviderId::as_str);
        let msisdn = self.msisdn.as_ref().map_or("", Msisdn::digits);
        let (kind, account) = (self.kind.as_str(), self.account);
        let text = format!(
            "{kind}|{provider}|{msisdn}|{}|{}|{}|{}",
            account.kind.as_str(),
            account.id,
            self.amount.minor(),
            self.amount.currency()
        );
        hex::encode(digest(&SHA256, text.as_bytes()))
    }
}

/// In whose name a core's requests become transfers. No API key has a name with a blank in it.
pub(super) fn client(core: &CoreId) -> String {
    format!("core {core}")
}

/// The idempotency key: of the request's name, and of the attempt where a person began another.
fn key(request: &str, generation: u32) -> String {
    if generation == 1 { request.to_owned() } else { format!("{request}/{generation}") }
}
