//! The problems of settings: all of them at once, each with its place and key.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use strsim::levenshtein;

use crate::sources::{Layer, Sources};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The source: the file, as it was named when it was loaded, or `environment variable NAME`.
    pub file: String,
    /// The line, counted from 1; 0 if the whole source is meant.
    pub line: usize,
    /// The column in characters, counted from 1; 0 if the whole source is meant.
    pub column: usize,
    /// The key with all tables around it, for example `limits.collect.min`; empty if the whole
    /// source is meant.
    pub key: String,
    /// The fault, and a remedy. Never a secret.
    pub message: String,
}

impl Problem {
    /// A problem with a whole source.
    pub fn of_whole(file: impl Into<String>, message: impl Into<String>) -> Self {
        let (file, message) = (file.into(), message.into());
        Self { file, line: 0, column: 0, key: String::new(), message }
    }

    /// The place in the source: `kiungo.toml:3:1`, `environment variable KIUNGO__SERVER__PORT`.
    pub fn place(&self) -> String {
        match self.line {
            0 => self.file.clone(),
            line => format!("{}:{line}:{}", self.file, self.column),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())?;
        for part in [&self.key, &self.message].into_iter().filter(|part| !part.is_empty()) {
            write!(f, ": {part}")?;
        }
        Ok(())
    }
}

/// All problems of some settings; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, in the order of the lines of a file, or of the sections of a configuration.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// The problems of a file and its parents, in the order of files and lines; `None` if there are
    /// none.
    pub fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then(|| Self::sorted(problems))
    }

    /// Problems in the order in which they were found.
    pub const fn in_order(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// A problem with a whole source.
    pub fn one(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![Problem::of_whole(file, message)])
    }

    /// The problems, to be joined with others.
    pub fn into_problems(self) -> Vec<Problem> {
        self.0
    }

    fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|one, two| {
            (&one.file, one.line, one.column).cmp(&(&two.file, two.line, two.column))
        });
        problems.dedup();
        Self(problems)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects problems while settings are read.
#[derive(Debug)]
pub struct Report<'a> {
    sources: &'a Sources,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    /// A report without problems about values of these sources.
    pub const fn new(sources: &'a Sources) -> Self {
        Self { sources, problems: RefCell::new(Vec::new()) }
    }

    /// The sources of the values.
    pub const fn sources(&self) -> &'a Sources {
        self.sources
    }

    /// True if somebody wrote what stands at these offsets; false for a default of the program.
    pub fn is_placed(&self, span: &Range<usize>) -> bool {
        self.sources.layer(span.start) != Layer::Defaults
    }

    /// Adds a problem with the value at these offsets.
    pub fn add(&self, span: &Range<usize>, key: &str, message: impl Into<String>) {
        self.add_problem(self.sources.problem(span.start, key, message));
    }

    /// Adds a problem that has been found elsewhere.
    pub fn add_problem(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// The number of problems so far.
    pub fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// The problems in the order of their lines.
    ///
    /// # Errors
    /// There are some.
    pub fn finish(self) -> Result<(), Problems> {
        Problems::of(self.into_problems()).map_or(Ok(()), Err)
    }

    /// The problems in the order in which they were found.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// Line and column, counted from 1, of a byte offset.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// The known word that was probably meant, as the end of a message: `; did you mean ...?`
pub fn did_you_mean<'w>(given: &str, known: impl IntoIterator<Item = &'w str>) -> String {
    match nearest(given, known) {
        Some((far, word)) if far <= word.len().max(3) / 3 => format!("; did you mean `{word}`?"),
        _ => String::new(),
    }
}

/// The known word that is most like the given one, and the number of characters in which they differ.
pub(crate) fn nearest<'w>(
    given: &str,
    known: impl IntoIterator<Item = &'w str>,
) -> Option<(usize, &'w str)> {
    // Longer ones are no words.
    let given: String = given.chars().take(64).collect();
    let distances = known.into_iter().map(|word| (levenshtein(&given, word), word));
    distances.min_by_key(|(far, _)| *far)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_in_lines_and_characters() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("a\nčb = 1", 4), (2, 2));
        assert_eq!(position("a\n", 99), (2, 1));
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("mni", ["min", "max"]), "");
        assert_eq!(did_you_mean("curency", ["currency"]), "; did you mean `currency`?");
        assert_eq!(did_you_mean("zebra", ["currency"]), "");
    }
}
