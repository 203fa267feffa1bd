//! `kiungo simulate all`: the three counterparties of a sandbox in one process.

use std::path::PathBuf;

use clap::Args;
use kiungo_domain::Currency;
use kiungo_simulators::clock::Clock;
use kiungo_simulators::faults::{Faults, Plan};
use kiungo_simulators::{fineract, gsma, mpesa};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Clients, bind, delivery, furnish, payment, put_up, stays_here, until_interrupted};
use crate::commands::init::SANDBOX_FOLDER;
use crate::failure::Failure;
use crate::runtime;
use crate::sandbox::Wallet;
use crate::sandbox::configuration::Configuration;
use crate::sandbox::simulators::{Simulators, Unusable};
use crate::terminal::output::Output;

/// A Fineract core, a GSMA provider and an M-Pesa market for the Kiungo of a sandbox
///
/// `kiungo init --sandbox` writes the folder: where each listens, its options, and the configuration of
/// a Kiungo that reaches them.
#[derive(Debug, Args)]
pub(super) struct AllOptions {
    /// The folder that `kiungo init --sandbox` has written
    #[arg(long, value_name = "DIR", default_value = SANDBOX_FOLDER)]
    dir: PathBuf,
    /// Decides what goes wrong once faults are switched on: the same seed, the same story
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// The simulators, before anything is served.
struct Stage {
    options: Simulators,
    core: fineract::Simulator,
    clients: Clients,
    gsma: gsma::Simulator,
    mpesa: mpesa::Simulator,
}

pub(super) fn run(options: &AllOptions, output: Output) -> Result<(), Failure> {
    let stage = Stage::new(options)?;
    runtime::build()?.block_on(present(options, stage, output))
}

impl Stage {
    fn new(options: &AllOptions) -> Result<Self, Failure> {
        let file = Simulators::path(&options.dir);
        let unusable = |error: Unusable| Failure::Usage(error.to_string());
        let read = Simulators::read(&options.dir).map_err(unusable)?;
        for (name, listen) in read.addresses() {
            stays_here(listen, &format!("{}: {name}.listen", file.display()))?;
        }
        let faults = || Faults::new(Plan::none(options.seed));
        let of = read.clone();
        let core = fineract::Simulator::new(of.fineract.options, Clock::System, faults());
        let place = format!("{}: fineract.options.clients", file.display());
        let clients = furnish(&core, &place)?;
        let gsma = gsma::Simulator::new(of.gsma.options, Clock::System, delivery(), faults());
        let mpesa = mpesa::Simulator::new(of.mpesa.options, Clock::System, delivery(), faults());
        Ok(Self { options: read, core, clients, gsma, mpesa })
    }
}

async fn present(options: &AllOptions, stage: Stage, output: Output) -> Result<(), Failure> {
    let file = Simulators::path(&options.dir);
    let [core, gsma, mpesa] = listeners(options, &stage.options).await?;
    let tls = stage.gsma.tls().map_err(|error| {
        Failure::Usage(format!("{}: gsma.options.security.tls: {error}", file.display()))
    })?;
    let addresses = Addresses::of(&stage, tls.is_some());
    output.line(&text(options, &stage, &addresses), &addresses.json(options, &stage));
    until_interrupted(async {
        tokio::try_join!(
            put_up(core, stage.core.router(), None),
            put_up(gsma, stage.gsma.router(), tls),
            put_up(mpesa, stage.mpesa.router(), None),
        )?;
        Ok(())
    })
    .await
}

async fn listeners(
    options: &AllOptions,
    simulators: &Simulators,
) -> Result<[TcpListener; 3], Failure> {
    let (dir, file) = (options.dir.display(), Simulators::path(&options.dir));
    let remedy = |name: &str| {
        format!(
            "stop what listens there, or take other ports in another folder (kiungo init --sandbox \
             --port PORT --dir DIR); this one stands in {}, {name}.listen, and in what Kiungo reads \
             in {dir}",
            file.display()
        )
    };
    let [core, gsma, mpesa] = simulators.addresses();
    Ok([
        bind(core.1, &remedy(core.0)).await?,
        bind(gsma.1, &remedy(gsma.0)).await?,
        bind(mpesa.1, &remedy(mpesa.0)).await?,
    ])
}

/// The addresses that clients use.
struct Addresses {
    core: String,
    gsma: String,
    gsma_api: String,
    gsma_tokens: String,
    mpesa: String,
    mpesa_api: String,
}

impl Addresses {
    fn of(stage: &Stage, gsma_by_tls: bool) -> Self {
        let Simulators { fineract, gsma, mpesa } = &stage.options;
        let scheme = if gsma_by_tls { "https" } else { "http" };
        let gsma_at = format!("{scheme}://{}", gsma.listen);
        let prefix = gsma.options.prefix_1_2.as_ref().or(gsma.options.prefix_1_1.as_ref());
        let prefix = prefix.map_or("", String::as_str);
        let mpesa_at = format!("http://{}", mpesa.listen);
        let (environment, market) = (&mpesa.options.environment, mpesa.options.market.context());
        Self {
            core: format!("http://{}/fineract-provider", fineract.listen),
            gsma_api: format!("{gsma_at}{prefix}"),
            gsma_tokens: format!("{gsma_at}{}", gsma.options.security.token_path),
            gsma: gsma_at,
            mpesa_api: format!("{mpesa_at}/{environment}/ipg/v2/{market}"),
            mpesa: mpesa_at,
        }
    }

