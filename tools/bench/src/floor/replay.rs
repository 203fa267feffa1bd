//! The bare loop.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use kiungo_transport::{Network, Transport};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::record::{Call, Move, Script};
use super::writer::Writer;
use crate::{BenchError, product, steady_state};

/// Does what the scripts say, `in_flight` of them at a time; how many per second.
pub(super) async fn run(
    scripts: Vec<Script>,
    writer: Writer,
    in_flight: u32,
) -> Result<u64, BenchError> {
    let networks = networks(in_flight)?;
    let waiting = Arc::new(Mutex::new(VecDeque::from(scripts)));
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let (waiting, networks, writer) =
            (Arc::clone(&waiting), Arc::clone(&networks), writer.clone());
        tasks.spawn(async move {
            let mut ended = Vec::new();
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(script) = next else { return Ok::<_, BenchError>(ended) };
                perform(script.moves, &networks, &writer).await?;
                ended.push(Instant::now());
            }
        });
    }
    let mut ended = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        ended.extend(joined.map_err(|e| BenchError::NotDone(e.to_string()))??);
    }
    writer.close().await?;
    Ok(steady_state::rate(&ended))
}

/// A client for each party.
pub(super) fn networks(in_flight: u32) -> Result<Arc<[Network]>, BenchError> {
    (0..3).map(|_| product::network(in_flight)).collect()
}

/// Does one after the other.
pub(super) async fn perform(
    moves: impl IntoIterator<Item = Move>,
    networks: &[Network],
    writer: &Writer,
) -> Result<(), BenchError> {
    for step in moves {
        match step {
            Move::Commit(rows) => writer.commit(rows).await?,
            Move::Call(call) => send(call, networks).await?,
        }
    }
    Ok(())
}

async fn send(call: Call, networks: &[Network]) -> Result<(), BenchError> {
    let Some(network) = networks.get(call.party) else { return Ok(()) };
    let path = call.request.uri().path().to_owned();
    let answer = network.send(call.request, call.timeout).await;
    let answer = answer.map_err(|e| BenchError::NotDone(format!("{path}: {e}")))?;
    if answer.status().is_success() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    Err(BenchError::OtherWork(format!("{path} answered {}: {body}", answer.status())))
}
