//! Stopping and starting while clients ask: no client is turned away.

use std::time::Duration;

use kiungo_domain::transfer::Kind;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixDatagram};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::kiungo::{Installation, Wanted};
use crate::world::{API_KEY, World};

const RESTARTS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(40);

/// Asks without pause, each time on a new connection, until told to stop. Returns the number of
/// requests.
pub(crate) async fn ask_without_pause(
    url: String,
    enough: CancellationToken,
) -> Result<usize, String> {
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(PATIENCE);
    let http = http.build().unwrap();
    let mut asked = 0;
    while !enough.is_cancelled() {
        let request = http.get(format!("{url}/v1/transfers")).bearer_auth(API_KEY);
        let answer = request.send().await.map_err(|error| format!("{asked}: {error:?}"))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| format!("{asked}: {error:?}"))?;
        if status != 200 {
            return Err(format!("{asked}: {status} {}", String::from_utf8_lossy(&body)));
        }
        asked += 1;
    }
    Ok(asked)
}

#[tokio::test]
async fn restarts_on_a_socket_that_stays_fail_no_request() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let socket = installation.listen();
    let enough = CancellationToken::new();
    let mut serving = installation.serve_on(&socket, &[]).await;
    let clients: Vec<_> = (0..3)
        .map(|_| tokio::spawn(ask_without_pause(installation.url(), enough.clone())))
        .collect();
    let mut accepted = Vec::new();
    for _ in 0..RESTARTS {
        // Accepted by whichever of the two processes takes the connection.
        let wanted = Wanted::new(&world, Kind::Deposit, "gsma-sandbox");
        serving.terminate().await;
        let (transfer, ended) = tokio::join!(installation.submit(&wanted), async {
            let ended = serving.until_ended().await;
            (ended, installation.serve_on(&socket, &[]).await)
        });
        assert!(ended.0.success(), "{}", installation.log());
        accepted.push((wanted, transfer));
        serving = ended.1;
    }
    enough.cancel();
    for client in clients {
        let asked = client.await.unwrap().unwrap_or_else(|failed| panic!("{failed}"));
        assert!(asked > RESTARTS, "{asked} requests in all");
    }
    let mut claims = Vec::new();
    for (wanted, transfer) in &accepted {
        let transfer = serving.until_final(transfer["id"].as_str().unwrap()).await;
        claims.push(wanted.claim(&transfer));
    }
    let audit = world.audit(&claims);
    assert!(audit.is_clean(), "{audit:?}");
    assert!(serving.stop().await.success(), "{}", installation.log());
}

/// Sends a request on a connection that is kept. The answer's head, and its body.
async fn ask(stream: &mut TcpStream, path: &str) -> (String, Value) {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {API_KEY}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            return (head.to_ascii_lowercase(), body);
        }
        let more = timeout(PATIENCE, stream.read_buf(&mut read)).await.unwrap().unwrap();
        assert!(more > 0, "closed under {path} after: {}", String::from_utf8_lossy(&read));
    }
}

#[tokio::test]
async fn a_stop_is_told_before_it_begins_and_a_kept_connection_ends_after_an_answer() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let mut serving = installation.serve(&[("KIUNGO__SERVER__DRAIN", "3s")]).await;
    let address = ("127.0.0.1", installation.port());
    let mut kept = TcpStream::connect(address).await.unwrap();
    let (head, _) = ask(&mut kept, "/readyz").await;
    assert!(head.starts_with("http/1.1 200") && !head.contains("connection: close"), "{head}");
    // One that asks without pause: it goes on until it is told to close.
    let mut busy = TcpStream::connect(address).await.unwrap();
    let busy = tokio::spawn(async move {
        loop {
            let (head, _) = ask(&mut busy, "/v1/transfers").await;
            assert!(head.starts_with("http/1.1 200"), "{head}");
            if head.contains("connection: close") {
                return busy.read(&mut [0; 8]).await.unwrap();
            }
        }
    });
    serving.terminate().await;
    let told = async {
        loop {
            let mut fresh = TcpStream::connect(address).await.unwrap();
            let (head, body) = ask(&mut fresh, "/readyz").await;
            if head.starts_with("http/1.1 503") {
                return body;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let body = timeout(PATIENCE, told).await.unwrap();
    assert_eq!(body["code"], "not_ready", "{body}");
    // Work is taken all the same, on connections old and new.
    let (head, _) = ask(&mut kept, "/v1/transfers").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("connection: close"), "{head}");
    assert_eq!(kept.read(&mut [0; 8]).await.unwrap(), 0);
    let wanted = Wanted::new(&world, Kind::Deposit, "gsma-sandbox");
    installation.submit(&wanted).await;
    assert_eq!(busy.await.unwrap(), 0);
    assert!(serving.until_ended().await.success(), "{}", installation.log());
    assert!(installation.log().contains("clean=true"), "{}", installation.log());
}

#[tokio::test]
async fn systemd_is_told_what_it_asks_for() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let at = installation.path().join("notify");
    let systemd = UnixDatagram::bind(&at).unwrap();
    let environment = [
        ("NOTIFY_SOCKET", at.to_str().unwrap()),
        ("WATCHDOG_USEC", "200000"),
        ("KIUNGO__SERVER__DRAIN", "1s"),
    ];
    let heard = async || {
        let mut message = [0; 256];
        let length = timeout(PATIENCE, systemd.recv(&mut message)).await.unwrap().unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let mut serving = installation.serve(&environment).await;
    assert_eq!(heard().await, "READY=1\n");
    assert_eq!(heard().await, "WATCHDOG=1\n");
    assert_eq!(heard().await, "WATCHDOG=1\n");
    serving.terminate().await;
    let mut last = heard().await;
    while last == "WATCHDOG=1\n" {
        last = heard().await;
    }
    // The drain, the grace of the tests' configuration, and what closing may take.
    assert_eq!(last, "STOPPING=1\nEXTEND_TIMEOUT_USEC=26000000\n");
    assert!(serving.until_ended().await.success());
}

#[tokio::test]
async fn a_path_that_is_no_socket_is_refused_with_the_reason() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    for (count, says) in [("1", "no TCP socket"), ("2", "2 sockets were passed on")] {
        let mut command = installation.command(&["serve", "--config", "kiungo.toml"]);
        // Descriptor 3 is not open in a program that was just started.
        let output = command.env("LISTEN_FDS", count).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
}
