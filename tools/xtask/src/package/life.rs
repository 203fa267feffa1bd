//! The life of an installation: installed, run, upgraded, removed, purged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::tree::Tree;
use super::{documents, units};
use crate::install;
use crate::tool::Tool;

const PROGRAM: &str = "/usr/bin/kiungo";
const CONFIG: &str = "/etc/kiungo/kiungo.toml";
/// The file into which an upgrade puts the new configuration if the old one was changed.
const NEW_CONFIG: &str = "/etc/kiungo/kiungo.toml.dpkg-dist";
const DATABASE: &str = "/var/lib/kiungo/kiungo.db";
/// The secrets that the examples in the configuration name.
const SECRETS: [&str; 4] = [
    "/etc/kiungo/secrets/core-password",
    "/etc/kiungo/secrets/gsma-callback",
    "/etc/kiungo/secrets/gsma-client-id",
    "/etc/kiungo/secrets/gsma-client-secret",
];

/// Leads the package through it.
pub(super) fn check(root: &Path, package: &Path) -> Result<()> {
    let tree = Tree::new(root, &install::target(root).join("package/tree"))?;
    installed(root, &tree, package).context("after the installation")?;
    let followed = documents::check(&tree).context("the documents")?;
    ensure!(followed > 0, "no document links to another");
    units::check(root, &tree)?;
    configured(&tree).context("with a configuration")?;
    upgraded(root, &tree, package).context("after the upgrade")?;
    removed(&tree).context("after the removal")?;
    purged(&tree, package).context("after the purge")
}

fn installed(root: &Path, tree: &Tree, package: &Path) -> Result<()> {
    let users = fs::read_to_string("/etc/passwd")?;
    tree.dpkg(&["--install", &package.to_string_lossy()])?;
    for (path, expected) in [
        (PROGRAM, "755 root:root"),
        (CONFIG, "644 root:root"),
        ("/etc/kiungo/secrets", "750 root:kiungo"),
        ("/var/lib/kiungo", "700 kiungo:kiungo"),
        ("/usr/share/kiungo/mappings/mpesa-tz.toml", "644 root:root"),
        ("/usr/share/kiungo/mappings/mpesa-openapi.toml", "644 root:root"),
        ("/usr/share/man/man1/kiungo.1.gz", "644 root:root"),
        ("/usr/share/man/man1/kiungo-transfer-show.1.gz", "644 root:root"),
        ("/usr/share/bash-completion/completions/kiungo", "644 root:root"),
        ("/usr/share/zsh/vendor-completions/_kiungo", "644 root:root"),
        ("/usr/share/fish/vendor_completions.d/kiungo.fish", "644 root:root"),
        ("/usr/share/doc/kiungo/copyright", "644 root:root"),
        ("/usr/share/doc/kiungo/changelog.gz", "644 root:root"),
        ("/usr/share/doc/kiungo/config/default.toml", "644 root:root"),
        ("/usr/share/doc/kiungo/docs/operating.md", "644 root:root"),
        ("/usr/share/doc/kiungo/docs/asyncapi.json", "644 root:root"),
        ("/usr/share/doc/kiungo/docs/schemas/transfer.create.json", "644 root:root"),
        ("/usr/share/doc/kiungo/docs/examples/amqp_client.py", "644 root:root"),
    ] {
        tree.owned(path, expected)?;
    }
    // Nothing is enabled or started by itself.
    ensure!(!tree.path("/etc/systemd").exists(), "a unit was enabled");
    ensure!(tree.read("/etc/passwd")?.contains("kiungo:"), "there is no user");
    ensure!(fs::read_to_string("/etc/passwd")? == users, "the user was made on this machine");
    let version = tree.program(PROGRAM, &["version"]).output()?;
    ensure!(version.starts_with("kiungo "), "`version` says {version}");
    let mappings = mappings(root)?;
    ensure!(!mappings.is_empty(), "there are no mappings");
    // All at once: some are no providers, and are checked together with those that extend them.
    let folder = tree.path("/usr/share/kiungo/mappings");
    let places: Vec<_> = mappings.iter().map(|it| folder.join(it).display().to_string()).collect();
    let check: Vec<_> =
        ["mapping", "check"].into_iter().chain(places.iter().map(String::as_str)).collect();
    tree.program(PROGRAM, &check).output()?;
    let completions = tree.read("/usr/share/bash-completion/completions/kiungo")?;
    ensure!(completions.contains("core-request"), "the completions know no commands");
    // Before a configuration is written, nothing is served, and systemd does not try again: 2.
    let config = tree.path(CONFIG);
    let place = config.to_string_lossy();
    for command in ["serve", "config check"] {
        let words: Vec<&str> = command.split(' ').chain(["--config", &place]).collect();
        let refused = Command::new(tree.path(PROGRAM)).args(&words).output()?;
        let said = String::from_utf8_lossy(&refused.stderr);
        ensure!(
            refused.status.code() == Some(2) && said.contains("there is no core"),
            "`{command}` without a configuration ended with {}: {said}",
            refused.status
        );
    }
    let shown = tree.program(PROGRAM, &["config", "show", "--config", &place]).output()?;
    ensure!(shown.contains("sqlite:///var/lib/kiungo/kiungo.db"), "the database is elsewhere");
    Ok(())
}

