//! The parts of a measurement, each in a process of its own: this program, started again. A part is
//! told what to do by an argument, and says what it found in the last line that it prints.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BenchError, cpu};

/// A part of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The simulators.
    Counterparties,
    /// Transfers from end to end.
    Flow,
    /// Accepting alone, then draining alone.
    Backlog,
    /// The floor.
    Floor,
    /// Deposits over HTTP.
    Deposits,
    /// The server of deposits.
    DepositServer,
    /// Open transfers, for their memory.
    Open,
    /// Where work is shared: one of those who do it.
    Worker,
    /// The same: transfers from end to end.
    SharedFlow,
    /// The same: transfers that come at an even pace.
    SharedEven,
    /// The same: accepting alone, then draining alone.
    SharedBacklog,
    /// The same: the floor.
    SharedFloor,
    /// The same: how soon others go on with the work of one that was killed.
    Recovery,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Counterparties => "counterparties",
            Self::Flow => "flow",
            Self::Backlog => "backlog",
            Self::Floor => "floor",
            Self::Deposits => "deposits",
            Self::DepositServer => "deposit-server",
            Self::Open => "open",
            Self::Worker => "worker",
            Self::SharedFlow => "shared-flow",
            Self::SharedEven => "shared-even",
            Self::SharedBacklog => "shared-backlog",
            Self::SharedFloor => "shared-floor",
            Self::Recovery => "recovery",
        }
    }

    #[allow(clippy::needless_pass_by_value, reason = "errors are handed over")]
    pub(super) fn failed(self, why: impl ToString) -> BenchError {
        BenchError::Part { part: self.name(), why: why.to_string() }
    }
}

/// Prints a line for whoever started this part.
pub(super) fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Runs a part to its end; what it found.
pub(super) fn run<I: Serialize, O: DeserializeOwned>(
    part: Part,
    input: &I,
) -> Result<O, BenchError> {
    let output = command(part, input)?.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(part.failed(output.status));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let last = printed.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|error| part.failed(format!("{error} in `{last}`")))
}

/// A part that runs beside the one that started it, until it is dropped.
pub(super) struct Companion {
    child: Child,
    /// The companion ends when this is closed, also when its starter was killed.
    lifeline: Option<ChildStdin>,
}

impl Companion {
    /// Starts a part; what its first line says.
    pub(super) fn start<I: Serialize, O: DeserializeOwned>(
        part: Part,
        input: &I,
    ) -> Result<(Self, O), BenchError> {
        let mut child = command(part, input)?.stdin(Stdio::piped()).spawn()?;
        let lifeline = child.stdin.take();
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let companion = Self { child, lifeline };
        let first = serde_json::from_str(&line);
        Ok((companion, first.map_err(|error| part.failed(format!("{error} in `{line}`")))?))
    }
}

impl Companion {
    /// The processor time that it has used so far, in microseconds.
    pub(super) fn cpu_us(&self) -> Result<u64, BenchError> {
        cpu::of(self.child.id())
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // It has ended by itself, or ends here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command<I: Serialize>(part: Part, input: &I) -> Result<Command, BenchError> {
    let input = serde_json::to_string(input).map_err(|error| part.failed(error))?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["part", part.name(), &input]).stdout(Stdio::piped()).stderr(Stdio::inherit());
    Ok(command)
}
