//! Carries out what follows after an operation has ended, as [`super::conduct`] has it.

use std::time::Duration;

use super::order::{Kind, Order};
use super::state::{State, Status};
use super::{Simulator, callback, execution, paybill};

/// Starts what is to follow.
pub(super) fn follow(simulator: &Simulator, position: usize) {
    let Some(operation) = simulator.state().operation(position).cloned() else { return };
    let conduct = &simulator.options().conduct;
    let late = Duration::from_millis(conduct.late_ms);
    let key = operation.key.as_str();
    if operation.approved_late {
        later(simulator, late, move |simulator| async move {
            if approve(&simulator, position) && simulator.options().asynchronous {
                callback::result(&simulator, position).await;
            }
        });
        return;
    }
    let Status::Completed { receipt } = operation.status.clone() else { return };
    let kind = operation.order.kind;
    if !matches!(kind, Kind::C2b | Kind::B2c) {
        return;
    }
    if kind == Kind::C2b && simulator.happens("approved_twice", key, conduct.approved_twice) {
        later(simulator, late, move |simulator| async move { again(&simulator, position) });
    }
    if simulator.happens("reversed_later", key, conduct.reversed_later) {
        later(simulator, late, move |simulator| async move {
            let _ = simulator.reverse(&receipt);
        });
    }
    if kind == Kind::C2b && simulator.happens("collections_told", key, conduct.collections_told) {
        later(simulator, Duration::ZERO, move |simulator| async move {
            paybill::tell_collection(&simulator, &operation).await;
        });
    }
}

fn later<F>(
    simulator: &Simulator,
    wait: Duration,
    what: impl FnOnce(Simulator) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let simulator = simulator.clone();
    tokio::spawn(async move {
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        what(simulator).await;
    });
}

/// Executes what was refused: the customer has approved after all. Whether it was its turn.
fn approve(simulator: &Simulator, position: usize) -> bool {
    let now = simulator.now();
    let mut guard = simulator.state();
    let state = &mut *guard;
    if !state.approve_late(position) {
        return false;
    }
    let Some(operation) = state.operation(position).cloned() else { return false };
    let status = simulator.attempt(state, &operation.order, &operation.key);
    if let Status::Completed { receipt } = &status {
        state.ledger.mark_unasked(receipt);
    }
    state.end(position, status, now);
    true
}

/// Executes a collection once more under the same conversation id.
fn again(simulator: &Simulator, position: usize) {
    let now = simulator.now();
    let mut guard = simulator.state();
    let state: &mut State = &mut guard;
    let Some(order) = state.operation(position).map(|operation| operation.order.clone()) else {
        return;
    };
    let order: Order = order;
    if let Ok(receipt) = execution::transfer(state, &order, now) {
        state.ledger.mark_unasked(&receipt);
        state.add_beside(position, receipt, now);
    }
}
