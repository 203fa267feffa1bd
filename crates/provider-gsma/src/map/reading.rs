//! Reads the answers about an operation. Only a listed code or status word completes or rejects;
//! everything else is unknown (rule 2).

use http::StatusCode;
use kiungo_domain::outcome::{Acceptance, Confirmation, Stated};
use kiungo_domain::{Finding, Money, Msisdn, Outcome, Receipt, Reference, excerpt};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{Answered, Detail, Meaning, ReverseOrder, Terms, WalletInquiry, WalletOrder};

use crate::map::codes::Refusal;
use crate::map::party::{self, Direction, OwnAccount};
use crate::map::{amount, order};
use crate::wire::{Body, Fee, KeyValue, RequestState, Text, Transaction, read_body};

/// The longest handle that is kept.
const HANDLE_BYTES_MAX: usize = 256;

/// Before a transaction's reference in a handle: the provider answered with the transaction itself
/// and not with a request state, so that the transaction is what to ask about.
pub(crate) const TRANSACTION_HANDLE: &str = "transactions/";

/// The operation that was asked about, as far as an answer is compared with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: WalletOperation,
    pub(crate) reference: Reference,
    pub(crate) amount: Option<Money>,
    pub(crate) msisdn: Option<&'a Msisdn>,
    /// For a reversal: the receipt of what is reversed.
    pub(crate) original: Option<&'a Receipt>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of_order(order: &'a WalletOrder, way: order::Way) -> Self {
        Self {
            operation: match way {
                order::Way::Collect => WalletOperation::Collect,
                order::Way::PayOut => WalletOperation::PayOut,
            },
            reference: order.reference,
            amount: Some(order.amount),
            msisdn: Some(&order.msisdn),
            original: None,
        }
    }

    pub(crate) fn of_reversal(order: &'a ReverseOrder) -> Self {
        Self {
            operation: WalletOperation::Reverse,
            reference: order.reference,
            amount: Some(order.amount),
            msisdn: None,
            original: Some(&order.receipt),
        }
    }

    pub(crate) fn of_inquiry(inquiry: &'a WalletInquiry) -> Self {
        Self {
            operation: inquiry.operation,
            reference: inquiry.reference,
            amount: Some(inquiry.amount),
            msisdn: inquiry.msisdn.as_ref(),
            original: inquiry.original.as_ref(),
        }
    }

    /// The operation, as code tables are asked about it.
    pub(crate) fn answered(&self) -> Answered {
        self.operation.into()
    }
}

/// The meaning of a request state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StateSays {
    /// A finding about the operation.
    Finding(Finding),
    /// The request is finished, and this transaction states its outcome.
    Read(String),
}

/// Reads answers under one provider's terms.
pub(crate) struct Reading {
    pub(crate) terms: Terms,
    pub(crate) own: OwnAccount,
}

impl Reading {
    /// The outcome of the direct answer to a creation; the answer decides which of the three flows
    /// applies (`gsma-mobile-money-api.md` §4).
    pub(crate) fn answer(&self, asked: &Asked, status: StatusCode, body: &[u8]) -> Outcome {
        let body = read_body(body);
        if !status.is_success() && !status.is_client_error() {
            let code = match &body {
                Some(Body::Error(error)) => format!(": {}", Refusal::of(error).described()),
                _ => String::new(),
            };
            return Outcome::unknown(format!("the provider answered {}{code}", status.as_u16()));
        }
        match body {
            Some(Body::Error(error)) => {
                Refusal::of(&error).outcome(&self.terms.codes, asked.answered())
            }
            _ if status.is_client_error() => {
                Refusal::of_gateway(status).outcome(&self.terms.codes, asked.answered())
            }
            Some(Body::Transaction(transaction)) if status == StatusCode::ACCEPTED => {
                // Accepted is not done, whatever the object says: it is to be asked about.
                let handle = transaction_handle(&transaction);
                Outcome::Pending(Acceptance { handle, awaiting: asked.operation.awaiting() })
            }
            Some(Body::Transaction(transaction)) => outcome(self.transaction(asked, &transaction)),
            Some(Body::RequestState(state)) => self.acceptance(asked, &state),
            Some(Body::Link(_) | Body::Updated) | None => Outcome::unknown(format!(
                "the provider answered {} with a body that says nothing",
                status.as_u16()
            )),
        }
    }

    fn acceptance(&self, asked: &Asked, state: &RequestState) -> Outcome {
        let pending = |handle| Acceptance { handle, awaiting: asked.operation.awaiting() };
        let handle = state_handle(state);
        match self.request_state(asked, state) {
            // Even a finished request has a transaction to be read before it counts.
            StateSays::Read(_) => Outcome::Pending(pending(handle)),
            StateSays::Finding(Finding::Unclear { .. }) if handle.is_some() && listed(state) => {
                Outcome::Pending(pending(handle))
            }
            StateSays::Finding(finding) => outcome(finding),
        }
    }

