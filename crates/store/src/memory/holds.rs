//! Operations that are held, in a store in memory.

use async_trait::async_trait;
use kiungo_domain::ProviderId;
use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{CaseKind, Operation};

use super::MemoryStore;
use super::books::Books;
use crate::page::hold_subject;
use crate::{CaseRow, Hold, HoldStore, StoreError};

#[async_trait]
impl HoldStore for MemoryStore {
    async fn put_hold(&self, hold: Hold) -> Result<(), StoreError> {
        self.books().put_hold(hold);
        Ok(())
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
    ) -> Result<bool, StoreError> {
        Ok(self.books().release_hold(provider, operation, condition))
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        Ok(self.books().holds.values().cloned().collect())
    }
}

impl Books {
    pub(super) fn put_hold(&mut self, hold: Hold) {
        let since = self.holds.get(&hold.key()).map_or(hold.since, |known| known.since);
        let hold = Hold { since, ..hold };
        self.holds.insert(hold.key(), hold.clone());
        if hold.condition.is_case() {
            let subject = hold_subject(&hold.provider, hold.operation);
            let opened_at = self.case_opened.get(&subject).copied().unwrap_or(hold.since);
            let row = CaseRow {
                transfer: None,
                inbox: None,
                kind: CaseKind::OperationHeld,
                step: None,
                operation: Some(hold.operation),
                detail: hold.detail,
                provider: hold.provider,
                opened_at,
            };
            self.open_case(subject, row);
        }
    }

    pub(super) fn release_hold(
        &mut self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
    ) -> bool {
        let released = self.holds.remove(&(provider.clone(), operation.as_str(), condition));
        let mut held = self.holds.values().filter(|hold| hold.condition.is_case());
        if !held.any(|hold| hold.provider == *provider && hold.operation == operation) {
            self.close_case(&hold_subject(provider, operation));
        }
        released.is_some()
    }
}
