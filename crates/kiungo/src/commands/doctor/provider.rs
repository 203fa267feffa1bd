//! Checks each provider: session or token, account, and settings that cannot be right.

use kiungo_provider::ReadError;
use kiungo_provider::family::Doubt;

use super::clock;
use super::finding::Finding;
use crate::adapters;
use crate::components::{AssembledProvider, Assembly};
use crate::families::FAMILIES;

pub(super) async fn examine(assembly: &Assembly, findings: &mut Vec<Finding>) {
    for (id, provider) in &assembly.providers {
        let subject = format!("provider {id}");
        findings.push(probe(&subject, provider).await);
        findings.extend(doubts(&subject, provider));
        if let Some(url) = adapters::base_url(&provider.mapping) {
            findings.push(clock::examine(&subject, provider.transport.as_ref(), &url).await);
        }
    }
}

async fn probe(subject: &str, provider: &AssembledProvider) -> Finding {
    match provider.link.provider.probe().await {
        Ok(state) => Finding::ok("provider", subject, state),
        Err(ReadError::Unavailable(why)) => {
            let advice = "try again; if nothing answers there, check the address in the mapping and the way to it";
            Finding::failed("provider_unreachable", subject, why, advice)
        }
        Err(ReadError::Repair(why)) => {
            let advice = format!("check the secrets, and {}", provider.mapping.file());
            Finding::failed("provider_settings", subject, why, advice)
        }
    }
}

/// Settings of the provider's family that pass and can hardly be meant.
fn doubts(subject: &str, provider: &AssembledProvider) -> Vec<Finding> {
    let doubts = FAMILIES.plan(&provider.mapping).map(|plan| plan.doubts()).unwrap_or_default();
    let warning = |doubt: Doubt| Finding::warning(doubt.name, subject, doubt.found, doubt.advice);
    doubts.into_iter().map(warning).collect()
}
