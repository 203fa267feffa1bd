//! The journal and the ledger postings of a transfer, as they are shown.

use kiungo_domain::outcome::{Confirmation, Outcome, Rejection};
use kiungo_domain::transfer::{Entry, Event, Instruction, PersonDecision, Posting, StepName};
use kiungo_domain::{Finding, Kind, Money, Reference, TransferId};
use serde::Serialize;
use utoipa::ToSchema;

use super::transfer::{AccountView, NamedAccountView, OriginView, RejectionView, money, named};
use super::viewer::Viewer;
use super::{time, words};

/// The whole story of a transfer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Story)]
pub struct HistoryView {
    /// The transfer.
    transfer: String,
    /// Everything that happened, in order.
    events: Vec<EventView>,
    /// Its postings in Kiungo's own ledger, in order. In each currency debits equal credits.
    postings: Vec<PostingView>,
}

/// Something that happened. Its members depend on `event`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Its number within the transfer, from 1.
    seq: u64,
    /// When it was recorded.
    #[schema(format = DateTime)]
    at: String,
    /// `received`, `cleared`, `refused`, `started` (an attempt is intended), `concluded` (its
    /// outcome), `inquired` (the other side was asked, and its answer settles nothing yet),
    /// `hinted`, `reopened`, `compensating`, `suspended`, `assigned`, `reversal_requested`,
    /// `reversal_refused`, `merged` (another transfer carries the payment), `followed` (that transfer
    /// went on), `carries` (it carries the payment of another transfer), `told`, `heard` (evidence
    /// that contradicts what is recorded), `adopted` (it counts after all), `annulled` (it was taken
    /// back at the other side), `brought_in` (a second payment became a transfer of its own),
    /// `fee_charged`, `case_opened`, `decided` (by a person).
    #[schema(examples("concluded"))]
    event: &'static str,
    /// The step: `first`, `second`, `undo_second`, `undo_first`.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// The operation of the step: `collect`, `pay_out`, `reverse`, `deposit`, `repay`, `withdraw`,
    /// `disburse`, `undo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    /// Our id for the operation, as the other side sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The number of the attempt within the step, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// `completed`, `pending`, `rejected`, `not_sent`, `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// True if the other side answered that it recorded nothing (`not_sent`): a copy that the
    /// network made of the request may still arrive. Left out where no request has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<bool>,
    /// `executed`, `refused`, `in_progress`, `reversed`, `absent`, `unclear`.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<&'static str>,
    /// True for a "not found" that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<bool>,
    /// The other side's id for what it executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// A fee that the other side states beside the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<MoneyView>,
    /// The executed operation as the other side states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<StatedView>,
    /// The other side's id to ask with, where it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    /// The thing that it waits for: `customer`, `processing`, `approval`.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<RejectionView>,
    /// For people: why the outcome is unknown, what a reversal is for, the evidence of a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The person or system.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
    /// The account as a person named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    named_account: Option<NamedAccountView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::case_schema, required = false)]
    case: Option<&'static str>,
    /// The transfer that carries the same payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    into: Option<String>,
    /// The transfer whose payment is carried here as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// The status of the transfer that carries the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    shows: Option<&'static str>,
    /// Where evidence came from: `answer`, `inquiry`, `callback`, `notification`, `statement_line`,
    /// `hook`, `person`.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    /// The decision of a person: `try_again`, `give_up`, `accept_executed`, `accept_not_executed`,
    /// `close_case`.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    /// The second person, where the configuration asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instruction: Option<InstructionView>,
}

/// The order as it was received.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Instruction)]
pub struct InstructionView {
    #[schema(schema_with = words::kind_schema)]
    kind: &'static str,
    provider: String,
    core: String,
    /// Masked unless the key has the role `operate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    msisdn: Option<String>,
    named_accounts: Vec<NamedAccountView>,
    amount: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    origin: OriginView,
}

