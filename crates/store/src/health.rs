//! The health of the database.

use async_trait::async_trait;

use crate::StoreError;

/// The health of the database.
#[async_trait]
pub trait Health: Send + Sync {
    /// Fails if the database does not answer. If the last transaction could not be committed (a
    /// full disk), fails unless one can be now.
    async fn ping(&self) -> Result<(), StoreError>;
}
