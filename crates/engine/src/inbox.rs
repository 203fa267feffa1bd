//! Callbacks and payments started at the wallet: stored, acknowledged, then handled.
//!
//! A callback is a hint (rule 6): it makes the engine ask. A payment that a customer started is
//! confirmed with the provider, where it can be asked, before it becomes a transfer; however a
//! payment is first heard of, one receipt is one transfer (rule 7).

use std::sync::Arc;

use bytes::Bytes;
use kiungo_core_banking::{AccountCheck, CheckAnswer};
use kiungo_domain::transfer::{Draft, Instruction, Kind, Origin, StepName, StepState, Transfer};
use kiungo_domain::{Finding, ProviderId, Receipt, Reference, Timestamp, TransferId};
use kiungo_provider::{
    CallbackNews, CallbackReply, PaymentFinding, PaymentNotice, RawCallback, Verdict,
};
use kiungo_queue::Work;
use kiungo_store::{
    Arrival, Change, CommitError, InboxId, InboxItem, InboxState, NewArrival, StoreError,
    TransferQuery,
};
use metrics::counter;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Inner, ProviderPort};
use crate::request::{CallbackRefused, RequestError};
use crate::sharing::Piece;
use crate::sweep::arrival_slot;

/// What is kept of a callback beside its body.
#[derive(Serialize, Deserialize)]
struct Head {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

/// An item that a task has to itself; given back even if the task panics or is ended.
struct TakenArrival {
    inner: Arc<Inner>,
    id: InboxId,
}

impl Drop for TakenArrival {
    fn drop(&mut self) {
        self.inner.board().give_arrival_back(self.id);
    }
}

/// What handling an item came to.
pub(crate) enum Handled {
    /// Done, in the same transaction as a transfer's change.
    WithTransfer,
    /// Done; nothing else changed.
    Noted(String),
    /// Ask again later.
    Later,
    /// For a person.
    Quarantine(String),
}

impl Engine {
    /// Takes a callback: stored before it is acknowledged, then handled.
    pub async fn callback(
        &self,
        provider: &ProviderId,
        callback: RawCallback,
    ) -> Result<CallbackReply, CallbackRefused> {
        let inner = &self.inner;
        let port = inner
            .provider(provider)
            .ok_or_else(|| CallbackRefused::UnknownProvider(provider.clone()))?;
        let verdict = match port.provider.read_callback(&callback) {
            Ok(CallbackNews::Validation(notice)) => inner.validate(port, &notice).await,
            Ok(_) => {
                let due = inner.clock.now();
                let item = inner.keep(provider, &callback, InboxState::Waiting { due }).await?;
                match item {
                    Some(item) if inner.sharing.is_some() => {
                        inner.announce(arrival_slot(item.id.0), Work::Arrival(item.id.0));
                    }
                    Some(item) => inner.handle_arrival(item),
                    None => {}
                }
                Verdict::Accepted
            }
            Err(error) => {
                counter!("kiungo_callbacks_quarantined_total", "provider" => provider.to_string())
                    .increment(1);
                let reason = error.to_string();
                inner.keep(provider, &callback, InboxState::Quarantined { reason }).await?;
                Verdict::Unreadable
            }
        };
        Ok(port.provider.reply(&callback, &verdict))
    }
}

impl Inner {
    /// Stores what arrived; the item if it is new.
    async fn keep(
        &self,
        provider: &ProviderId,
        callback: &RawCallback,
        state: InboxState,
    ) -> Result<Option<InboxItem>, StoreError> {
        let at = self.clock.now();
        let head = Head {
            method: callback.method.clone(),
            path: callback.path.clone(),
            headers: callback.headers.clone(),
        };
        let head = serde_json::to_string(&head).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let arrival = NewArrival {
            provider: provider.clone(),
            digest: digest(callback),
            head: head.clone(),
            body: callback.body.to_vec(),
            at,
        };
        let Arrival::New(id) = self.store.arrive(arrival).await? else { return Ok(None) };
        if matches!(state, InboxState::Quarantined { .. }) {
            self.store.set_inbox_state(id, state.clone()).await?;
        }
        let body = callback.body.to_vec();
        let provider = provider.clone();
        Ok(Some(InboxItem { id, provider, head, body, at, arrivals: 1, attempts: 0, state }))
    }

