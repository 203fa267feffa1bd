//! Turns the errors of the engine, the store and the adapters into problems.

use std::time::Duration;

use kiungo_domain::outcome::Reason;
use kiungo_domain::policy::Side;
use kiungo_engine::request::{AskError, RequestError, SubmitError};
use kiungo_engine::requests::DecideError;
use kiungo_engine::{ActError, ArrivalError};
use kiungo_provider::ReadError;
use kiungo_store::StoreError;

use super::{Code, MemberError, Problem};
use crate::wire::words;

/// The wait that is advised if nothing more exact is known: a restart or a database's failover
/// takes seconds.
const SHORTLY: Duration = Duration::from_secs(2);

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let detail = error.to_string();
        match error {
            SubmitError::UnknownProvider(_) => Self::new(Code::UnknownProvider, &detail)
                .error(MemberError::member("/provider", detail)),
            SubmitError::UnknownCore(_) => {
                Self::new(Code::UnknownCore, &detail).error(MemberError::member("/core", detail))
            }
            SubmitError::Rejected(rejection) => {
                let problem = Self::new(Code::TransferRefused, &detail)
                    .reason(words::reason(rejection.reason))
                    .refused_by(rejection.code);
                match rejection.reason {
                    Reason::AmountNotAllowed | Reason::LimitExceeded => {
                        problem.error(MemberError::member("/amount", detail))
                    }
                    _ => problem,
                }
            }
            SubmitError::Wallet(_) => Self::new(Code::TransferRefused, &detail)
                .reason(words::reason(Reason::AccountNotFound))
                .error(MemberError::member("/msisdn", detail)),
            SubmitError::KeyReused(id) => {
                Self::new(Code::IdempotencyKeyReused, detail).transfer(id)
            }
            SubmitError::Busy { retry_after } => {
                Self::new(Code::BacklogFull, detail).retry_after(retry_after)
            }
            SubmitError::Stopping => Self::new(Code::NotReady, detail).retry_after(SHORTLY),
            SubmitError::Store(error) => error.into(),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let detail = error.to_string();
        match error {
            RequestError::NotFound(_) => Self::new(Code::TransferNotFound, detail),
            RequestError::Conflict { id, .. } => Self::new(Code::Conflict, detail).transfer(id),
            RequestError::KeyTaken(holder) => {
                Self::new(Code::IdempotencyKeyReused, detail).transfer(holder.transfer)
            }
            RequestError::Busy(id) => Self::new(Code::TransferBusy, detail)
                .transfer(id)
                .retry_after(Duration::from_secs(1)),
            RequestError::Shed { side, retry_after } => {
                let code = match side {
                    Side::Wallet => Code::ProviderBusy,
                    Side::Core => Code::CoreBusy,
                };
                Self::new(code, detail).retry_after(retry_after)
            }
            RequestError::Store(error) => error.into(),
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let detail = error.to_string();
        match error {
            ActError::Transfer(error) => error.into(),
            ActError::Arrival(error) => error.into(),
            ActError::Store(error) => error.into(),
            ActError::Changed { transfer, .. } => {
                Self::new(Code::Changed, detail).transfer(transfer)
            }
            ActError::AnotherTransaction { transfer, .. } => {
                Self::new(Code::Conflict, detail).transfer(transfer)
            }
            ActError::Unseen(transfer) => {
                Self::invalid(vec![MemberError::member("/version", detail)]).transfer(transfer)
            }
            ActError::NotHoldable(_) => {
                Self::invalid(vec![MemberError::member("/operation", detail)])
            }
            ActError::NotFound(_) => Self::new(Code::ActionNotFound, detail),
            ActError::KeyReused(_) => Self::new(Code::IdempotencyKeyReused, detail),
            ActError::NotHeld { .. }
            | ActError::NotOpen { .. }
            | ActError::SamePerson(_)
            | ActError::EndedBefore { .. } => Self::new(Code::ActionConflict, detail),
        }
    }
}

impl From<ArrivalError> for Problem {
    fn from(error: ArrivalError) -> Self {
        let detail = error.to_string();
        match error {
            ArrivalError::UnknownProvider(_) => Self::new(Code::ProviderNotFound, detail),
            ArrivalError::NotAskable(_) => Self::new(Code::NotOffered, detail),
            ArrivalError::ForeignCurrency { .. } => Self::new(Code::InvalidRequest, detail.clone())
                .error(MemberError::member("/currency", detail)),
            ArrivalError::NotFound(_) => Self::new(Code::ArrivalNotFound, detail),
            ArrivalError::NotQuarantined(_) => Self::new(Code::ActionConflict, detail),
            ArrivalError::Store(error) => error.into(),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let detail = error.to_string();
        match error {
            AskError::Shed { retry_after } => {
                Self::new(Code::ProviderBusy, detail).retry_after(retry_after)
            }
            AskError::Read(error) => error.into(),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        let detail = error.to_string();
        match error {
            DecideError::NotFound { .. } => Self::new(Code::CoreRequestNotFound, detail),
            DecideError::Conflict(_) => Self::new(Code::CoreRequestConflict, detail),
            DecideError::Outdated { current, .. } => {
                Self::new(Code::CoreRequestConflict, detail).version(current)
            }
            DecideError::Core(_) => Self::new(Code::CoreUnavailable, detail),
            DecideError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    /// The cause is for the operator's log and not for a client: it may name files and addresses.
    fn from(error: StoreError) -> Self {
        tracing::error!(error.message = %error, "the store failed a request");
        match error {
            StoreError::Unavailable(_) => {
                Self::new(Code::StoreUnavailable, "the database does not answer as it should")
                    .retry_after(SHORTLY)
            }
            StoreError::Corrupt(_) => {
                Self::new(Code::Internal, "the database holds something that cannot be read")
            }
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(why) => Self::new(Code::ProviderUnavailable, why),
            ReadError::Repair(why) => Self::new(Code::ProviderRepair, why),
        }
    }
}
