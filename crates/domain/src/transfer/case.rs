//! The questions of a transfer that a person has to decide.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

use super::StepName;

/// The largest number of details that one open case keeps: enough for a person to see a repetition.
const DETAILS_MAX: usize = 16;

/// A kind of question that a person has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// An unknown that does not resolve.
    UnknownTooLong,
    /// An operation provably never arrived, and the mapping leaves the decision to a person.
    NeverArrived,
    /// An answer names another amount, currency, account or reference.
    Mismatch,
    /// Evidence contradicts what is recorded.
    Contradiction,
    /// Two transfers claim one receipt.
    ReceiptTaken,
    /// A compensation was refused.
    CompensationRefused,
    /// An operation is refused again and again, or needs repair.
    RepairNeeded,
    /// Money has left one side and has not reached the other for too long (rule 16).
    InTransitTooLong,
    /// Money is in suspense.
    Suspense,
    /// A callback that cannot be read or matched.
    Quarantined,
    /// A provider's operation is held as a whole: its float is empty, its session is blocked, its
    /// configuration needs repair, or a person stopped it.
    OperationHeld,
}

impl CaseKind {
    /// All of them, the gravest first: a transfer with several open cases shows the first of these.
    pub const ALL: [Self; 11] = [
        Self::Contradiction,
        Self::Mismatch,
        Self::ReceiptTaken,
        Self::CompensationRefused,
        Self::NeverArrived,
        Self::UnknownTooLong,
        Self::InTransitTooLong,
        Self::RepairNeeded,
        Self::Suspense,
        Self::Quarantined,
        Self::OperationHeld,
    ];

    /// The word used in tables and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownTooLong => "unknown_too_long",
            Self::NeverArrived => "never_arrived",
            Self::Mismatch => "mismatch",
            Self::Contradiction => "contradiction",
            Self::ReceiptTaken => "receipt_taken",
            Self::CompensationRefused => "compensation_refused",
            Self::RepairNeeded => "repair_needed",
            Self::InTransitTooLong => "in_transit_too_long",
            Self::Suspense => "suspense",
            Self::Quarantined => "quarantined",
            Self::OperationHeld => "operation_held",
        }
    }

    fn rank(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or(Self::ALL.len())
    }

    /// True if it is answered once its step is settled, executed or definitely not. A
    /// contradiction is answered by a person only (rule 15).
    const fn ends_with_its_step(self) -> bool {
        match self {
            Self::UnknownTooLong
            | Self::NeverArrived
            | Self::Mismatch
            | Self::ReceiptTaken
            | Self::CompensationRefused
            | Self::RepairNeeded => true,
            Self::Contradiction
            | Self::InTransitTooLong
            | Self::Suspense
            | Self::Quarantined
            | Self::OperationHeld => false,
        }
    }
}

/// An open question of a transfer. There is one for each kind and step; the same question with
/// another detail is added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCase {
    /// The kind of question.
    pub kind: CaseKind,
    /// The step that it is about; `None` if it is about the transfer as a whole.
    pub step: Option<StepName>,
    /// The evidence, for people, in the order in which it came; never empty.
    pub details: Vec<String>,
    /// The time at which it opened.
    pub opened_at: Timestamp,
}

/// The open questions of a transfer, in the order in which they opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cases(Vec<OpenCase>);

impl Cases {
    pub(super) fn all(&self) -> &[OpenCase] {
        &self.0
    }

    pub(super) fn gravest(&self) -> Option<&OpenCase> {
        self.0.iter().min_by_key(|case| case.kind.rank())
    }

    pub(super) fn find(&self, kind: CaseKind, step: Option<StepName>) -> Option<&OpenCase> {
        self.0.iter().find(|case| (case.kind, case.step) == (kind, step))
    }

    pub(super) fn has(&self, kind: CaseKind) -> bool {
        self.0.iter().any(|case| case.kind == kind)
    }

    /// True if this would tell a person something new.
    pub(super) fn would_add(&self, kind: CaseKind, step: Option<StepName>, detail: &str) -> bool {
        match self.find(kind, step) {
            None => true,
            Some(case) => {
                case.details.len() < DETAILS_MAX
                    && !case.details.iter().any(|known| known == detail)
            }
        }
    }

    pub(super) fn open(
        &mut self,
        kind: CaseKind,
        step: Option<StepName>,
        detail: &str,
        at: Timestamp,
    ) {
        let known = self.0.iter_mut().find(|case| (case.kind, case.step) == (kind, step));
        if let Some(case) = known {
            case.details.push(detail.to_owned());
            case.details.truncate(DETAILS_MAX);
        } else {
            let details = vec![detail.to_owned()];
            self.0.push(OpenCase { kind, step, details, opened_at: at });
        }
    }

    pub(super) fn close(&mut self, kind: CaseKind, step: Option<StepName>) {
        self.0.retain(|case| (case.kind, case.step) != (kind, step));
    }

    pub(super) fn close_kind(&mut self, kind: CaseKind) {
        self.0.retain(|case| case.kind != kind);
    }

    /// Notes that a step is settled, and closes the cases that this answers. Cases of journals that
    /// were written before cases named their step are taken to be about the step that settles.
    pub(super) fn step_settled(&mut self, step: StepName) {
        self.0.retain(|case| {
            !(case.kind.ends_with_its_step() && case.step.is_none_or(|of| of == step))
        });
    }

    /// Notes that a step was refused and is to be tried again. A case that asks for a repair stays
    /// open, with the time at which it opened.
    pub(super) fn step_refused_for_now(&mut self, step: StepName) {
        let repair = self.find(CaseKind::RepairNeeded, Some(step)).cloned();
        self.step_settled(step);
        self.0.extend(repair);
    }

    pub(super) fn close_all(&mut self) {
        self.0.clear();
    }
}
