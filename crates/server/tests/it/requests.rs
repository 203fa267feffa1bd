use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use http::Request;
use kiungo_api::testing::{START, tzs};
use kiungo_api::{CoreRequestService, Service};
use kiungo_core_banking::{RawHook, RequestKind};
use kiungo_domain::{AccountKind, CoreAccount, CoreId, Msisdn, ProviderId, Timestamp};
use kiungo_engine::requests::{Content, DecideError, HookError, HookResult};
use kiungo_server::{Readiness, ServerOptions, ServerState, router};
use kiungo_store::{CoreRequestDecision, CoreRequestRow, CoreRequestState, StoreError};
use secrecy::SecretString;
use serde_json::json;

use crate::world::{SECRET, World, options, service};

/// Answers what it is told to, and notes what it is asked.
#[derive(Default)]
pub struct FakeRequests {
    hooks: Mutex<Vec<RawHook>>,
    heard: Mutex<Option<Result<HookResult, HookError>>>,
    refuses: Mutex<Option<DecideError>>,
}

impl FakeRequests {
    fn decide(
        &self,
        state: CoreRequestState,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        if let Some(error) = self.refuses.lock().unwrap().clone() {
            return Err(error);
        }
        let (by, reason, approved) = (by.to_owned(), reason.to_owned(), true);
        let at = Timestamp::from_micros(START);
        let decisions = vec![CoreRequestDecision { at, by, approved, reason }];
        Ok(CoreRequestRow { state, decisions, ..row("loan-7") })
    }
}

#[async_trait]
impl CoreRequestService for FakeRequests {
    async fn hook(&self, _core: &CoreId, hook: &RawHook) -> Result<HookResult, HookError> {
        self.hooks.lock().unwrap().push(hook.clone());
        self.heard.lock().unwrap().clone().unwrap_or(Ok(HookResult::TakenUp))
    }

    async fn approve(
        &self,
        _core: &CoreId,
        _request: &str,
        shown: u64,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        if shown != 3 {
            let why = "it has changed".to_owned();
            return Err(DecideError::Outdated { shown, current: 3, why });
        }
        self.decide(CoreRequestState::Submitted, by, reason)
    }

    async fn decline(
        &self,
        _core: &CoreId,
        _request: &str,
        shown: Option<u64>,
        by: &str,
        reason: &str,
    ) -> Result<CoreRequestRow, DecideError> {
        assert_ne!(shown, Some(2));
        self.decide(CoreRequestState::Declined, by, reason)
    }
}

pub fn row(request: &str) -> CoreRequestRow {
    let content = Content {
        kind: RequestKind::Disbursement,
        account: CoreAccount { kind: AccountKind::Loan, id: 7 },
        account_no: "000000007".to_owned(),
        amount: tzs("1000"),
        product: Some(2),
        office: None,
        provider: Some(ProviderId::new("mpesa-tz").unwrap()),
        msisdn: Some(Msisdn::parse("255712345678").unwrap()),
        obstacle: None,
    };
    CoreRequestRow {
        core: CoreId::new("main").unwrap(),
        request: request.to_owned(),
        version: 0,
        state: CoreRequestState::Waiting,
        generation: 1,
        transfer: None,
        content: serde_json::to_string(&content).unwrap(),
        detail: String::new(),
        decisions: Vec::new(),
        heard_at: Timestamp::from_micros(START),
        updated_at: Timestamp::from_micros(START),
    }
}

fn world() -> (World, Arc<FakeRequests>) {
    world_with(options())
}

pub fn world_with(mut options: ServerOptions) -> (World, Arc<FakeRequests>) {
    let ((fake, database), requests) = (service(), Arc::new(FakeRequests::default()));
    let readiness = Readiness::default();
    readiness.set(true);
    options.hook_secrets.insert(CoreId::new("main").unwrap(), SecretString::from(SECRET));
    let prometheus = kiungo_server::metrics::builder().build_recorder().handle();
    let service = Arc::clone(&fake) as Arc<dyn Service>;
    let state = ServerState::new(service, options, prometheus, readiness.clone()).unwrap();
    let state = state.with_core_requests(Arc::clone(&requests) as Arc<dyn CoreRequestService>);
    (World { fake, database, router: router(state), readiness }, requests)
}

fn hook(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.header("X-Fineract-Entity", "LOAN").body(body.into()).unwrap()
}

