//! Checks that we and the counterparties agree on the time. Tokens, value dates and "not found yet"
//! depend on it.

use std::time::Duration;

use bytes::Bytes;
use http::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use kiungo_transport::Transport;

use super::finding::Finding;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds; a `Date` header is cut to a second, and the answer takes its time.
const UNREMARKABLE: u64 = 5;
/// Seconds from which on tokens and signatures are refused by many.
const HARMFUL: u64 = 60;

/// Compares the `Date` of any answer with this machine's clock.
pub(super) async fn examine(subject: &str, transport: &dyn Transport, url: &str) -> Finding {
    let subject = format!("{subject}, clock");
    let Ok(request) = http::Request::get(url).body(Bytes::new()) else {
        let found = format!("its address {url} cannot be asked");
        return Finding::failed("clock_unread", &subject, found, "correct the address");
    };
    let answer = match transport.send(request, TIMEOUT).await {
        Ok(answer) => answer,
        Err(failure) => {
            let advice = "look for the finding about the connection";
            return Finding::warning("clock_unread", &subject, failure.to_string(), advice);
        }
    };
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    match date.and_then(|date| rfc2822::parse(date).ok()) {
        Some(theirs) => compare(&subject, Timestamp::now(), theirs.timestamp()),
        None => Finding::ok("clock", &subject, "it does not tell its time"),
    }
}

fn compare(subject: &str, ours: Timestamp, theirs: Timestamp) -> Finding {
    let seconds = ours.duration_since(theirs).unsigned_abs().as_secs();
    let ahead = if ours > theirs { "ahead of" } else { "behind" };
    let found = format!("we are {seconds} s {ahead} it");
    let advice = "synchronise this machine's clock (NTP)";
    if seconds <= UNREMARKABLE {
        Finding::ok("clock", subject, "the clocks agree")
    } else if seconds < HARMFUL {
        Finding::warning("clock_off", subject, found, advice)
    } else {
        Finding::failed("clock_off", subject, found, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_clock_is_compared_by_how_far_it_is_off_either_way() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        assert_eq!(compare("x", at(3), at(0)).state, State::Ok);
        assert_eq!(compare("x", at(0), at(30)).state, State::Warning);
        assert_eq!(compare("x", at(90), at(0)).state, State::Failed);
        assert_eq!(compare("x", at(0), at(90)).state, State::Failed);
    }
}
