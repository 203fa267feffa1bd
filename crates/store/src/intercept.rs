//! A store whose calls are seen, delayed or failed on their way, by whoever tests or measures.

use std::future::{Future, ready};
use std::sync::Arc;

use async_trait::async_trait;
use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{Entry, Operation, Posting};
use kiungo_domain::{CoreId, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId};

use crate::{
    Action, ActionId, ActionQuery, ActionStore, ArchiveStore, Arrival, CaseRow, Change,
    CollectionQuery, CommitError, CoreRequestQuery, CoreRequestRow, CoreRequestStore, Cursor,
    DueStore, Health, Hold, HoldStore, InboxId, InboxItem, InboxState, InboxStore, KeyHolder,
    Lease, LeaseStore, LedgerBalance, NewArrival, OutboxRow, OutboxStore, Overview, Page, Reports,
    Store, StoreError, Summary, TransferCommits, TransferQuery, TransferStore,
};

/// An interceptor between a store and its callers.
pub trait Interceptor: Send + Sync + 'static {
    /// The data of a call that [`Interceptor::before`] hands to [`Interceptor::after`].
    type Kept: Send;

    /// Runs before a call reaches the store. The call does not reach it if this fails.
    fn before(
        &self,
        call: &Call<'_>,
    ) -> impl Future<Output = Result<Self::Kept, StoreError>> + Send;

    /// Runs once the store has answered, and before the caller has the answer. If this fails, the
    /// answer is lost.
    fn after(
        &self,
        _kept: Self::Kept,
        _answer: Answer<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(Ok(()))
    }
}

/// The answer of the store, as far as an interceptor needs it.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// The store did what it was asked.
    Done,
    /// The store has read these rows of its outbox.
    OutboxRows(&'a [OutboxRow]),
    /// The store refused, or failed.
    Failed,
}

/// A store with its interceptor.
pub struct Intercepted<I> {
    store: Arc<dyn Store>,
    interceptor: Arc<I>,
}

impl<I: Interceptor> Intercepted<I> {
    /// The store as its callers see it past the interceptor.
    pub fn over(store: Arc<dyn Store>, interceptor: &Arc<I>) -> Arc<dyn Store> {
        Arc::new(Self { store, interceptor: Arc::clone(interceptor) })
    }
}

