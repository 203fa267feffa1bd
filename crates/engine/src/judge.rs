//! Payments that a provider offers: judged before they are taken, and answered for afterwards.
//!
//! An offer is refused only while nothing of it is stored. An offer that is taken is stored under a
//! digest of the provider's own id for the request, so that the same offer again, whenever it
//! comes, gets the result of the first.

use std::sync::Arc;
use std::time::Duration;

use kiungo_core_banking::{AccountCheck, CheckAnswer};
use kiungo_domain::ProviderId;
use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::{Kind, Status};
use kiungo_provider::{
    CallbackNews, Offer, OfferState, PaymentNotice, RawCallback, Refusal, RefusedFor, Standing,
    StateQuery, Verdict,
};
use kiungo_store::{Arrival, InboxId, InboxItem, InboxState, StoreError};
use metrics::counter;
use uuid::Uuid;

use crate::engine::{Inner, ProviderPort};
use crate::inbox::{digest, hashed, raw};

/// The longest wait of an offer for its turn at the core: its sender waits for an answer, and a
/// payment that was not judged is taken.
const JUDGED_WITHIN: Duration = Duration::from_secs(2);

impl Inner {
    /// Stores what arrived, and has it handled if it is new.
    pub(crate) async fn take_in(
        self: &Arc<Self>,
        provider: &ProviderId,
        callback: &RawCallback,
        digest: String,
    ) -> Result<Arrival, StoreError> {
        let due = self.clock.now();
        let (arrival, item) =
            self.keep(provider, callback, digest, InboxState::waiting(due)).await?;
        self.handle_soon(item);
        Ok(arrival)
    }

    /// Takes an offer, or turns it away.
    pub(crate) async fn take_offer(
        self: &Arc<Self>,
        provider: &ProviderId,
        port: &ProviderPort,
        callback: &RawCallback,
        offer: &Offer,
    ) -> Result<Verdict, StoreError> {
        let digest = digest_of(callback, offer.correlation.as_deref());
        if let Some(known) = self.store.arrived(provider, &digest).await? {
            return self.offered_again(provider, port, callback, &known).await;
        }
        if !offer.made
            && !self.is_known(provider, &offer.notice).await?
            && let Some(refusal) = self.judge(port, &offer.notice).await
        {
            return Ok(turned_away(provider, refusal));
        }
        let to_tell =
            if offer.calls_back { self.keep_to_tell(provider, &digest).await? } else { None };
        let taken = self.take_in(provider, callback, digest.clone()).await?;
        self.handle_soon(to_tell);
        match taken {
            Arrival::New(id) => {
                let (name, offer) = (name_of(provider, id), callback.clone());
                let state = OfferState { name, offer, standing: Standing::Pending };
                Ok(Verdict::Taken(Box::new(state)))
            }
            // Another one was quicker by a moment.
            Arrival::Seen(id) => {
                let known = self.store.inbox_item(id).await?;
                let known = known.ok_or_else(|| StoreError::Corrupt(format!("no item {id}")))?;
                self.offered_again(provider, port, callback, &known).await
            }
        }
    }

    /// The same again is answered with what became of it; another content under the same id is
    /// refused.
    async fn offered_again(
        &self,
        provider: &ProviderId,
        port: &ProviderPort,
        callback: &RawCallback,
        known: &InboxItem,
    ) -> Result<Verdict, StoreError> {
        let first = raw(known);
        let same = first.as_ref().is_some_and(|first| {
            (&first.method, &first.path, &first.body)
                == (&callback.method, &callback.path, &callback.body)
        });
        let state = if same { self.state_of(provider, port, known).await? } else { None };
        Ok(state.map_or_else(
            || {
                let message = "this request id came before, with another content".to_owned();
                turned_away(provider, Refusal { reason: RefusedFor::Duplicate, message })
            },
            |state| Verdict::Taken(Box::new(state)),
        ))
    }

