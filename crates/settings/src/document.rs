//! A file as one tree: its own values, and those that it has of its parents.

use serde::de::DeserializeOwned;

use crate::own;
use crate::problem::{Problem, Problems};
use crate::sources::{Layer, Sources};
use crate::tree::{Entries, Value};

/// A file with its parents. Each value knows the file and the line that it comes from.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) sources: Sources,
    pub(crate) root: Entries,
    /// The names of the file and of its parents, the nearest first.
    pub(crate) files: Vec<String>,
    /// The values of parents that a child replaces or removes.
    pub(crate) replaced: Vec<Replaced>,
}

/// A value of a parent that a child replaces or removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// Its path.
    pub(crate) path: String,
    /// The offset at which the child does that.
    pub(crate) by: usize,
    /// The offset of the parent's value.
    pub(crate) before: usize,
}

impl Document {
    /// Reads a text without parents; `name` stands in messages.
    ///
    /// # Errors
    /// The text is no TOML.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let mut sources = Sources::default();
        let root = sources.parse(Layer::File, name, text)?;
        Ok(Self { sources, root, files: vec![name.to_owned()], replaced: Vec::new() })
    }

    /// The texts of all its files.
    pub const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The values.
    pub const fn root(&self) -> &Entries {
        &self.root
    }

    /// The name of the file, as it was given.
    pub fn file(&self) -> &str {
        self.files.first().map_or("", String::as_str)
    }

    /// The names of its parents, the nearest first.
    pub fn parents(&self) -> &[String] {
        self.files.get(1..).unwrap_or_default()
    }

    /// A section as a type of one's own; an absent one reads as an empty one.
    ///
    /// # Errors
    /// The section is no `T`.
    pub fn section<T: DeserializeOwned>(&self, key: &str) -> Result<T, Problems> {
        let empty = Value::empty_table(0..0);
        let value = self.root.get(key).map_or(&empty, |entry| &entry.value);
        own::read(&self.sources, key, value).map_err(Problems::from)
    }

    /// A problem with the value at a path of keys, at the place of as much of it as there is.
    pub fn problem(&self, path: &[&str], message: impl Into<String>) -> Problem {
        let key = path.join(".");
        let mut place = None;
        let mut table = Some(&self.root);
        for key in path {
            let Some(entry) = table.and_then(|table| table.get(*key)) else { break };
            place = Some(entry.value.at.start);
            table = entry.value.entries();
        }
        match place {
            Some(start) => self.sources.problem(start, &key, message),
            None => Problem { key, ..Problem::of_whole(self.file(), message) },
        }
    }

    /// The problems of a value that no child may change: one for each child that replaces or removes the
    /// value of its parent at this path. `why` says what the value is.
    pub fn sealed(&self, path: &str, why: &str) -> Vec<Problem> {
        let changes = self.replaced.iter().filter(|replaced| replaced.path == path);
        let problem = |replaced: &Replaced| {
            let parent = self.sources.place(replaced.before);
            let message = format!("is {why}, which {parent} states: a child cannot change it");
            self.sources.problem(replaced.by, path, message)
        };
        changes.map(problem).collect()
    }
}
