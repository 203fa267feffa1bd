//! Telling others when a provider stops answering this process, and when it answers again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::ProviderId;
use kiungo_engine::{BreakerState, Engine};
use kiungo_messaging::EventEncoder;
use kiungo_queue::Events;
use tokio_util::sync::CancellationToken;

/// The interval at which the breakers are looked at: people and dashboards read the result, not
/// machines.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Publishes each change until `stop`. A change that cannot be published is tried again at the next
/// look.
pub(super) async fn tell(
    engine: Engine,
    events: Arc<dyn Events>,
    encoder: EventEncoder,
    stop: CancellationToken,
) {
    let mut told: BTreeMap<ProviderId, bool> = BTreeMap::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
        for provider in engine.providers() {
            let available = provider.breaker == BreakerState::Closed;
            // A provider that has always answered is not reported.
            if told.get(&provider.id).copied().unwrap_or(true) == available {
                continue;
            }
            let event = encoder.provider(&provider.id, available, engine.clock_now());
            match events.publish(&[event]).await {
                Ok(()) => drop(told.insert(provider.id, available)),
                Err(error) => tracing::debug!(%error, "a provider's state cannot be told yet"),
            }
        }
    }
}
