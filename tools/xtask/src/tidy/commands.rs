//! Commands that the documents show must exist as they are shown.
//!
//! A command is a line of a `sh` block that begins with `kiungo` or `cargo run --release --`. It is
//! never run: the program is asked for its help, which is compared with the words of the line. Inline
//! code that begins so names a command, and may leave out what the command needs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::help::Help;
use super::keys::HISTORY;
use super::markdown::inline_code;
use super::{Checked, Finding, SourceFile};
use crate::program;
use crate::tool::Tool;

/// A command in a document.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    line: usize,
    /// The words after the program's name.
    words: Vec<String>,
    /// True if it can be run as it stands.
    whole: bool,
}

/// Checks all commands in all documents.
pub(super) fn check(root: &Path, files: &[SourceFile]) -> Result<Checked> {
    let documents = files.iter().filter(|file| file.is("md"));
    let shown: Vec<_> = documents
        .flat_map(|file| {
            let named = named(&file.content).into_iter().filter(|_| file.path != HISTORY);
            commands(&file.content).into_iter().chain(named).map(move |shown| (file, shown))
        })
        .collect();
    let mut checked = Checked { findings: Vec::new(), count: shown.len() };
    if shown.is_empty() {
        return Ok(checked);
    }
    let program = program::of_tests(root)?;
    let mut pages = BTreeMap::new();
    let mut help = |path: &[String]| {
        let page = pages.entry(path.to_vec()).or_insert_with(|| ask(root, &program, path));
        page.clone()
    };
    for (file, shown) in shown {
        if let Err(why) = compare(&shown, &mut help) {
            let says = format!("`kiungo {}`: {why}", shown.words.join(" "));
            checked.findings.push(Finding::new(&file.path, shown.line, says));
        }
    }
    Ok(checked)
}

/// Compares a command with the help of the subcommand that it names.
fn compare(
    shown: &Shown,
    help: &mut impl FnMut(&[String]) -> Result<String, String>,
) -> Result<(), String> {
    let mut depth = 0;
    loop {
        let (path, rest) = shown.words.split_at(depth);
        let text = help(path)?;
        let page = Help::parse(&text).ok_or_else(|| "the program prints no help".to_owned())?;
        match rest.first() {
            Some(word) if page.subcommands.contains(word) => depth += 1,
            Some(word) if !page.subcommands.is_empty() && !word.starts_with('-') => {
                return Err(format!("there is no `{word}` (but {})", page.subcommands.join(", ")));
            }
            _ if shown.whole => return page.accepts(rest),
            _ => return page.knows(rest),
        }
    }
}

fn ask(root: &Path, program: &Path, path: &[String]) -> Result<String, String> {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("-h");
    Tool::other(root, program, &arguments).output().map_err(|error| format!("{error:#}"))
}

/// The commands in `sh` blocks.
fn commands(content: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    let mut in_shell = false;
    let mut lines = content.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.trim_start().starts_with("```") {
            in_shell = !in_shell && line.trim() == "```sh";
            continue;
        }
        if !in_shell {
            continue;
        }
        let mut whole = line.trim().to_owned();
        while let Some(begun) = whole.strip_suffix('\\') {
            let next = lines.next().map_or("", |(_, line)| line.trim());
            whole = format!("{begun}{next}");
        }
        if let Some(words) = ours(&split(&whole)) {
            found.push(Shown { line: index + 1, words, whole: true });
        }
    }
    found
}

/// The commands in inline code.
fn named(content: &str) -> Vec<Shown> {
    let shown = inline_code(content).filter_map(|(line, code)| {
        let words = ours(&split(code))?;
        let begins = words.first()?.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-');
        begins.then_some(Shown { line, words, whole: false })
    });
    shown.collect()
}

/// The words after our program's name, up to whatever the shell does with it; `None` for other
/// programs.
fn ours(words: &[String]) -> Option<Vec<String>> {
    let assignment = |word: &&String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let words: Vec<_> = words.iter().skip_while(assignment).cloned().collect();
    let run = ["cargo", "run", "--release", "--"];
    let after = if words.first().is_some_and(|word| word == "kiungo") {
        &words[1..]
    } else if words.len() >= run.len() && words.iter().zip(run).all(|(word, wanted)| word == wanted)
    {
        &words[run.len()..]
    } else {
        return None;
    };
    let ends = |word: &&String| {
        !["|", "&&", "||", ";", "&", "<"].contains(&word.as_str()) && !word.starts_with(['>', '#'])
    };
    Some(after.iter().take_while(ends).cloned().collect())
}

/// Splits a line as a shell would, as far as documents need it.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_shell_blocks_alone() {
        let content = "kiungo demo\n```sh\nkiungo demo --json > out.json\n# kiungo no\n\
                       KEY=x kiungo transfer create \\\n    --note \"two words\" # why\n\
                       cargo run --release -- demo | jq .\ncargo xtask test\n```\n\
                       ```text\nkiungo other\n```\n";
        let found = commands(content);
        let lines: Vec<_> = found.iter().map(|shown| (shown.line, shown.words.join("+"))).collect();
        let expected = [
            (3, "demo+--json".to_owned()),
            (5, "transfer+create+--note+two words".to_owned()),
            (7, "demo".to_owned()),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_command_is_followed_to_its_own_help() {
        let mut help = |path: &[String]| match path.join(" ").as_str() {
            "" => Ok("Usage: kiungo <COMMAND>\n\nCommands:\n  transfer  x\n".to_owned()),
            "transfer" => {
                Ok("Usage: kiungo transfer <COMMAND>\n\nCommands:\n  show  x\n".to_owned())
            }
            "transfer show" => {
                Ok("Usage: kiungo transfer show <ID>\n\nArguments:\n  <ID>  x\n".to_owned())
            }
            other => Err(format!("unexpected {other}")),
        };
        let mut compared =
            |line: &str| compare(&Shown { line: 1, words: split(line), whole: true }, &mut help);
        assert_eq!(compared("transfer show ID"), Ok(()));
        assert!(compared("transfer show").unwrap_err().contains("needs 1"));
        assert!(compared("transfer list").unwrap_err().contains("no `list` (but show)"));
        assert!(compared("pay").unwrap_err().contains("no `pay`"));
    }

    #[test]
    fn a_program_without_help_is_a_finding() {
        let shown = Shown { line: 1, words: Vec::new(), whole: true };
        let silent = compare(&shown, &mut |_: &[String]| Ok(String::new()));
        assert!(silent.unwrap_err().contains("no help"));
    }

    #[test]
    fn a_command_in_inline_code_may_leave_out_what_it_needs() {
        let mut help = |path: &[String]| match path.join(" ").as_str() {
            "" => Ok("Usage: kiungo <COMMAND>\n\nCommands:\n  show  x\n".to_owned()),
            _ => Ok("Usage: kiungo show --why <WHY> <ID>\n\nOptions:\n      --why <WHY>  x\n"
                .to_owned()),
        };
        let content = "`kiungo show` `kiungo show --why …` `kiungo` `kiungo_up` `kiungo = 1` `show`\n\
                       `kiungo show --how` `kiungo hide`\n";
        let found: Vec<_> = named(content)
            .iter()
            .filter_map(|shown| Some((shown.line, compare(shown, &mut help).err()?)))
            .collect();
        let expected = [
            (2, "there is no `--how`".to_owned()),
            (2, "there is no `hide` (but show)".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
