//! Each dependency that a crate names is used by it: what is not is compiled, reviewed and carried
//! on for nothing. A dependency that only tests need stands in `[dev-dependencies]`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::mask::is_word;
use super::product::{self, Code};
use super::settings::{self, Settings};
use super::{Finding, SourceFile};

const MANIFEST: &str = "Cargo.toml";

/// The part of a manifest that is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Manifest {
    package: Option<Package>,
    dependencies: BTreeMap<String, toml::Value>,
    dev_dependencies: BTreeMap<String, toml::Value>,
    build_dependencies: BTreeMap<String, toml::Value>,
    bin: Vec<Program>,
    workspace: Workspace,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Program {
    path: Option<String>,
}

/// The versions that all crates share.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Workspace {
    dependencies: BTreeMap<String, toml::Value>,
}

/// Compares each manifest with the sources beside and below it.
pub(super) fn check(files: &[SourceFile], settings: &Settings) -> Result<Vec<Finding>> {
    let mut manifests = Vec::new();
    for file in files.iter().filter(|file| is_manifest(&file.path)) {
        let manifest: Manifest =
            toml::from_str(&file.content).with_context(|| file.path.clone())?;
        manifests.push((file.path.as_str(), manifest));
    }
    let folders: Vec<&str> = manifests.iter().map(|(path, _)| folder(path)).collect();
    let mut unused = Vec::new();
    for (path, manifest) in &manifests {
        let Some(package) = &manifest.package else { continue };
        let owned = files
            .iter()
            .filter(|file| file.is("rs") && owner(&folders, &file.path) == Some(folder(path)));
        let programs = manifest.bin.iter().filter_map(|program| program.path.clone());
        let programs: BTreeSet<String> = programs.collect();
        let code = product::read(folder(path), &owned.collect::<Vec<_>>(), &programs);
        let of_crate = unused_of(manifest, &code);
        unused.extend(of_crate.into_iter().map(|(name, says)| {
            (format!("{}: {name}", package.name), Finding::new(path, 0, says))
        }));
    }
    let shared = never_taken(&manifests);
    unused.extend(shared.map(|name| {
        let says = format!("no crate of the workspace takes `{name}`");
        (format!("workspace: {name}"), Finding::new(MANIFEST, 0, says))
    }));
    Ok(allowed(unused, &settings.dependencies.allowed))
}

/// The dependencies of a crate that it does not use, or uses in tests only.
fn unused_of(manifest: &Manifest, code: &Code) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let product = manifest.dependencies.keys().chain(manifest.build_dependencies.keys());
    for name in product.filter(|name| !names(&code.product, name)) {
        let says = if !names(&code.all, name) {
            format!("`{name}` is not used (or say why it is needed in {})", settings::FILE)
        } else if manifest.dev_dependencies.contains_key(name) {
            format!("`{name}` is used in tests only, and stands in [dev-dependencies] as well")
        } else {
            format!("`{name}` is used in tests only: it belongs in [dev-dependencies]")
        };
        found.push((name.clone(), says));
    }
    let known =
        |name: &&String| names(&code.all, name) || manifest.dependencies.contains_key(*name);
    for name in manifest.dev_dependencies.keys().filter(|name| !known(name)) {
        let says = format!("`{name}` is not used (or say why it is needed in {})", settings::FILE);
        found.push((name.clone(), says));
    }
    found
}

/// The dependencies that have a version in the workspace, and that no crate takes. Crates of ours
/// are a list of what exists.
fn never_taken<'a>(manifests: &'a [(&str, Manifest)]) -> impl Iterator<Item = &'a str> {
    let ours = |name: &str| {
        let named = |manifest: &Manifest| manifest.package.as_ref().is_some_and(|p| p.name == name);
        manifests.iter().any(|(_, manifest)| named(manifest))
    };
    let taken = move |name: &str| {
        manifests.iter().any(|(_, manifest)| {
            let sections =
                [&manifest.dependencies, &manifest.dev_dependencies, &manifest.build_dependencies];
            sections.iter().any(|section| section.contains_key(name))
        })
    };
    let shared = manifests.iter().flat_map(|(_, manifest)| manifest.workspace.dependencies.keys());
    shared.map(String::as_str).filter(move |name| !ours(name) && !taken(name))
}

/// The findings that no exception covers, and the exceptions that nothing needs or that give no
/// reason.
fn allowed(unused: Vec<(String, Finding)>, allowed: &BTreeMap<String, String>) -> Vec<Finding> {
    let found: BTreeSet<String> = unused.iter().map(|(key, _)| key.clone()).collect();
    let rest = unused.into_iter().filter(|(key, _)| !allowed.contains_key(key));
    let mut findings: Vec<Finding> = rest.map(|(_, finding)| finding).collect();
    for (key, reason) in allowed {
        if reason.trim().is_empty() {
            findings.push(Finding::new(settings::FILE, 0, format!("`{key}`: say why")));
        }
        if !found.contains(key) {
            let says = format!("`{key}` no longer needs its exception");
            findings.push(Finding::new(settings::FILE, 0, says));
        }
    }
    findings
}

fn is_manifest(path: &str) -> bool {
    path == MANIFEST || path.ends_with("/Cargo.toml")
}

fn folder(manifest: &str) -> &str {
    manifest.strip_suffix(MANIFEST).unwrap_or_default().trim_end_matches('/')
}

