//! Opening clients and accounts from outside the API: what the core has before a story begins.

use jiff::civil::Date;
use kiungo_domain::Currency;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::bank::{Bank, Client};
use super::by_id::{next_id, row_mut};
use super::loans::{self, Loan, LoanTransaction, Portions};
use super::options::Clients;
use super::savings::{self, Savings, SavingsTransaction, Totals};

/// A client with accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// The display name.
    pub name: String,
    /// The mobile number as an officer typed it: free text, unique in the tenant; empty if none.
    #[serde(default)]
    pub mobile_no: String,
    /// The external id, unique in the tenant; empty if none.
    #[serde(default)]
    pub external_id: String,
    /// True if the client is closed, which refuses every posting.
    #[serde(default)]
    pub closed: bool,
    /// The savings accounts.
    #[serde(default)]
    pub savings: Vec<SavingsSpec>,
    /// The loans.
    #[serde(default)]
    pub loans: Vec<LoanSpec>,
}

/// The balance of an ordinary client's savings account.
const SAVINGS_MINOR: i64 = 100_000_000;
/// The amount of an ordinary client's loans.
const LOAN_MINOR: i64 = 50_000_000;

impl Clients {
    /// The ordinary clients that these options speak of, in their order.
    pub fn specs(&self) -> impl Iterator<Item = ClientSpec> + '_ {
        (1..=self.count).map(|number| self.spec(number))
    }

    fn spec(&self, number: u64) -> ClientSpec {
        let turn = usize::try_from(number - 1).unwrap_or(0).checked_rem(self.numbers.len());
        let first = turn.and_then(|turn| self.numbers.get(turn));
        let each = || self.currencies.iter();
        let loans = each().flat_map(|currency| {
            [LoanStatus::Active, LoanStatus::Approved]
                .map(|status| LoanSpec::new(status, currency, LOAN_MINOR))
        });
        ClientSpec {
            name: format!("Client {number}"),
            mobile_no: first.map(|first| (first + number).to_string()).unwrap_or_default(),
            external_id: format!("client-{number}"),
            closed: false,
            savings: each().map(|code| SavingsSpec::active(code, SAVINGS_MINOR)).collect(),
            loans: loans.collect(),
        }
    }
}

/// A savings account. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavingsSpec {
    /// The account number; if none, nine digits of the id.
    #[serde(default)]
    pub account_no: Option<String>,
    /// The external id; empty if none.
    #[serde(default)]
    pub external_id: String,
    /// The ledger balance at the start.
    #[serde(default)]
    pub balance_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The status (`fineract.md` §9.1): 300 is active.
    #[serde(default = "active")]
    pub status: u16,
    /// The sub-status: 0 none, 400 block, 500 block credit, 600 block debit.
    #[serde(default)]
    pub sub_status: u16,
    /// Kept back from withdrawals.
    #[serde(default)]
    pub minimum_minor: i64,
    /// The amount by which withdrawals may overdraw; `None`: not at all.
    #[serde(default)]
    pub overdraft_limit_minor: Option<i64>,
    /// Charged with every withdrawal.
    #[serde(default)]
    pub withdrawal_fee_minor: i64,
    /// Withdrawals before this day are refused.
    #[serde(default)]
    pub locked_in_until: Option<Date>,
    /// The day on which it was activated; a year ago if not said.
    #[serde(default)]
    pub activated_on: Option<Date>,
}

impl SavingsSpec {
    /// An ordinary active account.
    pub fn active(currency: &str, balance_minor: i64) -> Self {
        Self {
            account_no: None,
            external_id: String::new(),
            balance_minor,
            currency: currency.to_owned(),
            status: active(),
            sub_status: 0,
            minimum_minor: 0,
            overdraft_limit_minor: None,
            withdrawal_fee_minor: 0,
            locked_in_until: None,
            activated_on: None,
        }
    }
}

const fn active() -> u16 {
    300
}

/// A loan. Amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoanSpec {
    /// The account number; if none, nine digits of the id.
    #[serde(default)]
    pub account_no: Option<String>,
    /// The external id; empty if none.
    #[serde(default)]
    pub external_id: String,
    /// The amount that was applied for.
    pub principal_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The status of the loan.
    pub status: LoanStatus,
    /// The interest that is charged at disbursement, as one sum.
    #[serde(default)]
    pub interest_minor: i64,
    /// The part of principal and interest that is still owed, for an active loan; all if not said.
    #[serde(default)]
    pub outstanding_minor: Option<i64>,
    /// The day on which it was submitted, and approved and disbursed if so; a year ago if not said.
    #[serde(default)]
    pub opened_on: Option<Date>,
    /// The product's id.
    #[serde(default = "weekly")]
    pub product: u64,
    /// The day on which it is to be paid out; on the day of its approval if not said.
    #[serde(default)]
    pub expected_on: Option<Date>,
    /// True if it is paid out in tranches. Only shown.
    #[serde(default)]
    pub tranches: bool,
    /// The amount that is kept back when it is paid out. Only shown.
    #[serde(default)]
    pub kept_back_minor: i64,
}

