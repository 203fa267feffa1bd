//! The decisions of persons about requests of cores.

use kiungo_core_banking::RequestId;
use kiungo_domain::CoreId;
use kiungo_domain::transfer::Status;
use kiungo_store::{CoreRequestDecision, CoreRequestRow, CoreRequestState, StoreError};
use thiserror::Error;

use super::content::Content;
use super::intake::{Port, RequestIntake, count};

/// The reason that a decision was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecideError {
    /// There is no such request.
    #[error("core `{core}` has no request `{request}` that was taken up")]
    NotFound {
        /// The core.
        core: CoreId,
        /// The name.
        request: String,
    },
    /// Its present state does not allow this decision.
    #[error("{0}")]
    Conflict(String),
    /// The request is not as the person was shown it.
    #[error("{why}: version {shown} was shown, it is at {current}")]
    Outdated {
        /// The version that the person was shown.
        shown: u64,
        /// The version that it is at now.
        current: u64,
        /// The change that happened meanwhile.
        why: String,
    },
    /// The core gave no usable answer: nothing was decided.
    #[error("the core gave no usable answer: {0}")]
    Core(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RequestIntake {
    /// A person lets a request be paid: one that waits, or one whose transfer failed. `shown` is
    /// the version that the person has seen: a newer version is not approved.
    pub async fn approve(
        &self,
        core: &CoreId,
        request: &str,
        shown: u64,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        let (row, port, id) = self.decidable(core, request).await?;
        is_shown(&row, shown)?;
        if let CoreRequestState::Accepted = row.state {
            return Err(DecideError::Conflict("it is being paid already".to_owned()));
        }
        self.not_under_way(&row).await?;
        let read = port.core.read(&id, self.now()).await;
        let Some(asked) = read.map_err(|error| DecideError::Core(error.0))? else {
            let gone = self.changed(row, CoreRequestState::Gone, "the core asks for it no more");
            self.store().put_core_request(gone).await?;
            let why = "the core does not ask for it any more: the loan or the request is not open";
            return Err(DecideError::Conflict(why.to_owned()));
        };
        let payee = port.payee(&asked);
        let content = Content::of(&asked, &port.rules, payee);
        if let Some(obstacle) = &content.obstacle {
            return Err(DecideError::Conflict(format!("it cannot be paid as it is: {obstacle}")));
        }
        let seen = Content::read(&row)?;
        let mut row = CoreRequestRow { content: content.write()?, ..row };
        if seen != content {
            let why = "the core's facts are not those that were shown: look again";
            let current = row.version + 1;
            let now = self.changed(row, CoreRequestState::Waiting, why);
            self.store().put_core_request(now).await?;
            return Err(DecideError::Outdated { shown, current, why: why.to_owned() });
        }
        if row.transfer.is_some() {
            row.generation = row.generation.saturating_add(1);
        }
        self.decided(&mut row, by, reason, true);
        let row = self.changed(row, CoreRequestState::Accepted, "");
        self.write(&row).await?;
        let row = CoreRequestRow { version: row.version + 1, ..row };
        let row = self.submit(row).await?;
        Ok(row)
    }

    /// A person decides that a request is not paid. With `shown`, only the version that the person
    /// has seen.
    pub async fn decline(
        &self,
        core: &CoreId,
        request: &str,
        shown: Option<u64>,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        let (mut row, ..) = self.decidable(core, request).await?;
        shown.map_or(Ok(()), |shown| is_shown(&row, shown))?;
        let state = match row.state {
            // A transfer that was made goes on; the amount that the core asks for now is not paid.
            CoreRequestState::Waiting | CoreRequestState::Gone | CoreRequestState::Changed => {
                CoreRequestState::Declined
            }
            CoreRequestState::Declined => {
                return Err(DecideError::Conflict("it was declined before".to_owned()));
            }
            CoreRequestState::Accepted | CoreRequestState::Submitted => {
                let why = "it has become a transfer, which can be given back once it is completed";
                return Err(DecideError::Conflict(why.to_owned()));
            }
        };
        self.decided(&mut row, by, reason, false);
        let row = self.changed(row, state, "");
        self.write(&row).await?;
        Ok(CoreRequestRow { version: row.version + 1, ..row })
    }

    async fn decidable(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<(CoreRequestRow, &Port, RequestId), DecideError> {
        let unknown = || DecideError::NotFound { core: core.clone(), request: request.to_owned() };
        let id = RequestId::new(request).map_err(|_| unknown())?;
        let port = self.inner.ports.get(core).ok_or_else(unknown)?;
        let row = self.store().core_request(core, request).await?.ok_or_else(unknown)?;
        Ok((row, port, id))
    }

    /// An earlier transfer must have failed, or been reversed, before there may be another.
    async fn not_under_way(&self, row: &CoreRequestRow) -> Result<(), DecideError> {
        let Some(transfer) = row.transfer else { return Ok(()) };
        let status = self.store().summary(transfer).await?.map(|summary| summary.status);
        match status {
            Some(Status::Failed | Status::Reversed) => Ok(()),
            Some(status) => Err(DecideError::Conflict(format!(
                "it became transfer {transfer}, which is {}; only after one that failed or was \
                 given back can there be another",
                status.as_str()
            ))),
            None => Err(DecideError::Store(StoreError::Corrupt(format!(
                "transfer {transfer} of a core's request is not there"
            )))),
        }
    }

    fn decided(&self, row: &mut CoreRequestRow, by: &str, reason: &str, approved: bool) {
        /// Decisions that are kept of one request, the newest.
        const KEPT: usize = 50;
        let (by, reason) = (by.to_owned(), reason.to_owned());
        row.decisions.push(CoreRequestDecision { at: self.now(), by, approved, reason });
        let excess = row.decisions.len().saturating_sub(KEPT);
        row.decisions.drain(..excess);
    }

    /// Writes a decision; the first of several writers wins.
    async fn write(&self, row: &CoreRequestRow) -> Result<(), DecideError> {
        if self.store().put_core_request(row.clone()).await? {
            count(&row.core, row.state.as_str());
            return Ok(());
        }
        Err(DecideError::Conflict(
            "another person or process changed it at this moment: look again".to_owned(),
        ))
    }
}

fn is_shown(row: &CoreRequestRow, shown: u64) -> Result<(), DecideError> {
    if row.version == shown {
        return Ok(());
    }
    let why = "it has changed since it was shown: look again".to_owned();
    Err(DecideError::Outdated { shown, current: row.version, why })
}
