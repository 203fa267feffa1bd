//! The files for those who want containers. No container is built here, so this is all that is known
//! of them: what they name exists, and each service has what it has to have.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::tool::Tool;

const FOLDER: &str = "packaging/containers";
/// Python can read YAML, and writes JSON.
const READ: &str = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";

/// Checks both files.
pub(super) fn check(root: &Path) -> Result<()> {
    let compose = format!("{FOLDER}/compose.yaml");
    let python = Tool::other(root, Path::new("/usr/bin/python3"), &["-c", READ, &compose]);
    let compose: Value = serde_json::from_str(&python.output()?)?;
    check_compose(&compose, &root.join(FOLDER)).context("compose.yaml")?;
    let file = fs::read_to_string(root.join(FOLDER).join("Containerfile"))?;
    check_containerfile(&file, root).context("Containerfile")
}

/// Each service says when it is well, writes nowhere by default, and is given secrets and files that
/// exist.
fn check_compose(compose: &Value, folder: &Path) -> Result<()> {
    let services = compose["services"].as_object().context("there are no services")?;
    for (name, service) in services {
        let required = ["healthcheck", "read_only", "cap_drop", "security_opt", "user"];
        for key in required {
            ensure!(!service[key].is_null(), "{name} has no {key}");
        }
        for secret in service["secrets"].as_array().into_iter().flatten() {
            // By its name alone, or with the place where it is wanted.
            let secret = secret.as_str().or_else(|| secret["source"].as_str()).unwrap_or_default();
            let known = &compose["secrets"][secret];
            ensure!(
                known["file"].is_string(),
                "{name} wants the secret {secret}, which is not there"
            );
        }
        for before in service["depends_on"].as_object().into_iter().flatten() {
            ensure!(services.contains_key(before.0), "{name} waits for {}", before.0);
        }
        for volume in texts(&service["volumes"]) {
            let source = volume.split(':').next().unwrap_or_default();
            let known = match source.strip_prefix("./") {
                Some(file) => folder.join(file).exists(),
                None => compose["volumes"].get(source).is_some(),
            };
            ensure!(known, "{name} mounts {source}, which is not there");
        }
        if let Some(context) = service["build"]["context"].as_str() {
            let file = service["build"]["dockerfile"].as_str().unwrap_or("Containerfile");
            ensure!(folder.join(context).join(file).exists(), "{name} is built from nothing");
        }
    }
    Ok(())
}

/// Checks that the files copied from this folder exist, and that the last stage does not run as
/// root.
fn check_containerfile(file: &str, root: &Path) -> Result<()> {
    let mut user = None;
    for line in file.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["FROM", ..] => user = None,
            ["USER", name] => user = Some(name),
            ["COPY", ref rest @ ..] if !rest.iter().any(|word| word.starts_with("--from")) => {
                let files = rest.iter().filter(|word| !word.starts_with("--"));
                let files: Vec<_> = files.collect();
                let Some((_, sources)) = files.split_last() else {
                    bail!("`{line}` copies nothing")
                };
                for source in sources {
                    ensure!(root.join(source).exists(), "`{line}` copies what is not there");
                }
            }
            _ => {}
        }
    }
    ensure!(user.is_some_and(|user| user != "root" && user != "0"), "it runs as root");
    Ok(())
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_checked_by_what_it_names() {
        let checked = |change: fn(&mut Value)| {
            let mut compose = json!({
                "services": { "serve": {
                    "healthcheck": {}, "read_only": true, "cap_drop": ["ALL"], "user": "1",
                    "security_opt": ["no-new-privileges:true"],
                    "secrets": ["key"], "volumes": ["./src:/src", "data:/data"],
                } },
                "secrets": { "key": { "file": "./key" } },
                "volumes": { "data": null },
            });
            change(&mut compose["services"]["serve"]);
            check_compose(&compose, Path::new(env!("CARGO_MANIFEST_DIR")))
        };
        checked(|_| {}).unwrap();
        let says = |change| format!("{:#}", checked(change).unwrap_err());
        assert_eq!(says(|s| s["read_only"] = Value::Null), "serve has no read_only");
        assert!(says(|s| s["secrets"] = json!(["other"])).contains("secret other"));
        assert!(says(|s| s["volumes"] = json!(["./no:/no"])).contains("mounts ./no"));
        assert!(says(|s| s["volumes"] = json!(["no:/no"])).contains("mounts no"));
    }

    #[test]
    fn a_file_that_copies_nothing_or_runs_as_root_is_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let checked = |text| check_containerfile(text, root);
        checked("FROM a AS b\nCOPY src Cargo.toml /x/\nFROM c\nCOPY --from=b /x /y\nUSER 1\n")
            .unwrap();
        assert!(checked("FROM a\nCOPY gone /x/\nUSER 1\n").is_err());
        assert!(checked("FROM a\nUSER 1\nFROM b\n").is_err());
        assert!(checked("FROM a\nUSER root\n").is_err());
    }
}
