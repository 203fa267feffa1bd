//! Secrets: from the environment, or from a file of their own; never from a configuration file, and
//! never printed.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use kiungo_settings::Layer;
use secrecy::{ExposeSecret, SecretString};
use serde::de::value::{Error as SecretsError, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

use super::problem::Warning;
use super::read::{Section, quoted};

/// The longest secret that is read from a file, in bytes: a certificate with its key fits.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// The text that is shown in place of a secret.
pub(super) const HIDDEN: &str = "\"***\"";

/// The secrets of a provider or core, under the names that its adapter gives them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(BTreeMap<String, SecretString>);

impl Secrets {
    /// The secrets as the adapter's own type; the error names a secret that it does not know or
    /// misses, never a value.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, SecretsError> {
        let entries = self.0.iter();
        let entries = entries.map(|(name, secret)| (name.as_str(), Text(secret.expose_secret())));
        T::deserialize(MapDeserializer::new(entries))
    }

    /// Reads a table in which each secret is `name` (environment only) or `name_file`.
    pub(super) fn read_from(section: &Section<'_>) -> Self {
        let mut texts = BTreeMap::new();
        for (key, item) in section.free_entries() {
            let Some(text) = item.text() else { continue };
            let is_path = key.ends_with("_file");
            section.show(key, &if is_path { quoted(text) } else { HIDDEN.to_owned() });
            if !text.is_empty() {
                texts.insert(key, text.to_owned());
            }
        }
        let mut secrets = BTreeMap::new();
        for (key, text) in &texts {
            let name = key.strip_suffix("_file");
            let other = name.map_or_else(|| format!("{key}_file"), ToOwned::to_owned);
            let given = texts.contains_key(other.as_str());
            let secret = match name {
                // Refused whichever counts.
                None if is_misplaced(section, key) => None,
                _ if given && !goes_before(section, key, &other) => None,
                Some(_) => from_file(section, key, text),
                None => Some(SecretString::from(text.as_str())),
            };
            if let Some(secret) = secret {
                warn_of_sample(section, key, &secret);
                secrets.insert(name.unwrap_or(key).to_owned(), secret);
            }
        }
        Self(secrets)
    }
}

/// True if `key` decides and not `other`, which gives the same: the later source wins. Within one source
/// both are a mistake, which is reported once.
pub(super) fn goes_before(section: &Section<'_>, key: &str, other: &str) -> bool {
    match section.layer(key).cmp(&section.layer(other)) {
        Ordering::Less => false,
        Ordering::Equal if key.ends_with("_file") => {
            section.problem(key, format!("gives `{other}` a second time"));
            false
        }
        Ordering::Greater | Ordering::Equal => true,
    }
}

/// Secrets that stand in examples, or are what a product is delivered with.
const SAMPLES: [&str; 16] = [
    "admin",
    "change-me",
    "change_me",
    "changeme",
    "changeit",
    "demo",
    "example",
    "geheim",
    "guest",
    "kiungo",
    "letmein",
    "password",
    "postgres",
    "secret",
    "test",
    "your-secret",
];

/// Warns of a secret that everybody knows.
fn warn_of_sample(section: &Section<'_>, key: &str, secret: &SecretString) {
    let text = secret.expose_secret().to_ascii_lowercase();
    let counted = "01234567890123456789012345678901";
    let is_one_character = text.chars().all(|c| text.starts_with(c));
    if SAMPLES.contains(&text.as_str()) || counted.starts_with(&text) || is_one_character {
        let key = section.path_of(key);
        section.warn(Warning::new(
            "sample_secret",
            format!("{key} is a secret of an example, which everybody knows"),
            "choose another one",
        ));
    }
}

/// A text for a field that may be optional, which serde's own would refuse.
struct Text<'a>(&'a str);

impl IntoDeserializer<'_, SecretsError> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = SecretsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SecretsError> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SecretsError> {
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A single secret under `key` or `file_key`; shown as `***` where it is set.
pub(super) fn one(
    section: &mut Section<'_>,
    key: &'static str,
    file_key: &'static str,
) -> Option<SecretString> {
    let direct = section.read_text(key).filter(|text| !text.is_empty());
    let direct = direct.filter(|_| !is_misplaced(section, key));
    let by_file = section.read_text(file_key).filter(|text| !text.is_empty());
    section.show(file_key, &quoted(by_file.as_deref().unwrap_or_default()));
    let secret = match (direct, by_file) {
        (Some(_), Some(path)) if goes_before(section, file_key, key) => {
            from_file(section, file_key, &path)
        }
        (Some(text), _) => Some(SecretString::from(text)),
        (None, Some(path)) => from_file(section, file_key, &path),
        (None, None) => None,
    };
    if let Some(secret) = &secret {
        warn_of_sample(section, key, secret);
    }
    section.show(key, if secret.is_some() { HIDDEN } else { "\"\"" });
    secret
}

/// True for a secret that stands in a configuration file, which is a problem: only the environment may
/// hold one.
pub(super) fn is_misplaced(section: &Section<'_>, key: &str) -> bool {
    let misplaced = section.layer(key) != Layer::Environment;
    if misplaced {
        section.problem(
            key,
            format!("a secret must not stand in a configuration file: use {key}_file, or the environment"),
        );
    }
    misplaced
}

/// True if a secret in an address could be guessed, or would have to be escaped.
pub(super) fn is_weak_in_an_address(secret: &SecretString) -> bool {
    let text = secret.expose_secret();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !(16..=128).contains(&text.len()) || !text.bytes().all(plain)
}

/// The content of the file that a key names, without the line break at its end.
pub(super) fn from_file(section: &Section<'_>, key: &str, named: &str) -> Option<SecretString> {
    let path = section.resolved(key, named);
    let name = path.display();
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) if metadata.len() <= SECRET_BYTES_MAX => metadata,
        Ok(_) => {
            section.problem(key, format!("`{name}` is longer than {SECRET_BYTES_MAX} bytes"));
            return None;
        }
        Err(error) => {
            section.problem(key, format!("`{name}` cannot be read: {error}"));
            return None;
        }
    };
    if open_to_all(&metadata) {
        section.warn(Warning::new(
            "secret_readable_by_all",
            format!("`{name}` can be read by every user of this machine"),
            "chmod o-rwx",
        ));
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            if text.is_empty() {
                section.problem(key, format!("`{name}` is empty: write the secret into it"));
            }
            (!text.is_empty()).then(|| SecretString::from(text))
        }
        Err(error) => {
            section.problem(key, format!("`{name}` cannot be read: {error}"));
            None
        }
    }
}

#[cfg(unix)]
fn open_to_all(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
const fn open_to_all(_: &std::fs::Metadata) -> bool {
    false
}
