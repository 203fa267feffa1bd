//! Approved loans.

use jiff::civil::Date;
use kiungo_core_banking::{CoreRequest, Facts, Listed, RequestKind, RequestsError};
use kiungo_domain::{AccountKind, CoreAccount, Currency, Money, Timestamp};
use serde_json::value::RawValue;

use super::{PAGE_ROWS, Requests, Subject, failed};
use crate::client::{ReadError, query};
use crate::wire::RequestedLoan;

/// Approved, not yet paid out (`fineract.md` §10.1).
const APPROVED: u64 = 200;

impl Requests {
    /// A page of approved loans after the first `offset`, and the offset of the next page; `None`
    /// on the last page. A core that does not know the filter by status lists all loans, so loans
    /// that are not approved are left out here.
    pub(super) async fn approved_loans(
        &self,
        offset: u64,
        at: Timestamp,
    ) -> Result<(Vec<Listed>, Option<u64>), RequestsError> {
        let today = self.today(at).await?;
        let (status, from) = (APPROVED.to_string(), offset.to_string());
        let limit = PAGE_ROWS.to_string();
        let filter = query(&[
            ("status", &status),
            ("offset", &from),
            ("limit", &limit),
            ("orderBy", "id"),
            ("sortOrder", "ASC"),
        ]);
        let path = format!("/api/v1/loans?{filter}");
        let page = self.client().read_page::<Box<RawValue>>(&path).await.map_err(failed)?;
        let shown = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
        let behind = offset.saturating_add(shown);
        let more = shown > 0 && page.total.map_or(shown >= PAGE_ROWS, |total| behind < total);
        let listed = page.items.iter().filter_map(|loan| listed(loan.get(), today));
        Ok((listed.collect(), more.then_some(behind)))
    }

    /// An approved loan with all its facts; `None` if it is not approved, or not to be paid out yet.
    pub(super) async fn approved_loan(
        &self,
        id: u64,
        at: Timestamp,
    ) -> Result<Option<CoreRequest>, RequestsError> {
        let read = self.client().read::<RequestedLoan>(&format!("/api/v1/loans/{id}")).await;
        let loan = match read {
            Ok(loan) if loan.id == id => loan,
            Ok(_) => return Err(RequestsError("the core answered with another loan".to_owned())),
            Err(ReadError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if !is_open(&loan, self.today(at).await?) {
            return Ok(None);
        }
        let mut request = request(&loan)?;
        self.complete(&mut request.facts, id, true, loan.client_id).await.map_err(failed)?;
        Ok(Some(request))
    }
}

/// A loan of the list, if it is open. An unreadable loan does not hide the others.
fn listed(loan: &str, today: Date) -> Option<Listed> {
    let read = serde_json::from_str::<RequestedLoan>(loan);
    let read = read.map_err(|error| format!("line {}, column {}", error.line(), error.column()));
    let request = read.and_then(|loan| {
        let open = is_open(&loan, today).then(|| request(&loan));
        open.transpose().map_err(|error| error.0)
    });
    match request {
        Ok(request) => {
            request.map(|request| Listed { id: request.id.clone(), request: Some(request) })
        }
        Err(why) => {
            tracing::warn!(error.message = %why, "a loan in the core's list cannot be read");
            None
        }
    }
}

/// True if it is approved, and the day has come on which it is to be paid out.
fn is_open(loan: &RequestedLoan, today: Date) -> bool {
    let planned = loan.timeline.as_ref().and_then(|days| days.expected_disbursement_date);
    loan.status.id == APPROVED && planned.is_none_or(|planned| planned.0 <= today)
}

fn request(loan: &RequestedLoan) -> Result<CoreRequest, RequestsError> {
    let currency = Currency::from_code(&loan.currency.code)
        .map_err(|error| RequestsError(format!("loan {}: {error}", loan.id)))?;
    let approved = loan.approved_principal.or(loan.principal);
    let amount = approved.and_then(|amount| amount.money(currency));
    let net = loan.net_disbursal_amount.and_then(|amount| amount.money(currency));
    let obstacle = match (amount, net) {
        _ if loan.multi_disburse_loan => {
            Some("the loan is paid out in tranches: disburse it in the core".to_owned())
        }
        (None, _) => Some("the approved amount cannot be read".to_owned()),
        // The saga pays out what the core disburses; here the customer is to get less.
        (Some(amount), Some(net)) if net != amount => Some(format!(
            "charges are kept back at disbursement: {} of {} reach the customer; disburse it in \
             the core",
            net.to_decimal(),
            amount.to_decimal()
        )),
        (Some(_), _) => None,
    };
    Ok(CoreRequest {
        id: Subject::Loan(loan.id).id()?,
        kind: RequestKind::Disbursement,
        account: CoreAccount { kind: AccountKind::Loan, id: loan.id },
        account_no: loan.account_no.clone(),
        amount: amount.unwrap_or(Money::zero(currency)),
        facts: Facts {
            product: loan.loan_product_id,
            office: loan.client_office_id,
            ..Facts::default()
        },
        obstacle,
    })
}
