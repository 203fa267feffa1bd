//! Checks each core: login, permissions, settings, and what rules and mappings name in it.

use std::sync::Arc;

use kiungo_core_banking::{Core as _, ProbeError};
use kiungo_core_fineract::Requests;
use kiungo_domain::CoreId;

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
        findings.push(clock::examine(&subject, core.transport.as_ref(), &core.base_url).await);
    }
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
