//! Checks that no proxy is expected that is not used.

use super::finding::Finding;
use crate::config::Config;
use crate::config::proxy::VARIABLES;

/// Warns where the environment names a proxy that nothing goes through.
pub(super) fn examine(config: &Config) -> Option<Finding> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let variables: Vec<&str> = VARIABLES.into_iter().filter(is_set).collect();
    let cores = config.cores.iter().filter(|core| core.proxy.is_none());
    let providers = config.providers.iter().filter(|provider| provider.proxy.is_none());
    let cores = cores.map(|core| format!("core {}", core.id));
    let direct: Vec<String> =
        cores.chain(providers.map(|provider| format!("provider {}", provider.id))).collect();
    compare(&variables, &direct)
}

fn compare(variables: &[&str], direct: &[String]) -> Option<Finding> {
    if variables.is_empty() || direct.is_empty() {
        return None;
    }
    let found = format!(
        "{} is set and not read: no proxy is used for {}",
        variables.join(", "),
        direct.join(", ")
    );
    let advice = "set `proxy` for each, or leave the variable out";
    Some(Finding::warning("proxy_not_read", "proxy", found, advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_not_read_is_named_with_what_goes_past_it() {
        let direct = ["provider mpesa-tz".to_owned()];
        let row = compare(&["HTTPS_PROXY"], &direct).unwrap().row();
        assert_eq!(row[0], "warning");
        assert!(row[2].contains("HTTPS_PROXY") && row[2].contains("provider mpesa-tz"), "{row:?}");
        assert_eq!(compare(&[], &direct), None);
        assert_eq!(compare(&["HTTPS_PROXY"], &[]), None, "all have one of their own");
    }
}
