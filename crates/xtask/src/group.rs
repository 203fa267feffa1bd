//! The groups of `cargo xtask test`.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use crate::tool::{self, Tool};
use crate::{count, deny, tidy};

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
    /// Licences, bans and sources of dependencies.
    Deny,
}

impl Group {
    /// All of them, in the order in which they run: the quick ones say early what is wrong.
    pub(crate) const ALL: &[Self] =
        &[Self::Fmt, Self::Clippy, Self::Doc, Self::Test, Self::Tidy, Self::Deny];

    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::Test => "test",
            Self::Tidy => "tidy",
            Self::Deny => "deny",
        }
    }

    /// What it looks at, for the heading.
    pub(crate) const fn subject(self) -> &'static str {
        match self {
            Self::Fmt => "formatting",
            Self::Clippy => "lints of all targets, warnings denied",
            Self::Doc => "documentation, warnings denied",
            Self::Test => "all tests, those in the documentation included",
            Self::Tidy => "house rules (tidy.toml)",
            Self::Deny => "licences, bans and sources of dependencies (deny.toml)",
        }
    }

    /// Runs it. What is good, in a few words; an error if anything is not.
    pub(crate) fn run(self, root: &Path) -> Result<String> {
        match self {
            Self::Fmt => tool::pass(Tool::cargo(root, &["fmt", "--all", "--check"])),
            Self::Clippy => {
                let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                tool::pass(Tool::cargo(root, &arguments))
            }
            Self::Doc => {
                let doc = Tool::cargo(root, &["doc", "--workspace", "--no-deps"]);
                tool::pass(doc.environment("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Test => count::run_tests(Tool::cargo(root, &["test", "--workspace"])),
            Self::Tidy => tidy::run(root),
            Self::Deny => deny::run(root),
        }
    }
}
