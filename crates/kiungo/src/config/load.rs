//! The whole configuration, and reading it.

use std::sync::Arc;

use kiungo_settings::Problems;

use super::database::Database;
use super::messaging::Messaging;
use super::parties::{CoreConfig, ProviderConfig};
use super::problem::Warning;
use super::queue::Queue;
use super::read::{Findings, Section};
use super::sections::{Actions, Api, Engine, Server};
use super::sources::{Merged, Places, Sources};
use crate::logging::Log;

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
    pub(super) places: Arc<Places>,
}

impl Config {
    /// Reads the built-in defaults, the file and the environment. Finds everything that is wrong.
    pub(crate) fn load(sources: &Sources) -> Result<Self, Problems> {
        let merged = Merged::new(sources)?;
        let places = Arc::new(merged.places());
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
            _ => Err(Problems::in_order(problems)),
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
