//! Reporting to a provider the outcome of the payments that it offered.

use std::sync::Arc;

use kiungo_domain::Timestamp;
use kiungo_domain::outcome::Reason;
use kiungo_provider::{
    CallbackContent, CallbackDecision, Notified, OfferState, Provider, RawCallback, Refusal,
    Standing,
};
use kiungo_provider_gsma::Gsma;
use kiungo_transport::Transport;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::*;

const URL: &str = "https://mm.example/told?id=7";
const ID: &str = "8A2B3C4D-4D5E-7F60-8A1B-2C3D4E5F6001";
const BOOKED: Standing = Standing::Booked { reversed: false };

/// A bill payment that asks to be called back at this address.
fn asking(url: &str) -> RawCallback {
    let mut raw = callback(
        "POST",
        "accounts/consumerno/SA000012/bills/SA000012/payments",
        fixture!("payments/bill-payment.json"),
    );
    raw.headers.push(("x-callback-url".to_owned(), url.to_owned()));
    raw.headers.push(("x-correlationid".to_owned(), ID.to_owned()));
    raw
}

fn state(raw: &RawCallback, standing: Standing) -> Box<OfferState> {
    let name = Uuid::parse_str(STATE_ID).unwrap();
    Box::new(OfferState { name, offer: raw.clone(), standing })
}

async fn tell(gsma: &Gsma, raw: &RawCallback, standing: Standing) -> Notified {
    let at = Timestamp::from_micros(1_772_357_666_000_000);
    gsma.notifier().unwrap().notify(&state(raw, standing), at).await
}

fn is_called_back(gsma: &Gsma, raw: &RawCallback) -> bool {
    let content = gsma.read_callback(raw).unwrap();
    let CallbackContent::Offer(offer) = content else { panic!("{content:?}") };
    let reply = gsma.reply(raw, &CallbackDecision::Taken(state(raw, Standing::Pending)));
    let (_, body) = reply.body.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let said = body["notificationMethod"] == "callback";
    assert_eq!((said, reply.status), (offer.calls_back, 202));
    said
}

/// An adapter whose mapping allows these addresses.
fn allowing(urls: Option<&[&str]>, script: &Arc<Script>) -> Gsma {
    let mut mapping = Mapping::newer();
    mapping.gsma.payments.callback_urls =
        urls.map(|urls| urls.iter().map(|url| (*url).to_owned()).collect());
    mapping.adapter(Arc::clone(script) as Arc<dyn Transport>)
}

#[tokio::test]
async fn the_payment_is_told_as_a_synchronous_answer_would_have_shown_it() {
    let script = Script::new([answer(204, "")]);
    let gsma = allowing(None, &script);
    assert_eq!(tell(&gsma, &asking(URL), BOOKED).await, Notified::Taken);
    let request = &script.requests()[0];
    assert_eq!((request.method().as_str(), &*request.uri().to_string()), ("PUT", URL));
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body["billPaymentStatus"], "completed");
    assert_eq!(body["requestingOrganisationTransactionReference"], "REF-1772357666000");
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(header("x-correlationid"), Some(ID), "as the provider wrote it");
    assert!(header("x-content-hash").is_some() && header("x-date").is_some());
    for secret in ["authorization", "x-api-key", "x-client-id"] {
        assert_eq!(header(secret), None, "our credentials are for its API");
    }
}

#[tokio::test]
async fn a_failure_is_told_as_the_error_alone() {
    let script = Script::new([answer(204, "")]);
    let refusal = Refusal::by_rule(Reason::AccountState, "closed");
    let gsma = allowing(None, &script);
    assert_eq!(tell(&gsma, &asking(URL), Standing::Failed(refusal)).await, Notified::Taken);
    let body: Value = serde_json::from_slice(script.requests()[0].body()).unwrap();
    assert_eq!(
        body,
        json!({
            "errorCategory": "businessRule",
            "errorCode": "incorrectState",
            "errorDescription": "closed",
        })
    );
}

#[tokio::test]
async fn a_notification_that_is_not_taken_is_to_be_repeated() {
    for step in [answer(500, "password=Canary"), answer(404, ""), answer(302, ""), lost()] {
        let script = Script::new([step]);
        let told = tell(&allowing(None, &script), &asking(URL), BOOKED).await;
        let Notified::NotNow { why } = told else { panic!("{told:?}") };
        assert!(!why.contains("Canary"));
        assert_eq!(script.requests().len(), 1);
    }
    let told = tell(&allowing(None, &Script::new([])), &asking(URL), Standing::Pending).await;
    assert!(matches!(told, Notified::NotNow { .. }), "nothing has come of it: {told:?}");
}

#[tokio::test]
async fn only_addresses_that_the_mapping_allows_are_called() {
    let elsewhere = "https://169.254.169.254/latest/meta-data";
    for (urls, url, called_back) in [
        (None, URL, true),
        (None, "https://mm.example:8443/told", false),
        (None, "http://mm.example/told", false),
        (None, elsewhere, false),
        (Some(&["https://push.example/kiungo"][..]), "https://push.example/kiungo/1", true),
        (Some(&["https://push.example/kiungo"][..]), "https://push.example/admin", false),
        (Some(&["https://push.example/kiungo"][..]), URL, false),
        (Some(&[][..]), URL, false),
        (None, "junk", false),
    ] {
        let script = Script::new(called_back.then(|| answer(204, "")));
        let gsma = allowing(urls, &script);
        assert_eq!(is_called_back(&gsma, &asking(url)), called_back, "{url}");
        let told = tell(&gsma, &asking(url), BOOKED).await;
        let expected = if called_back { Notified::Taken } else { Notified::Never };
        assert_eq!(told, expected, "{url}");
        assert_eq!(script.requests().len(), usize::from(called_back));
    }
}

#[test]
fn a_transaction_that_is_told_as_a_request_is_called_back_about_too() {
    let gsma = allowing(None, &Script::new([]));
    let mut raw = callback("POST", "payments", fixture!("payments/merchantpay.json"));
    assert!(!is_called_back(&gsma, &raw));
    raw.headers.push(("x-callback-url".to_owned(), URL.to_owned()));
    assert!(is_called_back(&gsma, &raw));
    raw.method = "PUT".to_owned();
    let told = gsma.read_callback(&raw).unwrap();
    assert!(matches!(told, CallbackContent::Payment(_)), "who tells afterwards asks for nothing");
}
