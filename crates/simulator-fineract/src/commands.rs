//! The command table: what makes a repeated key harmless, and what freezes its first answer
//! (`fineract.md` §4).

use std::collections::HashMap;

use kiungo_domain::Timestamp;

use super::answer::Answer;
use super::body::Body;
use super::route::{Action, Order};

/// Keys longer than their column fail at insert.
const KEY_LENGTH_MAX: usize = 50;

/// Within this time a twin has not seen the first request's row yet, and its own insert collides.
const RACE_MICROS: u64 = 5_000;

/// The table of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    rows: Vec<Row>,
    by_key: HashMap<(Action, String), u64>,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) order: Order,
    pub(crate) account: u64,
    pub(crate) transaction: Option<u64>,
    /// The body as it was sent.
    pub(crate) body: Option<Box<str>>,
    pub(crate) key: String,
    pub(crate) maker: String,
    pub(crate) made_at: Timestamp,
    pub(crate) state: State,
}

/// The state of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    UnderProcessing,
    /// To clients like the one before, for ever: the core died before it booked anything.
    Stuck,
    Processed(Answer),
    Failed(Answer),
    AwaitingApproval,
    Rejected,
    /// The row is no more; its id is not used again.
    Deleted,
}

/// The result of claiming a key for a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is the first: this is its row.
    Mine(u64),
    /// It was answered before.
    Replay(Answer),
    /// The first one is still running, or stuck.
    UnderProcessing,
    /// The insert collides with a row that is not recognised.
    Collision,
    /// The key does not fit its column.
    KeyTooLong,
}

/// The parts of a new row.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    pub(crate) order: &'a Order,
    pub(crate) account: u64,
    pub(crate) transaction: Option<u64>,
    pub(crate) body: Option<&'a Body>,
    /// The key, if it is honoured.
    pub(crate) key: Option<&'a str>,
    /// The key as it came over the wire, honoured or not.
    pub(crate) wire_key: &'a str,
    pub(crate) maker: &'a str,
    pub(crate) at: Timestamp,
}

impl Commands {
    /// Claims a row for a request, unless its key has one. The account is not part of the scope: a
    /// key used on another account is answered with the first account's answer.
    pub(crate) fn claim(&mut self, draft: &Draft<'_>) -> Claim {
        let scope = draft.key.map(|key| (draft.order.action, key.to_owned()));
        if draft.key.is_some_and(|key| key.chars().count() > KEY_LENGTH_MAX) {
            return Claim::KeyTooLong;
        }
        let known = scope.as_ref().and_then(|scope| self.by_key.get(scope));
        if let Some(row) = known.and_then(|id| self.get(*id)) {
            return match &row.state {
                State::Processed(answer) | State::Failed(answer) => {
                    Claim::Replay(answer.clone().replayed())
                }
                State::AwaitingApproval | State::Rejected | State::Deleted => Claim::Collision,
                State::UnderProcessing | State::Stuck => {
                    let age = draft.at.since(row.made_at).as_micros();
                    let racing =
                        age < u128::from(RACE_MICROS) && row.made_at != Timestamp::default();
                    if racing { Claim::Collision } else { Claim::UnderProcessing }
                }
            };
        }
        let id = super::by_id::next_id(&self.rows);
        if let Some(scope) = scope {
            self.by_key.insert(scope, id);
        }
        self.rows.push(Row {
            id,
            order: draft.order.clone(),
            account: draft.account,
            transaction: draft.transaction,
            body: draft.body.map(|body| body.raw().into()),
            key: draft.wire_key.to_owned(),
            maker: draft.maker.to_owned(),
            made_at: draft.at,
            state: State::UnderProcessing,
        });
        Claim::Mine(id)
    }

    /// Notes what became of a command.
    pub(crate) fn settle(&mut self, id: u64, state: State) {
        if let Some(row) = super::by_id::row_mut(&mut self.rows, id) {
            row.state = state;
        }
    }

    /// Takes the newest row away again: a crash in one transaction leaves nothing.
    pub(crate) fn forget(&mut self, id: u64, key: Option<&str>) {
        if let Some(row) = super::by_id::row_mut(&mut self.rows, id) {
            row.state = State::Deleted;
            if let Some(key) = key {
                self.by_key.remove(&(row.order.action, key.to_owned()));
            }
        }
    }

    /// The keys that are stuck, with nothing booked.
    pub(crate) fn stuck_keys(&self) -> Vec<String> {
        let stuck = self.rows.iter().filter(|row| row.state == State::Stuck);
        stuck.map(|row| row.key.clone()).collect()
    }

    /// Empties the stored results of commands that ended well.
    pub(crate) fn clear_results(&mut self) {
        for row in &mut self.rows {
            if let State::Processed(answer) = &row.state {
                row.state = State::Processed(answer.clone().without_body());
            }
        }
    }

    /// Does the work of the core's administrator after a crash: deletes the rows of commands that
    /// died before their booking, so that their keys can be used again.
    pub(crate) fn free_stuck_keys(&mut self) {
        let stuck = |row: &&Row| row.state == State::Stuck;
        let ids: Vec<_> =
            self.rows.iter().filter(stuck).map(|row| (row.id, row.key.clone())).collect();
        for (id, key) in ids {
            self.forget(id, Some(&key));
        }
    }

    /// The row with this id.
    pub(crate) fn get(&self, id: u64) -> Option<&Row> {
        super::by_id::row(&self.rows, id)
    }

    /// All rows, oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.iter().filter(|row| row.state != State::Deleted)
    }
}
