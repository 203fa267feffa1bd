//! Secrets: from the environment, or from a file of their own; never from a configuration file, and
//! never printed.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::de::value::{Error as SecretsError, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

use super::read::{Section, quoted};
use super::sources::ENVIRONMENT;

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
        let mut secrets = BTreeMap::new();
        for (key, value) in section.free_entries() {
            let Ok(text) = value.clone().into_string() else {
                section.problem(key, "must be a text".to_owned());
                continue;
            };
            let is_path = key.ends_with("_file");
            section.show(key, &if is_path { quoted(&text) } else { HIDDEN.to_owned() });
            let secret = match key.strip_suffix("_file") {
                Some(_) if text.is_empty() => None,
                Some(_) => from_file(section, key, Path::new(&text)),
                None => from_text(section, key, &text, value.origin()),
            };
            let name = key.strip_suffix("_file").unwrap_or(key);
            if let Some(secret) = secret
                && secrets.insert(name.to_owned(), secret).is_some()
            {
                section.problem(key, format!("gives `{name}` a second time"));
            }
        }
        Self(secrets)
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
    let origin = section.get(key).and_then(|setting| setting.origin);
    let direct = section.read_text(key).filter(|text| !text.is_empty());
    let direct = direct.and_then(|text| from_text(section, key, &text, origin));
    let path = section.path(file_key);
    let by_file = path.and_then(|path| from_file(section, file_key, &path));
    if direct.is_some() && by_file.is_some() {
        section.problem(file_key, format!("gives `{key}` a second time"));
    }
    let secret = direct.or(by_file);
    section.show(key, if secret.is_some() { HIDDEN } else { "\"\"" });
    secret
}

/// A secret as it stands in a setting, which only the environment may hold.
pub(super) fn from_text(
    section: &Section<'_>,
    key: &str,
    text: &str,
    origin: Option<&str>,
) -> Option<SecretString> {
    if origin != Some(ENVIRONMENT) {
        section.problem(
            key,
            format!("a secret must not stand in a configuration file: use {key}_file, or the environment"),
        );
        return None;
    }
    Some(SecretString::from(text))
}

/// True if a secret in an address could be guessed, or would have to be escaped.
pub(super) fn is_weak_in_an_address(secret: &SecretString) -> bool {
    let text = secret.expose_secret();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !(16..=128).contains(&text.len()) || !text.bytes().all(plain)
}

/// The content of a secret's file, without the line break at its end.
pub(super) fn from_file(section: &Section<'_>, key: &str, path: &Path) -> Option<SecretString> {
    let name = path.display();
    let metadata = match std::fs::metadata(path) {
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
        let warning = format!("`{name}` can be read by every user of this machine: chmod o-rwx");
        section.findings.warnings.borrow_mut().push(warning);
    }
    match std::fs::read_to_string(path) {
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
