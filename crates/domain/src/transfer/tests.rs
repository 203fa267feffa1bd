//! The rules hold whatever the other sides answer, in whatever order.

mod answered;
mod decided;
mod event_table;
mod evidence;
mod facts;
mod journals;
mod persons;
mod sequences;
mod shown;
mod stored;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::identity::{CoreId, ProviderId, Receipt, Reference, TransferId};
use crate::money::{Currency, Money};
use crate::outcome::*;
use crate::party::*;
use crate::policy::*;
use crate::time::Timestamp;

pub(crate) fn side_policy(when_absent: WhenAbsent) -> SidePolicy {
    SidePolicy {
        resend_is_idempotent: true,
        inquiry_schedule: vec![Duration::from_secs(30), Duration::from_mins(2)],
        absent_after: Duration::from_mins(1),
        absent_times: 2,
        when_absent,
        when_payout_absent: when_absent,
        retry_first: Duration::from_secs(1),
        retry_max: Duration::from_mins(1),
        refused_max: Duration::from_hours(2),
        retries_before_case: 3,
        case_after: Duration::from_hours(1),
    }
}

fn policy(absent: WhenAbsent, on_core_rejection: OnCoreRejection) -> Policy {
    Policy {
        wallet: side_policy(absent),
        core: side_policy(WhenAbsent::Resend),
        on_core_rejection,
        give_up_after: Duration::from_hours(24),
        fee_payers: [(Operation::PayOut, FeePayer::Customer)].into_iter().collect(),
    }
}

fn money(minor: i64) -> Money {
    Money::from_minor(minor, Currency::from_code("TZS").unwrap()).unwrap()
}

fn receipt(text: &str) -> Receipt {
    Receipt::new(text).unwrap()
}

fn instruction(kind: Kind, from_wallet: bool) -> Instruction {
    let origin = if from_wallet && kind.is_inbound() {
        Origin::Wallet { receipt: receipt("W1"), account_reference: "A-1".to_owned() }
    } else {
        Origin::Api { client: "test".to_owned() }
    };
    Instruction {
        id: TransferId::new(Uuid::from_u128(0x0190_0000_0000_8000_8000_0000_0001_0000)),
        kind,
        provider: ProviderId::new("mpesa-tz").unwrap(),
        core: CoreId::new("main").unwrap(),
        msisdn: Some(Msisdn::parse("255700000001").unwrap()),
        accounts: vec![AccountRef { kind: Some(kind.account_kind()), key: AccountKey::Id(7) }],
        amount: money(12_550),
        client_reference: None,
        note: None,
        origin,
    }
}

fn rejection(retry: Retry) -> Rejection {
    Rejection { code: "X".to_owned(), reason: Reason::Other, message: "no".to_owned(), retry }
}

/// The next thing that happens outside; the machine has to ignore one that does not fit its state.
#[derive(Debug, Clone)]
enum Happening {
    Clear,
    Refuse,
    Send,
    Outcome(StepName, Outcome),
    Finding(StepName, Finding),
    Hint,
    Crash,
    Reverse,
    Assign,
    Overdue,
    /// The outcome of one of the sendings so far, of which the sender may long be taken for dead.
    Late(usize, Outcome),
    /// Evidence about any reference, whatever is open.
    Hear(Channel, StepName, u16, Finding),
    Decide(PersonDecision),
    CallPerson,
    Merge(Status),
    Carry,
}

fn a_confirmation() -> impl Strategy<Value = Confirmation> {
    let amount = prop_oneof![6 => Just(None), 6 => Just(Some(12_550)), 1 => Just(Some(1))];
    (0_u8..3, amount, 0_i64..3).prop_map(|(n, amount, fee)| Confirmation {
        receipt: receipt(&format!("R{n}")),
        fee: Some(money(fee)),
        stated: Stated { amount: amount.map(money), ..Stated::default() },
    })
}

fn a_rejection() -> impl Strategy<Value = Rejection> {
    prop_oneof![
        3 => Just(rejection(Retry::Never)),
        1 => Just(rejection(Retry::NewReference)),
        1 => Just(rejection(Retry::AfterRepair)),
    ]
}

