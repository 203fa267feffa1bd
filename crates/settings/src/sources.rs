//! The texts and variables that settings come from, and the place of each value in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::de::DeTable;

use crate::problem::{Problem, Problems, position};
use crate::tree::{self, Entries};

/// The kinds of sources, in their order: a later one goes before an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The defaults of the program.
    Defaults,
    /// A file.
    File,
    /// A variable of the environment.
    Environment,
}

/// Texts and variables. Each has a range of offsets of its own, as if all of them stood in one
/// text, so that the offset of a value leads to its place.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

#[derive(Clone)]
struct Source {
    layer: Layer,
    name: String,
    range: Range<usize>,
    /// The text, for its lines; `None` if there are none to name.
    text: Option<Arc<str>>,
}

impl Sources {
    /// Adds a text and reads it. `name` stands in messages, with line and column if it is a file.
    ///
    /// # Errors
    /// The text is no TOML.
    pub fn parse(&mut self, layer: Layer, name: &str, text: &str) -> Result<Entries, Problems> {
        let lines = (layer == Layer::File).then(|| Arc::from(text));
        let start = self.add(layer, name, text.len(), lines).start;
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problem = |error: &toml::de::Error| {
                let at = error.span().map_or(0, |span| span.start);
                self.problem(start + at, "", error.message())
            };
            return Err(Problems::in_order(errors.iter().map(problem).collect()));
        }
        Ok(tree::entries(document.get_ref(), start))
    }

    /// Adds a source of one value; its offsets.
    pub fn variable(&mut self, name: &str) -> Range<usize> {
        self.add(Layer::Environment, name, 1, None)
    }

    /// The kind of source that an offset belongs to.
    pub fn layer(&self, at: usize) -> Layer {
        self.source(at).map_or(Layer::Defaults, |source| source.layer)
    }

    /// The name of the source that an offset belongs to.
    pub fn name(&self, at: usize) -> &str {
        self.source(at).map_or("", |source| &source.name)
    }

    /// A problem at an offset.
    pub fn problem(&self, at: usize, key: &str, message: impl Into<String>) -> Problem {
        let source = self.source(at);
        let lines = source.and_then(|source| Some((source.text.as_ref()?, &source.range.start)));
        let (line, column) =
            lines.map_or((0, 0), |(text, start)| position(text, at.saturating_sub(*start)));
        let file = self.name(at).to_owned();
        Problem { file, line, column, key: key.to_owned(), message: message.into() }
    }

    /// The place of an offset without its column: `kiungo.toml:3`.
    pub fn place(&self, at: usize) -> String {
        let problem = self.problem(at, "", "");
        match problem.line {
            0 => problem.file,
            line => format!("{}:{line}", problem.file),
        }
    }

    /// The offsets at which a line of a text begins, in order.
    pub(crate) fn lines(&self) -> Vec<usize> {
        let lines = |source: &Source| {
            let (text, start) = (source.text.clone().unwrap_or_default(), source.range.start);
            let breaks = text.match_indices('\n').map(|(at, _)| start + at + 1);
            std::iter::once(start).chain(breaks).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(lines).collect()
    }

    /// The offset at which the text begins that an offset belongs to.
    pub(crate) fn start(&self, at: usize) -> usize {
        self.source(at).map_or(0, |source| source.range.start)
    }

    fn source(&self, at: usize) -> Option<&Source> {
        self.0.iter().find(|source| source.range.contains(&at)).or(self.0.last())
    }

    fn add(
        &mut self,
        layer: Layer,
        name: &str,
        length: usize,
        text: Option<Arc<str>>,
    ) -> Range<usize> {
        let start = self.0.last().map_or(0, |last| last.range.end);
        // The end of a text is a place of its own.
        let range = start..start + length + 1;
        self.0.push(Source { layer, name: name.to_owned(), range: range.clone(), text });
        range
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its text may hold what does not belong there.
        f.write_str(&self.name)
    }
}
