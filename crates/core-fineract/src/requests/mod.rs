//! Reads the payouts that the core asks for: approved loans, and rows of a data table in which
//! staff request withdrawals (`fineract.md` §10.1, §14; data tables as in the published API).
//!
//! * `loans`: approved loans
//! * `withdrawals`: the rows of the table
//! * `tables`: fields of data tables
//! * `examine`: whether the core has the tables and columns that rules name
//! * `hook`: the hints of webhooks

mod examine;
mod hook;
mod loans;
mod tables;
mod withdrawals;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use kiungo_core_banking::{
    CoreRequest, CoreRequests, Facts, Hint, PageMark, RawHook, RequestId, RequestPage,
    RequestsError,
};
use kiungo_domain::Timestamp;

use crate::calendar::day;
use crate::client::{Client, ReadError};
use crate::fineract::Fineract;
use crate::wire::RequestOwner;

/// Rows of a page: what the core shows at most when it is not told otherwise.
const PAGE_ROWS: u64 = 200;

/// The kinds of requests to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// Approved loans.
    pub disbursements: bool,
    /// The data table in which withdrawals are requested.
    pub withdrawals: Option<WithdrawalTable>,
    /// Further data tables whose fields rules ask for.
    pub tables: BTreeSet<DataTable>,
    /// The columns that rules name, of these tables and of the one of withdrawals. They are only looked
    /// for, by [`Requests::examine`].
    pub columns: BTreeSet<(DataTable, String)>,
}

/// A data table of savings accounts in which each row is a request to pay money out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalTable {
    /// The name of the table. It has many rows for an account (`multiRow`).
    pub name: String,
    /// The column with the amount.
    pub amount: String,
    /// The column that says how far the request has come.
    pub state: String,
    /// The value of the column while the request is open.
    pub open: String,
}

/// A data table whose fields rules ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataTable {
    /// True if it belongs to clients; otherwise it belongs to the accounts themselves.
    pub of_client: bool,
    /// Its name.
    pub name: String,
}

/// A Fineract tenant that can be asked what it wants paid out.
pub struct Requests {
    fineract: Arc<Fineract>,
    options: RequestOptions,
}

/// The subject of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Loan(u64),
    Withdrawal { account: u64, row: u64 },
}

/// The start of a page; a part that is `None` has been listed to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    /// The number of loans before this page.
    loans: Option<u64>,
    /// The number of pages of the table before this one.
    withdrawals: Option<u64>,
}

impl Requests {
    /// Asks through `fineract`.
    pub const fn new(fineract: Arc<Fineract>, options: RequestOptions) -> Self {
        Self { fineract, options }
    }

    fn client(&self) -> &Client {
        self.fineract.client()
    }

    /// The day by the tenant's calendar.
    async fn today(&self, at: Timestamp) -> Result<Date, RequestsError> {
        let business_date = self.fineract.business_date().await.map_err(failed)?;
        Ok(business_date.unwrap_or_else(|| day(at, &self.client().settings.zone)))
    }

    /// Adds what the owner's record and the data tables say.
    async fn complete(
        &self,
        facts: &mut Facts,
        account: u64,
        is_loan: bool,
        client_id: Option<u64>,
    ) -> Result<(), ReadError> {
        if let Some(id) = client_id {
            let owner: RequestOwner = self.client().read(&format!("/api/v1/clients/{id}")).await?;
            facts.phone = owner.mobile_no.get().map(str::to_owned);
            facts.office = facts.office.or(owner.office_id);
        }
        for table in &self.options.tables {
            let id = if table.of_client { client_id } else { is_loan.then_some(account) };
            let Some(id) = id else { continue };
            facts.fields.extend(tables::fields(self.client(), table, id).await?);
        }
        facts.complete = true;
        Ok(())
    }
}

