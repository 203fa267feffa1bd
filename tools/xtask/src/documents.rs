//! The published descriptions, in the tools that others read them with: the HTTP API, the AMQP
//! interface, and the metrics.
//!
//! Each tool is also shown a damaged copy, which it must refuse: a tool that takes everything proves
//! nothing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::debian::{self, Needed};
use crate::install;
use crate::tool::Tool;

/// The packages of the Node tools, at versions that run on Debian's own Node.
const NODE: &[(&str, &str)] = &[
    ("@redocly/cli", "1.34.20"),
    ("@stoplight/spectral-cli", "6.16.3"),
    ("openapi-typescript", "7.13.0"),
    ("typescript", "5.9.3"),
];

/// The generator of Python clients.
const PYTHON: (&str, &str) = ("openapi-python-client", "0.29.1");

const NEEDED: &[Needed] = &[
    Needed { program: "/usr/bin/npm", arguments: &["--version"], package: "npm" },
    Needed {
        program: "/usr/bin/python3",
        arguments: &["-c", "import ensurepip"],
        package: "python3-venv",
    },
];

/// A published description, and a copy of it that is wrong.
struct Document {
    path: PathBuf,
    damaged: PathBuf,
}

impl Document {
    /// Reads the description, and writes a copy in which `right` stands as `wrong` once.
    fn new(root: &Path, work: &Path, path: &str, right: &str, wrong: &str) -> Result<Self> {
        let path = root.join(path);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        ensure!(text.contains(right), "{} does not contain `{right}`", path.display());
        let name = path.file_name().unwrap_or_default();
        let damaged = work.join("damaged").join(name);
        fs::create_dir_all(work.join("damaged"))?;
        fs::write(&damaged, text.replacen(right, wrong, 1))?;
        Ok(Self { path, damaged })
    }

    /// Has a tool read its damaged copy, and then itself: what the tool writes is of the latter.
    fn pass(&self, tool: impl Fn(&str) -> Tool) -> Result<()> {
        if tool(&self.damaged.to_string_lossy()).works()? {
            bail!("the tool takes a damaged copy of {} too", self.path.display());
        }
        tool(&self.path.to_string_lossy()).run()
    }
}

/// Checks all of them.
pub(crate) fn run(root: &Path) -> Result<String> {
    debian::provide(root, NEEDED)?;
    let work = install::target(root).join("documents");
    fs::create_dir_all(&work)?;
    http_api(root, &work)?;
    amqp(root, &work)?;
    metrics(root, &work)?;
    Ok("openapi.json by 4 tools, asyncapi.json and the metrics by one each".to_owned())
}

fn rules(root: &Path, name: &str) -> String {
    root.join("tools/xtask/documents").join(name).to_string_lossy().into_owned()
}

fn http_api(root: &Path, work: &Path) -> Result<()> {
    let node = install::node(root, NODE)?;
    let right = "\"#/components/schemas/Problem\"";
    let document = Document::new(root, work, "crates/server/openapi.json", right, "\"#/nothing\"")?;

    let redocly = rules(root, "redocly.yaml");
    document.pass(|path| {
        let arguments = ["lint", "--config", &redocly, "--max-problems", "20", path];
        // It reports to its makers otherwise, and looks for a newer version of itself.
        Tool::other(root, &node.join("redocly"), &arguments)
            .environment("REDOCLY_TELEMETRY", "off")
            .environment("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
    })?;

    let ruleset = rules(root, "openapi.yaml");
    document.pass(|path| spectral(root, &node, &ruleset, path))?;

    let types = work.join("kiungo.d.ts").to_string_lossy().into_owned();
    document.pass(|path| {
        Tool::other(root, &node.join("openapi-typescript"), &[path, "--output", &types])
    })?;
    Tool::other(root, &node.join("tsc"), &["--noEmit", "--strict", &types]).run()?;

    let python = install::python(root, PYTHON)?;
    let config = rules(root, "python-client.yaml");
    let client = work.join("python_client").to_string_lossy().into_owned();
    document.pass(|path| {
        let what = ["generate", "--fail-on-warning", "--overwrite", "--meta", "none"];
        let how = ["--config", &config, "--output-path", &client, "--path", path];
        Tool::other(root, &python.join("openapi-python-client"), &[what.as_slice(), &how].concat())
    })?;
    let import = "import importlib, pkgutil, sys; sys.path.insert(0, sys.argv[1]); \
        import python_client; \
        found = list(pkgutil.walk_packages(python_client.__path__, 'python_client.')); \
        [importlib.import_module(module.name) for module in found]; \
        assert len(found) > 100, found";
    let work = work.to_string_lossy();
    Tool::other(root, &python.join("python"), &["-c", import, &work]).run()
}

fn amqp(root: &Path, work: &Path) -> Result<()> {
    let node = install::node(root, NODE)?;
    let (right, wrong) = ("\"action\": \"receive\"", "\"action\": \"listen\"");
    let document = Document::new(root, work, "docs/asyncapi.json", right, wrong)?;
    let ruleset = rules(root, "asyncapi.yaml");
    document.pass(|path| spectral(root, &node, &ruleset, path))
}

fn spectral(root: &Path, node: &Path, ruleset: &str, path: &str) -> Tool {
    let arguments = ["lint", "--fail-severity", "warn", "--ruleset", ruleset, path];
    Tool::other(root, &node.join("spectral"), &arguments)
}

/// A scrape, kept beside the test that compares it with a process's own.
fn metrics(root: &Path, work: &Path) -> Result<()> {
    let path = "crates/server/metrics.txt";
    let document = Document::new(root, work, path, "# HELP ", "# HELD ")?;
    let promtool = install::unpacked(root, "prometheus", "usr/bin/promtool")?;
    document.pass(|path| {
        let check = "exec \"$1\" check metrics < \"$2\"";
        let promtool = promtool.to_string_lossy();
        Tool::other(root, Path::new("sh"), &["-c", check, "sh", &promtool, path])
    })
}
