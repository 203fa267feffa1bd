//! Checks that the floor wrote what Kiungo wrote: every row of every table.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, SqliteConnection};

use crate::BenchError;
use crate::shared::place::Place;

/// The number that a table gives its rows in the order of their coming.
const OWN_NUMBER: &str = "no";

/// Compares the databases.
pub(super) async fn same_rows(floor: &Path, kiungo: &Path) -> Result<(), BenchError> {
    let mut connection = SqliteConnectOptions::new().filename(floor).connect().await?;
    let other = kiungo.to_string_lossy().into_owned();
    sqlx::query("ATTACH ?1 AS kiungo").bind(other).execute(&mut connection).await?;
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await?;
    for table in &tables {
        same_table(&mut connection, table).await?;
    }
    connection.close().await?;
    if tables.is_empty() {
        return Err(BenchError::OtherWork("there are no tables".to_owned()));
    }
    Ok(())
}

async fn same_table(connection: &mut SqliteConnection, table: &str) -> Result<(), BenchError> {
    let columns = "SELECT name FROM pragma_table_info(?1) WHERE name <> ?2";
    let columns: Vec<String> = sqlx::query_scalar(columns)
        .bind(table.to_owned())
        .bind(OWN_NUMBER)
        .fetch_all(&mut *connection)
        .await?;
    let columns = columns.join(", ");
    let only = |one: &str, other: &str| {
        format!(
            "(SELECT count(*) FROM (SELECT {columns} FROM {one}.{table}
              EXCEPT SELECT {columns} FROM {other}.{table}))"
        )
    };
    let count = |database: &str| format!("(SELECT count(*) FROM {database}.{table})");
    let query = format!(
        "SELECT {}, {}, {}, {}",
        count("main"),
        count("kiungo"),
        only("main", "kiungo"),
        only("kiungo", "main")
    );
    let row = sqlx::query(AssertSqlSafe(query)).fetch_one(connection).await?;
    let found: Vec<i64> = (0..4).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
    match found.as_slice() {
        [floor, kiungo, 0, 0] if floor == kiungo => Ok(()),
        _ => Err(BenchError::OtherWork(format!(
            "{table}: rows of the floor, of Kiungo, of the floor alone, of Kiungo alone: {found:?}"
        ))),
    }
}

/// The tables whose rows come and go; what they held is known by the others.
const PASSING: [&str; 2] = ["outbox", "leases"];

/// Compares two databases of a `PostgreSQL` server: of every table, how many rows there are, and the sum
/// of their digests, without the numbers that a table gives its rows. What is kept in shares is added
/// up first.
pub(super) async fn same_tables(floor: &Place, kiungo: &Place) -> Result<(), BenchError> {
    let (mut floor, mut kiungo) = (floor.connection().await?, kiungo.connection().await?);
    let tables = "SELECT tablename::text FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT LIKE '\\_%' ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut floor).await?;
    if tables.is_empty() {
        return Err(BenchError::OtherWork("there are no tables".to_owned()));
    }
    for table in tables.iter().filter(|table| !PASSING.contains(&table.as_str())) {
        let (one, other) = (digest(&mut floor, table).await?, digest(&mut kiungo, table).await?);
        if one != other {
            return Err(BenchError::OtherWork(format!(
                "{table}: rows and digest of the floor, and of Kiungo: {one:?}, {other:?}"
            )));
        }
    }
    Ok(())
}

async fn digest(connection: &mut PgConnection, table: &str) -> Result<(i64, String), BenchError> {
    let rows = match table {
        "transfer_counts" => {
            "(SELECT kind, provider, status, sum(count) FROM transfer_counts
             GROUP BY 1, 2, 3 HAVING sum(count) <> 0)"
        }
        "ledger_balances" => {
            "(SELECT account, currency, sum(minor) FROM ledger_balances GROUP BY 1, 2)"
        }
        table => table,
    };
    let query = format!(
        "SELECT count(*), coalesce(sum(hashtextextended((to_jsonb(t) - '{OWN_NUMBER}')::text, 0)::numeric),
            0)::text FROM {rows} AS t"
    );
    Ok(sqlx::query_as(AssertSqlSafe(query)).fetch_one(connection).await?)
}