#[async_trait]
impl CoreRequests for Requests {
    async fn list(
        &self,
        after: Option<&PageMark>,
        at: Timestamp,
    ) -> Result<RequestPage, RequestsError> {
        let first = Place {
            loans: self.options.disbursements.then_some(0),
            withdrawals: self.options.withdrawals.as_ref().map(|_| 0),
        };
        let place = after.map_or(first, Place::read);
        let loans = async {
            match place.loans {
                Some(offset) => Some(self.approved_loans(offset, at).await),
                None => None,
            }
        };
        let withdrawals = async {
            match (place.withdrawals, &self.options.withdrawals) {
                (Some(page), Some(table)) => {
                    Some(withdrawals::page(self.client(), table, page).await)
                }
                _ => None,
            }
        };
        let (loans, withdrawals) = (loans.await, withdrawals.await);
        // A kind that cannot be listed does not hide the requests of the other kind.
        let (failed, loans, withdrawals) = match (loans, withdrawals) {
            (Some(Err(error)), None | Some(Err(_))) | (None, Some(Err(error))) => {
                return Err(error);
            }
            (Some(Err(error)), Some(Ok(rows))) => (Some(error), None, Some(rows)),
            (Some(Ok(loans)), Some(Err(error))) => (Some(error), Some(loans), None),
            (loans, withdrawals) => {
                (None, loans.and_then(Result::ok), withdrawals.and_then(Result::ok))
            }
        };
        let (loans, offset) = loans.unwrap_or_default();
        let (rows, page) = withdrawals.unwrap_or_default();
        let next = Place { loans: offset, withdrawals: page };
        let next = (next != Place::default()).then(|| next.mark());
        Ok(RequestPage { listed: in_turns(rows, loans), next, failed })
    }

    async fn read(
        &self,
        id: &RequestId,
        at: Timestamp,
    ) -> Result<Option<CoreRequest>, RequestsError> {
        match Subject::of(id) {
            Some(Subject::Loan(loan)) if self.options.disbursements => {
                self.approved_loan(loan, at).await
            }
            Some(Subject::Withdrawal { account, row }) => match &self.options.withdrawals {
                Some(table) => self.requested_withdrawal(table, account, row).await,
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn hint(&self, hook: &RawHook) -> Hint {
        hook::hint(&self.client().settings.options.tenant, &self.options, hook)
    }
}

impl Subject {
    fn of(id: &RequestId) -> Option<Self> {
        let (kind, rest) = id.as_str().split_once('-')?;
        match kind {
            "loan" => Some(Self::Loan(number(rest)?)),
            "withdrawal" => {
                let (account, row) = rest.split_once('-')?;
                Some(Self::Withdrawal { account: number(account)?, row: number(row)? })
            }
            _ => None,
        }
    }

    fn id(self) -> Result<RequestId, RequestsError> {
        let text = match self {
            Self::Loan(loan) => format!("loan-{loan}"),
            Self::Withdrawal { account, row } => format!("withdrawal-{account}-{row}"),
        };
        RequestId::new(&text).map_err(|error| RequestsError(error.to_string()))
    }
}

/// A number as we write it: one request has one name.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl Place {
    /// A mark that cannot be read begins at the first page.
    fn read(mark: &PageMark) -> Self {
        let number = |kind: &str| {
            let parts = mark.0.split(',').filter_map(|part| part.split_once(':'));
            let mut numbers = parts.filter(|(name, _)| *name == kind);
            numbers.next().and_then(|(_, number)| number.parse().ok())
        };
        Self { loans: number("loans"), withdrawals: number("withdrawals") }
    }

    fn mark(self) -> PageMark {
        let part =
            |kind: &str, number: Option<u64>| number.map(|number| format!("{kind}:{number}"));
        let parts = [part("loans", self.loans), part("withdrawals", self.withdrawals)];
        PageMark(parts.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

/// Takes the two lists in turns, and then the rest of the longer one.
fn in_turns<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut all = Vec::with_capacity(one.len() + other.len());
    while one.len() + other.len() > 0 {
        all.extend(one.next().into_iter().chain(other.next()));
    }
    all
}

/// The error of a read that brought no usable answer.
fn failed(error: ReadError) -> RequestsError {
    RequestsError(error.why())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_name() {
        for subject in [Subject::Loan(7), Subject::Withdrawal { account: 34, row: 5 }] {
            assert_eq!(Subject::of(&subject.id().unwrap()), Some(subject));
        }
        for text in
            ["loan-07", "loan-", "loan", "loan-7-1", "withdrawal-3", "withdrawal-3-04", "x-1"]
        {
            assert_eq!(Subject::of(&RequestId::new(text).unwrap()), None, "{text}");
        }
    }

    #[test]
    fn a_mark_leads_back_to_its_place() {
        for (loans, withdrawals) in [(Some(400), None), (None, Some(2)), (Some(200), Some(1))] {
            let place = Place { loans, withdrawals };
            assert_eq!(Place::read(&place.mark()), place);
        }
        assert_eq!(Place::read(&PageMark("loans".to_owned())), Place::default());
    }

    #[test]
    fn few_of_one_kind_do_not_wait_for_many_of_another() {
        assert_eq!(in_turns(vec![1, 2], vec![10, 20, 30, 40]), [1, 10, 2, 20, 30, 40]);
        assert_eq!(in_turns(vec![], vec![10]), [10]);
    }
}
