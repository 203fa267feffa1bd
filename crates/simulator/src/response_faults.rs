//! The faults that befall the answer to a request, for every simulator alike.

use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::faults::{Fault, Faults, ResetConnection};

/// The operation of a request, as far as faults are concerned.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The operation's name in the plan: `collect`, `inquire`, `deposit` …
    pub operation: &'a str,
    /// The business content that draws depend on; never a random reference.
    pub key: &'a str,
    /// The time that the counterparty itself needs before anything is done. The work is done even
    /// if the client does not wait for it.
    pub delay: Duration,
}

/// Does `work` and answers, with the faults that `faults` draws for `subject`.
///
/// `own_error` makes the counterparty's own server error with the status it is given (500 or 503).
/// Whatever `work` does of consequence must happen before it first awaits, because a client that
/// hangs up drops it there.
pub async fn perform<W, F>(
    faults: &Faults,
    subject: Subject<'_>,
    own_error: impl Fn(StatusCode) -> Response + Send,
    work: W,
) -> Response
where
    W: FnOnce() -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let strikes = |fault| faults.strikes(subject.operation, fault, subject.key);
    if strikes(Fault::ResetBefore) {
        return reset(Response::default());
    }
    if strikes(Fault::ErrorBefore) {
        return own_error(server_error(faults, subject.key));
    }
    if strikes(Fault::GatewayRefuses) {
        return gateway(faults, subject.key);
    }
    let late = if strikes(Fault::LateWork) { faults.slow() } else { Duration::ZERO };
    let response = after(subject.delay + late, work).await;
    if strikes(Fault::ResetAfter) {
        return reset(response);
    }
    if strikes(Fault::ErrorAfter) {
        return own_error(server_error(faults, subject.key));
    }
    if strikes(Fault::HtmlAfter) {
        return html();
    }
    if strikes(Fault::Slow) {
        tokio::time::sleep(faults.slow()).await;
    }
    response
}

/// Marks `response` as lost: whoever transports it resets the connection instead.
pub fn reset(mut response: Response) -> Response {
    response.extensions_mut().insert(ResetConnection);
    response
}

/// The error page of some gateway in between.
pub fn html() -> Response {
    const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head>\
        <body><center><h1>502 Bad Gateway</h1></center></body></html>";
    let mut response = Response::new(Body::from(PAGE));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// A gateway's refusal, always the same for one business content.
fn gateway(faults: &Faults, key: &str) -> Response {
    const PAGE: &str = r#"{"fault":{"faultstring":"Rate limit or access policy violated"}}"#;
    let often = crate::faults::hash(faults.seed(), &[b"gateway", key.as_bytes()]).is_multiple_of(2);
    let mut response = Response::new(Body::from(PAGE));
    *response.status_mut() =
        if often { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::FORBIDDEN };
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Does `work` after `wait`, whether or not the caller is still there by then.
async fn after<W, F>(wait: Duration, work: W) -> Response
where
    W: FnOnce() -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    if wait.is_zero() {
        return work().await;
    }
    let task = tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        work().await
    });
    task.await.unwrap_or_else(|_| html())
}

/// 500 or 503, always the same for one business content.
fn server_error(faults: &Faults, key: &str) -> StatusCode {
    if crate::faults::hash(faults.seed(), &[key.as_bytes()]).is_multiple_of(2) {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::faults::Plan;

    const SUBJECT: Subject<'static> =
        Subject { operation: "collect", key: "k", delay: Duration::ZERO };

    fn always(fault: Fault) -> Faults {
        let rates = BTreeMap::from([(fault, 10_000)]);
        Faults::new(Plan {
            rates: BTreeMap::from([("collect".to_owned(), rates)]),
            ..Plan::none(1)
        })
    }

    async fn run(faults: &Faults, done: &Arc<AtomicU32>) -> Response {
        let done = done.clone();
        let own_error = |status| {
            let mut response = Response::default();
            *response.status_mut() = status;
            response
        };
        perform(faults, SUBJECT, own_error, move || async move {
            done.fetch_add(1, Ordering::SeqCst);
            Response::default()
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn every_fault_of_an_answer_does_the_work_or_does_not() {
        for (fault, work, status, cut) in [
            (Fault::ResetBefore, 0, 200, true),
            (Fault::ErrorBefore, 0, 500, false),
            (Fault::GatewayRefuses, 0, 429, false),
            (Fault::ResetAfter, 1, 200, true),
            (Fault::ErrorAfter, 1, 500, false),
            (Fault::HtmlAfter, 1, 502, false),
            (Fault::Slow, 1, 200, false),
            (Fault::LateWork, 1, 200, false),
        ] {
            let done = Arc::new(AtomicU32::new(0));
            let response = run(&always(fault), &done).await;
            assert_eq!(done.load(Ordering::SeqCst), work, "{fault:?}");
            let seen = response.status().as_u16();
            let twin = matches!((status, seen), (500, 503) | (429, 403));
            assert!(seen == status || twin, "{fault:?}: {seen}");
            assert_eq!(response.extensions().get::<ResetConnection>().is_some(), cut, "{fault:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn late_work_is_done_though_the_client_has_gone() {
        let faults = always(Fault::LateWork);
        let done = Arc::new(AtomicU32::new(0));
        let patience = Duration::from_millis(500);
        assert!(tokio::time::timeout(patience, run(&faults, &done)).await.is_err());
        assert_eq!(done.load(Ordering::SeqCst), 0);
        tokio::time::sleep(faults.slow()).await;
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }
}
