//! The three layers: the built-in defaults, a file, the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{Environment, FileFormat, Format as _, Map, Source, Value, ValueKind};
use toml::de::{DeTable, DeValue};

use super::problem::{ConfigErrors, ConfigProblem};

/// The built-in defaults.
pub(super) const DEFAULTS: &str = include_str!("../../../../config/default.toml");
const DEFAULTS_NAME: &str = "config/default.toml (built in)";
/// The place of what stands in no source.
pub(super) const NO_FILE: &str = "no configuration file is named";
/// The remedy.
pub(super) const NAME_ONE: &str = "name one by --config FILE or the variable KIUNGO_CONFIG; `kiungo init` writes one to \
    begin with";
pub(super) const ENVIRONMENT: &str = "the environment";
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
    pub(crate) fn of_process(file: Option<PathBuf>) -> Result<Self, ConfigErrors> {
        let mut environment = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else { continue };
            let unreadable =
                |_: OsString| ConfigErrors::one(variable(name), "its value is not valid UTF-8");
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

/// A text of settings with the name that stands in messages.
#[derive(Clone)]
struct Text {
    name: String,
    text: String,
}

/// The layers laid over each other. Holds secrets in the clear, and so is never printed or kept.
pub(super) struct Merged {
    pub(super) root: Map<String, Value>,
    pub(super) places: Places,
    /// Variables that address nothing.
    pub(super) problems: Vec<ConfigProblem>,
}

/// The sources of a value, in their order: a later one goes before an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Defaults,
    File,
    Environment,
}

impl Layer {
    pub(super) fn of(origin: Option<&str>) -> Self {
        match origin {
            None | Some(DEFAULTS_NAME) => Self::Defaults,
            Some(ENVIRONMENT) => Self::Environment,
            Some(_) => Self::File,
        }
    }
}

/// The place of each key, without the values of the environment.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The file, if one was named.
    file: Option<Text>,
    /// The directory of the file.
    folder: Option<PathBuf>,
    /// The variable of a key that the environment sets.
    variables: BTreeMap<String, String>,
}

impl Merged {
    pub(super) fn new(sources: &Sources) -> Result<Self, ConfigErrors> {
        let defaults = Text { name: DEFAULTS_NAME.to_owned(), text: DEFAULTS.to_owned() };
        let mut texts = vec![defaults];
        if let Some(path) = &sources.file {
            let name = path.display().to_string();
            let unreadable =
                |e: std::io::Error| ConfigErrors::one(&name, format!("cannot be read: {e}"));
            if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
                return Err(ConfigErrors::one(&name, format!("is over {FILE_BYTES_MAX} bytes")));
            }
            let text = std::fs::read_to_string(path).map_err(unreadable)?;
            texts.push(Text { name, text });
        }
        let mut builder = config::Config::builder();
        for text in &texts {
            builder = builder.add_source(Settings(text.parse()?));
        }
        let files = collect(&builder.clone().build(), ENVIRONMENT)?;
        let file = texts.into_iter().find(|text| text.name != DEFAULTS_NAME);
        let folder = sources.file.as_deref().and_then(Path::parent).map(Path::to_owned);
        let places = Places { file, folder, variables: BTreeMap::new() };
        let mut merged = Self { root: files, places, problems: Vec::new() };
        let overlay = merged.overlay(sources)?;
        merged.root = collect(&builder.add_source(Settings(overlay)).build(), ENVIRONMENT)?;
        Ok(merged)
    }

    /// True if a value with this origin is one of the built-in defaults.
    pub(super) fn is_default(origin: Option<&str>) -> bool {
        origin.is_none_or(|origin| origin == DEFAULTS_NAME)
    }

    /// The environment as keys of the configuration.
    fn overlay(&mut self, sources: &Sources) -> Result<Map<String, Value>, ConfigErrors> {
        let ours = sources.environment.iter().filter(|(name, _)| is_ours(name));
        let ours: Map<String, String> = ours.map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut names: Vec<String> = ours.keys().cloned().collect();
        names.sort();
        // Parsing is off: a password 0123456 must stay what it is.
        let values = Environment::with_prefix("KIUNGO")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(false)
            .source(Some(ours))
            .collect()
            .map_err(|error| ConfigErrors::one(ENVIRONMENT, error.to_string()))?;
        let mut overlay = Map::new();
        for name in names {
            let key = name.to_lowercase().split_off(PREFIX.len()).replace("__", ".");
            let Some(value) = values.get(&key) else { continue };
            let place = variable(&name);
            match self.path_of(&key) {
                Ok(path) if self.places.variables.contains_key(&path) => {
                    let message = "is set twice, in upper and lower case".to_owned();
                    self.problems.push(ConfigProblem { place, key: path, message });
                }
                Ok(path) => {
                    let value = Value::new(Some(&ENVIRONMENT.to_owned()), value.kind.clone());
                    overlay.insert(path.clone(), value);
                    self.places.variables.insert(path, name);
                }
                Err(message) => {
                    self.problems.push(ConfigProblem { place, key: String::new(), message });
                }
            }
        }
        Ok(overlay)
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
            value = table.and_then(|table| table.get(part));
            table = value.and_then(as_table);
        }
        let Some(ValueKind::Array(entries)) = value.map(|value| &value.kind) else {
            return Vec::new();
        };
        let text = |entry: &Value| {
            let value = as_table(entry)?.get(label)?;
            value.clone().into_string().ok()
        };
        entries.iter().map(|entry| text(entry).unwrap_or_default()).collect()
    }
}

