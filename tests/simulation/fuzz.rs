//! Every checked-in input, and hundreds made from it, through the fuzz targets: the rules that a
//! fuzzer looks for breaches of, without a fuzzer. The mutations are the same in every run.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use kiungo_simulator::chance::SplitMix64;
use kiungo_tests::fuzz::{TARGETS, Target};

/// The number of inputs that are made from each checked-in one.
const MUTATIONS: u64 = 200;
/// A checked-in input is small, or a person does not read it.
const INPUT_BYTES_MAX: usize = 8 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs of a target, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut inputs: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

fn names(path: &str, ending: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder().join(path)).unwrap().map(|entry| entry.unwrap());
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(name).map(|name| name.trim_end_matches(ending).to_owned()).collect()
}

/// A generator of numbers.
struct Chance(SplitMix64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.roll() % bound.max(1) as u64).unwrap()
    }

    /// An input like this one: some bytes are changed, left out, doubled, or taken from another.
    fn mutated(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + 1 + self.below(12)).min(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
                3 => {
                    let from = self.below(other.len() + 1);
                    bytes.splice(at.., other[from..].iter().copied());
                }
                4 => {
                    const TELLING: &[u8] = b"\x00\x1e\"\\{}[],:09aA-.\x7f\xc3\xff";
                    bytes.insert(at, TELLING[self.below(TELLING.len())]);
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = u8::try_from(self.below(256)).unwrap();
                    }
                }
            }
        }
        bytes
    }
}

/// Runs a target, and shows the input that it does not stand.
fn meet(target: (&str, Target), name: &str, input: &[u8]) {
    let met = catch_unwind(AssertUnwindSafe(|| target.1(input)));
    assert!(met.is_ok(), "{} does not stand (like {name}): {}", target.0, input.escape_ascii());
}

#[test]
fn every_target_has_its_inputs_and_its_program() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus", ""), targets);
    assert_eq!(names("fuzz_targets", ".rs"), targets);
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for target in targets {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "no [[bin]] {target}");
        let path = folder().join("fuzz_targets").join(format!("{target}.rs"));
        let program = fs::read_to_string(path).unwrap();
        assert!(program.contains(&format!("fuzz::{target}(data)")), "{target} calls another");
        let inputs = corpus(&target);
        assert!(inputs.len() >= 5, "{target} has {} inputs", inputs.len());
        for (name, input) in inputs {
            assert!(input.len() <= INPUT_BYTES_MAX, "{target}/{name}: {} bytes", input.len());
        }
    }
}

macro_rules! replayed {
    ($($target:ident),*) => {$(
        #[test]
        fn $target() {
            let target = TARGETS.into_iter().find(|(name, _)| *name == stringify!($target));
            replay(target.unwrap());
        }
    )*};
}

/// One test a target, so that they run beside each other.
mod no_input_and_none_like_it_breaks_a_rule {
    use super::{TARGETS, replay};

    replayed!(
        amount,
        fineract_answer,
        gsma_answer,
        gsma_callback,
        mapping_file,
        mpesa_answer,
        mpesa_callback
    );

    #[test]
    fn of_no_target_left_out() {
        assert_eq!(TARGETS.len(), 7, "list it above");
    }
}

fn replay(target: (&'static str, Target)) {
    let inputs = corpus(target.0);
    assert!(!inputs.is_empty(), "{} has no inputs", target.0);
    for (index, (name, input)) in inputs.iter().enumerate() {
        meet(target, name, input);
        let mut chance = Chance(SplitMix64::new(index as u64));
        for _ in 0..MUTATIONS {
            let (_, other) = &inputs[chance.below(inputs.len())];
            meet(target, name, &chance.mutated(input, other));
        }
    }
}
