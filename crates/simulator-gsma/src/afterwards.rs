//! Carries out what follows after an operation has ended, as [`super::conduct`] has it.

use std::future::Future;
use std::time::Duration;

use kiungo_simulator::books::Movement;
use kiungo_simulator::ledger::FLOAT;
use serde_json::json;

use super::format::pair;
use super::state::{Outcome, State, Transaction};
use super::{Simulator, callback, payments};

/// Starts what is to follow a request that has ended.
pub(super) fn follow(simulator: &Simulator, id: &str) {
    let conduct = &simulator.options().conduct;
    let late = Duration::from_millis(conduct.late_ms);
    let (approved_late, ended) = {
        let state = simulator.state();
        let Some(request) = state.requests.get(id) else { return };
        let completed = matches!(request.outcome, Outcome::Completed);
        let ended = state.transaction(&request.reference).filter(|_| completed).cloned();
        (request.approved_late, ended.map(|transaction| (request.operation, transaction)))
    };
    if approved_late {
        let id = id.to_owned();
        later(simulator, late, move |simulator| async move {
            if simulator.approve(&id) {
                callback::send(&simulator, &id).await;
            }
        });
    }
    let Some((operation, transaction)) = ended else { return };
    if !matches!(operation, "collect" | "pay_out") {
        return;
    }
    let collected = operation == "collect";
    let key = transaction.key.clone();
    let happens = |name: &str, rate| simulator.happens(name, &key, rate);
    if collected && happens("approved_twice", conduct.approved_twice) {
        let (first, id) = (transaction.clone(), id.to_owned());
        later(simulator, late, move |simulator| async move { again(&simulator, &id, &first) });
    }
    if happens("reversed_later", conduct.reversed_later) {
        let (id, reference) = (id.to_owned(), transaction.reference.clone());
        later(simulator, late, move |simulator| async move {
            let taken = reverse(&simulator, &reference);
            if taken && simulator.options().conduct.reversals_told {
                callback::send(&simulator, &id).await;
            }
        });
    }
    if collected && happens("collections_told", conduct.collections_told) {
        let told = as_payment(simulator, transaction);
        later(simulator, Duration::ZERO, move |simulator| async move {
            payments::tell(&simulator, &told).await;
        });
    }
}

/// Starts what is to follow a payment that a customer started.
pub(super) fn follow_payment(simulator: &Simulator, payment: &Transaction) {
    let conduct = &simulator.options().conduct;
    if simulator.happens("reversed_later", &payment.key, conduct.reversed_later) {
        let reference = payment.reference.clone();
        later(simulator, Duration::from_millis(conduct.late_ms), move |simulator| async move {
            reverse(&simulator, &reference);
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

/// A collection as it is told as a payment.
fn as_payment(simulator: &Simulator, mut told: Transaction) -> Transaction {
    let conduct = &simulator.options().conduct;
    if !conduct.told_with_reference {
        told.echo.remove("requestingOrganisationTransactionReference");
    }
    if !conduct.told_with_number {
        let end: String = told.payer.chars().skip(told.payer.len().saturating_sub(3)).collect();
        told.echo.insert("debitParty".into(), json!([pair("msisdn", &format!("*****{end}"))]));
    }
    told
}

/// Executes a collection once more under the same client reference, and charges for it once more.
fn again(simulator: &Simulator, id: &str, first: &Transaction) {
    let now = simulator.now();
    let mut guard = simulator.state();
    let state: &mut State = &mut guard;
    let correlation = state.requests.get(id).and_then(|request| request.correlation.clone());
    let named = first.text("requestingOrganisationTransactionReference");
    let reference = state.new_reference();
    let movement = Movement {
        receipt: reference.clone(),
        reference: correlation.unwrap_or_else(|| named.to_owned()),
        operation: "collect".to_owned(),
        party: state.purse_name(&first.payer, first.amount.currency()),
        amount_minor: first.amount.minor(),
        currency: first.amount.currency().code().to_owned(),
        label: first.key.splitn(3, '|').nth(2).unwrap_or_default().to_owned(),
        unasked: true,
        ..Movement::default()
    };
    if state.transfer(&first.payer, &first.payee, first.amount, movement).is_ok() {
        let mut echo = first.echo.clone();
        echo.remove("fees");
        if let Some(charge) = simulator.charge("collect") {
            charge.take(state, &first.payer, first.amount.currency(), &reference, &mut echo);
        }
        state.add(Transaction {
            reference,
            echo,
            created: now,
            modified: now,
            visible_at: now,
            ..first.clone()
        });
    }
}

/// Gives a completed transaction back, if nothing of it was given back yet; whether it was.
pub(super) fn reverse(simulator: &Simulator, reference: &str) -> bool {
    let now = simulator.now();
    let mut guard = simulator.state();
    let state = &mut *guard;
    let Some(first) = state.transaction(reference).cloned() else { return false };
    if first.status != "completed" || first.returned_minor > 0 {
        return false;
    }
    let reversal = state.new_reference();
    let customer = if first.payer == FLOAT { &first.payee } else { &first.payer };
    let movement = Movement {
        receipt: reversal.clone(),
        reference: String::new(),
        operation: "reverse".to_owned(),
        party: state.purse_name(customer, first.amount.currency()),
        amount_minor: first.amount.minor(),
        currency: first.amount.currency().code().to_owned(),
        takes_back: first.reference.clone(),
        unasked: true,
        ..Movement::default()
    };
    if state.transfer(&first.payee, &first.payer, first.amount, movement).is_err() {
        return false;
    }
    if let Some(taken) = state.transaction_mut(reference) {
        taken.returned_minor = first.amount.minor();
        taken.status = "reversed";
        taken.modified = now;
    }
    let mut echo = first.echo.clone();
    echo.remove("fees");
    for (to, from) in [("debitParty", "creditParty"), ("creditParty", "debitParty")] {
        if let Some(party) = first.echo.get(from) {
            echo.insert(to.into(), party.clone());
        }
    }
    state.add(Transaction {
        reference: reversal,
        kind: "reversal".to_owned(),
        payer: first.payee.clone(),
        payee: first.payer.clone(),
        reverses: Some(first.reference.clone()),
        echo,
        created: now,
        modified: now,
        visible_at: now,
        ..first
    });
    true
}