    async fn is_known(
        &self,
        provider: &ProviderId,
        notice: &PaymentNotice,
    ) -> Result<bool, StoreError> {
        match &notice.receipt {
            Some(receipt) => Ok(self.store.by_receipt(provider, receipt).await?.is_some()),
            None => Ok(false),
        }
    }

    /// The reason why we would not take a payment: by the limits and by the account, found as it
    /// will be when it is booked. `None`: we take it, also where the core does not answer, because
    /// that must not turn a customer away: suspense catches it.
    pub(crate) async fn judge(
        &self,
        port: &ProviderPort,
        notice: &PaymentNotice,
    ) -> Option<Refusal> {
        let at = self.clock.now();
        let Some(core) = self.core(port.rules.core()) else {
            return Some(Refusal::by_rule(Reason::Configuration, "not available"));
        };
        let accounts = port.rules.resolve(&notice.account_reference, notice.msisdn.as_ref());
        let kind = accounts.iter().find_map(|account| account.kind);
        let kind = kind.map_or(Kind::Deposit, Kind::inbound_for);
        // A question before the payment names no amount.
        if !notice.amount.is_zero()
            && let Some(rejection) = port.rules.refuses(kind, notice.amount)
        {
            return Some(Refusal::by_rule(rejection.reason, rejection.message));
        }
        let entered = tokio::time::timeout(JUDGED_WITHIN, core.throttle.enter()).await;
        let Ok(Ok(permit)) = entered else { return None };
        let mut refusal = None;
        for account in accounts {
            let holder = notice.msisdn.clone().filter(|_| port.rules.holder_must_match(kind));
            let check = AccountCheck { account, booking: None, amount: notice.amount, holder, at };
            match core.core.check(&check).await {
                CheckAnswer::Allowed(_) => {
                    permit.report(true);
                    return None;
                }
                CheckAnswer::Unclear { .. } => {
                    permit.report(false);
                    return None;
                }
                CheckAnswer::Refused(rejection) => {
                    let found = rejection.reason != Reason::AccountNotFound;
                    let said = Refusal::by_rule(rejection.reason, rejection.message);
                    // The answer about an account that exists matters more than the answer that one
                    // is not found.
                    if found {
                        permit.report(true);
                        return Some(said);
                    }
                    refusal.get_or_insert(said);
                }
            }
        }
        permit.report(true);
        Some(refusal.unwrap_or_else(|| {
            Refusal::by_rule(Reason::AccountNotFound, "there is no such account")
        }))
    }

