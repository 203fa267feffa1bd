//! A private `RabbitMQ`: a node of its own below the target folder, on free ports of the loopback
//! address, with its own cookie and port mapper (`epmd`), gone when the tests are over.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::tool::Tool;
use crate::{Installer, free_ports, is_leftover};

/// The prefix of a node's folder; the number of the process that started it follows.
const FOLDER: &str = "kiungo-rabbit-";

/// The server itself. Debian's wrapper in the path changes the user first, and reads that user's
/// settings.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// The installation may not start the system's service, which would take the usual ports. A rule
/// that exists already belongs to another program and stays.
const INSTALL_QUIETLY: &str = "rule=/usr/sbin/policy-rc.d; if [ ! -e $rule ]; then \
    printf '#!/bin/sh\\nexit 101\\n' > $rule && chmod +x $rule && trap \"rm -f $rule\" EXIT; fi; \
    apt-get -y -q install --no-install-recommends rabbitmq-server";

/// One scheduler that does not spin while it waits, so that the tests have the processors.
const EMULATOR: &str = "+S 1:1 +A 4 +sbwt none +sbwtdcpu none +sbwtdio none \
    -kernel inet_dist_use_interface {127,0,0,1}";

/// The longest time that it may take to start: many times what it takes on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(180);
/// The interval at which a starting node is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The number of starts: another program may take a free port before the node binds it.
const STARTS_MAX: u32 = 3;
/// The number of bytes of a node's output that an error quotes, from its end.
const QUOTED_BYTES: usize = 4_000;
/// The longest time that it may take to stop, in seconds.
const STOP_WITHIN: &str = "60";

/// A running node; it stops, and its files go, when this is dropped.
pub struct Rabbit {
    root: PathBuf,
    folder: PathBuf,
    port: u16,
    distribution: u16,
    mapper: u16,
    server: Option<Child>,
}

impl Rabbit {
    /// Installs the server if it is missing, and starts a new node.
    pub fn start(root: &Path) -> Result<Self> {
        if !is_installed() {
            install(root)?;
        }
        let services = crate::folder(root);
        sweep(root, &services);
        let mut start = 1;
        loop {
            match Self::start_on(free_ports()?, root, &services) {
                Err(error) if start < STARTS_MAX => eprintln!("{error:#}\nit is started again"),
                started => return started,
            }
            start += 1;
        }
    }

    fn start_on(ports: [u16; 3], root: &Path, services: &Path) -> Result<Self> {
        let [port, distribution, mapper] = ports;
        let folder = services.join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir_all(folder.join("home")).context(folder.display().to_string())?;
        // Absolute, as the server changes its folder.
        let folder = folder.canonicalize()?;
        eprintln!("a private RabbitMQ is started in {}", folder.display());
        let root = root.to_owned();
        let mut rabbit = Self { root, folder, port, distribution, mapper, server: None };
        rabbit.configure()?;
        rabbit.serve()?;
        Ok(rabbit)
    }

    fn configure(&self) -> Result<()> {
        fs::write(self.folder.join("plugins"), "[].\n")?;
        fs::write(self.folder.join("mapper"), self.mapper.to_string())?;
        let settings = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\nvm_memory_high_watermark.absolute = 512MB\n\
             disk_free_limit.absolute = 50MB\nlog.file.level = warning\nlog.console = false\n",
            self.port
        );
        fs::write(self.folder.join("rabbitmq.conf"), settings)?;
        Ok(())
    }

    /// The address of its virtual host.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Stops it and starts it again: connections are lost, what was confirmed is not.
    pub fn restart(&mut self) -> Result<()> {
        self.halt();
        self.serve()
    }

    /// Stops it until [`Rabbit::serve`].
    pub fn halt(&mut self) {
        stop_node(&self.root, &self.folder);
        if let Some(mut server) = self.server.take() {
            // It has stopped: this only takes note.
            let _ = server.wait();
        }
    }

    /// Starts what was stopped, and waits until it answers.
    pub fn serve(&mut self) -> Result<()> {
        let said = self.folder.join("out");
        let out = File::create(&said).context(said.display().to_string())?;
        let mut command = Command::new(SERVER);
        // In a group of its own, so that an interrupt from the keyboard lets the tests end first.
        command.env_clear().envs(self.environment()).current_dir(&self.folder).process_group(0);
        command.stdin(Stdio::null()).stderr(out.try_clone()?).stdout(out);
        let server = command.spawn().with_context(|| format!("{SERVER} cannot be started"))?;
        let server = self.server.insert(server);
        let begin = Instant::now();
        while !is_ready(&said) {
            // A server that has ended is asked for its status: its process stays listed until then.
            let ended = server.try_wait()?;
            if ended.is_some() || begin.elapsed() > START_WITHIN {
                let how = ended.map_or_else(
                    || format!("was not ready after {} s", START_WITHIN.as_secs()),
                    |status| format!("ended with {status}"),
                );
                bail!("RabbitMQ {how}:\n{}", self.last_words());
            }
            thread::sleep(LOOK_EVERY);
        }
        TcpStream::connect(("127.0.0.1", self.port)).context("RabbitMQ does not listen")?;
        Ok(())
    }

    /// The ends of everything that the node wrote: its folder goes with it.
    fn last_words(&self) -> String {
        let logs = fs::read_dir(self.folder.join("log")).into_iter().flatten().flatten();
        let files = std::iter::once(self.folder.join("out")).chain(logs.map(|entry| entry.path()));
        let mut words = String::new();
        for file in files {
            let Ok(bytes) = fs::read(&file) else { continue };
            let end = &bytes[bytes.len().saturating_sub(QUOTED_BYTES)..];
            words.extend(["--- ", &file.display().to_string(), "\n"]);
            words.extend([&String::from_utf8_lossy(end), "\n"]);
        }
        words
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        vec![
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", file("home")),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("ERL_EPMD_PORT", self.mapper.to_string()),
            ("RABBITMQ_NODENAME", format!("kiungo-{}@localhost", std::process::id())),
            ("RABBITMQ_DIST_PORT", self.distribution.to_string()),
            ("RABBITMQ_MNESIA_BASE", file("data")),
            ("RABBITMQ_LOG_BASE", file("log")),
            ("RABBITMQ_PID_FILE", file("pid")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", file("plugins")),
            ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
            ("RABBITMQ_CONF_ENV_FILE", file("no-such-file")),
            ("RABBITMQ_GENERATED_CONFIG_DIR", file("config")),
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", EMULATOR.to_owned()),
        ]
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.halt();
        stop_mapper(&self.root, &self.folder);
        remove(&self.folder);
    }
}