/// The facts that an answer states about an operation; a member that it does not mention is left
/// out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stated)]
pub struct StatedView {
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyView>,
    /// Masked unless the key has the role `operate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    msisdn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
}

/// An amount.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct MoneyView {
    #[schema(examples("12500.00"))]
    amount: String,
    #[schema(examples("TZS"))]
    currency: String,
}

/// One side of a ledger entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Posting)]
pub struct PostingView {
    /// The account of Kiungo's own ledger.
    #[schema(examples("transit:mpesa-tz"))]
    account: String,
    /// `debit` or `credit`.
    #[schema(examples("debit"))]
    side: &'static str,
    #[schema(examples("12500.00"))]
    amount: String,
    #[schema(examples("TZS"))]
    currency: String,
}

impl HistoryView {
    /// The history of this transfer.
    pub fn new(id: TransferId, journal: &[Entry], postings: &[Posting], viewer: Viewer) -> Self {
        let mut teller = EventViewer { id, kind: None, generations: [0; 4], viewer };
        Self {
            transfer: id.to_string(),
            events: journal.iter().map(|entry| teller.view(entry)).collect(),
            postings: postings.iter().filter_map(PostingView::new).collect(),
        }
    }
}

/// Shows the history event by event: only the beginning names the kind, and only a start names the
/// generation, from which the reference follows.
struct EventViewer {
    id: TransferId,
    kind: Option<Kind>,
    generations: [u16; 4],
    viewer: Viewer,
}

