//! A peer that behaves as badly as networks do, and the outcome that the network must report for
//! each fault: only a failure before the first byte of the request is [`Failure::NotSent`];
//! everything later may have been executed.
//!
//! Nothing here waits for a moment to be over: a peer that is to be silent is silent for ever, so that
//! the one outcome does not depend on how fast the machine is.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::content::tests::gzip;
use crate::{
    Failure, Intended, Network, NetworkOptions, Request, Response, Transport, sent_within,
};

/// A time-out that no answer in these tests comes near.
const LONG: Duration = Duration::from_secs(60);
/// A time-out for peers that never answer: whatever it is, nothing comes.
const SHORT: Duration = Duration::from_millis(150);
/// The longest answer that is read in these tests, in bytes.
const ANSWER_MAX: usize = 1_000;

/// One act of a peer on a connection.
#[derive(Debug, Clone)]
enum Deed {
    /// Reads this number of bytes, or as many as come by then.
    Read(usize),
    /// Reads the whole request.
    ReadRequest,
    /// Writes this.
    Write(Bytes),
    /// Writes these bytes over and over, until they are no longer read.
    WriteForEver(&'static [u8]),
    /// Writes these bytes one at a time and yields, until they are no longer read.
    Trickle(&'static [u8]),
    /// Closes so that the other side sees a reset.
    Reset,
    /// Says nothing more, and keeps the connection.
    Hang,
}

use Deed::{Hang, Read, ReadRequest, Reset, Trickle, Write, WriteForEver};

/// A peer, and what it has seen.
struct Peer {
    address: SocketAddr,
    /// The bytes that came, connection by connection.
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Peer {
    /// A peer that does this with every connection and then closes it.
    async fn new(deeds: &[Deed]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (deeds, notes) = (deeds.to_vec(), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut seen = notes.lock().unwrap();
                    seen.push(Vec::new());
                    seen.len() - 1
                };
                tokio::spawn(attend(stream, deeds.clone(), number, Arc::clone(&notes)));
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }

    fn url(&self) -> String {
        format!("http://{}/pay", self.address)
    }

    /// The number of times that the body of a request was seen.
    fn bodies_seen(&self) -> usize {
        let seen = self.seen().concat();
        seen.windows(BODY.len()).filter(|window| *window == BODY).count()
    }
}

async fn attend(
    mut stream: TcpStream,
    deeds: Vec<Deed>,
    number: usize,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    for deed in deeds {
        let so_far = seen.lock().unwrap()[number].len();
        match deed {
            Read(count) => {
                read_until(&mut stream, &seen, number, |all| all.len() >= so_far + count).await;
            }
            ReadRequest => {
                read_until(&mut stream, &seen, number, |all| {
                    all[so_far..].windows(BODY.len()).any(|window| window == BODY)
                })
                .await;
            }
            Write(bytes) => drop(stream.write_all(&bytes).await),
            WriteForEver(bytes) => while stream.write_all(bytes).await.is_ok() {},
            Trickle(bytes) => {
                for byte in bytes.iter().cycle() {
                    if stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            Reset => return stream.set_zero_linger().unwrap(),
            Hang => return std::future::pending().await,
        }
    }
    let _ = stream.shutdown().await;
}

/// Reads byte by byte, so that nothing beyond is taken.
async fn read_until(
    stream: &mut TcpStream,
    seen: &Mutex<Vec<Vec<u8>>>,
    number: usize,
    enough: impl Fn(&[u8]) -> bool,
) {
    let mut byte = [0];
    while !enough(&seen.lock().unwrap()[number]) {
        match stream.read(&mut byte).await {
            Ok(1) => seen.lock().unwrap()[number].push(byte[0]),
            _ => return,
        }
    }
}

const BODY: &[u8] = b"{\"amount\":\"125.50\"}";

fn order(url: &str) -> Request {
    http::Request::post(url).body(Bytes::from_static(BODY)).unwrap()
}

fn network() -> Network {
    with(NetworkOptions::default())
}

fn with(options: NetworkOptions) -> Network {
    let options = NetworkOptions { response_bytes_max: ANSWER_MAX, ..options };
    Network::new(&options).unwrap()
}

async fn sent_to(peer: &Peer, timeout: Duration) -> Result<Response, Failure> {
    network().send(order(&peer.url()), timeout).await
}

fn answer(head: &str, body: &[u8]) -> Deed {
    let head = format!("HTTP/1.1 200 OK\r\n{head}content-length: {}\r\n\r\n", body.len());
    Write([head.as_bytes(), body].concat().into())
}

fn raw(text: &'static str) -> Deed {
    Write(Bytes::from_static(text.as_bytes()))
}

fn may_have_been_seen(result: &Result<Response, Failure>) -> bool {
    matches!(result, Err(Failure::NoAnswer { .. }))
}

fn is_not_sent(result: &Result<Response, Failure>) -> bool {
    matches!(result, Err(Failure::NotSent { .. }))
}

#[tokio::test]
async fn nobody_who_listens_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert!(is_not_sent(&network().send(order(&url), LONG).await));
    let unnamed = network().send(order("http://nowhere.invalid/"), LONG).await;
    assert!(is_not_sent(&unnamed), "{unnamed:?}");
}

#[tokio::test]
async fn a_request_that_ends_after_the_connection_stood_may_have_been_seen() {
    let half = BODY.len() / 2;
    for (what, deeds) in [
        ("closes before the first byte", vec![]),
        ("resets before the first byte", vec![Reset]),
        ("closes after the first byte", vec![Read(1)]),
        ("resets after the first byte", vec![Read(1), Reset]),
        ("closes after half of the head", vec![Read(40)]),
        ("resets after half of the head", vec![Read(40), Reset]),
        ("closes after the request", vec![ReadRequest]),
        ("resets after the request", vec![ReadRequest, Reset]),
        ("answers half of a status", vec![ReadRequest, raw("HTTP/1.1 20")]),
        ("answers half of a head", vec![ReadRequest, raw("HTTP/1.1 200 OK\r\ncontent-le")]),
        (
            "answers half of a body",
            vec![ReadRequest, raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"")],
        ),
        (
            "answers half of a body and resets",
            vec![ReadRequest, raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\""), Reset],
        ),
        (
            "answers half of the chunks",
            vec![
                ReadRequest,
                raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"),
            ],
        ),
        (
            "states a length that is none",
            vec![ReadRequest, raw("HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}"), Hang],
        ),
        ("answers what is no HTTP", vec![ReadRequest, raw("SSH-2.0-OpenSSH_9.2\r\n"), Hang]),
        ("answers before it is asked and goes", vec![raw("HTTP/1.1 2"), Read(half)]),
    ] {
        let peer = Peer::new(&deeds).await;
        let result = sent_to(&peer, LONG).await;
        assert!(may_have_been_seen(&result), "{what}: {result:?}");
        assert!(peer.bodies_seen() <= 1, "{what}: sent again");
        assert_eq!(peer.seen().len(), 1, "{what}: connected again");
    }
}

#[tokio::test]
async fn a_peer_that_never_finishes_may_have_seen_the_request() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n";
    for (what, deeds) in [
        ("never reads", vec![Hang]),
        ("reads half", vec![Read(60), Hang]),
        ("never answers", vec![ReadRequest, Hang]),
        ("answers half of a head", vec![ReadRequest, raw("HTTP/1.1 200 OK\r\nx: "), Hang]),
        ("answers a head", vec![ReadRequest, raw(head), Hang]),
        ("answers half of a body", vec![ReadRequest, raw(head), raw("{\"a\":"), Hang]),
        ("only ever says that it goes on", vec![ReadRequest, Trickle(b"HTTP/1.1 102 .\r\n\r\n")]),
    ] {
        let peer = Peer::new(&deeds).await;
        let result = sent_to(&peer, SHORT).await;
        assert!(may_have_been_seen(&result), "{what}: {result:?}");
        assert!(peer.seen().len() <= 1, "{what}: connected again");
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up_at_its_bound() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let long = "HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n";
    let bomb = gzip(&vec![b' '; 1_000_000]);
    for (what, deeds) in [
        ("a body by its length", vec![ReadRequest, raw(long), WriteForEver(&[b' '; 1024])]),
        (
            "a body to the end",
            vec![ReadRequest, raw("HTTP/1.1 200 OK\r\n\r\n"), WriteForEver(b" ")],
        ),
        ("a byte at a time", vec![ReadRequest, raw(long), Trickle(b" ")]),
        ("chunks", vec![ReadRequest, raw(chunked), WriteForEver(b"4\r\n    \r\n")]),
        ("a head", vec![ReadRequest, raw("HTTP/1.1 200 OK\r\n"), WriteForEver(b"x: yyyyyyyy\r\n")]),
        ("a header", vec![ReadRequest, raw("HTTP/1.1 200 OK\r\nx: "), WriteForEver(b"yyyyyyyy")]),
        ("gzip", vec![ReadRequest, answer("content-encoding: gzip\r\n", &bomb[..900]), Hang]),
        ("a bomb", vec![ReadRequest, answer("content-encoding: gzip\r\n", &bomb), Hang]),
    ] {
        let peer = Peer::new(&deeds).await;
        let result = sent_to(&peer, LONG).await;
        assert!(may_have_been_seen(&result), "{what}: {result:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_fails_is_not_sent_whatever_the_peer_does() {
    for (what, deeds) in [
        ("closes", vec![]),
        ("resets", vec![Read(1), Reset]),
        ("speaks HTTP", vec![Read(5), raw("HTTP/1.1 400 Bad Request\r\n\r\n")]),
        ("alerts", vec![Read(5), Write(Bytes::from_static(&[0x15, 3, 3, 0, 2, 2, 0x28])), Hang]),
        ("hangs", vec![Read(5), Hang]),
    ] {
        let peer = Peer::new(&deeds).await;
        let network = with(NetworkOptions { connect_timeout: SHORT, ..NetworkOptions::default() });
        let url = peer.url().replace("http:", "https:");
        let result = network.send(order(&url), LONG).await;
        assert!(is_not_sent(&result), "{what}: {result:?}");
        assert_eq!(peer.bodies_seen(), 0, "{what}");
    }
}

#[tokio::test]
async fn nothing_is_ever_sent_twice() {
    // The first request is answered, and the connection kept; the second one is read and left.
    let peer = Peer::new(&[ReadRequest, answer("", b"{}"), ReadRequest]).await;
    let network = network();
    assert!(network.send(order(&peer.url()), LONG).await.is_ok());
    let second = network.send(order(&peer.url()), LONG).await;
    assert!(may_have_been_seen(&second), "{second:?}");
    assert_eq!(peer.bodies_seen(), 2);

    for status in [
        "301 Moved",
        "302 Found",
        "307 Temporary",
        "308 Permanent",
        "408 Timeout",
        "425 Early",
        "503 Off",
    ] {
        let elsewhere = Peer::new(&[ReadRequest, answer("", b"{}")]).await;
        let to = elsewhere.url();
        let refusal = format!(
            "HTTP/1.1 {status}\r\nlocation: {to}\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n"
        );
        let peer = Peer::new(&[ReadRequest, Write(refusal.into())]).await;
        let answer = sent_to(&peer, LONG).await.unwrap();
        assert!(status.starts_with(answer.status().as_str()), "{status}");
        assert_eq!((peer.bodies_seen(), elsewhere.seen().len()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn an_answer_too_many_is_not_taken_for_the_answer_to_the_next_request() {
    let two = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\n\
               content-length: 5\r\n\r\nother";
    let peer = Peer::new(&[ReadRequest, raw(two), ReadRequest, raw(two)]).await;
    let network = network();
    for _ in 0..4 {
        match network.send(order(&peer.url()), LONG).await {
            Ok(answer) => assert_eq!(answer.body(), "first"),
            failed => assert!(may_have_been_seen(&failed), "{failed:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_is_read_packed_or_not_and_what_cannot_be_unpacked_is_none() {
    let json = br#"{"transactionStatus":"completed"}"#;
    let packed = gzip(json);
    let read = |head: &'static str, body: &[u8]| {
        let deed = answer(head, body);
        async move {
            let peer = Peer::new(&[ReadRequest, deed]).await;
            let result = sent_to(&peer, LONG).await;
            let asked = String::from_utf8_lossy(&peer.seen().concat()).to_lowercase();
            assert!(asked.contains("\r\naccept-encoding: gzip\r\n"), "{asked}");
            result
        }
    };
    for (head, body) in [
        ("", &json[..]),
        ("content-encoding: gzip\r\n", &packed[..]),
        ("content-encoding: x-gzip\r\n", &packed[..]),
        ("content-encoding: gzip\r\n", &json[..]),
        ("content-encoding: UTF-8\r\n", &json[..]),
    ] {
        let answer = read(head, body).await.unwrap();
        assert_eq!(answer.body(), &json[..], "{head}");
        assert!(!answer.headers().contains_key("content-encoding"));
    }
    for (head, body) in [
        ("content-encoding: gzip\r\n", &packed[..packed.len() - 5]),
        ("content-encoding: br\r\n", &packed[..]),
        ("content-encoding: deflate\r\n", &json[..]),
        ("content-encoding: gzip\r\ncontent-encoding: gzip\r\n", &packed[..]),
    ] {
        let result = read(head, body).await;
        assert!(may_have_been_seen(&result), "{head}: {result:?}");
    }
}

fn intended_now() -> Intended {
    Intended::new(Instant::now(), || Duration::ZERO)
}

#[tokio::test]
async fn the_bound_before_sending_holds_by_itself() {
    // No body, so that the bound of bodies has no part in it.
    let peer = Peer::new(&[Hang]).await;
    let request = http::Request::get(peer.url()).body(Bytes::new()).unwrap();
    let late = sent_within(intended_now(), Duration::ZERO, async {
        tokio::task::yield_now().await;
        network().send(request, LONG).await
    });
    let result = late.await;
    assert!(is_not_sent(&result), "{result:?}");
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn the_bound_of_a_body_holds_by_itself() {
    // Sends as if the first bound had not been missed.
    let peer = Peer::new(&[ReadRequest, answer("", b"{}")]).await;
    let late = sent_within(intended_now(), Duration::ZERO, async {
        tokio::task::yield_now().await;
        network().exchange(order(&peer.url())).await
    });
    let result = late.await;
    assert!(may_have_been_seen(&result), "{result:?}");
    assert_eq!(peer.bodies_seen(), 0);
    let in_time = sent_within(intended_now(), LONG, network().exchange(order(&peer.url()))).await;
    assert!(in_time.is_ok(), "{in_time:?}");
    assert_eq!(peer.bodies_seen(), 1);
}

fn through(proxy: &str) -> Network {
    let proxy = Some(SecretString::from(proxy));
    with(NetworkOptions { proxy, plaintext_allowed: true, ..NetworkOptions::default() })
}

#[tokio::test]
async fn a_readable_request_is_not_sent_unless_it_is_allowed() {
    let proxy = Peer::new(&[ReadRequest, answer("", b"{}")]).await;
    let url = Some(SecretString::from(format!("http://{}", proxy.address)));
    let options = NetworkOptions { proxy: url, ..NetworkOptions::default() };
    let result = with(options).send(order("http://provider.invalid/pay"), LONG).await;
    assert!(is_not_sent(&result), "{result:?}");
    assert!(result.unwrap_err().to_string().contains("plaintext_allowed"));
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn everything_goes_through_the_proxy_that_is_set() {
    let proxy = Peer::new(&[ReadRequest, answer("", b"{}")]).await;
    let network = through(&format!("http://user:word@{}", proxy.address));
    // This name is resolved by the proxy, not here.
    let answer = network.send(order("http://provider.invalid/pay"), LONG).await.unwrap();
    assert_eq!(answer.body(), "{}");
    let asked = String::from_utf8(proxy.seen().concat()).unwrap();
    assert!(asked.starts_with("POST http://provider.invalid/pay HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("\r\nproxy-authorization: basic "), "{asked}");
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_means_not_sent() {
    for deeds in [
        vec![],
        vec![Read(7), Reset],
        vec![Read(60), raw("HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n")],
        vec![Read(60), raw("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")],
        vec![Read(60), raw("HTTP/1.1 200 OK\r\n\r\n")],
    ] {
        let proxy = Peer::new(&deeds).await;
        let network = through(&format!("http://{}", proxy.address));
        let result = network.send(order("https://provider.invalid/pay"), LONG).await;
        assert!(is_not_sent(&result), "{deeds:?}: {result:?}");
        let asked = String::from_utf8_lossy(&proxy.seen().concat()).into_owned();
        assert!("CONNECT provider.invalid:443".starts_with(&asked[..asked.len().min(28)]));
        assert_eq!(proxy.bodies_seen(), 0);
    }
}

#[test]
fn a_proxy_is_an_address_and_nothing_else_and_is_not_repeated_in_the_error() {
    for wrong in
        ["", "proxy", "proxy:3128", "socks5://proxy:1080", "http://", "http://secret@proxy/path"]
    {
        let proxy = Some(SecretString::from(wrong));
        let error = Network::new(&NetworkOptions { proxy, ..NetworkOptions::default() });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("the proxy is not an address") && !error.contains("secret"));
    }
}

/// Says for the test below that it is the process with the variables.
const CHILD: &str = "KIUNGO_TEST_PROXY_CHILD";

#[tokio::test]
async fn a_proxy_in_the_environment_is_not_used() {
    if let Ok(url) = std::env::var(CHILD) {
        let answer = network().send(order(&url), LONG).await;
        assert_eq!(answer.unwrap().body(), "direct");
        return;
    }
    let peer = Peer::new(&[ReadRequest, answer("", b"direct")]).await;
    let proxy = Peer::new(&[ReadRequest, answer("", b"proxied")]).await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "peer::a_proxy_in_the_environment_is_not_used"]);
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        child.env(variable, format!("http://{}", proxy.address));
    }
    let output = child.env(CHILD, peer.url()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((peer.bodies_seen(), proxy.seen().len()), (1, 0));
}
