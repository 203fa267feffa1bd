//! The parts of a measurement, each in a process of its own: this program, started again. A part is
//! told what to do by an argument, and says what it found in the last line that it prints.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    BenchError, BenchOptions, backlog, counterparties, cpu, deposits, floor, flow, open, shared,
};

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
    fn failed(self, why: impl ToString) -> BenchError {
        BenchError::Part { part: self.name(), why: why.to_string() }
    }
}

/// Does the work of a process that was started for a part, with `input` as it was given. Returns
/// when the part is over.
pub fn run_part(part: Part, input: &str) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let options = || serde_json::from_str::<BenchOptions>(input).map_err(|e| part.failed(e));
    let of_several = || serde_json::from_str(input).map_err(|e| part.failed(e));
    let found = match part {
        Part::Counterparties => {
            let spec = serde_json::from_str(input).map_err(|error| part.failed(error))?;
            return runtime.block_on(counterparties::serve(spec));
        }
        Part::Flow => text(&runtime.block_on(flow::run(options()?))?),
        Part::Backlog => text(&runtime.block_on(backlog::run(options()?))?),
        Part::Floor => text(&floor::run(&runtime, options()?)?),
        Part::Deposits => text(&runtime.block_on(deposits::run(deposits_spec(part, input)?))?),
        Part::DepositServer => {
            let spec = deposits_spec(part, input)?;
            return runtime.block_on(deposits::server::serve(spec));
        }
        Part::Open => text(&runtime.block_on(open::run(options()?))?),
        Part::Worker => {
            let test_bed = serde_json::from_str(input).map_err(|error| part.failed(error))?;
            return runtime.block_on(shared::worker::serve(test_bed));
        }
        Part::SharedFlow => text(&runtime.block_on(shared::flow::run(of_several()?))?),
        Part::SharedEven => {
            let pace = serde_json::from_str(input).map_err(|error| part.failed(error))?;
            text(&runtime.block_on(shared::constant_rate::run(pace))?)
        }
        Part::SharedBacklog => text(&runtime.block_on(shared::backlog::run(of_several()?))?),
        Part::SharedFloor => text(&runtime.block_on(floor::shared::run(of_several()?))?),
        Part::Recovery => text(&runtime.block_on(shared::recovery::run(of_several()?))?),
    };
    say(&found.map_err(|error| part.failed(error))?)?;
    Ok(())
}

fn deposits_spec(part: Part, input: &str) -> Result<deposits::Spec, BenchError> {
    serde_json::from_str(input).map_err(|error| part.failed(error))
}

fn text<T: Serialize>(found: &T) -> serde_json::Result<String> {
    serde_json::to_string(found)
}

/// Prints a line for the parent process.
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
