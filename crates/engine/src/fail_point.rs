//! Named points at which a process may die, so that tests can make it die there.

use async_trait::async_trait;

/// A point in the life of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailPoint {
    /// A decision is made and not yet durable.
    BeforeCommit,
    /// A decision is durable and not announced yet.
    AfterCommit,
    /// An intent is durable and its request not yet sent.
    BeforeSend,
    /// The other side has answered and nothing is recorded.
    AfterSend,
}

impl FailPoint {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::BeforeCommit, Self::AfterCommit, Self::BeforeSend, Self::AfterSend];

    /// The word used in the name of a point.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeCommit => "before_commit",
            Self::AfterCommit => "after_commit",
            Self::BeforeSend => "before_send",
            Self::AfterSend => "after_send",
        }
    }
}

/// Called at every point that is reached. An implementation of a test ends the process, or never
/// returns.
#[async_trait]
pub trait FailPoints: Send + Sync {
    /// `what` is the operation that is sent, or the last event of the decision that is committed.
    async fn reached(&self, moment: FailPoint, what: &str);
}