    fn json(&self, options: &AllOptions, stage: &Stage) -> Value {
        let wallet = |name: Wallet, currency| {
            let person = Person::of(stage, currency);
            json!({ "provider": name.id(), "person": person.map(|it| it.json()) })
        };
        json!({
            "fineract": { "api": self.core, "clients": stage.clients.len() },
            "gsma": { "url": self.gsma, "api": self.gsma_api, "token_url": self.gsma_tokens },
            "mpesa": { "url": self.mpesa, "api": self.mpesa_api },
            "api_key_file": Configuration::secret_path(&options.dir, "api-key"),
            "try": [
                wallet(Wallet::Gsma, stage.options.gsma.options.currency),
                wallet(Wallet::Mpesa, stage.options.mpesa.options.currency()),
            ],
        })
    }
}

/// Somebody with a wallet and accounts in one currency.
struct Person {
    currency: Currency,
    wallet: String,
    savings: u64,
    /// An active loan, and an approved one.
    loans: [u64; 2],
}

impl Person {
    /// The client in whose turn this currency is.
    fn of(stage: &Stage, currency: Currency) -> Option<Self> {
        let currencies = &stage.options.fineract.options.clients.currencies;
        let turn = currencies.iter().position(|code| code == currency.code())?;
        let (client, ids) = stage.clients.get(turn)?;
        let loan = |number| ids.loans.get(2 * turn + number).copied();
        Some(Self {
            currency,
            wallet: client.mobile_no.clone(),
            savings: *ids.savings.get(turn)?,
            loans: [loan(0)?, loan(1)?],
        })
    }

    fn json(&self) -> Value {
        let number = |id: u64| format!("{id:09}");
        json!({
            "currency": self.currency.code(), "msisdn": self.wallet,
            "savings": number(self.savings),
            "active_loan": number(self.loans[0]), "approved_loan": number(self.loans[1]),
        })
    }
}

fn text(options: &AllOptions, stage: &Stage, addresses: &Addresses) -> String {
    let Addresses { core, gsma, gsma_api, gsma_tokens, mpesa, mpesa_api } = addresses;
    let mut text = vec![
        "A Fineract core, a GSMA provider and an M-Pesa market are simulated, until Ctrl-C:"
            .to_owned(),
        format!("  Fineract        {core}"),
        format!("  GSMA provider   {gsma_api}   tokens: {gsma_tokens}"),
        format!("  M-Pesa          {mpesa_api}"),
        "Beside each API: GET /_sim/books, and PUT /_sim/faults for what is to go wrong."
            .to_owned(),
        "\nThe Kiungo that reaches them, and the key for its API:".to_owned(),
        format!("  kiungo serve --config {}", Configuration::path(&options.dir).display()),
        format!(
            "  export KIUNGO_API_KEY=$(cat {})",
            Configuration::secret_path(&options.dir, "api-key").display()
        ),
        "\nWallets and accounts to try:".to_owned(),
    ];
    let people = [
        (Wallet::Gsma, gsma, Person::of(stage, stage.options.gsma.options.currency)),
        (Wallet::Mpesa, mpesa, Person::of(stage, stage.options.mpesa.options.currency())),
    ];
    let people = || people.iter().filter_map(|(at, url, it)| Some((at.id(), url, it.as_ref()?)));
    for (provider, _, Person { currency, wallet, savings, loans: [active, approved] }) in people() {
        text.push(format!(
            "  {provider}, {}: wallet {wallet}, savings account {savings:09}, active loan \
             {active:09}, approved loan {approved:09}",
            currency.code()
        ));
    }
    if let Some((provider, _, Person { currency, wallet, savings, .. })) = people().next_back() {
        text.push(format!(
            "  kiungo transfer create deposit --provider {provider} --msisdn {wallet} --account-no \
             {savings:09} --amount 5000 --currency {} --wait",
            currency.code()
        ));
    }
    text.push("\nA customer pays at the wallet, and Kiungo is told:".to_owned());
    for (_, url, Person { wallet, savings, .. }) in people() {
        let command = payment(wallet, &format!("SV{savings}")).replace("URL", url);
        text.push(format!("  {command}"));
    }
    text.join("\n")
}
