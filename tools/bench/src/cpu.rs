//! The processor time that a process has used. Unlike a rate, it hardly depends on what else runs on
//! the machine.

use std::fs;

use super::{BenchError, Decimal};

/// The length of a tick in which Linux counts processor time for programs, in microseconds (100 a second
/// on every architecture).
const TICK_US: u64 = 10_000;

/// The processor time that this process has used so far, in its program and in the kernel, in
/// microseconds.
pub(super) fn own() -> Result<u64, BenchError> {
    parse(&fs::read_to_string("/proc/self/stat")?)
}

/// The same of another process.
pub(super) fn of(process: u32) -> Result<u64, BenchError> {
    parse(&fs::read_to_string(format!("/proc/{process}/stat"))?)
}

/// The share of each transfer, in microseconds.
pub(super) fn each(cpu_us: u64, transfers: u32) -> Decimal {
    Decimal::ratio(cpu_us, transfers.into())
}

/// `pid (name) state ppid …`: user time is the 14th field, system time the 15th. The name may hold
/// anything.
fn parse(stat: &str) -> Result<u64, BenchError> {
    let unreadable = || BenchError::Cpu(format!("`{}`", stat.trim()));
    let (_, fields) = stat.rsplit_once(')').ok_or_else(unreadable)?;
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).map_while(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, system] => Ok((user + system) * TICK_US),
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_answer_is_read() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 1 2 3";
        assert_eq!(parse(stat).unwrap(), 3_000_000);
        assert!(parse("7 (a) S 1 7").is_err() && parse("").is_err());
        assert!(own().is_ok());
    }
}
