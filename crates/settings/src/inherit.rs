//! Inheritance: a file that begins with `extends = "NAME"` has the values of its parent, NAME.toml.
//!
//! Tables are joined by their keys; a list or any other value replaces the parent's as a whole. With
//! `unset = ["codes.collect.X"]` a file removes keys of its parent. What has no effect is an error: a key to
//! be removed that is not there, and a value that repeats the parent's.

use std::path::Path;

use crate::document::{Document, Replaced};
use crate::layers::lay_over;
use crate::print;
use crate::problem::{Problem, Problems, nearest};
use crate::sources::{Layer, Sources};
use crate::tree::{Entries, Entry, Kind, Value};

/// The most parents of a file, one above the other: a family, a market, and one more.
pub const PARENTS_MAX: usize = 3;

const EXTENDS: &str = "extends";
const UNSET: &str = "unset";

/// A text, and the name by which messages call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedText {
    /// The name, for example the path of its file.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Finds the parent of a name; the error says why there is none.
pub type Parents<'p> = &'p dyn Fn(&str) -> Result<NamedText, String>;

/// A file joined with its parents.
#[derive(Debug, Clone)]
pub struct Inherited {
    /// All values.
    pub document: Document,
    /// Everything that is wrong with the way in which they were joined.
    pub problems: Vec<Problem>,
}

/// Reads a file and its parents, and joins them.
///
/// # Errors
/// One of them is no TOML, or a parent cannot be had.
pub fn read(name: &str, text: &str, parents: Parents<'_>) -> Result<Inherited, Problems> {
    let mut sources = Sources::default();
    let own = NamedText { name: name.to_owned(), text: text.to_owned() };
    let levels = levels(&mut sources, &own, parents)?;
    let mut joining = Joining { sources: &sources, problems: Vec::new(), replaced: Vec::new() };
    let mut root = Entries::new();
    let files = levels.iter().map(|level| level.file.clone()).collect();
    for level in levels.into_iter().rev() {
        joining.remove(&mut root, &level);
        joining.compare(&root, &level.entries, "");
        lay_over(&mut root, level.entries);
    }
    let Joining { problems, replaced, .. } = joining;
    Ok(Inherited { document: Document { sources, root, files, replaced }, problems })
}

/// A file, before it is joined with its parent.
struct Level {
    file: String,
    entries: Entries,
    extends: Option<Entry>,
    unset: Option<Entry>,
}

impl Level {
    fn read(sources: &mut Sources, own: &NamedText) -> Result<Self, Problems> {
        let mut entries = sources.parse(Layer::File, &own.name, &own.text)?;
        let (extends, unset) = (entries.remove(EXTENDS), entries.remove(UNSET));
        Ok(Self { file: own.name.clone(), entries, extends, unset })
    }

    /// The name of the parent; `None` if it has none.
    fn parent(&self, sources: &Sources) -> Result<Option<String>, Problem> {
        let Some(Entry { key_at, value }) = &self.extends else { return Ok(None) };
        let first = self.entries.values().chain(&self.unset).map(|entry| entry.key_at.start).min();
        if first.is_some_and(|first| first < key_at.start) {
            let message = "must be the first key: whoever reads the file has to know it first";
            return Err(sources.problem(key_at.start, EXTENDS, message));
        }
        let name = value.text().unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(fits) {
            let message = "must be the name of a file in the same folder without .toml, for example \
                           \"mpesa-openapi\"";
            return Err(sources.problem(value.at.start, EXTENDS, message));
        }
        Ok(Some(name.to_owned()))
    }
}

/// A file and its parents, the nearest first.
fn levels(
    sources: &mut Sources,
    own: &NamedText,
    parents: Parents<'_>,
) -> Result<Vec<Level>, Problems> {
    let stem = Path::new(&own.name).file_stem().unwrap_or_default();
    let mut names = vec![stem.to_string_lossy().into_owned()];
    let mut level = Level::read(sources, own)?;
    let mut levels = Vec::new();
    while let Some(parent) = level.parent(sources)? {
        let refused = if names.contains(&parent) {
            Some(format!("is a circle: {} extends {parent}", names.join(" extends ")))
        } else if names.len() > PARENTS_MAX {
            let chain = names.join(" extends ");
            Some(format!("is one parent too many: {chain}, and {PARENTS_MAX} parents are the most"))
        } else {
            None
        };
        let found = refused.map_or_else(|| parents(&parent), Err);
        let found = found.map_err(|why| {
            let at = level.extends.as_ref().map_or(0, |extends| extends.value.at.start);
            sources.problem(at, EXTENDS, why)
        })?;
        names.push(parent);
        levels.push(level);
        level = Level::read(sources, &found)?;
    }
    levels.push(level);
    Ok(levels)
}