    /// Has a task handle an item; if there is no room, its due time brings it back.
    pub(crate) fn handle_arrival(self: &Arc<Self>, item: InboxItem) {
        if self.stopping.is_cancelled() || !self.board().take_arrival(item.id) {
            return;
        }
        let taken = TakenArrival { inner: Arc::clone(self), id: item.id };
        self.spawn(async move {
            taken.inner.handle(item).await;
            drop(taken);
        });
    }

    /// Has a task handle an item that was delivered and has its place.
    pub(crate) fn handle_delivered(self: &Arc<Self>, id: InboxId, piece: Piece) {
        let taken = self.board().take_delivered_arrival(id);
        if !taken {
            return self.rested([piece]);
        }
        let taken = TakenArrival { inner: Arc::clone(self), id };
        self.spawn(async move {
            match taken.inner.store.inbox_item(id).await {
                Ok(Some(item)) if matches!(item.state, InboxState::Waiting { .. }) => {
                    taken.inner.handle(item).await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(inbox = %id, %error, "an arrival cannot be read; trying again later");
                }
            }
            taken.inner.rested([piece]);
            drop(taken);
        });
    }

    async fn handle(self: &Arc<Self>, item: InboxItem) {
        let handled = match self.handle_item(&item).await {
            Ok(handled) => handled,
            Err(error) => {
                tracing::error!(inbox = %item.id, %error, "an arrival cannot be handled; trying again");
                Handled::Later
            }
        };
        let state = match handled {
            Handled::WithTransfer => return,
            Handled::Noted(note) => InboxState::Handled { note },
            Handled::Quarantine(reason) => {
                tracing::warn!(inbox = %item.id, provider = %item.provider, %reason, "an arrival is kept for a person");
                InboxState::Quarantined { reason }
            }
            Handled::Later => {
                let policy = self.provider(&item.provider).map(|port| port.rules.policy());
                let wait = policy.map_or(std::time::Duration::from_secs(30), |policy| {
                    policy.wallet.rung(item.attempts)
                });
                InboxState::Waiting { due: self.clock.now().after(wait) }
            }
        };
        if let InboxState::Waiting { due } = &state {
            self.remember(*due);
        }
        if let Err(error) = self.store.set_inbox_state(item.id, state).await {
            tracing::error!(inbox = %item.id, %error, "what became of an arrival cannot be stored");
        }
    }

    async fn handle_item(self: &Arc<Self>, item: &InboxItem) -> Result<Handled, StoreError> {
        let Some(port) = self.provider(&item.provider) else {
            return Ok(Handled::Quarantine("its provider is no longer configured".to_owned()));
        };
        let Ok(head) = serde_json::from_str::<Head>(&item.head) else {
            return Ok(Handled::Quarantine("its head cannot be read back".to_owned()));
        };
        let callback = RawCallback {
            method: head.method,
            path: head.path,
            headers: head.headers,
            body: Bytes::from(item.body.clone()),
        };
        match port.provider.read_callback(&callback) {
            Ok(CallbackNews::Result { reference: Some(reference), finding })
                if port.provider.inquires_by_callback() =>
            {
                self.ask_about_claim(item, port, reference, &finding).await
            }
            Ok(CallbackNews::Result { reference, finding }) => {
                self.handle_result(item, reference, &finding).await
            }
            Ok(CallbackNews::Nothing) => Ok(Handled::Noted("it says nothing".to_owned())),
            Ok(CallbackNews::Answer { reference, finding }) => {
                self.handle_answer(item, port, reference, finding).await
            }
            Ok(CallbackNews::Payment(notice)) => self.handle_payment(item, port, notice).await,
            Ok(CallbackNews::Validation(_)) => Ok(Handled::Noted("a question".to_owned())),
            Err(error) => Ok(Handled::Quarantine(error.to_string())),
        }
    }

