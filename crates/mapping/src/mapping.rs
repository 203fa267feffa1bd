//! A mapping file as a whole.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use kiungo_domain::numbering::Market;
use kiungo_domain::policy::{Policy, WhenAbsent};
use kiungo_domain::transfer::{ByOperation, Operation};
use kiungo_domain::typed::Reading;
use kiungo_domain::{AccountRef, CoreId, Money, Msisdn, ProviderId, Timestamp};
use kiungo_settings::inherit::{self, Inherited};
use kiungo_settings::{Document, Problem, Problems, Report, Table, print};
use serde::de::DeserializeOwned;

use crate::codes::{CodeTables, StatusTables};
use crate::core::CoreRules;
use crate::day::day_of;
use crate::fees::{self, FeeTable};
use crate::file;
use crate::hours::Hours;
use crate::inquiry::{InquirySettings, Promise};
use crate::money::{Daily, Limits, MoneyFormat, Refusal};
use crate::numbers;
use crate::reference::References;
use crate::traffic::{Callbacks, Traffic};

/// The rules by which Kiungo talks to one provider: a mapping file, checked and compiled.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The file with its parents.
    document: Arc<Document>,
    id: ProviderId,
    family: String,
    name: String,
    time_zone: TimeZone,
    numbers: Market,
    money: MoneyFormat,
    limits: ByOperation<Limits>,
    hours: Hours,
    inquiry: InquirySettings,
    give_up_after: Duration,
    core: CoreRules,
    references: References,
    fees: ByOperation<FeeTable>,
    traffic: Traffic,
    callbacks: Callbacks,
    codes: CodeTables,
    statuses: StatusTables,
}

/// The declarations of the two adapters, as far as they decide how a transfer is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promises {
    /// The provider's.
    pub provider: Promise,
    /// The core's.
    pub core: Promise,
}

