//! `kiungo simulate all`: the three counterparties of a sandbox in one process.

use std::path::PathBuf;

use clap::Args;
use kiungo_domain::Currency;
use kiungo_sandbox::configuration::Configuration;
use kiungo_sandbox::simulators::{Simulators, Unusable};
use kiungo_simulator::control::payment_command;
use kiungo_simulator::family::{Accounts, Client, Names, Ready};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{bind, put_up, stays_here, surroundings, until_interrupted};
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;

/// A Fineract core, a GSMA provider and an M-Pesa market for the Kiungo of a sandbox
///
/// `kiungo init --sandbox` writes the folder: where each listens, its options, and the configuration of
/// a Kiungo that reaches them.
#[derive(Debug, Args)]
pub(super) struct AllOptions {
    /// The folder that `kiungo init --sandbox` has written
    #[arg(long, value_name = "DIR", default_value = kiungo_sandbox::FOLDER)]
    dir: PathBuf,
    /// The seed of the faults, once they are switched on: the same seed draws the same faults
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// A simulator of the sandbox, before it is served.
struct Staged {
    names: Names,
    /// The id of the provider in the sandbox; `None` for the core.
    provider: Option<&'static str>,
    listen: std::net::SocketAddr,
    ready: Ready,
}

pub(super) fn run(options: &AllOptions, output: Output) -> Result<(), Failure> {
    let staged = stage(options)?;
    runtime::build()?.block_on(present(options, staged, output))
}

/// Builds all simulators of the folder.
fn stage(options: &AllOptions) -> Result<Vec<Staged>, Failure> {
    let unusable = |error: Unusable| Failure::Usage(error.to_string());
    let read = Simulators::read(&options.dir).map_err(unusable)?;
    let all = read.all().map_err(unusable)?;
    for simulated in &all {
        let place = format!("{}: {}.listen", read.file().display(), simulated.word());
        stays_here(simulated.listen, &place)?;
    }
    let build = |simulated: kiungo_sandbox::simulators::Simulated<'_>| {
        Ok(Staged {
            names: simulated.family.names(),
            provider: simulated.member.provider().map(|provider| provider.id),
            listen: simulated.listen,
            ready: simulated.build(surroundings(options.seed)).map_err(unusable)?,
        })
    };
    all.into_iter().map(build).collect()
}

async fn present(options: &AllOptions, staged: Vec<Staged>, output: Output) -> Result<(), Failure> {
    let mut listeners = Vec::new();
    for simulator in &staged {
        listeners.push(listener(options, simulator).await?);
    }
    output.line(&text(options, &staged), &json(options, &staged));
    let mut served = JoinSet::new();
    for (simulator, listener) in staged.into_iter().zip(listeners) {
        let Ready { router, tls, .. } = simulator.ready;
        served.spawn(put_up(listener, router, tls));
    }
    until_interrupted(async {
        while let Some(ended) = served.join_next().await {
            ended??;
        }
        Ok(())
    })
    .await
}

async fn listener(options: &AllOptions, simulator: &Staged) -> Result<TcpListener, Failure> {
    let remedy = format!(
        "stop what listens there, or take other ports in another folder (kiungo init --sandbox \
         --port PORT --dir DIR); this one stands in {}, {}.listen, and in what Kiungo reads in {}",
        Simulators::path(&options.dir).display(),
        simulator.names.word,
        options.dir.display()
    );
    bind(simulator.listen, &remedy).await
}

impl Staged {
    fn url(&self) -> String {
        let scheme = if self.ready.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listen)
    }

    /// The addresses that clients use, for programs.
    fn json(&self) -> Value {
        let url = self.url();
        let mut json = Map::new();
        json.insert("api".to_owned(), format!("{url}{}", self.ready.path).into());
        for address in &self.ready.addresses {
            json.insert(address.name.to_owned(), format!("{url}{}", address.path).into());
        }
        if self.provider.is_none() {
            json.insert("clients".to_owned(), self.ready.clients.len().into());
        }
        Value::Object(json)
    }

    /// The same for people.
    fn line(&self) -> String {
        let url = self.url();
        let others =
            self.ready.addresses.iter().filter_map(|address| {
                Some(format!("   {}: {url}{}", address.label?, address.path))
            });
        let others: String = others.collect();
        format!("  {:<16}{url}{}{others}", self.names.title, self.ready.path)
    }
}

