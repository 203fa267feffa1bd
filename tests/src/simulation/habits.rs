//! The peculiarities of a seed: how its counterparties, its database and its clock behave beside
//! the faults of single requests.
//!
//! Each habit is found in some seeds only, so that none hides another.

use std::collections::BTreeMap;
use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_simulator_gsma::options::{Charge, Conduct as GsmaConduct, PaidBy, Place};
use kiungo_simulator_mpesa::options::Conduct as MpesaConduct;

use super::chance::Chance;

/// 2026-03-02T05:00:00Z, a Monday morning in Dar es Salaam.
const MORNING: Timestamp = Timestamp::from_micros(1_772_427_600_000_000);
/// 2026-03-02T20:58:00Z, two minutes before midnight in Dar es Salaam.
const BEFORE_MIDNIGHT: Timestamp = Timestamp::from_micros(1_772_485_080_000_000);

/// The places in which the GSMA provider may state an untruth.
const PLACES: [Place; 3] = [Place::Answers, Place::Inquiries, Place::Callbacks];
/// The amounts by which clocks are set back.
const SET_BACK: [Duration; 3] =
    [Duration::from_secs(20), Duration::from_hours(1), Duration::from_hours(24)];
/// The charge for an operation of the GSMA provider, where it charges, in minor units.
const CHARGE_MINOR: i64 = 1_700;

/// The habits of a seed.
#[derive(Debug, Clone)]
pub struct Habits {
    /// The time at which the day begins.
    pub begin: Timestamp,
    /// True if ids are those of Kiungo 0.1.
    pub old_ids: bool,
    /// The behaviour of the GSMA provider beyond its answers.
    pub gsma: GsmaConduct,
    /// The behaviour of the M-Pesa market beyond its answers.
    pub mpesa: MpesaConduct,
    /// The number of hours after which an unknown outcome calls a person.
    pub case_after_hours: u8,
    /// The payer of the GSMA provider's charges; `None` if it charges nothing.
    pub fee: Option<PaidBy>,
    /// True if the core books a repeated key again, whatever its release.
    pub core_forgets_keys: bool,
    /// The beginning and the end of the time in which the core's user lacks its permissions, in
    /// milliseconds since the beginning of the day; `None` if it always has them.
    pub forbidden_ms: Option<(u64, u64)>,
    /// A step of Kiungo's clock.
    pub clock: Option<ClockStep>,
    /// Parts per 10,000 of each failure of the database.
    pub trouble: u64,
    /// Parts per 10,000 of callbacks that come in a burst.
    pub bursts: u64,
    /// The longest wait of an operator between two decisions; `None` if no operator acts before the
    /// faults are over.
    pub operators: Option<Duration>,
    /// Parts per 10,000 of requests that are rejected before processing.
    pub early_rejections: u16,
}

/// Kiungo's clock is set back once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStep {
    /// The time of the step, from the beginning of the day.
    pub after: Duration,
    /// The amount by which it is set back.
    pub by: Duration,
    /// True if it ran ahead before, and is right from then on; else it lags behind from then on.
    pub ahead: bool,
}

impl Habits {
    /// Draws the habits of a seed whose day is that long.
    pub fn draw(seed: u64, day: Duration) -> Self {
        let chance = Chance::new(seed, "peculiarities");
        let often = |of: u64| chance.happens(of);
        let begin = if often(1_500) { BEFORE_MIDNIGHT } else { MORNING };
        let old_ids = often(1_500);
        let rate = |up_to: u64| u16::try_from(chance.below(up_to)).unwrap_or(0);
        let rarely = |of: u64, up_to: u64| if often(of) { rate(up_to) } else { 0 };
        let late_ms = 10_000 + chance.below(if often(5_000) { 7_200_000 } else { 120_000 });
        let window = |of: u64| {
            if !often(of) {
                return None;
            }
            let from = chance.below(millis(day));
            Some((from, from + 600_000 + chance.below(36_000_000)))
        };
        let fee = chance
            .pick(&[None, None, Some(PaidBy::Customer), Some(PaidBy::Organisation)])
            .copied()
            .flatten();
        let charge = fee.map(|paid_by| Charge { minor: CHARGE_MINOR, paid_by });
        let operations = ["collect", "pay_out", "payment"];
        let charges = charge
            .into_iter()
            .flat_map(|charge| operations.map(|operation| (operation.to_owned(), charge)));
        let gsma = GsmaConduct {
            deduplicates: !often(1_000),
            charges: charges.collect::<BTreeMap<_, _>>(),
            float_empty_ms: window(1_500),
            approved_late: rarely(2_000, 2_000),
            approved_twice: rarely(2_000, 1_000),
            reversed_later: rarely(2_000, 1_000),
            reversals_told: often(7_000),
            late_ms,
            other_amount: rarely(1_000, 500),
            other_wallet: rarely(1_000, 500),
            other_reference: rarely(1_000, 500),
            // A counterparty that misstates the same in every channel cannot be told from the truth.
            other_in: chance.pick(&PLACES).copied().into_iter().collect(),
            collections_told: rarely(2_500, 4_000),
            told_with_number: often(5_000),
            told_with_reference: often(5_000),
            ..GsmaConduct::default()
        };
        let mpesa = MpesaConduct {
            deduplicates: !often(1_000),
            charge_minor: if often(2_500) { 50_000 } else { 0 },
            float_empty_ms: window(1_500),
            approved_late: rarely(2_000, 2_000),
            approved_twice: rarely(2_000, 1_000),
            reversed_later: rarely(2_000, 1_000),
            late_ms,
            collections_told: rarely(2_500, 4_000),
            told_with_reference: often(5_000),
            activated_late: rarely(2_000, 10_000),
            activated_late_ms: 30_000 + chance.below(120_000),
            ..MpesaConduct::default()
        };
        let clock = often(2_000).then(|| {
            let by = chance.pick(&SET_BACK).copied().unwrap_or_default();
            ClockStep { after: chance.wait(day), by, ahead: often(5_000) }
        });
        Self {
            begin,
            old_ids,
            gsma,
            mpesa,
            case_after_hours: if often(5_000) { 8 } else { 2 },
            fee,
            core_forgets_keys: often(1_000),
            forbidden_ms: window(1_000),
            clock,
            trouble: if often(2_500) { 5 + chance.below(40) } else { 0 },
            bursts: if often(2_500) { 50 + chance.below(500) } else { 0 },
            operators: often(6_000).then(|| Duration::from_secs(20 + chance.below(300))),
            early_rejections: rarely(2_500, 300),
        }
    }

    /// Returns the time by which Kiungo's clock is ahead in the beginning.
    pub fn ahead(&self) -> Duration {
        self.clock.filter(|step| step.ahead).map_or(Duration::ZERO, |step| step.by)
    }

    /// Returns the time after the day in which unsolicited events may still happen.
    pub const fn aftermath(&self) -> Duration {
        Duration::from_millis(self.gsma.late_ms).saturating_add(Duration::from_mins(5))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
