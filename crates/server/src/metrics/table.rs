//! Every metric of the product, with its kind, its unit, its meaning and its labels: one table, from
//! which each is described, begins at 0 where its labels are known before anything happens, and is
//! checked against the places that record it.

use std::collections::BTreeSet;

use kiungo_domain::Kind as TransferKind;
use kiungo_domain::transfer::{Status, StepName};
use kiungo_store::CoreRequestState;
use metrics::{Label, Unit, counter, gauge};

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricKind,
    /// The unit of its value.
    pub unit: Unit,
    /// Its meaning, in one line.
    pub help: &'static str,
    /// Its labels, each with the values that it can have.
    pub labels: &'static [(&'static str, Values)],
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Counted as it happens.
    Counter,
    /// Set as it changes.
    Gauge,
    /// Measured as it happens, in buckets.
    Histogram,
    /// A gauge that is read anew at each scrape.
    Scraped,
}

/// The values that a label can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// The configured providers.
    Providers,
    /// The configured cores.
    Cores,
    /// The types of commands, and `unreadable`.
    Commands,
    /// The kinds of transfers.
    Kinds,
    /// The statuses of transfers.
    Statuses,
    /// The operations of transfers.
    Operations,
    /// The states of the requests of cores.
    CoreRequests,
    /// These words.
    Words(&'static [&'static str]),
    /// Values that are seen only when they occur.
    Open,
}

/// The names that an installation has, and that labels can take.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The configured providers.
    pub providers: Vec<String>,
    /// The configured cores.
    pub cores: Vec<String>,
    /// The types of commands; none where there is no broker.
    pub commands: Vec<String>,
}

const fn metric(
    kind: MetricKind,
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, Values)],
) -> Metric {
    Metric { name, kind, unit: Unit::Count, help, labels }
}

const fn counted(
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, Values)],
) -> Metric {
    metric(MetricKind::Counter, name, help, labels)
}

const fn gauged(name: &'static str, help: &'static str) -> Metric {
    metric(MetricKind::Gauge, name, help, &[])
}

const fn scraped(
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, Values)],
) -> Metric {
    metric(MetricKind::Scraped, name, help, labels)
}

const fn measured(
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, Values)],
) -> Metric {
    metric(MetricKind::Histogram, name, help, labels).in_unit(Unit::Seconds)
}

const PROVIDER: (&str, Values) = ("provider", Values::Providers);
const CORE: (&str, Values) = ("core", Values::Cores);
const KIND: (&str, Values) = ("kind", Values::Kinds);
const STATUS: (&str, Values) = ("status", Values::Statuses);
const OPERATION: (&str, Values) = ("operation", Values::Operations);
const YES_OR_NO: Values = Values::Words(&["yes", "no"]);

