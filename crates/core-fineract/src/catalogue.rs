//! The catalogue of error codes as data: status, code, consequence and reason (`fineract.md` §7). A
//! code that is not listed here has no meaning: the outcome is unknown (rule 2).

use kiungo_domain::excerpt;
use kiungo_domain::outcome::Reason;

use crate::wire::ErrorBody;

/// The consequence of a listed code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Refused for good (F).
    Final,
    /// Not applied, and the key is used up: again with a new one (R, new key).
    Busy,
    /// Not applied and not recorded: again with the same key (R, same key).
    NotRecorded,
    /// Refused until a person repairs something (C).
    Repair,
    /// Perhaps applied by an earlier sending: look (D).
    Duplicate,
    /// An unspecific database error: not applied, unless it reports a collision of keys or of
    /// external ids.
    Database,
}

/// One line of the catalogue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) status: u16,
    /// The code; one `*` stands for anything.
    pub(crate) code: &'static str,
    pub(crate) class: Class,
    pub(crate) reason: Reason,
}

impl Row {
    fn matches(&self, status: u16, code: &str) -> bool {
        self.status == status
            && match self.code.split_once('*') {
                None => self.code == code,
                Some((head, tail)) => {
                    code.len() >= head.len() + tail.len()
                        && code.starts_with(head)
                        && code.ends_with(tail)
                }
            }
    }
}

