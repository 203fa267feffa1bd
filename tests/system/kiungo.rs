//! The process, and a client of its API.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use kiungo_domain::TransferId;
use kiungo_domain::transfer::{Kind, Status};
use kiungo_simulator::audit::Claim;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::world::{API_KEY, Person, World};

const PATIENCE: Duration = Duration::from_secs(40);
const AMOUNT: i64 = 500_000;
const CALLBACK_SECRET: &str = "0123456789abcdef";
const BIN: &str = env!("CARGO_BIN_EXE_kiungo-under-test");
const SERVE: [&str; 3] = ["serve", "--config", "kiungo.toml"];
const WORK: [&str; 5] = ["worker", "--config", "kiungo.toml", "--listen", "127.0.0.1:0"];

/// A folder with configuration and database, and the port that belongs to it.
pub(crate) struct Installation {
    folder: tempfile::TempDir,
    port: u16,
    /// The schema that holds its data; `None` if the database is in the folder.
    #[cfg(feature = "postgres-tests")]
    schema: Option<crate::postgres::Schema>,
    /// The names under which its work is shared; `None` if it is not shared.
    #[cfg(feature = "rabbit-tests")]
    names: Option<crate::rabbit::Names>,
}

/// A function that makes the places of a test: each kind of database has its own.
pub(crate) type Making =
    for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = Installation> + Send + 'a>>;

impl Installation {
    pub(crate) fn new(world: &World) -> Self {
        Self::with_core_at(world, &world.core_at)
    }

