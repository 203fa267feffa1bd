//! Checks that the floor wrote what Kiungo wrote: every row of every table.

use std::path::Path;

use rusqlite::{Connection, ToSql, params};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::BenchError;
use crate::shared::test_bed::TestBed;

/// The number that a table gives its rows in the order of their coming.
const OWN_NUMBER: &str = "no";

/// Compares the databases.
pub(super) fn same_rows(floor: &Path, kiungo: &Path) -> Result<(), BenchError> {
    let connection = Connection::open(floor)?;
    connection.execute("ATTACH ?1 AS kiungo", [kiungo.to_string_lossy()])?;
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    let tables = names(&connection, tables, params![])?;
    for table in &tables {
        same_table(&connection, table)?;
    }
    if tables.is_empty() {
        return Err(BenchError::OtherWork("there are no tables".to_owned()));
    }
    Ok(())
}

fn names(
    connection: &Connection,
    query: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<String>, rusqlite::Error> {
    connection.prepare(query)?.query_map(parameters, |row| row.get(0))?.collect()
}

fn same_table(connection: &Connection, table: &str) -> Result<(), BenchError> {
    let columns = "SELECT name FROM pragma_table_info(?1) WHERE name <> ?2";
    let columns = names(connection, columns, params![table, OWN_NUMBER])?.join(", ");
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
    let found: [i64; 4] = connection
        .query_row(&query, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    match found {
        [floor, kiungo, 0, 0] if floor == kiungo => Ok(()),
        _ => Err(BenchError::OtherWork(format!(
            "{table}: rows of the floor, of Kiungo, of the floor alone, of Kiungo alone: {found:?}"
        ))),
    }
}

/// The tables whose rows come and go; what they held is known by the others.
const PASSING: [&str; 2] = ["outbox", "leases"];

/// Compares two databases of a `PostgreSQL` server: of every table, how many rows there are, and
/// the sum of their digests, without the numbers that a table gives its rows. Totals that are kept
/// in shares are added up first.
pub(super) async fn same_tables(floor: &TestBed, kiungo: &TestBed) -> Result<(), BenchError> {
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