/// The examples of the shipped file are right once their `#` is removed.
fn configured(tree: &Tree) -> Result<()> {
    for secret in SECRETS {
        tree.write(secret, "0123456789abcdef0123456789abcdef\n")?;
    }
    let shipped = tree.read(CONFIG)?;
    let example = |line: &str| {
        let bare = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && !rest.is_empty());
        format!("{}\n", bare.unwrap_or(line))
    };
    let mut text: String = shipped.lines().map(example).collect();
    ensure!(text.contains("\n[[cores]]\n"), "the file has no example of a core");
    // The digest of a key is the one thing that no example can give.
    let key = tree.program(PROGRAM, &["config", "key", "--name", "mobile-app"]).output()?;
    let digest = key.lines().find(|line| line.starts_with("sha256 = "));
    let digest = digest.context("`config key` prints no digest")?;
    ensure!(text.contains("sha256 = \"\"\n"), "the file has no example of a key");
    text = text.replace("sha256 = \"\"", digest);
    // The program does not know that the tree is the machine.
    for folder in ["/etc/kiungo", "/usr/share/kiungo", "/var/lib/kiungo"] {
        text = text.replace(folder, &tree.path(folder).to_string_lossy());
    }
    tree.write(CONFIG, &text)?;
    let config = tree.path(CONFIG);
    let place = config.to_string_lossy();
    tree.program(PROGRAM, &["config", "check", "--config", &place]).output()?;
    tree.program(PROGRAM, &["migrate", "--config", &place]).output()?;
    ensure!(tree.path(DATABASE).exists(), "no database was made in {DATABASE}");
    Ok(())
}

fn upgraded(root: &Path, tree: &Tree, package: &Path) -> Result<()> {
    let changed = tree.read(CONFIG)?;
    // The file has no news, so no question is asked and the changed file stays.
    let newer = newer(root, tree, package, "1.0~again", "")?;
    tree.dpkg(&["--install", &newer.to_string_lossy()])?;
    ensure!(tree.read(CONFIG)? == changed, "the changed configuration was replaced");
    // Something new: what was changed stays, what is new lies beside it.
    let line = "# New in this release.\n";
    let newer = self::newer(root, tree, package, "1.0~later", line)?;
    tree.dpkg(&["--force-confold", "--install", &newer.to_string_lossy()])?;
    ensure!(tree.read(CONFIG)? == changed, "the changed configuration was replaced");
    ensure!(tree.read(NEW_CONFIG)?.ends_with(line), "the new configuration is not beside it");
    let state = tree.state()?;
    ensure!(state == "installed 1.0~later", "the state is `{state}`");
    kept(tree)?;
    tree.owned("/var/lib/kiungo", "700 kiungo:kiungo")
}