const fn weekly() -> u64 {
    2
}

impl LoanSpec {
    /// An ordinary loan without interest.
    pub fn new(status: LoanStatus, currency: &str, principal_minor: i64) -> Self {
        Self {
            account_no: None,
            external_id: String::new(),
            principal_minor,
            currency: currency.to_owned(),
            status,
            interest_minor: 0,
            outstanding_minor: None,
            opened_on: None,
            product: weekly(),
            expected_on: None,
            tranches: false,
            kept_back_minor: 0,
        }
    }
}

/// The progress of a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoanStatus {
    /// Submitted, waiting for approval.
    Pending,
    /// Approved, waiting for disbursal.
    Approved,
    /// Paid out.
    Active,
}

/// The ids of what was opened, in the order of the specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientIds {
    /// The client.
    pub client: u64,
    /// The savings accounts.
    pub savings: Vec<u64>,
    /// The loans.
    pub loans: Vec<u64>,
}

/// The reason that a client cannot be opened; nothing was opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Another client or account has that name.
    #[error("the {what} `{name}` is taken")]
    Taken {
        /// The kind of name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Not an ISO 4217 code.
    #[error("`{0}` is not a currency")]
    Currency(String),
    /// An amount is negative, or more is owed than was lent.
    #[error("an amount of the specification makes no sense")]
    Amount,
    /// The tenant is not among the options.
    #[error("there is no tenant `{0}`")]
    Tenant(String),
}

impl Bank {
    /// Opens a client with accounts.
    pub(crate) fn open_client(
        &mut self,
        spec: &ClientSpec,
        today: Date,
    ) -> Result<ClientIds, OpenError> {
        self.check(spec)?;
        let id = next_id(&self.clients);
        let a_year_ago = today.checked_sub(jiff::Span::new().years(1)).unwrap_or(today);
        let account_no = format!("{id:09}");
        self.names.client_account_no.insert(account_no.clone(), id);
        name(&mut self.names.client_external_id, &spec.external_id, id);
        name(&mut self.names.client_mobile_no, &spec.mobile_no, id);
        self.clients.push(Client {
            id,
            account_no,
            external_id: spec.external_id.clone(),
            name: spec.name.clone(),
            mobile_no: spec.mobile_no.clone(),
            active: !spec.closed,
            activated_on: a_year_ago,
            savings: Vec::new(),
            loans: Vec::new(),
        });
        let savings = spec.savings.iter().map(|account| self.open_savings(account, id, a_year_ago));
        let savings = savings.collect::<Result<Vec<u64>, OpenError>>()?;
        let loans = spec.loans.iter().map(|loan| self.open_loan(loan, id, a_year_ago));
        let loans = loans.collect::<Result<Vec<u64>, OpenError>>()?;
        if let Some(client) = row_mut(&mut self.clients, id) {
            client.savings.clone_from(&savings);
            client.loans.clone_from(&loans);
        }
        Ok(ClientIds { client: id, savings, loans })
    }

    /// Refuses names that are taken and amounts that make no sense, before anything is opened.
    fn check(&self, spec: &ClientSpec) -> Result<(), OpenError> {
        let names = &self.names;
        free(&names.client_external_id, "external id", &spec.external_id)?;
        free(&names.client_mobile_no, "mobile number", &spec.mobile_no)?;
        let mut seen = std::collections::BTreeSet::new();
        for account in &spec.savings {
            currency(&account.currency)?;
            free(&names.savings_external_id, "external id", &account.external_id)?;
            free(
                &names.savings_account_no,
                "account number",
                account.account_no.as_deref().unwrap_or(""),
            )?;
            distinct(&mut seen, 's', &account.external_id, account.account_no.as_deref())?;
            let amounts =
                [account.minimum_minor, account.withdrawal_fee_minor, account.balance_minor];
            if amounts.iter().any(|amount| *amount < 0) {
                return Err(OpenError::Amount);
            }
        }
        for loan in &spec.loans {
            currency(&loan.currency)?;
            free(&names.loan_external_id, "external id", &loan.external_id)?;
            free(
                &names.loan_account_no,
                "account number",
                loan.account_no.as_deref().unwrap_or(""),
            )?;
            distinct(&mut seen, 'l', &loan.external_id, loan.account_no.as_deref())?;
            let lent = loan.principal_minor.saturating_add(loan.interest_minor);
            let owed = loan.outstanding_minor.unwrap_or(lent);
            if loan.principal_minor <= 0 || loan.interest_minor < 0 || !(0..=lent).contains(&owed) {
                return Err(OpenError::Amount);
            }
        }
        Ok(())
    }

