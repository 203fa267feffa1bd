//! Opening a database: connections, settings, schema.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, Row};
use tokio::time::timeout;

use super::options::PostgresOptions;
use super::owner::Claim;
use super::session::{CONNECT_WAIT_MAX, PostgresReaders, Writing};
use super::{owner, schema};
use crate::sql::{OpenError, SchemaState};

/// The longest time for which a query waits for a free connection before it fails.
const READER_WAIT_MAX: Duration = Duration::from_secs(10);

/// A connection that nothing was asked of for so long is closed.
const READER_IDLE_MAX: Duration = Duration::from_secs(300);

/// The oldest server that Kiungo is tested with, as `server_version_num` has it.
const SERVER_OLDEST: i64 = 130_000;

/// The longest time for which a transaction may do nothing: its process is frozen, or cut off, and
/// holds up every process that wants the same rows. It ends before the others give up waiting for
/// its locks. A process that is alive sends its next statement within milliseconds.
pub(super) const IDLE_IN_TRANSACTION_MAX: &str = "4s";

/// The longest wait for a lock: longer than a frozen process can hold one.
pub(super) const LOCK_WAIT_MAX: &str = "5s";

/// The longest time that a statement may take, locks included. The largest batches take a tenth of
/// a second.
pub(super) const STATEMENT_MAX: &str = "10s";

/// The settings of every connection. Durable commits, whatever the server's default is; nothing is
/// waited for without end; a peer that has vanished is noticed; no statement runs long enough to be
/// worth compiling, whatever its plan is thought to cost.
const SETTINGS: [(&str, &str); 9] = [
    ("synchronous_commit", "on"),
    ("default_transaction_isolation", "read committed"),
    ("statement_timeout", STATEMENT_MAX),
    ("lock_timeout", LOCK_WAIT_MAX),
    ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MAX),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    ("jit", "off"),
];

/// The statements of a batch go from a few hundred names to rows by their keys, and so do all queries
/// but the searches. That is right at any size, so it is planned once, and not by what the statistics
/// of a table say that was empty when they were taken.
pub(super) const KEYED_SETTINGS: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// Searches are planned by what they look for.
pub(super) const SEARCH_SETTINGS: [(&str, &str); 1] = [("plan_cache_mode", "auto")];

/// The settings of every connection that reads.
const READER_SETTINGS: [(&str, &str); 1] = [("default_transaction_read_only", "on")];

/// The part of the reading connections that serves the searches alone.
const SEARCHES_PART: u32 = 4;

/// The number of statements that the writing connection keeps prepared: all that stand alone, and
/// the combinations that occur.
const STATEMENTS_KEPT: usize = 256;

/// The writing connection, and those that read.
pub(super) async fn open(
    options: &PostgresOptions,
) -> Result<(Writing, PostgresReaders), OpenError> {
    let database = options.shown();
    prepare(connect_options(options), &database).await?;
    let writing =
        connect_options(options).options(KEYED_SETTINGS).statement_cache_capacity(STATEMENTS_KEPT);
    let mut connection = writing.connect().await.map_err(|error| unreachable(&database, &error))?;
    let claim = Claim::of(options);
    if let Some(claim) = claim {
        owner::wait(&mut connection, claim, &database).await?;
    }
    let searches_max = (options.readers_max / SEARCHES_PART).max(1);
    let keyed_max = options.readers_max.saturating_sub(searches_max).max(1);
    let reading = connect_options(options).options(READER_SETTINGS);
    let keyed = readers(keyed_max, reading.clone().options(KEYED_SETTINGS));
    let searches = readers(searches_max, reading.options(SEARCH_SETTINGS));
    Ok((Writing::new(writing, connection, claim), PostgresReaders::new(keyed, searches)))
}

/// Connections that read; none is open yet.
fn readers(connections_max: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .min_connections(0)
        .max_connections(connections_max)
        .acquire_timeout(READER_WAIT_MAX)
        .idle_timeout(READER_IDLE_MAX)
        .test_before_acquire(true)
        .connect_lazy_with(options)
}

/// Looks at the server and brings the schema up to date, over a connection of its own that waits as
/// long as it takes: another process may be building an index.
async fn prepare(options: PgConnectOptions, database: &str) -> Result<(), OpenError> {
    let options = options.options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let mut connection = connect(&options, database).await?;
    suitable(&mut connection, database).await?;
    let migrated = schema::migrate(&mut connection).await;
    migrated.map_err(|error| OpenError::of_migration(database, error))?;
    connection.close().await.map_err(|error| unreachable(database, &error))
}

/// The schema, as it is.
pub(super) async fn schema_state(options: &PostgresOptions) -> Result<SchemaState, OpenError> {
    let database = options.shown();
    let mut connection = connect(&connect_options(options), &database).await?;
    suitable(&mut connection, &database).await?;
    let applied = schema::applied(&mut connection).await;
    let applied = applied.map_err(|error| unreachable(&database, &error))?;
    connection.close().await.map_err(|error| unreachable(&database, &error))?;
    SchemaState::new(&database, schema::MIGRATIONS, &applied)
}

async fn connect(options: &PgConnectOptions, database: &str) -> Result<PgConnection, OpenError> {
    let connected = timeout(CONNECT_WAIT_MAX, options.connect()).await;
    let connected = connected.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
    connected.map_err(|error| unreachable(database, &error))
}

fn unreachable(database: &str, error: &sqlx::Error) -> OpenError {
    let message = match error {
        sqlx::Error::PoolTimedOut => "it does not answer".to_owned(),
        error => error.to_string(),
    };
    OpenError::Unreachable { database: database.to_owned(), message }
}

async fn suitable(connection: &mut PgConnection, database: &str) -> Result<(), OpenError> {
    let asked = "SELECT current_setting('server_version_num')::bigint,
        current_setting('server_encoding'), pg_is_in_recovery()";
    let row = sqlx::query(asked).fetch_one(connection).await;
    let told = row.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
    let (version, encoding, standby): (i64, String, bool) = told.map_err(|error| {
        OpenError::Database { database: database.to_owned(), message: error.to_string() }
    })?;
    let unsuitable =
        |message: String| Err(OpenError::Unsuitable { database: database.to_owned(), message });
    if version < SERVER_OLDEST {
        let (major, oldest) = (version / 10_000, SERVER_OLDEST / 10_000);
        return unsuitable(format!(
            "the server is PostgreSQL {major}; at least {oldest} is needed"
        ));
    }
    if encoding != "UTF8" {
        return unsuitable(format!("its encoding is {encoding}: create it with ENCODING 'UTF8'"));
    }
    if standby {
        return unsuitable("it is a standby: name the primary server".to_owned());
    }
    Ok(())
}

pub(super) fn connect_options(options: &PostgresOptions) -> PgConnectOptions {
    let address = options.address.clone().options(SETTINGS).disable_statement_logging();
    if address.get_application_name().is_some() {
        address
    } else {
        address.application_name("kiungo")
    }
}
