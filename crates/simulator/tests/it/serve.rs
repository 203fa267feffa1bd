//! The bytes on the wire: header names, dropped connections, TLS.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use axum::routing::get;
use kiungo_simulator::response_faults;
use kiungo_simulator::serve::{serve, serve_tls};
use kiungo_simulator::tls::{Tls, TlsError, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn counted() -> Response {
    let mut response = Response::new("[]".into());
    let name = HeaderName::from_static("x-records-available-count");
    response.headers_mut().insert(name, HeaderValue::from_static("0"));
    response
}

fn router() -> Router {
    Router::new()
        .route("/list", get(counted))
        .route("/lost", get(async || response_faults::reset(Response::new("secret".into()))))
}

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// All that is answered to a request before the connection ends.
async fn raw(path: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // However the connection ends, what was sent before is what counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn header_names_go_out_in_canonical_case() {
    let answer = raw("/list").await;
    assert!(answer.contains("\r\nX-Records-Available-Count: 0\r\n"), "{answer}");
    assert!(answer.contains("\r\nContent-Length: 2\r\n"), "{answer}");
}

#[tokio::test]
async fn a_lost_answer_leaves_no_byte_on_the_wire() {
    assert_eq!(raw("/lost").await, "");
}

/// The status that a client with this identity sees; `None` if the handshake or the request fails.
async fn over_tls(identity: Option<&str>) -> Option<u16> {
    let tls = Tls::read(&TlsFiles {
        certificate_file: pem("server.pem"),
        key_file: pem("server.key"),
        client_authority_file: Some(pem("authority.pem")),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/list", listener.local_addr().unwrap());
    tokio::spawn(serve_tls(listener, router(), tls.unwrap()));
    let read = |name| std::fs::read(pem(name)).unwrap();
    let authority = reqwest::Certificate::from_pem(&read("authority.pem")).unwrap();
    let mut client = reqwest::Client::builder().tls_certs_merge([authority]).no_proxy();
    if let Some(name) = identity {
        client = client.identity(reqwest::Identity::from_pem(&read(name)).unwrap());
    }
    let answer = client.build().unwrap().get(url).send().await.ok()?;
    Some(answer.status().as_u16())
}

#[tokio::test]
async fn mutual_tls_lets_in_certificates_of_its_own_authority_only() {
    assert_eq!(over_tls(Some("client-identity.pem")).await, Some(200));
    assert_eq!(over_tls(Some("stranger-identity.pem")).await, None);
    assert_eq!(over_tls(None).await, None);
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let files = |certificate: &str, key: &str| TlsFiles {
        certificate_file: pem(certificate),
        key_file: pem(key),
        client_authority_file: None,
    };
    let missing = Tls::read(&files("nothing.pem", "server.key")).unwrap_err();
    assert!(missing.to_string().contains("nothing.pem"), "{missing}");
    let no_key = Tls::read(&files("server.pem", "authority.pem")).unwrap_err();
    assert!(matches!(no_key, TlsError::File { .. }), "{no_key}");
    let unfit = Tls::read(&files("authority.pem", "server.key")).unwrap_err();
    assert!(matches!(unfit, TlsError::Certificates(_)), "{unfit}");
}
