//! After the faults stop: nothing lost, nothing executed twice, nothing stuck, and a seed replays.

use kiungo_tests::simulation::{SimulateOptions, SimulateReport, Staff, run_seed, simulate};

#[test]
fn a_seed_replays_exactly() {
    let (one, two) = (run_seed(11, 40, Staff::Alone), run_seed(11, 40, Staff::Alone));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_eq!(one.crashes, two.crashes);
    assert!(one.is_clean(), "{:#?}", one.findings);
}

#[test]
fn two_hundred_seeds_lose_double_and_strand_nothing() {
    let staff = Staff::Alone;
    let options =
        SimulateOptions { transfers: 20_000, per_seed: 100, seed: 1_000, threads: 2, staff };
    let report = simulate(options, &|_| {});
    assert_clean(&report);
    assert_eq!(report.seeds, 200);
    assert!(report.transfers > 15_000, "only {} transfers", report.transfers);
    assert!(report.crashes > 200, "only {} crashes", report.crashes);
}

/// One process accepts, three work: they die, are frozen and come back, the broker stops, and what it
/// delivers comes twice and in reverse.
#[test]
fn workers_that_die_and_freeze_lose_double_and_strand_nothing() {
    let staff = Staff::Shared { workers: 3 };
    let options =
        SimulateOptions { transfers: 4_000, per_seed: 100, seed: 5_000, threads: 2, staff };
    let report = simulate(options, &|_| {});
    assert_clean(&report);
    assert_eq!(report.seeds, 40);
    assert!(report.transfers > 3_000, "only {} transfers", report.transfers);
    assert!(report.crashes > 40, "only {} crashes", report.crashes);
    assert!(report.freezes > 100, "only {} freezes", report.freezes);
}

#[test]
fn a_seed_of_shared_work_replays_exactly() {
    let staff = Staff::Shared { workers: 3 };
    let (one, two) = (run_seed(11, 40, staff), run_seed(11, 40, staff));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert!(one.is_clean(), "{:#?}", one.findings);
}

fn assert_clean(report: &SimulateReport) {
    let findings = report.findings.join("\n");
    assert!(report.is_clean(), "seed {:?}:\n{findings}", report.first_failing_seed);
}
