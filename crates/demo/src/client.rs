//! The MFI's side: Kiungo's API over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use kiungo_domain::transfer::Status;
use kiungo_domain::{AccountKind, Kind, TransferId};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::workload::{SHILLING, Wanted};

const PATIENCE: Duration = Duration::from_secs(10);
const PAGE: u32 = 500;

/// The API, as one client uses it.
#[derive(Debug, Clone)]
pub(super) struct Api {
    http: Client,
    base: String,
    key: String,
}

/// The result of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ordered {
    /// The order is a transfer now.
    Accepted(TransferId),
    /// The order never becomes a transfer, for this reason.
    Refused(String),
    /// The result is unknown: the order is to be sent again with the same key.
    Again,
}

/// A transfer as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shown {
    #[serde(deserialize_with = "transfer_id")]
    pub(super) id: TransferId,
    pub(super) kind: Kind,
    pub(super) status: Status,
    #[serde(default)]
    pub(super) merged_into: Option<String>,
    #[serde(default)]
    pub(super) case: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    transfers: Vec<Shown>,
    #[serde(default)]
    next: Option<String>,
}

impl Api {
    pub(super) fn new(address: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let http = Client::builder().timeout(PATIENCE).no_proxy().build()?;
        Ok(Self { http, base: format!("http://{address}"), key: key.to_owned() })
    }

    /// Orders a transfer once.
    pub(super) async fn order(
        &self,
        key: &str,
        wanted: &Wanted,
        msisdn: &str,
        account: u64,
    ) -> Ordered {
        let kind = match wanted.kind.account_kind() {
            AccountKind::Savings => "savings",
            AccountKind::Loan => "loan",
        };
        let minor = wanted.amount_minor;
        let body = json!({
            "kind": wanted.kind.as_str(),
            "provider": wanted.wallet.id(),
            "msisdn": msisdn,
            "account": { "type": kind, "id": account },
            "amount": format!("{}.{:02}", minor / SHILLING, minor % SHILLING),
            "currency": "TZS",
            "client_reference": key,
        });
        let request = self
            .http
            .post(format!("{}/v1/transfers", self.base))
            .bearer_auth(&self.key)
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let Ok(answer) = request.send().await else { return Ordered::Again };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else { return Ordered::Again };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = body.get("id").and_then(Value::as_str);
        match id.and_then(|id| TransferId::parse(id).ok()) {
            Some(id) if status.is_success() => Ordered::Accepted(id),
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Ordered::Again
            }
            // The first order with this key is being worked on right now.
            _ if status == StatusCode::CONFLICT => Ordered::Again,
            _ => Ordered::Refused(format!("{status}: {body}")),
        }
    }

    /// The transfers with these statuses; all if none are given. `most` at most.
    pub(super) async fn list(
        &self,
        statuses: &[Status],
        most: usize,
    ) -> anyhow::Result<Vec<Shown>> {
        let mut found = Vec::new();
        let words: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
        let mut cursor = String::new();
        loop {
            let mut path = format!("/v1/transfers?limit={PAGE}");
            if !words.is_empty() {
                path.push_str("&status=");
                path.push_str(&words.join(","));
            }
            path.push_str(&cursor);
            let page: Page = serde_json::from_value(self.get(&path).await?)?;
            found.extend(page.transfers);
            match page.next {
                Some(next) if found.len() < most => cursor = format!("&cursor={next}"),
                _ => return Ok(found),
            }
        }
    }

    /// The transfer that owns a payment's receipt.
    pub(super) async fn by_receipt(
        &self,
        provider: &str,
        receipt: &str,
    ) -> anyhow::Result<Option<Shown>> {
        let path = format!("/v1/transfers?provider={provider}&receipt={receipt}");
        let page: Page = serde_json::from_value(self.get(&path).await?)?;
        let own = page.transfers.into_iter().find(|shown| shown.merged_into.is_none());
        Ok(own)
    }

    /// The journal of a transfer.
    pub(super) async fn events(&self, id: TransferId) -> anyhow::Result<Value> {
        self.get(&format!("/v1/transfers/{id}/events")).await
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.key);
        let answer = request.send().await.context("kiungo does not answer")?;
        let status = answer.status();
        let body = answer.bytes().await?;
        if !status.is_success() {
            bail!("GET {path}: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

fn transfer_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<TransferId, D::Error> {
    let text = String::deserialize(deserializer)?;
    TransferId::parse(&text).map_err(serde::de::Error::custom)
}
