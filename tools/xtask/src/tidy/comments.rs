//! A doc comment opens with what it describes: few of them with a question word or a pronoun.

use super::settings::{FILE, Settings};
use super::{Finding, SourceFile};

/// The openings that make a reader look for the subject.
const OPENINGS: [&str; 14] = [
    "What",
    "Whatever",
    "When",
    "Where",
    "Whether",
    "Which",
    "Whichever",
    "Who",
    "Whoever",
    "Whose",
    "Why",
    "How",
    "Nobody",
    "Somebody",
];

/// Counts the doc comments of all Rust files, and names those that open so if they are too many.
pub(super) fn check(files: &[SourceFile], settings: &Settings) -> Vec<Finding> {
    let (all, mut findings) = openings(files);
    let allowed = all * settings.comments.question_max_percent / 100;
    if findings.len() <= allowed {
        return Vec::new();
    }
    let says = format!("{} of {all} doc comments open so; {allowed} may", findings.len());
    findings.push(Finding::new(FILE, 0, says));
    findings
}

/// The number of doc comments, and those that open with one of these words.
pub(super) fn openings(files: &[SourceFile]) -> (usize, Vec<Finding>) {
    let mut all = 0;
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let mut inside = false;
        for (index, line) in file.content.lines().enumerate() {
            let line = line.trim_start();
            let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            if let Some(text) = text.filter(|_| !inside) {
                all += 1;
                if let Some(opening) = opening(text.trim_start()) {
                    let says =
                        format!("the comment opens with `{opening}`: begin with its subject");
                    findings.push(Finding::new(&file.path, index + 1, says));
                }
            }
            // Attributes may stand between a comment and its rest.
            inside = text.is_some() || (inside && line.starts_with("#["));
        }
    }
    (all, findings)
}

fn opening(text: &str) -> Option<&'static str> {
    let word = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    OPENINGS.into_iter().find(|opening| *opening == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: &str, percent: usize) -> Vec<usize> {
        let mut settings = Settings::default();
        settings.comments.question_max_percent = percent;
        let file = SourceFile { path: "a.rs".to_owned(), content: content.to_owned() };
        check(&[file], &settings).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn an_opening_is_the_first_word_of_a_comment() {
        let content = "//! What a file is.\n\n/// The longest wait.\n/// When it ends.\nfn a() {}\n\n    /// Whether.\n    x: u8,\n/// Whosever.\nfn b() {}\n";
        assert_eq!(found(content, 0), [1, 7, 0]);
    }

    #[test]
    fn some_may_open_so() {
        let content = "/// How long.\na\n/// The time.\nb\n";
        assert_eq!(found(content, 50), [] as [usize; 0]);
        assert_eq!(found(content, 49), [1, 0]);
    }
}
