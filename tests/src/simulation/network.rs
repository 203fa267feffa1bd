//! The network of the simulated world: requests and callbacks as function calls, which get lost,
//! doubled, delayed and reordered.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use kiungo_domain::ProviderId;
use kiungo_engine::Engine;
use kiungo_provider::RawCallback;
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::ResetConnection;
use kiungo_transport::{Failure, Request, Response, Transport};
use tower::ServiceExt as _;

use super::chance::Chance;
use super::freeze::FreezeSwitch;

/// The longest body that is read.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The state of the network: it misbehaves, or not.
#[derive(Debug, Clone, Default)]
pub struct NetworkState {
    faulty: Arc<AtomicBool>,
}

impl NetworkState {
    /// Turns the faults of the network on or off.
    pub fn set(&self, faulty: bool) {
        self.faulty.store(faulty, Ordering::Relaxed);
    }

    /// True if the network is faulty.
    pub fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }
}

/// Carries an adapter's requests into a simulator's router.
#[derive(Debug, Clone)]
pub struct FaultyNetwork {
    router: Router,
    chance: Chance,
    network_state: NetworkState,
    doubles: bool,
    switch: FreezeSwitch,
}

impl FaultyNetwork {
    /// Carries to `router`. With `doubles`, requests can arrive twice; never set it for a
    /// counterparty that recognises no second sending, because nothing protects that one.
    pub fn new(router: Router, chance: Chance, network_state: NetworkState, doubles: bool) -> Self {
        Self { router, chance, network_state, doubles, switch: FreezeSwitch::default() }
    }

    /// The same way, for a process that may be stopped.
    #[must_use]
    pub fn on(&self, switch: &FreezeSwitch) -> Self {
        Self { switch: switch.clone(), ..self.clone() }
    }

    /// The time by which a second copy of a request comes later than its sending.
    fn copied_after(&self) -> Duration {
        let after = self.chance.wait(Duration::from_secs(2));
        after + after.saturating_sub(COPIED_SOON) * HELD_UP
    }

    /// Hands the request over, in a task of its own: the counterparty works on even if the caller
    /// stops waiting.
    fn hand_over(
        &self,
        request: &Request,
        delay: Duration,
    ) -> tokio::task::JoinHandle<Option<Response>> {
        let router = self.router.clone();
        let request = copy(request);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let answer = router.oneshot(request).await.ok()?;
            if answer.extensions().get::<ResetConnection>().is_some() {
                return None;
            }
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok()?.to_bytes();
            Some(http::Response::from_parts(parts, body))
        })
    }
}

#[async_trait]
impl Transport for FaultyNetwork {
    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, Failure> {
        self.switch.thawed().await;
        kiungo_transport::still_in_time()?;
        let lost = || Failure::NoAnswer { why: "the connection was lost".to_owned() };
        let mut delay = Duration::from_millis(1);
        if self.network_state.is_faulty() {
            if self.chance.happens(150) {
                return Err(Failure::NotSent { why: "connection refused".to_owned() });
            }
            if self.chance.happens(100) {
                return Err(lost());
            }
            delay += self.chance.wait(Duration::from_millis(200));
            if self.chance.happens(50) {
                delay += self.chance.wait(Duration::from_secs(20));
            }
            if self.doubles && self.chance.happens(100) {
                // Delivered twice, in whichever order.
                drop(self.hand_over(&request, self.copied_after()));
            }
        }
        let answer = self.hand_over(&request, delay);
        let answer = tokio::time::timeout(timeout, answer).await;
        self.switch.thawed().await;
        match answer {
            Ok(Ok(Some(response))) => {
                if self.network_state.is_faulty() && self.chance.happens(100) {
                    return Err(lost());
                }
                Ok(response)
            }
            Ok(_) => Err(lost()),
            Err(_) => Err(Failure::NoAnswer { why: "time-out".to_owned() }),
        }
    }
}

/// Up to this, a copy of a request comes soon after it; one in ten is held up for longer.
const COPIED_SOON: Duration = Duration::from_millis(1_800);

/// The factor by which a copy that is held up is later: up to a minute, which is within the time
/// that every counterparty's window of absence allows.
const HELD_UP: u32 = 300;