/// The meaning of an error body.
#[derive(Debug, Clone)]
pub(crate) enum ErrorMeaning {
    /// A listed code.
    Listed { row: &'static Row, code: String, message: String },
    /// Anything else, with what can be said about it.
    Unlisted { why: String },
}

/// Looks up what an answer other than 200 says.
pub(crate) fn classify(status: u16, body: &[u8]) -> ErrorMeaning {
    if status == 425 {
        return unlisted("425: the same command is still running, or is stuck".to_owned());
    }
    let Some(error) = ErrorBody::parse(body) else {
        return match status {
            401 => listed(&UNAUTHENTICATED, "401", "the login was refused"),
            _ => unlisted(format!("{status} with a body that is no error of Fineract's")),
        };
    };
    let codes = error.codes();
    if codes.is_empty() {
        return match status {
            401 => listed(&UNAUTHENTICATED, "401", "the login was refused"),
            400 if error.is_container(400) => {
                listed(&TENANT, "400", "the tenant is missing or unknown")
            }
            _ => unlisted(format!("{status} without an error code")),
        };
    }
    classify_codes(status, &codes, error.message())
}

/// Several codes count as the most doubtful among them, then as the first.
fn classify_codes(status: u16, codes: &[&str], message: &str) -> ErrorMeaning {
    let mut found: Option<(&'static Row, &str)> = None;
    for &code in codes {
        let Some(row) = row(status, code) else {
            return unlisted(format!("{status} with the unlisted code `{}`", excerpt(code)));
        };
        let doubtful = matches!(row.class, Class::Duplicate | Class::Database);
        if found.is_none() || doubtful {
            found = Some((row, code));
        }
    }
    match found {
        Some((row, code)) => listed(row, code, message),
        None => unlisted(format!("{status} without an error code")),
    }
}

fn row(status: u16, code: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.matches(status, code))
}

fn listed(row: &'static Row, code: &str, message: &str) -> ErrorMeaning {
    ErrorMeaning::Listed { row, code: excerpt(code), message: excerpt(message) }
}

fn unlisted(why: String) -> ErrorMeaning {
    ErrorMeaning::Unlisted { why }
}

const TENANT: Row =
    Row { status: 400, code: "400", class: Class::Repair, reason: Reason::Configuration };
const UNAUTHENTICATED: Row =
    Row { status: 401, code: "401", class: Class::Repair, reason: Reason::Configuration };

const fn last(status: u16, code: &'static str, reason: Reason) -> Row {
    Row { status, code, class: Class::Final, reason }
}

const fn repair(status: u16, code: &'static str) -> Row {
    Row { status, code, class: Class::Repair, reason: Reason::Configuration }
}

/// The clock or the time zone is wrong, on one side or the other.
const fn clock(status: u16, code: &'static str) -> Row {
    Row { status, code, class: Class::Repair, reason: Reason::DateNotAllowed }
}

const fn busy(status: u16, code: &'static str) -> Row {
    Row { status, code, class: Class::Busy, reason: Reason::Busy }
}

const fn not_recorded(status: u16, code: &'static str) -> Row {
    Row { status, code, class: Class::NotRecorded, reason: Reason::Busy }
}

const fn duplicate(status: u16, code: &'static str) -> Row {
    Row { status, code, class: Class::Duplicate, reason: Reason::Other }
}

const fn database(status: u16, code: &'static str) -> Row {
    Row { status, code, class: Class::Database, reason: Reason::Busy }
}

use Reason::{
    AccountNotFound, AccountState, AmountNotAllowed, DateNotAllowed, InsufficientFunds,
    LimitExceeded, Other,
};

/// The catalogue. The first line that matches counts, so exact codes stand before patterns.
pub(crate) const ROWS: &[Row] = &[
    // Login, permissions, settings.
    repair(401, "error.msg.not.authenticated"),
    repair(403, "error.msg.not.authorized"),
    repair(405, "error.msg.invalid.instance.type"),
    repair(400, "error.msg.parameter.unsupported"),
    repair(400, "error.msg.query.parameter.value.unsupported"),
    repair(400, "error.msg.invalid.request.body"),
    repair(400, "error.msg.password.outdated"),
    repair(400, "error.msg.command.unsupported"),
    repair(404, "error.msg.payment.type.invalid"),
    repair(404, "error.msg.productToAccountMapping.not.found"),
    repair(404, "error.msg.financialActivityAccount.not.found"),
    repair(403, "error.msg.loan.disburse.to.savings.requires.linked.account"),
    // Already applied, perhaps by an earlier sending.
    duplicate(403, "error.msg.*.duplicate.externalId"),
    duplicate(400, "validation.msg.*.externalId.value.must.be.unique"),
    duplicate(400, "error.msg.loan.disbursal.account.is.not.approve.not.disbursed.state"),
    // Since 1.9 the code also stands for a transaction that is undone already.
    duplicate(
        403,
        "error.msg.loan.transaction.adjustment.is.only.allowed.to.repayment.or.waiver.or.creditbalancerefund.transactions",
    ),
    duplicate(400, "error.msg.loan.credit.balance.refund.account.is.not.overpaid"),
    duplicate(400, "validation.msg.savingsaccount.amount.validation.msg.amount.is.not.on.hold"),
    // Busy.
    not_recorded(409, "error.msg.loan.locked"),
    not_recorded(409, "error.msg.invalid.request.body"),
    not_recorded(503, "error.msg.sheduler.job.currently.running"),
    busy(409, "error.msg.platform.service.*.conflict"),
    busy(403, "error.msg.savings.concurrent.operations"),
    busy(403, "error.msg.savings.concurrent.operations.unable.to.acquire.lock"),
    busy(403, "error.msg.savings.unable.to.acquire.lock"),
    database(403, "error.msg.data.integrity.issue"),
    database(403, "error.msg.persistence.error"),
    database(403, "error.msg.*.unknown.data.integrity.issue"),
    // There is no such thing.
    last(404, "error.msg.saving.account.id.invalid", AccountNotFound),
    last(404, "error.msg.saving.account.trasaction.id.invalid", Other),
    last(404, "error.msg.client.id.invalid", AccountNotFound),
    last(404, "error.msg.client.not.found.with.client.id", AccountNotFound),
    last(404, "error.msg.loan.id.invalid", AccountNotFound),
    last(404, "error.msg.loan.external.id.invalid", AccountNotFound),
    last(404, "error.msg.loan.transaction.id.invalid", Other),
    last(404, "error.msg.loan.transaction.external.id.invalid", Other),
    // Savings: dates.
    clock(400, "error.msg.savingsaccount.transaction.in.the.future"),
    last(400, "error.msg.savingsaccount.transaction.before.activation.date", DateNotAllowed),
    last(400, "error.msg.savingsaccount.transaction.before.pivot.date", DateNotAllowed),
    last(403, "error.msg.savings.transaction.is.not.allowed", DateNotAllowed),
    last(403, "error.msg.savings.*.not.permitted.before.client.transfer.date", DateNotAllowed),
    last(
        400,
        "validation.msg.savingsaccount.date.validation.msg.date.can.not.be.before.last.transaction.date",
        DateNotAllowed,
    ),
    // Savings: state.
    last(400, "error.msg.savingsaccount.transaction.account.is.not.active", AccountState),
    last(
        400,
        "error.msg.savingsaccount.transaction.withdrawals.blocked.during.lockin.period",
        AccountState,
    ),
    last(400, "validation.msg.savingsaccount.undotransaction.account.is.not.active", AccountState),
    last(400, "validation.msg.savingsaccount.not.in.active.state", AccountState),
    last(403, "error.msg.saving.account.blocked.transaction.not.allowed", AccountState),
    last(403, "error.msg.savings.account.debit.transaction.not.allowed", AccountState),
    last(403, "error.msg.savings.account.credit.transaction.not.allowed", AccountState),
    last(403, "error.msg.client.not.active.exception", AccountState),
    last(403, "error.msg.group.not.active.exception", AccountState),
    last(403, "error.msg.savings.transfer.transactions.cannot.be.undone", AccountState),
    last(403, "Reason For Block is Mandatory", Other),
    last(503, "error.msg.saving.account.transfer.transaction.update.not.allowed", AccountState),
    last(503, "error.msg.saving.account.transaction.update.not.allowed", AccountState),
    last(503, "error.msg.saving.account.trasaction.update.notallowed", AccountState),
    last(503, "error.msg.*.account.trasaction.deposit.notallowed", AccountState),
    last(503, "error.msg.*.account.trasaction.withdraw.notallowed", AccountState),
    // Savings: money.
    last(
        403,
        "error.msg.savingsaccount.transaction.insufficient.account.balance",
        InsufficientFunds,
    ),
    last(
        403,
        "error.msg.savingsaccount.transaction.insufficient.account.balance.withdraw",
        InsufficientFunds,
    ),
    last(
        400,
        "validation.msg.savingsaccount.undotransaction.results.in.balance.going.negative",
        InsufficientFunds,
    ),
    last(
        400,
        "validation.msg.savingsaccount.adjusttransaction.results.in.balance.going.negative",
        InsufficientFunds,
    ),
    last(400, "validation.msg.savingsaccount.insufficient.balance", InsufficientFunds),
    last(400, "validation.msg.savingsaccount.lien.is.not.allowed.in.product.level", LimitExceeded),
    last(400, "validation.msg.savingsaccount.lien.limit.exceeded", LimitExceeded),
    // Loans: state.
    last(400, "error.msg.loan.must.be.active.fully.paid.or.overpaid", AccountState),
    last(400, "error.msg.loan.undo.disbursal.account.is.not.active", AccountState),
    last(400, "error.msg.loan.repayment.or.waiver.account.is.not.active", AccountState),
    last(400, "error.msg.loan.account.is.not.written.off", AccountState),
    last(403, "error.msg.loan.refund.failed", AccountState),
    last(403, "error.msg.loan.is.charged.off", AccountState),
    last(
        403,
        "error.msg.loan.transaction.cant.be.created.because.later.charge.refund.exists",
        AccountState,
    ),
    last(
        403,
        "error.msg.loan.transaction.error.msg.loan.transaction.update.not.allowed",
        AccountState,
    ),
    last(403, "error.msg.loan.transaction.not.allowed.on.closed.or.overpaid", AccountState),
    last(503, "error.msg.loan.transfer.transaction.update.not.allowed", AccountState),
    last(503, "error.msg.loan.written.off.update.not.allowed", AccountState),
    last(503, "error.msg.loan.transaction.update.not.allowed", AccountState),
    last(503, "error.msg.loan.chargeback.operation.not.allowed", AccountState),
    // Loans: dates.
    clock(403, "error.msg.loan.transaction.cannot.be.a.future.date"),
    last(403, "error.msg.transaction.date.cannot.be.in.the.future", DateNotAllowed),
    last(403, "error.msg.loan.transaction.cannot.be.before.disbursement.date", DateNotAllowed),
    last(
        403,
        "error.msg.loan.repayment.or.waiver.cannot.be.made.before.last.transaction.date",
        DateNotAllowed,
    ),
    last(
        403,
        "error.msg.loan.repayment.or.waiver.cannot.be.made.before.client.transfer.date",
        DateNotAllowed,
    ),
    last(403, "error.msg.loan.disbursal.cannot.be.before.client.transfer.date", DateNotAllowed),
    last(403, "error.msg.loan.disbursal.cannot.be.before.approval.date", DateNotAllowed),
    last(403, "error.msg.loan.disbursal.cannot.be.a.future.date", DateNotAllowed),
    last(
        403,
        "error.msg.loan.disbursal.cannot.be.after.expected.first.repayment.date",
        DateNotAllowed,
    ),
    last(403, "error.msg.loan.actualdisbursementdate.before.submittedDate", DateNotAllowed),
    last(
        403,
        "error.msg.actual.disbursement.date.does.not.match.with.expected.disbursal.date",
        DateNotAllowed,
    ),
    last(403, "error.msg.loan.application.repayment.date.on.holiday", DateNotAllowed),
    last(403, "error.msg.loan.application.repayment.date.on.non.working.day", DateNotAllowed),
    last(403, "error.msg.loan.application.disbursement.date.on.holiday", DateNotAllowed),
    last(403, "error.msg.loan.application.disbursement.date.on.non.working.day", DateNotAllowed),
    last(403, "error.msg.transaction.date.cannot.be.earlier.than.charge.off.date", DateNotAllowed),
    last(403, "error.msg.glJournalEntry.invalid.accounting.closed", DateNotAllowed),
    // Loans: money.
    last(
        400,
        "error.msg.transactionAmount.invalid.must.be.>zero.and<=overpaidamount",
        AmountNotAllowed,
    ),
    last(
        403,
        "error.msg.loan.transaction.cannot.be.greater.than.total.written.off",
        AmountNotAllowed,
    ),
    last(403, "error.msg.loan.transaction.amount.exceeds.threshold", LimitExceeded),
    last(403, "error.msg.loan.disburse.amount.must.be.less.than.approved.amount", AmountNotAllowed),
    last(
        403,
        "error.msg.loan.disburse.amount.must.be.less.than.approved.principal",
        AmountNotAllowed,
    ),
    last(403, "error.msg.accounttransfer.different.currencies", AmountNotAllowed),
    // Interoperation. The first two texts are swapped in Fineract: "on hold" answers a second
    // CREATE, "committed" a second PREPARE; both say that the step was done before (§13.4).
    duplicate(403, "error.msg.interop.transfer.already.on.hold"),
    duplicate(403, "error.msg.interop.transfer.already.committed"),
    duplicate(404, "error.msg.interop.onhold.transfer.missing"),
    duplicate(403, "error.msg.interop.duplicate.account.identifier"),
    last(404, "error.msg.interop.account.not.found", AccountNotFound),
    last(403, "error.msg.interop.transaction.not.allowed", AccountState),
    // Our own mistakes: a member is missing or malformed.
    last(400, "validation.msg.*", Other),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_hidden_behind_an_earlier_one() {
        for (index, line) in ROWS.iter().enumerate() {
            let sample = line.code.replace('*', "sample");
            let first = ROWS.iter().position(|row| row.matches(line.status, &sample));
            assert_eq!(first, Some(index), "{} {}", line.status, line.code);
        }
    }

    #[test]
    fn phone_numbers_and_control_characters_are_taken_out_of_texts() {
        assert_eq!(excerpt("no client\n255712345678, 120.50"), "no client ****, 120.50");
    }
}
