//! Savings accounts and their rows as the core prints them (`fineract.md` §9.1, §9.4).

use super::{Kind, Savings, SavingsTransaction};
use crate::bank::Bank;
use crate::by_id::row;
use crate::currency::currency_view;
use crate::decimal::{computed, six};
use crate::json::{Json, Serializer, coded};
use crate::options::Version;

/// The names that `fields` knows for accounts; `subStatus` is not among them.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "accountNo",
    "depositType",
    "externalId",
    "clientId",
    "clientName",
    "savingsProductId",
    "savingsProductName",
    "status",
    "timeline",
    "currency",
    "nominalAnnualInterestRate",
    "interestCompoundingPeriodType",
    "interestPostingPeriodType",
    "interestCalculationType",
    "interestCalculationDaysInYearType",
    "minRequiredBalance",
    "lockinPeriodFrequency",
    "lockinPeriodFrequencyType",
    "withdrawalFeeForTransfers",
    "allowOverdraft",
    "overdraftLimit",
    "enforceMinRequiredBalance",
    "lienAllowed",
    "withHoldTax",
    "summary",
    "transactions",
    "charges",
    "fieldOfficerId",
    "fieldOfficerName",
    "onHoldFunds",
];

const DATES: Serializer = Serializer::Gson;

/// An account; its rows too, newest first, if `with_transactions`.
pub(crate) fn account(
    bank: &Bank,
    savings: &Savings,
    version: Version,
    with_transactions: bool,
) -> Json {
    let client_name = row(&bank.clients, savings.client_id).map_or("", |client| &client.name);
    let transactions = with_transactions.then(|| {
        let rows = savings.by_date.iter().rev();
        let rows = rows.filter_map(|(_, id)| row(&bank.savings_transactions, *id));
        rows.map(|row| transaction(savings, row, version)).collect::<Vec<_>>()
    });
    let minimum = (savings.minimum != 0).then(|| six(savings.minimum, savings.currency));
    let overdraft = savings.overdraft_limit.filter(|limit| *limit != 0);
    let on_hold = (savings.on_hold != 0).then(|| six(savings.on_hold, savings.currency));
    let json = Json::object()
        .with("id", savings.id)
        .with("accountNo", savings.account_no.as_str())
        .with("depositType", coded(100, "depositAccountType.savingsDeposit", "Savings"))
        .with_text("externalId", &savings.external_id)
        .with("clientId", savings.client_id)
        .with("clientName", client_name)
        .with("savingsProductId", 1_i64)
        .with("savingsProductName", "Wallet")
        .with("fieldOfficerId", 0_i64)
        .with("status", status(savings.status))
        .with("subStatus", sub_status(savings.sub_status))
        .with("timeline", timeline(savings))
        .with("currency", currency_view(savings.currency))
        .with("nominalAnnualInterestRate", six(0, savings.currency));
    lock_in(interest_enums(json), savings)
        .with_some("minRequiredBalance", minimum)
        .with("withdrawalFeeForTransfers", false)
        .with("allowOverdraft", savings.overdraft_limit.is_some())
        .with_some("overdraftLimit", overdraft.map(|limit| six(limit, savings.currency)))
        .with("enforceMinRequiredBalance", savings.enforce_minimum)
        .with("lienAllowed", false)
        .with("withHoldTax", false)
        .with("isDormancyTrackingActive", false)
        .with_some("savingsAmountOnHold", on_hold)
        .with_some("lastActiveTransactionDate", savings.last_date().map(|date| DATES.date(date)))
        .with("summary", summary(savings))
        .with_some("transactions", transactions)
}

/// The period; the day on which it ends is not shown.
fn lock_in(json: Json, savings: &Savings) -> Json {
    let Some(until) = savings.locked_in_until else { return json };
    let days = savings.activated_on.until(until).map_or(0, |span| span.get_days());
    json.with("lockinPeriodFrequency", i64::from(days)).with(
        "lockinPeriodFrequencyType",
        coded(0, "savings.lockin.savingsPeriodFrequencyType.days", "Days"),
    )
}

fn timeline(savings: &Savings) -> Json {
    Json::object()
        .with("submittedOnDate", DATES.date(savings.activated_on))
        .with("submittedByUsername", "mifos")
        .with("activatedOnDate", DATES.date(savings.activated_on))
        .with("activatedByUsername", "mifos")
}

fn interest_enums(json: Json) -> Json {
    json.with(
        "interestCompoundingPeriodType",
        coded(1, "savings.interest.period.savingsCompoundingInterestPeriodType.daily", "Daily"),
    )
    .with(
        "interestPostingPeriodType",
        coded(
            4,
            "savings.interest.posting.period.savingsPostingInterestPeriodType.monthly",
            "Monthly",
        ),
    )
    .with(
        "interestCalculationType",
        coded(1, "savingsInterestCalculationType.dailybalance", "Daily Balance"),
    )
    .with(
        "interestCalculationDaysInYearType",
        coded(365, "savingsInterestCalculationDaysInYearType.days365", "365 Days"),
    )
}

