//! `[core]`: the rules by which this provider's transfers are booked.

use std::collections::BTreeMap;

use kiungo_domain::policy::OnCoreRejection;
use kiungo_domain::{CoreId, Kind};

use crate::inquiry::InquirySettings;
use crate::read::{Item, Table};

/// The rules by which this provider's transfers are booked in a core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreRules {
    payment_type: Option<u64>,
    payment_types: BTreeMap<CoreId, u64>,
    /// The treatment of money that was received and that the core refuses.
    pub on_core_rejection: OnCoreRejection,
    /// Says when the account's holder in the core must have the wallet's number.
    pub holder_must_match: HolderMustMatch,
    /// The settings for inquiries about core operations of this provider, where they differ from
    /// the core's own.
    pub inquiry: InquirySettings,
}

/// Says when the account's holder in the core must have the wallet's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderMustMatch {
    /// True if they must match when a wallet pays. Default false: people pay for others.
    pub collect: bool,
    /// True if they must match when a wallet is paid. Default true: money paid to a stranger does
    /// not come back.
    pub pay_out: bool,
}

impl Default for HolderMustMatch {
    fn default() -> Self {
        Self { collect: false, pay_out: true }
    }
}

impl HolderMustMatch {
    /// The setting for this kind of transfer.
    pub const fn of(self, kind: Kind) -> bool {
        if kind.is_inbound() { self.collect } else { self.pay_out }
    }

    fn read(item: &Item<'_>) -> Self {
        let mut setting = Self::default();
        if item.is_boolean() {
            item.problem(
                "is two settings now, for both directions: write { collect = false, pay_out = true }",
            );
            return setting;
        }
        let Some(mut table) = item.table() else { return setting };
        if let Some(value) = table.get("collect").and_then(|item| item.boolean()) {
            setting.collect = value;
        }
        if let Some(value) = table.get("pay_out").and_then(|item| item.boolean()) {
            setting.pay_out = value;
        }
        table.finish();
        setting
    }
}

impl Default for CoreRules {
    fn default() -> Self {
        Self {
            payment_type: None,
            payment_types: BTreeMap::new(),
            on_core_rejection: OnCoreRejection::Suspense,
            holder_must_match: HolderMustMatch::default(),
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
            rules.holder_must_match = HolderMustMatch::read(&item);
        }
        if let Some(mut inquiry) = table.table("inquiry") {
            rules.inquiry = InquirySettings::read(&mut inquiry);
            inquiry.finish();
        }
        table.finish();
        rules
    }
}
