//! The log lines of a request.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use axum::body::Body;

use crate::world::{World, creation, deposit, request};

thread_local! {
    /// The lines of this thread since the last look: each test runs on a thread of its own.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs for all tests of this program: a subscriber of one test alone is not heard where another test
/// reached the same line first, without one.
fn start_logging() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
    let _ = lines();
}

/// The lines of this thread since the last look.
fn lines() -> Vec<String> {
    let bytes = LOG.take();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn changes_and_what_was_refused_are_logged_and_reads_are_not() {
    start_logging();
    let world = World::new();
    let mut create = creation("clerk", "k1", deposit().to_string());
    create.headers_mut().insert("x-request-id", "call-17".parse().unwrap());
    assert_eq!(world.send(create).await.status, 202);
    let written = lines();
    assert_eq!(written.len(), 1, "{written:?}");
    for part in [" INFO ", "call-17", "\"POST\"", "/v1/transfers", "http.status=202", "answered"] {
        assert!(written[0].contains(part), "{part}: {}", written[0]);
    }
    let id = "01930000-0000-7000-8000-00000000ff00";
    for (path, status) in
        [(format!("/v1/transfers/{id}"), 404), ("/v1/transfers?msisdn=255712".to_owned(), 422)]
    {
        let asked = request("GET", &path, "reader").body(Body::empty()).unwrap();
        assert_eq!(world.send(asked).await.status, status);
        let written = lines();
        assert!(
            written.len() == 1 && written[0].contains(&format!("http.status={status}")),
            "{written:?}"
        );
        // The route is named, and never what stands in the address.
        assert!(!written[0].contains(id) && !written[0].contains("255712"), "{}", written[0]);
    }
    for path in ["/v1/transfers", "/healthz", "/metrics"] {
        assert_eq!(world.get("reader", path).await.status, 200);
    }
    assert_eq!(lines(), Vec::<String>::new());
}
