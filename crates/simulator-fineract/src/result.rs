//! The answers to commands (`fineract.md` §3.1).

use super::json::Json;
use super::options::Version;

/// The result of a command; what is missing is not printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandResult {
    pub(crate) client_id: Option<u64>,
    pub(crate) loan_id: Option<u64>,
    pub(crate) savings_id: Option<u64>,
    pub(crate) resource_id: Option<u64>,
    pub(crate) sub_resource_id: Option<u64>,
    pub(crate) changes: Option<Json>,
    pub(crate) resource_external_id: String,
    pub(crate) sub_resource_external_id: String,
    pub(crate) loan_external_id: String,
}

/// The only office.
pub(crate) const OFFICE_ID: u64 = 1;
/// Its name.
pub(crate) const OFFICE_NAME: &str = "Head Office";

impl CommandResult {
    /// The result as JSON, in the core's order.
    pub(crate) fn json(self, version: Version) -> Json {
        let json = Json::object()
            .with("officeId", OFFICE_ID)
            .with_some("clientId", self.client_id)
            .with_some("loanId", self.loan_id)
            .with_some("savingsId", self.savings_id)
            .with_some("resourceId", self.resource_id)
            .with_some("subResourceId", self.sub_resource_id)
            .with_some("changes", self.changes)
            .with_text("resourceExternalId", &self.resource_external_id)
            .with_text("subResourceExternalId", &self.sub_resource_external_id);
        if version >= Version::V1_12 {
            json.with_text("loanExternalId", &self.loan_external_id)
        } else {
            json
        }
    }
}

/// The 200 that means "waits for a second person" (`fineract.md` §3.2).
pub(crate) fn awaiting_approval(command: u64, resource: Option<u64>, version: Version) -> Json {
    let json = Json::object()
        .with("commandId", command)
        .with_some("resourceId", resource)
        .with("rollbackTransaction", true);
    if version >= Version::V1_12 {
        return json;
    }
    json.with("resourceExternalId", Json::object()).with("subResourceExternalId", Json::object())
}
