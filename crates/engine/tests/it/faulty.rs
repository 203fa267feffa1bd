//! A store in memory whose answers are lost, come late, or come after another writer's.

use std::sync::{Arc, Mutex};

use kiungo_store::intercept::{Answer, Call, Intercepted, Interceptor};
use kiungo_store::{Action, ActionStore, MemoryStore, Store, StoreError};
use tokio::sync::oneshot;

#[derive(Default)]
pub struct Faults {
    memory: Arc<MemoryStore>,
    /// True if a commit under a key is applied, and its answer is lost.
    pub answers_lost: Mutex<bool>,
    /// True if a commit under a key is refused.
    pub dies_before_key: Mutex<bool>,
    /// True if a judgement is written, and the answer is lost.
    pub dies_after_judgement: Mutex<bool>,
    /// An action that is written just before the next commit; `None` if there is none.
    pub declined_meanwhile: Mutex<Option<Action>>,
    /// The next reading of the holds is answered when this says so, with what was held before.
    pub slow_holds: Mutex<Option<oneshot::Receiver<()>>>,
    /// The next look for the next due time is answered when this says so, with what was due before.
    pub slow_next_due: Mutex<Option<oneshot::Receiver<()>>>,
    /// True if others get in between after an arrival was read, or actions were.
    pub slow_reads: Mutex<bool>,
}

/// The fate of an answer.
pub enum Fate {
    Comes,
    IsLost,
    LetsOthersIn,
    Waits(oneshot::Receiver<()>),
}

impl Faults {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { memory: Arc::new(MemoryStore::audited()), ..Self::default() })
    }

    /// The store with these faults.
    pub fn store(self: &Arc<Self>) -> Arc<dyn Store> {
        Intercepted::over(Arc::clone(&self.memory) as Arc<dyn Store>, self)
    }

    async fn before_commit(&self, under_a_key: bool) -> Result<Fate, StoreError> {
        let lost = *self.answers_lost.lock().unwrap() && under_a_key;
        if *self.dies_before_key.lock().unwrap() && under_a_key {
            return Err(StoreError::Unavailable("the disk is full".to_owned()));
        }
        let meanwhile = self.declined_meanwhile.lock().unwrap().take();
        if let Some(action) = meanwhile {
            assert!(self.memory.put_action(action).await.unwrap());
        }
        Ok(if lost { Fate::IsLost } else { Fate::Comes })
    }
}

impl Interceptor for Faults {
    type Kept = Fate;

    async fn before(&self, call: &Call<'_>) -> Result<Fate, StoreError> {
        let slow = |gate: &Mutex<Option<oneshot::Receiver<()>>>| {
            gate.lock().unwrap().take().map_or(Fate::Comes, Fate::Waits)
        };
        Ok(match call {
            Call::Commit(change) => return self.before_commit(change.key.is_some()).await,
            Call::PutAction(action)
                if action.judgement.is_some() && *self.dies_after_judgement.lock().unwrap() =>
            {
                Fate::IsLost
            }
            Call::Holds => slow(&self.slow_holds),
            Call::NextDue => slow(&self.slow_next_due),
            Call::InboxItem | Call::Actions if *self.slow_reads.lock().unwrap() => {
                Fate::LetsOthersIn
            }
            _ => Fate::Comes,
        })
    }

    async fn after(&self, fate: Fate, answer: Answer<'_>) -> Result<(), StoreError> {
        match fate {
            // A refusal is an answer that arrives.
            Fate::IsLost if !matches!(answer, Answer::Failed) => {
                return Err(StoreError::Unavailable("the answer was lost".to_owned()));
            }
            Fate::IsLost | Fate::Comes => {}
            Fate::LetsOthersIn => tokio::task::yield_now().await,
            Fate::Waits(go_on) => {
                let _ = go_on.await;
            }
        }
        Ok(())
    }
}
