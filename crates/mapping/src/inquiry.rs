//! `[inquiry]` and `[core.inquiry]`: the rules for inquiries and for trying again.

use std::time::Duration;

use kiungo_domain::policy::{SidePolicy, WhenAbsent};
use kiungo_settings::duration;
use kiungo_settings::{Item, Table};

const DAY: Duration = Duration::from_hours(24);

/// The settings of a file for inquiries and retries on one side; those that it leaves out are taken
/// from elsewhere, in the end from [`InquirySettings::wallet`] or [`InquirySettings::core`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InquirySettings {
    /// The waits before each inquiry, in order; the last one repeats.
    pub ladder: Option<Vec<Duration>>,
    /// "Not found" counts only this long after the sending.
    pub absent_after: Option<Duration>,
    /// The number of counted "not found" answers that prove that an operation never arrived.
    pub absent_times: Option<u8>,
    /// The consequence of that proof; by default what the other side's promises allow.
    pub when_absent: Option<WhenAbsent>,
    /// The same for a payout; by default as `when_absent` if that is not `reject`.
    pub when_payout_absent: Option<WhenAbsent>,
    /// The wait after something could not be sent; it doubles up to `retry_max`.
    pub retry_first: Option<Duration>,
    /// The longest wait between two tries.
    pub retry_max: Option<Duration>,
    /// The longest wait before what was refused for now is tried again; until then the wait is half
    /// of the time for which it has been wanted.
    pub refused_max: Option<Duration>,
    /// The number of refusals that allow another try and are tried again before a person is called.
    pub retries_before_case: Option<u8>,
    /// An unknown older than this calls a person; inquiries go on.
    pub case_after: Option<Duration>,
}

impl InquirySettings {
    /// For operations on wallets: 30 s, 2 min, 10 min, 1 h, 6 h, and then a case.
    pub fn wallet() -> Self {
        let [seconds, minutes, hours] =
            [Duration::from_secs, Duration::from_mins, Duration::from_hours];
        Self {
            ladder: Some(vec![seconds(30), minutes(2), minutes(10), hours(1), hours(6)]),
            absent_after: Some(minutes(15)),
            absent_times: Some(3),
            retry_first: Some(seconds(5)),
            retry_max: Some(minutes(5)),
            // A float is filled within hours: until then each try is one more refusal.
            refused_max: Some(hours(2)),
            retries_before_case: Some(5),
            case_after: Some(hours(8)),
            ..Self::default()
        }
    }

    /// For operations in a core, which is closer by and answers reads truthfully: shorter waits.
    pub fn core() -> Self {
        let [seconds, minutes, hours] =
            [Duration::from_secs, Duration::from_mins, Duration::from_hours];
        Self {
            ladder: Some(vec![seconds(10), minutes(1), minutes(5), minutes(30)]),
            absent_after: Some(minutes(2)),
            absent_times: Some(2),
            retry_first: Some(seconds(2)),
            retry_max: Some(minutes(5)),
            refused_max: Some(hours(1)),
            // Locks of a nightly close of business last for hours (`fineract.md` §19).
            retries_before_case: Some(20),
            case_after: Some(hours(4)),
            ..Self::default()
        }
    }

    /// These settings, and `fallback` where they say nothing.
    #[must_use]
    pub fn or(&self, fallback: &Self) -> Self {
        Self {
            ladder: self.ladder.clone().or_else(|| fallback.ladder.clone()),
            absent_after: self.absent_after.or(fallback.absent_after),
            absent_times: self.absent_times.or(fallback.absent_times),
            when_absent: self.when_absent.or(fallback.when_absent),
            when_payout_absent: self.when_payout_absent.or(fallback.when_payout_absent),
            retry_first: self.retry_first.or(fallback.retry_first),
            retry_max: self.retry_max.or(fallback.retry_max),
            refused_max: self.refused_max.or(fallback.refused_max),
            retries_before_case: self.retries_before_case.or(fallback.retries_before_case),
            case_after: self.case_after.or(fallback.case_after),
        }
    }