    /// A result of an operation of ours: a hint.
    async fn handle_result(
        self: &Arc<Self>,
        item: &InboxItem,
        reference: Option<Reference>,
        finding: &Finding,
    ) -> Result<Handled, StoreError> {
        let id = match (reference, receipt_of(finding)) {
            (Some(reference), _) => Some(reference.transfer()),
            (None, Some(receipt)) => self.store.by_receipt(&item.provider, receipt).await?,
            (None, None) => None,
        };
        let Some(id) = id else {
            return Ok(Handled::Quarantine("it names no operation of ours".to_owned()));
        };
        self.hint(item, id, reference.map(|reference| reference.step()), finding).await
    }

    async fn hint(
        self: &Arc<Self>,
        item: &InboxItem,
        id: TransferId,
        step: Option<StepName>,
        finding: &Finding,
    ) -> Result<Handled, StoreError> {
        let by = format!("callback {}", item.id);
        if self.board().leave_hint(id, &by) {
            return Ok(Handled::Noted(format!("told to transfer {id}")));
        }
        match self.take_patiently(id).await {
            Ok(()) => {}
            Err(_) => return Ok(Handled::Later),
        }
        let result = self.hint_taken(item, id, step, finding, &by).await;
        match result {
            Ok((handled, Some(transfer))) => {
                self.go_on_with(transfer);
                Ok(handled)
            }
            Ok((handled, None)) => {
                self.release(id);
                Ok(handled)
            }
            Err(error) => {
                self.release(id);
                Err(error)
            }
        }
    }

    /// Hints to a transfer that nobody else works on; the transfer, if there is work on it now.
    async fn hint_taken(
        &self,
        item: &InboxItem,
        id: TransferId,
        step: Option<StepName>,
        finding: &Finding,
        by: &str,
    ) -> Result<(Handled, Option<Transfer>), StoreError> {
        let Some(transfer) = self.store.transfer(id).await? else {
            return Ok((Handled::Quarantine(format!("there is no transfer {id}")), None));
        };
        if transfer.instruction().provider != item.provider {
            let reason = format!("transfer {id} is with another provider");
            return Ok((Handled::Quarantine(reason), None));
        }
        if transfer.open_step().is_none() {
            let handled = self.compare_with_settled(item, transfer, step, finding).await?;
            return Ok((handled, None));
        }
        match self
            .change_taken(id, Some(item.id), None, |draft| {
                draft.hint(by);
                Ok(())
            })
            .await
        {
            Ok(changed) if changed.version() > transfer.version() => {
                Ok((Handled::WithTransfer, Some(changed)))
            }
            Ok(_) => Ok((Handled::Noted("it is being asked about already".to_owned()), None)),
            Err(RequestError::Store(error)) => Err(error),
            Err(_) => Ok((Handled::Later, None)),
        }
    }

    /// A callback about something settled: if it says something else, the other side is asked, and
    /// if that says something else too, a person is called (rule 5).
    async fn compare_with_settled(
        &self,
        item: &InboxItem,
        transfer: Transfer,
        step: Option<StepName>,
        finding: &Finding,
    ) -> Result<Handled, StoreError> {
        let id = transfer.id();
        let agrees = Handled::Noted(format!("agrees with transfer {id}"));
        let Some(step) = step.filter(|step| !agrees_with(&transfer.step(*step).state, finding))
        else {
            return Ok(agrees);
        };
        let truth = self.inquire(&transfer, step, self.clock.now()).await;
        if let Finding::Unclear { .. } = truth {
            return Ok(Handled::Later);
        }
        let Some(port) = self.provider(&item.provider) else { return Ok(agrees) };
        let mut draft = Draft::resume(transfer, self.clock.now());
        draft.learn(step, truth, port.rules.policy());
        let Some(decision) = draft.finish() else {
            return Ok(Handled::Noted(format!(
                "contradicts transfer {id}, and the provider does not"
            )));
        };
        let change = Change { decision, due: None, key: None, handles: Some(item.id) };
        match self.commit_at_points(change).await {
            Ok(()) => Ok(Handled::WithTransfer),
            Err(CommitError::Store(error)) => Err(error),
            Err(_) => Ok(Handled::Later),
        }
    }

