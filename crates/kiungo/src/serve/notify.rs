//! Tells systemd about our state, where it asks (`NOTIFY_SOCKET`): nothing elsewhere.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

/// The time that a stop may take beyond its bounds before systemd kills us: closing the database.
const CLOSING: Duration = Duration::from_secs(15);

/// Says that work is taken, and from now on that we live, twice in each period of the watchdog.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
    let Some(period) = sd_notify::watchdog_enabled().filter(|period| !period.is_zero()) else {
        return;
    };
    tokio::spawn(async move {
        // A task like any other: when none gets its turn any more, this one does not either.
        let mut ticks = interval(period / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            tell(&[NotifyState::Watchdog]);
        }
    });
}

/// Says that a stop has begun and how long it may take, so that the time-out of the unit need not
/// follow the configuration.
pub(super) fn stopping(within: Duration) {
    let within = u32::try_from((within + CLOSING).as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(within)]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(error.message = %error, "systemd cannot be told: is NotifyAccess set?");
    }
}
