//! The dead letters.

use async_trait::async_trait;

use super::MemoryQueue;
use super::commands::SentCommand;
use crate::commands::Redriven;
use crate::dead::LIST_MAX;
use crate::{DeadLetter, DeadLetterId, DeadLetters, QueueError};

#[derive(Default)]
pub(super) struct DeadQueue(Vec<DeadLetter>);

impl DeadQueue {
    pub(super) fn push(&mut self, letter: DeadLetter) {
        self.0.push(letter);
    }
}

#[async_trait]
impl DeadLetters for MemoryQueue {
    async fn list(&self, limit: u32) -> Result<Vec<DeadLetter>, QueueError> {
        let limit = usize::try_from(limit.min(LIST_MAX)).unwrap_or(usize::MAX);
        Ok(self.up()?.dead.0.iter().take(limit).cloned().collect())
    }

    async fn redrive(
        &self,
        id: &DeadLetterId,
        by: &str,
        reason: &str,
    ) -> Result<Option<DeadLetter>, QueueError> {
        let mut state = self.up()?;
        let Some(place) = state.dead.0.iter().position(|letter| letter.id == *id) else {
            return Ok(None);
        };
        let letter = state.dead.0.remove(place);
        let sent = SentCommand {
            user: letter.user.clone(),
            content_type: letter.content_type.clone(),
            routing_key: letter.routing_key.clone(),
            body: letter.body.clone(),
        };
        let redriven = Redriven { by: by.to_owned(), reason: reason.to_owned() };
        state.commands.push(sent, Some(redriven));
        Ok(Some(letter))
    }

    async fn discard(&self, id: &DeadLetterId) -> Result<Option<DeadLetter>, QueueError> {
        let mut state = self.up()?;
        let place = state.dead.0.iter().position(|letter| letter.id == *id);
        Ok(place.map(|place| state.dead.0.remove(place)))
    }
}