impl EventViewer {
    fn view(&mut self, entry: &Entry) -> EventView {
        self.follow(&entry.event);
        let plain =
            EventView { seq: entry.seq, at: time::to_text(entry.at), ..EventView::default() };
        match &entry.event {
            Event::Received(instruction) => EventView {
                event: "received",
                instruction: Some(InstructionView::new(instruction, self.viewer)),
                ..plain
            },
            Event::Cleared { account, account_no } => EventView {
                event: "cleared",
                account: Some(AccountView::new(*account, Some(account_no.clone()))),
                ..plain
            },
            Event::Started { step, attempt, .. } => {
                EventView { event: "started", attempt: Some(*attempt), ..self.about(*step, plain) }
            }
            Event::Concluded { step, outcome } => {
                let view = EventView { event: "concluded", ..self.about(*step, plain) };
                self.outcome(outcome, view)
            }
            Event::Inquired { step, finding, counted } => {
                let counted = matches!(finding, Finding::Absent).then_some(*counted);
                let view = EventView { event: "inquired", counted, ..self.about(*step, plain) };
                self.finding(finding, view)
            }
            Event::Reopened { step, why, .. } => {
                EventView { event: "reopened", why: Some(why.clone()), ..self.about(*step, plain) }
            }
            event => self.decision(event, plain),
        }
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::Received(instruction) => self.kind = Some(instruction.kind),
            // A payment started at the wallet becomes what its account asks for.
            Event::Cleared { account, .. } if self.kind.is_some_and(Kind::is_inbound) => {
                self.kind = Some(Kind::inbound_for(account.kind));
            }
            Event::Started { step, generation, .. } => {
                if let Some(slot) = self.generations.get_mut(usize::from(step.index())) {
                    *slot = *generation;
                }
            }
            _ => {}
        }
    }

    /// The events that are not about one step.
    fn decision(&self, event: &Event, plain: EventView) -> EventView {
        let rejected = |event, rejection: &Rejection, plain| EventView {
            event,
            rejection: Some(RejectionView::new(rejection)),
            ..plain
        };
        match event {
            Event::Refused { rejection } => rejected("refused", rejection, plain),
            Event::Compensating { rejection } => rejected("compensating", rejection, plain),
            Event::Suspended { rejection } => rejected("suspended", rejection, plain),
            Event::ReversalRefused { rejection } => rejected("reversal_refused", rejection, plain),
            Event::Hinted { by } => EventView { event: "hinted", by: Some(by.clone()), ..plain },
            Event::Assigned { account, by } => EventView {
                event: "assigned",
                named_account: Some(NamedAccountView::new(account, None, self.viewer)),
                by: Some(by.clone()),
                ..plain
            },
            Event::ReversalRequested { by, reason } => EventView {
                event: "reversal_requested",
                by: Some(by.clone()),
                why: Some(reason.clone()),
                ..plain
            },
            Event::Merged { into, shows } => EventView {
                event: "merged",
                into: Some(into.to_string()),
                shows: Some(shows.as_str()),
                ..plain
            },
            Event::Followed { shows } => {
                EventView { event: "followed", shows: Some(shows.as_str()), ..plain }
            }
            Event::Carries { transfer } => {
                EventView { event: "carries", from: Some(transfer.to_string()), ..plain }
            }
            Event::Told { shows } => {
                EventView { event: "told", shows: Some(shows.as_str()), ..plain }
            }
            Event::Heard { step, generation, channel, finding } => {
                let view = self.about_reference(*step, *generation, plain);
                let channel = Some(channel.as_str());
                self.finding(finding, EventView { event: "heard", channel, ..view })
            }
            Event::Adopted { step, generation, confirmation } => {
                let view = self.about_reference(*step, *generation, plain);
                self.confirmed(confirmation, EventView { event: "adopted", ..view })
            }
            Event::Annulled { step, rejection } => {
                rejected("annulled", rejection, self.about(*step, plain))
            }
            Event::BroughtIn { step, receipt, into } => EventView {
                event: "brought_in",
                receipt: Some(receipt.to_string()),
                into: Some(into.to_string()),
                ..self.about(*step, plain)
            },
            Event::FeeCharged { step, fee } => EventView {
                event: "fee_charged",
                fee: Some(MoneyView::new(*fee)),
                ..self.about(*step, plain)
            },
            Event::CaseOpened { case, step, detail } => EventView {
                event: "case_opened",
                case: Some(case.as_str()),
                step: step.map(|step| step.as_str().to_owned()),
                why: Some(detail.clone()),
                ..plain
            },
            Event::Decided { decision, by, approved_by, reason } => self.decided(
                decision,
                EventView {
                    event: "decided",
                    decision: Some(decision.as_str()),
                    by: Some(by.clone()),
                    approved_by: approved_by.clone(),
                    why: Some(reason.clone()),
                    ..plain
                },
            ),
            Event::Received(_)
            | Event::Cleared { .. }
            | Event::Started { .. }
            | Event::Concluded { .. }
            | Event::Inquired { .. }
            | Event::Reopened { .. } => plain,
        }
    }

    fn decided(&self, decision: &PersonDecision, view: EventView) -> EventView {
        match decision {
            PersonDecision::TryAgain | PersonDecision::GiveUp => view,
            PersonDecision::AcceptExecuted { step, confirmation } => {
                self.confirmed(confirmation, self.about(*step, view))
            }
            PersonDecision::AcceptNotExecuted { step } => self.about(*step, view),
            PersonDecision::CloseCase { case, step } => EventView {
                case: Some(case.as_str()),
                step: step.map(|step| step.as_str().to_owned()),
                ..view
            },
        }
    }

    fn about(&self, step: StepName, view: EventView) -> EventView {
        let generation = self.generations.get(usize::from(step.index())).copied().unwrap_or(0);
        self.about_reference(step, generation, view)
    }

    fn about_reference(&self, step: StepName, generation: u16, view: EventView) -> EventView {
        EventView {
            step: Some(words::word(&step)),
            operation: self.kind.map(|kind| kind.operation(step).as_str()),
            reference: Some(Reference::new(self.id, step, generation).to_string()),
            ..view
        }
    }

    fn outcome(&self, outcome: &Outcome, view: EventView) -> EventView {
        match outcome {
            Outcome::Executed(confirmation) => {
                self.confirmed(confirmation, EventView { outcome: Some("completed"), ..view })
            }
            Outcome::Pending(acceptance) => EventView {
                outcome: Some("pending"),
                handle: acceptance.handle.clone(),
                awaiting: Some(words::word(&acceptance.awaiting)),
                ..view
            },
            Outcome::Rejected(rejection) => EventView {
                outcome: Some("rejected"),
                rejection: Some(RejectionView::new(rejection)),
                ..view
            },
            Outcome::NotSent { why, answered } => EventView {
                outcome: Some("not_sent"),
                answered: answered.then_some(true),
                why: Some(why.clone()),
                ..view
            },
            Outcome::Unknown { why } => {
                EventView { outcome: Some("unknown"), why: Some(why.clone()), ..view }
            }
        }
    }

    fn finding(&self, finding: &Finding, view: EventView) -> EventView {
        match finding {
            Finding::Executed(confirmation) => {
                self.confirmed(confirmation, EventView { finding: Some("executed"), ..view })
            }
            Finding::Reversed(confirmation) => {
                self.confirmed(confirmation, EventView { finding: Some("reversed"), ..view })
            }
            Finding::Rejected(rejection) => EventView {
                finding: Some("refused"),
                rejection: Some(RejectionView::new(rejection)),
                ..view
            },
            Finding::InProgress(acceptance) => EventView {
                finding: Some("in_progress"),
                handle: acceptance.handle.clone(),
                awaiting: Some(words::word(&acceptance.awaiting)),
                ..view
            },
            Finding::Absent => EventView { finding: Some("absent"), ..view },
            Finding::Unclear { why } => {
                EventView { finding: Some("unclear"), why: Some(why.clone()), ..view }
            }
        }
    }

    fn confirmed(&self, confirmation: &Confirmation, view: EventView) -> EventView {
        let stated = &confirmation.stated;
        let says_something = *stated != kiungo_domain::outcome::Stated::default();
        let stated = says_something.then(|| StatedView {
            amount: stated.amount.map(MoneyView::new),
            msisdn: stated.msisdn.as_ref().map(|msisdn| self.viewer.msisdn(msisdn)),
            reference: stated.reference.map(|reference| reference.to_string()),
            account: stated.account.map(|account| AccountView::new(account, None)),
        });
        EventView {
            receipt: Some(confirmation.receipt.to_string()),
            fee: confirmation.fee.map(MoneyView::new),
            stated,
            ..view
        }
    }
}

