//! The simulators of a sandbox: `simulators.toml`, which holds where each listens and its options.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use kiungo_simulator::family::{Family, Ready, Source, Surroundings, Unfit};
use serde::Deserialize as _;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::list::members_of_a_sandbox;
use crate::member::Member;
use crate::{Addresses, Secrets};

/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 1024 * 1024;

/// The file cannot be used.
#[derive(Debug, Error)]
pub enum Unusable {
    /// There is none.
    #[error(
        "there is no {}: `kiungo init --sandbox --dir {}` writes it, and all that belongs to it",
        .file.display(), .folder.display()
    )]
    Missing {
        /// The file.
        file: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// It cannot be read.
    #[error("{} cannot be read: {why}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// Its content is not as expected.
    #[error("{}: {why}", .file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The fault, and the line or the option in which it is.
        why: String,
    },
}

/// The text of the file, with its name.
#[derive(Debug)]
pub struct Simulators {
    file: PathBuf,
    text: String,
}

/// One simulator of the file.
#[derive(Debug)]
pub struct Simulated<'a> {
    /// The family, which builds it.
    pub family: &'static dyn Family,
    /// Its place in a sandbox.
    pub member: &'static Member,
    /// The address at which it is served.
    pub listen: SocketAddr,
    options: Spanned<DeValue<'a>>,
    of: &'a Simulators,
}

impl Simulators {
    /// The file in a folder.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("simulators.toml")
    }

    /// Reads the file of a folder.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Unusable> {
        let file = Self::path(folder);
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Unusable::Missing { file: file.clone(), folder: folder.to_owned() }
            }
            _ => Unusable::Unreadable { file: file.clone(), why: error.to_string() },
        };
        if std::fs::metadata(&file).map_err(unreadable)?.len() > BYTES_MAX {
            let why = format!("is longer than {BYTES_MAX} bytes");
            return Err(Unusable::Wrong { file, why });
        }
        let text = std::fs::read_to_string(&file).map_err(unreadable)?;
        Ok(Self { file, text })
    }

    /// The text of such a file, as it is written to a folder.
    pub fn of_text(folder: &Path, text: String) -> Self {
        Self { file: Self::path(folder), text }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The simulators in the order of their ports: all of those that have a place in a sandbox.
    ///
    /// # Errors
    /// The text is no TOML, or one is missing or unknown.
    pub fn all(&self) -> Result<Vec<Simulated<'_>>, Unusable> {
        let mut all = self.those_there()?;
        for (family, _) in members_of_a_sandbox() {
            let word = family.names().word;
            if !all.iter().any(|known| known.word() == word) {
                return Err(self.wrong(None, &format!("missing field `{word}`")));
            }
        }
        all.sort_by_key(|known| {
            members_of_a_sandbox().position(|(family, _)| family.names().word == known.word())
        });
        Ok(all)
    }

    /// The simulators that the text holds, in the order of their words.
    ///
    /// # Errors
    /// The text is no TOML, or one is unknown.
    pub fn those_there(&self) -> Result<Vec<Simulated<'_>>, Unusable> {
        let table = DeTable::parse(&self.text).map_err(|error| self.unreadable(&error))?;
        let sections = table.into_inner().into_iter();
        sections
            .map(|(word, section)| self.simulated(word.get_ref(), word.span(), section))
            .collect()
    }

    fn simulated<'a>(
        &'a self,
        word: &str,
        at: Range<usize>,
        section: Spanned<DeValue<'a>>,
    ) -> Result<Simulated<'a>, Unusable> {
        let known = members_of_a_sandbox().find(|(family, _)| family.names().word == word);
        let Some((family, member)) = known else {
            return Err(self.wrong(Some(at), &format!("unknown field `{word}`")));
        };
        let span = section.span();
        let DeValue::Table(section) = section.into_inner() else {
            return Err(self.wrong(Some(span), &format!("`{word}` must be a table")));
        };
        let (mut listen, mut options) = (None, None);
        for (key, value) in section {
            match key.get_ref().as_ref() {
                "listen" => {
                    let read = SocketAddr::deserialize(ValueDeserializer::from(value));
                    listen = Some(read.map_err(|error| self.unreadable(&error))?);
                }
                "options" => options = Some(value),
                other => {
                    let why = format!("unknown field `{other}`, expected `listen` or `options`");
                    return Err(self.wrong(Some(key.span()), &why));
                }
            }
        }
        let missing = |name| self.wrong(Some(span.clone()), &format!("missing field `{name}`"));
        let listen = listen.ok_or_else(|| missing("listen"))?;
        let options = options.ok_or_else(|| missing("options"))?;
        Ok(Simulated { family, member, listen, options, of: self })
    }

    fn unreadable(&self, error: &toml::de::Error) -> Unusable {
        // The error's own form shows the line, which may hold a secret.
        self.wrong(error.span(), error.message())
    }

    fn wrong(&self, at: Option<Range<usize>>, why: &str) -> Unusable {
        let line = at.map_or(1, |span| {
            let before = self.text.get(..span.start).unwrap_or(&self.text);
            before.bytes().filter(|byte| *byte == b'\n').count() + 1
        });
        Unusable::Wrong { file: self.file.clone(), why: format!("line {line}: {why}") }
    }
}

