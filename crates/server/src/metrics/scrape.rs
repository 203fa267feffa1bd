//! The present state, as a scrape reads it from the store and the engine.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use kiungo_domain::transfer::Status;
use kiungo_domain::{Kind, Money, Timestamp};
use kiungo_engine::request::{BreakerState, ProviderStatus};
use kiungo_store::Overview;

use super::table::{METRICS, Metric};

/// Writes the version of the program.
pub(super) fn write_version(text: &mut String) -> fmt::Result {
    head(text, "kiungo_build_info")?;
    writeln!(text, "kiungo_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))
}

/// Writes the state of the store. Without an overview, only that it did not answer: a graph
/// shows a gap then, and no old value.
pub(super) fn write_store(
    text: &mut String,
    overview: Option<&Overview>,
    providers: &[ProviderStatus],
    now: Timestamp,
) -> fmt::Result {
    gauge(text, "kiungo_store_up", u64::from(overview.is_some()))?;
    let Some(overview) = overview else { return Ok(()) };
    write_transfers(text, overview, providers)?;
    gauge(text, "kiungo_transfers_open", overview.open)?;
    gauge(text, "kiungo_queue_depth", overview.due)?;
    let age = |since: Option<Timestamp>| since.map_or(0, |since| now.since(since).as_secs());
    gauge(text, "kiungo_oldest_open_age_seconds", age(overview.oldest_open))?;
    gauge(text, "kiungo_oldest_unknown_age_seconds", age(overview.oldest_unknown))?;
    write_suspense(text, overview, providers)?;
    gauge(text, "kiungo_inbox_waiting", overview.inbox_waiting)?;
    gauge(text, "kiungo_inbox_quarantined", overview.quarantined)
}

fn write_transfers(
    text: &mut String,
    overview: &Overview,
    providers: &[ProviderStatus],
) -> fmt::Result {
    let mut counts = BTreeMap::new();
    for provider in providers {
        for kind in Kind::ALL {
            for status in Status::ALL {
                counts.insert((kind.as_str(), provider.id.as_str(), status.as_str()), 0);
            }
        }
    }
    for (kind, provider, status, count) in &overview.transfers {
        counts.insert((kind.as_str(), provider.as_str(), status.as_str()), *count);
    }
    head(text, "kiungo_transfers")?;
    for ((kind, provider, status), count) in counts {
        writeln!(
            text,
            "kiungo_transfers{{kind=\"{kind}\",provider=\"{provider}\",status=\"{status}\"}} {count}"
        )?;
    }
    Ok(())
}

fn write_suspense(
    text: &mut String,
    overview: &Overview,
    providers: &[ProviderStatus],
) -> fmt::Result {
    let mut amounts = BTreeMap::new();
    for provider in providers {
        let none = Money::zero(provider.currency).to_decimal();
        amounts.insert((provider.id.as_str(), provider.currency.code()), none);
    }
    for (provider, currency, minor) in &overview.suspense {
        let sign = if *minor < 0 { "-" } else { "" };
        let amount = minor.checked_abs().and_then(|minor| Money::from_minor(minor, *currency));
        let amount = amount.unwrap_or(Money::zero(*currency)).to_decimal();
        amounts.insert((provider.as_str(), currency.code()), format!("{sign}{amount}"));
    }
    head(text, "kiungo_suspense_amount")?;
    for ((provider, currency), amount) in amounts {
        writeln!(
            text,
            "kiungo_suspense_amount{{provider=\"{provider}\",currency=\"{currency}\"}} {amount}"
        )?;
    }
    Ok(())
}

/// Writes the state of the providers, as the engine reports it.
pub(super) fn write_providers(text: &mut String, providers: &[ProviderStatus]) -> fmt::Result {
    head(text, "kiungo_breaker_state")?;
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
    head(text, "kiungo_operation_held")?;
    for hold in providers.iter().flat_map(|provider| &provider.holds) {
        writeln!(
            text,
            "kiungo_operation_held{{provider=\"{}\",operation=\"{}\",condition=\"{}\"}} 1",
            hold.provider,
            hold.operation.as_str(),
            hold.condition.as_str()
        )?;
    }
    head(text, "kiungo_provider_in_flight")?;
    for provider in providers {
        let (id, count) = (&provider.id, provider.in_flight);
        writeln!(text, "kiungo_provider_in_flight{{provider=\"{id}\"}} {count}")?;
    }
    Ok(())
}

/// Writes the meaning of each metric that has no value yet, so that every name can be found.
pub(super) fn write_silent(text: &mut String) -> fmt::Result {
    for metric in METRICS {
        if !text.contains(&format!("# TYPE {} ", metric.name)) {
            write_head(text, metric)?;
        }
    }
    Ok(())
}

fn gauge(text: &mut String, name: &str, value: u64) -> fmt::Result {
    head(text, name)?;
    writeln!(text, "{name} {value}")
}

fn head(text: &mut String, name: &str) -> fmt::Result {
    Metric::named(name).map_or(Ok(()), |metric| write_head(text, metric))
}

fn write_head(text: &mut String, metric: &Metric) -> fmt::Result {
    let Metric { name, help, .. } = metric;
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", metric.type_word())
}