/// The folder of the crate that a file belongs to: the innermost.
fn owner<'a>(folders: &[&'a str], path: &str) -> Option<&'a str> {
    let around = folders.iter().filter(|folder| {
        folder.is_empty() || path.strip_prefix(**folder).is_some_and(|rest| rest.starts_with('/'))
    });
    around.max_by_key(|folder| folder.len()).copied()
}

/// True if the code names the crate: as the first part of a path, or as what a `use` takes.
fn names(code: &str, dependency: &str) -> bool {
    let name = dependency.replace('-', "_");
    code.match_indices(&name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        if before.bytes().next_back().is_some_and(is_word)
            || after.bytes().next().is_some_and(is_word)
        {
            return false;
        }
        // `::name` is the crate where no path stands before it.
        let before = before.trim_end();
        let before = before.strip_suffix("::").unwrap_or(before);
        let path = code[before.len()..at].contains("::");
        if path && before.bytes().next_back().is_some_and(|byte| is_word(byte) || byte == b'>') {
            return false;
        }
        let method = before.ends_with('.') && !before.ends_with("..");
        let last = before.trim_end().rsplit(|c: char| !c.is_ascii() || !is_word(c as u8)).next();
        let taken = matches!(last, Some("use" | "crate"));
        !method && (taken || after.trim_start().starts_with("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST_OF_A: &str = "[package]\nname = \"a\"\n";

    /// The findings about a crate with this manifest, product and test.
    fn found(manifest: &str, product: &str, test: &str, allowed: &str) -> Vec<String> {
        let file = |path: &str, content: &str| SourceFile {
            path: path.to_owned(),
            content: content.to_owned(),
        };
        let files = [
            file("Cargo.toml", "[workspace.dependencies]\nserde = \"1\"\na = { path = \"a\" }"),
            file("crates/a/Cargo.toml", &format!("{MANIFEST_OF_A}{manifest}")),
            file("crates/a/src/lib.rs", product),
            file("crates/a/tests/it/main.rs", test),
            file("crates/a/inner/Cargo.toml", "[package]\nname = \"inner\"\n"),
            file("crates/a/inner/src/lib.rs", "use inner_only::Thing;"),
        ];
        let settings = format!(
            "[lines]\nfile_max = 1\nfunction_max = 1\n[comments]\nquestion_max_percent = 2\n\
             [floats.allowed]\n[arrows]\n[dependencies.allowed]\n{allowed}"
        );
        let settings: Settings = toml::from_str(&settings).unwrap();
        check(&files, &settings).unwrap().iter().map(ToString::to_string).collect()
    }

    const SERDE: &str = "[dependencies]\nserde.workspace = true\n";

    #[test]
    fn a_dependency_that_nothing_uses_is_found() {
        assert_eq!(found(SERDE, "use serde::Serialize;", "", ""), [""; 0]);
        for product in ["", "// serde::Serialize", "a(\"serde::x\");", "use crate::serde::X;"] {
            assert_eq!(
                found(SERDE, product, "", ""),
                ["crates/a/Cargo.toml: `serde` is not used (or say why it is needed in tidy.toml)"],
                "{product}"
            );
        }
        let planted = format!("{SERDE}inner-only = \"1\"\n[dev-dependencies]\ninsta = \"1\"\n");
        let says = found(&planted, "serde::a();", "", "");
        assert_eq!(says.len(), 2, "{says:?}");
        assert!(says[0].contains("`inner-only`") && says[1].contains("`insta`"), "{says:?}");
    }

    #[test]
    fn a_dependency_that_only_tests_use_is_theirs() {
        let only = "#[cfg(test)]\nmod tests { use serde::Serialize; }";
        for (product, test) in [("", "serde::a();"), (only, "")] {
            assert_eq!(
                found(SERDE, product, test, ""),
                [
                    "crates/a/Cargo.toml: `serde` is used in tests only: it belongs in [dev-dependencies]"
                ]
            );
            let dev = SERDE.replace("dependencies", "dev-dependencies");
            assert_eq!(found(&dev, product, test, ""), [""; 0]);
        }
    }

    #[test]
    fn a_version_that_no_crate_takes_is_found() {
        assert_eq!(found("", "", "", ""), ["Cargo.toml: no crate of the workspace takes `serde`"]);
    }

    #[test]
    fn an_exception_says_why_and_is_needed() {
        assert_eq!(found(SERDE, "", "", "\"a: serde\" = \"turns on a feature\""), [""; 0]);
        assert_eq!(
            found(SERDE, "", "", "\"a: serde\" = \" \""),
            ["tidy.toml: `a: serde`: say why"]
        );
        assert_eq!(
            found(SERDE, "serde::a();", "", "\"a: serde\" = \"turns on a feature\""),
            ["tidy.toml: `a: serde` no longer needs its exception"]
        );
    }

    #[test]
    fn a_crate_is_named_as_a_path_or_by_use() {
        for code in [
            "async_trait::x",
            "use async_trait;",
            "pub use async_trait as a;",
            "#[async_trait::b]",
            "extern crate async_trait;",
            "::async_trait::x()",
            "use ::async_trait::x;",
            "a(<async_trait::T>::b())",
            "let a = async_trait :: b;",
            "let a = !async_trait::b();",
            "use {async_trait::b};",
        ] {
            assert!(names(code, "async-trait"), "{code}");
        }
        for code in [
            "async_traits::x",
            "my_async_trait::x",
            "a::async_trait::x",
            "a.async_trait::<T>()",
            "use crate::async_trait;",
            "<A>::async_trait::x",
            "let async_trait = 1;",
        ] {
            assert!(!names(code, "async-trait"), "{code}");
        }
    }
}