    /// The meaning of a request state. Its status is harmonised (§4.1), and still only the
    /// transaction that it leads to can complete an operation.
    pub(crate) fn request_state(&self, asked: &Asked, state: &RequestState) -> StateSays {
        let word = Text::given(state.status.as_ref()).unwrap_or_default().to_ascii_lowercase();
        let object = Text::given(state.object_reference.as_ref()).map(str::to_owned);
        let unclear = |why: &str| StateSays::Finding(Finding::unclear(why));
        match word.as_str() {
            "pending" => StateSays::Finding(Finding::InProgress(Acceptance {
                handle: state_handle(state),
                awaiting: asked.operation.awaiting(),
            })),
            "completed" => match object {
                Some(reference) => StateSays::Read(reference),
                None => unclear("the request is completed, but names no transaction"),
            },
            "failed" => match (state.error.as_ref().or(state.error_reference.as_ref()), object) {
                (Some(error), _) => StateSays::Finding(
                    Refusal::of(error).finding(&self.terms.codes, asked.answered()),
                ),
                (None, Some(reference)) => StateSays::Read(reference),
                (None, None) => unclear("the request failed without a reason"),
            },
            _ => unclear("the request state has an unknown status"),
        }
    }

    /// The finding of a transaction about the operation that was asked about.
    pub(crate) fn transaction(&self, asked: &Asked, transaction: &Transaction) -> Finding {
        if let Some(why) = self.mistaken(asked, transaction) {
            return Finding::unclear(why);
        }
        let Some(word) = Text::given(transaction.transaction_status.as_ref()) else {
            return Finding::unclear("the transaction has no status");
        };
        let Some(line) = self.terms.status(word) else {
            return Finding::unclear(format!("the status `{}` is not listed", excerpt(word)));
        };
        let confirmed = |finding: fn(Confirmation) -> Finding| {
            self.confirmation(asked, transaction).map_or_else(Finding::unclear, finding)
        };
        match line.means {
            Meaning::Completed => confirmed(Finding::Executed),
            // In an answer about a reversal, this word does not say which of the two was reversed.
            Meaning::Reversed if asked.operation == WalletOperation::Reverse => {
                Finding::unclear("the reversal itself is said to be reversed")
            }
            Meaning::Reversed => confirmed(Finding::Reversed),
            Meaning::Pending => Finding::InProgress(Acceptance {
                handle: transaction_handle(transaction),
                awaiting: asked.operation.awaiting(),
            }),
            // A refusal states nothing that the engine could compare, so it is compared here.
            Meaning::Rejected => match self.contradiction(asked, transaction) {
                Some(why) => Finding::unclear(why),
                None => Finding::Rejected(line.rejection(&excerpt(word), "the transaction failed")),
            },
            Meaning::NotSent | Meaning::Absent | Meaning::Unknown => {
                Finding::unclear(format!("the status `{}` decides nothing", excerpt(word)))
            }
        }
    }

