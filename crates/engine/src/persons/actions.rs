//! Actions of persons: the one way in for everything that a person does by hand.
//!
//! An action is written down before it is carried out, with its reason. Where the configuration
//! asks for a second person, it waits as a proposal; the approval names the version of the transfer
//! that was shown, so that nobody approves something else: however late it is carried out, it is
//! about that version. An action about a transfer is carried out under an idempotency key: a
//! process that dies in between leaves an action that another one completes (`interrupted`), once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kiungo_core_banking::Comparison;
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Deciding, Operation, PersonDecision, TransferUpdate};
use kiungo_domain::{ProviderId, Transfer, TransferId};
use kiungo_store::{
    Action, ActionId, ActionQuery, ActionState, InboxId, Judgement, Records, StoreError, Summary,
};

use crate::clock::{Clock, Ids};
use crate::counterparties::holds::{HELD_OPERATIONS, Holds};
use crate::counterparties::operate;
use crate::counterparties::ports::Ports;
use crate::intake::arrivals::hashed;
use crate::persons::action_content::{Content, latest_alike};
use crate::persons::arrival_actions::{ArrivalActions, ArrivalError};
use crate::request::{Caller, RequestError};
use crate::run::changes::Changes;

pub use crate::person_action::{ActionKind, PersonAction};
pub use crate::persons::action_content::stored_action;
pub use crate::persons::action_request::{ActError, Acted, NewAction};

/// The time within which a core says if a transaction is the booking: a person waits for it.
const COMPARED_WITHIN: Duration = Duration::from_secs(10);

/// Open actions read at a time, and pages of them, to find a proposal that says the same: beyond
/// that a second one waits, which costs a person a look.
const PROPOSALS_PAGE: u32 = 500;
const PROPOSALS_PAGES_MAX: u32 = 4;

/// The number of times that an outcome is written again because another process wrote first.
const OUTCOME_TRIES: u32 = 5;

/// The outcome of carrying an action out.
#[derive(Default)]
struct Outcome {
    transfer: Option<Summary>,
    arrival: Option<InboxId>,
    detail: String,
}

/// Carries actions of persons out.
pub(crate) struct Actions {
    pub(crate) store: Arc<dyn Records>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) arrivals: Arc<ArrivalActions>,
    /// The actions that a second person has to approve.
    pub(crate) second_person: BTreeSet<ActionKind>,
}

