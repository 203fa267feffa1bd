//! Real connections on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use kiungo_server::serve::{ConnectionBounds, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{World, options};

pub const GRACE: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<usize>,
}

async fn start(router: Router, bounds: ConnectionBounds, grace: Duration) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listener, router, bounds, shutdown.clone(), grace));
    Server { address, shutdown, task }
}

fn bounds() -> ConnectionBounds {
    ConnectionBounds::from(&options())
}

async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

const CLOSE: &str = "host: x\r\nconnection: close\r\n";

#[tokio::test]
async fn a_request_over_a_socket_is_answered() {
    let server = start(World::new().router, bounds(), GRACE).await;
    let answer =
        exchange(server.address, format!("GET /healthz HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("{\"status\":\"ok\"}"),
        "{answer}"
    );
    server.shutdown.cancel();
    assert_eq!(server.task.await.unwrap(), 0);
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_headers_is_refused() {
    let server = start(World::new().router, bounds(), GRACE).await;
    let many = "x-many: y\r\n".repeat(200);
    let long = format!("x-long: {}\r\n", "y".repeat(100_000));
    for bomb in [many, long] {
        let request = format!("GET /healthz HTTP/1.1\r\n{CLOSE}{bomb}\r\n");
        let answer = exchange(server.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let answer = exchange(server.address, b"\x16\x03\x01 not http\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// A router whose one request waits for a word, and says when it has come.
fn waiting() -> (Router, mpsc::Receiver<()>, CancellationToken) {
    let (came, comes) = mpsc::channel(8);
    let go_on = CancellationToken::new();
    let word = go_on.clone();
    let handler = move || async move {
        came.send(()).await.unwrap();
        word.cancelled().await;
        "done"
    };
    (Router::new().route("/", get(handler)), comes, go_on)
}

#[tokio::test]
async fn stopping_lets_what_is_in_flight_finish_and_takes_nothing_new() {
    let (router, mut comes, go_on) = waiting();
    let server = start(router, bounds(), GRACE).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\n{CLOSE}\r\n");
    let address = server.address;
    let in_flight = tokio::spawn(async move { exchange(address, request.as_bytes()).await });
    comes.recv().await.unwrap();
    server.shutdown.cancel();
    // The unused connection is closed, which also shows that the stop has begun.
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(address).await.is_err());
    go_on.cancel();
    assert!(in_flight.await.unwrap().ends_with("done"));
    assert_eq!(server.task.await.unwrap(), 0);
}

/// Reads one answer, of which the body is known.
async fn answer_on(stream: &mut TcpStream, body: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(body.as_bytes()) {
        let read = stream.read_buf(&mut answer).await.unwrap_or(0);
        assert!(read > 0, "closed after: {}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
const HEALTHY: &str = "{\"status\":\"ok\"}";

#[tokio::test]
async fn the_first_request_of_a_connection_is_answered_although_a_stop_came_before_it() {
    let server = start(World::new().router, bounds(), GRACE).await;
    // Two, in this order: once the first was answered, the second is accepted.
    let mut later = TcpStream::connect(server.address).await.unwrap();
    exchange(server.address, format!("GET /healthz HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await;
    server.shutdown.cancel();
    // The stop has begun when nothing more is accepted, and the connection stays open.
    while TcpStream::connect(server.address).await.is_ok() {}
    let closed = tokio::time::timeout(Duration::from_millis(20), later.peek(&mut [0; 8])).await;
    assert!(closed.is_err(), "{closed:?}");
    later.write_all(ASK).await.unwrap();
    answer_on(&mut later, HEALTHY).await;
    assert_eq!(later.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(server.task.await.unwrap(), 0);
}

#[tokio::test]
async fn a_request_that_was_sent_before_a_stop_is_answered_on_a_connection_that_was_kept() {
    let server = start(World::new().router, bounds(), GRACE).await;
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(ASK).await.unwrap();
    answer_on(&mut kept, HEALTHY).await;
    // Sent, and not yet seen by anybody: this test runs on one thread.
    kept.write_all(ASK).await.unwrap();
    server.shutdown.cancel();
    answer_on(&mut kept, HEALTHY).await;
    assert_eq!(kept.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(server.task.await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_is_not_ready_closes_the_connection_after_each_answer() {
    let world = World::new();
    let server = start(world.router.clone(), bounds(), GRACE).await;
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(ASK).await.unwrap();
    assert!(!answer_on(&mut kept, HEALTHY).await.contains("connection: close"));
    world.readiness.set(false);
    kept.write_all(ASK).await.unwrap();
    assert!(answer_on(&mut kept, HEALTHY).await.contains("connection: close"));
    assert_eq!(kept.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_request_that_does_not_finish_within_the_grace_is_cut_off() {
    let (router, mut comes, _go_on) = waiting();
    let server = start(router, bounds(), Duration::from_millis(1)).await;
    let address = server.address;
    let in_flight = tokio::spawn(async move {
        exchange(address, format!("GET / HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await
    });
    comes.recv().await.unwrap();
    server.shutdown.cancel();
    assert_eq!(server.task.await.unwrap(), 1);
    assert_eq!(in_flight.await.unwrap(), "");
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_for_a_place() {
    let bounds = ConnectionBounds { connections_max: 1, ..bounds() };
    let (router, mut comes, go_on) = waiting();
    let server = start(router, bounds, GRACE).await;
    let request = format!("GET / HTTP/1.1\r\n{CLOSE}\r\n");
    let ask = || {
        let (address, request) = (server.address, request.clone());
        tokio::spawn(async move { exchange(address, request.as_bytes()).await })
    };
    let (first, second) = (ask(), ask());
    comes.recv().await.unwrap();
    assert!(comes.try_recv().is_err());
    go_on.cancel();
    assert!(first.await.unwrap().ends_with("done") && second.await.unwrap().ends_with("done"));
}

/// Returns the time for which the server leaves a connection open on which these bytes are sent.
async fn left_open(sent: &[u8]) -> Duration {
    let server = start(World::new().router, bounds(), GRACE).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let began = tokio::time::Instant::now();
    stream.write_all(sent).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed() {
    assert!(left_open(b"").await >= Duration::from_secs(75));
    assert!(left_open(ASK).await >= Duration::from_secs(75));
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_head_does_not_end_is_closed_sooner() {
    let slow = left_open(b"GET /healthz HTTP/1.1\r\nx: ").await;
    assert!((10..60).contains(&slow.as_secs()), "{slow:?}");
}
