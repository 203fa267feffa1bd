//! Running a simulator on a loopback port.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use futures_util::stream;
use tokio::net::TcpListener;

use crate::faults::ResetConnection;

/// Serves `router` until the process ends. A response that carries [`ResetConnection`] is cut off.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, router: Router) -> std::io::Result<()> {
    axum::serve(listener, router.layer(middleware::from_fn(cut_off))).await
}

/// Turns the mark into a body that fails at once, upon which the server drops the connection.
async fn cut_off(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.extensions_mut().remove::<ResetConnection>().is_some() {
        let broken = stream::once(async {
            Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        });
        *response.body_mut() = Body::from_stream(broken);
    }
    response
}
