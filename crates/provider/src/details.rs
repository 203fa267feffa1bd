//! Reads details that stand beside what decides, and counts those that cannot be read.
//!
//! Status, amount, currency and our reference decide the outcome of an operation. A fee, a time, a
//! text beside them only inform: where one cannot be read, it is left out, logged and counted, and
//! the outcome stands.

use std::fmt;
use std::sync::Arc;

use kiungo_domain::ProviderId;

/// A detail that only informs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detail {
    /// The provider's charge beside the amount.
    Fee,
    /// The time at which the provider recorded it.
    Time,
    /// Every part of a notification that is not needed to ask the provider about its payment: it
    /// was read by pattern, because the whole is no JSON.
    Text,
}

impl Detail {
    /// The word for it in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fee => "fee",
            Self::Time => "time",
            Self::Text => "text",
        }
    }
}

/// The one place in which an adapter leaves out what it cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    provider: Arc<str>,
}

impl Details {
    /// The details of a provider.
    pub fn of(provider: &ProviderId) -> Self {
        Self { provider: provider.as_str().into() }
    }

    /// Returns the detail that was read; or nothing, which is logged and counted
    /// (`kiungo_unreadable_details_total`). The error must not quote what was sent: it can hold a
    /// phone number.
    pub fn read<T>(&self, detail: Detail, read: Result<T, impl fmt::Display>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(why) => {
                self.left_out(detail, why);
                None
            }
        }
    }

    /// Logs and counts a detail that is left out.
    pub fn left_out(&self, detail: Detail, why: impl fmt::Display) {
        let (provider, word) = (&*self.provider, detail.as_str());
        tracing::warn!(
            provider,
            detail = word,
            error.message = %why,
            "a detail that decides nothing cannot be read, and is left out"
        );
        let labels = [("provider", provider.to_owned()), ("detail", word.to_owned())];
        metrics::counter!("kiungo_unreadable_details_total", &labels).increment(1);
    }
}

/// The details of a provider that has no name, as in tests.
impl Default for Details {
    fn default() -> Self {
        Self { provider: "unnamed".into() }
    }
}
