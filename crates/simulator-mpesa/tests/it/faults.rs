//! Faults: the query agrees with the books all the same.

use std::sync::Arc;
use std::time::Duration;

use kiungo_simulator::faults::{Fault, Plan};
use kiungo_simulator::testing::{always, no_faults};
use kiungo_simulator_mpesa::options::Options;
use serde_json::json;

use super::{ID, MSISDN, b2c, c2b, code, is, options, receipt, world};

#[tokio::test(start_paused = true)]
async fn faults_of_the_answer_do_what_they_say_and_the_query_agrees_with_the_books() {
    for (fault, executed, cut) in [
        (Fault::ResetBefore, false, true),
        (Fault::ErrorBefore, false, false),
        (Fault::ResetAfter, true, true),
        (Fault::ErrorAfter, true, false),
        (Fault::HtmlAfter, true, false),
    ] {
        for operation in ["collect", "pay_out"] {
            let world = world(options(), always(operation, fault)).await;
            let answer = if operation == "collect" {
                world.collect(&c2b(ID, MSISDN, "5")).await
            } else {
                world.ask("POST", "b2cPayment/", &b2c(ID, MSISDN, "5")).await
            };
            assert_eq!(answer.cut, cut, "{fault:?}");
            assert!(cut || answer.status >= 500, "{fault:?}");
            assert_eq!(world.moved(), usize::from(executed), "{fault:?}");
            assert_eq!(code(&world.query(ID).await).1, if executed { "INS-0" } else { "INS-23" });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_answers_late_pays_though_the_client_has_gone() {
    let world = Arc::new(world(Options { delay_ms: 90_000, ..options() }, no_faults()).await);
    let patience = Duration::from_secs(30);
    let body = c2b(ID, MSISDN, "5");
    assert!(tokio::time::timeout(patience, world.collect(&body)).await.is_err());
    is(&world.query(ID).await, 400, "INS-23");
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(world.query(ID).await.json()["output_ResponseTransactionStatus"], "Completed");
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_operation_is_not_found_at_first_and_a_refusal_is_honest() {
    let lagging = world(options(), always("inquire", Fault::IndexingLag)).await;
    lagging.collect(&c2b(ID, MSISDN, "5")).await;
    let absent = lagging.query(ID).await;
    is(&absent, 400, "INS-23");
    assert!(absent.json().get("output_TransactionID").is_none());
    tokio::time::sleep(Duration::from_secs(2)).await;
    is(&lagging.query(ID).await, 200, "INS-0");
    let refusing = world(options(), always("collect", Fault::CustomerRefuses)).await;
    let refused = refusing.collect(&c2b(ID, MSISDN, "5")).await;
    assert!(["INS-6", "INS-2006"].contains(&code(&refused).1.as_str()));
    let found = refusing.query(ID).await.json()["output_ResponseTransactionStatus"].clone();
    assert!([json!("Cancelled"), json!("Failed")].contains(&found), "{found}");
    assert_eq!(refusing.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_take_longer_than_the_patience_of_a_client() {
    for (fault, done) in [(Fault::Slow, 1), (Fault::LateWork, 0)] {
        let faults = always("collect", fault);
        faults.set(Plan { slow_ms: 90_000, ..faults.plan() });
        let world = world(options(), faults).await;
        let body = c2b(ID, MSISDN, "5");
        let began = tokio::time::Instant::now();
        let answer = world.collect(&body);
        let impatient = tokio::time::timeout(Duration::from_secs(60), answer).await;
        assert!(impatient.is_err(), "{fault:?}");
        assert_eq!(world.moved(), done, "{fault:?}");
        let patient = world.collect(&c2b("B", "255700000002", "5")).await;
        is(&patient, 201, "INS-0");
        assert_eq!(began.elapsed(), Duration::from_secs(150));
        assert_eq!(world.moved(), 2, "the first one is done, whoever waits");
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_can_answer_a_strange_word_or_nothing_at_all() {
    let world = world(options(), always("inquire", Fault::UnknownStatus)).await;
    let (mut strange, mut blank) = (0, 0);
    for n in 0..16 {
        let id = format!("P{n}");
        let paid = receipt(&world.collect(&c2b(&id, MSISDN, &format!("{}", n + 1))).await);
        let found = world.query(&id).await;
        is(&found, 200, "INS-0");
        let body = found.json();
        let named = &body["output_OriginalTransactionID"];
        match body["output_ResponseTransactionStatus"].as_str().unwrap() {
            "Ambiguous" => strange += usize::from(*named == paid),
            "N/A" => blank += usize::from(*named == "N/A" && body["output_Reversed"] == "N/A"),
            other => panic!("{other}"),
        }
    }
    assert!(strange > 0 && blank > 0 && strange + blank == 16, "{strange} {blank}");
}
