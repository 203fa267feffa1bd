//! The operator's configuration: built-in defaults, then a file, then the environment.
//!
//! [`Config::load`] reads all of it and reports everything that is wrong at once, each with file,
//! line and key, or with the environment variable. [`Config::check`] loads the mappings and compares
//! the sections with each other. Every setting with its meaning: `config/default.toml`.
//!
//! * `sources`: the layers, and where each key stands
//! * `read`: reading key by key
//! * `blanks`: settings that are still to be filled in
//! * [`sections`]: server, engine, actions of persons, API, log
//! * [`database`]: the database
//! * [`queue`]: the queue
//! * [`messaging`]: commands and events over AMQP
//! * [`parties`]: cores and providers
//! * [`requests`]: the requests of cores for payouts
//! * `scope`: the part of the business that a key is bound to
//! * [`secret`]: values that are never printed
//! * [`check`]: the checks that sections fit together

mod blanks;
pub(crate) mod check;
pub(crate) mod database;
pub(crate) mod messaging;
pub(crate) mod parties;
pub(crate) mod problem;
pub(crate) mod proxy;
pub(crate) mod queue;
mod read;
pub(crate) mod requests;
mod scope;
pub(crate) mod secret;
pub(crate) mod sections;
mod sources;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use check::Checked;
pub(crate) use database::Database;
pub(crate) use messaging::Messaging;
pub(crate) use parties::{CoreConfig, ProviderConfig};
pub(crate) use problem::{ConfigErrors, ConfigProblem, Warning};
pub(crate) use queue::Queue;
pub(crate) use sections::{Actions, Api, ApiKey, Engine, Log, LogFormat, Role, Server};
pub(crate) use sources::Sources;

use read::{Findings, Section};
use sources::{Merged, Places};

/// The whole configuration, checked section by section.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) database: Database,
    pub(crate) queue: Queue,
    pub(crate) messaging: Messaging,
    pub(crate) engine: Engine,
    pub(crate) actions: Actions,
    pub(crate) api: Api,
    pub(crate) cores: Vec<CoreConfig>,
    pub(crate) providers: Vec<ProviderConfig>,
    pub(crate) log: Log,
    /// The settings that are valid and ought to be changed all the same.
    pub(crate) warnings: Vec<Warning>,
    redacted: String,
    /// For messages of [`Config::check`].
    places: Arc<Places>,
}

impl Config {
    /// Reads the built-in defaults, the file and the environment. Finds everything that is wrong.
    pub(crate) fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let merged = Merged::new(sources)?;
        let places = Arc::new(merged.places.clone());
        let findings = Findings::new(&merged);
        let mut root = Section::root(&findings);
        let server = Server::read(root.table("server"));
        let database = Database::read(root.table("database"));
        let queue = Queue::read(root.table("queue"));
        let messaging = Messaging::read(root.table("messaging"));
        let engine = Engine::read(root.table("engine"));
        let actions = Actions::read(root.table("actions"));
        let api = Api::read(root.table("api"));
        let log = Log::read(root.table("log"));
        let cores = root.tables("cores").into_iter();
        let cores: Vec<_> = cores.map(|core| CoreConfig::read(core, &places)).collect();
        let providers = root.tables("providers").into_iter();
        let providers: Vec<_> = providers.map(ProviderConfig::read).collect();
        root.finish();
        let (problems, mut warnings, redacted) = findings.finish();
        warnings.extend(actions.nobody_second(&api, &messaging));
        if places.has_file() {
            warnings.extend(api.nobody(&messaging));
        }
        let complete = (
            server,
            database,
            queue,
            cores.into_iter().collect::<Option<Vec<_>>>(),
            providers.into_iter().collect::<Option<Vec<_>>>(),
        );
        match complete {
            (Some(server), Some(database), Some(queue), Some(cores), Some(providers))
                if problems.is_empty() =>
            {
                Ok(Self {
                    server,
                    database,
                    queue,
                    messaging,
                    engine,
                    actions,
                    api,
                    cores,
                    providers,
                    log,
                    warnings,
                    redacted,
                    places,
                })
            }
            _ => Err(ConfigErrors(problems)),
        }
    }

    /// Every setting in effect, as TOML, with where it comes from and without secrets: what
    /// `kiungo config show` prints.
    pub(crate) fn redacted(&self) -> &str {
        &self.redacted
    }

    /// [`Config::redacted`] as a tree.
    pub(crate) fn redacted_tree(&self) -> Result<toml::Table, toml::de::Error> {
        self.redacted.parse()
    }
}
