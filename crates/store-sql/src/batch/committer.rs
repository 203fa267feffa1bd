//! The task or thread that takes all that waits, writes it in one transaction, and answers.
//!
//! Batches form by themselves: alone, a request is committed at once; while a commit is on its way
//! to the disk, others gather for the next. There is no timer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use kiungo_store::{CommitError, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, warn};

use super::maintenance::{Maintenance, MaintenanceResult};
use super::read_set::Wanted;
use super::request::{CommitResult, Done, Request};
use super::validation::validate;
use super::{Backend, BackendError};

/// The number of tries of a batch that failed without having been applied. With the waits between,
/// that bridges the restart of a database for about two seconds; after that its callers are told.
const TRIES_MAX: u32 = 9;

/// The wait before the second try; it doubles each time.
const TRY_WAIT_FIRST: Duration = Duration::from_millis(8);

/// The bounds of a committer (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The largest number of requests that share a transaction.
    pub(crate) batch_max: usize,
    /// The largest number of requests that wait; more wait for a place.
    pub(crate) queue_max: usize,
}

/// The way to a committer, for any number of callers.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Message>,
    soundness: Soundness,
}

/// Remembers whether the last commit failed.
#[derive(Debug, Clone, Default)]
struct Soundness(Arc<AtomicBool>);

impl Soundness {
    /// Notes the results of a batch or a maintenance task. A request that was refused for its
    /// content says nothing about the database.
    fn note<'a>(&self, failures: impl IntoIterator<Item = Option<&'a StoreError>>) {
        let (mut committed, mut failed) = (false, false);
        for failure in failures {
            committed |= failure.is_none();
            failed |= matches!(failure, Some(StoreError::Unavailable(_)));
        }
        if committed || failed {
            self.0.store(!committed, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
enum Message {
    Request(Request, oneshot::Sender<CommitResult>),
    Maintenance(Maintenance, oneshot::Sender<Result<MaintenanceResult, StoreError>>),
    Close(oneshot::Sender<()>),
}

impl Committer {
    /// Starts a task of the runtime: for a database that is asked over a network.
    pub(crate) fn start(backend: impl Backend, bounds: Bounds) -> Self {
        let (committer, task) = Self::with_task(backend, bounds);
        tokio::spawn(task);
        committer
    }

    /// Starts a thread of its own: for a database in this process, whose calls block. A batch goes to
    /// the thread once and comes back once, whatever the number of its statements.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start_thread(backend: impl Backend, bounds: Bounds) -> io::Result<Self> {
        let (committer, task) = Self::with_task(backend, bounds);
        let runtime = Handle::current();
        let thread = thread::Builder::new().name("kiungo-commit".to_owned());
        thread.spawn(move || runtime.block_on(task))?;
        Ok(committer)
    }

    fn with_task(
        backend: impl Backend,
        bounds: Bounds,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, waiting) = mpsc::channel(bounds.queue_max.max(1));
        let soundness = Soundness::default();
        let task = run(backend, waiting, bounds.batch_max.max(1), soundness.clone());
        (Self { queue, soundness }, task)
    }

    /// True if the last transaction failed, as on a full disk: others will fail too, until one is
    /// tried and does not.
    pub(crate) fn is_failing(&self) -> bool {
        self.soundness.0.load(Ordering::Relaxed)
    }

    /// Asks, and waits for the commit.
    pub(crate) async fn ask(&self, request: Request) -> CommitResult {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Message::Request(request, answer)).await.map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Runs a maintenance task, in a transaction of its own between two batches.
    pub(crate) async fn maintenance(
        &self,
        maintenance: Maintenance,
    ) -> Result<MaintenanceResult, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Message::Maintenance(maintenance, answer)).await.map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Commits what waits, leaves the database tidy, and refuses whatever comes later.
    pub(crate) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Message::Close(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

async fn run(
    mut backend: impl Backend,
    mut waiting: mpsc::Receiver<Message>,
    batch_max: usize,
    soundness: Soundness,
) {
    let mut closing = Vec::new();
    let mut tasks = Vec::new();
    let mut messages = Vec::with_capacity(batch_max);
    while waiting.recv_many(&mut messages, batch_max).await > 0 {
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Request(request, answer) => {
                    requests.push(request);
                    answers.push(answer);
                }
                Message::Maintenance(task, answer) => tasks.push((task, answer)),
                Message::Close(answer) => {
                    waiting.close();
                    closing.push(answer);
                }
            }
        }
        let results = commit_batch(&mut backend, requests).await;
        soundness.note(results.iter().filter_map(|result| match result {
            Ok(_) => Some(None),
            Err(CommitError::Store(error)) => Some(Some(error)),
            Err(_) => None,
        }));
        for (answer, result) in answers.into_iter().zip(results) {
            // A caller that has gone away was not promised anything.
            let _ = answer.send(result);
        }
        for (task, answer) in tasks.drain(..) {
            let done = run_maintenance(&mut backend, &task).await;
            let wrote = done.as_ref().map_or(true, |brought| !brought.is_nothing());
            soundness.note(wrote.then_some(done.as_ref().err()));
            let _ = answer.send(done);
        }
    }
    backend.close().await;
    drop(backend);
    for answer in closing {
        let _ = answer.send(());
    }
}

