//! The statements by which the rows of a batch are written.
//!
//! They form three stages, one after the other. Within a stage no statement touches a row that
//! another of them touches, and none reads what another of them writes, so that a database may run
//! all of them at once.

use std::borrow::Cow;

use kiungo_domain::Timestamp;
use kiungo_store::allowance::{Counter, KEPT, Use};

use super::Statements;
use super::session::Write;
use crate::batch::read_set::AccountLock;
use crate::batch::rows::{NewTotal, Rows};
use crate::batch::table::Column::{self, Integer, Text};
use crate::batch::table::{Cell, Table};

/// One column of names.
const NAME: &[Column] = &[Text];
const TOTALS: &[Column] = &[Integer, Text, Text, Text, Text, Integer, Integer];
const USES: &[Column] = &[Text, Integer, Integer, Integer];
const TRANSFER_CASES: &[Column] = &[Text, Text, Text, Text, Text, Text, Integer];
const INBOX_CASES: &[Column] = &[Text, Integer, Text, Text];

/// The statements of a batch, in the order in which they take their locks.
#[derive(Debug)]
pub(crate) struct Stages<'a> {
    /// The statements whose effect those of the main stage rely on.
    pub(crate) first: Vec<Write<'a>>,
    /// All others.
    pub(crate) main: Vec<Write<'a>>,
    /// The statements that rely on the effect of the main stage.
    pub(crate) last: Vec<Write<'a>>,
}

impl<'a> Stages<'a> {
    /// The stages of these rows. The sums that every batch adds to end the main stage: other
    /// processes wait for those rows no longer than necessary.
    pub(crate) fn of(statements: &'static Statements, rows: &'a Rows) -> Self {
        let mut stages = Self { first: Vec::new(), main: Vec::new(), last: Vec::new() };
        stages.transfers(statements, rows);
        stages.account_locks(statements, rows);
        stages.uses(statements, rows);
        stages.inbox(statements, rows);
        stages.cases(statements, rows);
        stages.totals(statements, rows);
        stages.sums(statements, rows);
        stages
    }

    /// A new state takes its number from the row of its transfer.
    fn transfers(&mut self, statements: &Statements, rows: &'a Rows) {
        let postponed = rows.postponed.iter();
        let postponed = postponed.map(|(id, due)| [(*id).into(), due.as_micros().into()]);
        let postponed = Table::of(&[Text, Integer], postponed);
        whole(&mut self.first, statements.new_transfers, &rows.transfers);
        whole(&mut self.main, statements.put_events, &rows.events);
        whole(&mut self.main, statements.new_states, &rows.new_states);
        whole(&mut self.main, statements.put_states, &rows.states);
        whole(&mut self.main, statements.put_postponed, postponed);
        whole(&mut self.main, statements.put_ledger, &rows.ledger);
        whole(&mut self.main, statements.put_receipts, &rows.receipts);
        whole(&mut self.main, statements.put_keys, &rows.keys);
        // Some may be stored already.
        partly(&mut self.main, statements.put_terms, &rows.terms);
        whole(&mut self.main, statements.put_outbox, &rows.outbox);
    }

    /// Other transfers of the batch may take the accounts that are let go of.
    fn account_locks(&mut self, statements: &Statements, rows: &Rows) {
        let left = Table::of(NAME, rows.account_locks_left.iter().map(|id| [(*id).into()]));
        let taken = rows.account_locks.iter().map(|(lock, holder)| {
            let [core, kind, account] = lock_cells(lock);
            [core, kind, account, (*holder).into()]
        });
        // A lock that the batch takes and releases is never written: fewer rows are removed than
        // transfers let go of one.
        partly(&mut self.first, statements.release_account_locks, left);
        let taken = Table::of(&[Text, Text, Text, Text], taken);
        whole(&mut self.main, statements.put_account_locks, taken);
    }

    /// Where transfers count. Uses of days that are over are removed as new ones come, twice as
    /// many, so that their number is bounded.
    fn uses(&mut self, statements: &Statements, rows: &Rows) {
        let (mut left, mut taken) = (Table::new(NAME), Table::new(USES));
        for (id, counts) in &rows.uses {
            match counts {
                None => left.push([(*id).into()]),
                Some(Use { day, wallet, organisation }) => {
                    let day = day.as_micros().into();
                    taken.push([(*id).into(), day, (*wallet).into(), (*organisation).into()]);
                }
            }
        }
        let days = rows.uses.values().flatten().map(|counts| counts.day);
        let over = over(days.min(), taken.len());
        // A use that the batch takes and leaves is never written.
        partly(&mut self.first, statements.leave_uses, left);
        whole(&mut self.main, statements.put_uses, taken);
        partly(&mut self.last, statements.clear_uses, over);
    }

