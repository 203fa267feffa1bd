//! The statement over the API, page by page.

use kiungo_domain::Timestamp;
use kiungo_domain::transfer::StepName;
use kiungo_provider::{PeriodQuery, Provider, ReadError, StatementPage};

use crate::world::*;

fn query() -> PeriodQuery {
    PeriodQuery {
        from: at(),
        to: Timestamp::from_micros(1_772_359_199_999_500),
        offset: 2,
        limit: 50,
    }
}

fn page_of(body: &str, available: &str, returned: &str) -> Reply {
    let mut reply = answer(200, body);
    if let Ok(page) = &mut reply {
        let headers = page.headers_mut();
        headers.insert("x-records-available-count", available.parse().unwrap());
        headers.insert("x-records-returned-count", returned.parse().unwrap());
    }
    reply
}

async fn read(step: Reply) -> Result<StatementPage, ReadError> {
    let gsma = gsma(&Script::new([step]));
    gsma.statement().unwrap().page(&query()).await
}

#[tokio::test]
async fn a_page_tells_direction_party_and_reference_of_each_line() {
    let script = Script::new([page_of(fixture!("statement/page.json"), "37", "2")]);
    let gsma = gsma(&script);
    let page = gsma.statement().unwrap().page(&query()).await.unwrap();
    assert_eq!(page.available, Some(37));
    let [reversal, payment] = page.lines.as_slice() else { panic!("{page:?}") };
    assert_eq!(reversal.receipt, receipt("REF-1772361000200"));
    assert!(!reversal.incoming && payment.incoming);
    assert_eq!(payment.reference, Some(reference(StepName::First)));
    assert_eq!(payment.amount, money("125.50"));
    assert_eq!(payment.msisdn, Some(msisdn()));
    assert_eq!(payment.status, "completed");
    assert_eq!(payment.at, Some(Timestamp::from_micros(1_772_357_402_000_000)));
    assert_eq!(
        lines(&script),
        ["GET /accounts/accountid/4400/transactions?offset=2&limit=50\
          &fromDateTime=2026-03-01T09%3A30%3A00Z&toDateTime=2026-03-01T10%3A00%3A00Z"]
    );
}

#[tokio::test]
async fn an_offset_past_the_end_is_an_empty_page_in_either_form() {
    let empty = page_of("[]", "0", "0");
    let coded = answer(400, r#"{"errorCategory":"validation","errorCode":"invalidOffset"}"#);
    assert_eq!(read(empty).await.unwrap().lines, []);
    assert_eq!(read(coded).await.unwrap().lines, []);
}

#[tokio::test]
async fn a_single_object_is_a_page_of_one_line() {
    let page = read(answer(200, fixture!("collect/completed.json"))).await.unwrap();
    assert_eq!(page.lines.len(), 1);
    assert_eq!(page.available, None);
}

#[tokio::test]
async fn a_page_that_cannot_be_read_in_full_is_an_error_and_not_a_shorter_page() {
    let page = fixture!("statement/page.json");
    for step in [
        page_of(page, "37", "3"),
        page_of(page, "many", "2"),
        answer(200, page.replace("\"4400\"", "\"4401\"")),
        answer(200, page.replace("125.5", "125.555")),
        answer(200, page.replace("REF-1772361000200", "")),
        answer(200, "<html>"),
        answer(200, "[1]"),
        answer(400, fixture!("errors/format.json")),
        answer(503, ""),
        lost(),
    ] {
        assert!(read(step.clone()).await.is_err(), "{step:?}");
    }
}