impl Places {
    /// The place of this key: the variable, or file, line and column.
    pub(super) fn place(&self, origin: Option<&str>, path: &str) -> String {
        if let Some(name) = self.variables.get(path) {
            return variable(name);
        }
        // A table of the environment is known by the first variable inside it.
        let inside =
            |name: &str| name.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']));
        if origin.is_none()
            && let Some((_, name)) = self.variables.iter().find(|(path, _)| inside(path))
        {
            return variable(name);
        }
        let Some(file) = &self.file else { return NO_FILE.to_owned() };
        let located = locate_or_around(&file.text, path);
        located.map_or_else(
            || file.name.clone(),
            |(line, column)| format!("{}:{line}:{column}", file.name),
        )
    }

    /// True if a file was named.
    pub(super) const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The path `text` of a value with this origin.
    pub(super) fn resolved(&self, origin: Option<&str>, text: &str) -> PathBuf {
        self.folder(origin).map_or_else(|| PathBuf::from(text), |folder| folder.join(text))
    }

    /// The directory from which a relative path of this origin counts, unless it is the current one:
    /// that of the file, for the built-in defaults too, so that no path of an installation depends on
    /// where its program is started.
    pub(super) fn folder(&self, origin: Option<&str>) -> Option<&Path> {
        self.folder.as_deref().filter(|_| Layer::of(origin) != Layer::Environment)
    }
}

pub(super) fn as_table(value: &Value) -> Option<&Map<String, Value>> {
    match &value.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its text may hold what does not belong there.
        f.write_str(&self.name)
    }
}

impl Text {
    fn parse(&self) -> Result<Map<String, Value>, ConfigErrors> {
        let (_, errors) = DeTable::parse_recoverable(&self.text);
        if !errors.is_empty() {
            let problem = |error: &toml::de::Error| {
                let (line, column) = position(&self.text, error.span().map_or(0, |s| s.start));
                let place = format!("{}:{line}:{column}", self.name);
                let message = error.message().to_owned();
                ConfigProblem { place, key: String::new(), message }
            };
            return Err(ConfigErrors(errors.iter().map(problem).collect()));
        }
        FileFormat::Toml
            .parse(Some(&self.name), &self.text)
            .map_err(|error| ConfigErrors::one(&self.name, error.to_string()))
    }
}

/// One layer, as the `config` crate lays it over those before.
#[derive(Debug, Clone)]
struct Settings(Map<String, Value>);

impl Source for Settings {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

fn collect(
    built: &Result<config::Config, config::ConfigError>,
    place: &str,
) -> Result<Map<String, Value>, ConfigErrors> {
    let collected = match built {
        Ok(built) => built.collect().map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    collected.map_err(|message| ConfigErrors::one(place, message))
}

/// Line and column of a key or, where the text lacks it, of the table that it belongs into.
fn locate_or_around(text: &str, path: &str) -> Option<(usize, usize)> {
    let around = || locate(text, path.rsplit_once('.')?.0);
    locate(text, path).or_else(around)
}

/// Line and column of a key such as `cores[0].fineract.base_url`, as far as the text has it.
fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut table = Some(document.get_ref());
    let mut place = None;
    for part in path.split('.') {
        let (name, index) = part.split_once('[').map_or((part, None), |(name, index)| {
            (name, index.trim_end_matches(']').parse::<usize>().ok())
        });
        let (key, value) = table?.get_key_value(name)?;
        place = Some(key.span().start);
        let value = match (value.get_ref(), index) {
            (DeValue::Array(entries), Some(index)) => {
                let entry = entries.get(index)?;
                place = Some(entry.span().start);
                entry
            }
            _ => value,
        };
        table = match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        };
    }
    place.map(|offset| position(text, offset))
}

/// Line and column, counted from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
}
