//! The problems of a mapping file: all of them at once, each with file, line, column and key.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use strsim::levenshtein;

/// A mistake in a mapping file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named when it was loaded.
    pub file: String,
    /// The line, counted from 1; 0 if the whole file is meant.
    pub line: usize,
    /// The column in characters, counted from 1; 0 if the whole file is meant.
    pub column: usize,
    /// The key with all tables around it, for example `limits.collect.min`; empty if the whole file
    /// is meant.
    pub key: String,
    /// The fault, and a remedy.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// All problems of a mapping file, in the order of its lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingErrors(Vec<Problem>);

impl MappingErrors {
    /// The problems, in the order of their lines.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// These problems; `None` if there are none.
    pub fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then(|| Self::sorted(problems))
    }

    fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.dedup();
        Self(problems)
    }

    pub(crate) fn of_file(file: &str, message: String) -> Self {
        let file = file.to_owned();
        Self(vec![Problem { file, line: 0, column: 0, key: String::new(), message }])
    }
}

impl From<Problem> for MappingErrors {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for MappingErrors {
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

impl std::error::Error for MappingErrors {}

/// Collects problems while a file is read.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(crate) const fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::new(Vec::new()) }
    }

    pub(crate) fn add(&self, span: &Range<usize>, key: &str, message: impl Into<String>) {
        let (line, column) = position(self.text, span.start);
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line,
            column,
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// The number of problems so far.
    pub(crate) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// The problems, if there are any.
    pub(crate) fn finish(self) -> Result<(), MappingErrors> {
        if self.count() == 0 { Ok(()) } else { Err(self.errors()) }
    }

    /// The problems in the order of their lines.
    pub(crate) fn errors(self) -> MappingErrors {
        MappingErrors::sorted(self.problems.into_inner())
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
    // Longer ones are no words.
    let given: String = given.chars().take(64).collect();
    let distances = known.into_iter().map(|word| (levenshtein(&given, word), word));
    let nearest = distances.min_by_key(|(far, _)| *far);
    match nearest {
        Some((far, word)) if far <= word.len().max(3) / 3 => format!("; did you mean `{word}`?"),
        _ => String::new(),
    }
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