/// All metrics, those first that say how things stand.
pub const METRICS: &[Metric] = &[
    scraped(
        "kiungo_build_info",
        "1, with the version of the program as a label",
        &[("version", Values::Open)],
    ),
    scraped("kiungo_store_up", "1 if the store answered this scrape, 0 otherwise", &[]),
    scraped(
        "kiungo_transfers",
        "Transfers by kind, provider and status",
        &[KIND, PROVIDER, STATUS],
    ),
    scraped("kiungo_transfers_open", "Transfers that are not final", &[]),
    scraped("kiungo_queue_depth", "Transfers whose due time has passed", &[]),
    scraped(
        "kiungo_oldest_open_age_seconds",
        "Seconds since the oldest transfer that is not final was received",
        &[],
    )
    .in_unit(Unit::Seconds),
    scraped(
        "kiungo_oldest_unknown_age_seconds",
        "Seconds since the oldest operation with an unknown outcome became one",
        &[],
    )
    .in_unit(Unit::Seconds),
    scraped(
        "kiungo_suspense_amount",
        "Suspended money, in the currency's own unit",
        &[PROVIDER, ("currency", Values::Open)],
    ),
    scraped("kiungo_inbox_waiting", "Messages of providers that wait to be handled", &[]),
    scraped("kiungo_inbox_quarantined", "Messages of providers that are kept for a person", &[]),
    scraped(
        "kiungo_breaker_state",
        "1 for the state that the breaker of the provider is in, 0 for the others",
        &[PROVIDER, ("state", Values::Words(&["closed", "open", "half_open"]))],
    ),
    scraped(
        "kiungo_operation_held",
        "1 for an operation of a provider that is held; none for one that is not",
        &[PROVIDER, ("operation", Values::Open), ("condition", Values::Open)],
    ),
    scraped("kiungo_provider_in_flight", "Operations in flight at a provider", &[PROVIDER]),
    counted(
        "kiungo_transfers_total",
        "Changes of a transfer's status, by the new one",
        &[PROVIDER, KIND, STATUS],
    ),
    measured(
        "kiungo_transfer_seconds",
        "Time from receiving a transfer to its end",
        &[KIND, STATUS],
    ),
    counted(
        "kiungo_attempts_total",
        "Operations that were sent, by their outcome",
        &[
            PROVIDER,
            OPERATION,
            (
                "outcome",
                Values::Words(&["completed", "pending", "rejected", "not_sent", "unknown"]),
            ),
        ],
    ),
    measured(
        "kiungo_operation_seconds",
        "Time from sending an operation to its answer",
        &[PROVIDER, OPERATION],
    ),
    counted(
        "kiungo_inquiries_total",
        "Inquiries about an operation; answered if the other side stated its outcome",
        &[PROVIDER, OPERATION, ("answered", YES_OR_NO)],
    ),
    counted(
        "kiungo_callbacks_total",
        "Messages that came to a provider's address",
        &[PROVIDER, ("outcome", Values::Words(&["stored", "unknown_provider", "not_stored"]))],
    ),
    counted(
        "kiungo_callbacks_quarantined_total",
        "Messages of a provider that could not be read, and are kept for a person",
        &[PROVIDER],
    ),
    counted(
        "kiungo_payments_refused_total",
        "Payments that were refused when the provider asked",
        &[PROVIDER],
    ),
    counted(
        "kiungo_payments_told_total",
        "Times that a provider was notified of the outcome of its payment",
        &[PROVIDER, ("outcome", Values::Words(&["taken", "not_taken"]))],
    ),
    counted(
        "kiungo_unexpected_fees_total",
        "Fees that a provider states otherwise than its mapping expects",
        &[PROVIDER],
    ),
    counted(
        "kiungo_unreadable_details_total",
        "Details that decide nothing, could not be read, and were left out",
        &[PROVIDER, ("detail", Values::Words(&["fee", "time", "text"]))],
    ),
    counted(
        "kiungo_hooks_total",
        "Hooks of a core",
        &[CORE, ("outcome", Values::Words(&["taken_up", "noted", "ignored", "not_taken_up"]))],
    ),
    counted(
        "kiungo_core_requests_total",
        "Changes of a core's request for a payout, by the new state",
        &[CORE, ("state", Values::CoreRequests)],
    ),
    counted(
        "kiungo_accounts_held_elsewhere_total",
        "Decisions that waited because another process holds the account",
        &[],
    ),
    counted("kiungo_decisions_stale_total", "Decisions that another process was quicker with", &[]),
    counted("kiungo_announced_total", "Work that was announced through the broker", &[]),
    counted(
        "kiungo_announcements_put_off_total",
        "Work that could not be announced, and waits in the database until it is due",
        &[],
    ),
    counted(
        "kiungo_deliveries_total",
        "Work that the broker delivered",
        &[("redelivered", YES_OR_NO)],
    ),
    counted(
        "kiungo_commands_total",
        "Commands that came through the broker, by their result",
        &[
            ("type", Values::Commands),
            ("result", Values::Words(&["accepted", "replayed", "rejected", "later"])),
        ],
    ),
    counted("kiungo_events_published_total", "Events that the broker confirmed", &[]),
    counted("kiungo_events_unheard_total", "Events that no queue was bound for", &[]),
    gauged("kiungo_events_waiting", "Events of the last look that waited, one batch at most"),
    measured(
        "kiungo_event_lag_seconds",
        "Time from the decision to the confirmed event, the commit included",
        &[],
    ),
    measured(
        "kiungo_http_request_duration_seconds",
        "Time from a request's head to its answer",
        &[("method", Values::Open), ("route", Values::Open), ("status", Values::Open)],
    ),
    gauged("kiungo_connections", "Open connections"),
    counted(
        "kiungo_connections_shed_total",
        "Connections that were closed to make room for another",
        &[],
    ),
    counted(
        "kiungo_connections_refused_total",
        "Connections that were refused because their address has as many as it may",
        &[],
    ),
    counted(
        "kiungo_connections_too_slow_total",
        "Connections that were closed because the client was too slow",
        &[],
    ),
    counted("kiungo_accept_failures_total", "Connections that could not be accepted", &[]),
    gauged("process_resident_memory_bytes", "Resident memory of the process, in bytes")
        .in_unit(Unit::Bytes),
    gauged("process_open_fds", "Open file descriptors of the process"),
];

