//! The memory of a process, as the kernel knows it.

use std::fs;

use super::BenchError;

/// The memory that this process has resident.
pub(super) struct Memory {
    pub(super) resident_bytes: u64,
    pub(super) peak_bytes: u64,
}

impl Memory {
    /// Asks the kernel, in Linux's form.
    pub(super) fn read() -> Result<Self, BenchError> {
        Self::parse(&fs::read_to_string("/proc/self/status")?)
    }

    fn parse(status: &str) -> Result<Self, BenchError> {
        Ok(Self { resident_bytes: bytes(status, "VmRSS:")?, peak_bytes: bytes(status, "VmHWM:")? })
    }
}

/// `VmRSS:      1234 kB`
fn bytes(status: &str, name: &str) -> Result<u64, BenchError> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.trim().strip_suffix("kB"));
    let number = number.ok_or_else(|| BenchError::Memory(format!("no {name} in kB")))?;
    Ok(number.trim().parse::<u64>()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_answer_is_read() {
        let memory = Memory::parse("Name:\tx\nVmHWM:\t   30208 kB\nVmRSS:\t  29000 kB\n").unwrap();
        assert_eq!((memory.peak_bytes, memory.resident_bytes), (30_932_992, 29_696_000));
        assert!(Memory::parse("Name:\tx\n").is_err());
    }
}
