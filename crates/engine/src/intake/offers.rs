//! The outcome of payments that a provider offered, for the provider that asks for it.

use std::sync::Arc;

use kiungo_domain::ProviderId;
use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::Status;
use kiungo_provider::{
    CallbackContent, Offer, OfferState, PaymentNotice, RawCallback, Refusal, Standing, StateQuery,
};
use kiungo_store::{InboxId, InboxItem, InboxState, InboxStore, StoreError, TransferStore};
use uuid::Uuid;

use crate::counterparties::ports::ProviderPort;
use crate::intake::arrivals::{digest, hashed, raw};

/// Offers that were taken.
pub(crate) struct Offers {
    pub(crate) transfers: Arc<dyn TransferStore>,
    pub(crate) items: Arc<dyn InboxStore>,
}

impl Offers {
    /// The outcome of an offer; `None` if there is none.
    pub(crate) async fn find_offer(
        &self,
        provider: &ProviderId,
        port: &ProviderPort,
        query: &StateQuery,
    ) -> Result<Option<OfferState>, StoreError> {
        let item = match query {
            StateQuery::Name(name) => {
                let id = number_of(*name);
                let item = self.items.inbox_item(id).await?;
                item.filter(|item| item.provider == *provider && name_of(provider, id) == *name)
            }
            StateQuery::Correlation(id) => {
                self.items.arrived(provider, &digest_of_correlation(id)).await?
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
        let Ok(CallbackContent::Offer(Offer { notice, .. })) = port.provider.read_callback(&offer)
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
            Some(receipt) => self.transfers.by_receipt(provider, receipt).await?,
            None => None,
        };
        let named = notice.reference.map(|reference| reference.transfer());
        let Some(mut id) = by_receipt.or(named) else { return Ok(Standing::Pending) };
        // A transfer is merged into one that carries the same payment, and that one into no other.
        for _ in 0..2 {
            let Some(summary) = self.transfers.summary(id).await? else {
                return Ok(Standing::Pending);
            };
            if let Some(owner) = summary.merged_into {
                id = owner;
                continue;
            }
            let reversed = summary.status == Status::Reversed;
            if summary.core_receipt.is_some() {
                return Ok(Standing::Booked { reversed });
            }
            if reversed || summary.status == Status::Failed {
                let reason = summary.rejection.map_or(Reason::Other, |rejection| rejection.reason);
                let message = "the payment was not booked, and was given back";
                return Ok(Standing::Failed(Refusal::by_rule(reason, message)));
            }
            return Ok(Standing::Pending);
        }
        Ok(Standing::Pending)
    }
}

/// The digest by which two offers are the same one: the provider's id for the request, or else all
/// of it.
pub(crate) fn digest_of(callback: &RawCallback, correlation: Option<&str>) -> String {
    correlation.map_or_else(|| digest(callback), digest_of_correlation)
}

fn digest_of_correlation(id: &str) -> String {
    hashed(&[b"correlation", id.as_bytes()])
}

/// The number of bits of a name that hold the number of the inbox item.
const NUMBER_BITS: u32 = 62;

/// The name under which a provider asks for an offer: a UUID (version 8) of the item's number and a
/// check that cannot be guessed by counting.
pub(crate) fn name_of(provider: &ProviderId, id: InboxId) -> Uuid {
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
