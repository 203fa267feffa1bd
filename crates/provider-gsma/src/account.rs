//! Reads about accounts: the float, a holder's name, an account's status; and the probe.

use std::fmt;

use http::StatusCode;
use kiungo_domain::outcome::Reason;
use kiungo_domain::{Money, Msisdn, excerpt};
use kiungo_provider::{Answered, Meaning, ReadError};
use kiungo_transport::Response;
use serde::de::DeserializeOwned;

use crate::Gsma;
use crate::client::{Routed, Unanswered};
use crate::config::BalanceOf;
use crate::map::codes::Refusal;
use crate::map::{amount, date, order};
use crate::paths;
use crate::wire::{
    AccountName, AccountStatus, Balance, Body, Heartbeat, Name, Text, read_body, read_object,
};

/// The state of a wallet or an account (`gsma-mobile-money-api.md` §8, `accountStatus`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// The account can be used.
    Available,
    /// The account exists and cannot be used.
    Unavailable,
    /// There is no such account, but a credit would make a voucher for an unregistered recipient.
    Unregistered,
    /// A word that the API does not list.
    Other(String),
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Available => "available",
            Self::Unavailable => "unavailable",
            Self::Unregistered => "unregistered",
            Self::Other(word) => word,
        })
    }
}

impl AccountState {
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "available" => Self::Available,
            "unavailable" => Self::Unavailable,
            "unregistered" => Self::Unregistered,
            _ => Self::Other(excerpt(word)),
        }
    }
}

impl Gsma {
    /// The state of a customer's wallet; `None` if the provider does not know the number.
    pub async fn account_state(&self, msisdn: &Msisdn) -> Result<Option<AccountState>, ReadError> {
        let number = order::phone(msisdn, self.options.msisdn_format);
        self.state_of("msisdn", &number).await
    }

    async fn state_of(&self, kind: &str, id: &str) -> Result<Option<AccountState>, ReadError> {
        let path = paths::account(kind, id, "status");
        let Some(status) = self.known::<AccountStatus>(&path, Routed::ByInstitution).await? else {
            return Ok(None);
        };
        Text::given(status.account_status.as_ref())
            .map(|word| Some(AccountState::of(word)))
            .ok_or_else(|| unavailable("the provider does not state the account's status"))
    }

    pub(crate) async fn read_balance(&self) -> Result<Money, ReadError> {
        let account = &self.options.account;
        let path = match self.options.balance_of {
            BalanceOf::Account => paths::account(&account.kind, &account.id, "balance"),
            BalanceOf::Caller => "accounts/balance".to_owned(),
        };
        let missing = || ReadError::Repair("the provider does not know our account".to_owned());
        let balance: Balance =
            self.known(&path, Routed::ByInstitution).await?.ok_or_else(missing)?;
        // The current balance counts what is reserved; it is the next best where there is no other.
        let stated = Text::given(balance.available_balance.as_ref())
            .and(balance.available_balance.as_ref())
            .or(balance.current_balance.as_ref());
        let money = amount::read(stated, balance.currency.as_ref(), self.reading.terms.currency);
        money
            .map_err(|_| unavailable("the balance or its currency cannot be read"))?
            .ok_or_else(|| unavailable("the provider does not state a balance"))
    }

    pub(crate) async fn read_holder_name(
        &self,
        msisdn: &Msisdn,
    ) -> Result<Option<String>, ReadError> {
        let number = order::phone(msisdn, self.options.msisdn_format);
        let path = paths::account("msisdn", &number, "accountname");
        let Some(answer) = self.known::<AccountName>(&path, Routed::ByInstitution).await? else {
            return Ok(None);
        };
        let name = answer.name.as_ref().and_then(full_name);
        name.map(Some).ok_or_else(|| unavailable("the provider withholds the holder's name"))
    }

