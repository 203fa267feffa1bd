//! Runs one seed and prints what came of it: `cargo run -p kiungo-testkit --example seed -- SEED N`.

#![allow(clippy::print_stdout)]

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let seed = arguments.next().unwrap_or(1);
    let transfers = u32::try_from(arguments.next().unwrap_or(100)).unwrap_or(100);
    let report = kiungo_testkit::world::run_seed(seed, transfers);
    println!(
        "seed {seed}: {} transfers, completed/failed/reversed/suspended {:?}, stuck {}, crashes {}, unknowns {}, {:?} {:x}",
        report.transfers, report.ended, report.stuck, report.crashes, report.unknowns,
        (report.audit.lost, report.audit.doubled, report.audit.misattributed, report.audit.balanced),
        report.fingerprint
    );
    for finding in &report.findings {
        println!("- {finding}");
    }
}
