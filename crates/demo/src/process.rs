//! Kiungo itself, as processes of their own that can be killed: one, or one that serves and several that
//! work.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::files::Folder;

/// The line with which a process says that it is ready begins with this.
const READY: &str = "kiungo is ready";
/// The longest wait for that line; a migration is part of it.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// The longest time for a graceful stop: more than `shutdown_grace` of the demo's configuration,
/// and what the broker may take.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// The environment in which the demo runs must not change its configuration.
const ENVIRONMENT: &str = "KIUNGO__";

/// A running Kiungo.
pub(super) struct Kiungo {
    launcher: Launcher,
    serving: Child,
    workers: Vec<Child>,
    /// The number of times that it was killed.
    killed: usize,
}

/// The command by which a process is started.
#[derive(Clone)]
struct Launcher {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

impl Kiungo {
    /// Starts Kiungo by this program, with this number of workers, and waits until it is ready.
    pub(super) async fn start(
        program: PathBuf,
        folder: &Folder,
        workers: u16,
    ) -> anyhow::Result<Self> {
        let launcher = Launcher { program, config: folder.config(), log: folder.log() };
        let serving = launcher.launch("serve").await?;
        let mut starting = JoinSet::new();
        for _ in 0..workers {
            let launcher = launcher.clone();
            starting.spawn(async move { launcher.launch("worker").await });
        }
        let workers = starting.join_all().await.into_iter().collect::<Result<_, _>>()?;
        Ok(Self { launcher, serving, workers, killed: 0 })
    }

    /// Kills as a power cut would: the one process; or a worker, and each second time with it the
    /// one that serves. Returns the number of killed processes.
    pub(super) async fn kill(&mut self) -> anyhow::Result<usize> {
        let round = self.killed;
        self.killed += 1;
        let worker = round.checked_rem(self.workers.len());
        let mut victims: Vec<&mut Child> =
            worker.and_then(|number| self.workers.get_mut(number)).into_iter().collect();
        if victims.is_empty() || round % 2 == 1 {
            victims.push(&mut self.serving);
        }
        let count = victims.len();
        for victim in victims {
            victim.kill().await.context("cannot kill kiungo")?;
        }
        Ok(count)
    }

    /// Starts what was killed.
    pub(super) async fn restart(&mut self) -> anyhow::Result<()> {
        if self.serving.id().is_none() {
            self.serving = self.launcher.launch("serve").await?;
        }
        for worker in self.workers.iter_mut().filter(|worker| worker.id().is_none()) {
            *worker = self.launcher.launch("worker").await?;
        }
        Ok(())
    }

    /// Asks it to stop, and waits.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let all = || std::iter::once(&self.serving).chain(&self.workers);
        for child in all() {
            terminate(child).await;
        }
        for child in std::iter::once(&mut self.serving).chain(&mut self.workers) {
            let Ok(status) = timeout(STOPPED_WITHIN, child.wait()).await else {
                child.kill().await?;
                bail!("kiungo did not stop within {} s", STOPPED_WITHIN.as_secs());
            };
            let status = status?;
            if !status.success() {
                bail!("kiungo stopped with {status}; see {}", self.launcher.log.display());
            }
        }
        Ok(())
    }
}

impl Launcher {
    /// Starts a process that does this, and waits until it is ready.
    async fn launch(&self, duty: &str) -> anyhow::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg(duty).arg("--config").arg(&self.config);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(ENVIRONMENT) {
                command.env_remove(name);
            }
        }
        let errors = append_to(&self.log)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).kill_on_drop(true);
        // Ctrl-C is for the demo, which then stops Kiungo.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().context("cannot start kiungo")?;
        let stdout = child.stdout.take().context("kiungo has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = timeout(READY_WITHIN, until_ready(&mut lines)).await;
        if !matches!(ready, Ok(Ok(true))) {
            let _ = child.kill().await;
            bail!("kiungo {duty} did not become ready:\n{}", tail(&self.log));
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(child)
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

/// The end of the log, for a message.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

/// SIGTERM. The standard library sends none but SIGKILL, and a shell is
/// where a compiler is.
async fn terminate(child: &Child) {
    let Some(id) = child.id() else { return };
    let _ = Command::new("sh").arg("-c").arg(format!("kill -TERM {id}")).status().await;
}