impl InstructionView {
    fn new(instruction: &Instruction, viewer: Viewer) -> Self {
        let (amount, currency) = money(instruction.amount);
        let payer = instruction.msisdn.as_ref();
        Self {
            kind: instruction.kind.as_str(),
            provider: instruction.provider.to_string(),
            core: instruction.core.to_string(),
            msisdn: instruction.msisdn.as_ref().map(|msisdn| viewer.msisdn(msisdn)),
            named_accounts: named(&instruction.accounts, payer, viewer),
            amount,
            currency,
            client_reference: instruction.client_reference.clone(),
            note: instruction.note.clone(),
            origin: OriginView::new(&instruction.origin, &instruction.accounts, payer, viewer),
        }
    }
}

impl MoneyView {
    /// The view of an amount.
    pub fn new(amount: Money) -> Self {
        let (amount, currency) = money(amount);
        Self { amount, currency }
    }
}

impl PostingView {
    /// The view; `None` for what no event makes: an amount that has no counterpart above zero.
    fn new(posting: &Posting) -> Option<Self> {
        let side = if posting.minor < 0 { "credit" } else { "debit" };
        let amount = Money::from_minor(posting.minor.checked_abs()?, posting.currency)?;
        let (amount, currency) = money(amount);
        Some(Self { account: posting.account.to_string(), side, amount, currency })
    }
}
