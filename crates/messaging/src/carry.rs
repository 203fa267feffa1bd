//! Carrying out one command, once.

use kiungo_domain::TransferId;
use kiungo_engine::request::{Caller, RequestError};
use kiungo_server::problem::{Code, Problem};
use kiungo_server::{Scope, Service};
use kiungo_store::KeyHolder;

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
    /// What it asks for.
    pub(crate) request: Request,
}

/// What it asks for is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    /// The transfer that it made, or is about.
    pub(crate) transfer: TransferId,
    /// Whether that had happened before.
    pub(crate) replayed: bool,
}

/// Whether trying again later may end otherwise. What is durable by then is found again by its key.
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
        if let Err(refused) = self.scope.judge(service, self.request.about()).await {
            // What was carried out before is answered as it was then.
            return self.earlier(service).await?.ok_or(refused);
        }
        match &self.request {
            Request::Create(new) => {
                let submitted = service.submit((**new).clone(), self.caller()).await?;
                Ok(Done { transfer: submitted.first.id, replayed: submitted.replayed })
            }
            // Asking twice moves nothing, so it needs no key.
            Request::Inquire(transfer) => {
                service.inquire_now(*transfer, &self.client).await?;
                Ok(Done { transfer: *transfer, replayed: false })
            }
            Request::Reverse { .. } | Request::Assign { .. } => self.change(service).await,
        }
    }

    /// Changes a transfer, unless this command already has.
    async fn change(&self, service: &dyn Service) -> Result<Done, Problem> {
        if let Some(done) = self.earlier(service).await? {
            return Ok(done);
        }
        let (client, key) = (&self.client, Some(self.caller()));
        let changed = match &self.request {
            Request::Reverse { transfer, reason } => {
                service.request_reversal(*transfer, client, reason, key).await
            }
            Request::Assign { transfer, account } => {
                service.assign(*transfer, account.clone(), client, key).await
            }
            Request::Create(_) | Request::Inquire(_) => {
                return Err(Problem::new(Code::Internal, "this command changes no transfer"));
            }
        };
        match changed {
            Ok(summary) => Ok(Done { transfer: summary.id, replayed: false }),
            Err(RequestError::KeyTaken(holder)) => self.judge(holder),
            // The same command may have been quicker, and is why the state does not allow it.
            Err(error @ RequestError::Conflict { .. }) => {
                self.earlier(service).await?.ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What this command came to, if it was carried out before.
    async fn earlier(&self, service: &dyn Service) -> Result<Option<Done>, Problem> {
        let holder = service.store().key_holder(&self.client, &self.id).await?;
        holder.map(|holder| self.judge(holder)).transpose()
    }

    fn judge(&self, holder: KeyHolder) -> Result<Done, Problem> {
        if holder.digest == self.request.digest() {
            Ok(Done { transfer: holder.transfer, replayed: true })
        } else {
            Err(RequestError::KeyTaken(holder).into())
        }
    }

    fn caller(&self) -> Caller {
        let (client, key) = (self.client.clone(), self.id.clone());
        Caller { client, key, digest: self.request.digest() }
    }
}
