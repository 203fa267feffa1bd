//! The field dictionary, and the markets.

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::no_faults;
use kiungo_simulator_mpesa::options::{Market, Options};
use serde_json::{Value, json};

use super::{ID, MSISDN, b2c, c2b, is, options, receipt, reversal, world};

#[tokio::test(start_paused = true)]
async fn every_field_is_held_to_its_pattern_and_refused_with_its_code() {
    let world = world(options(), no_faults()).await;
    for (field, value, expected) in [
        ("input_Amount", json!("-5"), "INS-15"),
        ("input_Amount", json!("1e3"), "INS-15"),
        ("input_Amount", json!("1,000"), "INS-15"),
        ("input_Amount", json!("5.005"), "INS-15"),
        ("input_Amount", json!("0.00"), "INS-15"),
        ("input_Amount", json!("99999999999999999999"), "INS-15"),
        ("input_Amount", json!(5), "INS-21"),
        ("input_CustomerMSISDN", json!("+255700000001"), "INS-2051"),
        ("input_CustomerMSISDN", json!("25570000000"), "INS-2051"),
        ("input_Country", json!("TZA"), "INS-21"),
        ("input_Currency", json!("KES"), "INS-26"),
        ("input_ServiceProviderCode", json!("111111"), "INS-13"),
        ("input_ServiceProviderCode", json!("00"), "INS-13"),
        ("input_TransactionReference", json!("LOAN-417"), "INS-17"),
        ("input_TransactionReference", json!("x".repeat(21)), "INS-17"),
        ("input_ThirdPartyConversationID", json!("0f2d7c1a-5b3e"), "INS-28"),
        ("input_ThirdPartyConversationID", json!("x".repeat(41)), "INS-28"),
        ("input_PurchasedItemsDesc", json!("Instalment 3, late"), "INS-30"),
        ("input_PurchasedItemsDesc", Value::Null, "INS-20"),
        ("input_TransactionReference", json!(["a"]), "INS-21"),
    ] {
        let mut body = c2b(ID, MSISDN, "5");
        body[field] = value;
        let answer = world.collect(&body).await;
        is(&answer, 400, expected);
        assert_eq!(receipt(&answer), "N/A");
    }
    let mut body = b2c(ID, MSISDN, "5");
    body["input_PaymentItemsDesc"] = json!("Loan #1");
    is(&world.ask("POST", "b2cPayment/", &body).await, 400, "INS-31");
    for body in ["", "[]", "{\"input_Amount\":", "<html>"] {
        let path = "vodacomTZN/c2bPayment/singleStage/";
        is(&world.send("POST", path, &world.bearer, body).await, 400, "INS-21");
    }
    is(&world.query("A-B").await, 400, "INS-21");
    is(&world.query("NEVERSEEN").await, 400, "INS-23");
    assert_eq!(world.moved(), 0);
    is(&world.collect(&c2b(ID, MSISDN, ".5")).await, 201, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn the_lenient_mode_takes_numbers_and_queries_in_bodies() {
    let world = world(Options { strict: false, ..options() }, no_faults()).await;
    let mut body = c2b(ID, MSISDN, "5");
    body["input_Amount"] = json!(5);
    let paid = world.collect(&body).await;
    is(&paid, 201, "INS-0");
    let query = json!({
        "input_QueryReference": ID,
        "input_Country": "TZN",
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": "QS1",
    });
    is(&world.ask("GET", "queryTransactionStatus/", &query).await, 200, "INS-0");
    is(&world.ask("POST", "reversal/", &reversal("R", &receipt(&paid))).await, 201, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn every_market_has_its_own_words() {
    for (market, context, country, currency, msisdn) in [
        (Market::VodafoneGha, "vodafoneGHA", "GHA", "GHS", "233200000001"),
        (Market::VodacomTzn, "vodacomTZN", "TZN", "TZS", "255700000001"),
        (Market::VodacomLes, "vodacomLES", "LES", "LSL", "26657000001"),
        (Market::VodacomDrc, "vodacomDRC", "DRC", "USD", "243800000001"),
        (Market::VodacomMoz, "vodacomMOZ", "MOZ", "MZN", "258840000001"),
    ] {
        assert_eq!((market.context(), market.country()), (context, country));
        let world = world(Options { market, ..options() }, no_faults()).await;
        is(&world.collect_here("A", msisdn, "5.50", currency).await, 201, "INS-0");
        is(&world.collect_here("B", msisdn, "5.50", "EUR").await, 400, "INS-26");
        let short = &msisdn[..msisdn.len() - 1];
        is(&world.collect_here("C", short, "5.50", currency).await, 400, "INS-2051");
        assert_eq!(world.simulator.books().movements[0].currency, currency);
        is(&world.query("A").await, 200, "INS-0");
    }
}

#[tokio::test(start_paused = true)]
async fn dr_congo_can_work_in_its_own_francs() {
    let currency = kiungo_domain::Currency::from_code("CDF").ok();
    let congo = Options { market: Market::VodacomDrc, currency, ..options() };
    let world = world(congo, no_faults()).await;
    is(&world.collect_here("A", "243800000001", "2500", "USD").await, 400, "INS-26");
    is(&world.collect_here("B", "243800000001", "2500", "CDF").await, 201, "INS-0");
    assert_eq!(world.simulator.books().movements[0].currency, "CDF");
}
