//! Finds the requests that hooks missed: rounds through everything that is open in a core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::StreamExt as _;
use kiungo_core_banking::{Listed, RequestId, RequestsError};
use kiungo_domain::CoreId;
use kiungo_store::{CoreRequestQuery, CoreRequestRow, CoreRequestState, StoreError};
use thiserror::Error;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::content::Content;
use super::intake::{LookError, Port, RequestIntake, RequestTurns};
use super::rules::{Action, Evaluation};

/// The shortest time between two rounds that hooks ask for, so that a burst of hooks is one round.
const NUDGE_GAP: Duration = Duration::from_secs(1);
/// The number of requests that wait for a person, and that one round checks for being still open.
const WAITING_MAX: u32 = 500;
/// The number of accepted requests whose transfers one round makes.
const ACCEPTED_MAX: u32 = 500;
/// The number of requests in a row that cannot be read after which the core counts as down.
const FAILURES_MAX: u32 = 5;

/// The reason that a round ended early. The next one goes on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PollError {
    /// The core gave no usable answer.
    #[error("the core: {0}")]
    Core(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RequestsError> for PollError {
    fn from(error: RequestsError) -> Self {
        Self::Core(error.0)
    }
}

impl RequestIntake {
    /// Rounds through a core, `poll_interval` after the last one began and whenever a hook asks for one, until `stop`;
    /// then the turn goes to another process.
    pub async fn keep_polling(&self, core: &CoreId, stop: &CancellationToken) {
        let Some(port) = self.inner.ports.get(core) else { return };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.rounds(core, port) => {}
        }
        self.release_turn(core).await;
    }

    async fn rounds(&self, core: &CoreId, port: &Port) {
        let mut asked_for = false;
        let mut down = false;
        loop {
            let began = Instant::now();
            if asked_for {
                // A request was added that no list shows.
                port.in_vain.clear();
            }
            match self.round(core, port, asked_for).await {
                Ok(false) => {}
                Ok(true) => {
                    if down {
                        tracing::info!(core = %core, "the core can be asked for requests again");
                    }
                    down = false;
                }
                Err(error) => {
                    if !down {
                        tracing::warn!(core = %core, error.message = %error, "the core cannot be asked for requests");
                    }
                    down = true;
                }
            }
            asked_for = tokio::select! {
                biased;
                () = port.nudge.notified() => true,
                () = tokio::time::sleep_until(next_round(began, port.options.poll_interval)) => false,
            };
            if asked_for {
                tokio::time::sleep(NUDGE_GAP).await;
            }
        }
    }

    /// Does a round if it is this process's turn; returns true if it was. A round that a hook asked
    /// for is done in any case: only this process has heard the hook.
    async fn round(&self, core: &CoreId, port: &Port, asked_for: bool) -> Result<bool, PollError> {
        let is_due = asked_for || self.has_the_turn(core, port).await?;
        if is_due {
            self.poll(core).await?;
        }
        Ok(is_due)
    }

    /// Does one round: makes the transfers of accepted requests, then reads the open requests of
    /// the core, as far as the bounds allow.
    pub async fn poll(&self, core: &CoreId) -> Result<(), PollError> {
        let Some(port) = self.inner.ports.get(core) else { return Ok(()) };
        for row in self.store().accepted_core_requests(core, ACCEPTED_MAX).await? {
            self.submit(row).await?;
        }
        let mark = || port.mark.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = mark().clone();
        let from_the_start = place.is_none();
        let mut seen = BTreeSet::new();
        let (mut read, mut failed) = (0, None);
        for _ in 0..port.options.pages_max.max(1) {
            let listed = port.core.list(place.as_ref(), self.now()).await;
            let page = listed.inspect_err(|_| {
                // The next round begins at the first page, so that an unreadable page does not
                // block the others.
                *mark() = None;
            })?;
            let wanted = self.worth_reading(core, port, &page.listed).await?;
            read += u32::try_from(wanted.len()).unwrap_or(u32::MAX);
            let looked_at = self.look_at_all(core, port, wanted).await?;
            self.remember(core, port, &page.listed, &looked_at).await?;
            seen.extend(page.listed.into_iter().map(|listed| listed.id.as_str().to_owned()));
            failed = failed.or(page.failed);
            place = page.next;
            mark().clone_from(&place);
            if place.is_none() || read >= port.options.reads_max {
                break;
            }
        }
        if let Some(failed) = failed {
            return Err(failed.into());
        }
        if from_the_start && place.is_none() {
            port.in_vain.keep_only(&seen);
            self.look_for_what_is_gone(core, port, &seen).await?;
        }
        Ok(())
    }

    async fn has_the_turn(&self, core: &CoreId, port: &Port) -> Result<bool, StoreError> {
        let holder = match &self.inner.turns {
            RequestTurns::Alone => return Ok(true),
            RequestTurns::Others => return Ok(false),
            RequestTurns::Shared { holder } => holder,
        };
        // Long enough for a round with a slow core. Another process replaces a dead one after this
        // time.
        let lease = port.options.poll_interval.saturating_mul(3).max(Duration::from_secs(30));
        let now = self.now();
        self.store().take_lease(&turn(core), holder, now, now.after(lease)).await
    }

    async fn release_turn(&self, core: &CoreId) {
        let RequestTurns::Shared { holder } = &self.inner.turns else { return };
        if let Err(error) = self.store().release_lease(&turn(core), holder).await {
            tracing::debug!(core = %core, %error, "the turn to poll a core ends by itself");
        }
    }

    /// The requests of a page that have to be read: new ones that are not ignored anyway, changed
    /// ones, and those that wait because something was missing. A request that was read to no
    /// effect is left out for some rounds, as long as the list says the same of it.
    async fn worth_reading(
        &self,
        core: &CoreId,
        port: &Port,
        listed: &[Listed],
    ) -> Result<Vec<RequestId>, StoreError> {
        let names: Vec<String> = listed.iter().map(|one| one.id.as_str().to_owned()).collect();
        let known = self.store().known_core_requests(core, &names).await?;
        let known: BTreeMap<_, _> =
            known.into_iter().map(|row| (row.request.clone(), row)).collect();
        let mut wanted = Vec::new();
        for one in listed {
            let is_wanted = match known.get(one.id.as_str()) {
                Some(row) => has_news(row, one)?,
                None => one.request.as_ref().is_none_or(|request| {
                    port.rules.evaluate(request) != Evaluation::Decided(&Action::Ignore)
                }),
            };
            if is_wanted && !port.in_vain.rests(one) {
                wanted.push(one.id.clone());
            }
        }
        Ok(wanted)
    }

    /// Notes the requests that were read to no effect: those that are not taken up, and those that
    /// wait because something is missing.
    async fn remember(
        &self,
        core: &CoreId,
        port: &Port,
        listed: &[Listed],
        looked_at: &[RequestId],
    ) -> Result<(), StoreError> {
        let names: Vec<String> = looked_at.iter().map(|id| id.as_str().to_owned()).collect();
        let known = self.store().known_core_requests(core, &names).await?;
        let mut effective = BTreeSet::new();
        for row in known {
            let lacks = row.state == CoreRequestState::Waiting;
            if !(lacks && Content::read(&row)?.obstacle.is_some()) {
                effective.insert(row.request);
            }
        }
        let read = listed.iter().filter(|one| looked_at.contains(&one.id));
        port.in_vain.note(read, &effective);
        Ok(())
    }

    /// Reads these requests. An unreadable one does not block the others.
    async fn look_at_all(
        &self,
        core: &CoreId,
        port: &Port,
        wanted: Vec<RequestId>,
    ) -> Result<Vec<RequestId>, PollError> {
        let look = |id: RequestId| {
            let (intake, core) = (self.clone(), core.clone());
            async move { (intake.look_at(&core, &id).await, id) }
        };
        let at_a_time = port.options.reads_at_a_time.max(1);
        let mut looks = futures_util::stream::iter(wanted).map(look).buffer_unordered(at_a_time);
        let (mut failures, mut looked_at) = (0, Vec::new());
        while let Some((looked, id)) = looks.next().await {
            match looked {
                Ok(()) => {
                    failures = 0;
                    looked_at.push(id);
                }
                Err(LookError::Store(error)) => return Err(error.into()),
                Err(LookError::Core(error)) => {
                    failures += 1;
                    if failures >= FAILURES_MAX {
                        return Err(error.into());
                    }
                    tracing::warn!(core = %core, request = %id, error.message = %error, "a request of the core cannot be read");
                }
            }
        }
        Ok(looked_at)
    }

    /// Looks at requests that wait for a person and were not listed: they may have been settled in
    /// the core.
    async fn look_for_what_is_gone(
        &self,
        core: &CoreId,
        port: &Port,
        seen: &BTreeSet<String>,
    ) -> Result<(), PollError> {
        let query = CoreRequestQuery {
            core: Some(core.clone()),
            waiting: true,
            cursor: None,
            limit: WAITING_MAX,
        };
        let waiting = self.store().core_requests(&query).await?.rows.into_iter();
        let missing = waiting
            .filter(|row| row.state == CoreRequestState::Waiting && !seen.contains(&row.request));
        let missing = missing.filter_map(|row| RequestId::new(&row.request).ok()).collect();
        self.look_at_all(core, port, missing).await.map(drop)
    }
}

/// The start of the next round: `interval` after the last one began; where that took longer, after
/// a rest, since the core serves people too.
fn next_round(began: Instant, interval: Duration) -> Instant {
    (began + interval).max(Instant::now() + interval / 4)
}

/// The name of the lease of the process that polls a core.
fn turn(core: &CoreId) -> String {
    format!("requests/{core}")
}

/// True if a known request has to be read again.
fn has_news(row: &CoreRequestRow, listed: &Listed) -> Result<bool, StoreError> {
    let before = Content::read(row)?;
    let differs = listed.request.as_ref().is_some_and(|request| before.differs_from(request));
    Ok(match row.state {
        CoreRequestState::Gone => true,
        CoreRequestState::Waiting => differs || before.obstacle.is_some(),
        CoreRequestState::Submitted | CoreRequestState::Declined | CoreRequestState::Changed => {
            differs
        }
        CoreRequestState::Accepted => false,
    })
}
