//! The family as a program offers it: its names, and a market that is ready to be served.

use kiungo_simulator::control::payment_command;
use kiungo_simulator::family::{Address, Family, Names, Ready, Source, Surroundings, Unfit};
use serde_json::json;

use super::{Options, Simulator};

/// The simulated M-Pesa markets.
#[derive(Debug)]
pub struct MpesaFamily;

impl Family for MpesaFamily {
    fn names(&self) -> Names {
        Names {
            word: "mpesa",
            about: "An M-Pesa OpenAPI market",
            after_help: None,
            subject: "M-Pesa",
            title: "M-Pesa",
            in_a_sentence: "an M-Pesa market",
        }
    }

    fn build(&self, options: Source<'_>, surroundings: Surroundings) -> Result<Ready, Unfit> {
        let options = read(options)?;
        let path = format!("/{}/ipg/v2/{}", options.environment, options.market.context());
        let (api_key, short_code) = (options.api_key.clone(), options.short_code.clone());
        let (strict, currency) = (options.strict, options.currency());
        let Surroundings { clock, delivery, faults } = surroundings;
        let simulator = Simulator::new(options, clock, delivery, faults);
        let public_key = simulator.public_key();
        let try_this = vec![
            "curl URL/_sim/public-key   # goes into the mapping as mpesa.public_key".to_owned(),
            "curl URL/_sim/books".to_owned(),
            payment_command("255700000001", "SV1"),
            format!("the API key is {api_key}, the short code {short_code}; mpesa.base_url is URL"),
            if strict {
                "it is strict: numbers for texts, parameters in the body of a GET, and POST for \
                 reversals are refused; strict = false in --options takes them"
            } else {
                "it is lenient: numbers for texts, parameters in the body of a GET, and POST for \
                 reversals are taken, as published clients send them; strict = true in --options \
                 refuses them"
            }
            .to_owned(),
        ];
        Ok(Ready {
            router: simulator.router(),
            tls: None,
            path,
            addresses: vec![Address { name: "url", label: None, path: String::new() }],
            try_this,
            facts: json!({
                "api_key": api_key, "short_code": short_code, "public_key": public_key,
            }),
            currency: Some(currency),
            clients: Vec::new(),
        })
    }
}

/// The options. A market by itself is lenient unless they say otherwise: whoever tries a client wants to
/// see it work, and is told what a strict market would refuse.
fn read(options: Source<'_>) -> Result<Options, Unfit> {
    let mut read: Options = options.read()?;
    if !matches!(options, Source::Section { .. }) && !options.gives("strict") {
        read.strict = false;
    }
    Ok(read)
}
