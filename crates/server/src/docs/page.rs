//! The page: every operation, schema and problem on one sheet, readable without a script.

use std::fmt::Write as _;

use kiungo_api::problem::Code;
use serde_json::{Map, Value};

use super::html::{anchor, escape, inline, paragraphs};
use super::overview::OVERVIEW;

const STYLE: &str = include_str!("style.css");
/// In the order in which people look for them.
const METHODS: [&str; 3] = ["get", "post", "put"];

/// The whole page.
pub(super) fn render(document: &Value) -> String {
    let version = text(document, "/info/version");
    let mut page = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Kiungo API</title>\n<style>{STYLE}</style>\n\
         <header><h1>Kiungo <span>API {}</span></h1>\
         <a href=\"/v1/openapi.json\">openapi.json</a></header>\n<div class=\"sheet\">\n",
        escape(version)
    );
    let tags = list(document, "/tags");
    navigation(&mut page, document, tags);
    page.push_str("<main>\n<section id=\"overview\"><h2>Overview</h2>\n");
    page.push_str(&paragraphs(&OVERVIEW.join("\n\n")));
    page.push_str("</section>\n");
    for tag in tags {
        section(&mut page, document, tag);
    }
    schemas(&mut page, document);
    problems(&mut page);
    page.push_str("</main>\n</div>\n</html>\n");
    page
}

fn navigation(page: &mut String, document: &Value, tags: &[Value]) {
    page.push_str("<nav><details open><summary>Contents</summary>\n");
    page.push_str("<a class=\"part\" href=\"#overview\">Overview</a>\n");
    for tag in tags {
        let name = text(tag, "/name");
        let _ = writeln!(page, "<a class=\"part\" href=\"#{}\">{}</a>", anchor(name), escape(name));
        for (method, path, operation) in operations(document, name) {
            let _ = writeln!(
                page,
                "<a href=\"#{}\">{}<span>{}</span></a>",
                anchor(text(operation, "/operationId")),
                badge(method),
                inline(text(operation, "/summary").trim_end_matches('.')),
            );
            let _ = path;
        }
    }
    page.push_str("<a class=\"part\" href=\"#schemas\">Schemas</a>\n");
    page.push_str("<a class=\"part\" href=\"#problems\">Problems</a>\n</details></nav>\n");
}

/// The operations of a tag, in the order of their paths.
fn operations<'a>(document: &'a Value, tag: &str) -> Vec<(&'a str, &'a str, &'a Value)> {
    let mut found = Vec::new();
    for (path, item) in members(document, "/paths") {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            // A callback is one operation, whatever the method.
            let again = method == "put" && item.get("post").is_some();
            if text(operation, "/tags/0") == tag && !again {
                found.push((method, path.as_str(), operation));
            }
        }
    }
    found
}