    /// A payment that a customer started at the wallet.
    async fn handle_payment(
        self: &Arc<Self>,
        item: &InboxItem,
        port: &ProviderPort,
        notice: PaymentNotice,
    ) -> Result<Handled, StoreError> {
        let Some(receipt) = notice.receipt.clone() else {
            return Ok(Handled::Quarantine("a payment without a receipt".to_owned()));
        };
        if let Some(owner) = self.store.by_receipt(&item.provider, &receipt).await? {
            return self.compare_with_known(&notice, &receipt, owner).await;
        }
        let truth = if port.provider.capabilities().confirms_payments {
            match port.provider.confirm(&notice).await {
                PaymentFinding::Made(truth) => truth,
                PaymentFinding::NotMade { why } => return Ok(Handled::Quarantine(why)),
                PaymentFinding::Absent => return Ok(self.absent_payment(item, port)),
                PaymentFinding::NotYet | PaymentFinding::Unclear { .. } => {
                    return Ok(Handled::Later);
                }
            }
        } else {
            notice.clone()
        };
        if truth.receipt.as_ref() != Some(&receipt) || truth.amount != notice.amount {
            let reason = format!(
                "the notice names {receipt} and {}, the provider {}",
                notice.amount, truth.amount
            );
            return Ok(Handled::Quarantine(reason));
        }
        if let Some(reference) = truth.reference {
            let finding = Finding::unclear("a notification");
            return self.hint(item, reference.transfer(), Some(reference.step()), &finding).await;
        }
        if item.attempts < self.options.notice_waits_max
            && self.is_being_collected(item, &truth).await?
        {
            return Ok(Handled::Later);
        }
        self.receive_payment(item, port, truth, receipt).await
    }

    /// Another notice of a payment that is known. Where the provider cannot confirm what it says, a
    /// forged one may have come first: if they differ, a person must look.
    async fn compare_with_known(
        &self,
        notice: &PaymentNotice,
        receipt: &Receipt,
        owner: TransferId,
    ) -> Result<Handled, StoreError> {
        let Some(transfer) = self.store.transfer(owner).await? else {
            return Ok(Handled::Later);
        };
        let instruction = transfer.instruction();
        let same_wallet = match (&notice.msisdn, &instruction.msisdn) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        let same_account = match &instruction.origin {
            Origin::Wallet { account_reference, .. } => {
                *account_reference == notice.account_reference
            }
            Origin::Api { .. } => true,
        };
        Ok(if notice.amount == instruction.amount && same_wallet && same_account {
            Handled::Noted(format!("receipt {receipt} is known: transfer {owner}"))
        } else {
            Handled::Quarantine(format!(
                "receipt {receipt} is transfer {owner}, but this notice names another amount, \
                 wallet or account: compare both with the provider's statement"
            ))
        })
    }

    /// "Not found" counts only after the indexing window, and repeatedly (rule 3).
    fn absent_payment(&self, item: &InboxItem, port: &ProviderPort) -> Handled {
        let policy = &port.rules.policy().wallet;
        let old = self.clock.now().since(item.at) >= policy.absent_after;
        if old && item.attempts >= u32::from(policy.absent_times) {
            Handled::Quarantine("the provider knows of no such payment".to_owned())
        } else {
            Handled::Later
        }
    }