fn an_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => a_confirmation().prop_map(Outcome::Executed),
        2 => a_rejection().prop_map(Outcome::Rejected),
        1 => Just(Outcome::not_sent("refused connection")),
        1 => Just(Outcome::not_recorded("busy")),
        2 => Just(Outcome::unknown("time-out")),
        1 => Just(Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Customer })),
    ]
}

fn a_finding() -> impl Strategy<Value = Finding> {
    prop_oneof![
        3 => a_confirmation().prop_map(Finding::Executed),
        1 => a_confirmation().prop_map(Finding::Reversed),
        2 => a_rejection().prop_map(Finding::Rejected),
        3 => Just(Finding::Absent),
        1 => Just(Finding::unclear("no answer")),
        1 => Just(Finding::InProgress(Acceptance { handle: None, awaiting: Awaiting::Processing })),
    ]
}

fn a_step() -> impl Strategy<Value = StepName> {
    (0_u8..4).prop_map(StepName::from_index)
}

fn a_channel() -> impl Strategy<Value = Channel> {
    prop_oneof![Just(Channel::Inquiry), Just(Channel::Callback), Just(Channel::Person)]
}

fn a_decision() -> impl Strategy<Value = PersonDecision> {
    prop_oneof![
        2 => Just(PersonDecision::TryAgain),
        1 => Just(PersonDecision::GiveUp),
        1 => (a_step(), a_confirmation())
            .prop_map(|(step, confirmation)| PersonDecision::AcceptExecuted { step, confirmation }),
        1 => a_step().prop_map(|step| PersonDecision::AcceptNotExecuted { step }),
        2 => (0_usize..CaseKind::ALL.len(), proptest::option::of(a_step()))
            .prop_map(|(n, step)| PersonDecision::CloseCase { case: CaseKind::ALL[n], step }),
    ]
}

fn a_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Clear),
        1 => Just(Happening::Refuse),
        6 => Just(Happening::Send),
        5 => (a_step(), an_outcome()).prop_map(|(step, outcome)| Happening::Outcome(step, outcome)),
        5 => (a_step(), a_finding()).prop_map(|(step, finding)| Happening::Finding(step, finding)),
        1 => Just(Happening::Hint),
        1 => Just(Happening::Crash),
        1 => Just(Happening::Reverse),
        1 => Just(Happening::Assign),
        1 => Just(Happening::Overdue),
        3 => (0_usize..9, an_outcome()).prop_map(|(n, outcome)| Happening::Late(n, outcome)),
        4 => (a_channel(), a_step(), 0_u16..4, a_finding())
            .prop_map(|(channel, step, n, finding)| Happening::Hear(channel, step, n, finding)),
        3 => a_decision().prop_map(Happening::Decide),
        1 => Just(Happening::CallPerson),
        1 => Just(Happening::Carry),
        1 => Just(Happening::Merge(Status::InProgress)),
    ]
}

fn happen(
    update: &mut TransferUpdate,
    happening: Happening,
    sendings: &[Sending],
    policy: &Policy,
) {
    let open = update.transfer().open_step();
    match happening {
        Happening::Clear => {
            let kind = update.transfer().kind().account_kind();
            update.cleared(CoreAccount { kind, id: 7 }, "000000007".to_owned());
        }
        Happening::Refuse => update.refused(rejection(Retry::Never)),
        Happening::Send => drop(open.and_then(|step| update.start(step, policy))),
        Happening::Outcome(step, outcome) => update.conclude(open.unwrap_or(step), outcome, policy),
        Happening::Finding(step, finding) => {
            update.apply_finding(open.unwrap_or(step), finding, policy);
        }
        Happening::Hint => update.hint("callback"),
        Happening::Crash => drop(open.map(|step| update.interrupted(step, policy))),
        Happening::Reverse => drop(update.request_reversal("op", "asked")),
        Happening::Assign => {
            let account = AccountRef { kind: None, key: AccountKey::Id(9) };
            let _ = update.assign(account, "op");
        }
        Happening::Overdue => update.give_up_if_overdue(policy),
        Happening::Late(n, outcome) => {
            if let Some(sending) = sendings.get(n % sendings.len().max(1)) {
                update.apply_late_outcome(*sending, outcome, policy);
            }
        }
        Happening::Hear(channel, step, generation, finding) => {
            let reference = Reference::new(update.transfer().id(), step, generation);
            update.apply_evidence(Evidence { channel, reference, finding }, policy);
        }
        Happening::Decide(decision) => {
            let _ = update.decide(&decision, &somebody(), policy);
        }
        Happening::CallPerson => update.call_person(policy),
        Happening::Merge(shows) => update.merge(other_transfer(), shows),
        Happening::Carry => update.carry(other_transfer()),
    }
}

