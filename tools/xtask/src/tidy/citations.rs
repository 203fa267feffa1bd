//! Citations: a document that a comment or another document names exists, and has the section.
//!
//! Sections are cited as "`fineract.md` §9.1, §10.1": numbered headings of a reference document.
//! "(§9.1)" alone belongs to the one reference document that the file names; in a file that names
//! none, to the one that the nearest module or README around it names.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::{prose, resolve};
use super::mask::comments;
use super::{Checked, Finding, SourceFile};

/// The folder of the reference documents.
const REFERENCES: &str = "docs/reference/";
/// The folder of the decisions, whose names begin with their number.
const DECISIONS: &str = "docs/decisions/";
/// The kinds of files in which documents are cited.
const KINDS: [&str; 4] = ["rs", "toml", "sql", "md"];
/// The files of a folder whose citations hold for the files beside and below them.
const SPEAKERS: [&str; 5] = [".rs", "/mod.rs", "/lib.rs", "/src/lib.rs", "/README.md"];

/// Looks at the comments and documents of all files.
pub(super) fn check(files: &[SourceFile]) -> Checked {
    let library = Library::new(files);
    let mut checked = Checked::default();
    for file in files {
        let Some(text) = library.texts.get(file.path.as_str()) else { continue };
        library.look(&file.path, text, &mut checked);
    }
    checked
}

/// The text of a file in which documents are cited: a source's comments without their marks, a
/// document outside of its blocks. The lines stay where they are.
pub(super) fn text_of(file: &SourceFile) -> Option<String> {
    KINDS.into_iter().find(|kind| file.is(kind)).map(|kind| match kind {
        "rs" => unmarked(&comments(&file.content), &["//!", "///", "//"]),
        "toml" => after(&file.content, "#"),
        "sql" => after(&file.content, "--"),
        _ => {
            let mut lines = vec![""; file.content.lines().count()];
            for (number, line) in prose(&file.content) {
                lines[number - 1] = line;
            }
            lines.join("\n")
        }
    })
}

fn unmarked(text: &str, marks: &[&str]) -> String {
    let unmarked = |line: &str| {
        let start = line.trim_start();
        let mark = marks.iter().find_map(|mark| start.strip_prefix(mark));
        mark.unwrap_or(start).to_owned()
    };
    text.lines().map(unmarked).collect::<Vec<_>>().join("\n")
}

/// The text of each line after a mark.
fn after(text: &str, mark: &str) -> String {
    let after = |line: &str| line.split_once(mark).map_or("", |(_, after)| after).to_owned();
    text.lines().map(after).collect::<Vec<_>>().join("\n")
}

/// A place of a text that names a document or a section.
#[derive(Debug, PartialEq, Eq)]
enum Word<'a> {
    /// A path or a name that ends in `.md`.
    Document(&'a str),
    /// The number of a decision.
    Decision(&'a str),
    /// The number of a section.
    Section(&'a str),
}

/// A word with its line, and true if it directly follows the word before.
struct Found<'a> {
    line: usize,
    word: Word<'a>,
    follows: bool,
}

/// The words of a text that name something, in their order.
fn words(text: &str) -> Vec<Found<'_>> {
    let mut places: Vec<(usize, usize, Word<'_>)> = Vec::new();
    for (at, end) in text.match_indices(".md").map(|(at, end)| (at, at + end.len())) {
        let name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let start = at - text[..at].chars().rev().take_while(|c| name(*c)).count();
        if start < at && !text[end..].starts_with(|c: char| c.is_alphanumeric()) {
            places.push((start, end, Word::Document(&text[start..end])));
        }
    }
    for (at, word) in text.match_indices("ecision") {
        let after = text[at + word.len()..].trim_start_matches('s');
        let from = after.strip_prefix('/').unwrap_or_else(|| after.trim_start());
        let number = leading(from, |c| c.is_ascii_digit());
        if from.len() < after.len() && number.len() == 4 {
            let start = text.len() - from.len();
            places.push((start, start + number.len(), Word::Decision(number)));
        }
    }
    for (at, sign) in text.match_indices('§') {
        let start = at + sign.len();
        let number = leading(&text[start..], |c| c.is_ascii_digit() || c == '.');
        let number = number.trim_end_matches('.');
        if !number.is_empty() && !is_of_rfc(&text[..at]) {
            places.push((at, start + number.len(), Word::Section(number)));
        }
    }
    places.sort_by_key(|(start, ..)| *start);
    let mut before = 0;
    let mut found = Vec::new();
    for (start, end, word) in places {
        let between = text.get(before..start).unwrap_or_default();
        let line = 1 + text[..start].matches('\n').count();
        found.push(Found { line, word, follows: before > 0 && joins(between) });
        before = end;
    }
    found
}

fn leading(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !wanted(c)).unwrap_or(text.len())]
}

