//! One process at a time, where work is not shared among several: each would believe that it alone
//! sends what is due. And none beside it of those that share the work: it would tell nobody of what it
//! does.
//!
//! The writing connection owns the database while it lives (an advisory lock of its session). A
//! process that loses the connection commits nothing before it owns the database again; if another
//! one has taken it over by then, it commits nothing at all.

use std::time::Duration;

use sqlx::{PgConnection, Row};
use tokio::time::sleep;

use super::PostgresOptions;
use crate::sql::OpenError;

/// The number of times that a start asks for it: the server may take a moment to notice that a
/// process has died.
const TRIES: u32 = 20;

/// The wait between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// The lock's first number, which sets it apart from those of other programs, is `kiun` as bytes; the
/// second is the table, and so differs from schema to schema.
const TAKE_ALONE: &str =
    "SELECT pg_try_advisory_lock(1802073454, 'transfers'::regclass::oid::bigint::bit(32)::int)";
const TAKE_SHARED: &str = "SELECT pg_try_advisory_lock_shared(1802073454,
    'transfers'::regclass::oid::bigint::bit(32)::int)";

/// The processes that may own the database beside this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// No other process.
    Alone,
    /// Other processes that share the work.
    Shared,
}

impl Claim {
    /// The claim that these options ask for, if any.
    pub(super) const fn of(options: &PostgresOptions) -> Option<Self> {
        match (options.exclusive, options.outbox) {
            (true, _) => Some(Self::Alone),
            (false, true) => Some(Self::Shared),
            (false, false) => None,
        }
    }
}

/// Finds the address of the process that has it.
const HOLDER: &str = "SELECT coalesce(host(a.client_addr), 'this machine') FROM pg_locks l
    JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.classid = 1802073454 AND l.granted
      AND l.database = a.datid AND a.datname = current_database()
      AND l.objid = 'transfers'::regclass::oid
    LIMIT 1";

/// Makes the connection an owner; returns true if it is one.
pub(super) async fn take(connection: &mut PgConnection, claim: Claim) -> Result<bool, sqlx::Error> {
    let take = match claim {
        Claim::Alone => TAKE_ALONE,
        Claim::Shared => TAKE_SHARED,
    };
    sqlx::query(take).fetch_one(connection).await?.try_get(0)
}

/// Makes the connection an owner as soon as no excluded process is connected.
pub(super) async fn wait(
    connection: &mut PgConnection,
    claim: Claim,
    database: &str,
) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::Database {
        database: database.to_owned(),
        message: error.to_string(),
    };
    for _ in 0..TRIES {
        if take(connection, claim).await.map_err(failed)? {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    let holder = sqlx::query(HOLDER).fetch_optional(connection).await.map_err(failed)?;
    let address: Option<String> = holder.and_then(|row| row.try_get(0).ok());
    let holder =
        address.map_or_else(|| "another Kiungo".to_owned(), |at| format!("a Kiungo at {at}"));
    Err(OpenError::Taken { database: database.to_owned(), holder })
}
