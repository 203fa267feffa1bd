//! Several processes that share the work: one that serves, others that work, stopped, killed and
//! restarted while they do.

use std::pin::Pin;

use kiungo_domain::transfer::Kind;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixDatagram};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::kiungo::{Installation, Serving, Wanted, free_port};
use crate::postgres::Schema;
use crate::rabbit::{self, Names};
use crate::restart::ask_without_pause;
use crate::serving::{settle, wants};
use crate::world::{PROVIDERS, World};

const RESTARTS: usize = 4;

/// An installation whose work is shared. Other processes find the work that a dead process has not
/// announced after two seconds.
pub(crate) fn installation(
    world: &World,
) -> Pin<Box<dyn Future<Output = Installation> + Send + '_>> {
    Box::pin(async {
        let installation = Installation::new(world).with(Schema::new().await).sharing(Names::new());
        installation
            .amend("[engine]\n", "[engine]\nannounce_again = \"2s\"\nqueued_again = \"2s\"\n");
        installation
    })
}

#[tokio::test]
async fn work_left_by_stopped_and_killed_workers_is_finished_by_the_others() {
    let world = World::start().await;
    let installation = installation(&world).await;
    let serving = installation.serve(&[]).await;
    let first = wants(&world, 1);
    for wanted in &first {
        assert!(serving.submit(wanted).await.is_some());
    }
    // Transfers that were accepted before any worker started wait for the workers.
    let (stopped, killed) = (installation.work(&[]).await, installation.work(&[]).await);
    settle(&world, &serving, &first).await;
    let (code, out, _) =
        crate::cli::run(&installation, &["doctor", "--config", "kiungo.toml"]).await;
    assert!(code == 0 && out.contains("everything is there"), "{out}");

    // A provider that promises nothing about a second sending may refuse what a kill has cut off.
    let during: Vec<_> =
        wants(&world, 3).into_iter().filter(|wanted| wanted.provider == PROVIDERS[0]).collect();
    for wanted in &during {
        assert!(serving.submit(wanted).await.is_some());
    }
    killed.kill().await;
    assert!(stopped.stop().await.success(), "{}", installation.log());
    let other = installation.work(&[]).await;
    let all: Vec<_> = first.into_iter().chain(during).chain(wants(&world, 1)).collect();
    settle(&world, &serving, &all).await;
    let metrics = other.metrics().await;
    for name in ["kiungo_deliveries_total", "kiungo_attempts_total", "kiungo_operation_seconds"] {
        // Every counter is shown from the start, at 0.
        let counted = |line: &str| line.starts_with(name) && !line.ends_with(" 0");
        assert!(metrics.lines().any(counted), "{name} in {metrics}");
    }
    assert!(other.stop().await.success(), "{}", installation.log());
    assert!(serving.stop().await.success(), "{}", installation.log());
    assert!(
        installation.log().contains("clean=true") && !installation.log().contains("ERROR"),
        "{}",
        installation.log()
    );
}

