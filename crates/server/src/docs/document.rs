//! The `OpenAPI` document: the handlers' own descriptions, and the parts that hold for all.

use std::fmt::Write as _;

use kiungo_api::problem::{Code, MemberError, ProblemBody};
use serde_json::Value;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, PathItem, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
    path::Operation,
};
use utoipa::{Modify, OpenApi};

use crate::router::{api_routes, metrics_route, open_routes};

/// The facts that every reader should know first. Paragraphs; back-ticks for code.
pub(super) const OVERVIEW: &[&str] = &[
    "Kiungo moves customers' money between a wallet at a mobile money provider and an account in \
     the core, and can prove, for every shilling, where it is.",
    "Every request needs an API key, `Authorization: Bearer …`. A key has roles: `read` looks, \
     `write` creates transfers and asks after them, `operate` does an operator's work and sees \
     phone numbers in full. None includes another. A key may besides be bound to some cores, \
     providers and kinds of transfers: others do not exist for it, in lists as by their names; and \
     to a largest amount, above which it sees transfers and does not move them. A page of a list \
     may then be shorter than `limit`: it is the last one when it has no `next`.",
    "Amounts are texts such as `125.50`, gross, never zero, with no more decimals than the currency \
     has. Moments are RFC 3339 in UTC with microseconds. A member without a value is left out of \
     an answer; an unknown member in a request is an error.",
    "A transfer is created under an `Idempotency-Key` of your choice. Whatever happens (a time-out, \
     a 5xx, a lost connection), send the same request again with the same key: it is carried out \
     once, and answered as the first time, with `Idempotency-Replayed: true`.",
    "A transfer is answered with 202 once it is durable, and is then on its way. Its end is \
     `completed`, `failed` or `reversed`; until the other side has given evidence, it is none of \
     these, however long that takes.",
    "Errors are problem details (RFC 9457), `application/problem+json`. `code` is a stable word; \
     each is described under Problems. Every answer carries `X-Request-Id`, taken from the request \
     if it has one.",
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kiungo",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact()
    ),
    servers((url = "/", description = "The server that this document comes from")),
    paths(crate::callbacks::callback, crate::hooks::hook),
    components(schemas(ProblemBody, MemberError)),
    modifiers(&ForAll),
    security(("key" = [])),
    tags(
        (name = "Transfers", description = "Move money between a wallet and an account, and see their outcomes."),
        (name = "Suspense and cases", description = "What waits for a person."),
        (name = "Actions", description = "What persons do by hand, each with its reason, and the approvals of a second person."),
        (name = "Requests of cores", description = "What cores ask to be paid out: approved loans, requested withdrawals."),
        (name = "Providers", description = "The mobile money providers as configured."),
        (name = "Health", description = "For those who watch over the process."),
        (name = "Callbacks", description = "What providers and cores call."),
    ),
)]
struct Base;

/// A modifier that adds the parts common to all operations.
struct ForAll;

impl Modify for ForAll {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        document.info.description = Some(description());
        document.info.contact = None;
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key. The server knows its SHA-256 alone."))
            .build();
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("key", SecurityScheme::Http(key));
        }
    }
}

pub(super) fn document() -> Value {
    let mut document = Base::openapi();
    for routes in [api_routes(), open_routes(), metrics_route()] {
        document.merge(routes.into_openapi());
    }
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put];
        for operation in operations.into_iter().flatten() {
            complete(operation);
        }
        tell_apart(item);
    }
    serde_json::to_value(&document).unwrap_or_default()
}

/// Gives an operation that can be called by two methods a name for each: names are unique in a
/// document.
fn tell_apart(item: &mut PathItem) {
    let (Some(post), Some(put)) = (&item.post, &mut item.put) else { return };
    if post.operation_id == put.operation_id {
        put.operation_id = put.operation_id.take().map(|id| format!("{id}_by_put"));
    }
}

/// Adds what any operation may answer.
fn complete(operation: &mut Operation) {
    let open = operation
        .security
        .as_ref()
        .is_some_and(|all| all.iter().all(|one| *one == SecurityRequirement::default()));
    let responses = &mut operation.responses.responses;
    if !open {
        responses.insert("401".to_owned(), problem("`unauthenticated`"));
        responses.insert(
            "403".to_owned(),
            problem("`forbidden`: the key lacks the role, or is bound to something else"),
        );
        responses.insert("429".to_owned(), problem("`too_many_requests`"));
    }
    responses.insert("default".to_owned(), problem("Any other problem"));
}

fn problem(description: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
        .into()
}

/// The overview and a paragraph for each problem, in Markdown.
fn description() -> String {
    let mut text = OVERVIEW.join("\n\n");
    text.push_str("\n\n## Problems\n");
    for code in Code::ALL {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n- **`{}`** ({}): {}. {}",
            code.as_str(),
            code.status().as_u16(),
            code.title(),
            code.page()
        );
    }
    text
}