/// Commits a batch. If one row spoils the transaction, each request is tried alone, so that only
/// the one concerned fails.
pub(crate) async fn commit_batch(
    backend: &mut impl Backend,
    requests: Vec<Request>,
) -> Vec<CommitResult> {
    if requests.is_empty() {
        return Vec::new();
    }
    match transact(backend, &requests).await {
        Ok(results) => results,
        Err(BackendError::Row(error)) if requests.len() > 1 => {
            warn!(%error, batch_count = requests.len(), "a batch is committed one by one");
            let mut results = Vec::with_capacity(requests.len());
            for request in requests {
                let alone = transact(backend, std::slice::from_ref(&request)).await;
                let refused = |error: BackendError| vec![Err(error.into_store().into())];
                results.extend(alone.unwrap_or_else(refused));
            }
            results
        }
        Err(error) => {
            let error = error.into_store();
            warn!(%error, batch_count = requests.len(), "a batch could not be committed");
            requests.iter().map(|_| Err(error.clone().into())).collect()
        }
    }
}

/// Carries a batch out, again and again while that may help.
async fn transact(
    backend: &mut impl Backend,
    requests: &[Request],
) -> Result<Vec<CommitResult>, BackendError> {
    let mut patience = Patience::default();
    loop {
        match transact_once(backend, requests).await {
            Err(BackendError::Again(error)) if patience.is_left() => {
                debug!(%error, batch_count = requests.len(), "a batch is tried again");
                patience.wait().await;
            }
            done => return done,
        }
    }
}

/// The count of the tries of something.
#[derive(Debug, Default)]
struct Patience {
    tries: u32,
}

impl Patience {
    fn is_left(&self) -> bool {
        self.tries + 1 < TRIES_MAX
    }

    async fn wait(&mut self) {
        tokio::time::sleep(TRY_WAIT_FIRST * 2_u32.saturating_pow(self.tries)).await;
        self.tries += 1;
    }
}

async fn transact_once(
    backend: &mut impl Backend,
    requests: &[Request],
) -> Result<Vec<CommitResult>, BackendError> {
    let done = try_transact(backend, requests).await;
    if done.is_err() {
        backend.rollback().await;
    }
    done
}

async fn try_transact(
    backend: &mut impl Backend,
    requests: &[Request],
) -> Result<Vec<CommitResult>, BackendError> {
    backend.begin().await?;
    let read_set = backend.read_set(&Wanted::by(requests)).await?;
    let validation = validate(requests, read_set);
    if validation.rows.is_empty() {
        backend.rollback().await;
    } else {
        backend.write(&validation.rows).await?;
        backend.commit().await?;
    }
    Ok(validation.results)
}

async fn run_maintenance(
    backend: &mut impl Backend,
    maintenance: &Maintenance,
) -> Result<MaintenanceResult, StoreError> {
    let mut patience = Patience::default();
    loop {
        let done = try_maintenance(backend, maintenance).await;
        if done.is_err() {
            backend.rollback().await;
        }
        match done {
            Err(BackendError::Again(error)) if patience.is_left() => {
                debug!(%error, "a maintenance task is tried again");
                patience.wait().await;
            }
            done => return done.map_err(BackendError::into_store),
        }
    }
}

async fn try_maintenance(
    backend: &mut impl Backend,
    maintenance: &Maintenance,
) -> Result<MaintenanceResult, BackendError> {
    backend.begin().await?;
    let brought = backend.maintenance(maintenance).await?;
    if brought.is_nothing() {
        backend.rollback().await;
    } else {
        backend.commit().await?;
    }
    Ok(brought)
}