/// True once a node has written that it has started.
fn is_ready(said: &Path) -> bool {
    fs::read_to_string(said).is_ok_and(|said| said.contains("completed with"))
}

/// Stops and removes what earlier runs left behind that were killed.
fn sweep(root: &Path, services: &Path) {
    for entry in fs::read_dir(services).into_iter().flatten().flatten() {
        let folder = entry.path();
        if is_leftover(&folder, FOLDER) == Some(true) {
            stop_node(root, &folder);
            stop_mapper(root, &folder);
            remove(&folder);
        }
    }
}

/// Stops the node of a folder: asked first, forced if it takes too long.
fn stop_node(root: &Path, folder: &Path) {
    let Ok(number) = fs::read_to_string(folder.join("pid")) else { return };
    let number = number.trim();
    let is_ours = || {
        // The number may have gone to another process since.
        let environment = fs::read(Path::new("/proc").join(number).join("environ"));
        let base = folder.join("data").to_string_lossy().into_owned();
        let variable = format!("RABBITMQ_MNESIA_BASE={base}").into_bytes();
        environment.is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == variable))
    };
    for signal in ["-TERM", "-KILL"] {
        if number.parse::<u32>().is_err() || !is_ours() {
            return;
        }
        let _ = Tool::other(root, Path::new("kill"), &[signal, number]).works();
        let wait = [STOP_WITHIN, "tail", "--pid", number, "-f", "/dev/null"];
        let _ = Tool::other(root, Path::new("timeout"), &wait).works();
    }
}

/// The mapper has the name of no node any more, so it may end.
fn stop_mapper(root: &Path, folder: &Path) {
    if let Ok(port) = fs::read_to_string(folder.join("mapper")) {
        let _ = Tool::other(root, Path::new("epmd"), &["-port", &port, "-kill"]).works();
    }
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        eprintln!("{} was not removed: {error}", folder.display());
    }
}

fn is_installed() -> bool {
    Path::new(SERVER).exists()
}

fn install(root: &Path) -> Result<()> {
    let installer = Installer::new(root, "rabbitmq-server")?;
    installer.apt(&["update"])?;
    let environment = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"];
    installer
        .privileged(&[&environment[..], &["sh", "-c", INSTALL_QUIETLY]].concat())
        .run_aside()?;
    ensure!(is_installed(), "rabbitmq-server was installed, but there is no {SERVER}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// The test ends at once if the server is not installed: a unit test installs nothing.
    #[test]
    fn a_private_node_answers_and_leaves_nothing_behind() {
        if !is_installed() {
            return;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut rabbit = Rabbit::start(&root).unwrap();
        let reaches = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        let ports = [rabbit.port, rabbit.distribution, rabbit.mapper];
        assert_eq!(ports.map(reaches), [true; 3]);
        rabbit.halt();
        assert!(!reaches(rabbit.port));
        rabbit.serve().unwrap();
        assert!(reaches(rabbit.port));
        let folder = rabbit.folder.clone();
        drop(rabbit);
        assert!(!folder.exists());
        assert_eq!(ports.map(reaches), [false; 3]);

        // Another process took the port meanwhile: the error quotes the node, and comes at once.
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let [distribution, mapper] = free_ports().unwrap();
        let ports = [taken.local_addr().unwrap().port(), distribution, mapper];
        let error = Rabbit::start_on(ports, &root, &crate::folder(&root)).err().unwrap();
        let text = format!("{error:#}");
        assert!(text.contains("ended with") && text.contains("eaddrinuse"), "{text}");
    }
}