/// A customer with a wallet at a provider, and with accounts in its currency.
struct Person<'a> {
    provider: &'static str,
    url: String,
    currency: Currency,
    wallet: &'a str,
    accounts: &'a Accounts,
}

impl<'a> Person<'a> {
    /// The client in whose turn the currency of this provider is.
    fn at(simulator: &Staged, clients: &'a [Client]) -> Option<Self> {
        let currency = simulator.ready.currency?;
        let currencies = clients.first()?.accounts.iter();
        let turn =
            currencies.map(|it| it.currency.as_str()).position(|it| it == currency.code())?;
        let client = clients.get(turn)?;
        Some(Self {
            provider: simulator.provider?,
            url: simulator.url(),
            currency,
            wallet: &client.msisdn,
            accounts: client.accounts.get(turn)?,
        })
    }

    fn json(&self) -> Value {
        let number = |id: u64| format!("{id:09}");
        let Accounts { savings, active_loan, approved_loan, .. } = self.accounts;
        json!({
            "currency": self.currency.code(), "msisdn": self.wallet,
            "savings": number(*savings),
            "active_loan": number(*active_loan), "approved_loan": number(*approved_loan),
        })
    }
}

/// The clients of the core.
fn clients(staged: &[Staged]) -> &[Client] {
    let core = staged.iter().find(|simulator| simulator.provider.is_none());
    core.map_or(&[], |core| &core.ready.clients)
}

fn json(options: &AllOptions, staged: &[Staged]) -> Value {
    let mut json: Map<String, Value> =
        staged.iter().map(|it| (it.names.word.to_owned(), it.json())).collect();
    let file = Configuration::secret_path(&options.dir, "api-key");
    json.insert("api_key_file".to_owned(), json!(file));
    let wallets = staged.iter().filter_map(|simulator| {
        let person = Person::at(simulator, clients(staged));
        let person = person.map(|person| person.json());
        Some(json!({ "provider": simulator.provider?, "person": person }))
    });
    json.insert("try".to_owned(), wallets.collect());
    Value::Object(json)
}

fn text(options: &AllOptions, staged: &[Staged]) -> String {
    let mut text = vec![format!("{} are simulated, until Ctrl-C:", in_a_sentence(staged))];
    text.extend(staged.iter().map(Staged::line));
    text.extend([
        "Beside each API: GET /_sim/books, and PUT /_sim/faults for what is to go wrong."
            .to_owned(),
        "\nThe Kiungo that reaches them, and the key for its API:".to_owned(),
        format!("  kiungo serve --config {}", Configuration::path(&options.dir).display()),
        format!(
            "  export KIUNGO_API_KEY=$(cat {})",
            Configuration::secret_path(&options.dir, "api-key").display()
        ),
        "\nWallets and accounts to try:".to_owned(),
    ]);
    let people = staged.iter().filter_map(|simulator| Person::at(simulator, clients(staged)));
    let people: Vec<Person<'_>> = people.collect();
    for Person { provider, currency, wallet, accounts, .. } in &people {
        let Accounts { savings, active_loan, approved_loan, .. } = accounts;
        text.push(format!(
            "  {provider}, {}: wallet {wallet}, savings account {savings:09}, active loan \
             {active_loan:09}, approved loan {approved_loan:09}",
            currency.code()
        ));
    }
    if let Some(Person { provider, currency, wallet, accounts, .. }) = people.last() {
        text.push(format!(
            "  kiungo transfer create deposit --provider {provider} --msisdn {wallet} --account-no \
             {:09} --amount 5000 --currency {} --wait",
            accounts.savings,
            currency.code()
        ));
    }
    text.push("\nA customer pays at the wallet, and Kiungo is told:".to_owned());
    for Person { url, wallet, accounts, .. } in &people {
        let command = payment_command(wallet, &format!("SV{}", accounts.savings));
        text.push(format!("  {}", command.replace("URL", url)));
    }
    text.join("\n")
}

/// The simulators as the beginning of a sentence: `A Fineract core, a GSMA provider and an M-Pesa market`.
fn in_a_sentence(staged: &[Staged]) -> String {
    let all: Vec<_> = staged.iter().map(|simulator| simulator.names.in_a_sentence).collect();
    let text = match all.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => all.concat(),
    };
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