/// The joining of files.
struct Joining<'s> {
    sources: &'s Sources,
    problems: Vec<Problem>,
    replaced: Vec<Replaced>,
}

impl Joining<'_> {
    fn problem(&mut self, at: usize, key: &str, message: impl Into<String>) {
        self.problems.push(self.sources.problem(at, key, message));
    }

    /// Removes the keys of the parent that a file does not want.
    fn remove(&mut self, parent: &mut Entries, level: &Level) {
        let Some(unset) = &level.unset else { return };
        if level.extends.is_none() {
            let message = "has nothing to remove: the file extends no other";
            return self.problem(unset.key_at.start, UNSET, message);
        }
        let Kind::List(paths) = &unset.value.kind else {
            let message = "must be a list of keys, for example [\"codes.collect.X\"]";
            return self.problem(unset.value.at.start, UNSET, message);
        };
        for (index, path) in paths.iter().enumerate() {
            let key = format!("{UNSET}[{index}]");
            let Some((text, parts)) = path.text().and_then(|text| Some((text, parts(text)?)))
            else {
                let message = "must be a key with its tables, for example \"codes.collect.X\"";
                self.problem(path.at.start, &key, message);
                continue;
            };
            if let Some(entry) = take(parent, &parts) {
                self.note(&entry.value, &parts.join("."), path.at.start);
            } else {
                let message = format!("the parent has no key `{text}`{}", near(parent, &parts));
                self.problem(path.at.start, &key, message);
            }
        }
    }

    /// Notes that a child removes a value, or every value of a table.
    fn note(&mut self, value: &Value, path: &str, by: usize) {
        if let Kind::Table(entries) = &value.kind {
            for (key, entry) in entries {
                self.note(&entry.value, &format!("{path}.{key}"), by);
            }
        } else {
            self.replaced.push(Replaced { path: path.to_owned(), by, before: value.at.start });
        }
    }

    /// Compares what a file says with what its parent says.
    fn compare(&mut self, parent: &Entries, child: &Entries, path: &str) {
        for (key, entry) in child {
            let Some(before) = parent.get(key) else { continue };
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let by = entry.value.at.start;
            match (&before.value.kind, &entry.value.kind) {
                (Kind::Table(parent), Kind::Table(child)) => self.compare(parent, child, &path),
                _ if entry.value.is_same(&before.value) => {
                    let place = self.sources.place(before.value.at.start);
                    self.problem(by, &path, format!("says the same as {place}: remove it"));
                }
                _ => self.note(&before.value, &path, by),
            }
        }
    }
}

/// Takes the entry at a path out of a table.
fn take(entries: &mut Entries, path: &[String]) -> Option<Entry> {
    let (last, way) = path.split_last()?;
    let mut table = entries;
    for part in way {
        let Kind::Table(inner) = &mut table.get_mut(part)?.value.kind else { return None };
        table = inner;
    }
    table.remove(last)
}

/// The key most like the one at a path that is not there, as the end of a message.
fn near(entries: &Entries, path: &[String]) -> String {
    let mut table = entries;
    let mut way: Vec<String> = Vec::new();
    let mut parts = path.iter();
    let mut wanted = parts.next();
    while let Some(inner) = wanted.and_then(|part| table.get(part)?.value.entries()) {
        way.extend(wanted.map(|part| print::key(part)));
        (table, wanted) = (inner, parts.next());
    }
    // A name with points in it may have been written without quotes.
    let rest: Vec<&str> = wanted.into_iter().chain(parts).map(String::as_str).collect();
    let readings = [wanted.cloned().unwrap_or_default(), rest.join(".")];
    let known = || table.keys().map(String::as_str);
    let nearest = readings.iter().filter_map(|reading| nearest(reading, known())).min();
    let Some((_, nearest)) = nearest else { return String::new() };
    way.push(print::key(nearest));
    format!("; the nearest one is `{}`", way.join("."))
}

/// The parts of a path: `codes.all."a.b"`.
fn parts(path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = path;
    loop {
        let (part, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        if part.is_empty() {
            return None;
        }
        parts.push(part.to_owned());
        match behind.strip_prefix('.') {
            Some(more) => rest = more,
            None => return behind.is_empty().then_some(parts),
        }
    }
}

#[cfg(test)]
mod tests;
