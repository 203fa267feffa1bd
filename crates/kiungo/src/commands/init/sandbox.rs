//! `kiungo init --sandbox`: a Kiungo that talks to the built-in simulators.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use kiungo_simulators::clock::Clock;
use kiungo_simulators::delivery::HttpDelivery;
use kiungo_simulators::faults::{Faults, Plan as Luck};
use kiungo_simulators::mpesa;

use super::Plan;
use crate::sandbox::configuration::Configuration;
use crate::sandbox::simulators::{self, Ground, Simulators};
use crate::sandbox::{Addresses, NewFile, Secrets, Wallet, mappings};

/// The clients of the core: each has accounts in the currency of each provider, and the number of a
/// wallet of one of them.
const CLIENTS: &str = r#"
# Every client has accounts in the currencies of both providers; client 1 has a wallet at M-Pesa (TZS),
# client 2 one at the GSMA provider (LSL), and so on in turns.
[fineract.options.clients]
currencies = ["TZS", "LSL"]
numbers = [255700000000, 26657000000]
"#;
/// A database in the folder.
pub(super) const DATABASE: &str = "sqlite://kiungo.db";
/// The currency of the shipped mapping of the GSMA sandbox.
const GSMA_CURRENCY: &str = "LSL";

/// What is to be written to `folder`, which the user calls `named`.
pub(super) fn plan(named: &Path, folder: &Path, addresses: &Addresses) -> anyhow::Result<Plan> {
    let secrets = Secrets::new()?;
    let private_key = mpesa::new_private_key().context("no RSA key can be made")?;
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
    let head = "# The simulators of `kiungo simulate all`: where each listens, and its options, which crates/simulators\n\
                # explains. Addresses and secrets are those of kiungo.toml, the mappings and secrets/.\n";
    let ground = Ground {
        head,
        gsma_currency: GSMA_CURRENCY,
        mpesa_private_key: Some(&private_key),
        clients: CLIENTS,
    };
    let text = simulators::text(addresses, &secrets, &ground);
    let public_key = public_key(&Simulators::parse(&text)?.mpesa.options)?;
    files.push(NewFile::private(Simulators::path(folder), &text));
    for wallet in Wallet::ALL {
        let mapping = mappings::mapping(wallet, addresses, &public_key, "")?;
        let head = format!(
            "# mappings/{}.toml, with the simulator's address and short waits: `kiungo init --sandbox`.\n\
             # That file explains every key.\n",
            wallet.id()
        );
        let path = Configuration::mapping_path(folder, wallet);
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

/// The public key of the simulated market, as a mapping holds it.
fn public_key(options: &mpesa::Options) -> anyhow::Result<String> {
    let (delivery, luck) = (Arc::new(HttpDelivery::default()), Faults::new(Luck::none(1)));
    let market = mpesa::Simulator::new(options.clone(), Clock::System, delivery, luck);
    let key = market.public_key();
    anyhow::ensure!(!key.is_empty(), "the RSA key that was made cannot be read");
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::components::Assembly;
    use crate::config::{Config, Sources};
    use crate::sandbox::files::write_new;
    use crate::serve;

    #[test]
    fn what_is_written_can_be_served_as_it_is() {
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
        let options = &simulators.gsma.options;
        let gsma =
            assembly.providers.values().find(|it| it.mapping.id().as_str() == "gsma-sandbox");
        assert_eq!(gsma.unwrap().mapping.money().currency, options.currency);
        let core = &simulators.fineract.options.clients.currencies;
        assert!(core.contains(&options.currency.code().to_owned()));
        assert!(core.contains(&simulators.mpesa.options.currency().code().to_owned()));
        std::fs::remove_dir_all(home).unwrap();
    }
}
