//! The names of the four steps of a transfer.

use serde::{Deserialize, Serialize};

/// A step of the saga: the two legs forwards, and the two backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// The first leg: inbound the wallet, outbound the core.
    First,
    /// The second leg: inbound the core, outbound the wallet.
    Second,
    /// Taking the second leg back, on request only.
    UndoSecond,
    /// Taking the first leg back: the one compensation, or the end of a requested reversal.
    UndoFirst,
}

impl StepName {
    /// All steps, in the order of their index.
    pub const ALL: [Self; 4] = [Self::First, Self::Second, Self::UndoSecond, Self::UndoFirst];

    /// 0 to 3: the place in a reference and in the transfer's table of steps.
    pub const fn index(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Second => 1,
            Self::UndoSecond => 2,
            Self::UndoFirst => 3,
        }
    }

    /// The step with this index; only the two lowest bits count.
    pub const fn from_index(index: u8) -> Self {
        Self::ALL[(index & 3) as usize]
    }

    /// The word used in the journal, the API and in texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::UndoSecond => "undo_second",
            Self::UndoFirst => "undo_first",
        }
    }
}
