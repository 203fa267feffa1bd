//! Actions of persons: the one way in for everything that a person does by hand.
//!
//! An action is written down before it is carried out, with its reason. Where the configuration asks
//! for a second person, it waits as a proposal; the approval names the version of the transfer that
//! was shown, so that nobody approves something else: however late it is carried out, it is about that
//! version. An action about a transfer is carried out under an idempotency key: a process that dies in
//! between leaves an action that can be approved once more and is still carried out once.

use std::collections::BTreeSet;

use kiungo_domain::transfer::{Deciding, Draft, Operation};
use kiungo_domain::{ProviderId, TransferId};
use kiungo_store::{Action, ActionId, ActionState, InboxId, Judgement, StoreError, Summary};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::engine::Engine;
use crate::holds::HELD_OPERATIONS;
use crate::inbox::hashed;
pub use crate::person_action::{ActionKind, PersonAction};
use crate::persons::ArrivalError;
use crate::request::{Caller, RequestError};

/// The client under whose name the idempotency keys of unkeyed actions are kept; no API key can have
/// a name with a blank.
const OWN_CLIENT: &str = "kiungo actions";

/// The number of times that an outcome is written down anew because somebody else wrote first.
const OUTCOME_TRIES: u32 = 5;

/// A request for an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAction {
    /// The action.
    pub action: PersonAction,
    /// The person: the name of the key used.
    pub by: String,
    /// The reason.
    pub why: String,
    /// The version of the transfer that the person saw; `None` if nothing depends on it.
    pub seen: Option<u64>,
    /// The key under which the same is done once.
    pub key: Option<Caller>,
}

/// An action that was carried out, or that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The action.
    pub action: Action,
    /// The transfer afterwards, where the action is about one and was carried out.
    pub transfer: Option<Summary>,
    /// The arrival that a claim became, or that was handled again or dismissed.
    pub arrival: Option<InboxId>,
    /// True if it had been asked for before under the same key; then nothing was done now.
    pub replayed: bool,
}