    fn totals(&mut self, statements: &Statements, rows: &Rows) {
        let (mut new, mut known) = (Table::new(TOTALS), Table::new(TOTALS));
        for (counter, NewTotal { total, stored }) in &rows.totals {
            let [day, provider, operation, currency, wallet] = counter_cells(counter);
            let (minor, count) = (total.minor.into(), total.count.into());
            let table = if *stored { &mut known } else { &mut new };
            table.push([day, provider, operation, currency, wallet, minor, count]);
        }
        let days = rows.totals.iter().filter(|(_, total)| !total.stored).map(|(of, _)| of.day);
        let over = over(days.min(), new.len());
        whole(&mut self.main, statements.put_totals, known);
        whole(&mut self.main, statements.new_totals, new);
        partly(&mut self.last, statements.clear_totals, over);
    }

    /// An item of the batch may be seen again, and handled, in the same batch.
    fn inbox(&mut self, statements: &Statements, rows: &'a Rows) {
        let seen = rows.seen.iter().map(|(id, times)| [(*id).into(), (*times).into()]);
        let seen = Table::of(&[Integer, Integer], seen);
        let moves = rows.inbox.iter().map(|(id, to)| {
            let due = to.due.map(Timestamp::as_micros);
            [(*id).into(), to.state.into(), due.into(), to.note.clone().into(), to.postponed.into()]
        });
        let moves = Table::of(&[Integer, Text, Integer, Text, Integer], moves);
        let after_seen = if seen.is_empty() { &mut self.main } else { &mut self.last };
        whole(after_seen, statements.put_inbox, moves);
        whole(&mut self.first, statements.put_arrivals, &rows.arrivals);
        whole(&mut self.main, statements.put_seen, seen);
    }

    /// All cases of a transfer take the place of those that are stored.
    fn cases(&mut self, statements: &Statements, rows: &Rows) {
        let (mut closed, mut replaced) = (Table::new(NAME), Table::new(NAME));
        let mut of_transfers = Table::new(TRANSFER_CASES);
        let mut of_inbox = Table::new(INBOX_CASES);
        for (id, cases) in &rows.transfer_cases {
            replaced.push([(*id).into()]);
            for row in cases {
                of_transfers.push(row.clone());
            }
        }
        for (subject, row) in &rows.inbox_cases {
            match row {
                None => closed.push([subject.clone().into()]),
                Some(row) => of_inbox.push(row.clone()),
            }
        }
        // A case that the batch opens and closes is never written.
        partly(&mut self.first, statements.close_cases, closed);
        partly(&mut self.first, statements.close_transfer_cases, replaced);
        whole(&mut self.main, statements.open_cases, of_transfers);
        whole(&mut self.main, statements.open_inbox_cases, of_inbox);
    }

    fn sums(&mut self, statements: &Statements, rows: &Rows) {
        let counts = rows.counts.iter().filter(|(_, by)| **by != 0);
        let counts = counts.map(|((kind, provider, status), by)| {
            [(*kind).into(), provider.into(), (*status).into(), (*by).into()]
        });
        let balances = rows.balances.iter().map(|((account, currency), by)| {
            [account.clone().into(), (*currency).into(), (*by).into()]
        });
        let counts = Table::of(&[Text, Text, Text, Integer], counts);
        let balances = Table::of(&[Text, Text, Integer], balances);
        whole(&mut self.main, statements.put_counts, counts);
        whole(&mut self.main, statements.put_balances, balances);
    }
}

/// Adds a statement that has to write each of its rows.
fn whole<'a>(stage: &mut Vec<Write<'a>>, statement: &'static str, rows: impl Into<Cow<'a, Table>>) {
    add(stage, Write { statement, rows: rows.into(), writes_all: true });
}

/// Adds a statement that may find less to write than it has rows.
fn partly<'a>(
    stage: &mut Vec<Write<'a>>,
    statement: &'static str,
    rows: impl Into<Cow<'a, Table>>,
) {
    add(stage, Write { statement, rows: rows.into(), writes_all: false });
}

fn add<'a>(stage: &mut Vec<Write<'a>>, write: Write<'a>) {
    if !write.rows.is_empty() {
        stage.push(write);
    }
}

/// The day before which rows are removed, and the largest number of them, where `new` rows of the
/// day `first` and later came.
fn over(first: Option<Timestamp>, new: usize) -> Table {
    let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
    let row = first
        .map(|first| [first.as_micros().saturating_sub(kept).into(), Cell::from((2 * new) as u64)]);
    Table::of(&[Integer, Integer], row)
}

/// The account's id as text: every id that a core may give fits.
pub(super) fn lock_cells(AccountLock { core, account }: &AccountLock) -> [Cell; 3] {
    let core = core.as_str().to_owned();
    [core.into(), account.kind.as_str().into(), account.id.to_string().into()]
}

