//! A short run of the chaos, with every fault: that the harness works, and that the product bears
//! it.

use std::time::Duration;

use kiungo_tests::chaos::{ChaosOptions, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_short_chaos_loses_nothing_doubles_nothing_and_leaves_nothing_open() {
    let options = ChaosOptions {
        seed: 4_242,
        transfers: 150,
        workers: 3,
        length: Duration::from_secs(16),
        freeze: Duration::from_secs(10),
        program: env!("CARGO_BIN_EXE_kiungo-chaos").into(),
        keep: false,
        settle: Duration::from_secs(90),
    };
    let report = run(&options).await.unwrap();
    assert!(report.passed, "{report}");
    assert!(report.kills == 5 && report.faults.len() == 12, "{report}");
    assert!(report.transfers >= 120 && report.events > 2 * report.transfers, "{report}");
}
