//! The end of the day: nothing goes wrong any more, and everything that is under way settles.

use std::collections::BTreeMap;
use std::time::Duration;

use kiungo_domain::TransferId;
use kiungo_domain::transfer::Status;
use tokio::time::{Instant, sleep};

use super::client::{Api, Shown};
use super::faults::SLOW_MS;
use super::run::Begun;
use super::workload::{Wanted, Workload};

/// The longest wait for the end. A transfer that is open then is stuck.
const SETTLE_WITHIN: Duration = Duration::from_secs(45);
/// The time after which the simulators do nothing late any more, so that their books can be read.
const LATE_WORK_ENDS_AFTER: Duration = Duration::from_millis(SLOW_MS + 1_000);
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// The statuses in which money may still move, or a person would have to decide.
pub(super) const OPEN: [Status; 4] =
    [Status::Received, Status::InProgress, Status::AwaitingCustomer, Status::NeedsAttention];

/// The state of all transfers at the end, by the API.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// All transfers that there are.
    pub(super) all: BTreeMap<TransferId, Shown>,
    /// The transfers of payments at the wallet, by their number in the workload.
    pub(super) payments: BTreeMap<usize, TransferId>,
}

/// Waits until everything has settled, or for long enough; `look` is told how much is open.
pub(super) async fn settle(
    api: &Api,
    workload: &Workload,
    begun: &[Begun],
    look: impl FnMut(usize),
) -> anyhow::Result<Ends> {
    settle_within(api, workload, begun, SETTLE_WITHIN, look).await
}

/// [`settle`], but waits for so long.
pub(super) async fn settle_within(
    api: &Api,
    workload: &Workload,
    begun: &[Begun],
    within: Duration,
    mut look: impl FnMut(usize),
) -> anyhow::Result<Ends> {
    let start = Instant::now();
    let mut payments = BTreeMap::new();
    loop {
        for (wanted, receipt) in paid(workload, begun) {
            if payments.contains_key(&wanted.number) {
                continue;
            }
            if let Some(shown) = api.by_receipt(wanted.wallet.id(), receipt).await? {
                payments.insert(wanted.number, shown.id);
            }
        }
        let missing = paid(workload, begun).count() - payments.len();
        let open = api.list(&OPEN, usize::MAX).await?.len() + missing;
        look(open);
        let calm = start.elapsed() > LATE_WORK_ENDS_AFTER;
        if (open == 0 && calm) || start.elapsed() > within {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    let all = api.list(&[], usize::MAX).await?;
    let all = all.into_iter().map(|shown| (shown.id, shown)).collect();
    Ok(Ends { all, payments })
}

/// The payments that customers made, with their receipts.
fn paid<'a>(
    workload: &'a Workload,
    begun: &'a [Begun],
) -> impl Iterator<Item = (&'a Wanted, &'a str)> {
    workload.wanted.iter().zip(begun).filter_map(|(wanted, begun)| match begun {
        Begun::Paid(receipt) => Some((wanted, receipt.as_str())),
        _ => None,
    })
}
