//! After the faults stop: nothing lost, nothing executed twice, nothing stuck, and a seed replays.

use kiungo_testkit::world::{SimulateOptions, run_seed, simulate};

#[test]
fn a_seed_replays_exactly() {
    let (one, two) = (run_seed(11, 40), run_seed(11, 40));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_eq!(one.crashes, two.crashes);
    assert!(one.is_clean(), "{:#?}", one.findings);
}

#[test]
fn two_hundred_seeds_lose_double_and_strand_nothing() {
    let options = SimulateOptions { transfers: 20_000, per_seed: 100, seed: 1_000, threads: 2 };
    let report = simulate(options, &|_| {});
    assert!(
        report.is_clean(),
        "seed {:?}:\n{}",
        report.first_failing_seed,
        report.findings.join("\n")
    );
    assert_eq!(report.seeds, 200);
    assert!(report.transfers > 15_000, "only {} transfers", report.transfers);
    assert!(report.crashes > 200, "only {} crashes", report.crashes);
}
