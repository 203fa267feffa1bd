//! Dying at every point: the real binary over `SQLite`, aborted before and after each commit and each
//! send, for each kind and provider; started again, and audited by the counterparties' books. One
//! kind also over `PostgreSQL`: what differs there is below the point that all pass. And one with the
//! work shared: a worker dies, and another one goes on.

use std::collections::BTreeSet;
use std::sync::Arc;

use kiungo_domain::transfer::{Kind, Status};
use kiungo_simulator::audit::Claim;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::kiungo::{Installation, Making, Serving, Wanted, status};
use crate::world::{KINDS, PROVIDERS, World};

/// Cases at a time: they mostly wait.
const CASES_MAX: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_point_neither_loses_nor_doubles() {
    let all = PROVIDERS.into_iter().flat_map(|provider| KINDS.map(|kind| (kind, provider)));
    die_everywhere(Installation::in_sqlite, all).await;
}

#[cfg(feature = "postgres-tests")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_point_over_postgres_neither_loses_nor_doubles() {
    die_everywhere(crate::postgres::installation, [(Kind::Withdrawal, PROVIDERS[0])]).await;
}

#[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workers_death_at_any_point_neither_loses_nor_doubles() {
    die_everywhere(crate::workers::installation, [(Kind::Withdrawal, PROVIDERS[0])]).await;
}

async fn die_everywhere(
    make: Making,
    combinations: impl IntoIterator<Item = (Kind, &'static str)>,
) {
    let world = Arc::new(World::start().await);
    let permits = Arc::new(Semaphore::new(CASES_MAX));
    let (mut running, mut least) = (JoinSet::new(), 0);
    for (kind, provider) in combinations {
        // Each transfer has at least three commits and two sends, each with a before and an after.
        least += 10;
        running.spawn(all_points(Arc::clone(&world), Arc::clone(&permits), make, kind, provider));
    }
    let claims: Vec<Claim> = running.join_all().await.into_iter().flatten().collect();
    assert!(claims.len() >= least, "only {} cases", claims.len());
    let audit = world.audit(&claims);
    assert!(audit.is_clean(), "{audit:#?}");
}

/// One case for each point that a transfer of this kind passes.
async fn all_points(
    world: Arc<World>,
    permits: Arc<Semaphore>,
    make: Making,
    kind: Kind,
    provider: &'static str,
) -> Vec<Claim> {
    let (points, claim) = {
        let _permit = permits.acquire().await.unwrap();
        points(&world, make, kind, provider).await
    };
    let mut cases = JoinSet::new();
    for point in points {
        let (world, permits) = (Arc::clone(&world), Arc::clone(&permits));
        cases.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            case(&world, make, kind, provider, &point).await
        });
    }
    let mut claims = cases.join_all().await;
    claims.push(claim);
    claims
}

/// The points that a transfer passes on its way, by the log of one that is left in peace.
async fn points(
    world: &World,
    make: Making,
    kind: Kind,
    provider: &'static str,
) -> (BTreeSet<String>, Claim) {
    let installation = make(world).await;
    let environment = [
        ("KIUNGO_CRASH_AT", "before_send:nothing"),
        ("KIUNGO__LOG__FILTER", "info,kiungo::serve::crash=debug"),
    ];
    let (serving, working) = start(&installation, &environment).await;
    let wanted = Wanted::new(world, kind, provider);
    let first = serving.submit(&wanted).await.expect("an answer");
    let transfer = serving.until_final(first["id"].as_str().unwrap()).await;
    assert_eq!(transfer["status"], "completed", "{transfer}");
    stop(serving, working).await;
    let log = installation.log();
    let reached = log.lines().filter_map(|line| line.split_once("reached ")?.1.split(' ').next());
    (reached.map(str::to_owned).collect(), wanted.claim(&transfer))
}

async fn case(
    world: &World,
    make: Making,
    kind: Kind,
    provider: &'static str,
    point: &str,
) -> Claim {
    let installation = make(world).await;
    let wanted = Wanted::new(world, kind, provider);
    let (serving, working) = start(&installation, &[("KIUNGO_CRASH_AT", point)]).await;
    // Its answer may be lost with the process.
    let first = serving.submit(&wanted).await;
    let (died, serving) = match working {
        Some(working) => {
            (working.has_aborted_before_end_of(Some(&serving), first.as_ref()).await, Some(serving))
        }
        None => (serving.has_aborted_before_end_of(None, first.as_ref()).await, None),
    };
    // An answer, a callback or an inquiry may bring the outcome, depending on the time. Everything
    // else is passed by every transfer.
    let always = ["received", ".started", "_send:"].iter().any(|text| point.contains(text));
    assert!(died || !always, "{provider} {} never passed {point}", kind.as_str());

    let (serving, working) = match serving {
        Some(serving) => (serving, Some(installation.work(&[]).await)),
        None => (installation.serve(&[]).await, None),
    };
    let first = serving.submit(&wanted).await.expect("an answer");
    let transfer = serving.until_final(first["id"].as_str().unwrap()).await;
    let ended = status(&transfer);
    // Where a provider promises nothing about a second sending, what provably never arrived counts
    // as refused. Everything else goes on as if nothing had happened.
    let unsent =
        ["collect.started", "pay_out.started", "before_send:collect", "before_send:pay_out"];
    let may_fail = provider == "mpesa-tz" && unsent.iter().any(|text| point.contains(text));
    let expected = ended == Status::Completed
        || may_fail && matches!(ended, Status::Failed | Status::Reversed);
    assert!(
        expected,
        "{provider} {} at {point}: {transfer}\n{}",
        kind.as_str(),
        installation.log()
    );
    stop(serving, working).await;
    wanted.claim(&transfer)
}

/// Starts a server and, if work is shared, a worker. The one that works gets the environment.
async fn start(
    installation: &Installation,
    environment: &[(&str, &str)],
) -> (Serving, Option<Serving>) {
    if installation.is_shared() {
        (installation.serve(&[]).await, Some(installation.work(environment).await))
    } else {
        (installation.serve(environment).await, None)
    }
}

async fn stop(serving: Serving, working: Option<Serving>) {
    if let Some(working) = working {
        assert!(working.stop().await.success());
    }
    assert!(serving.stop().await.success());
}