impl Mapping {
    /// Reads and checks a mapping file, joined with its parents in the same folder; `families` are
    /// those that [`Mapping::parse`] takes.
    pub fn load(path: &Path, families: &[&'static str]) -> Result<Self, Problems> {
        Self::check(file::inherited(path)?, families)
    }

    /// Checks the text of a mapping file without parents; `name` stands in messages, and `families`
    /// are the words that `provider.family` may be. Finds everything that is wrong with the general
    /// sections at once; the section of the family is its own to check, by [`Mapping::section`].
    pub fn parse(name: &str, text: &str, families: &[&'static str]) -> Result<Self, Problems> {
        let alone = |parent: &str| Err(format!("`{parent}` is not there: this text has no folder"));
        Self::check(inherit::read(name, text, &alone)?, families)
    }

    fn check(file: Inherited, families: &[&'static str]) -> Result<Self, Problems> {
        let document = Arc::new(file.document);
        let report = Report::new(document.sources());
        let sealed = document.sealed("provider.family", "the family of the provider");
        file.problems.into_iter().chain(sealed).for_each(|problem| report.add_problem(problem));
        let mut root = Table::root(document.root(), &report);
        let mapping = Self::read(&mut root, &document, families);
        root.finish();
        report.finish()?;
        mapping.ok_or_else(|| Problems::one(document.file(), "is incomplete"))
    }

    fn read(
        root: &mut Table<'_>,
        document: &Arc<Document>,
        families: &[&'static str],
    ) -> Option<Self> {
        let provider = ProviderSection::read(root, families);
        let numbers = numbers::read(root);
        let money = MoneyFormat::read(root);
        let limits = match money {
            Some(money) => Limits::read(root, money),
            None => root.get("limits").and(None),
        };
        let hours = Hours::read(root);
        let (inquiry, give_up_after) = inquiry(root);
        let core = CoreRules::read(root);
        let references = References::read(root, numbers.as_ref());
        let fees = if let Some(money) = money {
            fees::read(root, money, limits.as_ref())
        } else {
            // It cannot be read without a currency; that complaint is enough.
            let _ = root.get("fees");
            ByOperation::default()
        };
        let traffic = Traffic::read(root);
        let callbacks = Callbacks::read(root);
        if callbacks.payments && references.is_empty() {
            root.required(
                "account_reference",
                "at least one rule: payments by customers are taken",
            );
        }
        let (codes, statuses) = (CodeTables::read(root), StatusTables::read(root));
        let Some(provider) = provider else {
            // Its section may be any of these; one complaint is enough.
            for &family in families {
                let _ = root.get(family);
            }
            return None;
        };
        root.required(provider.family, "the section of the provider's family")?.table()?;
        let document = Arc::clone(document);
        let ProviderSection { id, family, name, time_zone } = provider;
        let (numbers, money, limits) = (numbers?, money?, limits?);
        Some(Self {
            document,
            id,
            family: family.to_owned(),
            name,
            time_zone,
            numbers,
            money,
            limits,
            hours,
            inquiry,
            give_up_after,
            core,
            references,
            fees,
            traffic,
            callbacks,
            codes,
            statuses,
        })
    }

    /// The file's name as it was given.
    pub fn file(&self) -> &str {
        self.document.file()
    }

    /// The values of the file and of its parents, each with its place.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The values of the file and of its parents as one text, without comments.
    pub fn whole(&self) -> String {
        print::whole(&self.document)
    }

    /// The provider's id.
    pub const fn id(&self) -> &ProviderId {
        &self.id
    }

    /// The family whose adapter talks to it; also the name of the section with the adapter's
    /// options.
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone of its hours and days.
    pub const fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// The phone numbers of its wallets.
    pub const fn numbers(&self) -> &Market {
        &self.numbers
    }

    /// Its currency and decimals.
    pub const fn money(&self) -> MoneyFormat {
        self.money
    }

    /// Its limits for an operation; `None` for one that has none.
    pub fn limits(&self, operation: Operation) -> Option<&Limits> {
        self.limits.get(operation)
    }

    /// The rules by which its transfers are booked.
    pub const fn core(&self) -> &CoreRules {
        &self.core
    }

    /// The payment type under which this core books its transfers, if the mapping says so.
    pub fn payment_type(&self, core: &CoreId) -> Option<u64> {
        self.core.payment_type(core)
    }

    /// The limits of the traffic to it.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The callbacks that it sends by itself.
    pub const fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    /// The meanings of its codes.
    pub const fn codes(&self) -> &CodeTables {
        &self.codes
    }

    /// The meanings of its words for the state of an operation.
    pub const fn statuses(&self) -> &StatusTables {
        &self.statuses
    }

    /// The settings for inquiries about its operations, as far as the file has any.
    pub const fn inquiry(&self) -> &InquirySettings {
        &self.inquiry
    }

    /// Its fee tables, for the operations that have one.
    pub const fn fees(&self) -> &ByOperation<FeeTable> {
        &self.fees
    }

    /// The policy for its transfers with one core. `core` is what the configuration says about that
    /// core; this mapping's own `[core.inquiry]` goes before it. Where a promise is missing,
    /// nothing is sent twice under one reference, whatever the file wishes.
    pub fn policy(&self, core: &InquirySettings, promises: Promises) -> Policy {
        let core = self.core.inquiry.or(core);
        Policy {
            wallet: self.inquiry.side(
                &InquirySettings::wallet(),
                promises.provider,
                WhenAbsent::Case,
            ),
            core: core.side(&InquirySettings::core(), promises.core, WhenAbsent::NewReference),
            on_core_rejection: self.core.on_core_rejection,
            give_up_after: self.give_up_after,
            fee_payers: self.fees.iter().map(|(operation, fee)| (operation, fee.paid_by)).collect(),
        }
    }

    /// Checks that the provider takes this amount for this operation.
    pub fn check_amount(&self, operation: Operation, amount: Money) -> Result<(), Refusal> {
        let (expected, given) = (self.money.currency, amount.currency());
        if given != expected {
            return Err(Refusal::Currency { expected, given });
        }
        if amount.is_zero() {
            return Err(Refusal::Zero);
        }
        if !amount.fits(self.money.decimals) {
            return Err(Refusal::Decimals { amount, decimals: self.money.decimals });
        }
        self.limits(operation).map_or(Ok(()), |limits| limits.check(amount))
    }

    /// `Ok` if the provider is open at this moment; otherwise when it opens again.
    pub fn open_at(&self, at: Timestamp) -> Result<(), Timestamp> {
        self.hours.open_at(at, &self.time_zone)
    }

    /// The accounts that a payer may have meant, the likeliest first, none twice; empty if what was
    /// typed fits no rule.
    pub fn resolve(&self, account_reference: &str, payer: Option<&Msisdn>) -> Vec<AccountRef> {
        self.references.resolve(account_reference, payer)
    }

    /// The accounts that a person may be shown for what was typed, the likeliest reading first, none
    /// twice. No money moves by them: a part of the text or another way to read it is enough.
    pub fn readings(&self, account_reference: &str) -> Vec<Reading> {
        self.references.readings(account_reference)
    }

    /// The amounts that an operation may move on the day of `at`, by the provider's calendar;
    /// `None` if they have no bound.
    pub fn daily(&self, operation: Operation, at: Timestamp) -> Option<Daily> {
        let Limits { wallet, organisation, .. } = *self.limits(operation)?;
        if !wallet.is_set() && !organisation.is_set() {
            return None;
        }
        Some(Daily { day: day_of(at, &self.time_zone)?, wallet, organisation })
    }

    /// The provider's fee for this gross amount; `None` if the mapping does not know it.
    pub fn fee(&self, operation: Operation, amount: Money) -> Option<Money> {
        if amount.currency() != self.money.currency {
            return None;
        }
        self.fees.get(operation)?.fee(amount)
    }

    /// A section as a family's own type, with file, line and column in the error. An absent section
    /// is read as an empty one.
    pub fn section<T: DeserializeOwned>(&self, key: &str) -> Result<T, Problems> {
        self.document.section(key)
    }

    /// A problem with the value at this path of keys, for example `["gsma", "account", "type"]`. Its
    /// place is that of the value, or of the nearest table around it that the file has.
    pub fn problem(&self, path: &[&str], message: impl Into<String>) -> Problem {
        self.document.problem(path, message)
    }
}

/// `[provider]`.
struct ProviderSection {
    id: ProviderId,
    family: &'static str,
    name: String,
    time_zone: TimeZone,
}

impl ProviderSection {
    fn read(root: &mut Table<'_>, families: &[&'static str]) -> Option<Self> {
        let mut table = root.required("provider", "a section [provider]")?.table()?;
        let id = table.required("id", "a name, for example \"mpesa-tz\"").and_then(|item| {
            ProviderId::new(item.text()?).map_err(|error| item.problem(error.to_string())).ok()
        });
        let hint: Vec<_> = families.iter().map(|family| format!("\"{family}\"")).collect();
        let words: Vec<_> = families.iter().map(|family| (*family, *family)).collect();
        let family =
            table.required("family", &hint.join(" or ")).and_then(|item| item.choice(&words));
        let name = table.required("name", "a name for people").and_then(|item| item.text());
        let zone = table.required("time_zone", "an IANA name, for example \"Africa/Nairobi\"");
        let time_zone = zone.and_then(|item| {
            let zone = item.text()?;
            let unknown = |_| {
                item.problem(format!(
                    "`{zone}` is not an IANA time zone; write one such as \"Africa/Nairobi\""
                ));
            };
            TimeZone::get(zone).map_err(unknown).ok()
        });
        table.finish();
        Some(Self { id: id?, family: family?, name: name?.to_owned(), time_zone: time_zone? })
    }
}

/// `[inquiry]`: the wallet's settings, and when a transfer is given up before anything has moved.
fn inquiry(root: &mut Table<'_>) -> (InquirySettings, Duration) {
    let hour = Duration::from_hours(1);
    let Some(mut table) = root.table("inquiry") else { return (InquirySettings::default(), hour) };
    let settings = InquirySettings::read(&mut table);
    let give_up_after = table
        .get("give_up_after")
        .and_then(|item| item.duration(Duration::from_secs(1)..=30 * 24 * hour));
    table.finish();
    (settings, give_up_after.unwrap_or(hour))
}