/// True if a text ends as "RFC 6749" does.
fn is_of_rfc(before: &str) -> bool {
    let mut words = before.split_whitespace().rev();
    let number = words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number && words.next().is_some_and(|word| word.ends_with("RFC"))
}

/// True if this joins a document with its sections, or a section with the next one.
fn joins(between: &str) -> bool {
    let mut words = between.split(|c: char| c.is_whitespace() || "`\",".contains(c));
    words.all(|word| ["", "and", "or", "to"].contains(&word))
}

/// The documents, and the texts that cite them.
struct Library<'a> {
    files: BTreeSet<&'a str>,
    texts: BTreeMap<&'a str, String>,
    /// The numbered headings of each reference document.
    sections: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Library<'a> {
    fn new(files: &'a [SourceFile]) -> Self {
        let texts = files.iter().filter_map(|file| Some((file.path.as_str(), text_of(file)?)));
        let references =
            files.iter().filter(|file| file.path.starts_with(REFERENCES) && file.is("md"));
        Self {
            files: files.iter().map(|file| file.path.as_str()).collect(),
            texts: texts.collect(),
            sections: references.map(|file| (file.path.as_str(), numbers(&file.content))).collect(),
        }
    }

    fn look(&self, path: &str, text: &str, checked: &mut Checked) {
        // The document of the sections that come next, or the reason that it is not known.
        let mut document = Err(String::new());
        for Found { line, word, follows } in words(text) {
            checked.count += 1;
            let result = match word {
                Word::Document(name) => match self.find(path, name) {
                    Ok(found) => {
                        document = found.ok_or_else(|| format!("`{name}` has no sections"));
                        Ok(())
                    }
                    Err(why) => {
                        document = Err(why.clone());
                        Err(why)
                    }
                },
                Word::Decision(number) => self.decision(number),
                Word::Section(number) => {
                    if !follows {
                        document = self.own(path);
                    }
                    document.clone().and_then(|document| self.section(document, number))
                }
            };
            if let Err(why) = result {
                checked.findings.push(Finding::new(path, line, why));
            }
        }
        // A document that is not there has no sections either.
        checked.findings.dedup();
    }

    /// The reference document that a name means; `None` if it means another file.
    fn find(&self, path: &str, name: &str) -> Result<Option<&'a str>, String> {
        let file = name.rsplit('/').next().unwrap_or(name);
        // A path on the machine of a user, an address, or a line for the changelog.
        if name.starts_with('/') || file.matches('.').count() > 1 {
            return Ok(None);
        }
        let beside = resolve(path, name).ok();
        let folders = ["", REFERENCES, "docs/", DECISIONS].map(|folder| format!("{folder}{name}"));
        let mut candidates = beside.into_iter().chain(folders);
        let found = candidates.find_map(|candidate| self.files.get(candidate.as_str()).copied());
        let found = found.ok_or_else(|| format!("`{name}`: there is no such document"))?;
        Ok(self.sections.contains_key(found).then_some(found))
    }

    fn decision(&self, number: &str) -> Result<(), String> {
        let start = format!("{DECISIONS}{number}-");
        let there = self.files.iter().any(|path| path.starts_with(&start));
        there.then_some(()).ok_or_else(|| format!("there is no decision {number}"))
    }

    fn section(&self, document: &str, number: &str) -> Result<(), String> {
        let there = self.sections.get(document).is_some_and(|numbers| numbers.contains(number));
        there.then_some(()).ok_or_else(|| format!("`{document}` has no section {number}"))
    }

    /// The document that a section alone belongs to.
    fn own(&self, path: &str) -> Result<&'a str, String> {
        if let Some((document, _)) = self.sections.get_key_value(path) {
            return Ok(document);
        }
        let folders = path.match_indices('/').rev().map(|(at, _)| &path[..at]);
        let around =
            folders.flat_map(|folder| SPEAKERS.map(|speaker| format!("{folder}{speaker}")));
        for speaker in std::iter::once(path.to_owned()).chain(around) {
            match self.named(&speaker).as_slice() {
                [] => {}
                [one] => return Ok(one),
                _ => {
                    return Err(format!("`{speaker}` names several documents: say which is meant"));
                }
            }
        }
        Err("a section of no document: name it".to_owned())
    }

    /// The reference documents with sections that a file names.
    fn named(&self, path: &str) -> Vec<&'a str> {
        let Some(text) = self.texts.get(path) else { return Vec::new() };
        let found = words(text).into_iter().filter_map(|found| match found.word {
            Word::Document(name) => self.find(path, name).ok().flatten(),
            _ => None,
        });
        let numbered = found.filter(|document| !self.sections[document].is_empty());
        numbered.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The numbers of a document's headings: of `## 4, 6. Operations` 4 and 6.
