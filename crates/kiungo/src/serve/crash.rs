//! Dying at a named point, for tests of what comes after: `KIUNGO_CRASH_AT=POINT` makes
//! `kiungo serve` abort, as if by `kill -9`, when it reaches that point.
//!
//! A point is `MOMENT:WHAT`, or `MOMENT:WHAT#3` for the third time that it is reached. `MOMENT` is
//! one of `before_commit`, `after_commit`, `before_send`, `after_send`. `WHAT` is the operation
//! that is sent (`collect`, `pay_out`, `reverse`, `deposit`, `repay`, `withdraw`, `disburse`,
//! `undo`) or the last event of what is committed (`received`, `cleared`, `collect.started`,
//! `deposit.completed`, …). `*` stands for any. With the log filter `kiungo::serve::crash=debug`
//! every point is logged when it is reached.
//!
//! Without the variable nothing is installed, and nothing is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use kiungo_engine::fail_point::{FailPoint, FailPoints};

const VARIABLE: &str = "KIUNGO_CRASH_AT";

/// The fail points that the environment asks for; `None` if it asks for none.
///
/// # Errors
/// What is wrong with the variable.
pub(super) fn tripwire_from_environment() -> Result<Option<Arc<dyn FailPoints>>, String> {
    let Some(point) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let point = point.to_string_lossy();
    let crash = CrashAt::parse(&point).ok_or_else(|| {
        format!(
            "environment variable {VARIABLE}: `{point}` is not a point such as before_send:collect \
             or after_commit:deposit.started#2"
        )
    })?;
    tracing::warn!(point = %point, "{VARIABLE} is set: this process will abort there");
    Ok(Some(Arc::new(crash)))
}

/// A point, and how often it is still passed.
struct CrashAt {
    moment: FailPoint,
    what: String,
    passes: AtomicU32,
}

impl CrashAt {
    fn parse(point: &str) -> Option<Self> {
        let (moment, what) = point.split_once(':')?;
        let (what, time) = match what.split_once('#') {
            Some((what, time)) => (what, time.parse().ok()?),
            None => (what, 1),
        };
        let moment = FailPoint::ALL.into_iter().find(|known| known.as_str() == moment)?;
        let passes = AtomicU32::new(u32::checked_sub(time, 1)?);
        (!what.is_empty()).then(|| Self { moment, what: what.to_owned(), passes })
    }

    /// True if this is the point at which the process dies.
    fn is_hit(&self, moment: FailPoint, what: &str) -> bool {
        let named = moment == self.moment && (self.what == "*" || self.what == what);
        let pass = |left: u32| left.checked_sub(1);
        named && self.passes.fetch_update(Ordering::AcqRel, Ordering::Acquire, pass).is_err()
    }
}

#[async_trait]
impl FailPoints for CrashAt {
    async fn reached(&self, moment: FailPoint, what: &str) {
        tracing::debug!("reached {}:{what}", moment.as_str());
        if self.is_hit(moment, what) {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_hit_at_its_moment_and_time_only() {
        let crash = CrashAt::parse("after_commit:deposit.started#2").unwrap();
        assert!(!crash.is_hit(FailPoint::BeforeCommit, "deposit.started"));
        assert!(!crash.is_hit(FailPoint::AfterCommit, "deposit.completed"));
        assert!(!crash.is_hit(FailPoint::AfterCommit, "deposit.started"));
        assert!(crash.is_hit(FailPoint::AfterCommit, "deposit.started"));
    }

    #[test]
    fn any_operation_can_be_meant() {
        assert!(CrashAt::parse("before_send:*").unwrap().is_hit(FailPoint::BeforeSend, "undo"));
    }

    #[test]
    fn an_unknown_fail_point_is_refused() {
        for text in
            ["", "collect", "never:collect", "before_send:", "before_send:x#0", "before_send:x#y"]
        {
            assert!(CrashAt::parse(text).is_none(), "{text}");
        }
    }
}
