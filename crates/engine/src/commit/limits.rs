//! Limits on the amounts that a wallet, and the organisation, may move in a day: the day on which a
//! decision counts, and the refusal when that day is full. The store judges, in the decision's own
//! transaction (rule 19).

use kiungo_domain::Money;
use kiungo_domain::outcome::{Outcome, Reason, Rejection, Retry};
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Decision, Event, Instruction, Origin, StepName, Transfer};
use kiungo_store::{Allowance, DayLimit, LimitReached, Scope};

use crate::counterparties::ports::Ports;

/// The day on which a decision has its transfer's wallet operation executed, with the limits of its
/// provider's mapping; `None` if it decides nothing about that, or nothing is limited. A transfer
/// counts from its acceptance on, and moves to the day on which something begins that leads to the
/// operation: the operation itself, or the core's leg before it.
pub(crate) fn allowance(ports: &Ports, decision: &Decision) -> Option<Allowance> {
    let transfer = &decision.transfer;
    let rules = &ports.provider(&transfer.instruction().provider)?.rules;
    let mut allowance = None;
    for entry in &decision.entries {
        let executed = match executes(&entry.event, transfer) {
            Executes::Later => false,
            Executes::Already => true,
            Executes::Nothing => continue,
        };
        let limits = rules.allowance(transfer.kind(), entry.at);
        allowance = limits.map(|limits| Allowance { executed, ..limits });
    }
    allowance
}

/// The state of the wallet's operation that an event shows.
enum Executes {
    /// The operation will be executed.
    Later,
    /// The operation has been executed.
    Already,
    /// The event says nothing about the execution.
    Nothing,
}

fn executes(event: &Event, transfer: &Transfer) -> Executes {
    let on_wallet = transfer.kind().leg(Side::Wallet);
    match event {
        Event::Received(Instruction { origin: Origin::Api { .. }, .. }) => Executes::Later,
        Event::Received(Instruction { origin: Origin::Wallet { .. }, .. }) => Executes::Already,
        Event::Started { step, .. } => match step {
            // The operation itself, or what leads to it.
            StepName::First => Executes::Later,
            step if *step == on_wallet => Executes::Later,
            StepName::Second | StepName::UndoSecond | StepName::UndoFirst => Executes::Nothing,
        },
        Event::Concluded { step, outcome: Outcome::Executed(_) } | Event::Adopted { step, .. } => {
            if *step == on_wallet {
                Executes::Already
            } else {
                Executes::Nothing
            }
        }
        // The store itself sees when the operation is definitely not executed.
        Event::Concluded { .. }
        | Event::Cleared { .. }
        | Event::Refused { .. }
        | Event::Inquired { .. }
        | Event::Hinted { .. }
        | Event::Reopened { .. }
        | Event::Compensating { .. }
        | Event::Suspended { .. }
        | Event::Assigned { .. }
        | Event::ReversalRequested { .. }
        | Event::ReversalRefused { .. }
        | Event::Merged { .. }
        | Event::Followed { .. }
        | Event::Carries { .. }
        | Event::Told { .. }
        | Event::Heard { .. }
        | Event::Annulled { .. }
        | Event::BroughtIn { .. }
        | Event::FeeCharged { .. }
        | Event::CaseOpened { .. }
        | Event::Decided { .. } => Executes::Nothing,
    }
}