    /// The reason that this transaction cannot be the one that was asked about.
    fn mistaken(&self, asked: &Asked, transaction: &Transaction) -> Option<&'static str> {
        let kind = Text::given(transaction.kind.as_ref()).unwrap_or_default().to_ascii_lowercase();
        let is_reversal = matches!(kind.as_str(), "reversal" | "adjustment");
        let direction = self.own.named_direction(transaction);
        let (ours, wrong_way) = match asked.operation {
            WalletOperation::Collect => (&transaction.credit_party, Direction::Outgoing),
            WalletOperation::PayOut => (&transaction.debit_party, Direction::Incoming),
            WalletOperation::Reverse => return mistaken_reversal(asked, transaction, is_reversal),
        };
        if is_reversal {
            Some("the provider answers with a reversal")
        } else if direction == wrong_way {
            Some("the provider answers with a transaction of the other direction")
        } else if self.own.is_other(ours.as_deref()) {
            Some("the provider answers with a transaction of another organisation's account")
        } else {
            None
        }
    }

    fn contradiction(&self, asked: &Asked, transaction: &Transaction) -> Option<String> {
        let stated = match self.stated(asked, transaction) {
            Ok(stated) => stated,
            Err(why) => return Some(why.to_owned()),
        };
        let other = |what: &str| Some(format!("the provider states another {what}"));
        if stated.reference.is_some_and(|reference| reference != asked.reference) {
            other("reference")
        } else if stated.amount.is_some() && asked.amount.is_some() && stated.amount != asked.amount
        {
            other("amount")
        } else if asked.msisdn.is_some()
            && stated.msisdn.is_some()
            && stated.msisdn.as_ref() != asked.msisdn
        {
            other("wallet")
        } else {
            None
        }
    }

    fn confirmation(
        &self,
        asked: &Asked,
        transaction: &Transaction,
    ) -> Result<Confirmation, &'static str> {
        Ok(Confirmation {
            receipt: receipt(transaction).ok_or("the transaction has no usable reference")?,
            fee: self.fee(transaction.fees.as_deref().unwrap_or_default()),
            stated: self.stated(asked, transaction)?,
        })
    }

    fn stated(&self, asked: &Asked, transaction: &Transaction) -> Result<Stated, &'static str> {
        let Transaction { amount, currency, .. } = transaction;
        let amount = amount::read(amount.as_ref(), currency.as_ref(), self.terms.currency)
            .map_err(|_| "the stated amount or currency cannot be read")?;
        let customer = self.customer(asked, transaction);
        let msisdn = party::msisdn(customer, &self.own, &self.terms.numbers, asked.msisdn);
        let echoed = transaction.requesting_organisation_transaction_reference.as_ref();
        let reference = Text::given(echoed)
            .map(|text| Reference::parse(text).map_err(|_| "the echoed reference is not ours"))
            .transpose()?;
        Ok(Stated { amount, msisdn, reference, account: None })
    }

    /// The customer's side of a transaction.
    fn customer<'t>(&self, asked: &Asked, transaction: &'t Transaction) -> Option<&'t [KeyValue]> {
        let debit = transaction.debit_party.as_deref();
        let credit = transaction.credit_party.as_deref();
        match asked.operation {
            WalletOperation::Collect => debit,
            WalletOperation::PayOut => credit,
            WalletOperation::Reverse => match self.own.direction(transaction) {
                Direction::Incoming => debit,
                Direction::Outgoing => credit,
                Direction::Untold => None,
            },
        }
    }

    /// The sum of the fees that stand beside the amount (rule 9); `None` if one of them cannot be
    /// read, because a part of them is no fee.
    pub(crate) fn fee(&self, fees: &[Fee]) -> Option<Money> {
        let sum = fees.iter().try_fold(None, |sum: Option<Money>, fee| {
            let own = self.terms.currency;
            let fee = amount::read(fee.fee_amount.as_ref(), fee.fee_currency.as_ref(), own);
            let unreadable = "a stated fee cannot be read";
            let fee = fee.map_err(|_| unreadable)?.ok_or(unreadable)?;
            sum.map_or(Ok(fee), |sum| sum.checked_add(fee))
                .map(Some)
                .map_err(|_| "the stated fees cannot be added up")
        });
        self.terms.details.read(Detail::Fee, sum).flatten()
    }
}

fn mistaken_reversal(
    asked: &Asked,
    transaction: &Transaction,
    is_reversal: bool,
) -> Option<&'static str> {
    let original = asked.original.map(Receipt::as_str);
    let own = Text::given(transaction.transaction_reference.as_ref());
    let reversed = Text::given(transaction.original_transaction_reference.as_ref());
    let is_original = original.is_some() && own == original;
    let of_another = original.is_some() && reversed.is_some() && reversed != original;
    if is_original || (transaction.kind.is_some() && !is_reversal) {
        Some("the provider answers with a transaction that is no reversal")
    } else if of_another {
        Some("the provider answers with the reversal of another transaction")
    } else {
        None
    }
}

/// The provider's id of a transaction, if it can be a receipt.
pub(crate) fn receipt(transaction: &Transaction) -> Option<Receipt> {
    Receipt::new(Text::given(transaction.transaction_reference.as_ref())?).ok()
}

fn transaction_handle(transaction: &Transaction) -> Option<String> {
    receipt(transaction).map(|receipt| format!("{TRANSACTION_HANDLE}{receipt}"))
}

/// The server correlation id, if it can be a handle.
pub(crate) fn state_handle(state: &RequestState) -> Option<String> {
    let id = Text::given(state.server_correlation_id.as_ref())?;
    let fits = id.len() <= HANDLE_BYTES_MAX
        && id.bytes().all(|b| b.is_ascii_graphic())
        && !id.starts_with(TRANSACTION_HANDLE);
    fits.then(|| id.to_owned())
}

/// True if a request state's status is one of the harmonised ones.
fn listed(state: &RequestState) -> bool {
    let word = Text::given(state.status.as_ref()).unwrap_or_default();
    ["pending", "completed", "failed"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn outcome(finding: Finding) -> Outcome {
    match finding {
        Finding::Executed(confirmation) => Outcome::Executed(confirmation),
        Finding::Rejected(rejection) => Outcome::Rejected(rejection),
        Finding::InProgress(acceptance) => Outcome::Pending(acceptance),
        Finding::Reversed(_) => Outcome::unknown("the answer says that it is already reversed"),
        Finding::Absent => Outcome::unknown("the answer says that there is nothing"),
        Finding::Unclear { why } => Outcome::Unknown { why },
    }
}
