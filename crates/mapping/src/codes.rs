//! `[codes.*]`, `[statuses]`: the meanings of a provider's codes, and of its words for the state of
//! an operation.

use std::collections::BTreeMap;

use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::transfer::{ByOperation, Operation};
use kiungo_settings::{Item, Table};

use crate::operations;

/// Lines by the code or the status word that they are about.
pub type Lines = BTreeMap<String, CodeLine>;

/// The provider's codes by operation. A code that is in no table has no meaning: the outcome is
/// unknown (rule 2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeTables {
    /// For everything that does not list the code itself.
    pub all: Lines,
    /// For one operation.
    pub own: ByOperation<Lines>,
    /// For inquiries: about the inquiry itself.
    pub inquire: Lines,
}

/// The provider's status words by operation. A word that is in no table has no meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusTables {
    /// For every operation that does not list the word itself; words in lower case.
    pub all: Lines,
    /// For one operation.
    pub own: ByOperation<Lines>,
}

/// The meaning of one code or status word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLine {
    /// The consequence.
    pub means: Meaning,
    /// The reason of the refusal; for `rejected` only, where a file has to say it.
    pub reason: Option<Reason>,
    /// States whether trying again can help; for `rejected` only, `never` if absent.
    pub retry: Option<Retry>,
    /// Our text for it, for people.
    pub text: Option<String>,
}

/// The consequence of a code or a status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The operation was executed.
    Completed,
    /// The operation was accepted and is being worked on.
    Pending,
    /// The operation was rejected for good: nothing moved.
    Rejected,
    /// The operation was rejected before it was recorded, and may be sent again under the same
    /// reference.
    NotSent,
    /// The operation was executed and later reversed.
    Reversed,
    /// The other side does not know it.
    Absent,
    /// The outcome is unknown, and is asked about.
    Unknown,
}

/// The request that a code answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// An operation.
    Operation(Operation),
    /// An inquiry.
    Inquire,
}

impl From<Operation> for Answered {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

/// The words for the consequence of a line.
const MEANINGS: [(&str, Meaning); 7] = [
    ("completed", Meaning::Completed),
    ("pending", Meaning::Pending),
    ("rejected", Meaning::Rejected),
    ("not_sent", Meaning::NotSent),
    ("reversed", Meaning::Reversed),
    ("absent", Meaning::Absent),
    ("unknown", Meaning::Unknown),
];

/// The reasons that a line may give. Kiungo itself sets two more, which no provider can know:
/// [`Reason::NeverArrived`] and [`Reason::GaveUp`].
pub const REASONS: [(&str, Reason); 12] = [
    ("insufficient_funds", Reason::InsufficientFunds),
    ("limit_exceeded", Reason::LimitExceeded),
    ("session_blocked", Reason::SessionBlocked),
    ("account_not_found", Reason::AccountNotFound),
    ("account_state", Reason::AccountState),
    ("customer_declined", Reason::CustomerDeclined),
    ("customer_timeout", Reason::CustomerTimeout),
    ("amount_not_allowed", Reason::AmountNotAllowed),
    ("date_not_allowed", Reason::DateNotAllowed),
    ("configuration", Reason::Configuration),
    ("busy", Reason::Busy),
    ("other", Reason::Other),
];

/// The words for a second try.
const RETRIES: [(&str, Retry); 3] = [
    ("never", Retry::Never),
    ("new_reference", Retry::NewReference),
    ("after_repair", Retry::AfterRepair),
];

impl CodeTables {
    /// Every line, whatever it belongs to.
    pub fn lines(&self) -> impl Iterator<Item = (&String, &CodeLine)> {
        let own = self.own.iter().map(|(_, lines)| lines);
        [&self.all, &self.inquire].into_iter().chain(own).flatten()
    }

    /// The meaning of `code` as an answer to this operation or inquiry; `None` if it is not listed.
    pub fn meaning(&self, answered: impl Into<Answered>, code: &str) -> Option<&CodeLine> {
        let own = match answered.into() {
            Answered::Operation(operation) => self.own.get(operation),
            Answered::Inquire => Some(&self.inquire),
        };
        own.and_then(|lines| lines.get(code)).or_else(|| self.all.get(code))
    }

