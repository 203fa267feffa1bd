//! Reads journals. Those that are asked for while the queries in flight are on their way are read
//! together by the next one: what a delivery of work announces is read in two or three queries,
//! however many transfers it names. Alone, a journal is read at once; there is no timer before it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::TransferId;
use kiungo_store::{StoreError, codec};
use sqlx::postgres::{PgPool, PgRow};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::failure::silent;
use super::session::rows;
use super::statements::STATEMENTS;
use crate::sql::{Parameter, read};

/// The largest number of journals that one query reads: a few hundred rows.
const TOGETHER_MAX: usize = 64;

/// The largest number of queries in flight: a query that hangs holds back no journal that is asked
/// for after it, and half of the connections that usually read are left to other queries.
const IN_FLIGHT_MAX: usize = 2;

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
pub(super) struct Journals {
    queue: mpsc::Sender<Asked>,
    wait_max: Duration,
}

impl Journals {
    /// Starts the task, which ends with this. A caller waits at most `wait_max`.
    pub(super) fn start(pool: PgPool, wait_max: Duration) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(pool, waiting));
        Self { queue, wait_max }
    }

    /// The rows of a journal, in order.
    pub(super) async fn read(&self, of: TransferId) -> Rows {
        let closed = || StoreError::Unavailable("the store is closed".to_owned());
        let (answer, answered) = oneshot::channel();
        let read = async {
            self.queue.send(Asked { of, answer }).await.map_err(|_| closed())?;
            answered.await.map_err(|_| closed())?
        };
        timeout(self.wait_max, read).await.unwrap_or_else(|_| Err(silent()))
    }
}

async fn run(pool: PgPool, mut waiting: mpsc::Receiver<Asked>) {
    let places = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let mut taken = Vec::with_capacity(TOGETHER_MAX);
    // The place comes first, so that the query takes along all that is asked for until it begins.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        if waiting.recv_many(&mut taken, TOGETHER_MAX).await == 0 {
            return;
        }
        let (pool, together) = (pool.clone(), std::mem::take(&mut taken));
        tokio::spawn(async move {
            answer_all(&pool, together).await;
            drop(place);
        });
    }
}

/// Reads the journals of one batch. A second caller for the same journal has its own copy of the rows
/// by another query.
async fn answer_all(pool: &PgPool, asked: Vec<Asked>) {
    let mut callers: BTreeMap<TransferId, Vec<oneshot::Sender<Rows>>> = BTreeMap::new();
    for Asked { of, answer } in asked {
        callers.entry(of).or_default().push(answer);
    }
    loop {
        // Nothing is read for a caller that has gone away.
        for waiting in callers.values_mut() {
            waiting.retain(|answer| !answer.is_closed());
        }
        let next = callers.iter_mut().filter_map(|(of, waiting)| Some((*of, waiting.pop()?)));
        let next: Vec<_> = next.collect();
        if next.is_empty() {
            return;
        }
        answer(pool, next).await;
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
