//! `kiungo queue dead`: the dead letters in the broker.

use clap::{Args, Subcommand};
use kiungo_api::sha256_hex;
use kiungo_domain::Timestamp;
use kiungo_domain::typed::is_hidden;
use kiungo_queue::{DeadLetter, DeadLetterId, DeadLetters as _};
use kiungo_queue_rabbit::RabbitQueue;
use kiungo_store::{Action, ActionId, ActionState};
use serde_json::{Value, json};
use uuid::Uuid;

use super::open;
use crate::commands::config_file::ConfigFile;
use crate::config::Config;
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;
use crate::terminal::when;

/// Letters among which one is looked for: as many as are ever listed.
const SEARCHED: u32 = 1_000;

/// List, show, send again and discard what was given up
#[derive(Debug, Args)]
pub(super) struct DeadOptions {
    #[command(subcommand)]
    command: DeadCommand,
}

#[derive(Debug, Subcommand)]
enum DeadCommand {
    List(ListOptions),
    Show(ShowOptions),
    /// Send one to where it was sent first, once what was wrong is repaired
    ///
    /// The database and the message record the person and the reason.
    Redrive(Named),
    /// Remove one for good: what it asked for is not done
    ///
    /// The database records the person and the reason. The dead letter is printed whole for the last time.
    Discard(Named),
}

/// List the oldest dead letters, with their reasons
#[derive(Debug, Args)]
struct ListOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// The largest number to list, up to 1000
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// Show one of them whole
///
/// It may hold names and phone numbers.
#[derive(Debug, Args)]
struct ShowOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// As the list names it
    id: String,
}

/// A dead letter, and who answers for what is done with it.
#[derive(Debug, Args)]
struct Named {
    #[command(flatten)]
    config: ConfigFile,
    /// As the list names it
    id: String,
    /// Who does it
    #[arg(long, value_name = "NAME", value_parser = words)]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = words)]
    why: String,
}

pub(super) fn run(options: &DeadOptions, output: Output) -> Result<(), Failure> {
    match &options.command {
        DeadCommand::List(options) => list(options, output),
        DeadCommand::Show(options) => show(options, output),
        DeadCommand::Redrive(options) => redrive(options, output),
        DeadCommand::Discard(options) => discard(options, output),
    }
}

fn list(options: &ListOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let letters = runtime::build()?.block_on(async {
        let queue = connect(&config).await?;
        let letters = queue.list(options.limit).await;
        queue.close().await;
        letters.map_err(|error| config.queue.failure(&error))
    })?;
    let zone = output.zone();
    let row = |letter: &DeadLetter| {
        vec![
            letter.id.to_string(),
            letter.queue.clone(),
            letter.routing_key.clone(),
            letter.given_up_at.map(|at| when::shown(&rfc3339(at), &zone)).unwrap_or_default(),
            letter.user.clone().unwrap_or_default(),
            reason(letter),
            letter.body.len().to_string(),
        ]
    };
    let rows = letters.iter().map(row).collect();
    let all: Vec<Value> = letters.iter().map(described).collect();
    let headings = ["id", "was in", "sent as", "given up", "by", "reason", "bytes"];
    output.table(&headings, rows, &json!({ "dead_letters": all }));
    Ok(())
}

fn show(options: &ShowOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let letter = runtime::build()?.block_on(async {
        let queue = connect(&config).await?;
        let found = find(&config, &queue, &options.id).await;
        queue.close().await;
        found
    })?;
    let (text, json) = whole(&letter, output);
    output.line(&text, &json);
    Ok(())
}

/// A dead letter with its content, as text and as JSON.
fn whole(letter: &DeadLetter, output: Output) -> (String, Value) {
    let mut json = described(letter);
    let content = match std::str::from_utf8(&letter.body) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_hex", hex::encode(&letter.body)),
    };
    json[content.0] = json!(content.1);
    let given_up = letter.given_up_at.map(|at| when::shown(&rfc3339(at), &output.zone()));
    let text = format!(
        "id: {}\nwas in: {}\nsent to: {} as {}\ngiven up: {}\nby: {}\nreason: {}\n\
         content type: {}\n\n{}",
        letter.id,
        letter.queue,
        letter.exchange,
        letter.routing_key,
        given_up.as_deref().unwrap_or("not known"),
        letter.user.as_deref().unwrap_or("nobody who said so"),
        reason(letter),
        letter.content_type.as_deref().unwrap_or("not given"),
        content.1
    );
    (text, json)
}