/// Sums are omitted while zero; computed zeros are printed as `0`.
fn summary(savings: &Savings) -> Json {
    let currency = savings.currency;
    let sum = |minor: i64| (minor != 0).then(|| six(minor, currency));
    Json::object()
        .with("currency", currency_view(currency))
        .with_some("totalDeposits", sum(savings.totals.deposits))
        .with_some("totalWithdrawals", sum(savings.totals.withdrawals))
        .with_some("totalWithdrawalFees", sum(savings.totals.fees))
        .with("totalInterestPosted", 0_i64)
        .with("accountBalance", six(savings.balance, currency))
        .with("totalOverdraftInterestDerived", 0_i64)
        .with("interestNotPosted", 0_i64)
        .with("availableBalance", computed(savings.available(), currency))
}

/// A row of the history.
pub(crate) fn transaction(savings: &Savings, row: &SavingsTransaction, version: Version) -> Json {
    let currency = savings.currency;
    let payment = row.payment.as_ref().map(|payment| payment.view(row.id));
    let json = Json::object()
        .with("id", row.id)
        .with("transactionType", transaction_type(row.kind, version))
        .with("entryType", if row.kind.is_credit() { "CREDIT" } else { "DEBIT" })
        .with("accountId", savings.id)
        .with("accountNo", savings.account_no.as_str())
        .with("date", DATES.date(row.date))
        .with("currency", currency_view(currency))
        .with_some("paymentDetailData", payment)
        .with("amount", six(row.amount, currency))
        .with("runningBalance", six(row.running_balance, currency))
        .with("reversed", row.reversed)
        .with("submittedOnDate", DATES.date(row.submitted_on))
        .with("interestedPostedAsOn", false)
        .with("submittedByUsername", row.submitted_by.as_str())
        .with_text("note", &row.note)
        .with_text("reasonForBlock", &row.reason)
        .with("isManualTransaction", false)
        .with("isReversal", row.is_reversal)
        .with("originalTransactionId", row.original)
        .with("lienTransaction", false)
        .with("releaseTransactionId", row.release);
    let json = if version >= Version::V1_15 {
        json.with_text("externalId", &row.external_id)
    } else {
        json
    };
    json.with("chargesPaidByData", Vec::new())
}

fn transaction_type(kind: Kind, version: Version) -> Json {
    let (code, value) = match kind {
        Kind::Deposit => ("deposit", "Deposit"),
        Kind::Withdrawal => ("withdrawal", "Withdrawal"),
        Kind::WithdrawalFee => ("withdrawalFee", "Withdrawal fee"),
        Kind::Hold => ("onHold", "Amount on hold"),
        Kind::Release => ("release", "Release Amount"),
    };
    Json::object()
        .with("id", kind.number())
        .with("code", format!("savingsAccountTransactionType.{code}"))
        .with("value", value)
        .with("deposit", kind == Kind::Deposit)
        .with("dividendPayout", false)
        .with("withdrawal", kind == Kind::Withdrawal)
        .with("interestPosting", false)
        .with("feeDeduction", kind == Kind::WithdrawalFee)
        .with("initiateTransfer", false)
        .with("approveTransfer", false)
        .with("withdrawTransfer", false)
        .with("rejectTransfer", false)
        .with("overdraftInterest", false)
        .with("writtenoff", false)
        .with("overdraftFee", version <= Version::V1_8)
        .with("withholdTax", false)
        .with("escheat", false)
        .with("amountHold", kind == Kind::Hold)
        .with("amountRelease", kind == Kind::Release)
        .with("accrual", false)
}

/// The status with all its flags.
pub(crate) fn status(status: u16) -> Json {
    let (code, value) = match status {
        100 => ("submitted.and.pending.approval", "Submitted and pending approval"),
        200 => ("approved", "Approved"),
        300 => ("active", "Active"),
        303 => ("transfer.in.progress", "Transfer in progress"),
        304 => ("transfer.on.hold", "Transfer on hold"),
        400 => ("withdrawn.by.applicant", "Withdrawn by applicant"),
        500 => ("rejected", "Rejected"),
        700 => ("pre.mature.closure", "Premature Closed"),
        800 => ("matured", "Matured"),
        _ => ("closed", "Closed"),
    };
    Json::object()
        .with("id", status)
        .with("code", format!("savingsAccountStatusType.{code}"))
        .with("value", value)
        .with("submittedAndPendingApproval", status == 100)
        .with("approved", status == 200)
        .with("rejected", status == 500)
        .with("withdrawnByApplicant", status == 400)
        .with("active", status == 300)
        .with("closed", status == 600)
        .with("prematureClosed", status == 700)
        .with("transferInProgress", status == 303)
        .with("transferOnHold", status == 304)
        .with("matured", status == 800)
}

/// The sub-status with all its flags.
pub(crate) fn sub_status(sub_status: u16) -> Json {
    let (code, value) = match sub_status {
        100 => ("inactive", "Inactive"),
        200 => ("dormant", "Dormant"),
        300 => ("escheat", "Escheat"),
        400 => ("block", "Block"),
        500 => ("blockCredit", "BlockCredit"),
        600 => ("blockDebit", "BlockDebit"),
        _ => ("none", "None"),
    };
    Json::object()
        .with("id", sub_status)
        .with("code", format!("SavingsAccountSubStatusEnum.{code}"))
        .with("value", value)
        .with("none", sub_status == 0)
        .with("inactive", sub_status == 100)
        .with("dormant", sub_status == 200)
        .with("escheat", sub_status == 300)
        .with("block", sub_status == 400)
        .with("blockCredit", sub_status == 500)
        .with("blockDebit", sub_status == 600)
}
