//! `kiungo config`: prints and checks the configuration in effect, and makes new API keys.

use clap::{Args, Subcommand};
use kiungo_api::Role;
use kiungo_sandbox::secrets;
use serde_json::json;

use crate::commands::config_file::ConfigFile;
use crate::components::Assembly;
use crate::failure::Failure;
use crate::serve;
use crate::terminal::output::Output;

/// Show and check the configuration, and make API keys
#[derive(Debug, Args)]
pub(crate) struct ConfigOptions {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every setting in effect and where it comes from, secrets hidden
    Show(ConfigFile),
    /// Check everything that can be checked without asking anybody, mappings included
    Check(ConfigFile),
    /// Make a new API key, and print the lines that let it in
    Key(KeyOptions),
}

#[derive(Debug, Args)]
struct KeyOptions {
    /// The user of the key; it stands in the journal
    #[arg(long, default_value = "mobile-app", value_parser = key_name)]
    name: String,
    /// The rights of the key: read (look), write (start transfers, ask again), operate (decide,
    /// assign, reverse)
    #[arg(
        long, value_name = "ROLES", value_delimiter = ',', default_value = "read,write",
        value_parser = Role::of
    )]
    roles: Vec<Role>,
}

fn key_name(name: &str) -> Result<String, &'static str> {
    kiungo_server::ApiKey::check_name(name).map(|()| name.to_owned())
}

pub(crate) fn run(options: &ConfigOptions, output: Output) -> Result<(), Failure> {
    match &options.command {
        ConfigCommand::Show(file) => {
            let config = file.load()?;
            let settings = config.redacted_tree().ok().and_then(|it| serde_json::to_value(it).ok());
            let settings = settings.ok_or_else(|| {
                Failure::failed("the settings cannot be shown as JSON; try without --json")
            })?;
            output.line(config.redacted().trim_end(), &settings);
            Ok(())
        }
        ConfigCommand::Check(file) => check(file, output),
        ConfigCommand::Key(options) => key(options, output),
    }
}

fn check(file: &ConfigFile, output: Output) -> Result<(), Failure> {
    let config = file.load()?;
    serve::check(&config)?;
    let assembly = Assembly::new(&config)?;
    let (cores, providers) = (assembly.cores.len(), assembly.providers.len());
    output.line(
        &format!(
            "the configuration can be used: cores {cores}, providers {providers}, API keys {}\n\
             whether they answer: kiungo doctor",
            config.api.keys.len()
        ),
        &json!({
            "ok": true, "cores": cores, "providers": providers, "api_keys": config.api.keys.len(),
            "warnings": config.warnings,
        }),
    );
    Ok(())
}

fn key(options: &KeyOptions, output: Output) -> Result<(), Failure> {
    let key = secrets::fresh().map_err(|error| Failure::failed(error.to_string()))?;
    let sha256 = kiungo_api::sha256_hex(key.as_bytes());
    // As TOML would write it, so that any name is one.
    let name = toml::Value::from(options.name.as_str());
    let mut roles: Vec<&str> = options.roles.iter().map(|role| role.as_str()).collect();
    roles.dedup();
    let listed = toml::Value::from(roles.clone());
    let text = format!(
        "The key, for its holder alone; it is not kept anywhere:\n\n    {key}\n\n\
         For the configuration:\n\n[[api.keys]]\nname = {name}\nsha256 = \"{sha256}\"\n\
         roles = {listed}"
    );
    let json = json!({ "key": key, "name": options.name, "sha256": sha256, "roles": roles });
    output.line(&text, &json);
    Ok(())
}
