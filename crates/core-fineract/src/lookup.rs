//! Finds the account that an account reference names (`fineract.md` §8).

use bytes::Bytes;
use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountKind, AccountRef, CoreAccount, Msisdn};
use kiungo_transport::percent::segment;
use serde_json::json;

use crate::client::{Client, ReadError, query};
use crate::version::Profile;
use crate::wire::{Accounts, ClientHit, ListedAccount, Loan, SavingsAccount, SearchHit};

/// An account as it was read.
#[derive(Debug, Clone)]
pub(crate) enum Account {
    Savings(Box<SavingsAccount>),
    Loan(Box<Loan>),
}

impl Account {
    pub(crate) fn id(&self) -> CoreAccount {
        match self {
            Self::Savings(account) => CoreAccount { kind: AccountKind::Savings, id: account.id },
            Self::Loan(loan) => CoreAccount { kind: AccountKind::Loan, id: loan.id },
        }
    }

    /// True unless it is closed, rejected, or not approved yet.
    pub(crate) fn is_alive(&self) -> bool {
        let status = match self {
            Self::Savings(account) => account.status.id,
            Self::Loan(loan) => loan.status.id,
        };
        ALIVE.contains(&status)
    }
}

/// The result of a search for one account.
#[derive(Debug, Clone)]
pub(crate) enum Located {
    One(Account),
    None,
    /// Several fit, and picking one would be guessing.
    Several,
    Unclear(String),
}

/// A client with the phone number that was searched for.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
}

/// Statuses of accounts that are alive: approved and active, and a loan that is overpaid.
const ALIVE: [u64; 3] = [200, 300, 700];
const SAVINGS_DEPOSIT: u64 = 100;
/// The search gives up behind this many hits; a full answer may hide another one.
const HITS_MAX: usize = 50;

/// The one account of these kinds that goes by this name.
pub(crate) async fn locate(
    client: &Client,
    profile: &Profile,
    account: &AccountRef,
    kinds: &[AccountKind],
) -> Located {
    let found = match &account.key {
        AccountKey::Id(id) => by_id(client, *id, kinds).await,
        AccountKey::AccountNo(number) => by_number(client, number, kinds).await,
        AccountKey::ExternalId(id) => by_external_id(client, profile, id, kinds).await,
        AccountKey::Phone(msisdn) => by_phone(client, profile, msisdn, kinds).await,
    };
    match found {
        Ok(mut found) => match (found.pop(), found.is_empty()) {
            (None, _) => Located::None,
            (Some(account), true) => Located::One(account),
            (Some(_), false) => Located::Several,
        },
        Err(error) => Located::Unclear(error.why()),
    }
}

async fn by_id(client: &Client, id: u64, kinds: &[AccountKind]) -> Result<Vec<Account>, ReadError> {
    let mut found = Vec::new();
    for kind in kinds {
        found.extend(read(client, CoreAccount { kind: *kind, id }).await?);
    }
    Ok(found)
}

/// The account with this id; `None` if there is none.
pub(crate) async fn read(
    client: &Client,
    account: CoreAccount,
) -> Result<Option<Account>, ReadError> {
    let path = match account.kind {
        AccountKind::Savings => format!("/api/v1/savingsaccounts/{}", account.id),
        AccountKind::Loan => format!("/api/v1/loans/{}", account.id),
    };
    let found = read_at(client, account.kind, &path).await?;
    match found {
        Some(found) if found.id() != account => {
            Err(ReadError::Unusable("the core answered with another account".to_owned()))
        }
        found => Ok(found),
    }
}

