//! Running a simulator on a port.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::faults::ResetConnection;
use crate::tls::Tls;

/// The wait when nothing can be accepted: usually too many open files, until some close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until the process ends. A response that carries [`ResetConnection`] is never
/// sent: the connection ends instead.
///
/// # Errors
/// Never at present; a listener that fails is waited for.
pub async fn serve(listener: TcpListener, router: Router) -> std::io::Result<()> {
    accept(&listener, |stream| tokio::spawn(speak(stream, router.clone()))).await
}

/// The same over TLS. Who does not get through the handshake sees nothing of the router.
///
/// # Errors
/// Never at present; a listener that fails is waited for.
pub async fn serve_tls(listener: TcpListener, router: Router, tls: Tls) -> std::io::Result<()> {
    accept(&listener, |stream| tokio::spawn(greet(stream, tls.clone(), router.clone()))).await
}

async fn greet(stream: TcpStream, tls: Tls, router: Router) {
    match tls.accept(stream).await {
        Ok(stream) => speak(stream, router).await,
        Err(error) => tracing::debug!(error.message = %error, "a TLS handshake failed"),
    }
}

async fn accept<T>(listener: &TcpListener, begin: impl Fn(TcpStream) -> T) -> std::io::Result<()> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and whole: waiting to fill a packet only delays them.
                let _ = stream.set_nodelay(true);
                begin(stream);
            }
            Err(error) => {
                tracing::warn!(error.message = %error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// HTTP/1.1 over one connection. Header names go out in canonical case, because published clients
/// look for them in that case (`gsma-mobile-money-api.md` §16).
async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let service = service_fn(|request: Request<Incoming>| answer(router.clone(), request));
    let mut connections = http1::Builder::new();
    connections.title_case_headers(true);
    if let Err(error) = connections.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(error.message = %error, "a connection ended early");
    }
}

/// The router's answer, or nothing: then the connection is dropped.
async fn answer(
    router: Router,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::io::Error> {
    let response = match router.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(impossible) => match impossible {},
    };
    if response.extensions().get::<ResetConnection>().is_some() {
        return Err(std::io::ErrorKind::ConnectionReset.into());
    }
    Ok(response)
}