fn somebody() -> Deciding {
    Deciding { by: "op".to_owned(), approved_by: None, reason: "seen at the provider".to_owned() }
}

fn other_transfer() -> TransferId {
    TransferId::new(Uuid::from_u128(0x0190_0000_0000_8000_8000_0000_0002_0000))
}

/// Follows a scenario and checks the rules after every decision.
struct Witness {
    events: Vec<(Timestamp, Event)>,
    ledger: BTreeMap<LedgerAccount, i64>,
    /// References under which something may have been executed: sent, and not proven otherwise.
    may_be_executed: BTreeSet<Reference>,
    /// Every reference that was sent under, and whether it was refused since.
    sent_under: BTreeMap<Reference, bool>,
}

impl Witness {
    fn new() -> Self {
        Self {
            events: Vec::new(),
            ledger: BTreeMap::new(),
            may_be_executed: BTreeSet::new(),
            sent_under: BTreeMap::new(),
        }
    }

    fn see(&mut self, before: Option<&Transfer>, decision: &Decision) -> Result<(), TestCaseError> {
        let after = &decision.transfer;
        for entry in &decision.entries {
            self.check_sending(&entry.event, after.id())?;
            self.events.push((entry.at, entry.event.clone()));
        }
        let replayed = Transfer::replay(self.events.iter().map(|(at, event)| (*at, event)));
        prop_assert_eq!(
            replayed.as_ref(),
            Some(after),
            "folding the journal gives the same transfer"
        );
        if let Some(before) = before {
            check_finality(before, decision)?;
            check_given_up(before, decision)?;
        }
        prop_assert_eq!(decision.postings.iter().map(|p| p.minor).sum::<i64>(), 0);
        for posting in &decision.postings {
            *self.ledger.entry(posting.account.clone()).or_default() += posting.minor;
        }
        let transit = LedgerAccount::Transit(after.instruction().provider.clone());
        let booked = self.ledger.get(&transit).copied().unwrap_or(0);
        let open = after.in_transit().minor();
        // Money in transit is owed (a credit), whichever side it comes from.
        prop_assert_eq!(booked.abs(), open, "transit equals the open transfers");
        let suspense = LedgerAccount::Suspense(after.instruction().provider.clone());
        let suspended = self.ledger.get(&suspense).copied().unwrap_or(0) != 0;
        prop_assert_eq!(suspended, after.status() == Status::Suspended);
        let open_steps =
            StepName::ALL.into_iter().filter(|name| after.step(*name).is_open()).count();
        prop_assert!(open_steps <= 1, "one step at a time");
        if after.status().is_final() {
            prop_assert_eq!(after.open_step(), None);
            prop_assert!(after.in_transit().is_zero());
        }
        if let Some(before) = before {
            check_held(before, decision)?;
        }
        check_order(after)
    }