/// The reason why a transfer of `amount` is not accepted, or fails before anything has moved: a
/// limit of its day is reached. The code names the limit.
pub(crate) fn rejection(reached: &LimitReached, amount: Money) -> Rejection {
    let code = match (reached.scope, reached.limit) {
        (Scope::Wallet, DayLimit::Value(_)) => "amount_above_daily_maximum",
        (Scope::Wallet, DayLimit::Count(_)) => "count_above_daily_maximum",
        (Scope::Organisation, DayLimit::Value(_)) => "amount_above_organisation_daily_maximum",
        (Scope::Organisation, DayLimit::Count(_)) => "count_above_organisation_daily_maximum",
    };
    let whose = match reached.scope {
        Scope::Wallet => "one wallet",
        Scope::Organisation => "the organisation",
    };
    let message = match reached.limit {
        DayLimit::Value(max) => {
            format!("{amount} more would exceed the provider's maximum of {max} a day for {whose}")
        }
        DayLimit::Count(max) => {
            format!(
                "one more would exceed the provider's maximum of {max} operations a day for {whose}"
            )
        }
    };
    Rejection {
        code: code.to_owned(),
        reason: Reason::LimitExceeded,
        message,
        // The limit holds for a day, and another transfer may pass tomorrow; this one was never
        // stored, or ends now.
        retry: Retry::Never,
    }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::outcome::Confirmation;
    use kiungo_domain::party::AccountKey;
    use kiungo_domain::transfer::TransferUpdate;
    use kiungo_domain::{
        AccountKind, AccountRef, CoreAccount, CoreId, Currency, Kind, Msisdn, ProviderId, Receipt,
        Timestamp, TransferId,
    };

    use super::*;

    fn instruction(kind: Kind, origin: Origin) -> Instruction {
        let amount = Money::from_minor(100, Currency::from_code("TZS").unwrap()).unwrap();
        Instruction {
            id: TransferId::parse("01900000-0000-7000-8000-000000000100").unwrap(),
            kind,
            provider: ProviderId::new("mpesa-tz").unwrap(),
            core: CoreId::new("main").unwrap(),
            msisdn: Some(Msisdn::parse("255712345678").unwrap()),
            accounts: vec![AccountRef { kind: None, key: AccountKey::Id(7) }],
            amount,
            client_reference: None,
            note: None,
            origin,
        }
    }

    /// Returns one letter for each event of a transfer of this kind: `l`ater, `a`lready, `-`
    /// nothing.
    fn letters(kind: Kind, origin: Origin) -> String {
        let at = Timestamp::from_micros(0);
        let instruction = instruction(kind, origin);
        let account = CoreAccount { kind: AccountKind::Savings, id: 7 };
        let done = || Outcome::Executed(Confirmation::bare(Receipt::new("R1").unwrap()));
        let events = [
            Event::Received(instruction.clone()),
            Event::Cleared { account, account_no: "7".to_owned() },
            Event::Started { step: StepName::First, generation: 0, attempt: 1 },
            Event::Concluded { step: StepName::First, outcome: Outcome::unknown("time-out") },
            Event::Concluded { step: StepName::First, outcome: done() },
            Event::Started { step: StepName::Second, generation: 0, attempt: 1 },
            Event::Concluded { step: StepName::Second, outcome: done() },
            Event::ReversalRequested { by: "operator".to_owned(), reason: "asked".to_owned() },
            Event::Started { step: StepName::UndoSecond, generation: 0, attempt: 1 },
            Event::Concluded { step: StepName::UndoSecond, outcome: done() },
            Event::Started { step: StepName::UndoFirst, generation: 0, attempt: 1 },
            Event::Concluded { step: StepName::UndoFirst, outcome: done() },
        ];
        let transfer = TransferUpdate::receive(instruction, at).transfer().clone();
        let word = |event| match executes(event, &transfer) {
            Executes::Later => 'l',
            Executes::Already => 'a',
            Executes::Nothing => '-',
        };
        events.iter().map(word).collect()
    }

    #[test]
    fn events_that_lead_to_the_wallets_operation_count_on_its_day_and_their_result_stays() {
        let api = || Origin::Api { client: "shop".to_owned() };
        let receipt = Receipt::new("W1").unwrap();
        let wallet = Origin::Wallet { receipt, account_reference: "7".to_owned() };
        for kind in [Kind::Deposit, Kind::Repayment] {
            assert_eq!(letters(kind, api()), "l-l-a-------");
        }
        assert_eq!(letters(Kind::Deposit, wallet).chars().next(), Some('a'));
        for kind in [Kind::Withdrawal, Kind::Disbursement] {
            assert_eq!(letters(kind, api()), "l-l--la-----");
        }
    }
}
