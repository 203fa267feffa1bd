//! Lists of what a key can see.

use kiungo_engine::request::ProviderStatus;
use kiungo_store::{
    Action, ActionQuery, CaseRow, CoreRequestQuery, CoreRequestRow, Cursor, Page, StoreError,
    Summary, TransferQuery,
};

use super::{Matter, Scope};
use crate::problem::Problem;
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

    /// Transfers.
    pub async fn search(&self, query: TransferQuery) -> Result<Page<Summary>, StoreError> {
        self.service.store().search(&self.scope.narrow(query)).await
    }

    /// Providers.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let mut providers = self.service.providers();
        providers.retain(|provider| self.scope.sees_provider(provider).is_ok());
        providers
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
    pub async fn core_requests(
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
