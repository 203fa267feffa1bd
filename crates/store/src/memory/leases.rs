//! The leases in a store in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kiungo_domain::Timestamp;

use super::{MemoryStore, count};
use crate::lease::{cleared_before, longest_lease};
use crate::{Lease, LeaseStore, StoreError, lease};

/// The leases by their names.
#[derive(Debug, Default)]
pub(super) struct Leases(BTreeMap<String, Lease>);

#[async_trait]
impl LeaseStore for MemoryStore {
    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        lease::check_names(name, holder)?;
        Ok(self.books().leases.take(name, holder, now, until))
    }

    async fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        self.books().leases.release(name, holder);
        Ok(())
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        Ok(self.books().leases.list(prefix, now, count(lease::LISTED_MAX)))
    }
}

impl Leases {
    /// Shortens every lease to the longest that may remain after the clock was set back to `now`.
    pub(super) fn pull(&mut self, now: Timestamp) {
        for lease in self.0.values_mut() {
            lease.until = lease.until.min(longest_lease(now));
        }
    }

    /// Returns true if `holder` has the lease afterwards.
    pub(super) fn take(
        &mut self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> bool {
        let known = self.0.get(name);
        if known.is_some_and(|lease| lease.holder != holder && lease.until > now) {
            return false;
        }
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.0.insert(name.clone(), Lease { name, holder, until });
        self.0.retain(|_, lease| lease.until >= cleared_before(now));
        true
    }

    pub(super) fn release(&mut self, name: &str, holder: &str) {
        if self.0.get(name).is_some_and(|lease| lease.holder == holder) {
            self.0.remove(name);
        }
    }

    pub(super) fn list(&self, prefix: &str, now: Timestamp, limit: usize) -> Vec<Lease> {
        let named = self.0.values().filter(|lease| lease.name.starts_with(prefix));
        named.filter(|lease| lease.until > now).take(limit).cloned().collect()
    }
}
