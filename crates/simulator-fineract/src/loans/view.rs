//! Loans and their rows as the core prints them (`fineract.md` §10.1, §10.5, §10.6).

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Kind, Loan, LoanTransaction};
use crate::bank::Bank;
use crate::by_id::row;
use crate::currency::currency_view;
use crate::decimal::{computed, scaled, six};
use crate::json::{Json, Serializer, coded};
use crate::lookups::settings;
use crate::options::Options;
use crate::query::Query;
use crate::result::{OFFICE_ID, OFFICE_NAME};

/// The names that `fields` knows for loans; `clientName` is not among them.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "accountNo",
    "externalId",
    "status",
    "clientId",
    "loanProductId",
    "loanProductName",
    "loanType",
    "currency",
    "principal",
    "approvedPrincipal",
    "netDisbursalAmount",
    "timeline",
    "summary",
    "transactions",
    "totalOverpaid",
    "inArrears",
    "repaymentSchedule",
    "charges",
    "annualInterestRate",
    "numberOfRepayments",
];

/// A loan; its rows too if asked for, without those that replaying reversed.
pub(crate) fn loan(bank: &Bank, loan: &Loan, with_transactions: bool) -> Json {
    let currency = loan.currency;
    let client_name = row(&bank.clients, loan.client_id).map_or("", |client| &client.name);
    let transactions = with_transactions.then(|| {
        let rows = rows(bank, loan).filter(|row| row.is_live() || row.manually_reversed);
        rows.map(|row| transaction(loan, row, Serializer::Gson)).collect::<Vec<_>>()
    });
    let transactions = transactions.filter(|rows| !rows.is_empty());
    let overpaid = (loan.status == 700).then(|| six(loan.state.overpaid, currency));
    let loan_type = coded(1, "accountType.individual", "Individual");
    Json::object()
        .with("id", loan.id)
        .with("accountNo", loan.account_no.as_str())
        .with_text("externalId", &loan.external_id)
        .with("status", status(loan.status))
        .with("clientId", loan.client_id)
        .with("clientName", client_name)
        .with("clientOfficeId", OFFICE_ID)
        .with("loanProductId", loan.product)
        .with("loanProductName", "Weekly")
        .with("loanType", loan_type)
        .with("currency", currency_view(currency))
        .with("principal", six(loan.approved, currency))
        .with("approvedPrincipal", six(loan.approved, currency))
        .with("netDisbursalAmount", six(loan.approved - loan.kept_back, currency))
        .with_some("multiDisburseLoan", loan.tranches.then_some(true))
        .with("timeline", timeline(loan))
        .with_some("summary", (loan.status >= 300).then(|| summary(loan)))
        .with_some("totalOverpaid", overpaid)
        .with_some("transactions", transactions)
        .with("inArrears", false)
}

/// All rows of a loan, oldest first.
pub(crate) fn rows<'a>(
    bank: &'a Bank,
    loan: &'a Loan,
) -> impl DoubleEndedIterator<Item = &'a LoanTransaction> {
    loan.by_date.iter().filter_map(|(_, id)| row(&bank.loan_transactions, *id))
}

fn timeline(loan: &Loan) -> Json {
    let dates = Serializer::Gson;
    let expected = loan.expected_on.or(loan.approved_on).unwrap_or(loan.submitted_on);
    Json::object()
        .with("submittedOnDate", dates.date(loan.submitted_on))
        .with_some("approvedOnDate", loan.approved_on.map(|date| dates.date(date)))
        .with("expectedDisbursementDate", dates.date(expected))
        .with_some("actualDisbursementDate", loan.disbursed_on.map(|date| dates.date(date)))
}

fn summary(loan: &Loan) -> Json {
    let (state, currency) = (&loan.state, loan.currency);
    Json::object()
        .with("currency", currency_view(currency))
        .with("principalDisbursed", six(state.disbursed, currency))
        .with("principalPaid", six(state.principal_paid, currency))
        .with("principalWrittenOff", 0_i64)
        .with("principalOutstanding", six(state.principal_outstanding(), currency))
        .with("principalOverdue", 0_i64)
        .with("interestCharged", six(state.interest_charged, currency))
        .with("interestPaid", six(state.interest_paid, currency))
        .with("interestWaived", 0_i64)
        .with("interestOutstanding", computed(state.interest_outstanding(), currency))
        .with("interestOverdue", 0_i64)
        .with("feeChargesOutstanding", six(0, currency))
        .with("penaltyChargesOutstanding", six(0, currency))
        .with("totalExpectedRepayment", six(state.disbursed + state.interest_charged, currency))
        .with("totalRepayment", six(state.principal_paid + state.interest_paid, currency))
        .with("totalOutstanding", six(state.outstanding(), currency))
        .with("totalOverdue", 0_i64)
        .with("totalRecovered", 0_i64)
}

