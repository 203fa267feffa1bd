//! The sandbox's magic numbers.

use kiungo_simulator::testing::no_faults;
use kiungo_simulator_mpesa::options::Options;

use super::{b2b, b2c, c2b, is, options, reversal, world};

#[tokio::test(start_paused = true)]
async fn every_magic_number_gives_its_outcome_when_switched_on() {
    let on = || Options { triggers: true, ..options() };
    let world_on = world(on(), no_faults()).await;
    for (number, status, expected) in [
        (1, 201, "INS-0"),
        (2, 408, "INS-9"),
        (3, 408, "INS-9"),
        (4, 401, "INS-6"),
        (5, 400, "INS-1"),
        (6, 401, "INS-6"),
        (7, 400, "INS-15"),
        (8, 422, "INS-2006"),
        (9, 503, ""),
    ] {
        let body = c2b(&format!("C{number}"), &format!("00000000000{number}"), "5");
        is(&world_on.collect(&body).await, status, expected);
    }
    for (number, status, expected) in [
        (1, 201, "INS-0"),
        (2, 400, "INS-1"),
        (3, 401, "INS-6"),
        (4, 408, "INS-9"),
        (5, 400, "INS-15"),
        (6, 422, "INS-2006"),
        (7, 503, ""),
        (8, 400, "INS-999"),
    ] {
        let body = b2c(&format!("D{number}"), &format!("00000000000{number}"), "5");
        is(&world_on.ask("POST", "b2cPayment/", &body).await, status, expected);
        let body = b2b(&format!("E{number}"), &format!("00000{number}"));
        is(&world_on.ask("POST", "b2bPayment/", &body).await, status, expected);
    }
    for (number, status, expected) in [
        (1, 201, "INS-0"),
        (2, 400, "INS-1"),
        (3, 401, "INS-6"),
        (4, 400, "INS-15"),
        (5, 422, "INS-2006"),
        (6, 400, "INS-35"),
        (7, 503, ""),
    ] {
        let body = reversal(&format!("R{number}"), &format!("000000000000{number}"));
        is(&world_on.ask("PUT", "reversal/", &body).await, status, expected);
    }
    for (reference, status, expected) in [
        ("000000000001", 200, "INS-0"),
        ("000000000002", 400, "INS-1"),
        ("000000000003", 401, "INS-6"),
        ("000000000007", 503, ""),
        ("000000000000000000001", 200, "INS-0"),
        ("000000000000000000002", 400, "INS-23"),
        ("000000000000000000003", 400, "INS-1"),
        ("000000000000000000004", 401, "INS-6"),
        ("000000000000000000005", 503, ""),
    ] {
        is(&world_on.query(reference).await, status, expected);
    }
    assert_eq!(world_on.query("000000000000000000001").await.json()["output_Reversed"], "True");
    assert_eq!(world_on.moved(), 3, "only the successes moved money");
    let off = world(options(), no_faults()).await;
    is(&off.collect(&c2b("A", "000000000008", "5")).await, 201, "INS-0");
    let other = Options { unavailable_as_503: false, ..on() };
    let other = world(other, no_faults()).await;
    is(&other.collect(&c2b("A", "000000000009", "5")).await, 400, "INS-1");
}