fn section(page: &mut String, document: &Value, tag: &Value) {
    let name = text(tag, "/name");
    let _ = write!(
        page,
        "<section id=\"{}\"><h2>{}</h2>\n<p>{}</p>\n",
        anchor(name),
        escape(name),
        inline(text(tag, "/description"))
    );
    for (method, path, operation) in operations(document, name) {
        let _ = write!(
            page,
            "<article id=\"{}\"><h3>{}<code>{}</code></h3>\n<p class=\"summary\">{}</p>\n{}",
            anchor(text(operation, "/operationId")),
            badge(method),
            wrappable(path),
            inline(text(operation, "/summary")),
            paragraphs(text(operation, "/description"))
        );
        parameters(page, operation);
        request(page, document, method, path, operation);
        responses(page, operation);
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
}

fn parameters(page: &mut String, operation: &Value) {
    let parameters = list(operation, "/parameters");
    if parameters.is_empty() {
        return;
    }
    page.push_str("<h4>Parameters</h4>\n<dl>\n");
    for parameter in parameters {
        let required = parameter.pointer("/required").and_then(Value::as_bool) == Some(true);
        // A path parameter is always required, and a query parameter hardly ever.
        let place = text(parameter, "/in");
        let place = if required && place != "path" {
            format!("{place}, required")
        } else {
            place.to_owned()
        };
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        let _ = writeln!(
            page,
            "<dt><code>{}</code> <i>{}</i></dt><dd>{}{}</dd>",
            escape(text(parameter, "/name")),
            escape(&place),
            inline(text(parameter, "/description")),
            words(schema)
        );
    }
    page.push_str("</dl>\n");
}

fn request(page: &mut String, document: &Value, method: &str, path: &str, operation: &Value) {
    let body = operation.pointer("/requestBody/content/application~1json/schema");
    if let Some(schema) = body {
        let _ = writeln!(page, "<h4>Request body</h4>\n<p>{}</p>", kind(schema));
    }
    if path.starts_with("/callbacks/") {
        return;
    }
    page.push_str("<h4>Example</h4>\n<pre><code>");
    let keyed = operation.get("security").is_none();
    let mut command = format!("curl \"$KIUNGO{}\"", path.replace("{id}", "$ID"));
    if method != "get" {
        let _ = write!(command, " -X {}", method.to_ascii_uppercase());
    }
    if keyed {
        command.push_str(" \\\n  -H \"Authorization: Bearer $KEY\"");
    }
    for parameter in list(operation, "/parameters") {
        if text(parameter, "/in") == "header" {
            let (name, value) = (text(parameter, "/name"), text(parameter, "/example"));
            let _ = write!(command, " \\\n  -H '{name}: {value}'");
        }
    }
    if let Some(example) = body.and_then(|schema| example(document, schema)) {
        let json = serde_json::to_string_pretty(example).unwrap_or_default();
        let _ = write!(command, " \\\n  -H 'Content-Type: application/json' \\\n  -d '{json}'");
    }
    page.push_str(&escape(&command));
    page.push_str("</code></pre>\n");
}

fn responses(page: &mut String, operation: &Value) {
    page.push_str("<h4>Answers</h4>\n<dl class=\"answers\">\n");
    for (status, response) in members(operation, "/responses") {
        let content = members(response, "/content").next();
        let schema = content.and_then(|(_, content)| content.get("schema"));
        let shown = if status == "default" { "else" } else { status.as_str() };
        let class = if status.starts_with('2') { "good" } else { "bad" };
        let _ = write!(
            page,
            "<dt><b class=\"{class}\">{}</b></dt><dd>{}",
            escape(shown),
            inline(text(response, "/description"))
        );
        if let Some(schema) = schema {
            let _ = write!(page, " {}", kind(schema));
        }
        page.push_str("</dd>\n");
    }
    page.push_str("</dl>\n");
}

fn schemas(page: &mut String, document: &Value) {
    page.push_str("<section id=\"schemas\"><h2>Schemas</h2>\n");
    for (name, schema) in members(document, "/components/schemas") {
        let _ = write!(
            page,
            "<article id=\"schema-{}\"><h3><code>{}</code></h3>\n{}",
            anchor(name),
            escape(name),
            paragraphs(text(schema, "/description"))
        );
        properties(page, schema);
        for variant in list(schema, "/oneOf") {
            page.push_str(&paragraphs(&format!("Either: {}", text(variant, "/description"))));
            properties(page, variant);
        }
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
}

fn properties(page: &mut String, schema: &Value) {
    page.push_str("<dl>\n");
    for (name, property) in members(schema, "/properties") {
        let required = list(schema, "/required").iter().any(|word| word == name.as_str());
        let _ = writeln!(
            page,
            "<dt><code>{}</code> <i>{}{}</i></dt><dd>{}{}{}</dd>",
            escape(name),
            kind(property),
            if required { "" } else { ", optional" },
            inline(text(property, "/description")),
            words(property),
            sample(property)
        );
    }
    page.push_str("</dl>\n");
}

fn problems(page: &mut String) {
    page.push_str("<section id=\"problems\"><h2>Problems</h2>\n");
    for code in Code::ALL {
        let _ = write!(
            page,
            "<article id=\"problem-{0}\"><h3><b class=\"bad\">{1}</b><code>{0}</code></h3>\n\
             <p class=\"summary\">{2}</p>\n<p>{3}</p></article>\n",
            code.as_str(),
            code.status().as_u16(),
            escape(code.title()),
            inline(code.page())
        );
    }
    page.push_str("</section>\n");
}

/// The type of a schema, as a word or a link.
fn kind(schema: &Value) -> String {
    if let Some(name) = text(schema, "/$ref").rsplit('/').next().filter(|name| !name.is_empty()) {
        return format!("<a href=\"#schema-{}\">{}</a>", anchor(name), escape(name));
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind(items));
    }
    // An optional member is written as a choice between nothing and something.
    let choices = list(schema, "/oneOf").iter().chain(list(schema, "/anyOf"));
    if let Some(choice) = choices.into_iter().find(|choice| text(choice, "/type") != "null") {
        return kind(choice);
    }
    let types = schema.get("type");
    let types = types.and_then(Value::as_array).map_or_else(
        || types.and_then(Value::as_str).into_iter().collect::<Vec<_>>(),
        |types| types.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect(),
    );
    escape(match types.as_slice() {
        ["string"] => "text",
        ["integer"] => "whole number",
        ["boolean"] => "true or false",
        [word, ..] => word,
        [] => "any",
    })
}

/// The closed list of words, if the schema has one.
fn words(schema: &Value) -> String {
    let words = list(schema, "/enum").iter().filter_map(Value::as_str);
    let words: Vec<_> = words.map(|word| format!("<code>{}</code>", escape(word))).collect();
    if words.is_empty() { String::new() } else { format!(" One of {}.", words.join(", ")) }
}

fn sample(schema: &Value) -> String {
    match schema.pointer("/examples/0") {
        Some(Value::String(text)) => format!(" For example <code>{}</code>.", escape(text)),
        Some(value) => format!(" For example <code>{}</code>.", escape(&value.to_string())),
        None => String::new(),
    }
}

fn example<'a>(document: &'a Value, schema: &Value) -> Option<&'a Value> {
    let name = text(schema, "/$ref").rsplit('/').next()?;
    document.pointer(&format!("/components/schemas/{name}/examples/0"))
}

fn badge(method: &str) -> String {
    format!("<b class=\"{method}\">{}</b>", method.to_ascii_uppercase())
}

/// A path that may be broken after each slash.
fn wrappable(path: &str) -> String {
    escape(path).replace('/', "/<wbr>")
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn members<'a>(
    value: &'a Value,
    pointer: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