impl Actions {
    /// Carries an action out, or writes it down as a proposal where a second person is needed.
    /// Under a key, the same is done once; the same proposal that waits already is the answer to
    /// the next.
    ///
    /// # Errors
    /// Anything that does not allow it; then nothing is done.
    pub(crate) async fn act(&self, new: NewAction) -> Result<Acted, ActError> {
        let id = new.key.as_ref().map_or_else(|| self.fresh_id(), keyed_id);
        if new.key.is_some()
            && let Some(known) = self.store.action(id).await?
        {
            return self.again(known, &new).await;
        }
        let seen = self.seen(&new.action, new.seen).await?;
        let version = self.possible(&new.action, seen).await?;
        let kind = new.action.kind();
        let needs_second = self.second_person.contains(&kind) || self.is_unproven(&new.action);
        if needs_second && let Some(action) = self.proposed_before(&new.action).await? {
            return Ok(Acted { action, transfer: None, arrival: None, replayed: true });
        }
        let key = new.key.clone();
        let content = Content { action: new.action, key, seen, version };
        let now = self.clock.now();
        let action = Action {
            id,
            version: 0,
            at: now,
            by: new.by,
            what: kind.as_str().to_owned(),
            subject: content.action.subject(),
            reason: new.reason,
            state: if needs_second { ActionState::Proposed } else { ActionState::Approved },
            content: content.write()?,
            judgement: None,
            detail: String::new(),
            updated_at: now,
        };
        if !self.store.put_action(action.clone()).await? {
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
    /// As for [`Actions::act`]; and the person who proposed an action cannot approve it.
    pub(crate) async fn approve(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
        seen: Option<u64>,
    ) -> Result<Acted, ActError> {
        let action = self.open_action(id).await?;
        let content = Content::read(&action)?;
        if action.state == ActionState::Approved {
            return self.carry_out(action, content).await;
        }
        if action.by == by {
            return Err(ActError::SamePerson(id));
        }
        if let (Some(transfer), None) = (content.action.transfer(), seen) {
            return Err(ActError::Unseen(transfer));
        }
        let seen = self.seen(&content.action, seen).await?;
        self.possible(&content.action, seen).await?;
        let approved = self.review(action, ActionState::Approved, by, reason, seen).await?;
        self.carry_out(approved, content).await
    }

    /// Declines an action that waits for a second person. The person who proposed it may do so too.
    /// An approved action stays approved.
    ///
    /// # Errors
    /// There is no such action, or it is not open any more.
    pub(crate) async fn decline(
        &self,
        id: ActionId,
        by: &str,
        reason: &str,
    ) -> Result<Action, ActError> {
        let action = self.open_action(id).await?;
        // An approved action is being carried out, or was.
        if action.state != ActionState::Proposed {
            return Err(ActError::NotOpen { id, state: action.state });
        }
        self.review(action, ActionState::Declined, by, reason, None).await
    }

    /// The version of its transfer that an action is about: the one that was shown, or a later one
    /// that tells nothing more.
    async fn seen(
        &self,
        action: &PersonAction,
        shown: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        match (action.transfer(), shown) {
            (Some(transfer), Some(shown)) => {
                Ok(Some(latest_alike(self.store.as_ref(), transfer, shown).await?))
            }
            (None, _) | (_, None) => Ok(shown),
        }
    }

    fn fresh_id(&self) -> ActionId {
        ActionId(*self.ids.next().as_uuid())
    }

    /// The proposal that says the same and waits: one approval is enough.
    async fn proposed_before(&self, action: &PersonAction) -> Result<Option<Action>, StoreError> {
        let subject = action.subject();
        let mut query = ActionQuery { open: true, cursor: None, limit: PROPOSALS_PAGE };
        for _ in 0..PROPOSALS_PAGES_MAX {
            let page = self.store.actions(&query).await?;
            let mut waiting = page
                .rows
                .into_iter()
                .filter(|known| known.state == ActionState::Proposed && known.subject == subject);
            let same = waiting.find(|known| stored_action(known).as_ref() == Some(action));
            query.cursor = page.next;
            if same.is_some() || query.cursor.is_none() {
                return Ok(same);
            }
        }
        Ok(None)
    }

    /// True if nothing but the person's word proves what the action says about money: a payment
    /// whose amount its provider does not state (rule 3).
    fn is_unproven(&self, action: &PersonAction) -> bool {
        let PersonAction::Claim { provider, .. } = action else { return false };
        let port = self.ports.provider(provider);
        port.is_some_and(|port| !port.provider.capabilities().confirms_amounts)
    }

    async fn open_action(&self, id: ActionId) -> Result<Action, ActError> {
        let action = self.store.action(id).await?.ok_or(ActError::NotFound(id))?;
        if action.state.is_open() {
            return Ok(action);
        }
        Err(ActError::NotOpen { id, state: action.state })
    }

    /// Writes a second person's decision; the first of several to be written counts.
    async fn review(
        &self,
        action: Action,
        state: ActionState,
        by: &str,
        reason: &str,
        seen: Option<u64>,
    ) -> Result<Action, ActError> {
        let now = self.clock.now();
        let approved = state == ActionState::Approved;
        let judgement = Some(Judgement {
            at: now,
            by: by.to_owned(),
            approved,
            reason: reason.to_owned(),
            seen,
        });
        let action = Action { state, judgement, updated_at: now, ..action };
        if self.store.put_action(action.clone()).await? {
            return Ok(Action { version: action.version + 1, ..action });
        }
        let now = self.store.action(action.id).await?.map_or(state, |known| known.state);
        Err(ActError::NotOpen { id: action.id, state: now })
    }

    /// An action under a key that was used before.
    async fn again(&self, known: Action, new: &NewAction) -> Result<Acted, ActError> {
        let content = Content::read(&known)?;
        let digest = new.key.as_ref().map(|key| key.digest.as_str());
        if content.key.as_ref().map(|key| key.digest.as_str()) != digest {
            return Err(ActError::KeyReused(known.id));
        }
        match known.state {
            ActionState::Approved => self.carry_out(known, content).await,
            ActionState::Proposed | ActionState::Done => {
                let transfer = match content.action.transfer() {
                    Some(id) if known.state == ActionState::Done => self.store.summary(id).await?,
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

    /// Checks that an action could be carried out now, and that the transfer is as it was shown;
    /// the version of the transfer, where it is about one.
    async fn possible(
        &self,
        action: &PersonAction,
        seen: Option<u64>,
    ) -> Result<Option<u64>, ActError> {
        match action {
            PersonAction::Decide { transfer: id, .. }
            | PersonAction::Assign { transfer: id, .. }
            | PersonAction::Reverse { transfer: id } => {
                let transfer = self.store.transfer(*id).await?;
                let transfer = transfer.ok_or(RequestError::NotFound(*id))?;
                let now = transfer.version();
                if let Some(seen) = seen.filter(|seen| *seen != now) {
                    return Err(ActError::Changed { transfer: *id, seen, now });
                }
                let status = transfer.status().as_str();
                let who = Deciding { by: String::new(), approved_by: None, reason: String::new() };
                let change = self.change(action, who, &transfer.instruction().provider);
                let mut update = TransferUpdate::resume(transfer.clone(), self.clock.now());
                change(&mut update).map_err(|why| RequestError::Conflict {
                    id: *id,
                    status,
                    why,
                })?;
                self.is_the_booking(action, &transfer).await?;
                return Ok(Some(now));
            }
            PersonAction::Hold { provider, operation } => self.holdable(provider, *operation)?,
            PersonAction::Release { provider, operation } => {
                self.holdable(provider, *operation)?;
                let held = self.store.holds().await?;
                if !held.iter().any(|it| it.provider == *provider && it.operation == *operation) {
                    let (provider, operation) = (provider.clone(), operation.as_str());
                    return Err(ActError::NotHeld { provider, operation });
                }
            }
            PersonAction::Claim { provider, claim } => self.arrivals.claimable(provider, claim)?,
            PersonAction::HandleAgain { arrival } => {
                drop(self.arrivals.quarantined(*arrival).await?);
            }
            PersonAction::Dismiss { arrival } => self.arrivals.dismissible(*arrival).await?,
        }
        Ok(None)
    }

    /// Asks the core whether the transaction that a person names is the booking. A later undo would
    /// take back whatever transaction has that id. A core that does not answer does not prevent the
    /// proposal: the id is checked once more before anything is undone.
    async fn is_the_booking(
        &self,
        action: &PersonAction,
        transfer: &Transfer,
    ) -> Result<(), ActError> {
        let PersonAction::Decide {
            decision: PersonDecision::AcceptExecuted { step, confirmation },
            ..
        } = action
        else {
            return Ok(());
        };
        if transfer.operation(*step).side() != Side::Core {
            return Ok(());
        }
        let Some(throttle) = self.ports.throttle(transfer, Side::Core) else { return Ok(()) };
        let asked = async {
            let permit = throttle.enter().await.ok()?;
            let now = self.clock.now();
            let compared =
                operate::compare(&self.ports, transfer, *step, &confirmation.receipt, now).await;
            permit.report(!matches!(compared, Some(Comparison::Unclear { .. })));
            compared
        };
        match tokio::time::timeout(COMPARED_WITHIN, asked).await {
            Ok(Some(Comparison::Another { why })) => {
                Err(ActError::AnotherTransaction { transfer: transfer.id(), why })
            }
            Ok(Some(Comparison::Unclear { why })) => {
                tracing::warn!(transfer = %transfer.id(), %why, "a transaction that a person names cannot be looked at");
                Ok(())
            }
            Ok(Some(Comparison::Same) | None) | Err(_) => Ok(()),
        }
    }

    fn holdable(&self, provider: &ProviderId, operation: Operation) -> Result<(), ActError> {
        if self.ports.provider(provider).is_none() {
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
    ) -> impl Fn(&mut TransferUpdate) -> Result<(), &'static str> + Send + use<> {
        let policy = self.ports.provider(provider).map(|port| port.rules.policy().clone());
        let action = action.clone();
        move |update: &mut TransferUpdate| match &action {
            PersonAction::Decide { decision, .. } => {
                let policy = policy.as_ref().ok_or("its provider is no longer configured")?;
                let taken = update.decide(decision, &who, policy);
                taken.then_some(()).ok_or_else(|| update.transfer().why_refused(decision))
            }
            PersonAction::Assign { account, .. } => {
                let taken = update.assign(account.clone(), &who.by);
                taken.then_some(()).ok_or("only suspended money can be assigned")
            }
            PersonAction::Reverse { .. } => {
                let taken = update.request_reversal(&who.by, &who.reason);
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
        // It is tried again by the broker, or was promised to two persons.
        let again = content.key.is_some() || action.judgement.is_some();
        let content = Content { seen: content.shown(&action), ..content };
        self.carry_out_or_keep(action, content, again).await
    }

    /// The same about the version that the content names; what may succeed later stays approved if
    /// it is to be tried `again`.
    pub(crate) async fn carry_out_or_keep(
        &self,
        action: Action,
        content: Content,
        again: bool,
    ) -> Result<Acted, ActError> {
        let outcome = self.carried(&action, &content).await;
        let (state, detail) = match &outcome {
            Ok(outcome) => (ActionState::Done, outcome.detail.clone()),
            // It is unknown if the action was carried out, or it is tried again.
            Err(error) if error.is_of_store() || error.is_for_now() && again => {
                (ActionState::Approved, error.to_string())
            }
            Err(error) => (ActionState::Refused, error.to_string()),
        };
        let action = Action { state, detail, updated_at: self.clock.now(), ..action };
        let action = self.write_outcome(action).await;
        outcome.map(|Outcome { transfer, arrival, .. }| Acted {
            action,
            transfer,
            arrival,
            replayed: false,
        })
    }

    /// Writes the outcome of an action down. If this fails, the action stays carried out: the same
    /// action under the same key finds it. The outcome replaces any change that came meanwhile,
    /// such as a decline that was too late.
    async fn write_outcome(&self, mut action: Action) -> Action {
        for _ in 0..OUTCOME_TRIES {
            let known = match self.store.put_action(action.clone()).await {
                Ok(false) if action.state == ActionState::Done => {
                    self.store.action(action.id).await
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

    /// True if a transfer was changed under this key.
    async fn is_done(&self, key: &Caller) -> Result<bool, StoreError> {
        let holder = self.store.key_holder(&key.client, &key.key).await?;
        Ok(holder.is_some_and(|holder| holder.digest == key.digest))
    }

    async fn carried(&self, action: &Action, content: &Content) -> Result<Outcome, ActError> {
        let (by, reason) = (action.by.as_str(), action.reason.as_str());
        match &content.action {
            PersonAction::Decide { transfer, .. }
            | PersonAction::Assign { transfer, .. }
            | PersonAction::Reverse { transfer } => {
                let summary = self.change_once(*transfer, action, content).await?;
                let detail = format!("the transfer is {}", summary.status.as_str());
                Ok(Outcome { transfer: Some(summary), detail, ..Outcome::default() })
            }
            PersonAction::Hold { provider, operation } => {
                self.holds.hold(provider, *operation, by, reason).await?;
                Ok(Outcome::default())
            }
            PersonAction::Release { provider, operation } => {
                self.holds.release(provider, *operation).await?;
                Ok(Outcome::default())
            }
            PersonAction::Claim { provider, claim } => {
                let arrival = self.arrivals.claim(provider, claim).await?;
                let detail = format!("it is arrival {arrival}");
                Ok(Outcome { arrival: Some(arrival), detail, ..Outcome::default() })
            }
            PersonAction::HandleAgain { arrival } => {
                self.arrivals.handle_again(*arrival).await?;
                Ok(Outcome { arrival: Some(*arrival), ..Outcome::default() })
            }
            PersonAction::Dismiss { arrival } => {
                self.arrivals.dismiss(*arrival, by, reason).await?;
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
        let known = self.store.summary(id).await?.ok_or(RequestError::NotFound(id))?;
        let approved_by = action.judgement.as_ref().map(|judgement| judgement.by.clone());
        let who = Deciding { by: action.by.clone(), approved_by, reason: action.reason.clone() };
        let change = self.change(&content.action, who, &known.provider);
        let shown = content.seen;
        let change = move |update: &mut TransferUpdate| {
            let as_shown = shown.is_none_or(|shown| shown == update.transfer().version());
            if as_shown { change(update) } else { Err("it has changed since it was shown") }
        };
        let key = content.key(action);
        let changed = self.changes.exclusively(id, Some(key.clone()), change).await;
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
            return Ok(self.store.summary(id).await?.ok_or(RequestError::NotFound(id))?);
        }
        if let (Err(RequestError::Conflict { .. }), Some(seen)) = (&changed, shown) {
            let now = self.store.summary(id).await?.map_or(seen, |summary| summary.version);
            if now != seen {
                return Err(ActError::Changed { transfer: id, seen, now });
            }
        }
        Ok(changed?)
    }
}

/// The id of the action that a client asks for under a key: always the same.
fn keyed_id(key: &Caller) -> ActionId {
    let digest = hashed(&[key.client.as_bytes(), key.key.as_bytes()]);
    // The digest is hexadecimal, and longer.
    let number = digest.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok());
    ActionId(uuid::Builder::from_custom_bytes(number.unwrap_or_default().to_be_bytes()).into_uuid())
}