pub(super) fn counter_cells(counter: &Counter) -> [Cell; 5] {
    let Counter { day, provider, operation, currency, wallet } = counter;
    let (operation, currency) = (operation.as_str().into(), (*currency).into());
    [day.as_micros().into(), provider.into(), operation, currency, wallet.clone().into()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The statements of each database that a stage runs, by name.
    fn names(statements: &'static Statements, stage: &[Write<'_>]) -> Vec<&'static str> {
        let names: BTreeMap<_, _> =
            statements.all().into_iter().map(|(name, statement)| (statement, name)).collect();
        stage.iter().map(|write| names[write.statement]).collect()
    }

    /// The table that a statement writes.
    fn target(statement: &str) -> &str {
        let words: Vec<_> = statement.split_whitespace().take(3).collect();
        match words[..] {
            ["INSERT", "INTO", table] | ["DELETE", "FROM", table] | ["UPDATE", table, _] => table,
            _ => panic!("{statement} writes nothing"),
        }
    }

    /// True if a statement reads a table other than as the rows that it writes.
    fn reads(statement: &str, table: &str) -> bool {
        let words: Vec<_> = statement.split_whitespace().collect();
        let named = words.windows(2).filter(|pair| ["FROM", "JOIN", "USING"].contains(&pair[0]));
        let deletes = usize::from(words[0] == "DELETE" && target(statement) == table);
        named.filter(|pair| pair[1].trim_matches(['(', ')']) == table).count() > deletes
    }

    /// The statements that may find less to write than they have rows.
    const PARTLY: [&str; 7] = [
        "release_account_locks",
        "leave_uses",
        "close_cases",
        "close_transfer_cases",
        "put_terms",
        "clear_uses",
        "clear_totals",
    ];

    #[test]
    fn a_row_that_is_not_written_stops_the_batch() {
        let rows = Rows::of_every_kind();
        let statements = &crate::postgres::STATEMENTS;
        let Stages { first, main, last } = Stages::of(statements, &rows);
        for stage in [first, main, last] {
            for (name, write) in names(statements, &stage).into_iter().zip(&stage) {
                let written = write.rows.len() as u64;
                assert!(write.is_done(written), "{name}");
                assert_eq!(write.is_done(written - 1), PARTLY.contains(&name), "{name}");
            }
        }
    }

    #[test]
    fn every_row_is_written_in_its_stage() {
        let rows = Rows::of_every_kind();
        for statements in [&crate::sqlite::STATEMENTS, &crate::postgres::STATEMENTS] {
            let Stages { first, main, last } = Stages::of(statements, &rows);
            assert_eq!(
                names(statements, &first),
                [
                    "new_transfers",
                    "release_account_locks",
                    "leave_uses",
                    "put_arrivals",
                    "close_cases",
                    "close_transfer_cases"
                ]
            );
            assert_eq!(
                names(statements, &main),
                [
                    "put_events",
                    "new_states",
                    "put_states",
                    "put_postponed",
                    "put_ledger",
                    "put_receipts",
                    "put_keys",
                    "put_terms",
                    "put_outbox",
                    "put_account_locks",
                    "put_uses",
                    "put_seen",
                    "open_cases",
                    "open_inbox_cases",
                    "put_totals",
                    "new_totals",
                    "put_counts",
                    "put_balances"
                ]
            );
            assert_eq!(names(statements, &last), ["clear_uses", "put_inbox", "clear_totals"]);
        }
    }

    /// The pairs that write one table in one stage: never the same row.
    const APART: [(&str, &str); 6] = [
        // A state is new or stored, and a transfer whose state is written is not postponed.
        ("new_states", "put_states"),
        ("new_states", "put_postponed"),
        ("put_states", "put_postponed"),
        // A case is of a transfer or of an inbox item.
        ("open_cases", "open_inbox_cases"),
        ("close_cases", "close_transfer_cases"),
        // A total is new or stored.
        ("put_totals", "new_totals"),
    ];

    #[test]
    fn no_statement_of_a_stage_depends_on_another_of_it() {
        let rows = Rows::of_every_kind();
        let statements = &crate::postgres::STATEMENTS;
        let Stages { first, main, last } = Stages::of(statements, &rows);
        for stage in [first, main, last] {
            let named: Vec<_> = names(statements, &stage).into_iter().zip(&stage).collect();
            for (index, (name, write)) in named.iter().enumerate() {
                let table = target(write.statement);
                for (other, later) in named.iter().skip(index + 1) {
                    let same = table == target(later.statement);
                    assert!(!same || APART.contains(&(name, other)), "{name} and {other}");
                }
                let readers = named.iter().filter(|(other, _)| other != name);
                for (reader, read) in readers {
                    let known = (*reader, *name) == ("open_inbox_cases", "put_seen");
                    assert!(!reads(read.statement, table) || known, "{reader} reads {name}'s");
                }
            }
        }
    }
}
