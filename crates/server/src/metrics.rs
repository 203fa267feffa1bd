//! Metrics for Prometheus.
//!
//! Two sources, one text: counts and measurements of the process, from the recorder; and the
//! present state, read from the store and the engine at each scrape. The latter is written here and
//! not kept in the recorder, where a label that no longer occurs would keep its last value for
//! ever.
//!
//! * `table`: all metrics, with their meanings and labels
//! * `overview`: the last look at the store
//! * `scrape`: writing the present state

pub(crate) mod overview;
mod scrape;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use kiungo_api::problem::Problem;
use kiungo_store::Overview;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::time::timeout;

use crate::state::Shared;

pub use table::{Known, METRICS, Metric, MetricKind, Values, announce};

/// The longest wait for the database to give an overview; scrapers give up after ten seconds.
const OVERVIEW_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds: a commit takes a millisecond, a customer's PIN a minute, an inquiry schedule hours.
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
    let overview = match timeout(OVERVIEW_TIMEOUT, state.overview.read(&*state.service)).await {
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
    // Writing to a string cannot fail.
    let _ = write_scraped(&mut text, &state, overview.as_deref());
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Writes what the recorder does not know.
fn write_scraped(text: &mut String, state: &Shared, overview: Option<&Overview>) -> fmt::Result {
    let (now, providers) = (state.service.clock_now(), state.service.providers());
    scrape::write_version(text)?;
    scrape::write_store(text, overview, &providers, now)?;
    scrape::write_providers(text, &providers)?;
    scrape::write_silent(text)
}
