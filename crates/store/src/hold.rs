//! Operations of providers that are held as a whole: work waits, nothing fails.

use async_trait::async_trait;
use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::Operation;
use kiungo_domain::{Money, ProviderId, Timestamp};

use crate::StoreError;

/// An operation of a provider that is held under one condition. There is one for each provider,
/// operation and condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The provider.
    pub provider: ProviderId,
    /// The operation: `collect`, `pay_out` or `reverse`.
    pub operation: Operation,
    /// The condition for which it is held.
    pub condition: Condition,
    /// The evidence, or the person's reason, for people.
    pub detail: String,
    /// The least amount that was refused, where it is held for want of money.
    pub needed: Option<Money>,
    /// The person; `None` if the provider's answer says it.
    pub held_by: Option<String>,
    /// The time since which it is held. Holding it again does not change it.
    pub since: Timestamp,
    /// The time at which the next attempt may show that the condition is over.
    pub probe_at: Timestamp,
}

impl Hold {
    /// The key that tells it from others.
    pub fn key(&self) -> (ProviderId, &'static str, Condition) {
        (self.provider.clone(), self.operation.as_str(), self.condition)
    }
}

/// The operations of providers that are held.
#[async_trait]
pub trait HoldStore: Send + Sync {
    /// Holds an operation of a provider under a condition. If it is held under that condition
    /// already, the time since when it is held stays.
    async fn put_hold(&self, hold: Hold) -> Result<(), StoreError>;

    /// Ends a hold; returns true if there was one.
    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
    ) -> Result<bool, StoreError>;

    /// Every hold, by provider, operation and condition. Few.
    async fn holds(&self) -> Result<Vec<Hold>, StoreError>;
}