    /// The problems of the settings as they stand together: the key, and the reason.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if let Some(ladder) = &self.ladder {
            if ladder.is_empty() {
                problems.push(("ladder", "must have at least one wait".to_owned()));
            }
            if let Some(pair) = ladder.windows(2).find(|pair| pair[1] <= pair[0]) {
                let (before, after) = (duration::print(pair[0]), duration::print(pair[1]));
                let message = format!("must ascend, but {after} follows {before}");
                problems.push(("ladder", message));
            }
            if ladder.first().is_some_and(Duration::is_zero) {
                problems.push(("ladder", "a wait must be more than zero".to_owned()));
            }
        }
        if self.absent_times == Some(0) {
            problems.push(("absent_times", "must be at least 1".to_owned()));
        }
        if let (Some(first), Some(max)) = (self.retry_first, self.retry_max)
            && max < first
        {
            let (first, max) = (duration::print(first), duration::print(max));
            problems.push(("retry_max", format!("{max} is less than retry_first, {first}")));
        }
        problems
    }

    /// Reads the keys of this type from a table that may have others.
    pub(crate) fn read(table: &mut Table<'_>) -> Self {
        let before = table.problem_count();
        let mut wait = |key| table.get(key)?.duration(Duration::from_millis(1)..=30 * DAY);
        let (absent_after, case_after) = (wait("absent_after"), wait("case_after"));
        let (retry_first, retry_max) = (wait("retry_first"), wait("retry_max"));
        let refused_max = wait("refused_max");
        let ladder = table.get("ladder");
        let settings = Self {
            ladder: ladder.as_ref().and_then(waits),
            absent_after,
            absent_times: small(table.get("absent_times"), 1),
            when_absent: table.get("when_absent").and_then(|item| when_absent(&item)),
            when_payout_absent: table.get("when_payout_absent").and_then(|item| when_absent(&item)),
            retry_first,
            retry_max,
            refused_max,
            retries_before_case: small(table.get("retries_before_case"), 0),
            case_after,
        };
        if table.problem_count() == before {
            for (key, message) in settings.problems() {
                match (key, &ladder) {
                    ("ladder", Some(item)) => item.problem(message),
                    _ => match table.get(key) {
                        Some(item) => item.problem(message),
                        None => table.problem(format!("{key}: {message}")),
                    },
                }
            }
        }
        settings
    }

    /// The complete policy; `resend_is_idempotent` and `indexing_window` are what the adapter
    /// declares.
    pub(crate) fn side(
        &self,
        defaults: &Self,
        promise: Promise,
        absent_otherwise: WhenAbsent,
    ) -> SidePolicy {
        let own = self.or(defaults);
        let allowed = |wish: WhenAbsent| match wish {
            // Sending again where the other side does not promise to notice would pay twice.
            WhenAbsent::Resend if !promise.resend_is_idempotent => absent_otherwise,
            wish => wish,
        };
        let by_promise =
            if promise.resend_is_idempotent { WhenAbsent::Resend } else { absent_otherwise };
        let when_absent = own.when_absent.unwrap_or(by_promise);
        // A refused payout gives the money back in the core: never by default.
        let payout_default =
            if when_absent == WhenAbsent::Reject { by_promise } else { when_absent };
        let second = Duration::from_secs(1);
        SidePolicy {
            inquiry_schedule: own
                .ladder
                .filter(|l| !l.is_empty())
                .unwrap_or_else(|| vec![30 * second]),
            absent_after: own.absent_after.unwrap_or(900 * second).max(promise.indexing_window),
            absent_times: own.absent_times.unwrap_or(3).max(1),
            resend_is_idempotent: promise.resend_is_idempotent,
            when_absent: allowed(when_absent),
            when_payout_absent: allowed(own.when_payout_absent.unwrap_or(payout_default)),
            retry_first: own.retry_first.unwrap_or(5 * second),
            retry_max: own.retry_max.unwrap_or(300 * second),
            refused_max: own.refused_max.unwrap_or(7200 * second),
            retries_before_case: own.retries_before_case.unwrap_or(5),
            case_after: own.case_after.unwrap_or(8 * 3600 * second),
        }
    }
}

/// The declarations of one side's adapter about being asked and sent to again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// A second sending of the same reference is rejected or answered with the first result.
    pub resend_is_idempotent: bool,
    /// The time for which the other side may not find an operation that it has executed.
    pub indexing_window: Duration,
}

fn waits(item: &Item<'_>) -> Option<Vec<Duration>> {
    let items = item.list()?;
    items.iter().map(|item| item.duration(Duration::ZERO..=30 * DAY)).collect()
}

fn small(item: Option<Item<'_>>, least: u64) -> Option<u8> {
    u8::try_from(item?.integer(least..=250)?).ok()
}

fn when_absent(item: &Item<'_>) -> Option<WhenAbsent> {
    item.choice(&[
        ("resend", WhenAbsent::Resend),
        ("reject", WhenAbsent::Reject),
        ("case", WhenAbsent::Case),
    ])
}