/// The result of a request that is never refused for what it contains.
pub(crate) fn unrefused(result: CommitResult) -> Result<Done, StoreError> {
    result.map_err(|error| match error {
        CommitError::Store(error) => error,
        refused => StoreError::Corrupt(refused.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;

    use super::*;
    use crate::batch::read_set::ReadSet;
    use crate::batch::rows::Rows;
    use kiungo_store::contract::fixtures::{arrival, at, instruction, received};

    /// A database that fails where it is told to, and notes what it is asked.
    struct Script {
        fails_at: Option<&'static str>,
        /// A batch with this many transfers or more is spoiled by one of its rows.
        spoiled_from: usize,
        /// So many transactions are lost to a quicker process.
        raced: u32,
        notes: Arc<Mutex<Vec<String>>>,
    }

    impl Script {
        fn new(fails_at: Option<&'static str>, spoiled_from: usize) -> Self {
            Self { fails_at, spoiled_from, raced: 0, notes: Arc::default() }
        }

        fn step(&self, name: &'static str) -> Result<(), BackendError> {
            self.notes.lock().unwrap().push(name.to_owned());
            let failed = || BackendError::Store(StoreError::Unavailable(name.to_owned()));
            if self.fails_at == Some(name) { Err(failed()) } else { Ok(()) }
        }

        fn notes(&self) -> String {
            self.notes.lock().unwrap().join(" ")
        }
    }

    #[async_trait]
    impl Backend for Script {
        async fn begin(&mut self) -> Result<(), BackendError> {
            self.step("begin")
        }

        async fn read_set(&mut self, _wanted: &Wanted) -> Result<ReadSet, BackendError> {
            self.step("read_set").map(|()| ReadSet::default())
        }

        async fn write(&mut self, rows: &Rows) -> Result<(), BackendError> {
            if rows.transfers.len() >= self.spoiled_from {
                self.step("spoiled")?;
                return Err(BackendError::Row(StoreError::Corrupt("a row".to_owned())));
            }
            if self.raced > 0 {
                self.raced -= 1;
                self.step("raced")?;
                return Err(BackendError::Again(StoreError::Unavailable("raced".to_owned())));
            }
            self.step("write")
        }

        async fn maintenance(
            &mut self,
            maintenance: &Maintenance,
        ) -> Result<MaintenanceResult, BackendError> {
            let Maintenance::Archive { limit, .. } = maintenance else { unreachable!() };
            self.step("archive").map(|()| MaintenanceResult::Rows(u64::from(*limit)))
        }

        async fn commit(&mut self) -> Result<(), BackendError> {
            self.step("commit")
        }

        async fn rollback(&mut self) {
            let _ = self.step("rollback");
        }

        async fn close(&mut self) {
            let _ = self.step("close");
        }
    }

    fn requests(count: u32) -> Vec<Request> {
        let request = |n| Request::commit(received(instruction(n), at(1)), false).unwrap();
        (0..count).map(request).collect()
    }

    #[tokio::test]
    async fn a_batch_is_one_transaction() {
        let mut script = Script::new(None, 100);
        let results = commit_batch(&mut script, requests(50)).await;
        assert!(results.len() == 50 && results.iter().all(Result::is_ok));
        assert_eq!(script.notes(), "begin read_set write commit");
    }

    #[tokio::test]
    async fn a_failure_at_any_step_fails_every_member() {
        for step in ["begin", "read_set", "write", "commit"] {
            let mut script = Script::new(Some(step), 100);
            let mut batch = requests(3);
            batch.push(Request::Arrive(arrival("d", at(1))));
            let results = commit_batch(&mut script, batch).await;
            let failed = Err(StoreError::Unavailable(step.to_owned()).into());
            assert_eq!(results, vec![failed; 4]);
            assert!(script.notes().ends_with("rollback"), "{step}");
        }
    }

    #[tokio::test]
    async fn a_row_that_spoils_a_batch_is_tried_alone() {
        let mut script = Script::new(None, 2);
        let results = commit_batch(&mut script, requests(3)).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let alone = "begin read_set write commit ".repeat(3);
        assert_eq!(script.notes(), format!("begin read_set spoiled rollback {}", alone.trim()));

        let mut script = Script::new(None, 1);
        let results = commit_batch(&mut script, requests(2)).await;
        assert!(results.iter().all(Result::is_err), "{results:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_lost_a_race_is_judged_anew() {
        let mut script = Script { raced: 2, ..Script::new(None, 100) };
        let results = commit_batch(&mut script, requests(2)).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let lost = "begin read_set raced rollback ".repeat(2);
        assert_eq!(script.notes(), format!("{lost}begin read_set write commit"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_loses_every_race_fails_in_the_end() {
        let mut script = Script { raced: u32::MAX, ..Script::new(None, 100) };
        let began = tokio::time::Instant::now();
        let results = commit_batch(&mut script, requests(2)).await;
        assert_eq!(results, vec![Err(StoreError::Unavailable("raced".to_owned()).into()); 2]);
        assert_eq!(script.notes().matches("begin").count(), TRIES_MAX as usize);
        assert!(began.elapsed() < Duration::from_secs(3));
    }

    #[tokio::test]
    async fn the_archive_is_filled_between_two_batches() {
        let script = Script::new(None, 100);
        let notes = Arc::clone(&script.notes);
        let committer = Committer::start(script, Bounds { batch_max: 10, queue_max: 64 });
        let request = requests(1).remove(0);
        let archive = |limit| committer.maintenance(Maintenance::Archive { before: at(1), limit });
        let (result, moved) = tokio::join!(committer.ask(request), archive(7));
        assert_eq!((result, moved), (Ok(Done::Applied), Ok(MaintenanceResult::Rows(7))));
        assert_eq!(archive(0).await, Ok(MaintenanceResult::Rows(0)));
        committer.close().await;
        let expected =
            "begin read_set write commit begin archive commit begin archive rollback close";
        assert_eq!(notes.lock().unwrap().join(" "), expected);
        let script = Script::new(Some("archive"), 100);
        let notes = Arc::clone(&script.notes);
        let committer = Committer::start(script, Bounds { batch_max: 10, queue_max: 64 });
        let archive = Maintenance::Archive { before: at(1), limit: 7 };
        assert!(committer.maintenance(archive).await.is_err());
        assert_eq!(notes.lock().unwrap().join(" "), "begin archive rollback");
    }

    #[tokio::test]
    async fn it_is_failing_from_a_transaction_that_failed_to_one_that_did_not() {
        let bounds = Bounds { batch_max: 10, queue_max: 64 };
        for (fails_at, fails) in [(None, false), (Some("commit"), true), (Some("begin"), true)] {
            let committer = Committer::start(Script::new(fails_at, 100), bounds);
            assert!(!committer.is_failing(), "nothing was tried");
            let _ = committer.ask(requests(1).remove(0)).await;
            assert_eq!(committer.is_failing(), fails, "{fails_at:?}");
        }
        // A failed maintenance task, and one that wrote after it; one that had nothing to write
        // proves nothing.
        let committer = Committer::start(Script::new(Some("commit"), 100), bounds);
        let archive = |limit| committer.maintenance(Maintenance::Archive { before: at(1), limit });
        let _ = archive(0).await;
        assert!(!committer.is_failing());
        let _ = archive(7).await;
        let _ = archive(0).await;
        assert!(committer.is_failing());
        let unavailable = StoreError::Unavailable("full".to_owned());
        let soundness = Soundness::default();
        soundness.note([Some(&unavailable), None]);
        assert!(!soundness.0.load(Ordering::Relaxed), "one of a batch was committed");
        soundness.note([Some(&StoreError::Corrupt("a row".to_owned())), Some(&unavailable)]);
        assert!(soundness.0.load(Ordering::Relaxed));
        soundness.note([Some(&StoreError::Corrupt("a row".to_owned()))]);
        assert!(soundness.0.load(Ordering::Relaxed), "what a row holds says nothing of the disk");
        soundness.note([None]);
        assert!(!soundness.0.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_batch_of_refusals_writes_nothing() {
        let mut script = Script::new(None, 100);
        let mut stale = received(instruction(1), at(1));
        stale.decision.base_version = 3;
        stale.decision.entries[0].seq = 4;
        let refused = commit_batch(&mut script, vec![Request::commit(stale, false).unwrap()]).await;
        assert!(refused[0].is_err());
        assert_eq!(script.notes(), "begin read_set rollback");
    }

    #[tokio::test]
    async fn what_waits_together_is_committed_together_within_the_bound() {
        let script = Script::new(None, 100);
        let notes = Arc::clone(&script.notes);
        let committer = Committer::start(script, Bounds { batch_max: 10, queue_max: 64 });
        let asked = requests(25).into_iter().map(|request| committer.ask(request));
        let results = futures_util::future::join_all(asked).await;
        assert!(results.iter().all(Result::is_ok));
        committer.close().await;
        let notes = notes.lock().unwrap().clone();
        assert_eq!(notes.iter().filter(|note| *note == "commit").count(), 3);
        assert_eq!(notes.last().map(String::as_str), Some("close"));
        let late = committer.ask(requests(1).remove(0)).await;
        assert!(matches!(late, Err(CommitError::Store(StoreError::Unavailable(_)))));
    }
}