/// Makes the calls, and passes each of them on. A call shows the argument that it names; an answer
/// shows the rows if it says so.
macro_rules! calls {
    ($($subject:ident {
        $($call:ident $(($shown:ident: $type_shown:ty))?
            = $method:ident($($argument:ident: $type:ty),*) -> $answer:ty $(=> $rows:ident)?;)+
    })+) => {
        /// A call of a store.
        #[derive(Debug, Clone, Copy)]
        pub enum Call<'a> {
            $($(
                #[doc = concat!("[`", stringify!($subject), "::", stringify!($method), "`].")]
                $call $((&'a $type_shown))?,
            )+)+
        }

        $(
            #[async_trait]
            impl<I: Interceptor> $subject for Intercepted<I> {
                $(
                    async fn $method(&self, $($argument: $type),*) -> $answer {
                        let call = Call::$call $((&$shown))?;
                        let kept = self.interceptor.before(&call).await?;
                        let answer = self.store.$method($($argument),*).await;
                        self.interceptor.after(kept, calls!(@seen answer $($rows)?)).await?;
                        answer
                    }
                )+
            }
        )+
    };
    (@seen $answer:ident) => {
        if $answer.is_ok() { Answer::Done } else { Answer::Failed }
    };
    (@seen $answer:ident $rows:ident) => {
        $answer.as_ref().map_or(Answer::Failed, |rows| Answer::$rows(rows))
    };
}

type Answered<T> = Result<T, StoreError>;

calls! {
    TransferCommits {
        Commit(change: Change) = commit(change: Change) -> Result<(), CommitError>;
    }
    TransferStore {
        Transfer = transfer(id: TransferId) -> Answered<Option<Transfer>>;
        Journal = journal(id: TransferId) -> Answered<Vec<Entry>>;
        Postings = postings(id: TransferId) -> Answered<Vec<Posting>>;
        Summary = summary(id: TransferId) -> Answered<Option<Summary>>;
        ByReceipt = by_receipt(provider: &ProviderId, receipt: &Receipt)
            -> Answered<Option<TransferId>>;
        KeyHolder = key_holder(client: &str, key: &str) -> Answered<Option<KeyHolder>>;
        Collections = collections(query: &CollectionQuery) -> Answered<Vec<TransferId>>;
        HoldingAccounts = holding_accounts() -> Answered<Vec<Summary>>;
    }
    Reports {
        Search = search(query: &TransferQuery) -> Answered<Page<Summary>>;
        Cases = cases(cursor: Option<&Cursor>, limit: u32) -> Answered<Page<CaseRow>>;
        Ledger = ledger() -> Answered<Vec<LedgerBalance>>;
        Overview = overview(now: Timestamp) -> Answered<Overview>;
    }
    DueStore {
        Due = due(now: Timestamp, limit: u32) -> Answered<Vec<(TransferId, Timestamp)>>;
        NextDue = next_due() -> Answered<Option<Timestamp>>;
        Postpone = postpone(id: TransferId, version: u64, due: Timestamp) -> Answered<()>;
        TakeDue = take_due(now: Timestamp, until: Timestamp, limit: u32)
            -> Answered<Vec<(TransferId, Slot)>>;
        PullDue = pull_due(now: Timestamp) -> Answered<()>;
    }
    InboxStore {
        Arrive(arrival: NewArrival) = arrive(arrival: NewArrival) -> Answered<Arrival>;
        Arrived = arrived(provider: &ProviderId, digest: &str) -> Answered<Option<InboxItem>>;
        InboxDue = inbox_due(now: Timestamp, limit: u32) -> Answered<Vec<InboxItem>>;
        InboxItem = inbox_item(id: InboxId) -> Answered<Option<InboxItem>>;
        SetInboxState = set_inbox_state(id: InboxId, state: InboxState) -> Answered<()>;
        DecideInboxState = decide_inbox_state(id: InboxId, state: InboxState) -> Answered<bool>;
        TakeInboxDue = take_inbox_due(now: Timestamp, until: Timestamp, limit: u32)
            -> Answered<Vec<InboxId>>;
    }
    OutboxStore {
        OutboxRows = outbox_rows(limit: u32) -> Answered<Vec<OutboxRow>> => OutboxRows;
        MarkPublished(numbers: [i64]) = mark_published(numbers: &[i64]) -> Answered<()>;
    }
    LeaseStore {
        TakeLease = take_lease(name: &str, holder: &str, now: Timestamp, until: Timestamp)
            -> Answered<bool>;
        ReleaseLease = release_lease(name: &str, holder: &str) -> Answered<()>;
        Leases = leases(prefix: &str, now: Timestamp) -> Answered<Vec<Lease>>;
    }
    HoldStore {
        PutHold = put_hold(hold: Hold) -> Answered<()>;
        ReleaseHold = release_hold(provider: &ProviderId, operation: Operation, condition: Condition)
            -> Answered<bool>;
        Holds = holds() -> Answered<Vec<Hold>>;
    }
    ActionStore {
        PutAction(action: Action) = put_action(action: Action) -> Answered<bool>;
        Action = action(id: ActionId) -> Answered<Option<Action>>;
        Actions = actions(query: &ActionQuery) -> Answered<Page<Action>>;
    }
    CoreRequestStore {
        PutCoreRequest = put_core_request(row: CoreRequestRow) -> Answered<bool>;
        CoreRequest = core_request(core: &CoreId, request: &str) -> Answered<Option<CoreRequestRow>>;
        KnownCoreRequests = known_core_requests(core: &CoreId, requests: &[String])
            -> Answered<Vec<CoreRequestRow>>;
        AcceptedCoreRequests = accepted_core_requests(core: &CoreId, limit: u32)
            -> Answered<Vec<CoreRequestRow>>;
        CoreRequests = core_requests(query: &CoreRequestQuery) -> Answered<Page<CoreRequestRow>>;
    }
    ArchiveStore {
        Archive = archive(before: Timestamp, limit: u32) -> Answered<u64>;
    }
    Health {
        Ping = ping() -> Answered<()>;
    }
}
