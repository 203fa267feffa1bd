//! Limits on the money that may be moved.

use std::time::Duration;

use kiungo_simulator::testing::no_faults;
use kiungo_simulator_mpesa::options::{Limits, Options};

use super::{MSISDN, b2c, c2b, code, is, options, world};

#[tokio::test(start_paused = true)]
async fn limits_of_the_session_block_it_and_those_of_a_customer_do_not() {
    let with = |limits: Limits| world(Options { limits, ..options() }, no_faults());
    let count = with(Limits { session_count_max: Some(2), ..Limits::default() }).await;
    for (id, expected) in [("A", "INS-0"), ("B", "INS-0"), ("C", "INS-993"), ("D", "INS-993")] {
        assert_eq!(code(&count.collect(&c2b(id, MSISDN, "5")).await).1, expected);
    }
    let body = c2b("C", MSISDN, "5").to_string();
    let fresh = count.session().await;
    let path = "vodacomTZN/c2bPayment/singleStage/";
    is(&count.send("POST", path, &fresh, &body).await, 201, "INS-0");

    let value = with(Limits { session_minor_max: Some(1_000), ..Limits::default() }).await;
    is(&value.collect(&c2b("A", MSISDN, "6")).await, 201, "INS-0");
    is(&value.collect(&c2b("B", MSISDN, "6")).await, 400, "INS-994");
    let single = with(Limits { single_minor_max: Some(1_000), ..Limits::default() }).await;
    is(&single.collect(&c2b("A", MSISDN, "10.01")).await, 400, "INS-995");
    is(&single.collect(&c2b("B", MSISDN, "1")).await, 400, "INS-995");
    // The portal sets limits per API: payouts go on.
    is(&single.ask("POST", "b2cPayment/", &b2c("C", MSISDN, "1")).await, 201, "INS-0");

    let limits = Limits { customer_count_max: Some(1), ..Limits::default() };
    let customer =
        world(Options { limits, session_lifetime_ms: 200_000_000, ..options() }, no_faults()).await;
    is(&customer.collect(&c2b("A", MSISDN, "1")).await, 201, "INS-0");
    is(&customer.collect(&c2b("B", MSISDN, "1")).await, 400, "INS-991");
    is(&customer.collect(&c2b("C", "255700000002", "1")).await, 201, "INS-0");
    tokio::time::sleep(Duration::from_hours(24)).await;
    is(&customer.collect(&c2b("D", MSISDN, "1")).await, 201, "INS-0");
    let limits =
        Limits { customer_minor_max: Some(100), customer_count_max: Some(0), ..Limits::default() };
    let both = with(limits).await;
    is(&both.collect(&c2b("A", MSISDN, "2")).await, 400, "INS-992");
    assert_eq!(both.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_customers_daily_value_is_his_own() {
    let limits = Limits { customer_minor_max: Some(1_000), ..Limits::default() };
    let world = world(Options { limits, ..options() }, no_faults()).await;
    is(&world.collect(&c2b("A", MSISDN, "9")).await, 201, "INS-0");
    is(&world.collect(&c2b("B", MSISDN, "2")).await, 400, "INS-990");
    is(&world.collect(&c2b("C", MSISDN, "1")).await, 201, "INS-0");
    is(&world.collect(&c2b("D", "255700000002", "2")).await, 201, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn a_product_may_have_limits_of_its_own_and_a_single_value_need_not_close_the_session() {
    let options = Options {
        limits: Limits { single_minor_max: Some(1_000), ..Limits::default() },
        limits_of: [("b2cPayment".to_owned(), Limits::default())].into(),
        single_value_closes: false,
        ..options()
    };
    let world = world(options, no_faults()).await;
    is(&world.collect(&c2b("A", MSISDN, "11")).await, 400, "INS-995");
    is(&world.collect(&c2b("B", MSISDN, "9")).await, 201, "INS-0");
    is(&world.ask("POST", "b2cPayment/", &b2c("C", MSISDN, "11")).await, 201, "INS-0");
}
