//! Carrying out one command, once.

use kiungo_api::problem::{Code, Problem};
use kiungo_api::{Scope, Service};
use kiungo_domain::TransferId;
use kiungo_engine::request::{Caller, RequestError};
use kiungo_engine::{ActError, Acted, NewAction, PersonAction};
use kiungo_store::{Action, ActionId, ActionState, KeyHolder};

use crate::command::{CommandType, Request};

/// A command that may be carried out.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Its id: the idempotency key, within its client.
    pub(crate) id: String,
    /// Its type.
    pub(crate) kind: CommandType,
    /// The name of the client that sent it.
    pub(crate) client: String,
    /// The part of the business that the client may move.
    pub(crate) scope: Scope,
    /// Its content.
    pub(crate) request: Request,
}

/// The outcome of a command: it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    /// The transfer that it made, or is about.
    pub(crate) transfer: Option<TransferId>,
    /// The action of a person that it is, with its state.
    pub(crate) action: Option<(ActionId, ActionState)>,
    /// True if that had happened before.
    pub(crate) replayed: bool,
}

/// True if trying again later may end otherwise. A change that is durable by then is found again by
/// its key.
pub(crate) const fn for_now(code: Code) -> bool {
    matches!(
        code,
        Code::BacklogFull
            | Code::NotReady
            | Code::StoreUnavailable
            | Code::TransferBusy
            | Code::Overloaded
            | Code::RequestTimeout
            | Code::Internal
    )
}

impl Order {
    /// Carries it out. May be dropped at any moment, and tried again.
    pub(crate) async fn carry_out(&self, service: &dyn Service) -> Result<Done, Problem> {
        if let Err(refused) = self.scope.check(service, self.request.about()).await {
            // A command that was carried out before is answered as it was then.
            return self.earlier(service).await?.ok_or(refused);
        }
        if let Some(named) = self.request.named() {
            named.check(service).await?;
        }
        match &self.request {
            Request::Create(new) => {
                let submitted = service.submit((**new).clone(), self.caller()).await?;
                Ok(Done::about(submitted.first.id, submitted.replayed))
            }
            // Asking twice moves nothing, so it needs no key.
            Request::Inquire(named) => {
                service.inquire_now(named.id(), &self.client).await?;
                Ok(Done::about(named.id(), false))
            }
            Request::Act { action, reason, seen, .. } => {
                self.act(service, action, reason, *seen).await
            }
            Request::Review { action, approved: true, reason, seen } => {
                match service.approve_action(*action, &self.client, reason, *seen).await {
                    Ok(acted) => Ok(Done::acted(&acted)),
                    Err(error) => self.reviewed_before(service, *action, true, error).await,
                }
            }
            Request::Review { action, approved: false, reason, .. } => {
                match service.decline_action(*action, &self.client, reason).await {
                    Ok(declined) => Ok(Done::reviewed(&declined, false)),
                    Err(error) => self.reviewed_before(service, *action, false, error).await,
                }
            }
        }
    }

    /// Has an action carried out, unless this command already has.
    async fn act(
        &self,
        service: &dyn Service,
        action: &PersonAction,
        reason: &str,
        seen: Option<u64>,
    ) -> Result<Done, Problem> {
        if action.transfer().is_some()
            && let Some(done) = self.earlier(service).await?
        {
            return Ok(done);
        }
        let new = NewAction {
            action: action.clone(),
            by: self.client.clone(),
            reason: reason.to_owned(),
            seen,
            key: Some(self.caller()),
        };
        match service.act(new).await {
            Ok(acted) => Ok(Done::acted(&acted)),
            Err(ActError::Transfer(RequestError::KeyTaken(holder))) => self.replay_of(holder),
            // The same command may have been quicker, and is why the state does not allow it.
            Err(error @ ActError::Transfer(RequestError::Conflict { .. })) => {
                self.earlier(service).await?.ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The command may have been delivered before: then the action bears this client's judgement.
    async fn reviewed_before(
        &self,
        service: &dyn Service,
        id: ActionId,
        approved: bool,
        error: ActError,
    ) -> Result<Done, Problem> {
        if let ActError::NotOpen { .. } = error
            && let Some(action) = service.store().action(id).await?
            && let Some(judgement) = &action.judgement
            && judgement.by == self.client
            && judgement.approved == approved
        {
            return Ok(Done::reviewed(&action, true));
        }
        Err(error.into())
    }

    /// The outcome of this command, if it was carried out before.
    async fn earlier(&self, service: &dyn Service) -> Result<Option<Done>, Problem> {
        let holder = service.store().key_holder(&self.client, &self.id).await?;
        holder.map(|holder| self.replay_of(holder)).transpose()
    }

    fn replay_of(&self, holder: KeyHolder) -> Result<Done, Problem> {
        if holder.digest == self.request.digest() {
            Ok(Done::about(holder.transfer, true))
        } else {
            Err(RequestError::KeyTaken(holder).into())
        }
    }

    fn caller(&self) -> Caller {
        let (client, key) = (self.client.clone(), self.id.clone());
        Caller { client, key, digest: self.request.digest() }
    }
}

impl Done {
    const fn about(transfer: TransferId, replayed: bool) -> Self {
        Self { transfer: Some(transfer), action: None, replayed }
    }

    fn acted(acted: &Acted) -> Self {
        let transfer = acted.transfer.as_ref().map(|summary| summary.id);
        let action = Some((acted.action.id, acted.action.state));
        Self { transfer, action, replayed: acted.replayed }
    }

    const fn reviewed(action: &Action, replayed: bool) -> Self {
        Self { transfer: None, action: Some((action.id, action.state)), replayed }
    }
}
