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

use super::overview::OVERVIEW;
use crate::routes::{api_routes, metrics_route, open_routes};

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