    /// The fate of an offer; `None` if there is none.
    pub(crate) async fn find_offer(
        &self,
        provider: &ProviderId,
        port: &ProviderPort,
        query: &StateQuery,
    ) -> Result<Option<OfferState>, StoreError> {
        let item = match query {
            StateQuery::Name(name) => {
                let id = number_of(*name);
                let item = self.store.inbox_item(id).await?;
                item.filter(|item| item.provider == *provider && name_of(provider, id) == *name)
            }
            StateQuery::Correlation(id) => {
                self.store.arrived(provider, &digest_of_correlation(id)).await?
            }
        };
        match item {
            Some(item) => self.state_of(provider, port, &item).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn state_of(
        &self,
        provider: &ProviderId,
        port: &ProviderPort,
        item: &InboxItem,
    ) -> Result<Option<OfferState>, StoreError> {
        let Some(offer) = raw(item) else { return Ok(None) };
        let Ok(CallbackNews::Offer(Offer { notice, .. })) = port.provider.read_callback(&offer)
        else {
            return Ok(None);
        };
        let standing = match item.state {
            InboxState::Handled { .. } => self.standing(provider, &notice).await?,
            // A payment that waits for a person is still not booked.
            InboxState::Waiting { .. } | InboxState::Quarantined { .. } => Standing::Pending,
        };
        Ok(Some(OfferState { name: name_of(provider, item.id), offer, standing }))
    }

    /// The standing of the transfer that a payment became part of.
    async fn standing(
        &self,
        provider: &ProviderId,
        notice: &PaymentNotice,
    ) -> Result<Standing, StoreError> {
        let by_receipt = match &notice.receipt {
            Some(receipt) => self.store.by_receipt(provider, receipt).await?,
            None => None,
        };
        let named = notice.reference.map(|reference| reference.transfer());
        let Some(mut id) = by_receipt.or(named) else { return Ok(Standing::Pending) };
        // A transfer is merged into one that carries the same payment, and that one into no other.
        for _ in 0..2 {
            let Some(summary) = self.store.summary(id).await? else {
                return Ok(Standing::Pending);
            };
            if let Some(owner) = summary.merged_into {
                id = owner;
                continue;
            }
            let given_back = summary.status == Status::Reversed;
            if summary.core_receipt.is_some() {
                return Ok(Standing::Booked { given_back });
            }
            if given_back || summary.status == Status::Failed {
                let reason = summary.rejection.map_or(Reason::Other, |rejection| rejection.reason);
                let message = "the payment was not booked, and was given back";
                return Ok(Standing::Failed(Refusal::by_rule(reason, message)));
            }
            return Ok(Standing::Pending);
        }
        Ok(Standing::Pending)
    }
}

/// Counts a refusal. It is not stored: the provider has its answer, and nothing follows from it.
pub(crate) fn turned_away(provider: &ProviderId, refusal: Refusal) -> Verdict {
    counter!("kiungo_payments_refused_total", "provider" => provider.to_string()).increment(1);
    tracing::info!(provider = %provider, reason = %refusal.reason, "a payment is turned away");
    Verdict::Refused(refusal)
}

/// The digest by which two offers are the same one: the provider's id for the request, or else all
/// of it.
fn digest_of(callback: &RawCallback, correlation: Option<&str>) -> String {
    correlation.map_or_else(|| digest(callback), digest_of_correlation)
}

fn digest_of_correlation(id: &str) -> String {
    hashed(&[b"correlation", id.as_bytes()])
}

/// The number of bits of a name that hold the number of the inbox item.
const NUMBER_BITS: u32 = 62;

/// The name under which a provider asks for an offer: a UUID (version 8) of the item's number and a
/// check that nobody hits by counting on.
fn name_of(provider: &ProviderId, id: InboxId) -> Uuid {
    let number = u128::from(id.0.unsigned_abs()) & ((1 << NUMBER_BITS) - 1);
    let check = hashed(&[b"offer", provider.as_str().as_bytes(), &id.0.to_be_bytes()]);
    // Sixteen hexadecimal digits always fit.
    let check = u64::from_str_radix(check.get(..16).unwrap_or_default(), 16).unwrap_or_default();
    let check = u128::from(check) << 64;
    let version = !(0xf << 76);
    Uuid::from_u128((check & version) | (8 << 76) | (2 << NUMBER_BITS) | number)
}

/// The number in a name.
fn number_of(name: Uuid) -> InboxId {
    let number = name.as_u128() & ((1 << NUMBER_BITS) - 1);
    InboxId(i64::try_from(number).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_number_and_belongs_to_one_provider() {
        let (one, other) =
            (ProviderId::new("gsma-sandbox").unwrap(), ProviderId::new("mpesa-tz").unwrap());
        for id in [1, 2, 77_777, i64::from(u32::MAX), (1 << 53) - 1] {
            let name = name_of(&one, InboxId(id));
            assert_eq!(number_of(name), InboxId(id));
            assert_eq!(name.get_version_num(), 8);
            assert_ne!(name, name_of(&other, InboxId(id)));
        }
        assert_ne!(
            name_of(&one, InboxId(1)).as_u128() >> 64,
            name_of(&one, InboxId(2)).as_u128() >> 64
        );
    }
}
