//! Sends a simulator's callbacks: over HTTP, or into the simulated world as a function call.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

/// Carries a callback to the client under test.
#[async_trait]
pub trait Delivery: Send + Sync {
    /// Sends the request once; the status of the answer, or `None` if there was none.
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16>;

    /// Sends the request once; the whole answer, or `None` if there was none. Needed where the
    /// body of the answer decides (the validation of a payment) or is counted (acknowledgements).
    /// By default only the status is known and the body is empty.
    async fn ask(&self, callback: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let status = self.deliver(callback).await?;
        http::Response::builder().status(status).body(Bytes::new()).ok()
    }
}

/// The time for which a callback waits for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Sends callbacks over HTTP, to loopback addresses only.
#[derive(Debug, Clone, Default)]
pub struct HttpDelivery {
    client: reqwest::Client,
}

#[async_trait]
impl Delivery for HttpDelivery {
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16> {
        self.ask(callback).await.map(|answer| answer.status().as_u16())
    }

    async fn ask(&self, callback: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let host = callback.uri().host()?;
        if !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
            tracing::warn!(host, "a simulator calls back to loopback addresses only");
            return None;
        }
        let request = reqwest::Request::try_from(callback).ok()?;
        let exchange = async {
            let answer = self.client.execute(request).await.ok()?;
            let status = answer.status();
            let body = answer.bytes().await.ok()?;
            http::Response::builder().status(status).body(body).ok()
        };
        tokio::time::timeout(ANSWER_WITHIN, exchange).await.ok().flatten()
    }
}