    pub(crate) fn with_core_at(world: &World, core_at: &str) -> Self {
        let installation = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            #[cfg(feature = "postgres-tests")]
            schema: None,
            #[cfg(feature = "rabbit-tests")]
            names: None,
        };
        world.configure(installation.path(), installation.port, core_at);
        installation
    }

    /// With its database in this schema.
    #[cfg(feature = "postgres-tests")]
    pub(crate) fn with(self, schema: crate::postgres::Schema) -> Self {
        Self { schema: Some(schema), ..self }
    }

    /// With its work shared under these names.
    #[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
    pub(crate) fn sharing(self, names: crate::rabbit::Names) -> Self {
        Self { names: Some(names), ..self }
    }

    /// True if one process serves and others work.
    #[cfg_attr(
        not(feature = "rabbit-tests"),
        allow(clippy::unused_self, reason = "without a broker none is")
    )]
    pub(crate) fn is_shared(&self) -> bool {
        #[cfg(feature = "rabbit-tests")]
        return self.names.is_some();
        #[cfg(not(feature = "rabbit-tests"))]
        false
    }

    #[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
    pub(crate) fn names(&self) -> &crate::rabbit::Names {
        self.names.as_ref().unwrap()
    }

    #[cfg(feature = "postgres-tests")]
    pub(crate) fn schema(&self) -> &crate::postgres::Schema {
        self.schema.as_ref().unwrap()
    }

    /// In a file beside the configuration.
    pub(crate) fn in_sqlite(world: &World) -> Pin<Box<dyn Future<Output = Self> + Send + '_>> {
        Box::pin(async { Self::new(world) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.path().join("log")
    }

    /// The program in this folder, with the secrets in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(BIN, arguments)
    }

    fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env("KIUNGO__CORES__MAIN__SECRETS__PASSWORD", "password")
            .env("KIUNGO__PROVIDERS__GSMA_SANDBOX__SECRETS__CLIENT_ID", "kiungo")
            .env("KIUNGO__PROVIDERS__GSMA_SANDBOX__SECRETS__CLIENT_SECRET", "secret")
            .env("KIUNGO__PROVIDERS__GSMA_SANDBOX__CALLBACK_SECRET", CALLBACK_SECRET)
            .env(
                "KIUNGO__PROVIDERS__MPESA_TZ__SECRETS__API_KEY",
                "demo0000demo0000demo0000demo0000",
            )
            .env("KIUNGO_URL", self.url())
            .env("KIUNGO_API_KEY", API_KEY)
            .kill_on_drop(true);
        #[cfg(feature = "postgres-tests")]
        command.envs(self.schema.iter().map(|schema| (crate::postgres::URL, schema.url())));
        #[cfg(feature = "rabbit-tests")]
        command.envs(self.names.iter().flat_map(crate::rabbit::Names::environment));
        command
    }

    /// Adds to its configuration.
    pub(crate) fn add(&self, text: &str) {
        let file = self.path().join("kiungo.toml");
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, before + text).unwrap();
    }

    /// Changes its configuration.
    #[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
    pub(crate) fn amend(&self, from: &str, to: &str) {
        let file = self.path().join("kiungo.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    }

    /// Starts serving, and waits until it is ready.
    pub(crate) async fn serve(&self, environment: &[(&str, &str)]) -> Serving {
        self.serve_as(&SERVE, environment).await
    }

    /// Starts serving by this command, and waits until it is ready.
    pub(crate) async fn serve_as(&self, line: &[&str], environment: &[(&str, &str)]) -> Serving {
        let mut command = self.command(line);
        command.envs(environment.iter().copied());
        self.until_ready(command, &format!("kiungo is ready on {}", self.url())).await
    }

    /// Starts a worker that shows its metrics, and waits until it is ready.
    pub(crate) async fn work(&self, environment: &[(&str, &str)]) -> Serving {
        let mut command = self.command(&WORK);
        command.envs(environment.iter().copied());
        self.until_ready(command, "kiungo is ready on http://127.0.0.1:").await
    }

    /// Listens where it serves, as systemd would for it.
    pub(crate) fn listen(&self) -> TcpListener {
        TcpListener::bind(("127.0.0.1", self.port)).unwrap()
    }

    /// The same on a socket that outlives it, as systemd passes it on: descriptor 3. A shell moves it
    /// there.
    pub(crate) async fn serve_on(&self, socket: &TcpListener, also: &[(&str, &str)]) -> Serving {
        let launch = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\" 3<&0 0</dev/null";
        let mut command = self.command_of("sh", &[&["-c", launch, BIN], &SERVE[..]].concat());
        let socket = OwnedFd::from(socket.try_clone().unwrap());
        command.stdin(Stdio::from(socket)).envs(also.iter().copied());
        self.until_ready(command, &format!("kiungo is ready on {}", self.url())).await
    }

    /// Submits a transfer to the process that serves here, on a connection of its own; the answer
    /// must come.
    pub(crate) async fn submit(&self, wanted: &Wanted) -> Value {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        submit(&http, &self.url(), wanted).await.expect("an answer")
    }

    async fn until_ready(&self, mut command: Command, says: &str) -> Serving {
        let log = std::fs::File::options().create(true).append(true).open(self.log_path()).unwrap();
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("not ready in time").unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended: {}", self.log()));
        assert!(line.starts_with(says), "{line}");
        let url = line.split(' ').next_back().unwrap().to_owned();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Serving { child, http, url }
    }
}

/// A Kiungo that serves.
pub(crate) struct Serving {
    child: Child,
    http: reqwest::Client,
    url: String,
}

/// A wished transfer.
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    pub(crate) provider: &'static str,
    pub(crate) person: Person,
    pub(crate) key: String,
}

impl Wanted {
    pub(crate) fn new(world: &World, kind: Kind, provider: &'static str) -> Self {
        let person = world.new_person();
        let key = format!("{provider}-{}-{}", kind.as_str(), person.msisdn);
        Self { kind, provider, person, key }
    }

    pub(crate) fn body(&self) -> Value {
        let (kind, id) = self.person.account(self.kind);
        json!({
            "kind": self.kind.as_str(), "provider": self.provider, "msisdn": self.person.msisdn,
            "account": { "type": kind, "id": id }, "amount": "5000", "currency": "TZS",
        })
    }

    /// For the audit.
    pub(crate) fn claim(&self, transfer: &Value) -> Claim {
        let (kind, id) = self.person.account(self.kind);
        Claim {
            carried_by: None,
            id: TransferId::parse(transfer["id"].as_str().unwrap()).unwrap(),
            kind: self.kind,
            provider: self.provider.to_owned(),
            msisdn: Some(self.person.msisdn.clone()),
            accounts: vec![format!("{kind}:{id}")],
            amount_minor: AMOUNT,
            payment: None,
            status: status(transfer),
        }
    }
}

impl Serving {
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(API_KEY);
        let body = request.send().await.ok()?.bytes().await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    /// The status and the body that a POST is answered with.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(API_KEY)
            .header("content-type", "application/json")
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    /// The transfer as first answered; `None` if the answer was lost.
    pub(crate) async fn submit(&self, wanted: &Wanted) -> Option<Value> {
        submit(&self.http, &self.url, wanted).await
    }

