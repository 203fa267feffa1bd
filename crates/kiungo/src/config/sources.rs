//! The three layers: the built-in defaults, a file, the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiungo_settings::{Entries, Kind, Layer, Problem, Problems, layers};

/// The built-in defaults.
pub(super) const DEFAULTS: &str = include_str!("../../../../config/default.toml");
/// The place of what stands in no source.
pub(super) const NO_FILE: &str = "no configuration file is named";
/// The remedy.
pub(super) const NAME_ONE: &str = "name one by --config FILE or the variable KIUNGO_CONFIG; `kiungo init` writes one to \
    begin with";
const PREFIX: &str = "KIUNGO__";
/// The longest configuration file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The sources of a configuration, besides the built-in defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The file.
    pub(crate) file: Option<PathBuf>,
    /// The environment; only `KIUNGO__...` counts.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Sources {
    /// The file and the environment of this process.
    pub(crate) fn of_process(file: Option<PathBuf>) -> Result<Self, Problems> {
        let mut environment = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else { continue };
            let unreadable =
                |_: OsString| Problems::one(variable(name), "its value is not valid UTF-8");
            environment.insert(name.to_owned(), value.into_string().map_err(unreadable)?);
        }
        Ok(Self { file, environment })
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn variable(name: &str) -> String {
    format!("environment variable {name}")
}

/// The layers laid over each other. Holds secrets in the clear, and so is never printed or kept.
pub(super) struct Merged {
    pub(super) root: Entries,
    pub(super) texts: Arc<kiungo_settings::Sources>,
    /// The directory of the file.
    pub(super) folder: Option<PathBuf>,
    has_file: bool,
    /// Variables that address nothing.
    pub(super) problems: Vec<Problem>,
}

/// The place of each key, without its value.
#[derive(Debug, Clone)]
pub(super) struct Places {
    texts: Arc<kiungo_settings::Sources>,
    offsets: BTreeMap<String, Range<usize>>,
    has_file: bool,
}

impl Merged {
    pub(super) fn new(sources: &Sources) -> Result<Self, Problems> {
        let file = sources.file.as_deref().map(read_file).transpose()?;
        let mut texts = kiungo_settings::Sources::default();
        // What only the defaults say is missing in the file.
        let name = file.as_ref().map_or(NO_FILE, |(name, _)| name);
        let mut root = texts.parse(Layer::Defaults, name, DEFAULTS)?;
        if let Some((name, text)) = &file {
            layers::lay_over(&mut root, texts.parse(Layer::File, name, text)?);
        }
        let folder = sources.file.as_deref().and_then(Path::parent).map(Path::to_owned);
        let has_file = file.is_some();
        let mut merged =
            Self { root, texts: Arc::default(), folder, has_file, problems: Vec::new() };
        merged.overlay(sources, &mut texts);
        merged.texts = Arc::new(texts);
        Ok(merged)
    }

    /// The place of each key.
    pub(super) fn places(&self) -> Places {
        let (texts, offsets) = (Arc::clone(&self.texts), layers::offsets(&self.root));
        Places { texts, offsets, has_file: self.has_file }
    }

    /// Lays the environment over everything else. Its values stay texts: a password 0123456 must
    /// stay what it is.
    fn overlay(&mut self, sources: &Sources, texts: &mut kiungo_settings::Sources) {
        let mut set: Vec<(String, Range<usize>, String)> = Vec::new();
        for (name, value) in sources.environment.iter().filter(|(name, _)| is_ours(name)) {
            let key = name.to_lowercase().split_off(PREFIX.len()).replace("__", ".");
            let place = variable(name);
            match self.path_of(&key) {
                Ok(path) if set.iter().any(|(known, ..)| known == &path) => {
                    let message = "is set twice, in upper and lower case";
                    let problem = Problem::of_whole(place, message);
                    self.problems.push(Problem { key: path, ..problem });
                }
                Ok(path) => set.push((path, texts.variable(&place), value.clone())),
                Err(message) => self.problems.push(Problem::of_whole(place, message)),
            }
        }
        for (path, at, value) in set {
            layers::set_variable(&mut self.root, &path, &at, value);
        }
    }

    /// The path of a key of the environment, in which list entries are addressed by id or name.
    fn path_of(&self, key: &str) -> Result<String, String> {
        let fits = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let parts: Vec<&str> = key.split('.').collect();
        if !parts.iter().all(|part| fits(part)) {
            return Err("is not KIUNGO__SECTION__KEY with letters, digits and _".to_owned());
        }
        let (list, label, rest) = match parts.as_slice() {
            ["cores", rest @ ..] => ("cores", "id", rest),
            ["providers", rest @ ..] => ("providers", "id", rest),
            ["api", "keys", rest @ ..] => ("api.keys", "name", rest),
            _ => return Ok(key.to_owned()),
        };
        let [wanted, inside @ ..] = rest else {
            return Err(format!("`{list}` is a list: name the entry and its key"));
        };
        if inside.is_empty() {
            return Err(format!("name the key of the entry `{wanted}` as well"));
        }
        let labels = self.labels(list, label);
        let same = |name: &String| name.to_lowercase().replace('-', "_") == *wanted;
        if labels.iter().filter(|name| same(name)).count() > 1 {
            // Two keys of one name, for as long as clients move from one to the other.
            return Err(format!("several [[{list}]] have the {label} `{wanted}`: use the file"));
        }
        match labels.iter().position(same) {
            Some(index) => Ok(format!("{list}[{index}].{}", inside.join("."))),
            None if labels.is_empty() => Err(format!("the file has no [[{list}]]")),
            None => Err(format!("no [[{list}]] has the {label} `{wanted}`: {}", labels.join(", "))),
        }
    }

    fn labels(&self, list: &str, label: &str) -> Vec<String> {
        let mut value = None;
        let mut table = Some(&self.root);
        for part in list.split('.') {
            value = table.and_then(|table| table.get(part)).map(|entry| &entry.value);
            table = value.and_then(kiungo_settings::Value::entries);
        }
        let Some(Kind::List(entries)) = value.map(|value| &value.kind) else {
            return Vec::new();
        };
        let text = |entry: &kiungo_settings::Value| {
            Some(entry.entries()?.get(label)?.value.text()?.to_owned())
        };
        entries.iter().map(|entry| text(entry).unwrap_or_default()).collect()
    }
}

/// The name and text of the file.
fn read_file(path: &Path) -> Result<(String, String), Problems> {
    let name = path.display().to_string();
    let unreadable = |e: std::io::Error| Problems::one(&name, format!("cannot be read: {e}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(Problems::one(&name, format!("is over {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok((name, text))
}

impl Places {
    /// A problem with a key: at its value or, where only the defaults have one, at the table around
    /// it.
    pub(super) fn problem(&self, path: &str, message: impl Into<String>) -> Problem {
        let placed = |path: &str| {
            let at = self.offsets.get(path)?.start;
            (self.texts.layer(at) != Layer::Defaults).then_some(at)
        };
        let around = || placed(path.rsplit_once('.')?.0);
        // The defaults come first, and stand for what nobody wrote.
        let at = placed(path).or_else(around).unwrap_or_default();
        self.texts.problem(at, path, message)
    }

    /// The sources.
    pub(super) fn texts(&self) -> &kiungo_settings::Sources {
        &self.texts
    }

    /// True if a file was named.
    pub(super) const fn has_file(&self) -> bool {
        self.has_file
    }
}