impl Metric {
    const fn in_unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// The metric of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// The word for its kind in Prometheus' text form.
    pub const fn type_word(&self) -> &'static str {
        match self.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge | MetricKind::Scraped => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }

    fn describe(&self) {
        let Self { name, unit, help, .. } = *self;
        match self.kind {
            MetricKind::Counter => metrics::describe_counter!(name, unit, help),
            MetricKind::Gauge => metrics::describe_gauge!(name, unit, help),
            MetricKind::Histogram => metrics::describe_histogram!(name, unit, help),
            MetricKind::Scraped => {}
        }
    }

    fn begin(&self, known: &Known) {
        for labels in self.series(known) {
            match self.kind {
                MetricKind::Counter => counter!(self.name, labels).increment(0),
                MetricKind::Gauge => gauge!(self.name, labels).set(0_u32),
                // Nothing was measured yet, and a state is read when it is asked for.
                MetricKind::Histogram | MetricKind::Scraped => {}
            }
        }
    }

    /// The labels of every series that is known before anything happens; none if a label is open.
    fn series(&self, known: &Known) -> Vec<Vec<Label>> {
        let mut all = vec![Vec::new()];
        for (name, values) in self.labels {
            let values = values.all(known);
            let with = |labels: Vec<Label>| {
                values.iter().map(move |value| {
                    let mut labels = labels.clone();
                    labels.push(Label::new(*name, value.clone()));
                    labels
                })
            };
            all = all.into_iter().flat_map(with).collect();
        }
        all
    }
}

impl Values {
    /// All values that are known.
    fn all(self, known: &Known) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Providers => known.providers.clone(),
            Self::Cores => known.cores.clone(),
            Self::Commands => known.commands.clone(),
            Self::Kinds => owned(&TransferKind::ALL.map(TransferKind::as_str)),
            Self::Statuses => owned(&Status::ALL.map(Status::as_str)),
            Self::Operations => owned(&operations()),
            Self::CoreRequests => owned(&CoreRequestState::ALL.map(CoreRequestState::as_str)),
            Self::Words(words) => owned(words),
            Self::Open => Vec::new(),
        }
    }
}

/// The operations that transfers are made of.
fn operations() -> Vec<&'static str> {
    let of = |kind: TransferKind| {
        StepName::ALL.into_iter().map(move |step| kind.operation(step).as_str())
    };
    let operations: BTreeSet<_> = TransferKind::ALL.into_iter().flat_map(of).collect();
    operations.into_iter().collect()
}

/// Describes every metric to the recorder of the process, and lets counters and gauges begin at 0, so
/// that a rise from nothing is seen as one. To be called once, when the recorder is installed.
pub fn announce(known: &Known) {
    for metric in METRICS {
        metric.describe();
        metric.begin(known);
    }
}
