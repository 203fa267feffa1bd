//! `kiungo transfer show`: what a transfer is, what happened, what it waits for, what can be done.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::choices;
use super::history::{History, account, refusal};
use super::words;
use crate::commands::answer::{amount, members, moment, text};
use crate::commands::client::Client;
use crate::failure::Failure;
use crate::terminal::layout::hanging;
use crate::terminal::output::{Output, width};
use crate::terminal::when;

/// The statuses that end a transfer.
const FINAL: [&str; 3] = ["completed", "failed", "reversed"];

/// The layout of a text.
pub(super) struct Page<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) width: usize,
}

pub(super) async fn run(
    client: &Client,
    id: &str,
    events: bool,
    output: Output,
) -> Result<(), Failure> {
    let zone = output.zone();
    let page = Page { zone: &zone, width: width() };
    if events {
        let history = client.get(&["v1", "transfers", id, "events"], &[]).await?;
        output.line(&page.events(&History::read(&history)), &history);
        return Ok(());
    }
    let transfer = client.get(&["v1", "transfers", id], &[]).await?;
    if output.is_json() {
        output.line("", &transfer);
        return Ok(());
    }
    let history = client.get(&["v1", "transfers", id, "events"], &[]).await?;
    output.line(&page.whole(&transfer, &History::read(&history)), &transfer);
    Ok(())
}

/// Shows what a transfer is, without its history.
pub(super) fn show_transfer(transfer: &Value, output: Output) {
    let zone = output.zone();
    let page = Page { zone: &zone, width: width() };
    let more = format!("Its story: kiungo transfer show {}", text(transfer, "id"));
    output.line(&format!("{}\n\n{more}", page.head(transfer)), transfer);
}

impl Page<'_> {
    /// The transfer with its history.
    pub(super) fn whole(&self, transfer: &Value, history: &History) -> String {
        let mut text = self.head(transfer);
        text.push_str("\n\nWhat happened\n");
        for sentence in history.sentences.iter().filter(|sentence| !sentence.minor) {
            let time = when::shown(&sentence.at, self.zone);
            text.push_str(&self.line(&format!("  {time}  "), &sentence.text));
        }
        if let Some(waits) = self.waits(transfer, history) {
            let _ = write!(text, "\nWhat it waits for\n{waits}");
        }
        let _ = write!(text, "\nWhat you can do\n{}", self.choices(transfer, history));
        text.trim_end().to_owned()
    }

    /// Each event in one plain line.
    pub(super) fn events(&self, history: &History) -> String {
        let line = |sentence: &super::history::Sentence| {
            let time = when::shown(&sentence.at, self.zone);
            self.line(&format!("{:>3}  {time}  ", sentence.seq), &sentence.text)
        };
        history.sentences.iter().map(line).collect::<String>().trim_end().to_owned()
    }

    /// The transfer in a sentence, and its facts.
    fn head(&self, transfer: &Value) -> String {
        let sentence = sentence(transfer);
        let mut head = self.line("", &sentence);
        head.push('\n');
        for (name, fact) in self.facts(transfer) {
            if !fact.is_empty() {
                head.push_str(&self.line(&format!("  {name:<20}"), &fact));
            }
        }
        head.trim_end().to_owned()
    }

    fn facts(&self, transfer: &Value) -> Vec<(&'static str, String)> {
        let of = |key: &str| text(transfer, key);
        let none = Value::Null;
        let origin = transfer.get("origin").unwrap_or(&none);
        let rejected = transfer.get("rejection").is_some();
        let fee = transfer.get("stated_fee").map(amount);
        let expected = transfer
            .get("expected_fee")
            .map(|fee| format!("{} expected, paid by the {}", amount(fee), text(fee, "paid_by")));
        let case = of("case");
        vec![
            ("id", of("id")),
            ("why", if rejected { refusal(transfer) } else { String::new() }),
            ("case", if case.is_empty() { case } else { words::case(&case) }),
            ("provider", of("provider")),
            ("core", of("core")),
            ("provider's receipt", of("wallet_receipt")),
            ("core's receipt", of("core_receipt")),
            ("fee", fee.or(expected).unwrap_or_default()),
            ("payer typed", text(origin, "account_reference")),
            ("ordered by", text(origin, "client")),
            ("your own id", of("client_reference")),
            ("note", of("note")),
            ("carried by", of("merged_into")),
            ("received", moment(transfer, "received_at", self.zone)),
            ("last change", moment(transfer, "updated_at", self.zone)),
            ("version", of("version")),
        ]
    }

    /// The things that it waits for, and since when; `None` if there are none.
    fn waits(&self, transfer: &Value, history: &History) -> Option<String> {
        let status = text(transfer, "status");
        let case = text(transfer, "case");
        let mut lines = String::new();
        if let Some((_, evidence, since)) = history.case.as_ref().filter(|_| !case.is_empty()) {
            let since = when::shown(since, self.zone);
            let what = format!("a person, since {since}: {}: {evidence}", words::case(&case));
            lines.push_str(&self.line("  ", &what));
        }
        // A suspended transfer waits for the person alone.
        let goes_on =
            !FINAL.contains(&status.as_str()) && (lines.is_empty() || status != "suspended");
        if let Some((what, since)) = history.waits.as_ref().filter(|_| goes_on) {
            let since = when::shown(since, self.zone);
            lines.push_str(&self.line("  ", &format!("{what}, since {since}")));
        }
        (!lines.is_empty()).then_some(lines)
    }

    fn choices(&self, transfer: &Value, history: &History) -> String {
        let is_final = FINAL.contains(&text(transfer, "status").as_str());
        let choices = choices::of(transfer, history, is_final);
        let sentence = choices.into_iter().map(|choice| {
            let what = self.line("  ", &format!("{}:", choice.what));
            format!("{what}    {}\n", choice.command)
        });
        sentence.collect()
    }

    /// A text behind its beginning, and the end of the line.
    fn line(&self, beginning: &str, text: &str) -> String {
        hanging(beginning, text, self.width) + "\n"
    }
}

/// The transfer in a sentence: kind, amount, wallet, account, status.
fn sentence(transfer: &Value) -> String {
    let kind = words::kind(&text(transfer, "kind"));
    let wallet = match text(transfer, "msisdn") {
        number if number.is_empty() => "a hidden wallet".to_owned(),
        number => format!("wallet {number}"),
    };
    let found = transfer.get("account");
    let named = || members(transfer, "named_accounts").next();
    let account = match found.or_else(named) {
        Some(named) => account(Some(named)),
        None => "no account yet".to_owned(),
    };
    let (from, to) = if kind.is_inbound() { (wallet, account) } else { (account, wallet) };
    let what = words::capital(kind.as_str());
    let amount = amount(transfer);
    let status = words::status(&text(transfer, "status"));
    format!("{what} of {amount} from {from} to {to}: {status}.")
}
