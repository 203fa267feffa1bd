//! Metrics for Prometheus.
//!
//! Two sources, one text: counts and measurements of the process, from the recorder; and the
//! present state, read from the store and the engine at each scrape. The latter is written here and
//! not kept in the recorder, where a label that no longer occurs would keep its last value for
//! ever.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use kiungo_api::problem::Problem;
use kiungo_domain::{Money, Timestamp};
use kiungo_engine::request::{BreakerState, ProviderStatus};
use kiungo_store::{Overview, StoreError};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::state::Shared;

/// The largest age of an overview: many scrapers cost the database no more than one.
const OVERVIEW_AGE_MAX: Duration = Duration::from_secs(1);
/// The longest wait for the database to give an overview; scrapers give up after ten seconds.
const OVERVIEW_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds: a commit takes a millisecond, a customer's PIN a minute, an inquiry ladder hours.
const SECONDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0,
];

/// A recorder's builder with the buckets of every `…_seconds` measure of the product. The process
/// installs what it builds, and gives its handle to [`crate::ServerState::new`].
pub fn builder() -> PrometheusBuilder {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    // Fails only for an empty list; without buckets a measure would be a summary.
    PrometheusBuilder::new().set_buckets_for_metric(seconds, SECONDS).unwrap_or_default()
}

/// The last overview.
#[derive(Default)]
pub(crate) struct OverviewCache(Mutex<Option<(Instant, Arc<Overview>)>>);

impl OverviewCache {
    /// An overview that is at most [`OVERVIEW_AGE_MAX`] old. Concurrent scrapes share one reading.
    async fn read(&self, state: &Shared) -> Result<Arc<Overview>, StoreError> {
        let mut cached = self.0.lock().await;
        if let Some((at, overview)) = &*cached
            && at.elapsed() < OVERVIEW_AGE_MAX
        {
            return Ok(Arc::clone(overview));
        }
        let overview = Arc::new(state.service.store().overview(state.service.clock_now()).await?);
        *cached = Some((Instant::now(), Arc::clone(&overview)));
        Ok(overview)
    }
}

/// Shows metrics in Prometheus' text form.
///
/// Needs the role `read`, unless the configuration opens it.
#[utoipa::path(
    get, path = "/metrics", tag = "Health",
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics(State(state): State<Arc<Shared>>) -> Result<Response, Problem> {
    state.prometheus.run_upkeep();
    let mut text = state.prometheus.render();
    let overview = match timeout(OVERVIEW_TIMEOUT, state.overview.read(&state)).await {
        Ok(Ok(overview)) => Some(overview),
        Ok(Err(error)) => {
            tracing::warn!(error.message = %error, "the store gave no overview for the metrics");
            None
        }
        Err(_) => {
            tracing::warn!("the store was too slow with an overview for the metrics");
            None
        }
    };
    let now = state.service.clock_now();
    // Writing to a string cannot fail.
    let _ = write_state(&mut text, overview.as_deref(), now);
    let _ = write_providers(&mut text, &state.service.providers());
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Writes the state of the store. Without an overview, only that it did not answer: a gap in a
/// graph is honest, an old value is not.
fn write_state(text: &mut String, overview: Option<&Overview>, now: Timestamp) -> fmt::Result {
    head(text, "kiungo_store_up", "Whether the store answered this scrape")?;
    writeln!(text, "kiungo_store_up {}", u8::from(overview.is_some()))?;
    let Some(overview) = overview else { return Ok(()) };
    head(text, "kiungo_transfers", "Transfers by kind, provider and status")?;
    for (kind, provider, status, count) in &overview.transfers {
        let (kind, status) = (kind.as_str(), status.as_str());
        writeln!(
            text,
            "kiungo_transfers{{kind=\"{kind}\",provider=\"{provider}\",status=\"{status}\"}} {count}"
        )?;
    }
    gauge(text, "kiungo_transfers_open", "Transfers that are not final", overview.open)?;
    gauge(text, "kiungo_queue_depth", "Transfers whose due time has passed", overview.due)?;
    let age = overview.oldest_open.map_or(0, |oldest| now.since(oldest).as_secs());
    let help = "Seconds since the oldest transfer that is not final was received";
    gauge(text, "kiungo_oldest_open_age_seconds", help, age)?;
    let age = overview.oldest_unknown.map_or(0, |oldest| now.since(oldest).as_secs());
    let help = "Seconds since the oldest operation with an unknown outcome became one";
    gauge(text, "kiungo_oldest_unknown_age_seconds", help, age)?;
    head(text, "kiungo_suspense_amount", "Suspended money, in the currency's own unit")?;
    for (provider, currency, minor) in &overview.suspense {
        let sign = if *minor < 0 { "-" } else { "" };
        let amount = minor.checked_abs().and_then(|minor| Money::from_minor(minor, *currency));
        let amount = amount.unwrap_or(Money::zero(*currency)).to_decimal();
        writeln!(
            text,
            "kiungo_suspense_amount{{provider=\"{provider}\",currency=\"{currency}\"}} {sign}{amount}"
        )?;
    }
    let help = "What arrived and waits to be handled";
    gauge(text, "kiungo_inbox_waiting", help, overview.inbox_waiting)?;
    let help = "What arrived and is kept for a person";
    gauge(text, "kiungo_inbox_quarantined", help, overview.quarantined)
}

/// Writes the state of the providers, as the engine reports it.
fn write_providers(text: &mut String, providers: &[ProviderStatus]) -> fmt::Result {
    let help = "Whether the breaker is in this state: 1 for the one that it is in";
    head(text, "kiungo_breaker_state", help)?;
    for provider in providers {
        for state in [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen] {
            writeln!(
                text,
                "kiungo_breaker_state{{provider=\"{}\",state=\"{}\"}} {}",
                provider.id,
                state.as_str(),
                u8::from(provider.breaker == state)
            )?;
        }
    }
    head(text, "kiungo_operation_held", "1 for an operation of a provider that is held")?;
    for hold in providers.iter().flat_map(|provider| &provider.holds) {
        writeln!(
            text,
            "kiungo_operation_held{{provider=\"{}\",operation=\"{}\",condition=\"{}\"}} 1",
            hold.provider,
            hold.operation.as_str(),
            hold.condition.as_str()
        )?;
    }
    head(text, "kiungo_provider_in_flight", "Operations in flight at a provider")?;
    for provider in providers {
        let (id, count) = (&provider.id, provider.in_flight);
        writeln!(text, "kiungo_provider_in_flight{{provider=\"{id}\"}} {count}")?;
    }
    Ok(())
}

fn gauge(text: &mut String, name: &str, help: &str, value: u64) -> fmt::Result {
    head(text, name, help)?;
    writeln!(text, "{name} {value}")
}

fn head(text: &mut String, name: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge")
}
