//! A GSMA provider, line by line of the checklist in `gsma-mobile-money-api.md` §19.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod conduct;
mod duplicates;
mod flows;
mod misfortune;
mod payments;
mod quirks;
mod rules;
mod sandbox;
mod security;
mod validation;

use std::sync::Arc;

use axum::Router;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::Faults;
use kiungo_simulator_gsma::Simulator;
use kiungo_simulator_gsma::options::{Flow, Options};
use serde_json::{Value, json};

use kiungo_simulator::testing::{Answer, Mailbox, assert_consistent, call, clock, no_faults};

const BASE: &str = "/v1.2/mm";
const ID: &str = "0f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f30";
const OTHER: &str = "1f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f31";
const CALLBACK: &str = "http://127.0.0.1:1/cb/9d1k";
const MSISDN: &str = "255700000001";

struct World {
    simulator: Simulator,
    router: Router,
    mailbox: Mailbox,
}

fn world_with(options: Options, faults: Faults) -> World {
    let mailbox = Mailbox::default();
    let simulator = Simulator::new(options, clock(), Arc::new(mailbox.clone()), faults);
    World { router: simulator.router(), simulator, mailbox }
}

fn world(flow: Flow) -> World {
    world_with(Options { flow, ..Options::default() }, no_faults())
}

impl World {
    async fn post(&self, path: &str, id: &str, body: &Value) -> Answer {
        let headers = [("x-correlationid", id), ("x-callback-url", CALLBACK)];
        call(&self.router, "POST", &format!("{BASE}{path}"), &headers, &body.to_string()).await
    }

    async fn get(&self, path: &str) -> Answer {
        call(&self.router, "GET", &format!("{BASE}{path}"), &[], "").await
    }

    async fn collect(&self, id: &str, amount: &str) -> Answer {
        self.post("/transactions/type/merchantpay", id, &collection(amount)).await
    }

    fn balance(&self, party: &str) -> i64 {
        let books = self.simulator.books();
        assert_consistent(&books);
        books.balances[party]
    }

    fn moved(&self) -> usize {
        let books = self.simulator.books();
        assert_consistent(&books);
        books.movements.len()
    }
}

fn collection(amount: &str) -> Value {
    json!({
        "requestingOrganisationTransactionReference": "LN000417-03",
        "debitParty": [{ "key": "msisdn", "value": "+255700000001" }],
        "amount": amount,
        "currency": "TZS",
        "descriptionText": "LN000417",
        "requestDate": "2026-03-01T09:30:00Z",
    })
}

fn payout(amount: &str) -> Value {
    json!({
        "creditParty": [{ "key": "msisdn", "value": MSISDN }],
        "amount": amount,
        "currency": "TZS",
    })
}

fn error(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    assert!(body["errorDateTime"].is_string(), "{body}");
    (answer.status, word("errorCategory"), word("errorCode"))
}

fn expected(status: u16, category: &str, code: &str) -> (u16, String, String) {
    (status, category.to_owned(), code.to_owned())
}