    /// Never the same reference twice unless it surely was not executed, and never a new reference
    /// while an older one of the same step may have been.
    fn check_sending(&mut self, event: &Event, id: TransferId) -> Result<(), TestCaseError> {
        match event {
            Event::Started { step, generation, .. } => {
                let reference = Reference::new(id, *step, *generation);
                let clash = self.may_be_executed.iter().any(|sent| sent.step() == *step);
                prop_assert!(!clash, "{step:?} is sent although an earlier sending may count");
                self.may_be_executed.insert(reference);
                let fresh = self.sent_under.get(&reference).is_none_or(|over| !over);
                prop_assert!(fresh, "{reference} was given up and is used again");
                self.sent_under.insert(reference, false);
            }
            Event::Concluded { step, outcome: Outcome::Rejected(_) } => {
                self.may_be_executed.retain(|sent| sent.step() != *step);
                let of_step = self.sent_under.iter_mut().filter(|(sent, _)| sent.step() == *step);
                of_step.for_each(|(_, over)| *over = true);
            }
            Event::Concluded { step, outcome: Outcome::NotSent { .. } }
            | Event::Reopened { step, new_reference: false, .. } => {
                self.may_be_executed.retain(|sent| sent.step() != *step);
            }
            // Given back: what was executed forwards may be executed anew.
            Event::Concluded { step: StepName::UndoSecond, outcome: Outcome::Executed(_) } => {
                self.may_be_executed.retain(|sent| sent.step() != StepName::Second);
            }
            Event::Assigned { .. } => {
                self.may_be_executed.retain(|sent| sent.step() == StepName::First);
            }
            // Taken back by the other side: it may be executed anew.
            Event::Annulled { step: StepName::Second, .. } => {
                self.may_be_executed.retain(|sent| sent.step() != StepName::Second);
            }
            Event::Received(_)
            | Event::Cleared { .. }
            | Event::Refused { .. }
            | Event::Concluded { .. }
            | Event::Inquired { .. }
            | Event::Hinted { .. }
            | Event::Reopened { .. }
            | Event::Compensating { .. }
            | Event::Suspended { .. }
            | Event::ReversalRequested { .. }
            | Event::ReversalRefused { .. }
            | Event::Merged { .. }
            | Event::Followed { .. }
            | Event::Carries { .. }
            | Event::Told { .. }
            | Event::Heard { .. }
            | Event::BroughtIn { .. }
            | Event::Adopted { .. }
            | Event::Annulled { .. }
            | Event::FeeCharged { .. }
            | Event::CaseOpened { .. }
            | Event::Decided { .. } => {}
        }
        Ok(())
    }
}

/// A contradiction holds what follows and is not sent yet, and no success closes it (rule 15).
fn check_held(before: &Transfer, decision: &Decision) -> Result<(), TestCaseError> {
    let by_person = |entry: &Entry| {
        matches!(entry.event, Event::Decided { decision: PersonDecision::CloseCase { .. }, .. })
            || matches!(entry.event, Event::Merged { .. })
    };
    if before.is_held() && !decision.entries.iter().any(by_person) {
        prop_assert!(decision.transfer.is_held(), "a contradiction closed by itself");
        for entry in &decision.entries {
            if let Event::Started { step, .. } = entry.event {
                let resent = before.step(step).unsettled_since.is_some();
                prop_assert!(resent, "{step:?} is sent although evidence contradicts");
            }
        }
    }
    Ok(())
}

/// Evidence that something was executed is never without consequence: the step is done by that
/// receipt, it was reversed, or a case is open.
fn check_heard(
    after: &Transfer,
    reference: Reference,
    finding: &Finding,
) -> Result<(), TestCaseError> {
    let Finding::Executed(heard) = finding else { return Ok(()) };
    let step = after.step(reference.step());
    let counts = step.confirmation().is_some_and(|known| known.receipt == heard.receipt);
    let known = step.knows(reference.generation(), finding);
    prop_assert!(
        counts || known || after.case().is_some(),
        "executed as {} under {reference}, and nobody will hear of it",
        heard.receipt
    );
    Ok(())
}

/// A step that the other side has answered with "nothing recorded" is neither given up nor begun
/// anew without asking: a copy of the request may be executed after all.
fn check_given_up(before: &Transfer, decision: &Decision) -> Result<(), TestCaseError> {
    for entry in &decision.entries {
        if let Event::Concluded { step, outcome: Outcome::Rejected(rejection) } = &entry.event {
            let step = before.step(*step);
            let ready = matches!(step.state, StepState::Ready { .. });
            let given_up = ["gave_up", "given_up"].contains(&rejection.code.as_str());
            prop_assert!(
                !(ready && step.answered && given_up),
                "it was answered, and not asked about"
            );
            // The answer to a sending, not to an inquiry about its reference.
            let sent = matches!(step.state, StepState::Sent { .. });
            let before_processing = rejection.retry == Retry::AfterRepair;
            prop_assert!(
                !(sent && step.answered && before_processing),
                "rejected before processing: that says nothing about a copy of an earlier sending"
            );
        }
    }
    Ok(())
}

