//! Connecting to cores: at the start if they answer, otherwise until they do.
//!
//! Until a core has stated its abilities, the least is assumed: only its oldest routes exist, a
//! second sending might book twice, and it proves no absence, so nothing is sent to it again. This
//! is slower, and safe. The policy of every mapping reads the core's promise each time, so it is
//! right from the moment of a later connection on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kiungo_core_banking::Core as _;
use kiungo_core_fineract::Fineract;
use kiungo_domain::CoreId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::components::AssembledCore;

/// The time for which the start waits for cores. A core that is up answers in a fraction of it.
const START_WAIT: Duration = Duration::from_secs(3);
const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Connects all cores at once. A core that does not answer in time is retried in the background.
pub(super) async fn connect(cores: &BTreeMap<CoreId, AssembledCore>) {
    let mut attempts = JoinSet::new();
    for (id, core) in cores {
        let (id, core) = (id.clone(), Arc::clone(&core.core));
        attempts.spawn(async move {
            let attempt = timeout(START_WAIT, core.connect()).await;
            match attempt {
                Ok(Ok(())) => connected(&id, &core),
                Ok(Err(error)) => later(id, core, &error.to_string()),
                Err(_) => later(id, core, "no answer in time"),
            }
        });
    }
    while attempts.join_next().await.is_some() {}
}

fn connected(id: &CoreId, core: &Fineract) {
    let capabilities = core.capabilities();
    tracing::info!(
        core = %id,
        resend_is_idempotent = capabilities.resend_is_idempotent,
        "connected to the core"
    );
}

fn later(id: CoreId, core: Arc<Fineract>, why: &str) {
    tracing::error!(
        core = %id,
        error.message = why,
        "the core cannot be asked what it can do; the least is assumed until it can"
    );
    tokio::spawn(async move {
        let mut wait = RETRY_FIRST;
        loop {
            tokio::time::sleep(wait).await;
            match core.connect().await {
                Ok(()) => return connected(&id, &core),
                Err(error) => {
                    tracing::warn!(core = %id, error.message = %error, "the core still cannot be asked");
                }
            }
            wait = wait.saturating_mul(2).min(RETRY_MAX);
        }
    });
}