fn copy(request: &Request) -> http::Request<Body> {
    let mut copy = http::Request::new(Body::from(request.body().clone()));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// The slot in which callbacks find the engine; it is empty while Kiungo is down.
#[derive(Clone, Default)]
pub struct EngineSlot {
    engine: Arc<Mutex<Option<Engine>>>,
}

impl EngineSlot {
    /// Puts an engine in the slot, or none.
    pub fn set(&self, engine: Option<Engine>) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    /// The engine in the slot.
    pub fn engine(&self) -> Option<Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The receipts of movements that a provider took back by itself, as Kiungo was told and has
/// acknowledged.
#[derive(Debug, Clone, Default)]
pub struct AcknowledgedReversals(Arc<Mutex<BTreeSet<String>>>);

impl AcknowledgedReversals {
    /// True if Kiungo was told of this receipt.
    pub fn has(&self, receipt: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(receipt)
    }

    fn note(&self, body: &[u8]) {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let reversed = body["transactionStatus"].as_str() == Some("reversed");
        if let Some(receipt) = body["transactionReference"].as_str().filter(|_| reversed) {
            let mut acknowledged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            acknowledged.insert(receipt.to_owned());
        }
    }
}

/// The number of times that a callback comes in a burst, all within a second.
const BURST: u32 = 10;

/// Carries a simulator's callbacks to the engine in the slot.
#[derive(Clone)]
pub struct CallbackDelivery {
    slot: EngineSlot,
    chance: Chance,
    network_state: NetworkState,
    acknowledged: AcknowledgedReversals,
    /// Parts per 10,000 of callbacks that come in a burst.
    bursts: u64,
}

impl CallbackDelivery {
    /// Carries to the slot, and notes what was acknowledged.
    pub const fn new(
        slot: EngineSlot,
        chance: Chance,
        network_state: NetworkState,
        acknowledged: AcknowledgedReversals,
        bursts: u64,
    ) -> Self {
        Self { slot, chance, network_state, acknowledged, bursts }
    }

    /// The same callback again and again.
    fn burst(&self, provider: &ProviderId, raw: &RawCallback) {
        for number in 1..BURST {
            let (slot, provider, raw) = (self.slot.clone(), provider.clone(), raw.clone());
            let wait = Duration::from_secs(1) * number / BURST;
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                if let Some(engine) = slot.engine() {
                    let answer = engine.callback(&provider, raw);
                    let _ = tokio::time::timeout(Duration::from_secs(5), answer).await;
                }
            });
        }
    }
}

#[async_trait]
impl Delivery for CallbackDelivery {
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16> {
        self.ask(callback).await.map(|answer| answer.status().as_u16())
    }

    async fn ask(&self, callback: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let delay = if self.network_state.is_faulty() {
            self.chance.wait(Duration::from_millis(500))
        } else {
            Duration::from_millis(1)
        };
        tokio::time::sleep(delay).await;
        let engine = self.slot.engine()?;
        let (provider, raw) = raw(&callback)?;
        if self.network_state.is_faulty() && self.chance.happens(self.bursts) {
            self.burst(&provider, &raw);
        }
        let answer = engine.callback(&provider, raw);
        let reply = tokio::time::timeout(Duration::from_secs(5), answer).await.ok()?.ok()?;
        if (200..300).contains(&reply.status) {
            self.acknowledged.note(callback.body());
        }
        let body = reply.body.map(|(_, body)| body).unwrap_or_default();
        http::Response::builder().status(reply.status).body(body).ok()
    }
}

/// `/callbacks/{provider}/{rest}`: the simulated world knows no secrets.
fn raw(callback: &http::Request<Bytes>) -> Option<(ProviderId, RawCallback)> {
    let path = callback.uri().path().strip_prefix("/callbacks/")?;
    let (provider, rest) = path.split_once('/')?;
    let headers = callback.headers().iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let raw = RawCallback {
        method: callback.method().as_str().to_owned(),
        path: rest.to_owned(),
        headers: headers.collect(),
        body: callback.body().clone(),
    };
    Some((ProviderId::new(provider).ok()?, raw))
}