/// The reason why an action was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActError {
    /// The transfer does not allow it.
    #[error(transparent)]
    Transfer(#[from] RequestError),
    /// The arrival does not allow it.
    #[error(transparent)]
    Arrival(#[from] ArrivalError),
    /// The transfer has changed since the person saw it.
    #[error("transfer {transfer} is at version {now}, and not at {seen} as shown: look again")]
    Changed {
        /// The transfer.
        transfer: TransferId,
        /// The version that was shown.
        seen: u64,
        /// The version now.
        now: u64,
    },
    /// An approval of an action about a transfer names no version.
    #[error("the approval must name the version of transfer {0} that was shown")]
    Unseen(TransferId),
    /// The operation cannot be held as a whole.
    #[error("operation `{0}` is not one of a provider that can be held")]
    NotHoldable(&'static str),
    /// Nothing holds the operation.
    #[error("nothing holds `{operation}` of provider `{provider}`")]
    NotHeld {
        /// The provider.
        provider: ProviderId,
        /// The operation.
        operation: &'static str,
    },
    /// There is no such action.
    #[error("there is no action {0}")]
    NotFound(ActionId),
    /// The action cannot be approved or declined any more.
    #[error("action {id} is {}: it can be neither approved nor declined", .state.as_str())]
    NotOpen {
        /// The action.
        id: ActionId,
        /// Its state.
        state: ActionState,
    },
    /// The person who proposed it judges it.
    #[error("action {0} was proposed under the same name: a second person has to approve it")]
    SamePerson(ActionId),
    /// The key was used before with another content.
    #[error("the key was used before with another content, for action {0}")]
    KeyReused(ActionId),
    /// The same was asked for before, and could not be carried out.
    #[error("action {id} was {} before: {detail}", .state.as_str())]
    EndedBefore {
        /// The action.
        id: ActionId,
        /// Its state.
        state: ActionState,
        /// The outcome.
        detail: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActError {
    /// True if the database failed: nobody can tell if it was carried out.
    const fn is_of_store(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Transfer(RequestError::Store(_))
                | Self::Arrival(ArrivalError::Store(_))
        )
    }

    /// True if the same may succeed later.
    fn is_for_now(&self) -> bool {
        self.is_of_store() || matches!(self, Self::Transfer(RequestError::Busy(_)))
    }
}

/// Everything needed to carry an action out, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    action: PersonAction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Caller>,
    /// The version of the transfer that was seen by whoever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<u64>,
}

impl Content {
    /// The version of the transfer that the action is about: as it was shown to the person who
    /// approved it, or else to the one who asked.
    fn shown(&self, action: &Action) -> Option<u64> {
        action.judgement.as_ref().and_then(|judgement| judgement.seen).or(self.seen)
    }

    /// The key under which the action changes its transfer, once.
    fn key(&self, action: &Action) -> Caller {
        self.key.clone().unwrap_or_else(|| own_key(action.id))
    }
}

/// The outcome of carrying an action out.
#[derive(Default)]
struct Outcome {
    transfer: Option<Summary>,
    arrival: Option<InboxId>,
    detail: String,
}

impl Engine {
    /// Carries an action out, or writes it down as a proposal where a second person is needed. Under
    /// a key, the same is done once.
    ///
    /// # Errors
    /// Anything that does not allow it; then nothing is done.
    pub async fn act(&self, new: NewAction) -> Result<Acted, ActError> {
        let id = new.key.as_ref().map_or_else(|| self.fresh_id(), keyed_id);
        if new.key.is_some()
            && let Some(known) = self.store().action(id).await?
        {
            return self.again(known, &new).await;
        }
        self.possible(&new.action, new.seen).await?;
        let kind = new.action.kind();
        let needs_second = self.second_person().contains(&kind) || self.is_unproven(&new.action);
        let key = new.key.clone();
        let content = Content { action: new.action, key, seen: new.seen };
        let now = self.clock_now();
        let action = Action {
            id,
            version: 0,
            at: now,
            by: new.by,
            what: kind.as_str().to_owned(),
            subject: content.action.subject(),
            why: new.why,
            state: if needs_second { ActionState::Proposed } else { ActionState::Approved },
            content: write(&content)?,
            judgement: None,
            detail: String::new(),
            updated_at: now,
        };
        if !self.store().put_action(action.clone()).await? {
            // The same command was delivered twice at this moment; the other one carries it out.
            return Err(ActError::Store(StoreError::Unavailable(
                "the same action is being taken at this moment".to_owned(),
            )));
        }
        let action = Action { version: 1, ..action };
        if needs_second {
            return Ok(Acted { action, transfer: None, arrival: None, replayed: false });
        }
        self.carry_out(action, content).await
    }

    /// Approves an action that waits for a second person, and carries it out. An action about a
    /// transfer names the version that was shown.
    ///
    /// # Errors
    /// As for [`Engine::act`]; nobody approves what he proposed himself.
    pub async fn approve_action(
        &self,
        id: ActionId,
        by: &str,
        why: &str,
        seen: Option<u64>,
    ) -> Result<Acted, ActError> {
        let action = self.open_action(id).await?;
        let content = read(&action)?;
        if action.state == ActionState::Approved {
            return self.carry_out(action, content).await;
        }
        if action.by == by {
            return Err(ActError::SamePerson(id));
        }
        if let (Some(transfer), None) = (content.action.transfer(), seen) {
            return Err(ActError::Unseen(transfer));
        }
        self.possible(&content.action, seen).await?;
        let approved = self.judged(action, ActionState::Approved, by, why, seen).await?;
        self.carry_out(approved, content).await
    }

    /// Declines an action that waits for a second person. The person who proposed it may do so too.
    ///
    /// # Errors
    /// There is no such action, or it is not open any more.
    pub async fn decline_action(
        &self,
        id: ActionId,
        by: &str,
        why: &str,
    ) -> Result<Action, ActError> {
        let action = self.open_action(id).await?;
        if action.state == ActionState::Approved && self.is_carried_out(&action).await? {
            let detail = "it had been carried out before this was written down".to_owned();
            let state = ActionState::Done;
            self.write_outcome(Action { state, detail, updated_at: self.clock_now(), ..action })
                .await;
            return Err(ActError::NotOpen { id, state });
        }
        self.judged(action, ActionState::Declined, by, why, None).await
    }

    fn fresh_id(&self) -> ActionId {
        ActionId(*self.inner.ids.next().as_uuid())
    }

    fn second_person(&self) -> &BTreeSet<ActionKind> {
        &self.inner.options.second_person
    }

    /// True if nothing but the person's word proves what the action says about money: a payment whose
    /// amount its provider does not state (rule 3).
    fn is_unproven(&self, action: &PersonAction) -> bool {
        let PersonAction::Claim { provider, .. } = action else { return false };
        let port = self.inner.provider(provider);
        port.is_some_and(|port| !port.provider.capabilities().confirms_amounts)
    }

    async fn open_action(&self, id: ActionId) -> Result<Action, ActError> {
        let action = self.store().action(id).await?.ok_or(ActError::NotFound(id))?;
        if action.state.is_open() {
            return Ok(action);
        }
        Err(ActError::NotOpen { id, state: action.state })
    }

    /// Writes a judgement; whoever is quicker judges.
    async fn judged(
        &self,
        action: Action,
        state: ActionState,
        by: &str,
        why: &str,
        seen: Option<u64>,
    ) -> Result<Action, ActError> {
        let now = self.clock_now();
        let approved = state == ActionState::Approved;
        let judgement =
            Some(Judgement { at: now, by: by.to_owned(), approved, why: why.to_owned(), seen });
        let action = Action { state, judgement, updated_at: now, ..action };
        if self.store().put_action(action.clone()).await? {
            return Ok(Action { version: action.version + 1, ..action });
        }
        let now = self.store().action(action.id).await?.map_or(state, |known| known.state);
        Err(ActError::NotOpen { id: action.id, state: now })
    }

    /// An action under a key that was used before.
    async fn again(&self, known: Action, new: &NewAction) -> Result<Acted, ActError> {
        let content = read(&known)?;
        let digest = new.key.as_ref().map(|key| key.digest.as_str());
        if content.key.as_ref().map(|key| key.digest.as_str()) != digest {
            return Err(ActError::KeyReused(known.id));
        }
        match known.state {
            ActionState::Approved => self.carry_out(known, content).await,
            ActionState::Proposed | ActionState::Done => {
                let transfer = match content.action.transfer() {
                    Some(id) if known.state == ActionState::Done => {
                        self.store().summary(id).await?
                    }
                    _ => None,
                };
                Ok(Acted { action: known, transfer, arrival: None, replayed: true })
            }
            ActionState::Refused | ActionState::Declined => Err(ActError::EndedBefore {
                id: known.id,
                state: known.state,
                detail: known.detail,
            }),
        }
    }

    /// Checks that an action could be carried out now, and that the transfer is as it was shown.
    async fn possible(&self, action: &PersonAction, seen: Option<u64>) -> Result<(), ActError> {
        match action {
            PersonAction::Decide { transfer: id, .. }
            | PersonAction::Assign { transfer: id, .. }
            | PersonAction::Reverse { transfer: id } => {
                let transfer = self.store().transfer(*id).await?;
                let transfer = transfer.ok_or(RequestError::NotFound(*id))?;
                let now = transfer.version();
                if let Some(seen) = seen.filter(|seen| *seen != now) {
                    return Err(ActError::Changed { transfer: *id, seen, now });
                }
                let status = transfer.status().as_str();
                let who = Deciding { by: String::new(), approved_by: None, reason: String::new() };
                let change = self.change(action, who, &transfer.instruction().provider);
                let mut draft = Draft::resume(transfer, self.clock_now());
                change(&mut draft)
                    .map_err(|why| RequestError::Conflict { id: *id, status, why }.into())
            }
            PersonAction::Hold { provider, operation } => self.holdable(provider, *operation),
            PersonAction::Release { provider, operation } => {
                self.holdable(provider, *operation)?;
                let held = self.store().holds().await?;
                if held.iter().any(|it| it.provider == *provider && it.operation == *operation) {
                    return Ok(());
                }
                let (provider, operation) = (provider.clone(), operation.as_str());
                Err(ActError::NotHeld { provider, operation })
            }
            PersonAction::Claim { provider, claim } => Ok(self.claimable(provider, claim)?),
            PersonAction::HandleAgain { arrival } => {
                Ok(self.quarantined(*arrival).await.map(drop)?)
            }
            PersonAction::Dismiss { arrival } => Ok(self.dismissible(*arrival).await?),
        }
    }

    fn holdable(&self, provider: &ProviderId, operation: Operation) -> Result<(), ActError> {
        if self.inner.provider(provider).is_none() {
            return Err(ArrivalError::UnknownProvider(provider.clone()).into());
        }
        if HELD_OPERATIONS.contains(&operation) {
            return Ok(());
        }
        Err(ActError::NotHoldable(operation.as_str()))
    }

    /// The change of a transfer that an action is.
    fn change(
        &self,
        action: &PersonAction,
        who: Deciding,
        provider: &ProviderId,
    ) -> impl Fn(&mut Draft) -> Result<(), &'static str> + Send + use<> {
        let policy = self.inner.provider(provider).map(|port| port.rules.policy().clone());
        let action = action.clone();
        move |draft: &mut Draft| match &action {
            PersonAction::Decide { decision, .. } => {
                let policy = policy.as_ref().ok_or("its provider is no longer configured")?;
                let taken = draft.decide(decision, &who, policy);
                taken
                    .then_some(())
                    .ok_or("its state does not allow this; its `choices` say what it does")
            }
            PersonAction::Assign { account, .. } => {
                let taken = draft.assign(account.clone(), &who.by);
                taken.then_some(()).ok_or("only suspended money can be assigned")
            }
            PersonAction::Reverse { .. } => {
                let taken = draft.request_reversal(&who.by, &who.reason);
                taken.then_some(()).ok_or("only a completed or suspended transfer can be reversed")
            }
            PersonAction::Hold { .. }
            | PersonAction::Release { .. }
            | PersonAction::Claim { .. }
            | PersonAction::HandleAgain { .. }
            | PersonAction::Dismiss { .. } => Err("this is not about a transfer"),
        }
    }

    /// Carries out what may be carried out, and writes the outcome down.
    async fn carry_out(&self, action: Action, content: Content) -> Result<Acted, ActError> {
        let outcome = self.carried(&action, &content).await;
        let (state, detail) = match &outcome {
            Ok(outcome) => (ActionState::Done, outcome.detail.clone()),
            // Nobody can tell if it was carried out, or it is tried again: by the broker, or by
            // whoever approves it once more.
            Err(error)
                if error.is_of_store()
                    || error.is_for_now()
                        && (content.key.is_some() || action.judgement.is_some()) =>
            {
                (ActionState::Approved, error.to_string())
            }
            Err(error) => (ActionState::Refused, error.to_string()),
        };
        let action = Action { state, detail, updated_at: self.clock_now(), ..action };
        let action = self.write_outcome(action).await;
        outcome.map(|Outcome { transfer, arrival, .. }| Acted {
            action,
            transfer,
            arrival,
            replayed: false,
        })
    }

    /// Writes the outcome of an action down. What was carried out stays so whether or not this can be
    /// written: the same action under the same key finds it. It is written over whatever somebody
    /// else made of the action meanwhile, such as a refusal that came too late.
    async fn write_outcome(&self, mut action: Action) -> Action {
        for _ in 0..OUTCOME_TRIES {
            let known = match self.store().put_action(action.clone()).await {
                Ok(false) if action.state == ActionState::Done => {
                    self.store().action(action.id).await
                }
                Ok(_) => break,
                Err(error) => Err(error),
            };
            match known {
                Ok(Some(known)) if known.state != ActionState::Done => {
                    action.version = known.version;
                }
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(action = %action.id, error.message = %error, "the outcome of an action could not be written down");
                    break;
                }
            }
        }
        Action { version: action.version + 1, ..action }
    }

    /// True if an action about a transfer was carried out, whatever was written down of it.
    async fn is_carried_out(&self, action: &Action) -> Result<bool, ActError> {
        let Ok(content) = read(action) else { return Ok(false) };
        Ok(content.action.transfer().is_some() && self.is_done(&content.key(action)).await?)
    }

    /// True if a transfer was changed under this key.
    async fn is_done(&self, key: &Caller) -> Result<bool, StoreError> {
        let holder = self.store().key_holder(&key.client, &key.key).await?;
        Ok(holder.is_some_and(|holder| holder.digest == key.digest))
    }

    async fn carried(&self, action: &Action, content: &Content) -> Result<Outcome, ActError> {
        let (by, why) = (action.by.as_str(), action.why.as_str());
        match &content.action {
            PersonAction::Decide { transfer, .. }
            | PersonAction::Assign { transfer, .. }
            | PersonAction::Reverse { transfer } => {
                let summary = self.change_once(*transfer, action, content).await?;
                let detail = format!("the transfer is {}", summary.status.as_str());
                Ok(Outcome { transfer: Some(summary), detail, ..Outcome::default() })
            }
            PersonAction::Hold { provider, operation } => {
                self.hold_operation(provider, *operation, by, why).await?;
                Ok(Outcome::default())
            }
            PersonAction::Release { provider, operation } => {
                self.release_operation(provider, *operation).await?;
                Ok(Outcome::default())
            }
            PersonAction::Claim { provider, claim } => {
                let arrival = self.claim(provider, claim).await?;
                let detail = format!("it is arrival {arrival}");
                Ok(Outcome { arrival: Some(arrival), detail, ..Outcome::default() })
            }
            PersonAction::HandleAgain { arrival } => {
                self.handle_again(*arrival).await?;
                Ok(Outcome { arrival: Some(*arrival), ..Outcome::default() })
            }
            PersonAction::Dismiss { arrival } => {
                self.dismiss(*arrival, by, why).await?;
                Ok(Outcome { arrival: Some(*arrival), ..Outcome::default() })
            }
        }
    }

    /// Changes a transfer under the action's key: once, however often this is done.
    async fn change_once(
        &self,
        id: TransferId,
        action: &Action,
        content: &Content,
    ) -> Result<Summary, ActError> {
        let known = self.store().summary(id).await?.ok_or(RequestError::NotFound(id))?;
        let approved_by = action.judgement.as_ref().map(|judgement| judgement.by.clone());
        let who = Deciding { by: action.by.clone(), approved_by, reason: action.why.clone() };
        let change = self.change(&content.action, who, &known.provider);
        let shown = content.shown(action);
        let change = move |draft: &mut Draft| {
            let as_shown = shown.is_none_or(|shown| shown == draft.transfer().version());
            if as_shown { change(draft) } else { Err("it has changed since it was shown") }
        };
        let key = content.key(action);
        let changed = self.inner.exclusively(id, Some(key.clone()), change).await;
        let done_before = match &changed {
            Err(RequestError::KeyTaken(holder)) => holder.digest == key.digest,
            // The same action may have been quicker, and be why the state does not allow it; or the
            // store has done it, and its answer was lost.
            Err(RequestError::Conflict { .. } | RequestError::Busy(_) | RequestError::Store(_)) => {
                self.is_done(&key).await?
            }
            Ok(_) | Err(RequestError::NotFound(_) | RequestError::Shed { .. }) => false,
        };
        if done_before {
            return Ok(self.store().summary(id).await?.ok_or(RequestError::NotFound(id))?);
        }
        if let (Err(RequestError::Conflict { .. }), Some(seen)) = (&changed, shown) {
            let now = self.store().summary(id).await?.map_or(seen, |summary| summary.version);
            if now != seen {
                return Err(ActError::Changed { transfer: id, seen, now });
            }
        }
        Ok(changed?)
    }
}

fn own_key(id: ActionId) -> Caller {
    let (client, key) = (OWN_CLIENT.to_owned(), id.to_string());
    Caller { client, digest: key.clone(), key }
}

/// The id of the action that a client asks for under a key: always the same.
fn keyed_id(key: &Caller) -> ActionId {
    let digest = hashed(&[key.client.as_bytes(), key.key.as_bytes()]);
    // The digest is hexadecimal, and longer.
    let number = digest.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok());
    ActionId(uuid::Builder::from_custom_bytes(number.unwrap_or_default().to_be_bytes()).into_uuid())
}

fn write(content: &Content) -> Result<String, StoreError> {
    serde_json::to_string(content)
        .map_err(|error| StoreError::Corrupt(format!("an action cannot be written: {error}")))
}

fn read(action: &Action) -> Result<Content, StoreError> {
    serde_json::from_str(&action.content).map_err(|_| {
        StoreError::Corrupt(format!("the content of action {} cannot be read", action.id))
    })
}

/// The action that a stored action is; `None` for one that other tools wrote down.
pub fn stored_action(action: &Action) -> Option<PersonAction> {
    serde_json::from_str::<Content>(&action.content).ok().map(|content| content.action)
}
