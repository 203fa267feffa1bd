//! The figures of the sources: how large files and functions are, how they hang together, and how
//! their comments open. Of the product and its tools, without tests.

use std::fmt;
use std::path::Path;

use anyhow::Result;

use super::product::product_of;
use super::{SourceFile, circles, comments, files, rust};

/// The figures of the sources.
pub(crate) struct Figures {
    /// The numbers of lines of the files.
    files: Spread,
    /// The numbers of lines of the functions.
    functions: Spread,
    /// The number of files in the largest circle; 1 if there is none.
    circle: usize,
    /// `unwrap` and `expect` in each 100,000 lines of the product.
    unwraps: usize,
    comments: usize,
    /// The doc comments that open with a question word.
    openings: usize,
}

/// Reads all sources.
pub(crate) fn read(root: &Path) -> Result<Figures> {
    let files = files::list(root)?;
    let (comments, openings) = comments::openings(&files);
    let circle = circles::all(&files).map(|circle| circle.len()).max().unwrap_or(1);
    let sources = files.iter().filter(|file| is_source(file));
    let products: Vec<String> = sources.map(|file| product_of(&file.content)).collect();
    let lines = products.iter().map(|code| code.lines().count());
    let functions = products.iter().flat_map(|code| rust::function_lengths(code)).collect();
    let count = |word: &str| products.iter().map(|code| code.matches(word).count()).sum::<usize>();
    let unwraps = (count(".unwrap()") + count(".expect(")) * 100_000;
    let all: usize = lines.clone().sum();
    Ok(Figures {
        files: Spread::of(lines.collect()),
        functions: Spread::of(functions),
        circle,
        unwraps: unwraps / all.max(1),
        comments,
        openings: openings.len(),
    })
}

/// True for a source of the product and its tools; contract suites and files of tests are none.
fn is_source(file: &SourceFile) -> bool {
    let path = &file.path;
    let is_ours = path.starts_with("crates/") || path.starts_with("tools/");
    let is_test = ["/contract/", "/tests/", "/testing/"].iter().any(|part| path.contains(part))
        || path.ends_with("tests.rs")
        || path.ends_with("/testing.rs");
    file.is("rs") && is_ours && path.contains("/src/") && !is_test
}

/// Where the sizes of many things lie.
#[derive(Debug, PartialEq, Eq)]
struct Spread {
    count: usize,
    median: usize,
    p90: usize,
    p99: usize,
    max: usize,
}

impl Spread {
    fn of(mut sizes: Vec<usize>) -> Self {
        sizes.sort_unstable();
        let at = |percent: usize| {
            let index = (sizes.len() * percent).div_ceil(100).saturating_sub(1);
            sizes.get(index).copied().unwrap_or_default()
        };
        Self { count: sizes.len(), median: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, median, p90, p99, max } = self;
        write!(f, "{median} / {p90} / {p99} / {max} of {count}")
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lines a file, median / p90 / p99 / max      {}", self.files)?;
        writeln!(f, "lines a function, median / p90 / p99 / max  {}", self.functions)?;
        writeln!(f, "files in the largest circle                 {}", self.circle)?;
        let (whole, rest) = (self.unwraps / 100, self.unwraps % 100);
        writeln!(f, "`unwrap` and `expect` in 1,000 lines        {whole}.{rest:02}")?;
        write!(
            f,
            "doc comments that open with a question word {} of {}",
            self.openings, self.comments
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_its_percentiles() {
        let spread = Spread::of((1..=200).rev().collect());
        let expected = Spread { count: 200, median: 100, p90: 180, p99: 198, max: 200 };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(Vec::new()).max, 0);
    }

    #[test]
    fn the_project_has_figures() {
        let figures = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap();
        assert!(figures.files.count > 400 && figures.functions.count > 4_000, "{figures}");
        assert!(figures.comments > 5_000 && figures.openings < figures.comments / 20, "{figures}");
    }
}
