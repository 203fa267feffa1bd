//! Transfers: create, read, list, ask again, give back.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderName, HeaderValue, StatusCode};
use kiungo_api::Identity;
use kiungo_api::problem::{Code, Problem, ProblemBody};
use kiungo_api::scope::{About, Reach};
use kiungo_api::wire::action::ActionView;
use kiungo_api::wire::event::HistoryView;
use kiungo_api::wire::filter::TransferFilter;
use kiungo_api::wire::request::{ReversalRequest, TransferRequest, digest};
use kiungo_api::wire::transfer::{TransferPageView, TransferView};
use kiungo_api::wire::viewer::Viewer;
use kiungo_domain::TransferId;
use kiungo_engine::PersonAction;
use kiungo_engine::request::Caller;
use kiungo_store::{Page, Summary};

use super::Shares;
use super::actions::act;
use crate::extract::{IdempotencyKey, Json, Query, TransferPath};
use crate::state::Shared;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Creates a transfer.
///
/// When this is answered with 202, the transfer is durable and on its way: read it to see its
/// outcome. To repeat the request after a time-out or a lost answer, send it again with the same
/// `Idempotency-Key`: it is never carried out twice, and is answered as it was the first time.
/// Needs the role `write`.
#[utoipa::path(
    post, path = "/v1/transfers", tag = "Transfers",
    params(("Idempotency-Key" = String, Header, description =
        "Your own key for this transfer: 1 to 200 visible ASCII characters. The id of a command through \
         the broker is the same key.",
        example = "7d3a9d3c-0001", min_length = 1, max_length = 200, pattern = "^[!-~]+$")),
    request_body = TransferRequest,
    responses(
        (status = 202, description = "Stored, and on its way", body = TransferView, headers(
            ("Location" = String, description = "The address of the transfer"),
            ("Idempotency-Replayed" = String, description =
                "`true` if this repeats the answer to an earlier request; absent otherwise"))),
        (status = 422, description = "`invalid_request`, `unknown_provider`, `unknown_core`, `transfer_refused` or `idempotency_key_reused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`backlog_full`, `overloaded`, `not_ready` or `store_unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn create_transfer(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<TransferRequest>,
) -> Result<Response, Problem> {
    let new = request.read(&*state.service)?;
    let caller = Caller { client: identity.client.to_string(), key, digest: digest(&new) };
    let checked = identity.scope().check(&*state.service, About::New(&new)).await;
    if let Err(refused) = checked {
        // A request that was accepted before is answered as it was then.
        let holder = state.service.store().key_holder(&caller.client, &caller.key).await?;
        if holder.is_none_or(|holder| holder.digest != caller.digest) {
            return Err(refused);
        }
    }
    let submitted = state.service.submit(new, caller).await?;
    let mut response = accepted(&state, &submitted.first, &identity);
    if submitted.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Reads a transfer.
///
/// By its own id, or by the reference of one of its operations as a provider or a core shows it,
/// with or without hyphens. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/transfers/{id}", tag = "Transfers",
    params(("id" = String, Path, description = "The transfer's id, or a reference", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    responses(
        (status = 200, description = "The transfer", body = TransferView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_transfer(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    TransferPath(id): TransferPath,
) -> Result<axum::Json<TransferView>, Problem> {
    let transfer = state.service.store().transfer(id).await?.ok_or_else(|| not_found(id))?;
    let shown = view(&state, &Summary::of(&transfer), &identity);
    Ok(axum::Json(shown.with_choices(&transfer)))
}

/// Tells the whole story of a transfer.
///
/// Every event with its attempts and evidence, and the ledger postings. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/transfers/{id}/events", tag = "Transfers",
    params(("id" = String, Path, description = "The transfer's id, or a reference", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    responses(
        (status = 200, description = "The story", body = HistoryView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_events(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    TransferPath(id): TransferPath,
) -> Result<axum::Json<HistoryView>, Problem> {
    let store = state.service.store();
    // Postings first: an event that arrives in between is then shown without its postings, and
    // never the other way round.
    let postings = store.postings(id).await?;
    let journal = store.journal(id).await?;
    if journal.is_empty() {
        return Err(not_found(id));
    }
    Ok(axum::Json(HistoryView::new(id, &journal, &postings, Viewer::of(&identity))))
}

/// Lists transfers, newest first.
///
/// Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/transfers", tag = "Transfers",
    params(TransferFilter),
    responses(
        (status = 200, description = "A page of transfers", body = TransferPageView),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_transfers(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    Query(filter): Query<TransferFilter>,
) -> Result<axum::Json<TransferPageView>, Problem> {
    let query = filter.read(&*state.service)?;
    let page = Reach::new(&*state.service, identity.scope()).search(query).await?;
    Ok(axum::Json(view_page(&state, &page, &identity)))
}

/// Asks the other side again, now.
///
/// For a transfer whose result is not known, instead of waiting for the next scheduled inquiry. Once
/// nothing is open, each operation that was executed is asked about: a case tells if it was taken
/// back since. It moves nothing. Needs the role `write`.
#[utoipa::path(
    post, path = "/v1/transfers/{id}/inquiries", tag = "Transfers",
    params(("id" = String, Path, description = "The transfer's id, or a reference", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    responses(
        (status = 202, description = "It is being asked", body = TransferView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict` or `transfer_busy`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`provider_busy` or `core_busy`: no request was sent", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn inquire(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    TransferPath(id): TransferPath,
) -> Result<Response, Problem> {
    let summary = state.service.inquire_now(id, &identity.client).await?;
    Ok(accepted(&state, &summary, &identity))
}

/// Gives a whole transfer back.
///
/// Both legs are taken back, the second first; suspended money goes back to its sender. The reason
/// stays in the journal. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/transfers/{id}/reversals", tag = "Transfers",
    params(("id" = String, Path, description = "The transfer's id, or a reference", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    request_body = ReversalRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "It is being given back", body = TransferView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict` or `transfer_busy`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn reverse(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    TransferPath(id): TransferPath,
    Json(request): Json<ReversalRequest>,
) -> Result<Response, Problem> {
    let (reason, seen) = request.read()?;
    act(&state, &identity, PersonAction::Reverse { transfer: id }, reason, seen).await
}

/// The answer to a request that has been taken and is not yet carried out.
pub(super) fn accepted(state: &Shared, summary: &Summary, identity: &Identity) -> Response {
    let view = axum::Json(view(state, summary, identity));
    let mut response = (StatusCode::ACCEPTED, view).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/transfers/{}", summary.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn view(state: &Shared, summary: &Summary, identity: &Identity) -> TransferView {
    let expected = state.service.expected_fee(&summary.provider, summary.kind, summary.amount);
    TransferView::new(summary, expected, Viewer::of(identity))
}

pub(super) fn view_page(
    state: &Shared,
    page: &Page<Summary>,
    identity: &Identity,
) -> TransferPageView {
    let transfers = page.rows.iter().map(|summary| view(state, summary, identity)).collect();
    TransferPageView::new(transfers, page.next.clone())
}

fn not_found(id: TransferId) -> Problem {
    Problem::new(Code::TransferNotFound, format!("there is no transfer {id}"))
}