/// A row of the history: array dates and omitted nulls from one serializer, ISO dates and printed
/// empty external ids from the other.
pub(crate) fn transaction(loan: &Loan, row: &LoanTransaction, serializer: Serializer) -> Json {
    let currency = loan.currency;
    let jackson = serializer == Serializer::Jackson;
    let json = Json::object()
        .with("id", row.id)
        .with("loanId", loan.id)
        .with_text("externalLoanId", &loan.external_id)
        .with("officeId", OFFICE_ID)
        .with("officeName", OFFICE_NAME)
        .with("type", transaction_type(row.kind))
        .with("date", serializer.date(row.date))
        .with("currency", currency_view(currency))
        .with_some("paymentDetailData", row.payment.as_ref().map(|payment| payment.view(row.id)))
        .with("amount", six(row.amount, currency))
        .with("netDisbursalAmount", six(loan.approved, currency))
        .with("principalPortion", computed(row.portions.principal, currency))
        .with("interestPortion", computed(row.portions.interest, currency))
        .with("feeChargesPortion", 0_i64)
        .with("penaltyChargesPortion", 0_i64)
        .with("overpaymentPortion", computed(row.portions.overpayment, currency))
        .with("unrecognizedIncomePortion", 0_i64);
    external_id(json, "externalId", &row.external_id, jackson)
        .with("outstandingLoanBalance", six(row.balance, currency))
        .with("submittedOnDate", serializer.date(row.submitted_on))
        .with("manuallyReversed", row.manually_reversed)
        .with_some("reversedOnDate", row.reversed_on.map(|date| serializer.date(date)))
        .with("loanChargePaidByList", Vec::new())
        .with("numberOfRepayments", 0_i64)
        .with_some("transactionDate", jackson.then(|| serializer.date(row.date)))
        .with_some("transactionType", jackson.then(|| enum_name(row.kind)))
        .with_some("reversalExternalId", reversal(row, jackson))
        .with("transactionRelations", Vec::new())
}

fn external_id(json: Json, name: &'static str, text: &str, print_null: bool) -> Json {
    if text.is_empty() && print_null {
        json.with(name, Json::Null)
    } else {
        json.with_text(name, text)
    }
}

fn reversal(row: &LoanTransaction, print_null: bool) -> Option<Json> {
    match row.reversal_external_id.as_str() {
        "" => print_null.then_some(Json::Null),
        text => Some(Json::from(text)),
    }
}

const fn enum_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Disbursement => "DISBURSEMENT",
        Kind::Repayment => "REPAYMENT",
        Kind::CreditBalanceRefund => "CREDIT_BALANCE_REFUND",
    }
}

fn transaction_type(kind: Kind) -> Json {
    let (code, value) = match kind {
        Kind::Disbursement => ("disbursement", "Disbursement"),
        Kind::Repayment => ("repayment", "Repayment"),
        Kind::CreditBalanceRefund => ("creditBalanceRefund", "Credit Balance Refund"),
    };
    Json::object()
        .with("id", kind.number())
        .with("code", format!("loanTransactionType.{code}"))
        .with("value", value)
        .with("disbursement", kind == Kind::Disbursement)
        .with("repaymentAtDisbursement", false)
        .with("repayment", kind == Kind::Repayment)
        .with("merchantIssuedRefund", false)
        .with("payoutRefund", false)
        .with("goodwillCredit", false)
        .with("contra", false)
        .with("waiveInterest", false)
        .with("waiveCharges", false)
        .with("accrual", false)
        .with("writeOff", false)
        .with("recoveryRepayment", false)
        .with("refund", false)
        .with("refundForActiveLoans", false)
        .with("creditBalanceRefund", kind == Kind::CreditBalanceRefund)
        .with("chargeback", false)
}

/// The page that `GET /loans/{id}/transactions` shows from 1.12 on.
pub(crate) fn page(bank: &Bank, loan: &Loan, query: &Query) -> Json {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let page = number("page").unwrap_or(0);
    let size = number("size").filter(|size| *size > 0).unwrap_or(20);
    let shown = |row: &&LoanTransaction| row.is_live() || row.manually_reversed;
    let mut all: Vec<&LoanTransaction> = rows(bank, loan).filter(shown).collect();
    if query.get("sort").is_some_and(|sort| sort.ends_with(",desc")) {
        all.reverse();
    }
    let total = all.len();
    let chunk = all.into_iter().skip(page.saturating_mul(size)).take(size);
    let content = chunk.map(|row| transaction(loan, row, Serializer::Jackson)).collect();
    spring_page(content, (page, size, total))
}

