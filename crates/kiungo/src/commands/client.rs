//! The client of a Kiungo that runs, and how its answers are shown.

use std::time::Duration;

use clap::Args;
use kiungo_transport::is_exposed_text;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Failure;
use super::output::{Output, note};

/// Longer than the server's own bound on a request.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The address of the server, and the key.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Where Kiungo is served
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "KIUNGO_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// The API key; better in the environment, where no list of processes shows it
    #[arg(long, global = true, value_name = "KEY", env = "KIUNGO_API_KEY", hide_env_values = true)]
    key: Option<SecretString>,
    /// Let the key go to another machine without TLS
    #[arg(long, global = true, env = "KIUNGO_PLAINTEXT_ALLOWED")]
    plaintext_allowed: bool,
}

/// A client of the API.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: SecretString,
}

impl Client {
    pub(crate) fn new(server: &Server) -> Result<Self, Failure> {
        let unusable = |why: &str| Failure::Usage(format!("--url: `{}` {why}", server.url));
        let base = Url::parse(&server.url).map_err(|_| unusable("is not an address"))?;
        if base.cannot_be_a_base() || !matches!(base.scheme(), "http" | "https") {
            return Err(unusable("is not an http or https address"));
        }
        if !server.plaintext_allowed && is_exposed_text(base.as_str()) {
            let why = "is on another machine and has no TLS, so that others on the way could read \
                       the key: use https://, or --plaintext-allowed where the network in between \
                       is trusted";
            return Err(unusable(why));
        }
        let key = server.key.clone().ok_or_else(|| {
            Failure::Usage("an API key is needed: set KIUNGO_API_KEY, or give --key".to_owned())
        })?;
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Self { http, base, key })
    }

    pub(crate) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.answer(self.http.request(Method::GET, url)).await
    }

    pub(crate) async fn post(
        &self,
        path: &[&str],
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, Failure> {
        let mut request = self
            .http
            .request(Method::POST, self.url(path)?)
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request).await
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Usage("--url: cannot be extended".to_owned()))?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let unreachable = |error: reqwest::Error| {
            let why = error.without_url();
            let why = std::error::Error::source(&why).map_or(why.to_string(), ToString::to_string);
            Failure::failed(format!(
                "no answer from {}: {why}; is `kiungo serve` running?",
                self.base
            ))
        };
        let response =
            request.bearer_auth(self.key.expose_secret()).send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        let json: Value = serde_json::from_slice(&body).map_err(|_| {
            Failure::failed(format!("{} answered {status} without JSON: is it Kiungo?", self.base))
        })?;
        if status.is_success() { Ok(json) } else { Err(problem(status.as_u16(), &json)) }
    }
}

/// The failure that an RFC 9457 problem tells.
fn problem(status: u16, body: &Value) -> Failure {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("code").is_empty() {
        let why = format!("answered {status} in a form that is not Kiungo's: check --url");
        return Failure::failed(why);
    }
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let places = errors.filter_map(|error| error.get("pointer").and_then(Value::as_str));
    let places: Vec<&str> = places.map(|place| place.trim_start_matches("#/")).collect();
    let places = places.join(", ");
    let places = if places.is_empty() { places } else { format!(" [{places}]") };
    let (title, code, detail) = (text("title"), text("code"), text("detail"));
    Failure::failed(format!("{title} ({status} {code}){places}: {detail}"))
}

/// Shows an action, and says what is to be done where it waits for a second person.
pub(crate) fn show_action(action: &Value, output: Output) {
    show("action", action, output);
    if text(action, "state") == "proposed" {
        let id = text(action, "id");
        let seen = match action.get("transfer_version") {
            Some(version) => format!(" --seen {version}"),
            None => String::new(),
        };
        note(&format!(
            "nothing is done yet: a second person has to approve it: kiungo action approve {id}{seen} \
             --reason \"...\""
        ));
    }
}

/// The rows of a page, one for each member of a list, and a note if there are more.
pub(crate) fn show_page(
    page: &Value,
    list: &str,
    headings: &[&str],
    row: impl Fn(&Value) -> Vec<String>,
    output: Output,
) {
    let rows = page.get(list).and_then(Value::as_array).into_iter().flatten();
    output.table(headings, rows.map(row).collect(), page);
    say_if_more(page, output);
}

/// The rows of a page that fit a narrow terminal, the text of one column cut for it.
pub(crate) fn show_narrow_page(
    page: &Value,
    list: &str,
    (headings, cut): (&[&str], &str),
    row: impl Fn(&Value) -> Vec<String>,
    output: Output,
) {
    let rows = page.get(list).and_then(Value::as_array).into_iter().flatten();
    output.narrow_table(headings, rows.map(row).collect(), cut, page);
    say_if_more(page, output);
}

fn say_if_more(page: &Value, output: Output) {
    if let Some(next) = page.get("next").and_then(Value::as_str)
        && !output.is_json()
    {
        output.line(&format!("there are more: --cursor {next}"), &Value::Null);
    }
}

/// A moment to the second: more says nothing in a list.
pub(crate) fn moment(value: &Value, key: &str) -> String {
    let text = text(value, key);
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// An amount with its currency.
pub(crate) fn amount(value: &Value) -> String {
    format!("{} {}", text(value, "amount"), text(value, "currency")).trim().to_owned()
}

/// An answer, member by member, under a heading.
pub(crate) fn show(heading: &str, answer: &Value, output: Output) {
    let rows = answer.as_object().into_iter().flatten();
    let rows = rows.map(|(key, value)| vec![key.replace('_', " "), plain(value)]);
    output.table(&[heading, ""], rows.collect(), answer);
}

/// A member as text; empty if there is none.
pub(crate) fn text(value: &Value, key: &str) -> String {
    value.get(key).map(plain).unwrap_or_default()
}

/// A value in words: members one after the other, never JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        Value::Object(members) => {
            let stated = members.iter().filter(|(_, value)| !value.is_null());
            let words =
                stated.map(|(key, value)| format!("{}: {}", key.replace('_', " "), plain(value)));
            words.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_with_members_is_shown_in_words() {
        let account = json!({ "type": "savings", "account_no": "000000001", "external_id": null });
        assert_eq!(plain(&account), "account no: 000000001, type: savings");
        let origin = json!({ "origin": "wallet", "references": ["LN 1", 2] });
        assert_eq!(plain(&origin), "origin: wallet, references: LN 1\n2");
        assert_eq!(plain(&Value::Null), "");
    }
}
