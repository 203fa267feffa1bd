//! A question that moves nothing: an inquiry about an unused id. It proves a new session before
//! money leaves in it, and tells `kiungo doctor` what an ordinary call would meet.

use std::time::Duration;

use kiungo_provider::{Answered, Meaning, ReadError};
use tokio::time::timeout_at;

use crate::client::{Mpesa, NoReply};
use crate::config::Answers;
use crate::map::NOT_THERE;
use crate::map::query::said;
use crate::session::{Lease, SessionError};
use crate::wire::{Coded, Reply, StatusQuery};

impl Mpesa {
    /// Asks about what cannot be there.
    async fn ask_about_nothing(&self, lease: &Lease) -> Result<Reply, NoReply> {
        let id = self.questions.about_nothing(&lease.seed);
        let nothing = id.get(..QUERY_REFERENCE_MAX).unwrap_or_default();
        let parameters = StatusQuery { head: self.head(&id), query_reference: nothing };
        let reply = self.query_apart(lease, "queryTransactionStatus/", &parameters).await?;
        if let Reply::Coded(_) = reply {
            self.sessions.accepted(lease);
        }
        Ok(reply)
    }

    /// Takes note that a call was refused without a code. A session that has worked is given up
    /// only if a mere question is refused in it, too: otherwise it is the call that the gateway
    /// does not want, and each of them would cost a session. Returns true if the session is gone
    /// for sure.
    pub(crate) async fn is_refused(&self, lease: &Lease) -> bool {
        if !self.sessions.has_worked(lease) {
            self.sessions.refused(lease);
            return false;
        }
        // A hundred calls that are refused together put one question.
        let mut gone = self.gone.lock().await;
        if *gone == lease.serial {
            return true;
        }
        match self.ask_about_nothing(lease).await {
            Ok(Reply::Coded(_)) => {
                tracing::warn!(
                    "M-Pesa refuses a call without a code although the session works: check the \
                     products, origin and trusted sources in the portal"
                );
                false
            }
            Ok(Reply::SessionRefused { .. }) => {
                *gone = lease.serial;
                self.sessions.refused(lease);
                true
            }
            _ => {
                self.sessions.refused(lease);
                false
            }
        }
    }

    /// A session that has worked: nothing leaves in one that has not. A payout that is turned away
    /// because its session is not live yet is an unknown, and a case in the end; a question is not.
    pub(crate) async fn proven_lease(&self) -> Result<Lease, NoReply> {
        let deadline = self.sessions.patience_ends();
        loop {
            let lease = self.sessions.lease_by(deadline).await?;
            if lease.proven {
                return Ok(lease);
            }
            // One caller asks, the others find a session that has worked.
            let Ok(_flight) = timeout_at(deadline, self.trial.lock()).await else {
                return Err(untried("others are trying it"));
            };
            let lease = self.sessions.lease_by(deadline).await?;
            if lease.proven {
                return Ok(lease);
            }
            let reply = match self.ask_about_nothing(&lease).await {
                Ok(reply) => reply,
                Err(NoReply::NoAnswer(why)) => return Err(untried(&why)),
                Err(other) => return Err(other),
            };
            match reply {
                Reply::Coded(_) => return Ok(lease),
                Reply::SessionRefused { .. } => self.sessions.refused(&lease),
                Reply::TooMany => return Err(untried("too many requests (HTTP 429)")),
                Reply::NotThere => return Err(untried(NOT_THERE)),
                Reply::Opaque { why } => return Err(untried(&why)),
            }
        }
    }

    /// Opens a session, proves it, and says what the answer tells.
    pub(crate) async fn examine(&self) -> Result<String, ReadError> {
        let of_session = |error: SessionError| {
            let why = error.to_string();
            if error.needs_repair() { ReadError::Repair(why) } else { ReadError::Unavailable(why) }
        };
        let deadline = self.sessions.patience_ends();
        loop {
            let lease = self.sessions.lease_by(deadline).await.map_err(of_session)?;
            let unavailable = |why: &str| Err(ReadError::Unavailable(why.to_owned()));
            return match self.ask_about_nothing(&lease).await {
                Ok(Reply::Coded(coded)) => self.tell(&coded),
                Ok(Reply::SessionRefused { .. }) => {
                    self.sessions.refused(&lease);
                    continue;
                }
                Ok(Reply::TooMany) => unavailable("too many requests (HTTP 429)"),
                Ok(Reply::NotThere) => Err(ReadError::Repair(NOT_THERE.to_owned())),
                Ok(Reply::Opaque { why }) => unavailable(&why),
                Err(NoReply::Session(error)) => Err(of_session(error)),
                Err(no_reply) => unavailable(&no_reply.to_string()),
            };
        }
    }

    fn tell(&self, coded: &Coded) -> Result<String, ReadError> {
        let context = &self.settings.market.context;
        let expected = self.settings.options.query_answers;
        let said = said(coded);
        let means = self.terms.codes.meaning(Answered::Inquire, &coded.code).map(|line| line.means);
        let repair = |why: String| Err(ReadError::Repair(why));
        match (coded.code.as_str(), means) {
            ("INS-13", _) => repair(format!("{said}: check mpesa.service_provider_code")),
            ("INS-996", _) => Err(ReadError::Unavailable(format!(
                "{said}: outside the hours that the portal sets for this API; set [hours] to them"
            ))),
            ("INS-997", _) => repair(format!(
                "{said}: the product \"query transaction status\" is not enabled for the \
                 application, and without it an unknown outcome is never cleared up"
            )),
            ("INS-998", _) => {
                repair(format!("{said}: the API key is not for {context}: check mpesa.market"))
            }
            (_, Some(Meaning::Absent)) if expected == Answers::Asynchronous => Ok(format!(
                "{context}: the session works; queries are answered at once here: query_answers \
                 = \"synchronous\" would do, and proves more{}",
                self.until()
            )),
            (_, Some(Meaning::Absent)) => Ok(format!(
                "{context}: the session works, and queries are answered at once{}",
                self.until()
            )),
            (_, Some(Meaning::Completed)) if expected == Answers::Asynchronous => Ok(format!(
                "{context}: the session works; queries are answered by callback{}",
                self.until()
            )),
            (_, Some(Meaning::Completed)) => repair(
                "queries are answered by callback here: have them answered at once, or set \
                 mpesa.query_answers = \"asynchronous\""
                    .to_owned(),
            ),
            (_, Some(Meaning::Rejected)) => repair(said),
            _ => Err(ReadError::Unavailable(said)),
        }
    }

    /// The longest time for which the session is used; by the mapping, since no answer states it.
    fn until(&self) -> String {
        let now = tokio::time::Instant::now();
        let left = self.sessions.expires_at().map(|at| at.saturating_duration_since(now));
        let seconds = left.unwrap_or(Duration::ZERO).as_secs();
        format!(" (for {seconds} s, if mpesa.session_lifetime is the portal's)")
    }
}

/// The longest `input_QueryReference` (`mpesa-openapi.md` §5).
const QUERY_REFERENCE_MAX: usize = 32;

fn untried(why: &str) -> NoReply {
    NoReply::NotSent(format!("the new session could not be tried: {why}"))
}