/// The first paging shape: a Spring page by its getters (`fineract.md` §2.2).
pub(crate) fn spring_page(content: Vec<Json>, (page, size, total): (usize, usize, usize)) -> Json {
    let count = content.len();
    let pages = total.div_ceil(size.max(1));
    let sort = Json::object().with("sorted", true).with("empty", false).with("unsorted", false);
    let pageable = Json::object()
        .with("pageNumber", page)
        .with("pageSize", size)
        .with("sort", sort.clone())
        .with("offset", page.saturating_mul(size))
        .with("paged", true)
        .with("unpaged", false);
    Json::object()
        .with("content", content)
        .with("pageable", pageable)
        .with("last", page + 1 >= pages)
        .with("totalPages", pages)
        .with("totalElements", total)
        .with("size", size)
        .with("number", page)
        .with("sort", sort)
        .with("first", page == 0)
        .with("numberOfElements", count)
        .with("empty", count == 0)
}

/// A template: what a command on this loan would come to now. What is asked for a day has the
/// currency's scale; the next instalment is as it stands in the schedule.
pub(crate) fn template(loan: &Loan, command: &str, options: &Options, today: Date) -> Option<Json> {
    let (state, currency) = (&loan.state, loan.currency);
    let (kind, amount) = match command {
        "repayment" => return Some(next_instalment(loan, options, today)),
        "prepayLoan" => (Kind::Repayment, state.outstanding()),
        "disburse" => (Kind::Disbursement, loan.approved),
        "creditBalanceRefund" => (Kind::CreditBalanceRefund, state.overpaid),
        _ => return None,
    };
    let currency_member = (kind != Kind::Disbursement).then(|| currency_view(currency));
    let portion = |minor: i64| scaled(if kind == Kind::Repayment { minor } else { 0 }, currency);
    Some(
        Json::object()
            .with("loanId", loan.id)
            .with_text("externalLoanId", &loan.external_id)
            .with("type", transaction_type(kind))
            .with("date", Serializer::Gson.date(today))
            .with_some("currency", currency_member)
            .with("amount", scaled(amount, currency))
            .with("netDisbursalAmount", six(loan.approved, currency))
            .with("principalPortion", portion(state.principal_outstanding()))
            .with("interestPortion", portion(state.interest_outstanding()))
            .with("feeChargesPortion", scaled(0, currency))
            .with("penaltyChargesPortion", scaled(0, currency))
            .with("outstandingLoanBalance", scaled(state.principal_outstanding(), currency))
            .with("manuallyReversed", false)
            .with("paymentTypeOptions", settings::payment_types(options))
            .with("numberOfRepayments", 0_i64),
    )
}

/// The number of monthly instalments in which a loan is paid back.
const INSTALMENTS: i64 = 4;

/// The instalment that is due next, and its day; it names neither the loan nor its balance.
fn next_instalment(loan: &Loan, options: &Options, today: Date) -> Json {
    let (state, currency) = (&loan.state, loan.currency);
    let due = |whole: i64, left: i64| (whole / INSTALMENTS).min(left);
    let principal = due(state.disbursed, state.principal_outstanding());
    let interest = due(state.interest_charged, state.interest_outstanding());
    let begun = loan.disbursed_on.unwrap_or(today);
    let mut months = (1..=INSTALMENTS).map(|month| begun.saturating_add(month.months()));
    let date = months.clone().find(|date| *date >= today).or(months.next_back()).unwrap_or(today);
    Json::object()
        .with("type", transaction_type(Kind::Repayment))
        .with("date", Serializer::Gson.date(date))
        .with("currency", currency_view(currency))
        .with("amount", six(principal + interest, currency))
        .with("netDisbursalAmount", six(loan.approved, currency))
        .with("principalPortion", computed(principal, currency))
        .with("interestPortion", computed(interest, currency))
        .with("feeChargesPortion", 0_i64)
        .with("penaltyChargesPortion", 0_i64)
        .with("manuallyReversed", false)
        .with("paymentTypeOptions", settings::payment_types(options))
        .with("numberOfRepayments", 0_i64)
}

/// The status without its flags.
pub(crate) fn plain_status(status: u16) -> Json {
    let (code, value) = match status {
        100 => ("submitted.and.pending.approval", "Submitted and pending approval"),
        200 => ("approved", "Approved"),
        300 => ("active", "Active"),
        700 => ("overpaid", "Overpaid"),
        _ => ("closed.obligations.met", "Closed (obligations met)"),
    };
    Json::object()
        .with("id", status)
        .with("code", format!("loanStatusType.{code}"))
        .with("value", value)
}

/// The status with its flags.
pub(crate) fn status(status: u16) -> Json {
    plain_status(status)
        .with("pendingApproval", status == 100)
        .with("waitingForDisbursal", status == 200)
        .with("active", status == 300)
        .with("closedObligationsMet", status == 600)
        .with("closedWrittenOff", status == 601)
        .with("closedRescheduled", status == 602)
        .with("closed", matches!(status, 600..=602))
        .with("overpaid", status == 700)
}
