//! The open cases of a transfer, as a decision leaves them.

use kiungo_domain::transfer::{Decision, OpenCase};

use crate::CaseRow;
use crate::page::transfer_subject;

/// The open cases of the transfer after `decision`, each with what names it among all cases.
pub fn open_after(decision: &Decision) -> Vec<(String, CaseRow)> {
    let transfer = &decision.transfer;
    let named = |case: &OpenCase| {
        let row = CaseRow {
            transfer: Some(transfer.id()),
            inbox: None,
            kind: case.kind,
            step: case.step,
            operation: None,
            detail: case.details.join("; "),
            provider: transfer.instruction().provider.clone(),
            opened_at: case.opened_at,
        };
        (transfer_subject(transfer.id(), case.kind, case.step), row)
    };
    transfer.cases().iter().map(named).collect()
}
