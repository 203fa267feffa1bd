//! Kiungo's processes: started, signalled, killed.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

/// Makes a program of this package behave as `kiungo`: see `kiungo-chaos`.
pub const ACT: &str = "KIUNGO_CHAOS_ACT";

/// The line by which a process says that it is ready.
const READY: &str = "kiungo is ready";
/// The longest time that one attempt to start may take.
const READY_WITHIN: Duration = Duration::from_secs(40);
/// The time for which it is started again and again, as systemd does while the database is away.
const START_WITHIN: Duration = Duration::from_secs(90);
const START_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// The longest time for a graceful stop: more than the demo's `shutdown_grace` and the broker's
/// closing.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// The environment in which this runs must not change the configuration.
const ENVIRONMENT: &str = "KIUNGO_";

/// The command by which processes are started.
#[derive(Debug, Clone)]
pub(super) struct Launcher {
    /// The program that acts as `kiungo`.
    pub(super) program: PathBuf,
    /// Its configuration.
    pub(super) config: PathBuf,
    /// The folder for the logs.
    pub(super) logs: PathBuf,
}

/// A running process; killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    /// Its name here.
    pub(super) name: String,
    launcher: Launcher,
    arguments: Vec<String>,
    broker: String,
    child: Child,
    number: u32,
}

impl Launcher {
    /// Starts a process that is called `name`, and waits until it is ready. It reaches the broker at
    /// `broker`.
    ///
    /// # Errors
    /// It does not become ready.
    pub(super) async fn launch(
        &self,
        name: &str,
        arguments: &[&str],
        broker: &str,
    ) -> anyhow::Result<Process> {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let child = self.start_until_ready(name, &arguments, broker).await?;
        let number = child.id().context("it has ended already")?;
        let (name, broker) = (name.to_owned(), broker.to_owned());
        Ok(Process { name, launcher: self.clone(), arguments, broker, child, number })
    }

    async fn start_until_ready(
        &self,
        name: &str,
        arguments: &[String],
        broker: &str,
    ) -> anyhow::Result<Child> {
        let until = Instant::now() + START_WITHIN;
        loop {
            match self.start(name, arguments, broker).await {
                Ok(child) => return Ok(child),
                Err(error) if Instant::now() > until => return Err(error),
                Err(_) => sleep(START_AGAIN_AFTER).await,
            }
        }
    }

    async fn start(&self, name: &str, arguments: &[String], broker: &str) -> anyhow::Result<Child> {
        let log = self.logs.join(format!("{name}.log"));
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(ENVIRONMENT) {
                command.env_remove(name);
            }
        }
        command.args(arguments).arg("--config").arg(&self.config);
        command.env(ACT, "kiungo").env("KIUNGO__LOG__FILTER", "info,lapin=warn");
        command.env("KIUNGO__QUEUE__URL", broker);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(append_to(&log)?);
        // An interrupt from the keyboard is for the parent process.
        command.kill_on_drop(true).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("it has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        if !matches!(timeout(READY_WITHIN, until_ready(&mut lines)).await, Ok(Ok(true))) {
            let _ = child.kill().await;
            bail!("{name} did not become ready: see {}", log.display());
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(child)
    }
}

impl Process {
    /// The status with which it ended, if it did by itself.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Kills it as a power cut would.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// Starts it again after its end.
    ///
    /// # Errors
    /// It does not become ready.
    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        let (arguments, broker) = (&self.arguments, &self.broker);
        self.child = self.launcher.start_until_ready(&self.name, arguments, broker).await?;
        self.number = self.child.id().context("it has ended already")?;
        Ok(())
    }

    /// Sends a signal, such as `STOP`. The standard library sends none but KILL.
    ///
    /// # Errors
    /// There is no shell.
    pub(super) async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        if self.child.id().is_some() {
            let line = format!("kill -{signal} {}", self.number);
            Command::new("sh").arg("-c").arg(line).status().await?;
        }
        Ok(())
    }

    /// Asks it to stop, and waits.
    ///
    /// # Errors
    /// It does not stop in time, or not as it should.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.signal("TERM").await?;
        let Ok(status) = timeout(STOPPED_WITHIN, self.child.wait()).await else {
            self.kill().await?;
            bail!("{} did not stop within {} s of SIGTERM", self.name, STOPPED_WITHIN.as_secs());
        };
        let status = status?;
        if !status.success() {
            bail!("{} ended with {status} after SIGTERM", self.name);
        }
        Ok(())
    }
}

async fn until_ready(lines: &mut Lines<BufReader<ChildStdout>>) -> std::io::Result<bool> {
    while let Some(line) = lines.next_line().await? {
        if line.starts_with(READY) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn append_to(log: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(log);
    file.with_context(|| format!("cannot write {}", log.display()))
}
