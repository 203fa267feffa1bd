//! Records the calls and commits of Kiungo for each transfer, in their order.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, Uri, header};
use kiungo_domain::{Slot, TransferId};
use kiungo_store::intercept::{self, Answer, Interceptor};
use kiungo_store::{Change, StoreError};
use kiungo_transport::{Failure, Network, Request, Response, Transport};
use tokio::task;

use super::rows::{Rows, Standing};
use crate::BenchError;
use crate::counterparties::Addresses;

/// The paths at which the providers give tokens and sessions.
const LOGINS: [&str; 2] = ["/accesstoken", "/getSession/"];
/// The parameter of a question about nothing, by which M-Pesa's adapter proves a session.
const PROOF: &str = "input_ThirdPartyConversationID=N";

/// The calls and commits that were made for one transfer.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) id: TransferId,
    pub(super) slot: Slot,
    pub(super) moves: Vec<Move>,
}

/// One step that was done and waited for.
#[derive(Debug)]
pub(super) enum Move {
    /// Rows were committed.
    Commit(Rows),
    /// A party was called.
    Call(Call),
}

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The number of the party: 0 the core, 1 and 2 the providers.
    pub(super) party: usize,
    pub(super) request: Request,
    pub(super) timeout: Duration,
}

impl Script {
    pub(super) fn calls(&self) -> usize {
        self.moves.iter().filter(|step| matches!(step, Move::Call(_))).count()
    }

    pub(super) fn commits(&self) -> usize {
        self.moves.len() - self.calls()
    }

    pub(super) fn rows(&self) -> usize {
        let rows = |step: &Move| match step {
            Move::Commit(rows) => rows.len(),
            Move::Call(_) => 0,
        };
        self.moves.iter().map(rows).sum()
    }

    /// Sends the calls to other addresses, with the credentials that are valid there.
    pub(super) fn address(&mut self, to: &[(String, HeaderValue)]) -> Result<(), BenchError> {
        for step in &mut self.moves {
            let Move::Call(call) = step else { continue };
            let Some((authority, authorization)) = to.get(call.party) else { continue };
            let mut parts = call.request.uri().clone().into_parts();
            let broken = |error: &dyn std::fmt::Display| BenchError::OtherWork(error.to_string());
            parts.authority = Some(authority.parse().map_err(|e| broken(&e))?);
            *call.request.uri_mut() = Uri::from_parts(parts).map_err(|e| broken(&e))?;
            call.request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        Ok(())
    }
}

/// Records the calls and commits. Each transfer is worked on by a task of its own, so a call
/// belongs to the transfer that its task commits.
#[derive(Default)]
pub(super) struct Recorder {
    /// True if the store has an outbox.
    outbox: bool,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    accepted: BTreeMap<TransferId, (Slot, Rows)>,
    standings: HashMap<TransferId, Standing>,
    workers: HashMap<TransferId, Vec<task::Id>>,
    by_task: HashMap<task::Id, Vec<Noted>>,
    /// The credentials that were last sent to each authority.
    authorizations: BTreeMap<String, HeaderValue>,
    failed: Option<String>,
}

enum Noted {
    Commit(Rows),
    Call(Request, Duration),
}

impl Recorder {
    /// A recorder that also records outbox rows if `outbox` is set.
    pub(super) fn new(outbox: bool) -> Self {
        Self { outbox, ..Self::default() }
    }

    /// A transport that records the requests that it carries.
    pub(super) fn carry(self: &Arc<Self>, network: Network) -> Arc<dyn Transport> {
        Arc::new(Tap { network, recorder: Arc::clone(self) })
    }

    /// The script of each transfer, in the order of their acceptance.
    pub(super) fn scripts(&self, addresses: &Addresses) -> Result<Vec<Script>, BenchError> {
        let mut notes = std::mem::take(&mut *self.notes());
        if let Some(why) = notes.failed {
            return Err(BenchError::OtherWork(why));
        }
        let parties = parties(addresses);
        let mut scripts = Vec::with_capacity(notes.accepted.len());
        for (id, (slot, rows)) in notes.accepted {
            let mut script = Script { id, slot, moves: vec![Move::Commit(rows)] };
            for task in notes.workers.remove(&id).unwrap_or_default() {
                for noted in notes.by_task.remove(&task).unwrap_or_default() {
                    script.moves.push(noted.into_move(&parties)?);
                }
            }
            scripts.push(script);
        }
        Ok(scripts)
    }