fn removed(tree: &Tree) -> Result<()> {
    tree.dpkg(&["--remove", "kiungo"])?;
    for gone in [PROGRAM, "/usr/lib/systemd/system/kiungo-serve.service", "/usr/share/kiungo"] {
        ensure!(!tree.path(gone).exists(), "{gone} is still there");
    }
    ensure!(tree.path(CONFIG).exists(), "the configuration went");
    let state = tree.state()?;
    ensure!(state.starts_with("config-files "), "the state is `{state}`");
    kept(tree)
}

fn purged(tree: &Tree, package: &Path) -> Result<()> {
    // The state after a `systemctl enable` by the operator.
    let links = [
        "multi-user.target.wants/kiungo-serve.service",
        "sockets.target.wants/kiungo-serve.socket",
    ]
    .map(|link| tree.path("/etc/systemd/system").join(link));
    for link in &links {
        fs::create_dir_all(link.parent().context("a link is in a folder")?)?;
        fs::write(link, "")?;
    }
    let said = tree.dpkg(&["--purge", "kiungo"])?;
    ensure!(said.contains("/var/lib/kiungo is not empty"), "nobody was told what stays: {said}");
    for gone in [CONFIG, NEW_CONFIG] {
        ensure!(!tree.path(gone).exists(), "{gone} is still there");
    }
    for link in links {
        ensure!(!link.exists(), "{} is still there", link.display());
    }
    ensure!(tree.state().is_err(), "dpkg still knows the package");
    // Only its owner may remove the journal of customers' money.
    kept(tree)?;
    fs::remove_dir_all(tree.path("/etc/kiungo"))?;
    fs::remove_dir_all(tree.path("/var/lib/kiungo"))?;
    // Where nothing was added, nothing stays.
    tree.dpkg(&["--install", &package.to_string_lossy()])?;
    tree.dpkg(&["--purge", "kiungo"])?;
    for gone in ["/etc/kiungo", "/var/lib/kiungo", PROGRAM] {
        ensure!(!tree.path(gone).exists(), "{gone} is still there");
    }
    Ok(())
}

/// Checks that everything that belongs to the users is there.
fn kept(tree: &Tree) -> Result<()> {
    for path in SECRETS.iter().chain([&DATABASE]) {
        ensure!(tree.path(path).exists(), "{path} went");
    }
    Ok(())
}

/// The package with this version, and these lines more in its configuration.
fn newer(root: &Path, tree: &Tree, package: &Path, version: &str, lines: &str) -> Result<PathBuf> {
    let folder = tree.path("/").join("../newer");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let place = folder.to_string_lossy();
    let dpkg_deb = |arguments: &[&str]| Tool::other(root, Path::new("dpkg-deb"), arguments);
    dpkg_deb(&["--raw-extract", &package.to_string_lossy(), &place]).output()?;
    let control = folder.join("DEBIAN/control");
    let text = fs::read_to_string(&control)?;
    let field = |line: &str| {
        let is_version = line.starts_with("Version: ");
        if is_version { format!("Version: {version}\n") } else { format!("{line}\n") }
    };
    let numbered: String = text.lines().map(field).collect();
    if numbered == text {
        bail!("the package has no version: {text}");
    }
    fs::write(control, numbered)?;
    let config = folder.join(CONFIG.trim_start_matches('/'));
    let longer = fs::read_to_string(&config)? + lines;
    fs::write(config, longer)?;
    let made = folder.with_extension("deb");
    let build = ["--root-owner-group", "-Zgzip", "-z1", "--build", &place, &made.to_string_lossy()];
    dpkg_deb(&build).output()?;
    Ok(made)
}

fn mappings(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("mappings"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|kind| kind == "toml") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
