//! `PostgreSQL`, by the store's statements on a connection with the same settings.

use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres};

use super::rows::{Cell, Row, Rows};
use super::writer::{Database, Sums};
use crate::BenchError;

const PUT_EVENTS: &str = "
    INSERT INTO transfer_events (transfer_id, seq, at_us, event)
    SELECT w.id::uuid, w.seq, w.at_us, w.event
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])
        AS w (id, seq, at_us, event)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING";

const NEW_TRANSFERS: &str = "
    INSERT INTO transfers (id, msisdn, client_reference, received_us, facts)
    SELECT w.id::uuid, w.msisdn, w.client_reference, w.received_us, w.facts
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
        AS w (id, msisdn, client_reference, received_us, facts)
    ON CONFLICT DO NOTHING";

const NEW_STATES: &str = "
    INSERT INTO transfer_states (
        id, no, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
        core_receipt, received_us, updated_us, due_us, slot, collecting, collecting_label, state
    )
    SELECT t.id, t.no, w.version, w.kind, w.provider, w.status, w.is_open = 1, w.has_case = 1,
        w.holds_account = 1, w.unknown_us, w.core_receipt, t.received_us, w.updated_us, w.due_us,
        w.slot::smallint, w.collecting, w.collecting_label, w.state
    FROM unnest(
        $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[],
        $14::text[], $15::text[], $16::text[]
    ) AS w (
        id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
        core_receipt, updated_us, due_us, slot, collecting, collecting_label, state
    ) JOIN transfers AS t ON t.id = w.id::uuid
    ON CONFLICT DO NOTHING";

const PUT_STATES: &str = "
    UPDATE transfer_states AS s SET
        version = w.version, kind = w.kind, status = w.status, is_open = w.is_open = 1,
        has_case = w.has_case = 1, holds_account = w.holds_account = 1,
        unknown_us = w.unknown_us, core_receipt = w.core_receipt, updated_us = w.updated_us,
        due_us = w.due_us, slot = w.slot::smallint, collecting = w.collecting,
        collecting_label = w.collecting_label, state = w.state
    FROM unnest(
        $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[],
        $14::text[], $15::text[], $16::text[]
    ) AS w (
        id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
        core_receipt, updated_us, due_us, slot, collecting, collecting_label, state
    )
    WHERE s.id = w.id::uuid AND s.version < w.version";

const RELEASE_ACCOUNT_LOCKS: &str = "
    DELETE FROM lanes AS l USING unnest($1::text[]) AS w (id) WHERE l.transfer_id = w.id::uuid";

const PUT_ACCOUNT_LOCKS: &str = "
    INSERT INTO lanes (core, kind, account, transfer_id)
    SELECT w.core, w.kind, w.account, w.id::uuid
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (core, kind, account, id)
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING";

const PUT_LEDGER: &str = "
    INSERT INTO ledger_entries (transfer_id, account, currency, minor)
    SELECT w.id::uuid, w.account, w.currency, w.minor
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
        AS w (id, account, currency, minor)";

const PUT_RECEIPTS: &str = "
    INSERT INTO receipts (receipt, provider, transfer_id, operation)
    SELECT w.receipt, w.provider, w.id::uuid, w.operation
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
        AS w (receipt, provider, id, operation)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING";

const PUT_KEYS: &str = "
    INSERT INTO idempotency_keys (client, key, digest, transfer_id)
    SELECT w.client, w.key, w.digest, w.id::uuid
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (client, key, digest, id)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING";

const PUT_TERMS: &str = "
    INSERT INTO search_terms (term, received_us, transfer_id)
    SELECT w.term, w.received_us, w.id::uuid
    FROM unnest($1::text[], $2::bigint[], $3::text[]) AS w (term, received_us, id)
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING";

const PUT_OUTBOX: &str = "
    INSERT INTO outbox (transfer_id, at_us, news, summary)
    SELECT w.id::uuid, w.at_us, w.news, w.summary
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
        WITH ORDINALITY AS w (id, at_us, news, summary, position)
    ORDER BY w.position";

const PUT_COUNTS: &str = "
    INSERT INTO transfer_counts AS c (shard, kind, provider, status, count)
    SELECT pg_backend_pid() % 16, w.kind, w.provider, w.status, w.change
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
        AS w (kind, provider, status, change)
    ORDER BY 2, 3, 4
    ON CONFLICT (shard, kind, provider, status) DO UPDATE SET count = c.count + excluded.count";

const PUT_BALANCES: &str = "
    INSERT INTO ledger_balances AS b (shard, account, currency, minor)
    SELECT pg_backend_pid() % 16, w.account, w.currency, w.change
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (account, currency, change)
    ORDER BY 2, 3
    ON CONFLICT (shard, account, currency) DO UPDATE SET minor = b.minor + excluded.minor";

