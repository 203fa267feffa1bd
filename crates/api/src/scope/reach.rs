//! Lists of what a key can see.

use kiungo_domain::{CoreId, ProviderId, Receipt};
use kiungo_engine::request::ProviderStatus;
use kiungo_store::{
    Action, ActionQuery, CaseRow, CoreRequestQuery, CoreRequestRow, Cursor, Page, StoreError,
    Summary, TransferQuery,
};

use super::{Matter, Scope};
use crate::problem::{MemberError, Problem};
use crate::service::Service;

/// Pages that are read for one page: a key that sees next to nothing must not have a whole table read
/// by one request. The page is short then, or empty, and says where the next one begins.
const READS_MAX: u32 = 20;

/// The part of lists that a key can see.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    service: &'a dyn Service,
    scope: &'a Scope,
}

impl<'a> Reach<'a> {
    /// The lists of `service`, as far as `scope` goes.
    pub const fn new(service: &'a dyn Service, scope: &'a Scope) -> Self {
        Self { service, scope }
    }

    /// Transfers. A receipt is looked for as it is given and then in upper case, as providers print
    /// theirs and people do not always type them.
    ///
    /// # Errors
    /// A provider that is not configured and has left no transfers behind: an empty list would say that
    /// it is there.
    pub async fn search(&self, query: TransferQuery) -> Result<Page<Summary>, Problem> {
        let page = self.found(query.clone()).await?;
        if !is_empty(&page) {
            return Ok(page);
        }
        if let Some(receipt) = in_upper_case(query.receipt.as_ref()) {
            let page =
                self.found(TransferQuery { receipt: Some(receipt), ..query.clone() }).await?;
            if !is_empty(&page) {
                return Ok(page);
            }
        }
        match &query.provider {
            Some(provider) if query.cursor.is_none() => self.check_provider(provider)?,
            Some(_) | None => {}
        }
        Ok(page)
    }

    async fn found(&self, query: TransferQuery) -> Result<Page<Summary>, StoreError> {
        self.service.store().search(&self.scope.narrow(query)).await
    }

    /// Providers.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let mut providers = self.service.providers();
        providers.retain(|provider| self.scope.sees_provider(provider).is_ok());
        providers
    }

    fn check_provider(&self, id: &ProviderId) -> Result<(), Problem> {
        let known = self.providers().into_iter().map(|provider| provider.id);
        check_name("provider", id.as_str(), known.map(String::from))
    }

    fn check_core(&self, id: &CoreId) -> Result<(), Problem> {
        let known = self.service.cores().into_iter();
        let known = known.filter(|core| self.scope.sees_core(core).is_ok());
        check_name("core", id.as_str(), known.map(String::from))
    }

    /// Open cases.
    pub async fn cases(
        &self,
        cursor: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        let mut next = cursor;
        for _ in 0..READS_MAX {
            let mut page = self.service.store().cases(next.as_ref(), limit).await?;
            if self.scope.is_everything() {
                return Ok(page);
            }
            let mut rows = Vec::new();
            for row in page.rows {
                if self.sees_case(&row).await? {
                    rows.push(row);
                }
            }
            page = Page { rows, next: page.next };
            if !page.rows.is_empty() || page.next.is_none() {
                return Ok(page);
            }
            next = page.next;
        }
        Ok(Page { rows: Vec::new(), next })
    }

    /// Actions of persons.
    pub async fn actions(&self, mut query: ActionQuery) -> Result<Page<Action>, Problem> {
        for _ in 0..READS_MAX {
            let page = self.service.store().actions(&query).await?;
            let mut rows = Vec::new();
            for row in page.rows {
                if self.scope.is_everything()
                    || self.scope.sees_action(self.service, row.id).await?
                {
                    rows.push(row);
                }
            }
            if !rows.is_empty() || page.next.is_none() {
                return Ok(Page { rows, next: page.next });
            }
            query.cursor = page.next;
        }
        Ok(Page { rows: Vec::new(), next: query.cursor })
    }

    /// Requests of cores.
    ///
    /// # Errors
    /// A core that is not configured and has left none of these behind.
    pub async fn core_requests(
        &self,
        query: CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, Problem> {
        let core = query.core.clone().filter(|_| query.cursor.is_none());
        let page = self.core_requests_found(query).await?;
        match core {
            Some(core) if is_empty(&page) => self.check_core(&core)?,
            Some(_) | None => {}
        }
        Ok(page)
    }

    async fn core_requests_found(
        &self,
        mut query: CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, Problem> {
        for _ in 0..READS_MAX {
            let page = self.service.store().core_requests(&query).await?;
            let mut rows = Vec::new();
            for row in page.rows {
                if self.scope.is_everything() || self.scope.sees_core_request(&row)? {
                    rows.push(row);
                }
            }
            if !rows.is_empty() || page.next.is_none() {
                return Ok(Page { rows, next: page.next });
            }
            query.cursor = page.next;
        }
        Ok(Page { rows: Vec::new(), next: query.cursor })
    }

    async fn sees_case(&self, row: &CaseRow) -> Result<bool, StoreError> {
        let Some(id) = row.transfer else {
            let providers = self.service.providers();
            let provider = providers.iter().find(|provider| provider.id == row.provider);
            return Ok(provider.is_some_and(|provider| self.scope.sees_arrival(provider).is_ok()));
        };
        let summary = self.service.store().summary(id).await?;
        Ok(summary.is_some_and(|summary| self.scope.sees(&Matter::of(&summary)).is_ok()))
    }
}

/// True of a list that has nothing, on no page.
fn is_empty<T>(page: &Page<T>) -> bool {
    page.rows.is_empty() && page.next.is_none()
}

/// The receipt in upper case, if that is another one.
fn in_upper_case(receipt: Option<&Receipt>) -> Option<Receipt> {
    let receipt = receipt?;
    let upper = Receipt::new(&receipt.as_str().to_uppercase()).ok();
    upper.filter(|upper| upper != receipt)
}

/// Refuses a name that is none of those that the caller may know, and says which they are.
fn check_name(
    parameter: &str,
    name: &str,
    known: impl Iterator<Item = String>,
) -> Result<(), Problem> {
    let known: Vec<String> = known.collect();
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let why = format!("no {parameter} `{name}` is configured; there is {known}");
    Err(Problem::invalid(vec![MemberError::parameter(parameter, why)]))
}
