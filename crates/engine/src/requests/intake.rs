//! Takes up the requests of cores, as hooks and polls report them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiungo_core_banking::{
    CoreRequest, CoreRequests, Hint, PageMark, RawHook, RequestId, RequestsError,
};
use kiungo_domain::{CoreId, Timestamp};
use kiungo_store::{CoreRequestRow, CoreRequestState, Records, StoreError};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore};

use super::content::Content;
use super::in_vain::InVain;
use super::rules::{Action, Evaluation, Payee, RequestRules};
use crate::engine::Engine;
use crate::request::SubmitError;

/// Takes up what cores ask for; a cheap handle.
#[derive(Clone)]
pub struct RequestIntake {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) engine: Engine,
    pub(super) ports: BTreeMap<CoreId, Port>,
    pub(super) turns: RequestTurns,
}

/// A core that is asked.
pub struct RequestLink {
    /// The adapter.
    pub core: Arc<dyn CoreRequests>,
    /// The rules that say which requests are paid.
    pub rules: RequestRules,
    /// Bounds and waits.
    pub options: RequestLinkOptions,
}

/// Bounds and waits of one core (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLinkOptions {
    /// The interval at which the core is asked for what hooks missed.
    pub poll_interval: Duration,
    /// Pages of a list in one round; the next round goes on where it ended.
    pub pages_max: u32,
    /// Requests read one by one in a round, a page more or less; the next round goes on.
    pub reads_max: u32,
    /// Requests read at a time, by the poller as by hooks: few, since the core serves people too.
    pub reads_at_a_time: usize,
    /// The time for which a hook waits for the core. Past it the poller looks.
    pub hook_wait: Duration,
}

impl Default for RequestLinkOptions {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(60),
            pages_max: 50,
            reads_max: 1_000,
            reads_at_a_time: 4,
            hook_wait: Duration::from_secs(10),
        }
    }
}

/// The way in which processes take turns at polling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestTurns {
    /// No other process works on this database.
    Alone,
    /// Several do: the one with the lease polls. It only saves work: rounds at the same time do no
    /// harm.
    Shared {
        /// The name of this process among them.
        holder: String,
    },
    /// Only others poll by themselves. This process still looks when a hook asks for it, because no
    /// other process has received the hook.
    Others,
}

pub(super) struct Port {
    pub(super) core: Arc<dyn CoreRequests>,
    pub(super) rules: RequestRules,
    pub(super) options: RequestLinkOptions,
    /// A hook said that something may be open.
    pub(super) nudge: Notify,
    /// The page at which the next round goes on.
    pub(super) mark: Mutex<Option<PageMark>>,
    /// The requests that the poller has read to no effect, by name.
    pub(super) in_vain: InVain,
    hooks: Semaphore,
}

/// The result of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookResult {
    /// The request that it names was read from the core, and everything that follows is durable.
    TakenUp,
    /// The poller looks at once.
    Noted,
    /// The hook concerns nothing of ours.
    Ignored,
}

