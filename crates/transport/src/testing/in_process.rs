//! A transport into a server in this process.

use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::Extensions;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::{Failure, Request, Response, Transport};

/// Carries requests into a router as function calls.
pub struct InProcess {
    router: Router,
    is_cut: fn(&Extensions) -> bool,
}

impl InProcess {
    /// A transport into this router. An answer with the extension `Cut` stands for a connection that is
    /// reset before the answer.
    pub fn new<Cut: Clone + Send + Sync + 'static>(router: Router) -> Self {
        Self { router, is_cut: |extensions| extensions.get::<Cut>().is_some() }
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, Failure> {
        let lost = |why: &str| Failure::NoAnswer { why: why.to_owned() };
        let router = self.router.clone();
        // A task of its own: the other side works on although the caller has stopped waiting.
        let work = tokio::spawn(router.oneshot(request.map(Body::from)));
        let answer = tokio::time::timeout(timeout, work).await;
        let answer = answer.map_err(|_| lost("time-out"))?.unwrap().unwrap();
        if (self.is_cut)(answer.extensions()) {
            return Err(lost("reset"));
        }
        let (parts, body) = answer.into_parts();
        Ok(Response::from_parts(parts, body.collect().await.unwrap().to_bytes()))
    }
}
