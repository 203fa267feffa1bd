//! `kiungo init --sandbox`: a Kiungo that talks to the built-in simulators.

use std::collections::BTreeMap;
use std::path::Path;

use kiungo_sandbox::configuration::Configuration;
use kiungo_sandbox::simulators::{Simulators, text};
use kiungo_sandbox::{Addresses, NewFile, Secrets, mappings, members_of_a_sandbox};
use serde_json::Value;

use super::plan::{DATABASE, Plan};
use crate::commands::simulate::surroundings;

/// What is to be written to `folder`, which the user calls `named`.
pub(super) fn plan(named: &Path, folder: &Path, addresses: &Addresses) -> anyhow::Result<Plan> {
    let secrets = Secrets::new()?;
    let database = format!("url = \"{DATABASE}\"");
    let head = "# A Kiungo that talks to the built-in simulators, written by `kiungo init --sandbox`. Paths count\n\
                # from this folder. Every other setting, with its meaning and the reason for its default:\n\
                # config/default.toml; `kiungo config show` prints what is in effect.\n";
    let configuration = Configuration {
        folder,
        addresses,
        secrets: &secrets,
        head,
        database: &database,
        queue: "",
        key_name: "sandbox",
        log_filter: "info",
    };
    let mut files = configuration.files();
    let head = "# The simulators of `kiungo simulate all`: where each listens, and its options, which crates/simulator-*\n\
                # explain. Addresses and secrets are those of kiungo.toml, the mappings and secrets/.\n";
    let mut completed = BTreeMap::new();
    for (family, member) in members_of_a_sandbox() {
        completed.insert(family.names().word, (member.completed)()?);
    }
    let more = |word: &str| completed.get(word).cloned().unwrap_or_default();
    let text = text(addresses, &secrets, head, more);
    let simulators = Simulators::of_text(folder, &text)?;
    let facts = facts(&simulators)?;
    files.push(NewFile::private(simulators.file().to_owned(), &text));
    let facts = |word: &str| facts.get(word).cloned().unwrap_or_default();
    for (provider, mapping) in mappings::mappings(addresses, &secrets, facts, |_| String::new())? {
        let head = format!(
            "# mappings/{provider}.toml, with the simulator's address and short waits: `kiungo init --sandbox`.\n\
             # That file, and those that it extends, explain every key.\n",
        );
        let path = Configuration::mapping_path(folder, provider);
        files.push(NewFile::open(path, format!("{head}{mapping}")));
    }
    let dir = named.display();
    let next = format!(
        "Everything fits the built-in simulators. Start them, and in a second terminal Kiungo:\n\
         \x20 kiungo simulate all --dir {dir}\n\
         \x20 kiungo serve --config {dir}/kiungo.toml\n\
         Commands and clients need the API key:\n\
         \x20 export KIUNGO_API_KEY=$(cat {dir}/secrets/api-key){url}\n\
         A first transfer, step by step: docs/first-transfer.md",
        url = elsewhere(addresses)
    );
    Ok(Plan { files, next, api_key: None })
}

/// The variable that commands need where Kiungo is not at its usual port.
fn elsewhere(addresses: &Addresses) -> String {
    match addresses.kiungo.port() {
        8080 => String::new(),
        _ => format!("\n  export KIUNGO_URL=http://{}", addresses.kiungo),
    }
}

/// What clients of the simulators have to know, by the words of the simulators.
fn facts(simulators: &Simulators) -> anyhow::Result<BTreeMap<&'static str, Value>> {
    let mut facts = BTreeMap::new();
    for simulated in simulators.all()? {
        facts.insert(simulated.word(), simulated.build(surroundings(1))?.facts);
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use kiungo_sandbox::files::write_new;

    use super::*;
    use crate::components::Assembly;
    use crate::config::{Config, Sources};
    use crate::serve;

    #[test]
    fn the_written_files_can_be_served_as_they_are() {
        let home = tempfile::tempdir().unwrap();
        let plan = plan(home.path(), home.path(), &Addresses::from_port(8080)).unwrap();
        write_new(&plan.files).unwrap();
        // A folder is moved as a whole.
        let moved = home.path().with_extension("moved");
        std::fs::rename(home.path(), &moved).unwrap();
        let home = moved;
        let file = Some(Configuration::path(&home));
        let config = Config::load(&Sources { file, environment: BTreeMap::new() }).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        serve::check(&config).unwrap();
        let assembly = Assembly::new(&config).unwrap();
        assert_eq!((assembly.cores.len(), assembly.providers.len()), (1, 2));
        let simulators = Simulators::read(&home).unwrap();
        let all = simulators.all().unwrap().into_iter();
        let all: Vec<_> =
            all.map(|it| (it.member.provider(), it.build(surroundings(1)).unwrap())).collect();
        let accounts =
            all.iter().filter_map(|(_, it)| it.clients.first()).flat_map(|it| &it.accounts);
        let of_core: Vec<_> = accounts.map(|it| it.currency.as_str()).collect();
        for (provider, simulator) in all.iter().filter_map(|(it, ready)| Some(((*it)?, ready))) {
            let mut mappings = assembly.providers.values().map(|it| &it.mapping);
            let mapping = mappings.find(|it| it.id().as_str() == provider.id).unwrap();
            let currency = simulator.currency.unwrap();
            assert_eq!(mapping.money().currency, currency);
            assert!(of_core.contains(&currency.code()), "{}", provider.id);
        }
        std::fs::remove_dir_all(home).unwrap();
    }
}
