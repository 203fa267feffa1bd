//! The simulators of a sandbox: `simulators.toml`, which holds where each listens and its options.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kiungo_settings::{Entries, Layer, Problems, Report, Sources, Table, Value};
use kiungo_simulator::family::{Family, Ready, Source, Surroundings, Unfit};
use thiserror::Error;

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
    #[error(transparent)]
    Wrong(#[from] Problems),
}

/// The file, read.
#[derive(Debug)]
pub struct Simulators {
    file: PathBuf,
    sources: Sources,
    root: Entries,
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
    options: &'a Value,
    sources: &'a Sources,
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
            return Err(Problems::one(file.display().to_string(), why).into());
        }
        let text = std::fs::read_to_string(&file).map_err(unreadable)?;
        Self::of_text(folder, &text)
    }

    /// The text of such a file, as it is written to a folder.
    ///
    /// # Errors
    /// The text is no TOML.
    pub fn of_text(folder: &Path, text: &str) -> Result<Self, Unusable> {
        let (file, mut sources) = (Self::path(folder), Sources::default());
        let root = sources.parse(Layer::File, &file.display().to_string(), text)?;
        Ok(Self { file, sources, root })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The simulators in the order of their ports: all of those that have a place in a sandbox.
    ///
    /// # Errors
    /// One is missing or unknown, or something else in the file is wrong; all of it is named.
    pub fn all(&self) -> Result<Vec<Simulated<'_>>, Unusable> {
        self.simulators(true)
    }

    /// The simulators that the text holds, in the order of their ports.
    ///
    /// # Errors
    /// One is unknown, or something else in the file is wrong; all of it is named.
    pub fn those_there(&self) -> Result<Vec<Simulated<'_>>, Unusable> {
        self.simulators(false)
    }

    fn simulators(&self, all: bool) -> Result<Vec<Simulated<'_>>, Unusable> {
        let report = Report::new(&self.sources);
        let mut root = Table::root(&self.root, &report);
        let mut simulators = Vec::new();
        for (family, member) in members_of_a_sandbox() {
            let word = family.names().word;
            if let Some(section) = root.table(word) {
                simulators.extend(self.simulated(family, member, section));
            } else if all && !self.root.contains_key(word) {
                root.missing(word, &format!("[{word}] with listen and [{word}.options]"));
            }
        }
        root.finish();
        report.finish()?;
        Ok(simulators)
    }

    fn simulated<'a>(
        &'a self,
        family: &'static dyn Family,
        member: &'static Member,
        mut section: Table<'_>,
    ) -> Option<Simulated<'a>> {
        let listen = section.required("listen", "an address, for example \"127.0.0.1:8081\"");
        let listen = listen.and_then(|item| {
            let wrong = |_| item.problem("must be an IP address with a port");
            item.text()?.parse().map_err(wrong).ok()
        });
        let options = section.required("options", "the simulator's options, or an empty table");
        let options = options.and_then(|item| item.table()).is_some();
        section.finish();
        let entries = self.root.get(family.names().word)?.value.entries()?;
        let value = &entries.get("options").filter(|_| options)?.value;
        Some(Simulated { family, member, listen: listen?, options: value, sources: &self.sources })
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
        let path = self.path();
        let built = self.family.build(self.source(&path), surroundings);
        built.map_err(|unfit| match unfit {
            Unfit::Unreadable(problems) => problems.into(),
            Unfit::Value { option, why } => {
                let key = format!("{path}.{option}");
                Problems::in_order(vec![self.sources.problem(self.options.at.start, &key, why)])
                    .into()
            }
        })
    }

    /// Reads its options, for those who build it themselves.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn options<O: serde::de::DeserializeOwned + Default>(self) -> Result<O, Unusable> {
        Ok(self.source(&self.path()).read()?)
    }

    fn path(&self) -> String {
        format!("{}.options", self.word())
    }

    fn source<'p>(&'p self, path: &'p str) -> Source<'p> {
        Source::Section { sources: self.sources, path, value: self.options }
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
        let simulators = Simulators::of_text(Path::new(""), &written()).unwrap();
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
            let built = simulators.all().and_then(|all| {
                all.into_iter().try_for_each(|it| it.build(surroundings()).map(drop))
            });
            built.unwrap_err().to_string()
        };
        let text = written();
        let line = text.lines().position(|line| line.starts_with("api_key = ")).unwrap() + 1;
        let wrong = said(text.replace("api_key = \"", "api_key = [\"sesame\"] # \""));
        assert!(wrong.contains(&format!("simulators.toml:{line}:")), "{wrong}");
        assert!(!wrong.contains("sesame"), "{wrong}");
        let unknown = said(format!("{text}\n[daraja]\n"));
        assert!(
            unknown.contains("daraja: is not a key here (keys: fineract, gsma, mpesa)"),
            "{unknown}"
        );
        let misplaced = said(text.replacen("listen = ", "listens = ", 1));
        assert!(
            misplaced.contains(
                "simulators.toml:3:1: fineract.listens: is not a key here; did you mean `listen`?"
            ),
            "{misplaced}"
        );
        let absent = said(text.split("\n[mpesa]").next().unwrap().to_owned());
        assert!(absent.contains("mpesa: is missing; write [mpesa]"), "{absent}");
        let both = said(text.replacen("listen = ", "listens = ", 1) + "\n[daraja]\n");
        assert!(both.contains("fineract.listens") && both.contains("daraja"), "{both}");
        let numbers = said(text.replacen("numbers = [255700000000", "numbers = [-1", 1));
        assert!(numbers.contains("simulators.toml:"), "{numbers}");
    }
}
