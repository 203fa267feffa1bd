//! The option that names the configuration file.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, Sources};
use crate::failure::Failure;
use crate::terminal::output::note;

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigFile {
    /// The configuration file; see config/default.toml for every key. The environment goes before it:
    /// KIUNGO__SERVER__PORT=9000
    #[arg(long, value_name = "FILE", env = "KIUNGO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads the configuration and says what ought to be changed in it.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        let config = Config::load(&Sources::of_process(self.config.clone())?)?;
        for warning in &config.warnings {
            note(&format!("warning: {warning}"));
        }
        Ok(config)
    }
}