    /// The heartbeat shows that the provider is reachable; the state of our own account shows that
    /// it knows us.
    pub(crate) async fn check(&self) -> Result<String, ReadError> {
        let silent =
            || ReadError::Repair("the provider has no heartbeat: is base_url right?".to_owned());
        let heartbeat: Heartbeat = self.known("heartbeat", Routed::No).await?.ok_or_else(silent)?;
        let service = Text::given(heartbeat.service_status.as_ref()).unwrap_or("unstated");
        let service = excerpt(service);
        if service.eq_ignore_ascii_case("unavailable") {
            let back = date::read(heartbeat.planned_restoration_time.as_ref());
            let back = back.and_then(date::write).map(|at| format!(", back at {at}"));
            let why =
                format!("the provider says that it is unavailable{}", back.unwrap_or_default());
            return Err(ReadError::Unavailable(why));
        }
        let account = &self.options.account;
        let named = &account.kind;
        match self.state_of(&account.kind, &account.id).await {
            Ok(Some(AccountState::Available)) => {
                Ok(format!("service {service}, our {named} account available"))
            }
            Ok(Some(state)) => Err(ReadError::Repair(format!("our {named} account is {state}"))),
            Ok(None) => {
                let why = "the provider does not know our account: check gsma.account";
                Err(ReadError::Repair(why.to_owned()))
            }
            Err(repair @ ReadError::Repair(_)) => Err(repair),
            Err(ReadError::Unavailable(why)) => {
                Ok(format!("service {service}; our account's status cannot be read: {why}"))
            }
        }
    }

    /// A resource; `None` if a listed error object says that the provider does not know it.
    async fn known<T: DeserializeOwned>(
        &self,
        path: &str,
        routed: Routed,
    ) -> Result<Option<T>, ReadError> {
        let answer = self.client.get(path, routed).await.map_err(read_error)?;
        if answer.status() == StatusCode::OK {
            return match read_body(answer.body()) {
                Some(Body::Error(error)) => Err(unavailable(&Refusal::of(&error).described())),
                _ => read_object(answer.body())
                    .map(Some)
                    .ok_or_else(|| unavailable("the answer cannot be read")),
            };
        }
        match read_body(answer.body()) {
            Some(Body::Error(error))
                if answer.status() == StatusCode::NOT_FOUND
                    && Refusal::of(&error)
                        .meaning(&self.reading.terms.codes, Answered::Inquire)
                        == Some(Meaning::Absent) =>
            {
                Ok(None)
            }
            _ => Err(self.refused(&answer)),
        }
    }

    /// The error of a refused read, which also says whether a person must repair something.
    pub(crate) fn refused(&self, answer: &Response) -> ReadError {
        let status = answer.status();
        let Some(Body::Error(error)) = read_body(answer.body()) else {
            let why = format!("the provider answered {}", status.as_u16());
            let repair = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
            return if repair.contains(&status) {
                ReadError::Repair(why)
            } else {
                ReadError::Unavailable(why)
            };
        };
        let refusal = Refusal::of(&error);
        let why = format!("the provider answered {}: {}", status.as_u16(), refusal.described());
        let codes = &self.reading.terms.codes;
        if refusal.reason(codes, Answered::Inquire) == Some(Reason::Configuration) {
            ReadError::Repair(why)
        } else {
            ReadError::Unavailable(why)
        }
    }
}

/// The error of a read that got no answer.
pub(crate) fn read_error(unanswered: Unanswered) -> ReadError {
    match unanswered {
        Unanswered::NoCredential(error) if error.repair => ReadError::Repair(error.why),
        Unanswered::Unbuildable(_) => ReadError::Repair(unanswered.to_string()),
        Unanswered::NoCredential(_) | Unanswered::Failed(_) => {
            ReadError::Unavailable(unanswered.to_string())
        }
    }
}

fn full_name(name: &Name) -> Option<String> {
    let given = |part: &Option<Text>| Text::given(part.as_ref()).map(str::to_owned);
    let parts = [&name.first_name, &name.middle_name, &name.last_name];
    let joined = parts.into_iter().filter_map(given).collect::<Vec<_>>().join(" ");
    given(&name.full_name)
        .or(Some(joined).filter(|joined| !joined.is_empty()))
        .or_else(|| given(&name.native_name))
}

fn unavailable(why: &str) -> ReadError {
    ReadError::Unavailable(why.to_owned())
}
