//! Checks each core: login, permissions, settings, and what rules and mappings name in it.

use std::sync::Arc;

use kiungo_core_banking::{Core as _, ProbeError};
use kiungo_core_fineract::Requests;
use kiungo_domain::CoreId;
use kiungo_engine::TrafficOptions;

use super::clock;
use super::finding::Finding;
use crate::components::{AssembledCore, Assembly};
use crate::config::Config;

pub(super) async fn examine(config: &Config, assembly: &Assembly, findings: &mut Vec<Finding>) {
    for (id, core) in &assembly.cores {
        let subject = format!("core {id}");
        match core.core.probe().await {
            Ok(seen) => {
                findings.extend(seen.into_iter().map(|it| Finding::observed(&subject, it)));
                payment_types(id, core, assembly, findings).await;
                requests(config, id, core, findings).await;
            }
            Err(ProbeError::Unavailable(why)) => {
                let advice = format!(
                    "check that the core runs, and that {} is reached from here",
                    core.base_url
                );
                findings.push(Finding::failed("core_unreachable", &subject, why, advice));
            }
            Err(ProbeError::Repair(why)) => {
                let advice = "change the core, or [cores.fineract] and its secrets";
                findings.push(Finding::failed("core_settings", &subject, why, advice));
            }
        }
        findings.push(pace(&subject, &core.traffic));
        findings.push(clock::examine(&subject, core.transport.as_ref(), &core.base_url).await);
    }
}

/// Requests to the core of one transfer, where nothing has to be asked again: the check of the
/// account, and the booking.
const REQUESTS_OF_A_TRANSFER: u32 = 2;

/// The most transfers that the limits of a core's traffic let through: they bound everything that
/// is booked there.
fn pace(subject: &str, traffic: &TrafficOptions) -> Finding {
    let at_once = traffic.in_flight_max;
    let found = match traffic.per_second_max {
        Some(requests) => format!(
            "{requests} requests a second and {at_once} at once: up to {} transfers a second in each process \
             (cores.traffic.per_second_max, in_flight_max)",
            (requests / REQUESTS_OF_A_TRANSFER).max(1)
        ),
        None => format!("{at_once} requests at once in each process (cores.traffic.in_flight_max)"),
    };
    Finding::ok("core_pace", subject, found)
}

/// The payment types that mappings name for this core.
async fn payment_types(
    id: &CoreId,
    core: &AssembledCore,
    assembly: &Assembly,
    findings: &mut Vec<Finding>,
) {
    for (name, provider) in &assembly.providers {
        let of_this_core = provider.link.rules.core() == id;
        let Some(payment_type) = provider.mapping.payment_type(id).filter(|_| of_this_core) else {
            continue;
        };
        let subject = format!("provider {name}");
        findings.push(match core.core.payment_type(payment_type).await {
            Ok(observation) => Finding::observed(&subject, observation),
            Err(error) => {
                let advice = "look for the finding about the core";
                Finding::warning("payment_type_unread", &subject, error.to_string(), advice)
            }
        });
    }
}

/// The data tables and columns that the rules of its requests name.
async fn requests(config: &Config, id: &CoreId, core: &AssembledCore, findings: &mut Vec<Finding>) {
    let configured = config.cores.iter().find(|configured| configured.id == *id);
    let Some(requests) = configured.and_then(|configured| configured.requests.as_ref()) else {
        return;
    };
    let reader = Requests::new(Arc::clone(&core.core), requests.sources.clone());
    let subject = format!("core {id}, requests");
    let seen = reader.examine().await.into_iter();
    findings.extend(seen.map(|observation| Finding::observed(&subject, observation)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_of_a_core_is_told_in_transfers_with_the_setting_that_bounds_it() {
        let traffic = TrafficOptions {
            in_flight_max: 16,
            per_second_max: Some(200),
            ..TrafficOptions::default()
        };
        let found = pace("core main", &traffic).found;
        assert!(found.contains("up to 100 transfers a second"), "{found}");
        assert!(found.contains("cores.traffic.per_second_max"), "{found}");
        let unbounded = TrafficOptions { per_second_max: None, ..traffic };
        assert!(pace("core main", &unbounded).found.contains("16 requests at once"));
    }
}
