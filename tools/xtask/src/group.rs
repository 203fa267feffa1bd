//! The groups of `cargo xtask test`.

use std::env;
use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use kiungo_test_servers::tool::{self, Tool};
use kiungo_test_servers::{Postgres, Rabbit};

use crate::debian::{self, Needed};
use crate::program::WITH_SERVERS;
use crate::{count, deny, documents, package, tidy};

/// Names the `PostgreSQL` database that tests use. Without it, one is made for them.
const DATABASE: &str = "KIUNGO_TEST_DATABASE_URL";

/// Names the `RabbitMQ` broker that tests use. Without it, one is made for them.
const BROKER: &str = "KIUNGO_TEST_AMQP_URL";

/// The programs that tests need beside servers: the client in `docs/examples` is written in Python, and
/// `docs/first-transfer.md` pays with curl.
const NEEDED: &[Needed] = &[
    Needed {
        program: "/usr/bin/python3",
        arguments: &["-c", "import pika"],
        package: "python3-pika",
    },
    Needed { program: "/usr/bin/curl", arguments: &["--version"], package: "curl" },
];

/// A group of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Formatting.
    Fmt,
    /// Lints, warnings included.
    Clippy,
    /// Documentation builds without warnings.
    Doc,
    /// All tests.
    Test,
    /// House rules.
    Tidy,
    /// Licences, bans, sources and advisories of dependencies.
    Deny,
    /// The published descriptions, in the tools that others read them with.
    Documents,
    /// The Debian package.
    Package,
}

impl Group {
    /// All of them, in the order in which they run: the quick ones say early what is wrong.
    pub(crate) const ALL: &[Self] = &[
        Self::Fmt,
        Self::Clippy,
        Self::Doc,
        Self::Test,
        Self::Tidy,
        Self::Deny,
        Self::Documents,
        Self::Package,
    ];

    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::Test => "test",
            Self::Tidy => "tidy",
            Self::Deny => "deny",
            Self::Documents => "documents",
            Self::Package => "package",
        }
    }

    /// The subject of the group, for the heading.
    pub(crate) const fn subject(self) -> &'static str {
        match self {
            Self::Fmt => "formatting",
            Self::Clippy => "lints of all targets, warnings denied",
            Self::Doc => "documentation, warnings denied",
            Self::Test => "all tests, those in the documentation included",
            Self::Tidy => "house rules (tidy.toml)",
            Self::Deny => "licences, bans, sources and advisories of dependencies (deny.toml)",
            Self::Documents => "the descriptions of the API, AMQP and metrics, in others' tools",
            Self::Package => {
                "the Debian package, installed into a fresh tree; the containers' files"
            }
        }
    }

    /// Runs it. Returns a few words about the success; an error if anything failed.
    pub(crate) fn run(self, root: &Path) -> Result<String> {
        match self {
            Self::Fmt => tool::pass(Tool::cargo(root, &["fmt", "--all", "--check"])),
            Self::Clippy => {
                let what = ["clippy", "--workspace", "--all-targets", "--features", WITH_SERVERS];
                tool::pass(Tool::cargo(root, &[&what[..], &["--", "-D", "warnings"]].concat()))
            }
            Self::Doc => {
                let doc = Tool::cargo(root, &["doc", "--workspace", "--no-deps"]);
                tool::pass(doc.environment("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Test => test(root),
            Self::Tidy => tidy::run(root),
            Self::Deny => deny::run(root),
            Self::Documents => documents::run(root),
            Self::Package => package::check(root),
        }
    }
}

/// Runs all tests, with the servers that some of them need.
fn test(root: &Path) -> Result<String> {
    debian::provide(root, NEEDED)?;
    let what = ["test", "--workspace", "--no-fail-fast", "--features", WITH_SERVERS];
    let mut tests = Tool::cargo(root, &what);
    let is_missing = |name: &str| env::var_os(name).is_none();
    let postgres = is_missing(DATABASE).then(|| Postgres::start(root)).transpose()?;
    if let Some(postgres) = &postgres {
        tests = tests.environment(DATABASE, &postgres.url());
    }
    let rabbit = is_missing(BROKER).then(|| Rabbit::start(root)).transpose()?;
    if let Some(rabbit) = &rabbit {
        tests = tests.environment(BROKER, &rabbit.url());
    }
    count::run_tests(tests)
}
