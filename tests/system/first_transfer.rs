//! The page "Your first transfer in five minutes", followed to the letter: each of its `sh` blocks is
//! given to a shell as it stands, but for the ports, which are free ones here.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::cli::read;
use crate::kiungo::free_port;

const PATIENCE: Duration = Duration::from_secs(40);
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/first-transfer.md");
const BIN: &str = env!("CARGO_BIN_EXE_kiungo-under-test");
/// The ports of the page: Kiungo's, and those of the simulators.
const PORTS: [u16; 4] = [8080, 8081, 8082, 8083];

/// A reader who follows the page in an empty folder.
struct Reader {
    home: tempfile::TempDir,
    /// The ports that replace [`PORTS`].
    ports: [u16; 4],
    /// The variables that were exported so far.
    exported: String,
}

impl Reader {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(BIN, bin.join("kiungo")).unwrap();
        Self { home, ports: PORTS.map(|_| free_port()), exported: String::new() }
    }

    fn shell(&self, lines: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", &format!("{}{lines}", self.exported)])
            .current_dir(self.home.path())
            .env("PATH", format!("{}:{path}", self.home.path().join("bin").display()))
            .env("KIUNGO_URL", format!("http://127.0.0.1:{}", self.ports[0]))
            .env_remove("KIUNGO_API_KEY")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// With the ports that stand for those of the page.
    fn with_free_ports(&self, text: &str) -> String {
        PORTS.iter().zip(self.ports).fold(text.to_owned(), |text, (shown, free)| {
            text.replace(&format!("127.0.0.1:{shown}"), &format!("127.0.0.1:{free}"))
                .replace(&format!("port = {shown}\n"), &format!("port = {free}\n"))
        })
    }

    /// Changes the ports in every file that holds one.
    fn take_free_ports(&self) {
        let folder = self.home.path().join("data/sandbox");
        let mut files = vec![folder.join("kiungo.toml"), folder.join("simulators.toml")];
        let mappings = std::fs::read_dir(folder.join("mappings")).unwrap();
        files.extend(mappings.map(|entry| entry.unwrap().path()));
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let changed = self.with_free_ports(&text);
            assert_ne!(text, changed, "{}: no port of the page", file.display());
            std::fs::write(&file, changed).unwrap();
        }
    }

    /// The output of a block, which has to succeed.
    async fn run(&self, block: &str) -> String {
        let block = self.with_free_ports(block);
        let output = timeout(PATIENCE, self.shell(&block).output()).await.expect("an end");
        let (code, out, complaint) = read(output.unwrap());
        assert_eq!(code, 0, "{block}\n{out}{complaint}");
        out
    }

    /// The output of a block as soon as it shows what is expected.
    async fn run_until(&self, block: &str, shows: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let again = async {
            loop {
                last = self.run(block).await;
                if shows(&last) {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        let in_time = timeout(PATIENCE, again).await.is_ok();
        assert!(in_time, "{block}\n{last}");
        last
    }

    /// Starts what a terminal of its own is for, and waits for the line by which it is ready.
    async fn start(&self, block: &str, ready: &str) -> Child {
        let log = self.home.path().join("log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = self.shell(&format!("exec {block}"));
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("ready in time").unwrap();
        let log = || std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
        let line = line.unwrap_or_else(|| panic!("{block} ended: {}", log()));
        assert!(line.contains(ready), "{line}");
        // A process that prints more must not be stopped by a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        child
    }
}

/// The `sh` blocks of the page in their order.
fn blocks() -> Vec<String> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let parts = page.split("\n```sh\n").skip(1);
    parts.map(|part| part.split("\n```").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_page_about_the_first_transfer_leads_to_one() {
    let mut reader = Reader::new();
    let mut running = Vec::new();
    let mut done = Vec::new();
    for block in blocks() {
        let (what, out) = match block.as_str() {
            "kiungo init --sandbox" => {
                let out = reader.run(&block).await;
                reader.take_free_ports();
                ("init", out)
            }
            line if line.starts_with("kiungo config check") => ("check", reader.run(&block).await),
            line if line.starts_with("kiungo simulate all") => {
                running.push(reader.start(&block, "are simulated").await);
                ("simulate", String::new())
            }
            line if line.starts_with("kiungo serve") => {
                running.push(reader.start(&block, "kiungo is ready on").await);
                ("serve", String::new())
            }
            line if line.starts_with("export ") => {
                reader.exported.push_str(&block);
                reader.exported.push('\n');
                ("export", String::new())
            }
            line if line.starts_with("kiungo transfer create deposit") => {
                ("deposit", reader.run(&block).await)
            }
            line if line.starts_with("kiungo transfer create withdrawal") => {
                ("withdrawal", reader.run(&block).await)
            }
            line if line.contains("/_sim/payments") => {
                let out = reader.run(&block).await;
                assert!(out.contains("receipt"), "{out}");
                ("payment", out)
            }
            line if line.starts_with("kiungo transfer list") => {
                let two = |out: &str| out.matches("completed").count() == 2;
                ("list", reader.run_until(&block, two).await)
            }
            line if line.starts_with("kiungo suspense list") => {
                let one = |out: &str| out.contains("school fees") && out.contains("500.00");
                ("suspense", reader.run_until(&block, one).await)
            }
            line if line.contains("/_sim/books") => ("books", reader.run(&block).await),
            other => panic!("the test does not know what comes of this: {other}"),
        };
        if ["deposit", "withdrawal"].contains(&what) {
            assert!(out.contains("completed"), "{out}");
        }
        if what == "books" {
            assert!(out.contains("\"float\"") && out.contains("savings:1"), "{out}");
        }
        done.push(what);
    }
    let expected = [
        "init",
        "check",
        "simulate",
        "serve",
        "export",
        "deposit",
        "withdrawal",
        "payment",
        "list",
        "payment",
        "suspense",
        "books",
    ];
    assert_eq!(done, expected);
    for mut child in running {
        child.kill().await.unwrap();
    }
}

/// The complaint of a command in an empty folder, and the folder.
async fn complaint_of(reader: &Reader, line: &str) -> (i32, String) {
    let (code, _, complaint) = read(reader.shell(line).output().await.unwrap());
    (code, complaint)
}

fn files_of(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.clone(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn init_overwrites_nothing_and_names_what_is_there() {
    let reader = Reader::new();
    for line in ["kiungo init --dir here", "kiungo init --sandbox --dir there"] {
        reader.run(line).await;
        let folder = reader.home.path().join(line.rsplit(' ').next().unwrap());
        let before = files_of(&folder);
        let (code, complaint) = complaint_of(&reader, line).await;
        assert_eq!(code, 1, "{complaint}");
        assert!(
            complaint.contains("kiungo.toml exists") && complaint.contains("--dir"),
            "{complaint}"
        );
        assert_eq!(files_of(&folder), before);
    }
    let (code, complaint) = complaint_of(&reader, "kiungo init --dir here/kiungo.toml").await;
    assert!(code == 2 && complaint.contains("here/kiungo.toml is no folder"), "{complaint}");
}

#[tokio::test]
async fn an_own_configuration_names_what_is_to_be_filled_in_and_shows_the_key_once() {
    let reader = Reader::new();
    let out = reader.run("kiungo --json init --dir own").await;
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    let key = out["api_key"].as_str().unwrap();
    let files = files_of(&reader.home.path().join("own"));
    assert!(files.iter().all(|(_, text)| !text.contains(key)), "the key is kept");
    let check = "kiungo config check --config own/kiungo.toml";
    let (code, complaint) = complaint_of(&reader, check).await;
    assert_eq!(code, 2, "{complaint}");
    for key in ["server.public_url", "fineract.base_url", "client_secret_file", "password_file"] {
        assert!(complaint.contains(key), "{key} in {complaint}");
    }
}

#[tokio::test]
async fn simulators_without_a_folder_or_a_port_say_what_to_do() {
    let reader = Reader::new();
    let (code, complaint) = complaint_of(&reader, "kiungo simulate all --dir nowhere").await;
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("nowhere/simulators.toml"), "{complaint}");
    assert!(complaint.contains("kiungo init --sandbox --dir nowhere"), "{complaint}");
    reader.run("kiungo init --sandbox").await;
    reader.take_free_ports();
    let taken = format!("127.0.0.1:{}", reader.ports[2]);
    let _listener = std::net::TcpListener::bind(&taken).unwrap();
    let (code, complaint) = complaint_of(&reader, "kiungo simulate all").await;
    assert_eq!(code, 1, "{complaint}");
    for word in [taken.as_str(), "gsma.listen", "data/sandbox/simulators.toml", "--port"] {
        assert!(complaint.contains(word), "{word} in {complaint}");
    }
    let file = reader.home.path().join("data/sandbox/simulators.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(&taken, "0.0.0.0:0")).unwrap();
    let (code, complaint) = complaint_of(&reader, "kiungo simulate all").await;
    assert!(code == 2 && complaint.contains("loopback"), "{complaint}");
}
