//! Clients that hold connections without using them: slow request heads, answers that are not read.
//! Callbacks and health checks are answered all the same.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use kiungo_server::serve::{ConnectionBounds, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::sockets::GRACE;
use crate::world::{SECRET, World, options};

/// The address from which all slow clients connect, so that they count as one peer.
const SLOW: &str = "127.0.0.2:0";

/// The address from which providers connect.
const PROVIDER: &str = "127.0.0.3:0";

/// Far more than a socket's buffers hold.
const LONG: usize = 32 * 1024 * 1024;

async fn start(bounds: ConnectionBounds) -> SocketAddr {
    let long = || async { "x".repeat(LONG) };
    let router = World::new().router.merge(Router::new().route("/long", get(long)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, bounds, CancellationToken::new(), GRACE));
    address
}

fn bounds(connections_max: usize) -> ConnectionBounds {
    ConnectionBounds { connections_max, ..ConnectionBounds::from(&options()) }
}

/// A connection from this address to that one.
async fn connected(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from.parse().unwrap()).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(to).await.unwrap()
}

/// Opens this many connections that send these bytes and read nothing.
async fn crowd(count: usize, to: SocketAddr, sent: &[u8]) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for _ in 0..count {
        let mut stream = connected(SLOW, to).await;
        // The connection that has to make room is closed meanwhile.
        let _ = stream.write_all(sent).await;
        crowd.push(stream);
    }
    crowd
}

/// Sends the request, and returns the first line of the answer.
async fn asked(from: &str, to: SocketAddr, request: &str) -> String {
    let mut stream = connected(from, to).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

async fn assert_callbacks_and_health(address: SocketAddr) {
    let call = format!(
        "POST /callbacks/mpesa-tz/{SECRET}/result HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\
         connection: close\r\n\r\nx"
    );
    assert_eq!(asked(PROVIDER, address, &call).await, "HTTP/1.1 202 Accepted");
    let health = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(asked(PROVIDER, address, health).await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn slow_heads_do_not_keep_callbacks_out() {
    let address = start(bounds(50)).await;
    let _slow = crowd(200, address, b"GET /v1/transfers HTTP/1.1\r\nx: ").await;
    assert_callbacks_and_health(address).await;
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_keep_callbacks_out() {
    let address = start(bounds(50)).await;
    let _idle = crowd(200, address, b"").await;
    assert_callbacks_and_health(address).await;
}

#[tokio::test]
async fn answers_that_nobody_takes_do_not_keep_callbacks_out() {
    let address = start(bounds(20)).await;
    let _slow = crowd(40, address, b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_callbacks_and_health(address).await;
}

#[tokio::test]
async fn a_peer_takes_no_more_than_its_share() {
    let proxies = Vec::new();
    let bounds = ConnectionBounds { connections_per_peer_max: 5, proxies, ..bounds(1000) };
    let address = start(bounds).await;
    let mut other = connected(PROVIDER, address).await;
    let mut slow = crowd(6, address, b"GET /v1/transfers HTTP/1.1\r\nx: ").await;
    // The sixth connection is turned away, or the first makes room for it; no other peer's connection
    // does.
    let (mut last, mut first) = (slow.pop().unwrap(), slow.remove(0));
    let (mut one, mut other_one) = ([0; 8], [0; 8]);
    let read = tokio::select! {
        read = last.read(&mut one) => read,
        read = first.read(&mut other_one) => read,
    };
    assert_eq!(read.unwrap_or(0), 0);
    other.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_ne!(other.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn an_answer_that_is_not_taken_in_time_ends_the_connection() {
    let bounds = ConnectionBounds { answer_timeout: Duration::from_millis(50), ..bounds(10) };
    let address = start(bounds).await;
    let mut slow = connected(SLOW, address).await;
    slow.write_all(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // Nothing is read until the server has given up: it then refuses what is sent.
    while slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.is_ok() {
        tokio::task::yield_now().await;
    }
    let mut taken = Vec::new();
    let _ = slow.read_to_end(&mut taken).await;
    assert!(taken.len() < LONG);
}
