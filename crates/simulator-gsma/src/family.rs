//! The family as a program offers it: its names, and a provider that is ready to be served.

use kiungo_simulator::control::payment_command;
use kiungo_simulator::family::{Address, Family, Names, Ready, Source, Surroundings, Unfit};
use serde_json::json;

use super::options::HELP;
use super::{Options, Simulator};

/// The simulated providers of the GSMA Mobile Money API.
#[derive(Debug)]
pub struct GsmaFamily;

impl Family for GsmaFamily {
    fn names(&self) -> Names {
        Names {
            word: "gsma",
            about: "A provider of the GSMA Mobile Money API, 1.2.0 and 1.1.2",
            after_help: Some(HELP),
            subject: "A GSMA provider",
            title: "GSMA provider",
            in_a_sentence: "a GSMA provider",
        }
    }

    fn build(&self, options: Source<'_>, surroundings: Surroundings) -> Result<Ready, Unfit> {
        let options: Options = options.read()?;
        let prefix = options.prefix_1_2.as_ref().or(options.prefix_1_1.as_ref());
        let path = prefix.cloned().unwrap_or_default();
        let token_path = options.security.token_path.clone();
        let currency = options.currency;
        let Surroundings { clock, delivery, faults } = surroundings;
        let simulator = Simulator::new(options, clock, delivery, faults);
        let tls = simulator.tls();
        let tls =
            tls.map_err(|error| Unfit::Value { option: "security.tls", why: error.to_string() })?;
        Ok(Ready {
            router: simulator.router(),
            tls,
            addresses: vec![
                Address { name: "url", label: None, path: String::new() },
                Address { name: "token_url", label: Some("tokens"), path: token_path },
            ],
            try_this: vec![
                format!("curl URL{path}/heartbeat"),
                "curl URL/_sim/books".to_owned(),
                payment_command("255700000001", "SV1"),
            ],
            facts: json!({ "prefix": path }),
            path,
            currency: Some(currency),
            clients: Vec::new(),
        })
    }
}
