//! Taking up what cores ask to be paid out: who is asked, and who asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kiungo_core_fineract::Requests;
use kiungo_domain::CoreId;
use kiungo_engine::Engine;
use kiungo_engine::requests::{RequestIntake, RequestLink, RequestTurns};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::role::ProcessRole;
use crate::components::AssembledCore;
use crate::config::Config;

/// The time for which a stop waits for the pollers, which give their turn back.
const STOPPING: Duration = Duration::from_secs(5);

/// The turns at polling, for a process that has this name among others, or is alone.
pub(super) fn turns(name: Option<&str>, role: ProcessRole) -> RequestTurns {
    match name {
        None => RequestTurns::Alone,
        Some(name) if role.works() => RequestTurns::Shared { holder: name.to_owned() },
        Some(_) => RequestTurns::Others,
    }
}

/// The intake of requests for the cores that are asked; `None` if none is.
pub(super) fn intake(
    config: &Config,
    cores: &BTreeMap<CoreId, AssembledCore>,
    engine: &Engine,
    turns: RequestTurns,
) -> Option<RequestIntake> {
    let link = |core: &crate::config::CoreConfig| {
        let requests = core.requests.as_ref()?;
        let fineract = Arc::clone(&cores.get(&core.id)?.core);
        let link = RequestLink {
            core: Arc::new(Requests::new(fineract, requests.sources.clone())),
            rules: requests.rules.clone(),
            options: requests.link,
        };
        Some((core.id.clone(), link))
    };
    let links: BTreeMap<_, _> = config.cores.iter().filter_map(link).collect();
    (!links.is_empty()).then(|| RequestIntake::new(engine.clone(), links, turns))
}

/// The secret in the hook address of each core that has one.
pub(super) fn hook_secrets(config: &Config) -> BTreeMap<CoreId, SecretString> {
    let secret = |core: &crate::config::CoreConfig| {
        let secret = core.requests.as_ref()?.hook_secret.clone()?;
        Some((core.id.clone(), secret))
    };
    config.cores.iter().filter_map(secret).collect()
}

/// The pollers, one for each core that is asked. Where only the API is served, they look when a
/// hook says so.
pub(super) struct Pollers {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Pollers {
    /// Starts them.
    pub(super) fn start(intake: Option<&RequestIntake>) -> Self {
        let pollers = Self { stop: CancellationToken::new(), tasks: TaskTracker::new() };
        for core in intake.map(RequestIntake::cores).unwrap_or_default() {
            let (stop, intake) = (pollers.stop.clone(), intake.cloned());
            pollers.tasks.spawn(async move {
                if let Some(intake) = intake {
                    intake.keep_polling(&core, &stop).await;
                }
            });
        }
        pollers.tasks.close();
        pollers
    }

    /// Stops them where they are: what they have written down is taken up at the next start.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        if tokio::time::timeout(STOPPING, self.tasks.wait()).await.is_err() {
            tracing::warn!("the pollers of cores could not give their turn back in time");
        }
    }
}