#[tokio::test]
async fn a_hook_is_answered_by_what_came_of_it() {
    let (world, requests) = world();
    let path = format!("/hooks/fineract/main/{SECRET}/");
    for (heard, status) in [
        (Ok(HookResult::TakenUp), 200),
        (Ok(HookResult::Noted), 202),
        (Ok(HookResult::Ignored), 204),
        (Err(HookError::Busy), 503),
        (Err(HookError::Core("down".to_owned())), 502),
        (Err(HookError::Store(StoreError::Unavailable("x".to_owned()))), 503),
    ] {
        *requests.heard.lock().unwrap() = Some(heard.clone());
        assert_eq!(world.send(hook("POST", &path, "{}")).await.status, status, "{heard:?}");
    }
    let seen = requests.hooks.lock().unwrap().pop().unwrap();
    assert_eq!((seen.header("x-fineract-entity"), &seen.body[..]), (Some("LOAN"), &b"{}"[..]));
    requests.hooks.lock().unwrap().clear();
    // Fineract tries the address when a hook is registered.
    assert_eq!(world.send(hook("GET", &path, "")).await.status, 200);
    let long = "x".repeat(256 * 1024 + 1);
    assert_eq!(world.send(hook("POST", path.trim_end_matches('/'), long)).await.status, 413);
    assert!(requests.hooks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_secret_of_a_hook_looks_like_a_wrong_address() {
    let (world, requests) = world();
    let nowhere = world.send(hook("POST", "/nothing", "x")).await.json();
    for path in [
        "/hooks/fineract/main/another-secret-of-it/".to_owned(),
        format!("/hooks/fineract/main/{SECRET}x"),
        format!("/hooks/fineract/other/{SECRET}/"),
        format!("/hooks/fineract/UPPER/{SECRET}/"),
        format!("/hooks/fineract/main/{SECRET}/more"),
        format!("/hooks/other/main/{SECRET}/"),
        "/hooks/fineract/main//".to_owned(),
    ] {
        let answer = world.send(hook("POST", &path, "x")).await;
        let (mut found, mut expected) = (answer.json(), nowhere.clone());
        found["request_id"] = "".into();
        expected["request_id"] = "".into();
        assert_eq!((answer.status.as_u16(), found), (404, expected), "{path}");
    }
    assert!(requests.hooks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn requests_are_listed_with_numbers_for_operators_alone() {
    let (world, _requests) = world();
    let store = world.fake.store();
    assert!(store.put_core_request(row("loan-7")).await.unwrap());
    let declined = CoreRequestRow { state: CoreRequestState::Declined, ..row("loan-8") };
    assert!(store.put_core_request(declined).await.unwrap());
    let page = world.get("reader", "/v1/core-requests").await.json();
    let rows = page["requests"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["request"], &rows[0]["state"]), (&json!("loan-7"), &json!("waiting")));
    assert_ne!(rows[0]["msisdn"], "255712345678");
    let all = world.get("reader", "/v1/core-requests?state=all&core=main&limit=1").await.json();
    assert!(all["requests"].as_array().unwrap().len() == 1 && all["next"].is_string());
    let one = world.get("operator", "/v1/core-requests/main/loan-7").await.json();
    assert_eq!((&one["msisdn"], &one["amount"]), (&json!("255712345678"), &json!("1000.00")));
    let none = world.get("reader", "/v1/core-requests/main/loan-9").await;
    assert_eq!((none.status.as_u16(), none.problem().as_str()), (404, "core_request_not_found"));
    let wrong = world.get("reader", "/v1/core-requests?state=odd&cursor=x").await;
    assert_eq!(wrong.places(), ["state", "cursor"]);
}

#[tokio::test]
async fn only_an_operator_decides_and_says_why() {
    let (world, requests) = world();
    let reason = json!({"reason": "called back", "version": 3});
    for what in ["approvals", "declines"] {
        let path = format!("/v1/core-requests/main/loan-7/{what}");
        assert_eq!(world.post("clerk", &path, &reason).await.status, 403);
        let none = json!({"reason": "", "version": 3});
        assert_eq!(world.post("operator", &path, &none).await.status, 422);
        let answer = world.post("operator", &path, &reason).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let decision = &answer.json()["decisions"][0];
        assert_eq!(decision["by"], "operator");
        assert_eq!(decision["reason"], "called back");
    }
    for (error, status, code) in [
        (DecideError::Conflict("no".to_owned()), 409, "core_request_conflict"),
        (DecideError::Core("down".to_owned()), 502, "core_unavailable"),
    ] {
        *requests.refuses.lock().unwrap() = Some(error);
        let path = "/v1/core-requests/main/loan-7/approvals";
        let answer = world.post("operator", path, &reason).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code));
    }
    let nobody = World::new();
    let answer = nobody.post("operator", "/v1/core-requests/main/loan-7/approvals", &reason).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn an_approval_names_the_version_that_was_shown() {
    let (world, _requests) = world();
    assert!(world.fake.store().put_core_request(row("loan-7")).await.unwrap());
    let shown = world.get("reader", "/v1/core-requests/main/loan-7").await.json();
    assert_eq!(shown["version"], 1);
    let path = "/v1/core-requests/main/loan-7/approvals";
    let approval = |version: u64| json!({"reason": "called back", "version": version});
    let answer = world.post("operator", path, &approval(2)).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (409, "core_request_conflict"));
    assert_eq!(answer.json()["version"], 3, "where it is now");
    let nothing = world.post("operator", path, &json!({"reason": "called back"})).await;
    assert_eq!(nothing.status, 422, "an approval of whatever it is now is none");
    assert_eq!(world.post("operator", path, &approval(3)).await.status, 202);
    let declines = path.replace("approvals", "declines");
    let answer = world.post("operator", &declines, &json!({"reason": "no"})).await;
    assert_eq!(answer.status, 202, "nothing is paid by a decline");
}