/// Final does not flip: only a person leads out of a final state, who asks for a reversal, or says
/// that the other side took back what it had executed, or did not after all.
fn check_finality(before: &Transfer, decision: &Decision) -> Result<(), TestCaseError> {
    let requested = |entry: &Entry| {
        let decided = |decision: &PersonDecision| {
            matches!(
                decision,
                PersonDecision::AcceptNotExecuted { step: StepName::Second }
                    | PersonDecision::AcceptExecuted { step: StepName::First, .. }
            )
        };
        matches!(&entry.event, Event::ReversalRequested { .. })
            || matches!(&entry.event, Event::Decided { decision, .. } if decided(decision))
    };
    if before.status().is_final() && !decision.entries.iter().any(requested) {
        prop_assert_eq!(before.status(), decision.transfer.status(), "a final state flips");
    }
    Ok(())
}

/// The second leg only after the first, a compensation only after a definite rejection or request.
fn check_order(transfer: &Transfer) -> Result<(), TestCaseError> {
    let second = transfer.step(StepName::Second);
    if second.is_open() || second.is_executed() {
        prop_assert!(transfer.step(StepName::First).is_executed());
    }
    if matches!(transfer.step(StepName::UndoFirst).state, StepState::Sent { .. }) {
        let second = transfer.step(StepName::Second);
        let refused = matches!(second.state, StepState::Rejected(_) | StepState::Idle);
        let reversed = transfer.step(StepName::UndoSecond).is_executed();
        prop_assert!(refused || reversed, "compensated without a definite rejection");
    }
    Ok(())
}

fn live(
    kind: Kind,
    from_wallet: bool,
    policy: &Policy,
    scenario: Vec<(u32, Happening)>,
) -> Result<(), TestCaseError> {
    let mut witness = Witness::new();
    let mut at = Timestamp::from_micros(1_000_000);
    let first = TransferUpdate::receive(instruction(kind, from_wallet), at).finish().unwrap();
    witness.see(None, &first)?;
    let mut transfer = first.transfer;
    let mut sendings = Vec::new();
    for (seconds, happening) in scenario {
        at = at.after(Duration::from_secs(u64::from(seconds)));
        let mut update = TransferUpdate::resume(transfer.clone(), at);
        let mut heard = None;
        if let Happening::Hear(_, step, n, finding) = &happening {
            heard = Some((*step, *n, finding.clone()));
        }
        happen(&mut update, happening, &sendings, policy);
        if let Some(decision) = update.finish() {
            witness.see(Some(&transfer), &decision)?;
            transfer = decision.transfer;
            let open = transfer.open_step();
            sendings.extend(open.and_then(|step| Sending::intended(&transfer, step)));
        }
        if let Some((step, generation, finding)) = heard {
            check_heard(&transfer, Reference::new(transfer.id(), step, generation), &finding)?;
        }
        check_way_out(&transfer, policy, at)?;
    }
    Ok(())
}

/// A transfer that is not final has a plan, or something that a person can do, and then a person
/// has been called (rule 16).
fn check_way_out(
    transfer: &Transfer,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    if transfer.status().is_final() || transfer.merged_into().is_some() {
        return Ok(());
    }
    let plan = transfer.plan(policy, now);
    prop_assert!(plan.is_some() || transfer.case().is_some(), "nobody was called");
    prop_assert!(plan.is_some() || !transfer.choices().is_empty(), "a dead end");
    if let Some(plan) = plan {
        let longest = policy.core.case_after.max(policy.wallet.refused_max);
        let skew = Duration::from_secs(2);
        prop_assert!(plan.due <= now.after(longest + skew), "due further away than any wait");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_scenario_keeps_the_rules(
        kind in (0_usize..4).prop_map(|n| Kind::ALL[n]),
        from_wallet: bool,
        absent in prop_oneof![Just(WhenAbsent::Resend), Just(WhenAbsent::Reject), Just(WhenAbsent::Case)],
        refund: bool,
        scenario in prop::collection::vec((0_u32..200, a_happening()), 1..60),
    ) {
        let on_rejection = if refund { OnCoreRejection::Refund } else { OnCoreRejection::Suspense };
        live(kind, from_wallet, &policy(absent, on_rejection), scenario)?;
    }
}