    /// Whether a collection is under way that this payment may be the result of: then its own
    /// answer tells, and the notification waits for it.
    async fn is_being_collected(
        &self,
        item: &InboxItem,
        truth: &PaymentNotice,
    ) -> Result<bool, StoreError> {
        let Some(msisdn) = truth.msisdn.clone() else { return Ok(false) };
        let query = TransferQuery {
            provider: Some(item.provider.clone()),
            msisdn: Some(msisdn),
            limit: 100,
            ..TransferQuery::default()
        };
        let page = self.store.search(&query).await?;
        Ok(page.rows.iter().any(|row| {
            row.kind.is_inbound()
                && row.amount == truth.amount
                && row.wallet_receipt.is_none()
                && !row.status.is_final()
        }))
    }

    async fn receive_payment(
        self: &Arc<Self>,
        item: &InboxItem,
        port: &ProviderPort,
        truth: PaymentNotice,
        receipt: Receipt,
    ) -> Result<Handled, StoreError> {
        let accounts = port.rules.resolve(&truth.account_reference, truth.msisdn.as_ref());
        let kind = accounts
            .iter()
            .find_map(|account| account.kind)
            .map_or(Kind::Deposit, Kind::inbound_for);
        let instruction = Instruction {
            id: self.new_id(),
            kind,
            provider: item.provider.clone(),
            core: port.rules.core().clone(),
            msisdn: truth.msisdn,
            accounts,
            amount: truth.amount,
            client_reference: None,
            note: None,
            origin: Origin::Wallet { receipt, account_reference: truth.account_reference },
        };
        let now = self.clock.now();
        let draft = Draft::receive(instruction, now);
        let transfer = draft.transfer().clone();
        let Some(decision) = draft.finish() else { return Ok(Handled::Later) };
        let due = Some(self.lease_if_room(now));
        let change = Change { decision, due, key: None, handles: Some(item.id) };
        match self.commit_at_points(change).await {
            Ok(()) => {
                self.dispatch_new(transfer);
                Ok(Handled::WithTransfer)
            }
            Err(CommitError::ReceiptTaken { owner, .. }) => {
                Ok(Handled::Noted(format!("its receipt is known: transfer {owner}")))
            }
            Err(CommitError::AlreadyHandled) => Ok(Handled::WithTransfer),
            Err(CommitError::Store(error)) => Err(error),
            Err(_) => Ok(Handled::Later),
        }
    }

    /// Whether we would take a payment that a customer is about to start.
    async fn validate(&self, port: &ProviderPort, notice: &PaymentNotice) -> Verdict {
        let at = self.clock.now();
        let Some(core) = self.core(port.rules.core()) else {
            return Verdict::Refused("not available".to_owned());
        };
        for account in port.rules.resolve(&notice.account_reference, notice.msisdn.as_ref()) {
            let check =
                AccountCheck { account, booking: None, amount: notice.amount, holder: None, at };
            match core.core.check(&check).await {
                // A core that does not answer must not turn a customer away: suspense catches it.
                CheckAnswer::Allowed(_) | CheckAnswer::Unclear { .. } => return Verdict::Accepted,
                CheckAnswer::Refused(_) => {}
            }
        }
        Verdict::Refused("no such account".to_owned())
    }

    fn lease_if_room(&self, now: Timestamp) -> Timestamp {
        if self.room_for_one_more() { now.after(self.lease()) } else { now }
    }
}

/// Whether what a callback claims is what is known.
fn agrees_with(state: &StepState, finding: &Finding) -> bool {
    match (state, finding) {
        (StepState::Done(known), Finding::Executed(claimed)) => known.receipt == claimed.receipt,
        (StepState::Rejected(_), Finding::Refused(_))
        | (_, Finding::InProgress(_) | Finding::Unclear { .. } | Finding::Absent) => true,
        _ => false,
    }
}

const fn receipt_of(finding: &Finding) -> Option<&Receipt> {
    match finding {
        Finding::Executed(confirmation) | Finding::Reversed(confirmation) => {
            Some(&confirmation.receipt)
        }
        _ => None,
    }
}

/// What makes two arrivals the same one.
fn digest(callback: &RawCallback) -> String {
    use std::fmt::Write as _;
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in [callback.method.as_bytes(), callback.path.as_bytes(), &callback.body] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
