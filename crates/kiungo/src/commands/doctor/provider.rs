//! Checks each provider: session or token, account, and settings that cannot be right.

use std::time::Duration;

use kiungo_mapping::{Mapping, duration};
use kiungo_provider::ReadError;
use kiungo_provider_mpesa as mpesa;

use super::clock;
use super::finding::Finding;
use crate::adapters;
use crate::components::{AssembledProvider, Assembly};

/// The time that M-Pesa takes to make a session live (`mpesa-openapi.md` §3).
const ACTIVATION: Duration = Duration::from_secs(30);

pub(super) async fn examine(assembly: &Assembly, findings: &mut Vec<Finding>) {
    for (id, provider) in &assembly.providers {
        let subject = format!("provider {id}");
        findings.push(probe(&subject, provider).await);
        findings.extend(session(&subject, &provider.mapping));
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

/// The times of M-Pesa sessions, which no answer states.
fn session(subject: &str, mapping: &Mapping) -> Vec<Finding> {
    let family = mapping.family().as_str();
    let options = (family == "mpesa").then(|| mapping.section::<mpesa::Options>(family).ok());
    options.flatten().map(|options| judge(subject, &options)).unwrap_or_default()
}

fn judge(subject: &str, options: &mpesa::Options) -> Vec<Finding> {
    let (most, lifetime) = (options.activation_max, options.session_lifetime);
    let shown = duration::print;
    let mut findings = Vec::new();
    if most < ACTIVATION {
        let found = format!(
            "mpesa.activation_max is {}, and a session takes up to {} to become live",
            shown(most),
            shown(ACTIVATION)
        );
        let advice = "write 3m: a session that is given up sooner may never have been tried";
        findings.push(Finding::warning("mpesa_activation", subject, found, advice));
    }
    if lifetime <= most.max(ACTIVATION) {
        let found = format!(
            "mpesa.session_lifetime is {}: a session may end before it is live",
            shown(lifetime)
        );
        let advice = "write the session lifetime of the application in M-Pesa's portal, and raise it there if \
                      it is as short as this";
        findings.push(Finding::warning("mpesa_session_lifetime", subject, found, advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping_override::{self, MPESA_TZ};

    fn names(changes: &str) -> Vec<&'static str> {
        let text = mapping_override::merge(MPESA_TZ, changes).unwrap();
        let mapping = Mapping::parse("mpesa-tz.toml", &text).unwrap();
        session("provider mpesa-tz", &mapping).into_iter().map(|finding| finding.name).collect()
    }

    #[test]
    fn times_of_a_session_that_cannot_be_right_are_named() {
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("[mpesa]\nactivation_max = \"10s\""), ["mpesa_activation"]);
        assert_eq!(names("[mpesa]\nsession_lifetime = \"2m\""), ["mpesa_session_lifetime"]);
    }
}
