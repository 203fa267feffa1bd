//! How a simulator sends its callbacks: over HTTP, or into the simulated world as a function call.

use async_trait::async_trait;
use bytes::Bytes;

/// Carries a callback to the client under test.
#[async_trait]
pub trait Delivery: Send + Sync {
    /// Sends the request once; the status of the answer, or `None` if there was none.
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16>;
}

/// Sends callbacks over HTTP, to loopback addresses only.
#[derive(Debug, Clone, Default)]
pub struct HttpDelivery {
    client: reqwest::Client,
}

#[async_trait]
impl Delivery for HttpDelivery {
    async fn deliver(&self, callback: http::Request<Bytes>) -> Option<u16> {
        let host = callback.uri().host()?;
        if !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
            tracing::warn!(host, "a simulator calls back to loopback addresses only");
            return None;
        }
        let request = reqwest::Request::try_from(callback).ok()?;
        let answer = self.client.execute(request);
        let answer = tokio::time::timeout(std::time::Duration::from_secs(5), answer).await.ok()?;
        answer.ok().map(|response| response.status().as_u16())
    }
}
