//! The work of a process that was started for a part of a measurement.

use serde::Serialize;

use super::parts::{Part, say};
use super::{
    BenchError, BenchOptions, backlog, counterparties, deposits, floor, flow, open, shared,
};

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
