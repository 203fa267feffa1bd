//! The family as a program offers it: its names, and a core that is ready to be served.

use kiungo_simulator::family::{self, Accounts, Family, Names, Ready, Source, Surroundings, Unfit};
use serde_json::json;

use super::{ClientIds, ClientSpec, Options, Simulator};

/// Clients that are shown one by one; the others are like them.
const CLIENTS_SHOWN: usize = 2;

/// The simulated Fineract cores.
#[derive(Debug)]
pub struct FineractFamily;

impl Family for FineractFamily {
    fn names(&self) -> Names {
        Names {
            word: "fineract",
            about: "A Fineract core",
            after_help: None,
            subject: "Fineract",
            title: "Fineract",
            in_a_sentence: "a Fineract core",
        }
    }

    fn build(&self, options: Source<'_>, surroundings: Surroundings) -> Result<Ready, Unfit> {
        let options: Options = options.read()?;
        let user = options.users.first().cloned().unwrap_or_default();
        let tenant = options.tenants.first().cloned().unwrap_or_default();
        let simulator = Simulator::new(options, surroundings.clock, surroundings.faults);
        let clients = simulator.furnish();
        let unfit =
            |why: super::OpenError| Unfit::Value { option: "clients", why: why.to_string() };
        let clients = clients.map_err(unfit)?;
        let mut try_this = vec![
            format!(
                "curl -u {}:{} -H 'Fineract-Platform-TenantId: {tenant}' \
                 URL/fineract-provider/api/v1/savingsaccounts/1",
                user.name, user.password
            ),
            "curl URL/_sim/books".to_owned(),
            format!(
                "{} clients are there, each with 1,000,000.00 in a savings account, an active loan \
                 and an approved one:",
                clients.len()
            ),
        ];
        let shown = clients.iter().take(CLIENTS_SHOWN);
        try_this.extend(shown.map(|(client, ids)| format!("  {}", in_a_line(client, ids))));
        Ok(Ready {
            router: simulator.router(),
            tls: None,
            path: "/fineract-provider".to_owned(),
            addresses: Vec::new(),
            try_this,
            facts: json!({ "tenant": tenant, "user": user.name, "clients": clients.len() }),
            currency: None,
            clients: clients.iter().map(|(client, ids)| known(client, ids)).collect(),
        })
    }
}

/// A client with all accounts, in one line.
fn in_a_line(client: &ClientSpec, ids: &ClientIds) -> String {
    let accounts = client.savings.iter().zip(&ids.savings).zip(ids.loans.chunks(2));
    let accounts: Vec<_> = accounts
        .map(|((account, savings), loans)| {
            let loan = |number| loans.get(number).copied().unwrap_or_default();
            format!(
                "{}: savings {savings:09}, loans {:09} (active) and {:09} (approved)",
                account.currency,
                loan(0),
                loan(1)
            )
        })
        .collect();
    format!("{}, number {}: {}", client.name, client.mobile_no, accounts.join("; "))
}

/// A client as the program knows it.
fn known(client: &ClientSpec, ids: &ClientIds) -> family::Client {
    let accounts = client.savings.iter().zip(&ids.savings).zip(ids.loans.chunks_exact(2));
    let accounts = accounts.filter_map(|((account, savings), loans)| {
        let [active, approved] = loans else { return None };
        Some(Accounts {
            currency: account.currency.clone(),
            savings: *savings,
            active_loan: *active,
            approved_loan: *approved,
        })
    });
    family::Client { msisdn: client.mobile_no.clone(), accounts: accounts.collect() }
}