    fn open_savings(
        &mut self,
        spec: &SavingsSpec,
        client_id: u64,
        a_year_ago: Date,
    ) -> Result<u64, OpenError> {
        let id = next_id(&self.savings);
        let account_no = spec.account_no.clone().unwrap_or_else(|| format!("{id:09}"));
        self.names.savings_account_no.insert(account_no.clone(), id);
        name(&mut self.names.savings_external_id, &spec.external_id, id);
        let activated_on = spec.activated_on.unwrap_or(a_year_ago);
        self.savings.push(Savings {
            id,
            account_no,
            external_id: spec.external_id.clone(),
            client_id,
            currency: currency(&spec.currency)?,
            status: spec.status,
            sub_status: spec.sub_status,
            activated_on,
            locked_in_until: spec.locked_in_until,
            opening: spec.balance_minor,
            balance: 0,
            on_hold: 0,
            minimum: spec.minimum_minor,
            enforce_minimum: spec.minimum_minor > 0,
            overdraft_limit: spec.overdraft_limit_minor,
            withdrawal_fee: spec.withdrawal_fee_minor,
            totals: Totals::default(),
            by_date: std::collections::BTreeSet::new(),
        });
        if spec.balance_minor > 0 {
            self.add_savings_row(opening_deposit(id, activated_on, spec.balance_minor));
        }
        Ok(id)
    }

    fn open_loan(
        &mut self,
        spec: &LoanSpec,
        client_id: u64,
        a_year_ago: Date,
    ) -> Result<u64, OpenError> {
        let id = next_id(&self.loans);
        let account_no = spec.account_no.clone().unwrap_or_else(|| format!("{id:09}"));
        self.names.loan_account_no.insert(account_no.clone(), id);
        name(&mut self.names.loan_external_id, &spec.external_id, id);
        let opened_on = spec.opened_on.unwrap_or(a_year_ago);
        let (status, approved) = match spec.status {
            LoanStatus::Pending => (100, false),
            LoanStatus::Approved | LoanStatus::Active => (200, true),
        };
        self.loans.push(Loan {
            id,
            account_no,
            external_id: spec.external_id.clone(),
            client_id,
            currency: currency(&spec.currency)?,
            status,
            submitted_on: opened_on,
            approved_on: approved.then_some(opened_on),
            disbursed_on: None,
            approved: spec.principal_minor,
            product: spec.product,
            expected_on: spec.expected_on,
            tranches: spec.tranches,
            kept_back: spec.kept_back_minor,
            interest: spec.interest_minor,
            opening: 0,
            state: loans::State::default(),
            by_date: std::collections::BTreeSet::new(),
        });
        if spec.status == LoanStatus::Active {
            self.open_active_loan(spec, id, opened_on);
        }
        Ok(id)
    }

    fn open_active_loan(&mut self, spec: &LoanSpec, id: u64, opened_on: Date) {
        let lent = spec.principal_minor + spec.interest_minor;
        let paid = lent - spec.outstanding_minor.unwrap_or(lent);
        self.add_loan_row(opening_row(
            id,
            loans::Kind::Disbursement,
            opened_on,
            spec.principal_minor,
        ));
        if paid > 0 {
            self.add_loan_row(opening_row(id, loans::Kind::Repayment, opened_on, paid));
        }
        if let Some(loan) = row_mut(&mut self.loans, id) {
            loan.disbursed_on = Some(opened_on);
            loan.opening = loan.balance();
        }
    }
}

fn opening_deposit(account: u64, date: Date, amount: i64) -> SavingsTransaction {
    SavingsTransaction {
        id: 0,
        account,
        kind: savings::Kind::Deposit,
        date,
        submitted_on: date,
        amount,
        running_balance: 0,
        reversed: false,
        is_reversal: false,
        original: 0,
        release: 0,
        payment: None,
        note: String::new(),
        reason: String::new(),
        external_id: String::new(),
        submitted_by: "mifos".to_owned(),
    }
}

fn opening_row(loan: u64, kind: loans::Kind, date: Date, amount: i64) -> LoanTransaction {
    LoanTransaction {
        id: 0,
        loan,
        origin: 0,
        kind,
        date,
        submitted_on: date,
        amount,
        portions: Portions::default(),
        balance: 0,
        external_id: String::new(),
        reversal_external_id: String::new(),
        manually_reversed: false,
        reversed_on: None,
        payment: None,
    }
}

type Index = std::collections::BTreeMap<String, u64>;

fn name(index: &mut Index, text: &str, id: u64) {
    if !text.is_empty() {
        index.insert(text.to_owned(), id);
    }
}

fn free(index: &Index, what: &'static str, text: &str) -> Result<(), OpenError> {
    if index.contains_key(text) {
        return Err(OpenError::Taken { what, name: text.to_owned() });
    }
    Ok(())
}

/// Two accounts of one specification must not share a name either.
fn distinct(
    seen: &mut std::collections::BTreeSet<(char, bool, String)>,
    kind: char,
    external_id: &str,
    account_no: Option<&str>,
) -> Result<(), OpenError> {
    let names = [(true, external_id), (false, account_no.unwrap_or(""))];
    for (external, text) in names.into_iter().filter(|(_, text)| !text.is_empty()) {
        if !seen.insert((kind, external, text.to_owned())) {
            let what = if external { "external id" } else { "account number" };
            return Err(OpenError::Taken { what, name: text.to_owned() });
        }
    }
    Ok(())
}

fn currency(code: &str) -> Result<Currency, OpenError> {
    Currency::from_code(code).map_err(|_| OpenError::Currency(code.to_owned()))
}
