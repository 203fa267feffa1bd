//! The questions of the server to the part that takes up the requests of cores.

use async_trait::async_trait;
use kiungo_core_banking::RawHook;
use kiungo_domain::CoreId;
use kiungo_engine::requests::{DecideError, HookError, HookResult, RequestIntake};
use kiungo_store::CoreRequestRow;

/// Takes up the requests of cores. A client may hang up at any moment, which drops the future: a
/// request that is accepted by then becomes a transfer all the same.
#[async_trait]
pub trait CoreRequestService: Send + Sync {
    /// Takes a hook as a hint. When this returns `Ok`, what follows from it is durable.
    async fn hook(&self, core: &CoreId, hook: &RawHook) -> Result<HookResult, HookError>;

    /// Lets a request be paid, if it is at the version that was shown.
    async fn approve(
        &self,
        core: &CoreId,
        request: &str,
        shown: u64,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError>;

    /// Decides that a request is not paid, if it is at the version that was shown, where one is named.
    async fn decline(
        &self,
        core: &CoreId,
        request: &str,
        shown: Option<u64>,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError>;
}

#[async_trait]
impl CoreRequestService for RequestIntake {
    async fn hook(&self, core: &CoreId, hook: &RawHook) -> Result<HookResult, HookError> {
        Self::hook(self, core, hook).await
    }

    async fn approve(
        &self,
        core: &CoreId,
        request: &str,
        shown: u64,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        Self::approve(self, core, request, shown, by, reason).await
    }

    async fn decline(
        &self,
        core: &CoreId,
        request: &str,
        shown: Option<u64>,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        Self::decline(self, core, request, shown, by, reason).await
    }
}
