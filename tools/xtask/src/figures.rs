//! The figures that the project watches, in one table: those of the sources, the size of the program,
//! and the processor time for each transfer beside its aim.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::program;
use crate::tidy::figures;
use crate::tool::Tool;

/// The largest size of the program, in bytes.
const PROGRAM_MAX: u64 = 30_000_000;

/// The loads that are measured: transfers open at a time, transfers made, and the aim in microseconds
/// of processor time for each transfer.
const LOADS: [(u32, u32, u32); 3] = [(256, 6_000, 330), (8, 4_000, 600), (1, 1_500, 1_300)];

/// The figures of `bench transfers` that are shown.
#[derive(Deserialize)]
struct Measured {
    rate: u64,
    floor: u64,
    cpu_us: serde_json::Number,
    floor_cpu_us: serde_json::Number,
}

/// Prints them; true if they could be had. With `speed`, builds the programs with optimisation and
/// measures for some minutes.
pub(crate) fn run(root: &Path, speed: bool) -> bool {
    match print(root, speed) {
        Ok(()) => true,
        Err(error) => {
            println!("{error:#}");
            false
        }
    }
}

fn print(root: &Path, speed: bool) -> Result<()> {
    println!("{}", figures::read(root)?);
    if !speed {
        println!("`cargo xtask figures --speed` measures the program too.");
        return Ok(());
    }
    let program = program::released(root)?;
    let size = fs::metadata(&program).with_context(|| program.display().to_string())?.len();
    println!("bytes of the program                        {size} (at most {PROGRAM_MAX})");
    println!();
    println!("in flight  transfers/s  floor/s  CPU µs  of the floor  aim");
    for (in_flight, transfers, aim) in LOADS {
        let Measured { rate, floor, cpu_us, floor_cpu_us } = measure(root, in_flight, transfers)?;
        println!(
            "{in_flight:>9}  {rate:>11}  {floor:>7}  {cpu_us:>6}  {floor_cpu_us:>12}  {aim:>3}"
        );
    }
    Ok(())
}

fn measure(root: &Path, in_flight: u32, transfers: u32) -> Result<Measured> {
    let (in_flight, transfers) = (in_flight.to_string(), transfers.to_string());
    let run =
        ["run", "--quiet", "--release", "--package", "kiungo-bench", "--", "transfers", "--json"];
    let sized = ["--in-flight", in_flight.as_str(), "--transfers", transfers.as_str()];
    let measured = Tool::cargo(root, &[&run[..], &sized[..]].concat()).output()?;
    let last = measured.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("bench transfers: {last}"))
}
