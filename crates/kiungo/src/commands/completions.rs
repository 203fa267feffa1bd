//! `kiungo completions`.

use clap::{Args, Command, ValueEnum};
use clap_complete::Shell as Form;
use serde_json::json;

use crate::terminal::output::Output;

/// Print what a shell needs to complete commands and options
///
/// The Debian package installs it already. For yourself alone: kiungo completions bash >
/// ~/.local/share/bash-completion/completions/kiungo
#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the completions of the program `of`.
pub(crate) fn run(options: &CompletionsOptions, mut of: Command, output: Output) {
    let form = match options.shell {
        Shell::Bash => Form::Bash,
        Shell::Zsh => Form::Zsh,
        Shell::Fish => Form::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(form, &mut of, "kiungo", &mut script);
    let script = String::from_utf8_lossy(&script);
    output.line(script.trim_end(), &json!({ "script": script }));
}
