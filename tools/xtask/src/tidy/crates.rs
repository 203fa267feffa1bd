//! Rules about crates: which may use which, and that each says what it is for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Finding;
use super::settings::{self, Settings};
use crate::tool::Tool;

/// The crates that tests may use besides their own: the stores, and the simulators.
const FOR_TESTS: [&str; 2] = ["kiungo-store-sql", SIMULATOR];
/// The base of the simulators, and the beginning of the name of each family's.
const SIMULATOR: &str = "kiungo-simulator";
const SIMULATOR_OF: &str = "kiungo-simulator-";
/// The crates that a simulator may use: none that an adapter is made of, or a mistake would be
/// mirrored. The reader of settings reads its options, and no message.
const OF_SIMULATORS: [&str; 3] = ["kiungo-domain", "kiungo-settings", SIMULATOR];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A crate of ours.
#[derive(Debug, Clone, Deserialize)]
struct Package {
    name: String,
    manifest_path: std::path::PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for what the crate itself needs, else `dev` or `build`.
    kind: Option<String>,
    /// Set for crates of ours.
    path: Option<String>,
}

/// Asks cargo, and checks.
pub(super) fn check(root: &Path, settings: &Settings) -> Result<Vec<Finding>> {
    let asked = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata = Tool::cargo(root, &asked).output()?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cargo metadata")?;
    let mut findings = arrows(&metadata.packages, &settings.arrows);
    findings.extend(simulators(&metadata.packages));
    for package in &metadata.packages {
        findings.extend(explained(package));
    }
    Ok(findings)
}

/// Every arrow between crates must stand in the settings.
fn arrows(packages: &[Package], allowed: &BTreeMap<String, Vec<String>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let Some(uses) = allowed.get(&package.name) else {
            let says =
                format!("[arrows] does not say which crates of ours `{}` may use", package.name);
            findings.push(Finding::new(settings::FILE, 0, says));
            continue;
        };
        let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        for dependency in ours {
            let name = &dependency.name;
            let for_tests = dependency.kind.as_deref() == Some("dev")
                && (*name == package.name
                    || FOR_TESTS.contains(&name.as_str())
                    || name.starts_with(SIMULATOR_OF));
            if !uses.contains(name) && !for_tests {
                let says = format!("`{}` must not use `{name}`: see [arrows]", package.name);
                findings.push(Finding::new(settings::FILE, 0, says));
            }
        }
    }
    for name in allowed.keys() {
        if !packages.iter().any(|package| package.name == *name) {
            let says = format!("[arrows] names `{name}`, which is no crate of ours");
            findings.push(Finding::new(settings::FILE, 0, says));
        }
    }
    findings
}

/// A simulator shares nothing with an adapter, whatever the settings allow, and its tests neither.
fn simulators(packages: &[Package]) -> Vec<Finding> {
    let is_simulator = |name: &str| name == SIMULATOR || name.starts_with(SIMULATOR_OF);
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| is_simulator(&package.name)) {
        let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        for name in ours.map(|dependency| &dependency.name) {
            if *name != package.name && !OF_SIMULATORS.contains(&name.as_str()) {
                let says = format!(
                    "`{}` must not use `{name}`: a simulator shares nothing with the adapters but \
                     the domain and the reader of settings",
                    package.name
                );
                findings.push(Finding::new(settings::FILE, 0, says));
            }
        }
    }
    findings
}

/// A crate's root opens with what it is for, or with its README.
fn explained(package: &Package) -> Option<Finding> {
    let folder = package.manifest_path.parent()?;
    let roots = ["src/lib.rs", "src/main.rs"];
    let mut contents = roots.iter().filter_map(|path| fs::read_to_string(folder.join(path)).ok());
    if contents.any(|content| has_introduction(&content)) {
        return None;
    }
    let says = "the root has no `//!` and no `#![doc = include_str!(…)]`: say what it is for";
    Some(Finding::new(&format!("crates {}", package.name), 0, says))
}

fn has_introduction(content: &str) -> bool {
    let words = |line: &str| line.trim_start().strip_prefix("//!").map_or(0, str::len);
    let length: usize = content.lines().map(words).sum();
    content.contains("#![doc = include_str!(") || length >= 40
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            path: name.starts_with("kiungo-").then(|| "somewhere".to_owned()),
        };
        let dependencies = uses.iter().map(dependency).collect();
        Package { name: name.to_owned(), manifest_path: "Cargo.toml".into(), dependencies }
    }

    fn says(packages: &[Package]) -> Vec<String> {
        let allowed = [("kiungo-a", vec!["kiungo-b"]), ("kiungo-b", vec![])];
        let owned = |(name, uses): (&str, Vec<&str>)| {
            (name.to_owned(), uses.into_iter().map(str::to_owned).collect())
        };
        let allowed = allowed.into_iter().map(owned).collect();
        arrows(packages, &allowed).into_iter().map(|finding| finding.says).collect()
    }

    #[test]
    fn arrows_that_stand_in_the_settings_are_fine() {
        let a = package(
            "kiungo-a",
            &[("kiungo-b", None), ("serde", None), ("kiungo-simulator-c", Some("dev"))],
        );
        let b =
            package("kiungo-b", &[("kiungo-b", Some("dev")), ("kiungo-simulator", Some("dev"))]);
        assert_eq!(says(&[a, b]), Vec::<String>::new());
    }

    #[test]
    fn other_arrows_are_found() {
        let a = package("kiungo-a", &[("kiungo-c", None)]);
        let b = package("kiungo-b", &[("kiungo-a", Some("dev")), ("kiungo-tests", None)]);
        let found = says(&[a, b, package("kiungo-c", &[])]);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("`kiungo-a` must not use `kiungo-c`"), "{found:?}");
        assert!(says(&[package("kiungo-a", &[])])[0].contains("no crate of ours"));
    }

    #[test]
    fn a_simulator_uses_the_domain_and_its_base_alone() {
        let found = |name, uses: &[(&str, Option<&str>)]| simulators(&[package(name, uses)]).len();
        let fine = [("kiungo-domain", None), ("kiungo-simulator", None), ("serde", None)];
        assert_eq!(found("kiungo-simulator-a", &fine), 0);
        assert_eq!(found("kiungo-simulator", &[("kiungo-domain", None)]), 0);
        for wrong in ["kiungo-provider-a", "kiungo-mapping", "kiungo-simulator-b"] {
            assert_eq!(found("kiungo-simulator-a", &[(wrong, None)]), 1, "{wrong}");
            assert_eq!(found("kiungo-simulator", &[(wrong, Some("dev"))]), 1, "{wrong}");
            assert_eq!(found("kiungo-a", &[(wrong, None)]), 0, "{wrong}");
        }
    }

    #[test]
    fn a_crate_says_what_it_is_for() {
        assert!(has_introduction(
            "#![x]\n//! Moves money, and can prove where it is at any moment.\n"
        ));
        assert!(has_introduction("#![doc = include_str!(\"../README.md\")]"));
        assert!(!has_introduction("//! Empty for now.\nfn main() {}"));
    }
}
