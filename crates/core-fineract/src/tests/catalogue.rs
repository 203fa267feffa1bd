//! Every row of `fineract.md` §7, by concrete codes.

use kiungo_domain::Outcome;
use kiungo_domain::outcome::{Reason, Retry};

use super::script::error_body;
use crate::answer::refusal;
use crate::client::Answer;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Final(Reason),
    Repair(Reason),
    NewKey,
    SameKey,
    Look,
}

use Expected::{Final, Look, NewKey, Repair, SameKey};
use Reason::{
    AccountNotFound, AccountState, AmountNotAllowed, Configuration, DateNotAllowed,
    InsufficientFunds, LimitExceeded, Other,
};

const S: &str = "error.msg.savingsaccount.transaction.";
const L: &str = "error.msg.loan.";

/// Status, prefix, code, and what must follow.
const CASES: &[(u16, &str, &str, Expected)] = &[
    (401, "", "error.msg.not.authenticated", Repair(Configuration)),
    (403, "", "error.msg.not.authorized", Repair(Configuration)),
    (405, "", "error.msg.invalid.instance.type", Repair(Configuration)),
    (
        400,
        "",
        "validation.msg.savingsaccount.transaction.paymentTypeId.cannot.be.blank",
        Final(Other),
    ),
    (
        400,
        "",
        "validation.msg.loan.transaction.transactionAmount.not.greater.than.zero",
        Final(Other),
    ),
    (400, "", "validation.msg.missing.locale.parameter", Final(Other)),
    (400, "", "error.msg.parameter.unsupported", Repair(Configuration)),
    (400, "", "error.msg.query.parameter.value.unsupported", Repair(Configuration)),
    (404, "", "error.msg.saving.account.id.invalid", Final(AccountNotFound)),
    (404, "", "error.msg.saving.account.trasaction.id.invalid", Final(Other)),
    (404, "", "error.msg.payment.type.invalid", Repair(Configuration)),
    (404, "", "error.msg.client.id.invalid", Final(AccountNotFound)),
    (404, "", "error.msg.client.not.found.with.client.id", Final(AccountNotFound)),
    (404, L, "id.invalid", Final(AccountNotFound)),
    (404, L, "external.id.invalid", Final(AccountNotFound)),
    (404, L, "transaction.id.invalid", Final(Other)),
    (404, L, "transaction.external.id.invalid", Final(Other)),
    (404, "", "error.msg.productToAccountMapping.not.found", Repair(Configuration)),
    (404, "", "error.msg.financialActivityAccount.not.found", Repair(Configuration)),
    (400, S, "account.is.not.active", Final(AccountState)),
    (400, S, "in.the.future", Repair(DateNotAllowed)),
    (400, S, "before.activation.date", Final(DateNotAllowed)),
    (400, S, "withdrawals.blocked.during.lockin.period", Final(AccountState)),
    (400, S, "before.pivot.date", Final(DateNotAllowed)),
    (403, "", "error.msg.savings.transaction.is.not.allowed", Final(DateNotAllowed)),
    (403, S, "insufficient.account.balance", Final(InsufficientFunds)),
    (403, S, "insufficient.account.balance.withdraw", Final(InsufficientFunds)),
    (
        400,
        "",
        "validation.msg.savingsaccount.undotransaction.results.in.balance.going.negative",
        Final(InsufficientFunds),
    ),
    (
        400,
        "",
        "validation.msg.savingsaccount.adjusttransaction.results.in.balance.going.negative",
        Final(InsufficientFunds),
    ),
    (
        400,
        "",
        "validation.msg.savingsaccount.undotransaction.account.is.not.active",
        Final(AccountState),
    ),
    (403, "", "error.msg.saving.account.blocked.transaction.not.allowed", Final(AccountState)),
    (403, "", "error.msg.savings.account.debit.transaction.not.allowed", Final(AccountState)),
    (403, "", "error.msg.savings.account.credit.transaction.not.allowed", Final(AccountState)),
    (403, "", "error.msg.client.not.active.exception", Final(AccountState)),
    (403, "", "error.msg.group.not.active.exception", Final(AccountState)),
    (
        403,
        "",
        "error.msg.savings.deposit.not.permitted.before.client.transfer.date",
        Final(DateNotAllowed),
    ),
    (403, "", "error.msg.savings.transfer.transactions.cannot.be.undone", Final(AccountState)),
    (400, "", "validation.msg.savingsaccount.insufficient.balance", Final(InsufficientFunds)),
    (400, "", "validation.msg.savingsaccount.not.in.active.state", Final(AccountState)),
    (400, "", "validation.msg.savingsaccount.amount.validation.msg.amount.is.not.on.hold", Look),
    (
        400,
        "",
        "validation.msg.savingsaccount.date.validation.msg.date.can.not.be.before.last.transaction.date",
        Final(DateNotAllowed),
    ),
    (403, "", "Reason For Block is Mandatory", Final(Other)),
    (
        400,
        "",
        "validation.msg.savingsaccount.lien.is.not.allowed.in.product.level",
        Final(LimitExceeded),
    ),
    (400, "", "validation.msg.savingsaccount.lien.limit.exceeded", Final(LimitExceeded)),
    (
        503,
        "",
        "error.msg.saving.account.transfer.transaction.update.not.allowed",
        Final(AccountState),
    ),
    (503, "", "error.msg.saving.account.transaction.update.not.allowed", Final(AccountState)),
    (503, "", "error.msg.saving.account.trasaction.update.notallowed", Final(AccountState)),
    (503, "", "error.msg.fixedDeposit.account.trasaction.deposit.notallowed", Final(AccountState)),
    (503, "", "error.msg.fixedDeposit.account.trasaction.withdraw.notallowed", Final(AccountState)),
    (403, "", "error.msg.savings.concurrent.operations", NewKey),
    (403, "", "error.msg.savings.concurrent.operations.unable.to.acquire.lock", NewKey),
    (400, L, "must.be.active.fully.paid.or.overpaid", Final(AccountState)),
    (400, L, "disbursal.account.is.not.approve.not.disbursed.state", Look),
    (400, L, "undo.disbursal.account.is.not.active", Final(AccountState)),
    (400, L, "repayment.or.waiver.account.is.not.active", Final(AccountState)),
    (400, L, "credit.balance.refund.account.is.not.overpaid", Look),
    (
        400,
        "",
        "error.msg.transactionAmount.invalid.must.be.>zero.and<=overpaidamount",
        Final(AmountNotAllowed),
    ),
    (403, "", "error.msg.transaction.date.cannot.be.in.the.future", Final(DateNotAllowed)),
    (403, L, "refund.failed", Final(AccountState)),
    (400, L, "account.is.not.written.off", Final(AccountState)),
    (403, L, "transaction.cannot.be.greater.than.total.written.off", Final(AmountNotAllowed)),
    (403, L, "transaction.cannot.be.a.future.date", Repair(DateNotAllowed)),
    (403, L, "transaction.cannot.be.before.disbursement.date", Final(DateNotAllowed)),
    (
        403,
        L,
        "repayment.or.waiver.cannot.be.made.before.last.transaction.date",
        Final(DateNotAllowed),
    ),
    (
        403,
        L,
        "repayment.or.waiver.cannot.be.made.before.client.transfer.date",
        Final(DateNotAllowed),
    ),
    (403, L, "disbursal.cannot.be.before.client.transfer.date", Final(DateNotAllowed)),
    (403, L, "transaction.amount.exceeds.threshold", Final(LimitExceeded)),
    (403, L, "disbursal.cannot.be.before.approval.date", Final(DateNotAllowed)),
    (403, L, "disbursal.cannot.be.a.future.date", Final(DateNotAllowed)),
    (403, L, "disbursal.cannot.be.after.expected.first.repayment.date", Final(DateNotAllowed)),
    (403, L, "disburse.amount.must.be.less.than.approved.amount", Final(AmountNotAllowed)),
    (403, L, "disburse.amount.must.be.less.than.approved.principal", Final(AmountNotAllowed)),
    (403, L, "actualdisbursementdate.before.submittedDate", Final(DateNotAllowed)),
    (
        403,
        "",
        "error.msg.actual.disbursement.date.does.not.match.with.expected.disbursal.date",
        Final(DateNotAllowed),
    ),
    (403, L, "disburse.to.savings.requires.linked.account", Repair(Configuration)),
    (403, L, "application.repayment.date.on.holiday", Final(DateNotAllowed)),
    (403, L, "application.repayment.date.on.non.working.day", Final(DateNotAllowed)),
    (403, L, "application.disbursement.date.on.holiday", Final(DateNotAllowed)),
    (403, L, "application.disbursement.date.on.non.working.day", Final(DateNotAllowed)),
    (
        403,
        "",
        "error.msg.transaction.date.cannot.be.earlier.than.charge.off.date",
        Final(DateNotAllowed),
    ),
    (403, L, "is.charged.off", Final(AccountState)),
    (403, L, "transaction.cant.be.created.because.later.charge.refund.exists", Final(AccountState)),
    (
        403,
        L,
        "transaction.adjustment.is.only.allowed.to.repayment.or.waiver.or.creditbalancerefund.transactions",
        Look,
    ),
    (403, L, "transaction.error.msg.loan.transaction.update.not.allowed", Final(AccountState)),
    (403, L, "transaction.not.allowed.on.closed.or.overpaid", Final(AccountState)),
    (503, L, "transfer.transaction.update.not.allowed", Final(AccountState)),
    (503, L, "written.off.update.not.allowed", Final(AccountState)),
    (503, L, "transaction.update.not.allowed", Final(AccountState)),
    (503, L, "chargeback.operation.not.allowed", Final(AccountState)),
    (403, "", "error.msg.glJournalEntry.invalid.accounting.closed", Final(DateNotAllowed)),
    (403, "", "error.msg.accounttransfer.different.currencies", Final(AmountNotAllowed)),
    (403, L, "repayment.duplicate.externalId", Look),
    (403, L, "disbursement.duplicate.externalId", Look),
    (403, L, "creditBalanceRefund.duplicate.externalId", Look),
    (403, "", "error.msg.loancharge.refund.duplicate.externalId", Look),
    (400, "", "validation.msg.loan.transaction.externalId.value.must.be.unique", Look),
    (403, "", "error.msg.data.integrity.issue", NewKey),
    (403, "", "error.msg.persistence.error", NewKey),
    (403, "", "error.msg.loan.repayment.unknown.data.integrity.issue", NewKey),
    (409, L, "locked", SameKey),
    (409, "", "error.msg.platform.service.optimistic lock.conflict", NewKey),
    (409, "", "error.msg.platform.service.unknown.conflict", NewKey),
    (503, "", "error.msg.sheduler.job.currently.running", SameKey),
    (400, "", "error.msg.password.outdated", Repair(Configuration)),
    (400, "", "error.msg.command.unsupported", Repair(Configuration)),
    // Interoperation: these two are swapped, and both mean "done before".
    (404, "", "error.msg.interop.account.not.found", Final(AccountNotFound)),
    (403, "", "error.msg.interop.duplicate.account.identifier", Look),
    (403, "", "error.msg.interop.transaction.not.allowed", Final(AccountState)),
    (403, "", "error.msg.interop.transfer.already.on.hold", Look),
    (403, "", "error.msg.interop.transfer.already.committed", Look),
    (404, "", "error.msg.interop.onhold.transfer.missing", Look),
];

