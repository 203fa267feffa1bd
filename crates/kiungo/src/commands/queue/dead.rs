//! `kiungo queue dead`: the dead letters in the broker.

use aws_lc_rs::digest::{SHA256, digest};
use clap::{Args, Subcommand};
use kiungo_domain::Timestamp;
use kiungo_domain::typed::is_hidden;
use kiungo_queue::{DeadLetter, DeadLetterId, DeadLetters as _};
use kiungo_queue_rabbit::RabbitQueue;
use kiungo_sandbox::secrets::hexadecimal;
use kiungo_store::{Action, ActionId, ActionState};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::output::Output;
use super::super::{Config, ConfigFile, Failure, runtime};
use super::open;

/// Letters among which one is looked for: as many as are ever listed.
const SEARCHED: u32 = 1_000;

/// List, show and send again what was given up
#[derive(Debug, Args)]
pub(super) struct DeadOptions {
    #[command(subcommand)]
    command: DeadCommand,
}

#[derive(Debug, Subcommand)]
enum DeadCommand {
    List(ListOptions),
    Show(ShowOptions),
    Redrive(RedriveOptions),
}

/// List the oldest dead letters, with their reasons
#[derive(Debug, Args)]
struct ListOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// How many at most, up to 1000
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

/// Send one to where it was sent first, once what was wrong is repaired
///
/// Who does it and why is recorded in the database and stands in the message.
#[derive(Debug, Args)]
struct RedriveOptions {
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
    }
}

fn list(options: &ListOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let letters = runtime()?.block_on(async {
        let queue = connect(&config).await?;
        let letters = queue.list(options.limit).await;
        queue.close().await;
        letters.map_err(|error| config.queue.failure(&error))
    })?;
    let row = |letter: &DeadLetter| {
        vec![
            letter.id.to_string(),
            letter.queue.clone(),
            letter.routing_key.clone(),
            letter.user.clone().unwrap_or_default(),
            reason(letter),
            letter.body.len().to_string(),
        ]
    };
    let rows = letters.iter().map(row).collect();
    let all: Vec<Value> = letters.iter().map(described).collect();
    let headings = ["id", "was in", "sent as", "by", "reason", "bytes"];
    output.table(&headings, rows, &json!({ "dead_letters": all }));
    Ok(())
}

fn show(options: &ShowOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let letter = runtime()?.block_on(async {
        let queue = connect(&config).await?;
        let found = find(&config, &queue, &options.id).await;
        queue.close().await;
        found
    })?;
    let mut json = described(&letter);
    let content = match std::str::from_utf8(&letter.body) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_hex", hexadecimal(&letter.body)),
    };
    json[content.0] = json!(content.1);
    let text = format!(
        "id: {}\nwas in: {}\nsent to: {} as {}\nby: {}\nreason: {}\ncontent type: {}\n\n{}",
        letter.id,
        letter.queue,
        letter.exchange,
        letter.routing_key,
        letter.user.as_deref().unwrap_or("nobody who said so"),
        reason(&letter),
        letter.content_type.as_deref().unwrap_or("not given"),
        content.1
    );
    output.line(&text, &json);
    Ok(())
}

fn redrive(options: &RedriveOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let letter = runtime()?.block_on(async {
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

/// Recorded first, so that nothing is sent again that nobody answers for.
async fn send_again(
    config: &Config,
    queue: &RabbitQueue,
    options: &RedriveOptions,
) -> Result<DeadLetter, Failure> {
    find(config, queue, &options.id).await?;
    let opened = config.database.address.open().await;
    let database = opened.map_err(|error| config.database.failure(&error))?;
    let now = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
    let action = Action {
        id: ActionId(Uuid::now_v7()),
        version: 0,
        at: now,
        by: options.by.clone(),
        what: "redrive".to_owned(),
        subject: options.id.clone(),
        why: options.why.clone(),
        state: ActionState::Done,
        content: String::new(),
        judgement: None,
        detail: String::new(),
        updated_at: now,
    };
    let recorded = database.store().put_action(action).await;
    database.close().await;
    recorded.map_err(|error| config.database.failure(&error))?;
    let id = DeadLetterId(options.id.clone());
    let sent = queue.redrive(&id, &options.by, &options.why).await;
    let sent = sent.map_err(|error| config.queue.failure(&error))?;
    sent.ok_or_else(|| unknown(&options.id))
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
        "sha256": hexadecimal(digest(&SHA256, &letter.body).as_ref()),
    })
}

/// Reads a text of one line that is not empty.
fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 500 || text.contains(is_hidden) {
        return Err("write up to 500 characters in a line".to_owned());
    }
    Ok(text.to_owned())
}
