//! Withdrawals that staff request by a row in a data table of the savings account. A withdrawal that
//! is booked in the core already is no request: the money has left the account, and Kiungo would
//! book it a second time.

use bytes::Bytes;
use kiungo_core_banking::{CoreRequest, Facts, Listed, RequestKind, RequestsError};
use kiungo_domain::{AccountKind, CoreAccount, Currency, Money};
use kiungo_transport::percent::segment;
use serde_json::json;

use super::tables::{self, Row};
use super::{PAGE_ROWS, Requests, Subject, WithdrawalTable, failed};
use crate::client::{Client, ReadError};
use crate::wire::{Decimal, RequestedSavings};

/// The columns that every data table of savings accounts with many rows has.
const ROW: &str = "id";
const ACCOUNT: &str = "savings_account_id";

/// A page of the table's open rows, newest first, and the number of the next page.
pub(super) async fn page(
    client: &Client,
    table: &WithdrawalTable,
    page: u64,
) -> Result<(Vec<Listed>, Option<u64>), RequestsError> {
    let body = json!({
        "request": {
            "columnFilters": [{
                "column": table.state,
                "filters": [{"operator": "EQ", "values": [table.open]}],
            }],
            "resultColumns": [ROW, ACCOUNT],
        },
        "page": page,
        "size": PAGE_ROWS,
        "sorts": [{"direction": "DESC", "property": ROW}],
        "locale": "en",
        "dateFormat": "yyyy-MM-dd",
    });
    let path = format!("/api/v1/datatables/{}/query", segment(&table.name));
    let answer = client
        .search(&path, Bytes::from(body.to_string()))
        .await
        .map_err(|error| RequestsError(format!("data table {}: {}", table.name, error.why())))?;
    let rows = answer
        .page::<Row>()
        .map_err(|error| RequestsError(format!("data table {}: {}", table.name, error.why())))?;
    let shown = u64::try_from(rows.items.len()).unwrap_or(u64::MAX);
    let behind = page.saturating_mul(PAGE_ROWS).saturating_add(shown);
    let more = shown > 0 && rows.total.map_or(shown >= PAGE_ROWS, |total| behind < total);
    let named = |row: &Row| {
        let number = |column| tables::text(row, column).and_then(|text| text.parse().ok());
        let (Some(account), Some(row)) = (number(ACCOUNT), number(ROW)) else {
            return Err(RequestsError(format!(
                "data table {}: a row without {ROW} and {ACCOUNT}",
                table.name
            )));
        };
        Ok(Listed { id: Subject::Withdrawal { account, row }.id()?, request: None })
    };
    let listed = rows.items.iter().map(named).collect::<Result<Vec<_>, _>>()?;
    Ok((listed, more.then(|| page.saturating_add(1))))
}

impl Requests {
    /// A row of the table with all its facts; `None` if it is not open.
    pub(super) async fn requested_withdrawal(
        &self,
        table: &WithdrawalTable,
        account: u64,
        row: u64,
    ) -> Result<Option<CoreRequest>, RequestsError> {
        let path = format!("/api/v1/datatables/{}/{account}/{row}", segment(&table.name));
        let rows = match self.client().read_page::<Row>(&path).await {
            Ok(rows) => rows.items,
            Err(ReadError::NotFound { .. }) => return Ok(None),
            Err(error) => {
                return Err(RequestsError(format!("data table {}: {}", table.name, error.why())));
            }
        };
        let number = Some(row.to_string());
        let Some(found) = rows.into_iter().find(|found| tables::text(found, ROW) == number) else {
            return Ok(None);
        };
        let is_open = tables::text(&found, &table.state).as_deref() == Some(table.open.as_str());
        let belongs = tables::text(&found, ACCOUNT) == Some(account.to_string());
        if !is_open || !belongs {
            return Ok(None);
        }
        let Some(savings) = self.savings(account).await? else { return Ok(None) };
        let currency = Currency::from_code(&savings.currency.code)
            .map_err(|error| RequestsError(format!("savings account {account}: {error}")))?;
        let amount = tables::text(&found, &table.amount)
            .and_then(|text| Decimal::parse(&text)?.money(currency))
            .filter(|amount| !amount.is_zero());
        let unreadable =
            || format!("`{}` of the request is no amount of this currency", table.amount);
        let mut facts = Facts {
            product: savings.savings_product_id,
            fields: tables::named(&table.name, false, &found),
            ..Facts::default()
        };
        self.complete(&mut facts, account, false, savings.client_id).await.map_err(failed)?;
        Ok(Some(CoreRequest {
            id: Subject::Withdrawal { account, row }.id()?,
            kind: RequestKind::Withdrawal,
            account: CoreAccount { kind: AccountKind::Savings, id: account },
            account_no: savings.account_no,
            amount: amount.unwrap_or(Money::zero(currency)),
            facts,
            obstacle: amount.is_none().then(unreadable),
        }))
    }

    async fn savings(&self, id: u64) -> Result<Option<RequestedSavings>, RequestsError> {
        let path = format!("/api/v1/savingsaccounts/{id}");
        match self.client().read::<RequestedSavings>(&path).await {
            Ok(account) if account.id == id => Ok(Some(account)),
            Ok(_) => Err(RequestsError("the core answered with another account".to_owned())),
            Err(ReadError::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
