//! A store in memory, for the simulated world and for tests: complete, deterministic, and, when
//! asked, its own auditor at every commit (rule 14).
//!
//! It shares neither tables nor the committer with the databases, so that the contract suite
//! compares two independent readings of what a store does.

mod actions;
mod archive;
mod audit;
mod books;
mod due;
mod holds;
mod inbox;
mod leases;
mod outbox;
mod requests;
mod search;
mod transfers;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Health, StoreError};
use books::Books;

/// A store in memory. Its contents end with it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    books: Mutex<Books>,
    audited: bool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that audits every commit before it applies it: the journal folds to the
    /// transfer that was decided, postings sum to zero, and for each provider and currency the
    /// transit account equals the money in transit of all transfers, and the suspense account the
    /// amounts of the suspended ones; and no two transfers hold one core account. A violation is
    /// [`StoreError::Corrupt`] and changes nothing.
    pub fn audited() -> Self {
        Self { books: Mutex::default(), audited: true }
    }

    /// The same store, but events are written to its outbox.
    #[must_use]
    pub fn with_outbox(self) -> Self {
        self.books().outbox.is_kept = true;
        self
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Health for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
