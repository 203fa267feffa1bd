//! `[codes.*]`, `[statuses]`: the meanings of a provider's codes, and of its words for the state of
//! an operation.

use std::collections::BTreeMap;

use kiungo_domain::outcome::{Reason, Rejection, Retry};

use crate::read::{Item, Table};

/// The provider's codes by operation. A code that is in no table has no meaning: the outcome is
/// unknown (rule 2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeTables {
    /// For every operation that does not list the code itself.
    pub all: BTreeMap<String, CodeLine>,
    /// For collections.
    pub collect: BTreeMap<String, CodeLine>,
    /// For payouts.
    pub pay_out: BTreeMap<String, CodeLine>,
    /// For reversals.
    pub reverse: BTreeMap<String, CodeLine>,
    /// For inquiries: about the inquiry itself.
    pub inquire: BTreeMap<String, CodeLine>,
}

/// The provider's status words by operation. A word that is in no table has no meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusTables {
    /// For every operation that does not list the word itself; words in lower case.
    pub all: BTreeMap<String, CodeLine>,
    /// For collections.
    pub collect: BTreeMap<String, CodeLine>,
    /// For payouts.
    pub pay_out: BTreeMap<String, CodeLine>,
    /// For reversals.
    pub reverse: BTreeMap<String, CodeLine>,
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
    /// It was executed.
    Completed,
    /// It was accepted and is being worked on.
    Pending,
    /// It was refused for good: nothing moved.
    Rejected,
    /// It was turned away before it was recorded: it may be sent again under the same reference.
    NotSent,
    /// It was executed and later reversed.
    Reversed,
    /// The other side does not know it.
    Absent,
    /// One cannot tell: ask.
    Unknown,
}

/// The operation that a code answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A collection.
    Collect,
    /// A payout.
    PayOut,
    /// A reversal.
    Reverse,
    /// An inquiry.
    Inquire,
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
    /// The meaning of `code` as an answer to this operation; `None` if it is not listed.
    pub fn meaning(&self, answered: Answered, code: &str) -> Option<&CodeLine> {
        let own = match answered {
            Answered::Collect => &self.collect,
            Answered::PayOut => &self.pay_out,
            Answered::Reverse => &self.reverse,
            Answered::Inquire => &self.inquire,
        };
        own.get(code).or_else(|| self.all.get(code))
    }

    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let Some(mut codes) = root.table("codes") else { return Self::default() };
        let mut table = |key| codes.table(key).map(|table| lines(table, str::to_owned));
        let tables = Self {
            all: table("all").unwrap_or_default(),
            collect: table("collect").unwrap_or_default(),
            pay_out: table("pay_out").unwrap_or_default(),
            reverse: table("reverse").unwrap_or_default(),
            inquire: table("inquire").unwrap_or_default(),
        };
        codes.finish();
        tables
    }
}

impl StatusTables {
    /// The meaning of a word, in lower case, for the operation that was asked about.
    pub fn meaning(&self, operation: Answered, word: &str) -> Option<&CodeLine> {
        let own = match operation {
            Answered::Collect => self.collect.get(word),
            Answered::PayOut => self.pay_out.get(word),
            Answered::Reverse => self.reverse.get(word),
            Answered::Inquire => None,
        };
        own.or_else(|| self.all.get(word))
    }

    /// Every line, whatever it belongs to.
    pub fn lines(&self) -> impl Iterator<Item = (&String, &CodeLine)> {
        let tables = [&self.all, &self.collect, &self.pay_out, &self.reverse];
        tables.into_iter().flatten()
    }

    /// The words of `all` stand directly below `[statuses]`, the others in `[statuses.collect]`,
    /// `[statuses.pay_out]`, `[statuses.reverse]`.
    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let Some(statuses) = root.table("statuses") else { return Self::default() };
        let lower = |word: &str| word.to_ascii_lowercase();
        let mut tables = Self::default();
        for (word, item) in statuses.free_entries() {
            let own = match word.as_str() {
                "collect" => &mut tables.collect,
                "pay_out" => &mut tables.pay_out,
                "reverse" => &mut tables.reverse,
                _ => {
                    insert(&mut tables.all, lower(&word), &item);
                    continue;
                }
            };
            *own = item.table().map(|table| lines(table, lower)).unwrap_or_default();
        }
        tables
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

fn lines(table: Table<'_>, name: impl Fn(&str) -> String) -> BTreeMap<String, CodeLine> {
    let mut lines = BTreeMap::new();
    for (code, item) in table.free_entries() {
        insert(&mut lines, name(&code), &item);
    }
    lines
}

fn insert(lines: &mut BTreeMap<String, CodeLine>, name: String, item: &Item<'_>) {
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
            all: BTreeMap::from([("INS-6".to_owned(), line(Meaning::Rejected))]),
            pay_out: BTreeMap::from([("INS-6".to_owned(), line(Meaning::Unknown))]),
            ..CodeTables::default()
        };
        let means = |answered| tables.meaning(answered, "INS-6").map(|line| line.means);
        assert_eq!(means(Answered::Collect), Some(Meaning::Rejected));
        assert_eq!(means(Answered::PayOut), Some(Meaning::Unknown));
        assert_eq!(tables.meaning(Answered::Collect, "INS-7"), None);
    }
}
