//! One idempotency key, ten thousand times at once, over real connections.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use kiungo_server::ServerOptions;
use kiungo_server::serve::{ConnectionBounds, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::sockets::GRACE;
use crate::world::{World, deposit, deposit_with, options};

const CONNECTIONS: usize = 256;

/// Far fewer than connections: most requests are turned away at first.
const PLACES: usize = 64;

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

/// Asks once over a connection that stays open.
async fn ask(stream: &mut TcpStream, body: &str) -> Reply {
    let length = body.len();
    let request = format!(
        "POST /v1/transfers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer clerk\r\n\
         content-type: application/json\r\nidempotency-key: same\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "the server hung up");
    };
    let body = read.split_off(head);
    let head = String::from_utf8(read).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let mut reply = Reply { status: head[9..12].parse().unwrap(), body, head: head.clone() };
    while reply.body.len() < length.parse().unwrap() {
        assert!(stream.read_buf(&mut reply.body).await.unwrap() > 0, "the server hung up");
    }
    reply
}

/// The connections and the signal that all clients share.
struct Clients {
    connections: Vec<Mutex<TcpStream>>,
    /// Cancelled once a client has been told that the transfer is accepted.
    accepted: CancellationToken,
}

impl Clients {
    async fn connect(address: SocketAddr) -> Self {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Mutex::new(TcpStream::connect(address).await.unwrap()));
        }
        Self { connections, accepted: CancellationToken::new() }
    }

    /// Asks until there is an answer that is not "later"; how often it was "later".
    async fn insist(&self, number: usize, body: &str) -> (Reply, usize) {
        let mut later = 0;
        loop {
            // A client waits in its connection's queue, whichever client was turned away after it.
            let reply = ask(&mut *self.connections[number % CONNECTIONS].lock().await, body).await;
            if ![429, 503].contains(&reply.status) {
                return (reply, later);
            }
            assert!(reply.head.contains("\r\nretry-after: "), "{}", reply.head);
            later += 1;
        }
    }
}

#[tokio::test]
async fn ten_thousand_duplicates_are_one_transfer_and_every_client_learns_which() {
    let options = ServerOptions { client_in_flight_max: PLACES, ..options() };
    let bounds = ConnectionBounds::from(&options);
    let world = World::with(options);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let server =
        tokio::spawn(serve(listener, world.router.clone(), bounds, shutdown.clone(), GRACE));
    let clients = Arc::new(Clients::connect(address).await);
    let tasks: Vec<_> = (0..10_300)
        .map(|number| {
            let clients = Arc::clone(&clients);
            tokio::spawn(async move {
                // The last three hundred want something else under the same key, amid the others.
                if number >= 10_000 {
                    clients.accepted.cancelled().await;
                    let other = deposit_with("/amount", json!("126")).to_string();
                    return (false, clients.insist(number, &other).await);
                }
                let answer = clients.insist(number, &deposit().to_string()).await;
                clients.accepted.cancel();
                (true, answer)
            })
        })
        .collect();
    let (mut answers, mut first, mut refused, mut turned_away) =
        (BTreeSet::new(), 0, Vec::new(), 0);
    for task in tasks {
        let (same, (reply, later)) = task.await.unwrap();
        turned_away += later;
        if same {
            assert_eq!(reply.status, 202, "{}", String::from_utf8_lossy(&reply.body));
            first += usize::from(!reply.head.contains("idempotency-replayed: true"));
            answers.insert(reply.body);
        } else {
            assert_eq!(reply.status, 422);
            refused.push(serde_json::from_slice::<Value>(&reply.body).unwrap());
        }
    }
    assert_eq!((answers.len(), first), (1, 1), "all have the same body, and one was the first");
    assert!(turned_away > 0, "the bound was never met");
    let id = serde_json::from_slice::<Value>(answers.first().unwrap()).unwrap()["id"].clone();
    assert_eq!(refused.len(), 300);
    for problem in refused {
        assert_eq!(
            (&problem["code"], &problem["transfer"]),
            (&json!("idempotency_key_reused"), &id)
        );
    }
    let page = world.get("reader", "/v1/transfers").await.json();
    assert_eq!(page["transfers"].as_array().unwrap().len(), 1);
    drop(clients);
    shutdown.cancel();
    assert_eq!(server.await.unwrap(), 0);
}
