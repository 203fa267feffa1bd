//! Properties of all commands together.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::CommandFactory;
use serde_json::Value;

use super::CommandLine;
use super::mistyped::{self, harmless_paths};

/// The paths of all commands: `transfer`, `transfer show`.
fn paths() -> Vec<String> {
    fn collect(command: &clap::Command, before: &str, paths: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            let path = format!("{before} {}", inner.get_name()).trim().to_owned();
            collect(inner, &path, paths);
            paths.push(path);
        }
    }
    let mut paths = Vec::new();
    collect(&CommandLine::command(), "", &mut paths);
    paths
}

fn last(path: &str) -> &str {
    path.rsplit(' ').next().unwrap()
}

fn acting() -> Vec<String> {
    paths().into_iter().filter(|path| !harmless_paths().any(|known| known == *path)).collect()
}

#[test]
fn the_arguments_are_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn every_proposed_command_exists_and_acts_nowhere() {
    let paths = paths();
    for path in harmless_paths() {
        assert!(paths.contains(&path), "there is no `{path}`");
    }
    let acting = acting();
    for path in [
        "serve",
        "worker",
        "archive",
        "migrate",
        "transfer create",
        "transfer decide",
        "transfer assign",
        "transfer reverse",
        "suspense assign",
        "core-request approve",
        "core-request decline",
        "provider hold",
        "provider release",
        "provider claim",
        "arrival retry",
        "arrival dismiss",
        "action approve",
        "action decline",
        "queue dead redrive",
        "queue dead discard",
    ] {
        assert!(acting.iter().any(|known| known == path), "`{path}` may be proposed");
    }
    for path in &acting {
        let same = harmless_paths().find(|harmless| last(harmless) == last(path));
        assert_eq!(same, None, "has the same word as `{path}`");
    }
}

/// Each character left out, doubled, exchanged for another or with the one behind it; and the word cut.
fn mistypes(word: &str) -> BTreeSet<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut all = BTreeSet::new();
    for place in 0..letters.len() {
        let (before, behind) = letters.split_at(place);
        let with = |middle: &[char], rest: &[char]| [before, middle, rest].concat();
        let exchanged = behind.get(1).map(|next| with(&[*next, behind[0]], &behind[2..]));
        let mut made = vec![with(&[], &behind[1..]), with(&[behind[0]; 2], &behind[1..])];
        made.extend(exchanged);
        made.extend(['e', 'r', 's'].map(|other| with(&[other], &behind[1..])));
        made.push(before.to_vec());
        all.extend(made.into_iter().map(|letters| letters.into_iter().collect::<String>()));
    }
    all.retain(|mistyped| mistyped != word && !mistyped.is_empty());
    all
}

fn complaint(words: &[&str]) -> Option<String> {
    let words = ["kiungo"].iter().chain(words).map(OsString::from);
    mistyped::read::<CommandLine>(words).err().map(|error| error.to_string())
}

#[test]
fn no_mistype_proposes_a_command_that_acts() {
    let acting = acting();
    let dangerous: BTreeSet<&str> = acting.iter().map(|path| last(path)).collect();
    let (mut tried, mut proposals) = (0, 0);
    let paths = paths();
    for path in &paths {
        let words: Vec<&str> = path.split(' ').collect();
        let (word, parents) = words.split_last().unwrap();
        for mistyped in mistypes(word) {
            let line = [parents, &[mistyped.as_str()]].concat();
            let Some(said) = complaint(&line) else { continue };
            tried += 1;
            for tip in said.lines().filter(|line| line.contains("tip:")) {
                proposals += 1;
                let quoted = tip.split('\'').skip(1).step_by(2);
                for proposed in quoted {
                    assert!(!dangerous.contains(proposed), "kiungo {}: {tip}", line.join(" "));
                }
            }
        }
    }
    assert!(tried > 1000 && proposals > 100, "{tried} tried, {proposals} proposals");
}

#[test]
fn proposals_are_useful_and_name_no_command_that_acts() {
    let said = |line: &str| complaint(&line.split(' ').collect::<Vec<_>>()).unwrap();
    assert!(said("transfer inquir").contains("'inquire'"), "{}", said("transfer inquir"));
    for line in [
        "transfer events",
        "transfer revrse",
        "transfer craete",
        "provider claims",
        "core-request aprove",
        "serv",
    ] {
        assert!(!said(line).contains("tip:"), "{}", said(line));
    }
    let said = said("transfer decide 0193 accept_excuted --reason r");
    assert!(said.contains("accept_not_executed") && !said.contains("tip:"), "{said}");
}

const PAGE: &str = include_str!("../../../../docs/cli.md");

/// The rows of the table on the page about commands that names the operations of the API.
fn described() -> BTreeMap<String, Vec<String>> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [operation, commands] = cells[..] else { return None };
        let operation = operation.strip_prefix('`')?.strip_suffix('`')?;
        let (method, path) = operation.split_once(' ')?;
        let known = ["GET", "POST", "PUT"].contains(&method) && path.starts_with('/');
        let code = commands.split('`').skip(1).step_by(2).map(str::to_owned);
        known.then(|| (operation.to_owned(), code.collect()))
    };
    PAGE.lines().filter_map(row).collect()
}

#[test]
fn each_operation_of_the_api_has_its_command_or_is_not_for_people() {
    let document: Value = serde_json::from_str(&kiungo_server::openapi_json()).unwrap();
    let items = document["paths"].as_object().unwrap();
    let operations = items.iter().flat_map(|(path, item)| {
        let methods =
            item.as_object().unwrap().keys().filter(|key| key.chars().all(char::is_alphabetic));
        methods
            .filter(|key| *key != "parameters")
            .map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let operations: BTreeSet<String> = operations.collect();
    assert!(operations.len() > 30, "{operations:?}");
    let described = described();
    let named: BTreeSet<String> = described.keys().cloned().collect();
    let missing: Vec<_> = operations.difference(&named).collect();
    assert!(missing.is_empty(), "not in docs/cli.md: {missing:?}");
    let gone: Vec<_> = named.difference(&operations).collect();
    assert!(gone.is_empty(), "in docs/cli.md only: {gone:?}");
    let paths = paths();
    for (operation, commands) in described {
        let (_, path) = operation.split_once(' ').unwrap();
        assert_eq!(commands.is_empty(), !path.starts_with("/v1/"), "{operation}: {commands:?}");
        for command in commands {
            let words = command.strip_prefix("kiungo ").unwrap_or("");
            let words = words.split(" --").next().unwrap();
            assert!(paths.iter().any(|path| path == words), "{operation}: no `{command}`");
        }
    }
}

#[test]
fn every_command_stands_on_the_page_about_commands() {
    let named: BTreeSet<String> =
        PAGE.lines().map(|line| line.replace(['`', ',', '.'], " ").trim().to_owned()).collect();
    let told = |path: &str| {
        let command = format!("kiungo {path}");
        named.iter().any(|line| format!("{line} ").contains(&format!("{command} ")))
    };
    let commands = CommandLine::command();
    for path in paths() {
        let mut command = &commands;
        for word in path.split(' ') {
            command = command.find_subcommand(word).unwrap();
        }
        // A group is told of by its commands.
        assert!(command.has_subcommands() || told(&path), "`kiungo {path}` is not in docs/cli.md");
    }
}
