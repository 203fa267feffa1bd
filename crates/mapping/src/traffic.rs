//! `[traffic]` and `[callbacks]`: the limits of the traffic to a provider, and the callbacks that
//! it sends.

use kiungo_settings::Table;

use std::time::Duration;

/// The limits of the traffic to a provider (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// The largest number of requests under way at once; 32 if absent.
    pub in_flight_max: u32,
    /// The largest number of requests that may begin within a second; 20 if absent.
    pub per_second_max: u32,
    /// The conditions under which the provider is taken to be down.
    pub breaker: Breaker,
}

/// The conditions under which a provider is taken to be down: work is then held, not failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// This many failures to get an answer open the breaker; 10 if absent.
    pub failures: u32,
    /// Within this time; 30 s if absent.
    pub window: Duration,
    /// The time for which the breaker stays open before one request is tried; 30 s if absent.
    pub cool_down: Duration,
}

impl Default for Traffic {
    fn default() -> Self {
        let breaker = Breaker {
            failures: 10,
            window: Duration::from_secs(30),
            cool_down: Duration::from_secs(30),
        };
        Self { in_flight_max: 32, per_second_max: 20, breaker }
    }
}

impl Traffic {
    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let mut traffic = Self::default();
        let Some(mut table) = root.table("traffic") else { return traffic };
        let count = |table: &mut Table<'_>, key, most: u64, target: &mut u32| {
            let number = table.get(key).and_then(|item| item.integer(1..=most));
            if let Some(number) = number.and_then(|number| u32::try_from(number).ok()) {
                *target = number;
            }
        };
        count(&mut table, "in_flight_max", 10_000, &mut traffic.in_flight_max);
        count(&mut table, "per_second_max", 100_000, &mut traffic.per_second_max);
        if let Some(mut inner) = table.table("breaker") {
            let breaker = &mut traffic.breaker;
            count(&mut inner, "failures", 10_000, &mut breaker.failures);
            let bounds = Duration::from_secs(1)..=Duration::from_hours(1);
            for (key, target) in
                [("window", &mut breaker.window), ("cool_down", &mut breaker.cool_down)]
            {
                if let Some(wait) = inner.get(key).and_then(|item| item.duration(bounds.clone())) {
                    *target = wait;
                }
            }
            inner.finish();
        }
        table.finish();
        traffic
    }
}

/// The callbacks that a provider sends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Callbacks {
    /// The provider calls us back at all: Kiungo then needs an address that it can reach.
    pub expected: bool,
    /// Payments that customers start at the wallet are taken.
    pub payments: bool,
    /// The provider asks before it takes such a payment, and the account is checked then.
    pub validation: bool,
}

impl Callbacks {
    pub(crate) fn read(root: &mut Table<'_>) -> Self {
        let mut callbacks = Self::default();
        let Some(mut table) = root.table("callbacks") else { return callbacks };
        for (key, target) in [
            ("expected", &mut callbacks.expected),
            ("payments", &mut callbacks.payments),
            ("validation", &mut callbacks.validation),
        ] {
            if let Some(value) = table.get(key).and_then(|item| item.boolean()) {
                *target = value;
            }
        }
        if callbacks.payments && !callbacks.expected {
            table.problem("payments are notified by callback: set expected = true as well");
        }
        if callbacks.validation && !callbacks.payments {
            table.problem("validation asks about payments: set payments = true as well");
        }
        table.finish();
        callbacks
    }
}
