//! What a request leaves in the log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{World, creation, deposit, request};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines since the last look.
    fn lines(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn changes_and_what_was_refused_are_logged_and_reads_are_not() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(log.clone());
    // Set for this thread, on which the whole test runs.
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let world = World::new();
    let mut create = creation("clerk", "k1", deposit().to_string());
    create.headers_mut().insert("x-request-id", "call-17".parse().unwrap());
    assert_eq!(world.send(create).await.status, 202);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [" INFO ", "call-17", "\"POST\"", "/v1/transfers", "http.status=202", "answered"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    let id = "01930000-0000-7000-8000-00000000ff00";
    for (path, status) in
        [(format!("/v1/transfers/{id}"), 404), ("/v1/transfers?msisdn=255712".to_owned(), 422)]
    {
        let asked = request("GET", &path, "reader").body(Body::empty()).unwrap();
        assert_eq!(world.send(asked).await.status, status);
        let lines = log.lines();
        assert!(
            lines.len() == 1 && lines[0].contains(&format!("http.status={status}")),
            "{lines:?}"
        );
        // The route is named, and never what stands in the address.
        assert!(!lines[0].contains(id) && !lines[0].contains("255712"), "{}", lines[0]);
    }
    for path in ["/v1/transfers", "/healthz", "/metrics"] {
        assert_eq!(world.get("reader", path).await.status, 200);
    }
    assert_eq!(log.lines(), Vec::<String>::new());
}
