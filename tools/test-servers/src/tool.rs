//! Starting cargo and its kin.

#![allow(
    clippy::print_stdout,
    reason = "`run` is for commands that talk to the person who runs them"
)]

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A program about to be started in the workspace's folder.
pub struct Tool {
    command: Command,
    /// As a person would type it.
    shown: String,
}

impl Tool {
    /// Cargo, the one that runs us.
    pub fn cargo(root: &Path, arguments: &[&str]) -> Self {
        let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let shown = format!("cargo {}", arguments.join(" "));
        Self::new(root, &program, arguments, shown)
    }

    /// Any other program.
    pub fn other(root: &Path, program: &Path, arguments: &[&str]) -> Self {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let shown = format!("{name} {}", arguments.join(" "));
        Self::new(root, &program.as_os_str().to_owned(), arguments, shown)
    }

    fn new(root: &Path, program: &OsString, arguments: &[&str], shown: String) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root).stdin(Stdio::null());
        // Cargo's variables about xtask are wrong for the programs that we start, and would make
        // build scripts that read them run again.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_about_us) {
                command.env_remove(&name);
            }
        }
        Self { command, shown }
    }

    /// Sets a variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = format!("{name}=\"{value}\" {}", self.shown);
        self
    }

    /// Runs it with its output on ours; an error if it fails.
    pub fn run(self) -> Result<()> {
        println!("$ {}", self.shown);
        self.succeed()
    }

    /// Runs it with all its output on our standard error; an error if it fails.
    pub fn run_aside(mut self) -> Result<()> {
        eprintln!("$ {}", self.shown);
        self.command.stdout(io::stderr());
        self.succeed()
    }

    fn succeed(mut self) -> Result<()> {
        let status = self.command.status();
        let status = status.with_context(|| format!("`{}` cannot be started", self.shown))?;
        if status.success() {
            return Ok(());
        }
        bail!("`{}` ended with {status}{}", self.shown, hint(&self.shown))
    }

    /// Runs it, passes each line of its standard output on, and shows it to `look` too.
    pub fn run_watched(mut self, mut look: impl FnMut(&str)) -> Result<()> {
        println!("$ {}", self.shown);
        let child = self.command.stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("`{}` cannot be started", self.shown))?;
        if let Some(output) = child.stdout.take() {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line)? > 0 {
                let text = String::from_utf8_lossy(&line);
                print!("{text}");
                look(text.trim_end());
                line.clear();
            }
        }
        let status = child.wait()?;
        if status.success() { Ok(()) } else { bail!("`{}` ended with {status}", self.shown) }
    }

    /// Runs it silently: its standard output if it succeeds, its standard error in the error if it
    /// fails.
    pub fn output(mut self) -> Result<String> {
        let output = self.command.stderr(Stdio::piped()).output();
        let output = output.with_context(|| format!("`{}` cannot be started", self.shown))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` ended with {}: {}", self.shown, output.status, said.trim());
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote no UTF-8", self.shown))
    }

    /// True if it can be started and succeeds; an error only if the system refuses to start it.
    pub fn works(mut self) -> Result<bool> {
        match self.command.stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Ok(status) => Ok(status.success()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("`{}` cannot be started", self.shown)),
        }
    }
}

/// Runs a tool whose success is all that there is to say.
pub fn pass(tool: Tool) -> Result<String> {
    tool.run()?;
    Ok(String::new())
}

/// A program of the workspace.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// The package that it belongs to: one that is no default of the workspace has to be named.
    pub package: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The profile that it is built with.
    pub profile: &'static str,
}

/// Runs a program of the workspace in place of this one: nothing else goes to standard output, which
/// may be JSON. Returns true if it succeeded.
pub fn hand_over(root: &Path, program: Program, arguments: &[String]) -> bool {
    let Program { package, name, profile } = program;
    let mut words = vec!["run", "--package", package, "--profile", profile, "--bin", name, "--"];
    words.extend(arguments.iter().map(String::as_str));
    let mut tool = Tool::cargo(root, &words);
    match tool.command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("`{}` cannot be started: {error}", tool.shown);
            false
        }
    }
}

fn is_about_us(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || matches!(
            name,
            "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH" | "CARGO_BIN_NAME" | "CARGO_CRATE_NAME"
        )
}

/// A missing part of the tool chain is an error; this says what to do about it.
fn hint(shown: &str) -> &'static str {
    if shown.starts_with("cargo fmt") || shown.starts_with("cargo clippy") {
        "; if it is missing: rustup component add rustfmt clippy"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(arguments: &[&str]) -> Tool {
        Tool::cargo(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
    }

    #[test]
    fn output_is_watched_line_by_line() {
        let mut lines = Vec::new();
        cargo(&["--version"]).run_watched(|line| lines.push(line.to_owned())).unwrap();
        assert!(lines.len() == 1 && lines[0].starts_with("cargo "), "{lines:?}");
    }

    #[test]
    fn a_failing_tool_is_an_error_that_names_it() {
        let error = cargo(&["no-such-command"]).output().unwrap_err().to_string();
        assert!(
            error.contains("cargo no-such-command") && error.contains("no such command"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_tool_does_not_work() {
        let missing = Tool::other(Path::new("."), Path::new("no-such-program-here"), &[]);
        assert!(!missing.works().unwrap());
        assert!(cargo(&["--version"]).works().unwrap());
    }
}
