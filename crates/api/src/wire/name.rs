//! Transfers as callers name them.

use kiungo_domain::{Reference, TransferId};

use crate::Service;
use crate::problem::{Code, Problem};

/// A transfer as a client names it: by its own id, or by the reference of one of its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedTransfer {
    id: TransferId,
    reference: Option<Reference>,
}

impl NamedTransfer {
    /// Reads a name: hexadecimal digits, with hyphens or without.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const NONE: &str = "this is not the id of a transfer, nor a reference";
        // UUIDs have more forms, in braces and as URNs, which no system shows.
        if !matches!(text.len(), 32 | 36) {
            return Err(NONE);
        }
        if let Ok(id) = TransferId::parse(text) {
            return Ok(Self { id, reference: None });
        }
        let reference = Reference::parse(text).map_err(|_| NONE)?;
        Ok(Self { id: reference.transfer(), reference: Some(reference) })
    }

    /// The transfer's id.
    pub const fn id(self) -> TransferId {
        self.id
    }

    /// Refuses a reference that the transfer has never used: an id with a mistyped end must not name
    /// another transfer than it seems to.
    ///
    /// # Errors
    /// [`Code::TransferNotFound`], or that the database does not answer.
    pub async fn check(self, service: &dyn Service) -> Result<(), Problem> {
        let Some(reference) = self.reference else { return Ok(()) };
        match service.store().transfer(self.id).await? {
            Some(transfer) if !transfer.has_used(reference) => {
                let why = format!("there is no transfer {reference}");
                Err(Problem::new(Code::TransferNotFound, why))
            }
            // The operation itself reports that there is none.
            Some(_) | None => Ok(()),
        }
    }
}
