//! The fuzz targets, by cargo-fuzz and a nightly compiler: `tests/fuzz/README.md`.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::install;
use crate::tool::Tool;

/// Fixed, so that a change of how it builds comes when we choose.
const VERSION: &str = "0.13.2";
/// The longest input that is made, in bytes: deep enough for every shape, and quick.
const INPUT_BYTES_MAX: u32 = 8 * 1024;
/// An input that takes longer is reported, in seconds: the targets take microseconds.
const INPUT_SECONDS_MAX: u32 = 10;

/// Runs one target, or all of them in turn, each for this number of seconds. Returns true if none
/// found anything.
pub(crate) fn run(root: &Path, target: Option<&str>, seconds: u64) -> bool {
    match fuzz(root, target, seconds) {
        Ok(found) if found.is_empty() => {
            println!("\nno input broke a rule");
            true
        }
        Ok(found) => {
            found.iter().for_each(Found::explain);
            false
        }
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            false
        }
    }
}

fn fuzz(root: &Path, target: Option<&str>, seconds: u64) -> Result<Vec<Found>> {
    let all = targets(root)?;
    let chosen: Vec<_> = match target {
        Some(name) => {
            let known = all.iter().cloned().collect::<Vec<_>>().join(", ");
            ensure!(all.contains(name), "there is no target `{name}` (but {known})");
            vec![name.to_owned()]
        }
        None => all.into_iter().collect(),
    };
    check_compilers(root)?;
    let program = install::installed(root, "cargo-fuzz", VERSION, &[])?;
    // The versions that are shipped are those that are fuzzed.
    fs::copy(root.join("Cargo.lock"), root.join("tests/fuzz/Cargo.lock"))
        .context("tests/fuzz/Cargo.lock")?;
    let mut found = Vec::new();
    for name in chosen {
        found.extend(one(root, &program, &name, seconds)?);
    }
    Ok(found)
}

/// The names of all targets.
fn targets(root: &Path) -> Result<BTreeSet<String>> {
    let folder = root.join("tests/fuzz/fuzz_targets");
    let names = files(&folder)?.into_iter();
    let names: BTreeSet<_> =
        names.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    ensure!(!names.is_empty(), "there are no targets in {}", folder.display());
    Ok(names)
}

/// libFuzzer is C++, and what it sees of a program is put there by a nightly compiler.
fn check_compilers(root: &Path) -> Result<()> {
    let nightly = ["run", "nightly", "cargo", "--version"];
    if !Tool::other(root, Path::new("rustup"), &nightly).works()? {
        bail!(
            "fuzzing needs a nightly compiler: rustup toolchain install nightly --profile minimal"
        );
    }
    let compiler = env::var_os("CXX").unwrap_or_else(|| "c++".into());
    if !Tool::other(root, Path::new(&compiler), &["--version"]).works()? {
        let compiler = compiler.to_string_lossy();
        bail!("fuzzing needs a C++ compiler, and `{compiler}` does not run: install g++ or clang");
    }
    Ok(())
}

/// Runs one target. The inputs that it found are kept below the target folder, for the next run.
fn one(root: &Path, program: &Path, name: &str, seconds: u64) -> Result<Option<Found>> {
    let artifacts = root.join("tests/fuzz/artifacts").join(name);
    let before = files(&artifacts).unwrap_or_default();
    let build = install::target(root).join("fuzz");
    let grown = build.join("corpus").join(name);
    fs::create_dir_all(&grown).with_context(|| grown.display().to_string())?;
    let program = program.to_string_lossy();
    let (build, grown) = (build.to_string_lossy(), grown.to_string_lossy());
    let seeds = format!("tests/fuzz/corpus/{name}");
    // Without a sanitizer: our code has no unsafe block for it to watch, and runs twice as fast.
    let what = [
        "run",
        "nightly",
        &program,
        "run",
        "--fuzz-dir",
        "tests/fuzz",
        "--sanitizer",
        "none",
        "--target-dir",
        &build,
    ];
    let bounds = [
        format!("-max_total_time={seconds}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        "-print_final_stats=1".to_owned(),
    ];
    let mut words = [&what[..], &[name, &grown, &seeds, "--"]].concat();
    words.extend(bounds.iter().map(String::as_str));
    // The cargo that runs us is not the nightly one.
    let ran = Tool::other(root, Path::new("rustup"), &words).environment("CARGO", "cargo").run();
    let input = files(&artifacts).unwrap_or_default().difference(&before).next().cloned();
    match (ran, input) {
        (Ok(()), _) => Ok(None),
        (Err(_), Some(input)) => {
            Ok(Some(Found { target: name.to_owned(), input, program: program.into_owned() }))
        }
        (Err(error), None) => Err(error),
    }
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// An input that broke a rule.
#[derive(Debug)]
struct Found {
    target: String,
    input: PathBuf,
    /// The path of cargo-fuzz.
    program: String,
}

impl Found {
    /// Says what to do with it.
    fn explain(&self) {
        let Self { target, input, program } = self;
        let input = input.display();
        println!(
            "\n{target}: an input broke a rule: {input}\n\
             1. make it smaller: rustup run nightly {program} tmin --fuzz-dir tests/fuzz --sanitizer none {target} {input}\n\
             2. keep the smallest as tests/fuzz/corpus/{target}/NAME, with a name that says what it is\n\
             3. see it fail: cargo test -p kiungo-tests --test simulation fuzz\n\
             4. repair what reads it, with a test of its own there"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_target_is_known_by_name() {
        let known = targets(&root()).unwrap();
        assert!(known.contains("gsma_answer") && known.contains("amount"), "{known:?}");
    }

    #[test]
    fn an_unknown_target_is_an_error_that_names_the_others() {
        let error = fuzz(&root(), Some("nothing"), 1).unwrap_err().to_string();
        assert!(error.contains("no target `nothing`") && error.contains("amount"), "{error}");
    }
}
