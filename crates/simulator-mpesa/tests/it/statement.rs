//! The organisation's statement in the portal's form (`mobile-money-files.md` §1).

use std::time::Duration;

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{call, no_faults};
use kiungo_simulator_mpesa::options::{MsisdnForm, Options};
use tokio::time::sleep;

use super::{MSISDN, World, b2b, b2c, c2b, options, receipt, reversal, world};

/// It is 12:30 in Dar es Salaam, on the first of March.
async fn story(options: Options) -> World {
    let world = world(Options { float_minor: 10_000_000, ..options }, no_faults()).await;
    let first = receipt(&world.collect(&c2b("A", MSISDN, "1500.50")).await);
    sleep(Duration::from_mins(1)).await;
    world.ask("POST", "b2cPayment/", &b2c("B", "255700000002", "60")).await;
    world.ask("POST", "b2bPayment/", &b2b("C", "600100")).await;
    world.collect(&c2b("POOR", MSISDN, "999999999")).await;
    sleep(Duration::from_hours(24)).await;
    let session = world.session().await;
    let world = World { bearer: session, ..world };
    world.simulator.pay("255700000003", 20_000, "ln, \"417\"").await.unwrap();
    world.ask("PUT", "reversal/", &reversal("D", &first)).await;
    world
}

/// The first day's story: 100,000.00 + 1,500.50 - 60.00 - 500.00; the refused one left no trace. The
/// second day's: + 200.00 - 1,500.50.
const STATEMENT: &str = r#"Organization Name:,SIMULATED ORGANISATION,,,,,,,,,,,
Short Code:,000000,,,,,,,,,,,
Account:,Utility Account,,,,,,,,,,,
Time Period:,,From 01-03-2026 00:00:00,,To 02-03-2026 23:59:59,,,,,,,,
Operator:,simulator,,,Date of Report:,02-03-2026 12:31:00,,,,,,,
Opening Balance:,"100,000.00",Closing Balance:,"99,640.00",Available Balance:,"99,640.00",Total Paid In:,"1,700.50",Total Withdrawn:,"-2,060.50",,,
Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.
YJMTANGZJD,02-03-2026 12:31:00,02-03-2026 12:31:00,Reversal of YJMS1YUFG0,Completed,,"-1,500.50","99,640.00",true,Transaction Reversal,2557****0001 - WANJIRU MUSHI,YJMS1YUFG0,
YJMTANGZJC,02-03-2026 12:31:00,02-03-2026 12:31:00,"Pay Bill from 2557****0003 - JUMA BANDA Acc. ln, ""417""",Completed,200.00,,"101,140.50",true,Pay Utility,2557****0003 - JUMA BANDA,,"ln, ""417"""
YJMS1ZYM7D,01-03-2026 12:31:00,01-03-2026 12:31:00,Business Pay Bill to 600100 - AN ORGANISATION,Completed,,-500.00,"100,940.50",true,Business Pay Bill,600100 - AN ORGANISATION,,SWEEP0301
YJMS1ZYM7C,01-03-2026 12:31:00,01-03-2026 12:31:00,Business Payment to Customer to 2557****0002 - AMINA MOKOENA,Completed,,-60.00,"101,440.50",true,Business Payment to Customer,2557****0002 - AMINA MOKOENA,,LOAN000417
YJMS1YUFG0,01-03-2026 12:30:00,01-03-2026 12:30:00,Pay Bill from 2557****0001 - WANJIRU MUSHI Acc. LOAN000417,Completed,"1,500.50",,"101,500.50",true,Pay Bill Online,2557****0001 - WANJIRU MUSHI,,LOAN000417
"#;

#[tokio::test(start_paused = true)]
async fn the_statement_has_the_portals_form_and_its_totals_add_up() {
    let world = story(options()).await;
    let answer = call(&world.router, "GET", "/_sim/statement", &[], "").await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.text, STATEMENT.replace('\n', "\r\n"));
    let receipts = world.simulator.books().movements.into_iter().map(|movement| movement.receipt);
    // Nine digits of time in base 36, behind a letter of the market.
    let expected = ["MS1YUFG0", "MS1ZYM7C", "MS1ZYM7D", "MTANGZJC", "MTANGZJD"];
    assert!(receipts.eq(expected.map(|rest| format!("YJ{rest}"))));
    assert_eq!(world.balance("float"), 9_964_000);
}

#[tokio::test(start_paused = true)]
async fn a_days_statement_goes_on_where_the_day_before_ended() {
    let mut options = options();
    options.paybill.msisdn = MsisdnForm::Plain;
    let world = story(options).await;
    let day = async |query: &str| {
        let path = format!("/_sim/statement?{query}");
        call(&world.router, "GET", &path, &[], "").await
    };
    let first = day("from=2026-03-01&to=2026-03-01").await.text;
    assert!(first.contains("Closing Balance:,\"100,940.50\""), "{first}");
    assert!(first.contains(",255700000001 - WANJIRU MUSHI,,LOAN000417"), "{first}");
    assert_eq!(first.lines().count(), 7 + 3);
    let second = day("from=2026-03-02").await.text;
    assert!(second.contains("Opening Balance:,\"100,940.50\""), "{second}");
    assert!(second.contains("Total Paid In:,200.00,Total Withdrawn:,\"-1,500.50\""), "{second}");
    assert_eq!(second.lines().count(), 7 + 2);
    let nothing = day("from=2026-02-01&to=2026-02-28").await.text;
    assert!(nothing.contains("Opening Balance:,\"100,000.00\",Closing Balance:,\"100,000.00\""));
    assert_eq!(nothing.lines().count(), 7);
    assert_eq!(day("from=March").await.status, 400);
}
