//! Completes actions that were approved and interrupted: the process died, or the store did not answer,
//! before an outcome was written down.
//!
//! Only one of several processes takes an action, by its version. An action about a transfer is
//! carried out under its key besides, so that a process that was only slow does not repeat it.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_store::{Action, ActionQuery, ActionState, Cursor, Records, StoreError};

use crate::clock::Clock;
use crate::person_action::PersonAction;
use crate::persons::action_content::{Content, latest_alike};
use crate::persons::actions::Actions;
use crate::tasks::Tasks;

/// The pause between two rounds: the sooner, the less has happened to the transfer meanwhile.
const INTERVAL: Duration = Duration::from_secs(10);

/// The time after which an action without an outcome counts as interrupted: longer than carrying one
/// out takes. Where it takes longer for once, the key and the version keep it from being done twice.
const INTERRUPTED_AFTER: Duration = Duration::from_secs(15);

/// Actions read at a time.
const PAGE: u32 = 200;

/// Pages read in a round; the next round goes on where this one ended.
const PAGES_MAX: u32 = 5;

/// Completes interrupted actions.
pub(crate) struct Completer {
    pub(crate) store: Arc<dyn Records>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) actions: Arc<Actions>,
    /// True if other processes may be carrying actions out.
    pub(crate) is_shared: bool,
}

impl Completer {
    /// Completes what was interrupted until the engine stops.
    pub(crate) async fn keep_completing(self: Arc<Self>) {
        // Where one process does all the work, no other process carries actions out.
        let before = (!self.is_shared).then(|| self.clock.now());
        let mut cursor = None;
        loop {
            cursor = match self.round(cursor, before).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "interrupted actions cannot be read; trying again");
                    None
                }
            };
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Carries out every approved action of which nobody wrote an outcome, once, however many do this
    /// at a time. The engine does it by itself, at start and every ten seconds.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn complete_all(&self) -> Result<(), StoreError> {
        let mut cursor = None;
        loop {
            cursor = self.round(cursor, None).await?;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Does one bounded round; returns the place where the next one goes on.
    async fn round(
        &self,
        cursor: Option<Cursor>,
        before: Option<Timestamp>,
    ) -> Result<Option<Cursor>, StoreError> {
        let mut query = ActionQuery { open: true, cursor, limit: PAGE };
        for _ in 0..PAGES_MAX {
            let page = self.store.actions(&query).await?;
            for action in page.rows {
                if self.is_interrupted(&action, before) && !self.tasks.are_stopping() {
                    self.complete(action).await?;
                }
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        Ok(query.cursor)
    }

    fn is_interrupted(&self, action: &Action, before: Option<Timestamp>) -> bool {
        let old = self.clock.now().since(action.updated_at) >= INTERRUPTED_AFTER;
        let abandoned = before.is_some_and(|before| action.updated_at < before);
        action.state == ActionState::Approved && (old || abandoned)
    }

    async fn complete(&self, action: Action) -> Result<(), StoreError> {
        let id = action.id;
        let content = match Content::read(&action) {
            Ok(content) => content,
            Err(error) => {
                tracing::warn!(action = %id, %error, "an interrupted action is left to a person");
                return Ok(());
            }
        };
        // Version 0.1 wrote this action without the version of the transfer that was shown: a
        // person approves it once more.
        let Some(content) = content.when_asked(&action) else { return Ok(()) };
        let taken = Action { updated_at: self.clock.now(), ..action };
        if !self.store.put_action(taken.clone()).await? {
            return Ok(());
        }
        let taken = Action { version: taken.version + 1, ..taken };
        if self.is_held_anew(&taken, &content).await? {
            let detail = "it was held anew after this had been approved".to_owned();
            let refused = Action { state: ActionState::Refused, detail, ..taken };
            self.store.put_action(refused).await?;
            return Ok(());
        }
        let content = self.as_of_now(content).await?;
        match self.actions.carry_out_or_keep(taken, content, true).await {
            Ok(_) => tracing::info!(action = %id, "an interrupted action was carried out"),
            Err(error) => {
                tracing::warn!(action = %id, %error, "an interrupted action was not carried out");
            }
        }
        Ok(())
    }

    /// The content about the present version of its transfer, if nothing was learnt since the one that it
    /// is about.
    async fn as_of_now(&self, content: Content) -> Result<Content, StoreError> {
        let Some((transfer, seen)) = content.about() else { return Ok(content) };
        Ok(content.at_version(latest_alike(self.store.as_ref(), transfer, seen).await?))
    }

    /// True if the action would release a hold that began after it was approved.
    async fn is_held_anew(&self, action: &Action, content: &Content) -> Result<bool, StoreError> {
        let PersonAction::Release { provider, operation } = &content.action else {
            return Ok(false);
        };
        let approved_at = action.judgement.as_ref().map_or(action.at, |judgement| judgement.at);
        let holds = self.store.holds().await?;
        Ok(holds.iter().any(|hold| {
            hold.provider == *provider && hold.operation == *operation && hold.since > approved_at
        }))
    }
}