    /// The parties' addresses, and the credentials that were valid at each of them last.
    pub(super) fn authorizations(
        &self,
        addresses: &Addresses,
    ) -> Result<Vec<(String, HeaderValue)>, BenchError> {
        let notes = self.notes();
        let found = parties(addresses).into_iter().map(|authority| {
            let last = notes.authorizations.get(&authority).cloned();
            last.map(|last| (authority, last))
        });
        let found: Option<Vec<_>> = found.collect();
        found.ok_or_else(|| BenchError::OtherWork("a party was not logged in to".to_owned()))
    }

    fn called(&self, request: &Request, timeout: Duration) {
        let mut notes = self.notes();
        let authority = request.uri().authority().map(ToString::to_string);
        let authorization = request.headers().get(header::AUTHORIZATION);
        if let (Some(authority), Some(authorization)) = (authority, authorization) {
            notes.authorizations.insert(authority, authorization.clone());
        }
        // The floor logs in by itself, with credentials of the party's own each time.
        if let Some(task) = task::try_id().filter(|_| !is_login(request)) {
            notes.by_task.entry(task).or_default().push(Noted::Call(request.clone(), timeout));
        }
    }

    fn committed(&self, id: TransferId, new: Option<Slot>, rows: Rows) {
        let mut notes = self.notes();
        if let Some(slot) = new {
            notes.accepted.insert(id, (slot, rows));
        } else if let Some(task) = task::try_id() {
            let workers = notes.workers.entry(id).or_default();
            if workers.last() != Some(&task) {
                workers.push(task);
            }
            notes.by_task.entry(task).or_default().push(Noted::Commit(rows));
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The facts about a change that are noted once it is durable.
pub(super) struct Look {
    id: TransferId,
    /// The slot of a new transfer.
    new: Option<Slot>,
    rows: Rows,
}

impl Recorder {
    fn look(&self, change: &Change) -> Option<Look> {
        let transfer = &change.decision.transfer;
        let id = transfer.id();
        let before = self.notes().standings.insert(id, Standing::of(transfer));
        let new = (change.decision.base_version == 0).then(|| transfer.slot());
        match Rows::of(change, before, self.outbox) {
            Ok(rows) => Some(Look { id, new, rows }),
            Err(error) => {
                self.notes().failed = Some(error.to_string());
                None
            }
        }
    }
}

impl Interceptor for Recorder {
    type Kept = Option<Look>;

    async fn before(&self, call: &intercept::Call<'_>) -> Result<Self::Kept, StoreError> {
        Ok(if let intercept::Call::Commit(change) = call { self.look(change) } else { None })
    }

    async fn after(&self, look: Self::Kept, answer: Answer<'_>) -> Result<(), StoreError> {
        if let (Some(Look { id, new, rows }), Answer::Done) = (look, answer) {
            self.committed(id, new, rows);
        }
        Ok(())
    }
}

impl Noted {
    fn into_move(self, parties: &[String]) -> Result<Move, BenchError> {
        let (request, timeout) = match self {
            Self::Commit(rows) => return Ok(Move::Commit(rows)),
            Self::Call(request, timeout) => (request, timeout),
        };
        let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let party = parties.iter().position(|known| *known == authority);
        let party = party.ok_or_else(|| BenchError::OtherWork(format!("who is {authority}?")))?;
        Ok(Move::Call(Call { party, request, timeout }))
    }
}

/// True if this asks for a token or a session, or proves a new session by a question about nothing:
/// sessions become live when they do, so that such a question belongs to no transfer.
fn is_login(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let is_proof = query.split('&').any(|parameter| parameter.starts_with(PROOF));
    is_proof || LOGINS.iter().any(|end| request.uri().path().ends_with(end))
}

/// The parties by their authority, in the order of [`Call::party`].
fn parties(addresses: &Addresses) -> Vec<String> {
    [addresses.fineract, addresses.gsma, addresses.mpesa].map(|at| at.to_string()).to_vec()
}

struct Tap {
    network: Network,
    recorder: Arc<Recorder>,
}

#[async_trait]
impl Transport for Tap {
    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, Failure> {
        self.recorder.called(&request, timeout);
        self.network.send(request, timeout).await
    }
}