fn redrive(options: &Named, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let letter = runtime::build()?.block_on(async {
        let queue = connect(&config).await?;
        let sent = send_again(&config, &queue, options).await;
        queue.close().await;
        sent
    })?;
    output.line(
        &format!("sent again to {} as {}: {}", letter.exchange, letter.routing_key, letter.id),
        &json!({ "redriven": described(&letter), "by": options.by, "why": options.why }),
    );
    Ok(())
}

fn discard(options: &Named, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let letter = runtime::build()?.block_on(async {
        let queue = connect(&config).await?;
        let gone = remove(&config, &queue, options).await;
        queue.close().await;
        gone
    })?;
    let (text, json) = whole(&letter, output);
    output.line(
        &format!("discarded, and not done:\n{text}"),
        &json!({ "discarded": json, "by": options.by, "why": options.why }),
    );
    Ok(())
}

/// Recorded first, so that a person answers for everything that is sent again.
async fn send_again(
    config: &Config,
    queue: &RabbitQueue,
    options: &Named,
) -> Result<DeadLetter, Failure> {
    record(config, queue, options, "redrive").await?;
    let id = DeadLetterId(options.id.clone());
    let sent = queue.redrive(&id, &options.by, &options.why).await;
    let sent = sent.map_err(|error| config.queue.failure(&error))?;
    sent.ok_or_else(|| unknown(&options.id))
}

/// Recorded first, so that a person answers for everything that is removed.
async fn remove(
    config: &Config,
    queue: &RabbitQueue,
    options: &Named,
) -> Result<DeadLetter, Failure> {
    record(config, queue, options, "discard").await?;
    let gone = queue.discard(&DeadLetterId(options.id.clone())).await;
    let gone = gone.map_err(|error| config.queue.failure(&error))?;
    gone.ok_or_else(|| unknown(&options.id))
}

/// Records who does `what` with a dead letter, and why.
async fn record(
    config: &Config,
    queue: &RabbitQueue,
    options: &Named,
    what: &str,
) -> Result<(), Failure> {
    let letter = find(config, queue, &options.id).await?;
    let opened = config.database.address.open().await;
    let database = opened.map_err(|error| config.database.failure(&error))?;
    let now = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
    let action = Action {
        id: ActionId(Uuid::now_v7()),
        version: 0,
        at: now,
        by: options.by.clone(),
        what: what.to_owned(),
        subject: options.id.clone(),
        reason: options.why.clone(),
        state: ActionState::Done,
        content: String::new(),
        judgement: None,
        detail: format!("SHA-256 {}", sha256(&letter)),
        updated_at: now,
    };
    let recorded = database.store().put_action(action).await;
    database.close().await;
    recorded.map(drop).map_err(|error| config.database.failure(&error))
}

fn sha256(letter: &DeadLetter) -> String {
    sha256_hex(&letter.body)
}

async fn find(config: &Config, queue: &RabbitQueue, id: &str) -> Result<DeadLetter, Failure> {
    let letters = queue.list(SEARCHED).await.map_err(|error| config.queue.failure(&error))?;
    letters.into_iter().find(|letter| letter.id.0 == id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Failure {
    Failure::failed(format!(
        "among the oldest {SEARCHED} dead letters there is no `{id}`: kiungo queue dead list"
    ))
}

/// Without touching anything: what is missing is said, not made.
async fn connect(config: &Config) -> Result<RabbitQueue, Failure> {
    let mut options = config.queue.rabbit()?;
    options.declares = false;
    open(config, options).await
}

fn reason(letter: &DeadLetter) -> String {
    let place = letter.path.as_ref().map(|path| format!(" (at {path})"));
    format!("{}{}", letter.reason, place.unwrap_or_default())
}

/// A dead letter as JSON, without its content.
fn described(letter: &DeadLetter) -> Value {
    json!({
        "id": letter.id.0,
        "exchange": letter.exchange,
        "routing_key": letter.routing_key,
        "queue": letter.queue,
        "reason": letter.reason,
        "path": letter.path,
        "user": letter.user,
        "content_type": letter.content_type,
        "bytes": letter.body.len(),
        "given_up_at": letter.given_up_at.map(rfc3339),
        "sha256": sha256(letter),
    })
}

/// A moment that a message may name any: empty where no calendar has it.
fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros()).map(|at| at.to_string()).unwrap_or_default()
}

/// Reads a text of one line that is not empty.
fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 500 || text.contains(is_hidden) {
        return Err("write up to 500 characters in a line".to_owned());
    }
    Ok(text.to_owned())
}