fn apply_late_outcome(status: u16, code: &str, collision: bool) -> Outcome {
    let body = error_body(status, code).into();
    refusal(&Answer { status, cached: false, body }, collision)
}

fn read(outcome: &Outcome) -> Option<Expected> {
    match outcome {
        Outcome::Rejected(rejection) => match rejection.retry {
            Retry::Never => Some(Final(rejection.reason)),
            Retry::AfterRepair => Some(Repair(rejection.reason)),
            Retry::NewReference => (rejection.reason == Reason::Busy).then_some(NewKey),
        },
        Outcome::NotSent { .. } => Some(SameKey),
        Outcome::Unknown { .. } => Some(Look),
        Outcome::Executed(_) | Outcome::Pending(_) => None,
    }
}

#[test]
fn every_row_means_what_the_reference_says() {
    for (status, prefix, code, expected) in CASES {
        let code = format!("{prefix}{code}");
        let outcome = apply_late_outcome(*status, &code, false);
        assert_eq!(read(&outcome), Some(*expected), "{status} {code}: {outcome:?}");
        if let Outcome::Rejected(rejection) = outcome {
            assert_eq!(rejection.code, code);
        }
    }
}

#[test]
fn every_row_of_the_table_is_among_the_cases() {
    for row in crate::catalogue::ROWS {
        let (head, tail) = row.code.split_once('*').unwrap_or((row.code, ""));
        let covered = CASES.iter().any(|(status, prefix, code, _)| {
            let code = format!("{prefix}{code}");
            *status == row.status && code.starts_with(head) && code.ends_with(tail)
        });
        // Two lines stand for bodies that the decisions test, one for a guess at a full name.
        let elsewhere =
            ["error.msg.invalid.request.body", "error.msg.savings.unable.to.acquire.lock"];
        assert!(covered || elsewhere.contains(&row.code), "{} {}", row.status, row.code);
    }
}

#[test]
fn no_code_counts_under_another_status() {
    for (status, prefix, code, _) in CASES {
        let code = format!("{prefix}{code}");
        let outcome = apply_late_outcome(if *status == 500 { 400 } else { 500 }, &code, false);
        assert_eq!(read(&outcome), Some(Look), "{code}");
    }
}