async fn read_at(
    client: &Client,
    kind: AccountKind,
    path: &str,
) -> Result<Option<Account>, ReadError> {
    let read = match kind {
        AccountKind::Savings => client.read(path).await.map(|a| Account::Savings(Box::new(a))),
        AccountKind::Loan => client.read(path).await.map(|a| Account::Loan(Box::new(a))),
    };
    match read {
        Ok(account) => Ok(Some(account)),
        Err(ReadError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn by_number(
    client: &Client,
    number: &str,
    kinds: &[AccountKind],
) -> Result<Vec<Account>, ReadError> {
    let number = number.trim();
    // Wildcards of the search are in no account number, and blank would find everything.
    if number.is_empty() || number.contains(['%', '_']) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (account, hit) in search_accounts(client, number, kinds).await? {
        if hit.entity_account_no.get() == Some(number) {
            found.extend(read(client, account).await?);
        }
    }
    Ok(found)
}

/// Accounts whose number or external id is like `pattern`, `_` standing for any character.
pub(crate) async fn search_accounts(
    client: &Client,
    pattern: &str,
    kinds: &[AccountKind],
) -> Result<Vec<(CoreAccount, SearchHit)>, ReadError> {
    let resources: Vec<&str> = kinds
        .iter()
        .map(|kind| match kind {
            AccountKind::Savings => "savings",
            AccountKind::Loan => "loans",
        })
        .collect();
    let query =
        query(&[("query", pattern), ("resource", &resources.join(",")), ("exactMatch", "true")]);
    let hits = client.read_page::<SearchHit>(&format!("/api/v1/search?{query}")).await?;
    let accounts = hits.items.into_iter().filter_map(|hit| {
        let kind = match hit.entity_type.as_str() {
            "SAVING" => AccountKind::Savings,
            "LOAN" => AccountKind::Loan,
            _ => return None,
        };
        kinds.contains(&kind).then_some((CoreAccount { kind, id: hit.entity_id }, hit))
    });
    Ok(accounts.collect())
}

pub(crate) async fn by_external_id(
    client: &Client,
    profile: &Profile,
    id: &str,
    kinds: &[AccountKind],
) -> Result<Vec<Account>, ReadError> {
    if id.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for kind in kinds {
        let route = match kind {
            AccountKind::Savings => "savingsaccounts",
            AccountKind::Loan => "loans",
        };
        if profile.has_external_id_routes() {
            let path = format!("/api/v1/{route}/external-id/{}", segment(id));
            found.extend(read_at(client, *kind, &path).await?);
        } else {
            let path = format!("/api/v1/{route}?{}", query(&[("externalId", id)]));
            found.extend(listed_by_external_id(client, *kind, &path, id).await?);
        }
    }
    found.retain(|account| {
        let text = match account {
            Account::Savings(account) => &account.external_id,
            Account::Loan(loan) => &loan.external_id,
        };
        text.get() == Some(id)
    });
    Ok(found)
}

async fn listed_by_external_id(
    client: &Client,
    kind: AccountKind,
    path: &str,
    id: &str,
) -> Result<Vec<Account>, ReadError> {
    let ids: Vec<u64> = match kind {
        AccountKind::Savings => {
            let page = client.read_page::<SavingsAccount>(path).await?;
            page.items.iter().filter(|a| a.external_id.get() == Some(id)).map(|a| a.id).collect()
        }
        AccountKind::Loan => {
            let page = client.read_page::<Loan>(path).await?;
            page.items.iter().filter(|a| a.external_id.get() == Some(id)).map(|a| a.id).collect()
        }
    };
    // A list shows less of an account than the account itself.
    let mut found = Vec::new();
    for id in ids {
        found.extend(read(client, CoreAccount { kind, id }).await?);
    }
    Ok(found)
}

async fn by_phone(
    client: &Client,
    profile: &Profile,
    msisdn: &Msisdn,
    kinds: &[AccountKind],
) -> Result<Vec<Account>, ReadError> {
    let mut listed = Vec::new();
    for owner in owners(client, profile, msisdn).await? {
        listed.extend(accounts_of(client, &owner, kinds).await?);
    }
    // A closed account does not stand beside a living one; alone, it tells the reason better.
    if listed.iter().any(|(_, account)| is_alive(account)) {
        listed.retain(|(_, account)| is_alive(account));
    }
    // Two are as ambiguous as ten.
    listed.truncate(2);
    let mut found = Vec::new();
    for (account, _) in listed {
        found.extend(read(client, account).await?);
    }
    Ok(found)
}

pub(crate) fn is_alive(account: &ListedAccount) -> bool {
    ALIVE.contains(&account.status.id)
}

/// The owners whose number is exactly this one, however the core writes it.
pub(crate) async fn owners(
    client: &Client,
    profile: &Profile,
    msisdn: &Msisdn,
) -> Result<Vec<Owner>, ReadError> {
    // Part of every way of writing the number, so that one substring search is enough.
    let text = msisdn.national();
    let too_many =
        || ReadError::Unusable("too many clients fit the phone number's digits".to_owned());
    if !profile.has_external_id_routes() {
        let query = query(&[("query", text), ("resource", "clients"), ("exactMatch", "false")]);
        let hits = client.read_page::<SearchHit>(&format!("/api/v1/search?{query}")).await?;
        if hits.items.len() >= HITS_MAX {
            return Err(too_many());
        }
        let matching = hits.items.into_iter().filter(|hit| {
            hit.entity_type == "CLIENT"
                && hit.entity_mobile_no.get().is_some_and(|no| msisdn.is_written(no))
        });
        return Ok(matching
            .map(|hit| Owner { id: hit.entity_id, name: hit.entity_name.0 })
            .collect());
    }
    let body = json!({
        "request": {"text": text},
        "page": 0,
        "size": HITS_MAX,
        "sorts": [{"direction": "ASC", "property": "id"}],
    });
    let answer = client
        .search("/api/v2/clients/search", Bytes::from(body.to_string()))
        .await
        .map_err(|error| ReadError::Unusable(error.why()))?;
    let page = answer.page::<ClientHit>()?;
    let shown = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
    if page.total.is_none_or(|total| total > shown) {
        return Err(too_many());
    }
    let matching = page
        .items
        .into_iter()
        .filter(|hit| hit.mobile_no.get().is_some_and(|no| msisdn.is_written(no)));
    Ok(matching.map(|hit| Owner { id: hit.id, name: hit.display_name.0 }).collect())
}

/// The accounts of these kinds that belong to the client; of savings, only those one can pay into
/// and out of.
pub(crate) async fn accounts_of(
    client: &Client,
    owner: &Owner,
    kinds: &[AccountKind],
) -> Result<Vec<(CoreAccount, ListedAccount)>, ReadError> {
    let accounts: Accounts = client.read(&format!("/api/v1/clients/{}/accounts", owner.id)).await?;
    let mut found = Vec::new();
    for kind in kinds {
        let listed = match kind {
            AccountKind::Savings => &accounts.savings_accounts,
            AccountKind::Loan => &accounts.loan_accounts,
        };
        let usable = listed.iter().filter(|account| {
            account.deposit_type.is_none_or(|deposit| deposit.id == SAVINGS_DEPOSIT)
        });
        found.extend(usable.map(|a| (CoreAccount { kind: *kind, id: a.id }, a.clone())));
    }
    Ok(found)
}