#[tokio::test]
async fn a_worker_tells_systemd_what_it_asks_for() {
    let world = World::start().await;
    let installation = installation(&world).await;
    let at = installation.path().join("notify");
    let systemd = UnixDatagram::bind(&at).unwrap();
    let worker = installation.work(&[("NOTIFY_SOCKET", at.to_str().unwrap())]).await;
    let heard = async || {
        let mut message = [0; 256];
        let length = systemd.recv(&mut message).await.unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    assert_eq!(heard().await, "READY=1\n");
    assert!(worker.stop().await.success());
    assert!(heard().await.starts_with("STOPPING=1\nEXTEND_TIMEOUT_USEC="));
}

#[tokio::test]
async fn a_worker_that_divides_the_work_otherwise_is_refused() {
    let world = World::start().await;
    let installation = installation(&world).await;
    let serving = installation.serve(&[]).await;
    let mut other = installation.command(&["worker", "--config", "kiungo.toml"]);
    other.env("KIUNGO__QUEUE__SHARDS", "3");
    let (code, _, complaint) = crate::cli::read(other.output().await.unwrap());
    let both = complaint.contains("2 shards") && complaint.contains("3 shards");
    assert!(code == 2 && both && complaint.contains("queue.shards"), "{code}: {complaint}");
    // The others go on, and a process that divides the work in the same way joins them.
    let worker = installation.work(&[]).await;
    settle(&world, &serving, &wants(&world, 1)).await;
    assert!(
        worker.stop().await.success() && serving.stop().await.success(),
        "{}",
        installation.log()
    );
}

#[tokio::test]
async fn one_process_may_serve_and_work() {
    let world = World::start().await;
    let installation = installation(&world).await;
    let alone = ["serve", "--config", "kiungo.toml", "--with-worker"];
    let serving = installation.serve_as(&alone, &[]).await;
    settle(&world, &serving, &wants(&world, 1)).await;
    assert!(serving.stop().await.success(), "{}", installation.log());
}

#[tokio::test]
async fn a_restart_of_all_one_after_the_other_fails_no_request() {
    let world = World::start().await;
    let installation = installation(&world).await;
    let socket = installation.listen();
    let enough = CancellationToken::new();
    let mut serving = installation.serve_on(&socket, &[]).await;
    let mut workers = [installation.work(&[]).await, installation.work(&[]).await];
    let clients: Vec<_> = (0..2)
        .map(|_| tokio::spawn(ask_without_pause(installation.url(), enough.clone())))
        .collect();
    let mut accepted = Vec::new();
    for round in 0..RESTARTS {
        let wanted: Vec<_> = PROVIDERS
            .iter()
            .flat_map(|provider| [Kind::Deposit, Kind::Withdrawal].map(|kind| (kind, *provider)))
            .map(|(kind, provider)| Wanted::new(&world, kind, provider))
            .collect();
        serving.terminate().await;
        let submitted = async {
            for wanted in &wanted {
                installation.submit(wanted).await;
            }
        };
        let ((), ended) = tokio::join!(submitted, async {
            (serving.until_ended().await, installation.serve_on(&socket, &[]).await)
        });
        assert!(ended.0.success(), "{}", installation.log());
        serving = ended.1;
        accepted.extend(wanted);
        let next = installation.work(&[]).await;
        let worker = std::mem::replace(&mut workers[round % 2], next);
        assert!(worker.stop().await.success(), "{}", installation.log());
    }
    enough.cancel();
    for client in clients {
        let asked = client.await.unwrap().unwrap_or_else(|failed| panic!("{failed}"));
        assert!(asked > RESTARTS, "{asked} requests in all");
    }
    settle(&world, &serving, &accepted).await;
    for process in workers.into_iter().chain([serving]) {
        assert!(process.stop().await.success(), "{}", installation.log());
    }
}

#[tokio::test]
async fn a_broker_that_is_away_at_the_start_or_goes_away_later_is_waited_for() {
    let world = World::start().await;
    let installation = installation(&world).await;
    let mut wire = Wire::to_the_broker();
    let environment =
        [("KIUNGO__QUEUE__URL", &*wire.url()), ("KIUNGO__QUEUE__CONFIRM_TIMEOUT", "2s")];
    let (serving, worker) =
        (installation.serve(&environment).await, installation.work(&environment).await);
    assert!(installation.log().contains("starting without the broker"), "{}", installation.log());
    let wanted = wants(&world, 1);
    for wanted in &wanted {
        assert!(serving.submit(wanted).await.is_some());
    }
    wire.join().await;
    settle(&world, &serving, &wanted).await;
    wire.cut().await;
    let more = wants(&world, 1);
    for wanted in &more {
        assert!(serving.submit(wanted).await.is_some());
    }
    wire.join().await;
    let all: Vec<_> = wanted.into_iter().chain(more).collect();
    settle(&world, &serving, &all).await;
    stop_both(&installation, serving, worker).await;
}

pub(crate) async fn stop_both(installation: &Installation, serving: Serving, worker: Serving) {
    assert!(worker.stop().await.success(), "{}", installation.log());
    assert!(serving.stop().await.success(), "{}", installation.log());
}

/// The way to the broker, which can be cut; it is at first.
struct Wire {
    port: u16,
    joined: Option<JoinHandle<()>>,
}

impl Wire {
    fn to_the_broker() -> Self {
        Self { port: free_port(), joined: None }
    }

    /// The broker's address by this way.
    fn url(&self) -> String {
        rabbit::url().replacen(&broker(), &format!("127.0.0.1:{}", self.port), 1)
    }

    async fn join(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.joined = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut far = TcpStream::connect(broker()).await.unwrap();
                    // Either side may end it.
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        }));
    }

    /// Every connection breaks, and no new one is made.
    async fn cut(&mut self) {
        let joined = self.joined.take().unwrap();
        joined.abort();
        assert!(joined.await.unwrap_err().is_cancelled());
    }
}

/// Its host and port.
fn broker() -> String {
    let url = rabbit::url();
    let (_, rest) = url.rsplit_once('@').unwrap_or(("", url.trim_start_matches("amqp://")));
    rest.split('/').next().unwrap().to_owned()
}