    /// Every table with its key in the file, to bring its codes into the form in which a family looks
    /// them up.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Lines)> {
        let own = self.own.iter_mut().map(|(operation, lines)| (operation.as_str(), lines));
        std::iter::once(("all", &mut self.all))
            .chain(own)
            .chain(std::iter::once(("inquire", &mut self.inquire)))
    }

    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let Some(mut codes) = root.table("codes") else { return Self::default() };
        let as_written = |table| lines(table, str::to_owned);
        let all = codes.table("all").map(as_written).unwrap_or_default();
        let own =
            operations::values(&mut codes, operations::all(), |_, table| Some(as_written(table)));
        let inquire = codes.table("inquire").map(as_written).unwrap_or_default();
        codes.finish();
        Self { all, own, inquire }
    }
}

impl StatusTables {
    /// The meaning of a word, in lower case, for the operation that was asked about.
    pub fn meaning(&self, operation: Operation, word: &str) -> Option<&CodeLine> {
        let own = self.own.get(operation).and_then(|lines| lines.get(word));
        own.or_else(|| self.all.get(word))
    }

    /// Every line, whatever it belongs to.
    pub fn lines(&self) -> impl Iterator<Item = (&String, &CodeLine)> {
        self.all.iter().chain(self.own.iter().flat_map(|(_, lines)| lines))
    }

    /// The words of `all` stand directly below `[statuses]`, those of one operation in the table with
    /// its key.
    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let Some(statuses) = root.table("statuses") else { return Self::default() };
        let lower = |word: &str| word.to_ascii_lowercase();
        let (mut all, mut own) = (Lines::new(), Vec::new());
        for (word, item) in statuses.free_entries() {
            match operations::all().find(|operation| operation.as_str() == word) {
                Some(operation) => {
                    own.extend(item.table().map(|table| (operation, lines(table, lower))));
                }
                None => insert(&mut all, lower(&word), &item),
            }
        }
        Self { all, own: own.into_iter().collect() }
    }
}

impl CodeLine {
    /// The rejection that this line stands for; `message` is used where the line has no text.
    pub fn rejection(&self, code: &str, message: &str) -> Rejection {
        Rejection {
            code: code.to_owned(),
            reason: self.reason.unwrap_or(Reason::Other),
            message: self.text.clone().unwrap_or_else(|| message.to_owned()),
            retry: self.retry.unwrap_or(Retry::Never),
        }
    }

    fn read(item: &Item<'_>) -> Option<Self> {
        let mut table = item.table_such_as("{ means = \"pending\" }")?;
        let hint = "what follows from it, for example means = \"unknown\"";
        let means = table.required("means", hint).and_then(|item| item.choice(&MEANINGS));
        let given = table.get("reason");
        let reason = given.as_ref().and_then(|item| item.choice(&REASONS));
        if means == Some(Meaning::Rejected) && given.is_none() {
            let hint = "why it was refused, for example reason = \"insufficient_funds\"; \"other\" \
                        if no reason of docs/mappings.md fits";
            table.missing("reason", hint);
        }
        let retry = table.get("retry").and_then(|item| item.choice(&RETRIES));
        let text = table.get("text").and_then(|item| Some(item.text()?.to_owned()));
        table.finish();
        Some(Self { means: means?, reason, retry, text })
    }
}

fn lines(table: Table<'_>, name: impl Fn(&str) -> String) -> Lines {
    let mut lines = Lines::new();
    for (code, item) in table.free_entries() {
        insert(&mut lines, name(&code), &item);
    }
    lines
}

fn insert(lines: &mut Lines, name: String, item: &Item<'_>) {
    let Some(line) = CodeLine::read(item) else { return };
    if lines.insert(name, line).is_some() {
        item.problem("stands here twice, in upper and lower case");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operations_own_line_wins_over_the_common_one() {
        let line = |means| CodeLine { means, reason: None, retry: None, text: None };
        let tables = CodeTables {
            all: Lines::from([("INS-6".to_owned(), line(Meaning::Rejected))]),
            own: [(Operation::PayOut, Lines::from([("INS-6".to_owned(), line(Meaning::Unknown))]))]
                .into_iter()
                .collect(),
            ..CodeTables::default()
        };
        let means = |operation| tables.meaning(operation, "INS-6").map(|line| line.means);
        assert_eq!(means(Operation::Collect), Some(Meaning::Rejected));
        assert_eq!(means(Operation::PayOut), Some(Meaning::Unknown));
        assert_eq!(tables.meaning(Operation::Collect, "INS-7"), None);
    }
}