fn numbers(content: &str) -> BTreeSet<&str> {
    let headings = prose(content).filter_map(|(_, line)| line.strip_prefix('#'));
    headings
        .flat_map(|heading| {
            let words = heading.trim_start_matches('#').split_whitespace();
            words.map_while(|word| {
                let number = word.trim_end_matches(['.', ',']);
                number.chars().all(|c| c.is_ascii_digit() || c == '.').then_some(number)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = "# Facts\n\n## 4, 6. Calls\n\n### 6.1 One\n\n```sh\n# 7\n```\n";

    fn says(files: &[(&str, &str)]) -> Vec<String> {
        let documents = ["docs/reference/one.md", "docs/reference/two.md"];
        let documents = documents.map(|path| (path, REFERENCE));
        let others = [("docs/decisions/0003-journal.md", "# J"), ("docs/amqp.md", "# A")];
        let all = documents.into_iter().chain(others).chain(files.iter().copied());
        let file = |(path, content): (&str, &str)| SourceFile {
            path: path.to_owned(),
            content: content.to_owned(),
        };
        let files: Vec<_> = all.map(file).collect();
        check(&files).findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_cited_section_is_a_numbered_heading() {
        let good = "//! As `one.md` §4, §6 and\n//! §6.1 have it.\nlet a = \"`one.md` §9\";\n";
        assert_eq!(says(&[("a.rs", good)]), [] as [&str; 0]);
        let bad = "//! As `one.md` §4,\n//! §6.2 has it.\n\n/// `one.md`, §7.\n";
        let expected = [
            "a.rs:2: `docs/reference/one.md` has no section 6.2",
            "a.rs:4: `docs/reference/one.md` has no section 7",
        ];
        assert_eq!(says(&[("a.rs", bad)]), expected);
        let others = [("a.sql", "-- `two.md` §5\n"), ("b.toml", "a = \"no.md\" # `two.md` §5\n")];
        assert_eq!(says(&others).len(), 2);
    }

    #[test]
    fn a_cited_document_exists() {
        let good = "# A\n`docs/amqp.md` `amqp.md` `one.md` `decisions/0003` decision 0003 \
                    /usr/share/a.md https://example.org/a.md a.fixed.md\n```sh\ncat b.md\n```\n";
        assert_eq!(says(&[("docs/b.md", good), ("a.rs", "//! RFC 6749 §5.1, \"§n\"")]), [""; 0]);
        let bad =
            "// `design.md` §4\n// `docs/decisions/0004`\n// decision\n// 0009\n// `amqp.md` §1";
        let expected = [
            "a.rs:1: `design.md`: there is no such document",
            "a.rs:2: there is no decision 0004",
            "a.rs:4: there is no decision 0009",
            "a.rs:5: `amqp.md` has no sections",
        ];
        assert_eq!(says(&[("a.rs", bad)]), expected);
    }

    #[test]
    fn a_section_alone_belongs_to_the_one_document_that_is_named_around_it() {
        let one = ("crates/a/src/lib.rs", "//! `one.md`");
        assert_eq!(says(&[one, ("crates/a/tests/b.rs", "// (§6)")]), [""; 0]);
        assert_eq!(
            says(&[one, ("crates/a/src/b.rs", "// (§7)")]),
            ["crates/a/src/b.rs:1: `docs/reference/one.md` has no section 7"]
        );
        assert_eq!(
            says(&[("crates/b.rs", "// `one.md` §4 and `two.md` §4, or (§4)")]),
            ["crates/b.rs:1: `crates/b.rs` names several documents: say which is meant"]
        );
        assert_eq!(says(&[("b.rs", "// §4")]), ["b.rs:1: a section of no document: name it"]);
        assert_eq!(
            says(&[("docs/reference/three.md", "# T\n## 1. A\n§1 §2")]),
            ["docs/reference/three.md:3: `docs/reference/three.md` has no section 2"]
        );
    }
}