/// The reason that a hook was not taken up. The poller looks at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HookError {
    /// No such core is asked for requests.
    #[error("no core `{0}` is asked for requests")]
    UnknownCore(CoreId),
    /// Many come at a time.
    #[error("too many hooks at a time; the poller looks")]
    Busy,
    /// The core gave no usable answer.
    #[error("the core: {0}; the poller looks")]
    Core(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason that a request was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum LookError {
    #[error(transparent)]
    Core(#[from] RequestsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RequestIntake {
    /// Takes requests of these cores up, and makes transfers of them by `engine`.
    pub fn new(engine: Engine, cores: BTreeMap<CoreId, RequestLink>, turns: RequestTurns) -> Self {
        let markets: BTreeMap<_, _> = engine
            .parts
            .ports
            .markets()
            .map(|(id, numbers)| (id.clone(), numbers.clone()))
            .collect();
        let port = |link: RequestLink| Port {
            core: link.core,
            rules: RequestRules { markets: markets.clone(), ..link.rules },
            options: link.options,
            nudge: Notify::new(),
            mark: Mutex::default(),
            in_vain: InVain::default(),
            hooks: Semaphore::new(link.options.reads_at_a_time.max(1)),
        };
        let ports = cores.into_iter().map(|(id, link)| (id, port(link))).collect();
        Self { inner: Arc::new(Inner { engine, ports, turns }) }
    }

    /// The cores that are asked.
    pub fn cores(&self) -> Vec<CoreId> {
        self.inner.ports.keys().cloned().collect()
    }

    /// Takes a hook as the hint that it is (rule 6).
    pub async fn hook(&self, core: &CoreId, hook: &RawHook) -> Result<HookResult, HookError> {
        let port = self.inner.ports.get(core);
        let port = port.ok_or_else(|| HookError::UnknownCore(core.clone()))?;
        let id = match port.core.hint(hook) {
            Hint::Nothing => return Ok(HookResult::Ignored),
            Hint::Somewhere => {
                port.nudge.notify_one();
                return Ok(HookResult::Noted);
            }
            Hint::Request(id) => id,
        };
        let Ok(_place) = port.hooks.try_acquire() else {
            port.nudge.notify_one();
            return Err(HookError::Busy);
        };
        let looked = tokio::time::timeout(port.options.hook_wait, self.look_at(core, &id)).await;
        let failed = match looked {
            Ok(Ok(())) => return Ok(HookResult::TakenUp),
            Ok(Err(LookError::Store(error))) => HookError::Store(error),
            Ok(Err(LookError::Core(error))) => HookError::Core(error.0),
            Err(_) => HookError::Core("no answer in time".to_owned()),
        };
        port.nudge.notify_one();
        Err(failed)
    }

    /// Reads a request from the core, and takes it up if it is open and the rules say so.
    pub(super) async fn look_at(&self, core: &CoreId, id: &RequestId) -> Result<(), LookError> {
        let Some(port) = self.inner.ports.get(core) else { return Ok(()) };
        let known = self.store().core_request(core, id.as_str()).await?;
        let asked = port.core.read(id, self.now()).await?;
        let next = match (known, asked) {
            (None, None) => None,
            (None, Some(asked)) => self.first_report(core, port, &asked)?,
            (Some(row), None) => self.not_asked_any_more(row),
            (Some(row), Some(asked)) => self.later_report(port, row, &asked)?,
        };
        let Some(row) = next else { return Ok(()) };
        // The process that was quicker has written the same request.
        if !self.store().put_core_request(row.clone()).await? {
            return Ok(());
        }
        count(core, row.state.as_str());
        if row.state == CoreRequestState::Accepted {
            self.submit(CoreRequestRow { version: row.version + 1, ..row }).await?;
        }
        Ok(())
    }

    /// Makes the transfer of an accepted row, under its key: one, however often this is done.
    pub(super) async fn submit(&self, row: CoreRequestRow) -> Result<CoreRequestRow, StoreError> {
        let content = Content::read(&row)?;
        let Some((new, caller)) = content.transfer(&row) else {
            let why = content.obstacle.unwrap_or_else(|| "it names no wallet".to_owned());
            return self.set_state(row, CoreRequestState::Waiting, &why).await;
        };
        let refused = match self.inner.engine.submit(new, caller).await {
            Ok(submitted) => {
                let row = CoreRequestRow { transfer: Some(submitted.first.id), ..row };
                return self.set_state(row, CoreRequestState::Submitted, "").await;
            }
            Err(SubmitError::KeyReused(transfer)) => {
                let why = "a transfer was made of it before, with other content";
                let row = CoreRequestRow { transfer: Some(transfer), ..row };
                return self.set_state(row, CoreRequestState::Changed, why).await;
            }
            Err(SubmitError::Store(error)) => return Err(error),
            // It stays accepted, and the poller comes to it again.
            Err(SubmitError::Busy { .. } | SubmitError::Stopping) => return Ok(row),
            Err(refused) => refused.to_string(),
        };
        self.set_state(row, CoreRequestState::Waiting, &refused).await
    }

    async fn set_state(
        &self,
        row: CoreRequestRow,
        state: CoreRequestState,
        detail: &str,
    ) -> Result<CoreRequestRow, StoreError> {
        let row = self.changed(row, state, detail);
        if self.store().put_core_request(row.clone()).await? {
            count(&row.core, state.as_str());
        }
        Ok(CoreRequestRow { version: row.version + 1, ..row })
    }

    fn first_report(
        &self,
        core: &CoreId,
        port: &Port,
        asked: &CoreRequest,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        let Some((state, content)) = port.evaluate(asked) else { return Ok(None) };
        let now = self.now();
        Ok(Some(CoreRequestRow {
            core: core.clone(),
            request: asked.id.as_str().to_owned(),
            version: 0,
            state,
            generation: 1,
            transfer: None,
            content: content.write()?,
            detail: content.obstacle.unwrap_or_default(),
            decisions: Vec::new(),
            heard_at: now,
            updated_at: now,
        }))
    }

    fn later_report(
        &self,
        port: &Port,
        row: CoreRequestRow,
        asked: &CoreRequest,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        let before = Content::read(&row)?;
        // A request that a person has decided about, or that became a transfer, is not paid by
        // itself again.
        let untouched = row.transfer.is_none() && row.generation == 1 && row.decisions.is_empty();
        let (state, content) = match port.evaluate(asked) {
            Some((CoreRequestState::Accepted, content)) if !untouched => {
                (CoreRequestState::Waiting, content)
            }
            Some(checked) => checked,
            None => (CoreRequestState::Waiting, Content::of(asked, &port.rules, None)),
        };
        Ok(match row.state {
            CoreRequestState::Waiting if content == before => None,
            CoreRequestState::Waiting | CoreRequestState::Gone => {
                let detail = content.obstacle.clone().unwrap_or_default();
                let row = CoreRequestRow { content: content.write()?, ..row };
                Some(self.changed(row, state, &detail))
            }
            CoreRequestState::Declined if before.differs_from(asked) => {
                let row = CoreRequestRow { content: content.write()?, ..row };
                let why = "declined before; since then the core asks for another amount";
                Some(self.changed(row, CoreRequestState::Waiting, why))
            }
            CoreRequestState::Submitted | CoreRequestState::Changed
                if before.differs_from(asked) =>
            {
                let why = format!(
                    "the core asks for {} now, and asked for {} before; what became a transfer is \
                     not changed by that",
                    asked.amount.to_decimal(),
                    before.amount.to_decimal()
                );
                let row = CoreRequestRow { content: content.write()?, ..row };
                Some(self.changed(row, CoreRequestState::Changed, &why))
            }
            CoreRequestState::Declined
            | CoreRequestState::Submitted
            | CoreRequestState::Changed
            // The poller makes its transfer.
            | CoreRequestState::Accepted => None,
        })
    }

    fn not_asked_any_more(&self, row: CoreRequestRow) -> Option<CoreRequestRow> {
        match row.state {
            CoreRequestState::Waiting => {
                Some(self.changed(row, CoreRequestState::Gone, "the core asks for it no more"))
            }
            _ => None,
        }
    }

    pub(super) fn changed(
        &self,
        row: CoreRequestRow,
        state: CoreRequestState,
        detail: &str,
    ) -> CoreRequestRow {
        CoreRequestRow { state, detail: detail.to_owned(), updated_at: self.now(), ..row }
    }

    pub(super) fn store(&self) -> &Arc<dyn Records> {
        self.inner.engine.store()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.engine.clock_now()
    }
}

impl Port {
    /// Decides whether a request is paid or waits, and what is kept of it; `None` if it is
    /// ignored. All its facts are known.
    fn evaluate(&self, asked: &CoreRequest) -> Option<(CoreRequestState, Content)> {
        let Evaluation::Decided(action) = self.rules.evaluate(asked) else { return None };
        let (payee, by_itself) = match action {
            Action::Ignore => return None,
            Action::Ask(payee) => (payee, false),
            Action::PayOut(payee) => (payee, true),
        };
        let content = Content::of(asked, &self.rules, Some(payee));
        let state = if by_itself && content.obstacle.is_none() {
            CoreRequestState::Accepted
        } else {
            CoreRequestState::Waiting
        };
        Some((state, content))
    }

    /// The payee of the request, if the rules name one.
    pub(super) fn payee(&self, asked: &CoreRequest) -> Option<&Payee> {
        match self.rules.evaluate(asked) {
            Evaluation::Decided(Action::PayOut(payee) | Action::Ask(payee)) => Some(payee),
            Evaluation::Decided(Action::Ignore) | Evaluation::Undecided => None,
        }
    }
}

pub(super) fn count(core: &CoreId, state: &'static str) {
    let labels = [("core", core.to_string()), ("state", state.to_owned())];
    metrics::counter!("kiungo_core_requests_total", &labels).increment(1);
}
