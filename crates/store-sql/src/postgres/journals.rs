//! Reads journals. Those that are asked for while a query is on its way are read together by the
//! next one: what a delivery of work announces is read in one or two queries, however many
//! transfers it names. Alone, a journal is read at once; there is no timer.

use std::collections::BTreeMap;

use kiungo_domain::TransferId;
use kiungo_store::{StoreError, codec};
use sqlx::postgres::{PgPool, PgRow};
use tokio::sync::{mpsc, oneshot};

use super::session::rows;
use super::statements::STATEMENTS;
use crate::sql::{Parameter, read};

/// The largest number of journals that one query reads: a few hundred rows.
const TOGETHER_MAX: usize = 64;

/// The largest number of journals that wait; more wait for a place (rule 13).
const WAITING_MAX: usize = 1_024;

/// The place of the transfer's id among the columns.
const OF: usize = 3;

type Rows = Result<Vec<PgRow>, StoreError>;

#[derive(Debug)]
struct Asked {
    of: TransferId,
    answer: oneshot::Sender<Rows>,
}

/// The way to the task that reads them, for any number of callers.
#[derive(Debug)]
pub(super) struct Journals(mpsc::Sender<Asked>);

impl Journals {
    /// Starts the task, which ends with this.
    pub(super) fn start(pool: PgPool) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(pool, waiting));
        Self(queue)
    }

    /// The rows of a journal, in order.
    pub(super) async fn read(&self, of: TransferId) -> Rows {
        let closed = || StoreError::Unavailable("the store is closed".to_owned());
        let (answer, answered) = oneshot::channel();
        self.0.send(Asked { of, answer }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

async fn run(pool: PgPool, mut waiting: mpsc::Receiver<Asked>) {
    let mut taken = Vec::with_capacity(TOGETHER_MAX);
    while waiting.recv_many(&mut taken, TOGETHER_MAX).await > 0 {
        let mut callers: BTreeMap<TransferId, Vec<oneshot::Sender<Rows>>> = BTreeMap::new();
        for Asked { of, answer } in taken.drain(..) {
            callers.entry(of).or_default().push(answer);
        }
        // A second caller for the same journal has its own copy of the rows by another query.
        while !callers.is_empty() {
            let now: Vec<_> = callers
                .iter_mut()
                .filter_map(|(of, waiting)| waiting.pop().map(|answer| (*of, answer)))
                .collect();
            answer(&pool, now).await;
            callers.retain(|_, waiting| !waiting.is_empty());
        }
    }
}

/// Reads each of these journals, and answers. A caller that has gone away needs no answer.
async fn answer(pool: &PgPool, callers: Vec<(TransferId, oneshot::Sender<Rows>)>) {
    let ids = callers.iter().map(|(of, _)| of.to_string()).collect();
    let asked = rows(pool, STATEMENTS.journal, vec![Parameter::Words(Some(ids))]).await;
    let mut found = asked.and_then(by_transfer);
    for (of, answer) in callers {
        let journal = match &mut found {
            Ok(found) => Ok(found.remove(&of).unwrap_or_default()),
            Err(error) => Err(error.clone()),
        };
        let _ = answer.send(journal);
    }
}

fn by_transfer(rows: Vec<PgRow>) -> Result<BTreeMap<TransferId, Vec<PgRow>>, StoreError> {
    let mut found: BTreeMap<TransferId, Vec<PgRow>> = BTreeMap::new();
    for row in rows {
        found.entry(codec::transfer_id(read::text(&row, OF)?)?).or_default().push(row);
    }
    Ok(found)
}
