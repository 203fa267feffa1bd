//! The one place that says if a request is in a key's scope.

use kiungo_domain::{AccountRef, CoreId, Kind, ProviderId, TransferId};
use kiungo_engine::actions::{PersonAction, stored_action};
use kiungo_engine::request::{NewTransfer, ProviderStatus, RequestError};
use kiungo_engine::requests::{Content, DecideError};
use kiungo_engine::{ActError, ArrivalError};
use kiungo_store::{ActionId, CoreRequestRow, InboxId};

use super::{Matter, OutOfScope, Scope};
use crate::problem::{Code, MemberError, Problem};
use crate::service::Service;

/// The subject of a request. An object outside the scope is answered as one that does not exist. So
/// single objects and lists agree, and no client learns about others' objects. A thing that is seen
/// and not permitted is refused with the reason.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    /// A transfer that is wanted.
    New(&'a NewTransfer),
    /// A transfer.
    Transfer(TransferId, Intent),
    /// A transfer in suspense, and the account that it is to be booked on, which says its kind.
    Assignment(TransferId, &'a AccountRef),
    /// A provider.
    Provider(&'a ProviderId, Intent),
    /// A payment to a provider that is to be brought in, whose kind is not known yet.
    Claim(&'a ProviderId, Intent),
    /// An arrival from a provider that fits no transfer yet.
    Arrival(InboxId, Intent),
    /// An action of a person: whatever it is about.
    Action(ActionId, Intent),
    /// A request of a core.
    CoreRequest(&'a CoreId, &'a str, Intent),
    /// Numbers about everything.
    Everything,
}

impl<'a> About<'a> {
    /// The thing that an action of a person is about.
    pub fn of_action(action: &'a PersonAction, intent: Intent) -> Self {
        match action {
            PersonAction::Assign { transfer, account } if intent == Intent::Move => {
                Self::Assignment(*transfer, account)
            }
            PersonAction::Decide { transfer, .. }
            | PersonAction::Assign { transfer, .. }
            | PersonAction::Reverse { transfer } => Self::Transfer(*transfer, intent),
            PersonAction::Hold { provider, .. } | PersonAction::Release { provider, .. } => {
                Self::Provider(provider, intent)
            }
            PersonAction::Claim { provider, .. } => Self::Claim(provider, intent),
            PersonAction::HandleAgain { arrival } | PersonAction::Dismiss { arrival } => {
                Self::Arrival(*arrival, intent)
            }
        }
    }
}

/// The intent with which it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// The object is read.
    See,
    /// Money is moved, or the object is decided about.
    Move,
}

impl Scope {
    /// Refuses requests that are out of scope. A thing that does not exist is let through: the part
    /// that carries the request out says so.
    ///
    /// # Errors
    /// As if it did not exist, or [`Code::Forbidden`]; or that the database does not answer.
    pub async fn check(&self, service: &dyn Service, about: About<'_>) -> Result<(), Problem> {
        if self.is_everything() {
            return Ok(());
        }
        match about {
            About::New(new) => self.new_transfer(service, new),
            About::Transfer(id, intent) => self.transfer(service, id, intent, None).await,
            About::Assignment(id, account) => {
                let kind = account.kind.map(Kind::inbound_for);
                self.transfer(service, id, Intent::Move, kind).await
            }
            About::Provider(id, intent) | About::Claim(id, intent) => {
                let Some(provider) = find(service, id) else { return Ok(()) };
                let seen = match about {
                    About::Claim(..) => self.sees_payment(&provider),
                    _ => self.sees_provider(&provider),
                };
                seen.map_err(|_| no_provider(id))?;
                match intent {
                    Intent::See => Ok(()),
                    Intent::Move => self.permits_provider(&provider).map_err(forbidden),
                }
            }
            About::Arrival(id, intent) => self.arrival(service, id, intent).await,
            About::Action(id, intent) => self.action(service, id, intent).await,
            About::CoreRequest(core, request, intent) => {
                let row = service.store().core_request(core, request).await?;
                let Some(row) = row else { return Ok(()) };
                self.core_request(&row, intent)
            }
            About::Everything => {
                let why = "this key is bound to a part, and this is about everything";
                Err(Problem::new(Code::Forbidden, why))
            }
        }
    }

    async fn arrival(
        &self,
        service: &dyn Service,
        id: InboxId,
        intent: Intent,
    ) -> Result<(), Problem> {
        let Some(item) = service.store().inbox_item(id).await? else { return Ok(()) };
        let hidden = || Problem::from(ArrivalError::NotFound(id));
        // It may be of a provider that is no longer configured, and is hidden then.
        let provider = find(service, &item.provider).ok_or_else(hidden)?;
        self.sees_arrival(&provider).map_err(|_| hidden())?;
        match intent {
            Intent::See => Ok(()),
            Intent::Move => self.permits_provider(&provider).map_err(forbidden),
        }
    }

    async fn action(
        &self,
        service: &dyn Service,
        id: ActionId,
        intent: Intent,
    ) -> Result<(), Problem> {
        let Some(action) = service.store().action(id).await? else { return Ok(()) };
        let hidden = || Problem::from(ActError::NotFound(id));
        // An action of another tool is about everything.
        let action = stored_action(&action).ok_or_else(hidden)?;
        let about = About::of_action(&action, intent);
        // As for an arrival: the scope of a provider that is no longer configured is unknown.
        if let About::Provider(id, _) | About::Claim(id, _) = about
            && find(service, id).is_none()
        {
            return Err(hidden());
        }
        let checked = Box::pin(self.check(service, about)).await;
        checked.map_err(|problem| match problem.code() {
            Code::TransferNotFound | Code::ProviderNotFound | Code::ArrivalNotFound => hidden(),
            _ => problem,
        })
    }

    /// Says if this action can be seen.
    pub(super) async fn sees_action(
        &self,
        service: &dyn Service,
        id: ActionId,
    ) -> Result<bool, Problem> {
        match self.check(service, About::Action(id, Intent::See)).await {
            Ok(()) => Ok(true),
            Err(problem) if problem.code() == Code::ActionNotFound => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    /// Says if this request of a core can be seen.
    pub(super) fn sees_core_request(&self, row: &CoreRequestRow) -> Result<bool, Problem> {
        let seen = self.core_request(row, Intent::See);
        match seen {
            Ok(()) => Ok(true),
            Err(problem) if problem.code() == Code::CoreRequestNotFound => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    fn new_transfer(&self, service: &dyn Service, new: &NewTransfer) -> Result<(), Problem> {
        let refused = |out: OutOfScope| {
            let place = match &out {
                OutOfScope::Core(_) => "/core",
                OutOfScope::Kind(_) => "/kind",
                OutOfScope::Amount { .. } => "/amount",
                OutOfScope::Currency(_) => "/currency",
                OutOfScope::Provider(_) | OutOfScope::Whole => "/provider",
            };
            let why = out.to_string();
            forbidden(out).error(MemberError::member(place, why))
        };
        let own = || find(service, &new.provider).map(|provider| provider.core);
        self.sees_provider_named(&new.provider).map_err(refused)?;
        // There is no such core or provider: the engine says so to a client that may name it.
        if let Some(core) = new.core.clone().or_else(own) {
            self.sees_core(&core).map_err(refused)?;
        }
        self.sees_kind(new.kind).map_err(refused)?;
        self.permits_amount(new.amount).map_err(refused)
    }

    async fn transfer(
        &self,
        service: &dyn Service,
        id: TransferId,
        intent: Intent,
        becomes: Option<Kind>,
    ) -> Result<(), Problem> {
        let Some(summary) = service.store().summary(id).await? else { return Ok(()) };
        let matter = Matter::of(&summary);
        self.sees(&matter).map_err(|_| Problem::from(RequestError::NotFound(id)))?;
        if intent == Intent::Move {
            let kind = becomes.unwrap_or(matter.kind);
            self.permits(&Matter { kind, ..matter }).map_err(forbidden)?;
        }
        Ok(())
    }

    fn core_request(&self, row: &CoreRequestRow, intent: Intent) -> Result<(), Problem> {
        let content = Content::read(row)?;
        let hidden = || {
            let (core, request) = (row.core.clone(), row.request.clone());
            Problem::from(DecideError::NotFound { core, request })
        };
        let kind = content.kind.transfer();
        self.sees_core(&row.core).and_then(|()| self.sees_kind(kind)).map_err(|_| hidden())?;
        match &content.provider {
            Some(provider) => self.sees_provider_named(provider).map_err(|_| hidden())?,
            // The provider that would pay it is unknown, so only clients that see all providers see
            // it.
            None if self.providers.is_some() => return Err(hidden()),
            None => {}
        }
        match intent {
            Intent::See => Ok(()),
            Intent::Move => self.permits_amount(content.amount).map_err(forbidden),
        }
    }
}

fn find(service: &dyn Service, id: &ProviderId) -> Option<ProviderStatus> {
    service.providers().into_iter().find(|provider| provider.id == *id)
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn forbidden(out: OutOfScope) -> Problem {
    Problem::new(Code::Forbidden, out.to_string())
}

/// The answer for a provider that is not there.
pub fn no_provider(id: &ProviderId) -> Problem {
    Problem::new(Code::ProviderNotFound, format!("no provider `{id}` is configured"))
}