    /// The status that a callback of a provider is answered with.
    pub(crate) async fn call_back(&self, provider: &str, path: &str, body: &str) -> StatusCode {
        let url = format!("{}/callbacks/{provider}/{CALLBACK_SECRET}/{path}", self.url);
        let request = self.http.post(url).header("content-type", "application/json");
        request.body(body.to_owned()).send().await.unwrap().status()
    }

    /// A case of this kind once there is one.
    pub(crate) async fn until_case(&self, kind: &str) -> Value {
        let poll = async {
            loop {
                let page = self.get("/v1/cases").await.unwrap_or_default();
                let cases = page["cases"].as_array().cloned().unwrap_or_default();
                if let Some(case) = cases.into_iter().find(|case| case["kind"] == kind) {
                    return case;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, poll).await.expect("no such case")
    }

    /// The transfer once it is final.
    pub(crate) async fn until_final(&self, id: &str) -> Value {
        let poll = async {
            loop {
                if let Some(transfer) = self.get(&format!("/v1/transfers/{id}")).await
                    && status(&transfer).is_final()
                {
                    return transfer;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        if let Ok(transfer) = timeout(PATIENCE, poll).await {
            return transfer;
        }
        panic!("not final: {:?}", self.get(&format!("/v1/transfers/{id}/events")).await)
    }

    /// Waits until the process has died of an abort, which is true, or the transfer is final
    /// without having passed the point. `shown` tells, if it is not this one that serves.
    pub(crate) async fn has_aborted_before_end_of(
        mut self,
        shown: Option<&Self>,
        first: Option<&Value>,
    ) -> bool {
        let id = first.and_then(|transfer| transfer["id"].as_str()).map(str::to_owned);
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "neither died nor final: {id:?}");
            // In this order: what is final by now has passed all its points.
            let over = match &id {
                Some(id) => shown.unwrap_or(&self).get(&format!("/v1/transfers/{id}")).await,
                None => None,
            };
            let over = over.is_some_and(|transfer| status(&transfer).is_final());
            // A commit is seen a moment before the point after it is reached.
            sleep(Duration::from_millis(if over { 1000 } else { 50 })).await;
            if let Some(ended) = self.child.try_wait().unwrap() {
                assert_eq!(ended.signal(), Some(6), "{ended}");
                return true;
            }
            if over {
                assert!(self.stop().await.success());
                return false;
            }
        }
    }

    /// The metrics, as Prometheus reads them.
    #[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
    pub(crate) async fn metrics(&self) -> String {
        let request = self.http.get(format!("{}/metrics", self.url)).bearer_auth(API_KEY);
        request.send().await.unwrap().text().await.unwrap()
    }

    pub(crate) fn resident_kb(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Kills it as a power cut would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, and how the process ended.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        self.terminate().await;
        self.until_ended().await
    }

    /// SIGTERM.
    pub(crate) async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    }

    /// Waits for the process to end, and returns its exit status.
    pub(crate) async fn until_ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("did not stop in time").unwrap()
    }
}

/// Submits a transfer: as first answered; `None` if the answer was lost.
async fn submit(http: &reqwest::Client, url: &str, wanted: &Wanted) -> Option<Value> {
    let request = http
        .post(format!("{url}/v1/transfers"))
        .bearer_auth(API_KEY)
        .header("content-type", "application/json")
        .header("idempotency-key", &wanted.key)
        .body(wanted.body().to_string());
    let response = request.send().await.ok()?;
    let status = response.status();
    let body = response.bytes().await.ok()?;
    assert_eq!(status.as_u16(), 202, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).ok()
}

pub(crate) fn status(transfer: &Value) -> Status {
    let word = transfer["status"].as_str().unwrap_or_default();
    let all = [
        Status::Received,
        Status::InProgress,
        Status::AwaitingCustomer,
        Status::Completed,
        Status::Failed,
        Status::Reversed,
        Status::Suspended,
        Status::NeedsAttention,
    ];
    all.into_iter().find(|status| status.as_str() == word).unwrap_or_else(|| panic!("{transfer}"))
}

/// A port below those that the system gives to connections, so that it is still free at a restart.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 15_000).unwrap();
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
