//! The clients: each makes a deposit, waits for its end, and makes the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use kiungo_transport::{Network, Transport as _};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::server::{KEY, Served};
use super::{Spec, Way};
use crate::product::{network, setup};
use crate::{BenchError, load};

/// The longest time for one request; a longer one means a fault.
const WITHIN: Duration = Duration::from_secs(30);

/// Makes all deposits; returns the time of each, in microseconds.
pub(super) async fn run(spec: Spec, served: &Served) -> Result<Vec<u64>, BenchError> {
    let next = Arc::new(AtomicU32::new(0));
    let client = Arc::new(Client { network: network(spec.in_flight)?, served: served.clone() });
    let mut tasks = JoinSet::new();
    for _ in 0..spec.in_flight {
        let (client, next) = (Arc::clone(&client), Arc::clone(&next));
        tasks.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= spec.transfers {
                    return Ok::<_, BenchError>(taken);
                }
                let began = Instant::now();
                match spec.way {
                    Way::Api => client.order(n).await?,
                    Way::Wallet => client.pay(n).await?,
                }
                taken.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
        });
    }
    let mut taken = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        taken.extend(joined.map_err(|e| BenchError::NotDone(e.to_string()))??);
    }
    Ok(taken)
}

struct Client {
    network: Network,
    served: Served,
}

impl Client {
    async fn order(&self, n: u32) -> Result<(), BenchError> {
        let amount = format!("{}.00", load::AMOUNT_MINOR / 100);
        let body = json!({
            "kind": "deposit", "provider": load::PROVIDERS[0], "msisdn": load::msisdn(n),
            "account": { "type": "savings", "id": load::first_account(n) },
            "amount": amount, "currency": load::CURRENCY,
        });
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}/v1/transfers", self.served.api))
            .header("authorization", format!("Bearer {KEY}"))
            .header("idempotency-key", format!("key-{n}"))
            .header("content-type", "application/json");
        let answer = self.send(request, &body.to_string()).await?;
        self.until_ended(&answer, "id").await
    }

    async fn pay(&self, n: u32) -> Result<(), BenchError> {
        let body = json!({
            "msisdn": load::msisdn(n), "amount_minor": load::AMOUNT_MINOR,
            "account_reference": format!("SV{}", load::first_account(n)),
        });
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}/_sim/payments", self.served.gsma))
            .header("content-type", "application/json");
        let answer = self.send(request, &body.to_string()).await?;
        self.until_ended(&answer, "receipt").await
    }

    async fn until_ended(&self, answer: &Value, member: &str) -> Result<(), BenchError> {
        let name = answer.get(member).and_then(Value::as_str);
        let name = name.ok_or_else(|| BenchError::NotDone(format!("no `{member}`: {answer}")))?;
        let uri = format!("http://{}/_bench/ended/{name}", self.served.api);
        self.send(Request::builder().uri(uri), "").await.map(drop)
    }

    async fn send(&self, request: http::request::Builder, body: &str) -> Result<Value, BenchError> {
        let request = request.body(Bytes::from(body.to_owned())).map_err(|e| setup(&e))?;
        let path = request.uri().path().to_owned();
        let answer = self.network.send(request, WITHIN).await;
        let answer = answer.map_err(|e| BenchError::NotDone(format!("{path}: {e}")))?;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        if !answer.status().is_success() {
            let status = answer.status();
            return Err(BenchError::NotDone(format!("{path} answered {status}: {text}")));
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}
