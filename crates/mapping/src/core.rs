//! `[core]`: the rules by which this provider's transfers are booked.

use std::collections::BTreeMap;

use kiungo_domain::CoreId;
use kiungo_domain::policy::OnCoreRejection;
use kiungo_domain::transfer::{ByOperation, Operation};
use kiungo_settings::{Item, Table};

use crate::inquiry::InquirySettings;
use crate::operations;

/// The rules by which this provider's transfers are booked in a core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreRules {
    payment_type: Option<u64>,
    payment_types: BTreeMap<CoreId, u64>,
    holder_must_match: ByOperation<bool>,
    /// The treatment of money that was received and that the core refuses.
    pub on_core_rejection: OnCoreRejection,
    /// The settings for inquiries about core operations of this provider, where they differ from
    /// the core's own.
    pub inquiry: InquirySettings,
}

impl Default for CoreRules {
    fn default() -> Self {
        Self {
            payment_type: None,
            payment_types: BTreeMap::new(),
            on_core_rejection: OnCoreRejection::Suspense,
            holder_must_match: operations::holder_must_match(),
            inquiry: InquirySettings::default(),
        }
    }
}

impl CoreRules {
    /// The payment type under which this core books the provider's transfers; `None` if the mapping
    /// names none and the core's own default applies.
    pub fn payment_type(&self, core: &CoreId) -> Option<u64> {
        self.payment_types.get(core).copied().or(self.payment_type)
    }

    /// True if the account's holder in the core must have the wallet's number, where this operation
    /// moves the money of a transfer on the wallet.
    pub fn holder_must_match(&self, operation: Operation) -> bool {
        self.holder_must_match.get(operation).copied().unwrap_or(false)
    }

    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let mut rules = Self::default();
        let Some(mut table) = root.table("core") else { return rules };
        let ids = 1..=u64::from(u32::MAX);
        rules.payment_type = table.get("payment_type").and_then(|item| item.integer(ids.clone()));
        if let Some(types) = table.table("payment_types") {
            for (name, item) in types.free_entries() {
                let core = CoreId::new(&name)
                    .map_err(|_| item.problem("a core's name is 1 to 32 of a-z, 0-9 and -"));
                if let (Ok(core), Some(id)) = (core, item.integer(ids.clone())) {
                    rules.payment_types.insert(core, id);
                }
            }
        }
        let choices =
            [("suspense", OnCoreRejection::Suspense), ("refund", OnCoreRejection::Refund)];
        if let Some(choice) = table.get("on_core_rejection").and_then(|item| item.choice(&choices))
        {
            rules.on_core_rejection = choice;
        }
        if let Some(item) = table.get("holder_must_match") {
            read_holder_rules(&item, &mut rules.holder_must_match);
        }
        if let Some(mut inquiry) = table.table("inquiry") {
            rules.inquiry = InquirySettings::read(&mut inquiry);
            inquiry.finish();
        }
        table.finish();
        rules
    }
}

/// Reads `holder_must_match` over the defaults that stand in `rules`.
fn read_holder_rules(item: &Item<'_>, rules: &mut ByOperation<bool>) {
    if item.is_boolean() {
        let setting =
            |(operation, rule): (Operation, &bool)| format!("{} = {rule}", operation.as_str());
        let settings = rules.iter().map(setting).collect::<Vec<_>>().join(", ");
        item.problem(format!("has a setting for each operation: write {{ {settings} }}"));
        return;
    }
    let Some(mut table) = item.table() else { return };
    for (operation, rule) in rules.iter_mut() {
        if let Some(value) = table.get(operation.as_str()).and_then(|item| item.boolean()) {
            *rule = value;
        }
    }
    table.finish();
}
