//! The context of a command's handler beside the books: today, the settings, and the drawn faults.

use jiff::civil::Date;
use kiungo_simulator::faults::Fault;

use super::options::{Options, Version};
use super::refusal::{Problem, Refusal};

/// The form in which contention is reported (`fineract.md` §6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Contention {
    /// As a conflict of the optimistic lock.
    #[default]
    Lock,
    /// As a conflict in the database.
    Query,
    /// As an unspecific database error.
    Unspecific,
}

/// The circumstances of one command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommandContext<'a> {
    pub(crate) options: &'a Options,
    /// The business date.
    pub(crate) today: Date,
    /// The user who asks.
    pub(crate) user: &'a str,
    /// The idempotency header as it came over the wire, honoured or not; empty if none.
    pub(crate) key: &'a str,
    /// True if a second person must approve.
    pub(crate) needs_approval: bool,
    /// The refusal that the fault plan drew for this command.
    pub(crate) drawn_refusal: Option<Fault>,
    /// The form in which contention is reported.
    pub(crate) contention: Contention,
}

impl CommandContext<'_> {
    /// The release.
    pub(crate) const fn version(&self) -> Version {
        self.options.version
    }

    /// True if this refusal was drawn.
    pub(crate) fn suffers(&self, fault: Fault) -> bool {
        self.drawn_refusal == Some(fault)
    }

    /// Refuses a posting into closed books.
    pub(crate) fn books_open(&self, date: Date) -> Result<(), Refusal> {
        let closed = self.options.gl_closed_until.is_some_and(|closed| date <= closed);
        if !closed && !self.suffers(Fault::DateRefused) {
            return Ok(());
        }
        let code = "error.msg.glJournalEntry.invalid.accounting.closed";
        let until = self.options.gl_closed_until.unwrap_or(date);
        let message = format!(
            "Journal entry cannot be made prior to last account closing date {until} for the branch"
        );
        Err(Refusal::Rule(Problem::new(code, message).arg(until.to_string())))
    }

    /// The last check before anything is changed: the optimistic lock, and the second person.
    /// `resource` is what the command addresses, as far as its held answer names it.
    pub(crate) fn commit(&self, resource: Option<u64>) -> Result<(), Refusal> {
        if self.suffers(Fault::Locked) {
            return Err(match self.contention {
                Contention::Lock => Refusal::OptimisticLock,
                Contention::Query => Refusal::QueryConflict,
                Contention::Unspecific => Refusal::data_integrity(),
            });
        }
        if self.needs_approval { Err(Refusal::AwaitsApproval(resource)) } else { Ok(()) }
    }

    /// The client's id for the operation: the key, else an external id, else a cheque number.
    pub(crate) fn reference(&self, external_id: &str, check_number: &str) -> String {
        let candidates = [self.key, external_id, check_number];
        candidates.into_iter().find(|text| !text.is_empty()).unwrap_or("").to_owned()
    }
}