/// As the store sets them on the connection that writes.
const SETTINGS: [(&str, &str); 5] = [
    ("synchronous_commit", "on"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// A connection that writes.
pub(super) struct Postgresql(PgConnection);

impl Postgresql {
    /// Opens a database that has its schema.
    pub(super) async fn open(options: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        let options = options.clone().options(SETTINGS).disable_statement_logging();
        options.connect().await.map(Self)
    }

    async fn put<'a>(
        &mut self,
        statement: &'static str,
        rows: impl Iterator<Item = &'a Row> + Send,
    ) -> Result<(), sqlx::Error> {
        let asked = bound(statement, &rows.collect::<Vec<_>>());
        let Some(asked) = asked else { return Ok(()) };
        asked.execute(&mut self.0).await.map(drop)
    }

    async fn put_sums(&mut self, sums: &Sums<'_>) -> Result<(), sqlx::Error> {
        let counts: Vec<_> = sums.counts().collect();
        if !counts.is_empty() {
            let asked = sqlx::query(PUT_COUNTS)
                .bind(counts.iter().map(|row| row.0).collect::<Vec<_>>())
                .bind(counts.iter().map(|row| row.1).collect::<Vec<_>>())
                .bind(counts.iter().map(|row| row.2).collect::<Vec<_>>())
                .bind(counts.iter().map(|row| row.3).collect::<Vec<_>>());
            asked.execute(&mut self.0).await?;
        }
        let balances: Vec<_> = sums.balances().collect();
        if !balances.is_empty() {
            let asked = sqlx::query(PUT_BALANCES)
                .bind(balances.iter().map(|row| row.0).collect::<Vec<_>>())
                .bind(balances.iter().map(|row| row.1).collect::<Vec<_>>())
                .bind(balances.iter().map(|row| row.2).collect::<Vec<_>>());
            asked.execute(&mut self.0).await?;
        }
        Ok(())
    }
}

impl Database for Postgresql {
    async fn write(&mut self, batch: &[Rows]) -> Result<(), BenchError> {
        sqlx::raw_sql("BEGIN").execute(&mut self.0).await?;
        self.put(PUT_EVENTS, batch.iter().flat_map(|rows| &rows.events)).await?;
        self.put(NEW_TRANSFERS, batch.iter().flat_map(|rows| &rows.transfer)).await?;
        self.put(NEW_STATES, batch.iter().flat_map(|rows| &rows.new_state)).await?;
        self.put(PUT_STATES, batch.iter().flat_map(|rows| &rows.state)).await?;
        self.put(RELEASE_ACCOUNT_LOCKS, batch.iter().flat_map(|rows| &rows.account_locks_left))
            .await?;
        self.put(PUT_ACCOUNT_LOCKS, batch.iter().flat_map(|rows| &rows.account_locks)).await?;
        self.put(PUT_LEDGER, batch.iter().flat_map(|rows| &rows.ledger)).await?;
        self.put(PUT_RECEIPTS, batch.iter().flat_map(|rows| &rows.receipts)).await?;
        self.put(PUT_KEYS, batch.iter().flat_map(|rows| &rows.keys)).await?;
        self.put(PUT_TERMS, batch.iter().flat_map(|rows| &rows.terms)).await?;
        self.put(PUT_OUTBOX, batch.iter().flat_map(|rows| &rows.outbox)).await?;
        self.put_sums(&Sums::of(batch)).await?;
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await?;
        Ok(())
    }

    async fn close(self) -> Result<(), BenchError> {
        Ok(self.0.close().await?)
    }
}

/// A statement with rows: one array for each column.
fn bound<'q>(
    statement: &'static str,
    rows: &[&'q Row],
) -> Option<Query<'q, Postgres, PgArguments>> {
    let first = rows.first()?;
    let mut asked = sqlx::query(statement);
    for (column, cell) in first.cells.iter().enumerate() {
        let cells = rows.iter().map(|row| row.cells.get(column));
        asked = match cell {
            Cell::Text(_) => {
                let text = |cell: Option<&'q Cell>| match cell {
                    Some(Cell::Text(text)) => text.as_deref(),
                    _ => None,
                };
                asked.bind(cells.map(text).collect::<Vec<Option<&str>>>())
            }
            Cell::Integer(_) => {
                let number = |cell: Option<&Cell>| match cell {
                    Some(Cell::Integer(number)) => *number,
                    _ => None,
                };
                asked.bind(cells.map(number).collect::<Vec<Option<i64>>>())
            }
        };
    }
    Some(asked)
}