impl Simulated<'_> {
    /// Its section in the file, which is also its word on the command line.
    pub fn word(&self) -> &'static str {
        self.family.names().word
    }

    /// Builds it.
    ///
    /// # Errors
    /// Its options cannot be used.
    pub fn build(self, surroundings: Surroundings) -> Result<Ready, Unusable> {
        let built = self.family.build(Source::Section(self.options), surroundings);
        built.map_err(|unfit| match unfit {
            Unfit::Unreadable(error) => self.of.unreadable(&error),
            Unfit::Value { option, why } => {
                let why = format!("{}.options.{option}: {why}", self.family.names().word);
                Unusable::Wrong { file: self.of.file.clone(), why }
            }
        })
    }

    /// Reads its options, for those who build it themselves.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn options<O: serde::de::DeserializeOwned + Default>(self) -> Result<O, Unusable> {
        let read = Source::Section(self.options).read();
        read.map_err(|error| self.of.unreadable(&error))
    }
}

/// The text of the file: simulators that listen at these addresses and know these secrets. `head` is the
/// comment at its beginning; `more` says, by the word of a simulator, which lines only this sandbox has.
pub fn text(
    addresses: &Addresses,
    secrets: &Secrets,
    head: &str,
    more: impl Fn(&str) -> String,
) -> String {
    let mut text = head.to_owned();
    for (word, member, place) in addresses.places(secrets) {
        let options = (member.options)(&place, &more(word));
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n[{word}]\nlisten = \"{}\"\n\n[{word}.options]\n{options}",
            place.listen
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use kiungo_simulator::clock::Clock;
    use kiungo_simulator::delivery::HttpDelivery;
    use kiungo_simulator::faults::{Faults, Plan};

    use super::*;

    fn completed() -> BTreeMap<&'static str, String> {
        let lines = |(family, member): (&'static dyn Family, &Member)| {
            (family.names().word, (member.completed)().unwrap())
        };
        members_of_a_sandbox().map(lines).collect()
    }

    fn written() -> String {
        let completed = completed();
        let more = |word: &str| completed[word].clone();
        text(&Addresses::from_port(1), &Secrets::new().unwrap(), "", more)
    }

    fn surroundings() -> Surroundings {
        let delivery = Arc::new(HttpDelivery::default());
        Surroundings { clock: Clock::System, delivery, faults: Faults::new(Plan::none(1)) }
    }

    #[test]
    fn what_is_written_is_read_back_and_built() {
        let simulators = Simulators::of_text(Path::new(""), written());
        let all = simulators.all().unwrap();
        let shown: Vec<_> = all.iter().map(|it| (it.word(), it.listen.port())).collect();
        assert_eq!(shown, [("fineract", 2), ("gsma", 3), ("mpesa", 4)]);
        let built: Vec<_> = all.into_iter().map(|it| it.build(surroundings()).unwrap()).collect();
        let codes = built.iter().map(|it| it.currency.map(|it| it.code().to_owned()));
        assert_eq!(codes.collect::<Vec<_>>(), [None, Some("LSL".into()), Some("TZS".into())]);
        assert_eq!(built[0].clients.len(), 10);
        assert_eq!(built[0].clients[0].accounts.len(), 2);
        // The key in the file is the one that the mapping is to know.
        let again = simulators.all().unwrap().pop().unwrap().build(surroundings()).unwrap();
        assert_eq!(built[2].facts, again.facts);
    }

    #[test]
    fn a_mistake_is_named_with_file_and_line_and_without_what_stands_there() {
        let home = tempfile::tempdir().unwrap();
        let missing = Simulators::read(home.path()).unwrap_err().to_string();
        assert!(missing.contains("kiungo init --sandbox --dir"), "{missing}");
        let said = |text: String| {
            std::fs::write(Simulators::path(home.path()), text).unwrap();
            let simulators = Simulators::read(home.path()).unwrap();
            let all = simulators.all();
            let built = all.and_then(|all| {
                all.into_iter().try_for_each(|it| it.build(surroundings()).map(drop))
            });
            let said: Result<(), _> = built;
            said.unwrap_err().to_string()
        };
        let text = written();
        let line = text.lines().position(|line| line.starts_with("api_key = ")).unwrap() + 1;
        let wrong = said(text.replace("api_key = \"", "api_key = [\"sesame\"] # \""));
        assert!(wrong.contains(&format!("simulators.toml: line {line}: ")), "{wrong}");
        assert!(!wrong.contains("sesame"), "{wrong}");
        let unknown = said(format!("{text}\n[daraja]\n"));
        assert!(unknown.contains("unknown field `daraja`"), "{unknown}");
        let misplaced = said(text.replacen("listen = ", "listens = ", 1));
        assert!(misplaced.contains("line 3: unknown field `listens`"), "{misplaced}");
        let absent = said(text.split("\n[mpesa]").next().unwrap().to_owned());
        assert!(absent.contains("missing field `mpesa`"), "{absent}");
        let numbers = said(text.replacen("numbers = [255700000000", "numbers = [-1", 1));
        assert!(numbers.contains("simulators.toml: "), "{numbers}");
    }
}
