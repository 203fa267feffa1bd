//! A mapping file on disk, with the files that it extends.

use std::path::{Path, PathBuf};

use kiungo_settings::inherit::{self, Inherited, NamedText};
use kiungo_settings::{Document, Problems};

/// The longest file that is read, in bytes: far more than a code table needs.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads a mapping file joined with its parents. Its values are not checked, so that it need not be
/// complete.
///
/// # Errors
/// A file cannot be read, is no TOML, or does not fit its parent.
pub fn read(path: &Path) -> Result<Document, Problems> {
    let Inherited { document, problems } = inherited(path)?;
    Problems::of(problems).map_or(Ok(document), Err)
}

/// The paths of the files that a mapping file extends, the nearest first; none if they cannot be read.
pub fn parents(path: &Path) -> Vec<PathBuf> {
    let read = inherited(path).map(|read| read.document);
    read.map_or_else(|_| Vec::new(), |it| it.parents().iter().map(PathBuf::from).collect())
}

/// A mapping file joined with its parents, and everything that does not fit a parent.
pub(crate) fn inherited(path: &Path) -> Result<Inherited, Problems> {
    let name = path.display().to_string();
    let text = text(path).map_err(|why| Problems::one(&name, why))?;
    inherit::read(&name, &text, &|parent| {
        let path = path.with_file_name(format!("{parent}.toml"));
        let name = path.display().to_string();
        match self::text(&path) {
            Ok(text) => Ok(NamedText { name, text }),
            Err(why) => Err(format!("{name}, the file that is extended: {why}")),
        }
    })
}

fn text(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("the mapping file cannot be read: {error}");
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("is {size} bytes long; a mapping has {FILE_BYTES_MAX} at most"));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}
