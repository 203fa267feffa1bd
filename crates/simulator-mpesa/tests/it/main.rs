//! An M-Pesa market, line by line of the checklist in `mpesa-openapi.md` §12.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod callbacks;
mod conduct;
mod debits;
mod faults;
mod fields;
mod limits;
mod money;
mod names;
mod paybill;
mod statement;
mod triggers;

use std::sync::Arc;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::Faults;
use kiungo_simulator_mpesa::Simulator;
use kiungo_simulator_mpesa::options::{Market, Options};
use serde_json::{Value, json};

use kiungo_simulator::testing::{Answer, Mailbox, assert_consistent, call, clock};

const MSISDN: &str = "255700000001";
const ID: &str = "RP20260301K7Q2M9XW4T";
const RESULT: &str = "http://127.0.0.1:1/result";

struct World {
    simulator: Simulator,
    router: Router,
    mailbox: Mailbox,
    market: Market,
    bearer: String,
}

fn options() -> Options {
    Options { key_bits: 2_048, ..Options::default() }
}

fn asynchronous() -> Options {
    Options { asynchronous: true, delay_ms: 500, response_url: Some(RESULT.into()), ..options() }
}

fn encrypt(simulator: &Simulator, text: &str) -> String {
    let der = STANDARD.decode(simulator.public_key()).unwrap();
    let key = Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).unwrap()).unwrap();
    let mut ciphertext = vec![0; key.ciphertext_size()];
    let ciphertext = key.encrypt(text.as_bytes(), &mut ciphertext).unwrap();
    format!("Bearer {}", STANDARD.encode(ciphertext))
}

fn closed(options: Options, faults: Faults) -> World {
    let mailbox = Mailbox::default();
    let market = options.market;
    let simulator = Simulator::new(options, clock(), Arc::new(mailbox.clone()), faults);
    World { router: simulator.router(), simulator, mailbox, market, bearer: String::new() }
}

/// A market with a live session.
async fn world(options: Options, faults: Faults) -> World {
    let mut world = closed(options, faults);
    world.bearer = world.session().await;
    world
}

impl World {
    async fn send(&self, method: &str, path: &str, bearer: &str, body: &str) -> Answer {
        let headers = [("authorization", bearer), ("origin", "mfi.example")];
        let path = format!("/sandbox/ipg/v2/{path}");
        call(&self.router, method, &path, &headers, body).await
    }

    async fn session(&self) -> String {
        let key = encrypt(&self.simulator, &Options::default().api_key);
        let path = format!("{}/getSession/", self.market.context());
        let answer = self.send("GET", &path, &key, "").await;
        let id = answer.json()["output_SessionID"].as_str().unwrap_or_default().to_owned();
        encrypt(&self.simulator, &id)
    }

    async fn ask(&self, method: &str, operation: &str, body: &Value) -> Answer {
        let path = format!("{}/{operation}", self.market.context());
        self.send(method, &path, &self.bearer, &body.to_string()).await
    }

    /// A collection in the words of the market.
    async fn collect_here(&self, id: &str, msisdn: &str, amount: &str, currency: &str) -> Answer {
        let mut body = c2b(id, msisdn, amount);
        body["input_Country"] = json!(self.market.country());
        body["input_Currency"] = json!(currency);
        self.collect(&body).await
    }

    async fn collect(&self, body: &Value) -> Answer {
        self.ask("POST", "c2bPayment/singleStage/", body).await
    }

    async fn query(&self, reference: &str) -> Answer {
        let query = format!(
            "queryTransactionStatus/?input_QueryReference={reference}&input_Country={}\
             &input_ServiceProviderCode=000000&input_ThirdPartyConversationID=QS1",
            self.market.country()
        );
        self.ask("GET", &query, &Value::Null).await
    }

    fn moved(&self) -> usize {
        let books = self.simulator.books();
        assert_consistent(&books);
        books.movements.len()
    }

    fn balance(&self, party: &str) -> i64 {
        self.simulator.books().balances[party]
    }
}

fn c2b(id: &str, msisdn: &str, amount: &str) -> Value {
    json!({
        "input_Amount": amount,
        "input_Country": "TZN",
        "input_Currency": "TZS",
        "input_CustomerMSISDN": msisdn,
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": id,
        "input_TransactionReference": "LOAN000417",
        "input_PurchasedItemsDesc": "Repayment instalment 3",
    })
}

fn b2c(id: &str, msisdn: &str, amount: &str) -> Value {
    let mut body = c2b(id, msisdn, amount);
    body.as_object_mut().unwrap().remove("input_PurchasedItemsDesc");
    body["input_PaymentItemsDesc"] = json!("Loan disbursement");
    body
}

fn b2b(id: &str, receiver: &str) -> Value {
    json!({
        "input_Amount": "500",
        "input_Country": "TZN",
        "input_Currency": "TZS",
        "input_PrimaryPartyCode": "000000",
        "input_ReceiverPartyCode": receiver,
        "input_ThirdPartyConversationID": id,
        "input_TransactionReference": "SWEEP0301",
        "input_PurchasedItemsDesc": "Float sweep",
    })
}

fn reversal(id: &str, receipt: &str) -> Value {
    json!({
        "input_Country": "TZN",
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": id,
        "input_TransactionID": receipt,
    })
}

fn code(answer: &Answer) -> (u16, String) {
    let code = answer.json()["output_ResponseCode"].as_str().unwrap_or_default().to_owned();
    (answer.status, code)
}

fn is(answer: &Answer, status: u16, expected: &str) {
    assert_eq!(code(answer), (status, expected.to_owned()), "{}", answer.text);
}

fn receipt(answer: &Answer) -> String {
    answer.json()["output_TransactionID"].as_str().unwrap_or_default().to_owned()
}
