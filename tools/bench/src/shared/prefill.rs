//! Transfers that were there before: settled, as after years.

use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use super::test_bed::TestBed;
use crate::BenchError;

/// The number of transfers from which on indexes are dropped during the filling.
const MANY: u32 = 100_000;

/// Fills a new database with this number of transfers.
pub(super) async fn fill(test_bed: &TestBed, count: u32) -> Result<(), BenchError> {
    // The schema is the store's own.
    test_bed.store().await?.close().await;
    if count == 0 {
        return Ok(());
    }
    let mut connection = test_bed.connection().await?;
    connection.execute("SET synchronous_commit = off").await?;
    connection.execute("SET maintenance_work_mem = '512MB'").await?;
    if count >= MANY {
        connection.execute(DEFINITIONS).await?;
        connection.execute(TAKE_OFF).await?;
    }
    put(&mut connection, TRANSFERS, count).await?;
    for rest in [STATES, EVENTS, ENTRIES, RECEIPTS, KEYS, COUNTS, BALANCES] {
        connection.execute(rest).await?;
    }
    if count >= MANY {
        connection.execute(PUT_BACK).await?;
    }
    connection.execute("VACUUM ANALYZE").await?;
    // So that what this has written does not go to the disk while the measurement runs; not
    // everybody may.
    let _ = connection.execute("CHECKPOINT").await;
    Ok(())
}

async fn put(connection: &mut PgConnection, statement: &str, count: u32) -> Result<(), BenchError> {
    let statement = format!("{statement} FROM generate_series(1::bigint, {count}) AS n");
    connection.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}

const DEFINITIONS: &str = "
    CREATE TEMPORARY TABLE definitions AS
    SELECT 2 AS step, format('ALTER TABLE %I DROP CONSTRAINT %I', r.relname, c.conname) AS off,
        format('ALTER TABLE %I ADD CONSTRAINT %I %s', r.relname, c.conname,
            pg_get_constraintdef(c.oid)) AS back
    FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid
    WHERE c.contype IN ('p', 'u') AND r.relnamespace = 'public'::regnamespace
      AND r.relname NOT LIKE '\\_%'
    UNION ALL
    SELECT 1, format('DROP INDEX %I', x.relname), pg_get_indexdef(x.oid)
    FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
    WHERE x.relnamespace = 'public'::regnamespace AND x.relname NOT LIKE '\\_%'
      AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = x.oid)";

const TAKE_OFF: &str = "
    DO $$ DECLARE d record; BEGIN
        FOR d IN SELECT off FROM definitions ORDER BY step LOOP EXECUTE d.off; END LOOP;
    END $$";

const PUT_BACK: &str = "
    DO $$ DECLARE d record; BEGIN
        FOR d IN SELECT back FROM definitions ORDER BY step DESC LOOP EXECUTE d.back; END LOOP;
    END $$";

/// One a second, in turn of all kinds and of both providers.
const TRANSFERS: &str = "
    INSERT INTO transfers (id, msisdn, client_reference, received_us, facts)
    SELECT ('01700000-0000-7000-8000-' || lpad(to_hex(n * 256), 12, '0'))::uuid,
        '2557' || lpad((n % 1000000)::text, 8, '0'), 'earlier-' || n,
        1600000000000000 + n * 1000000,
        format('{\"id\":\"01700000-0000-7000-8000-%s\",\"provider\":\"mpesa-tz\",\"core\":\"main\",
\"msisdn\":\"2557%s\",\"amount\":
{\"minor\":150000,\"currency\":\"TZS\"},\"client_reference\":\"earlier-%s\",\"note\":null,\"origin\":
{\"type\":\"api\",\"client\":\"bench\"},\"received_at\":%s000000}',
            lpad(to_hex(n * 256), 12, '0'), lpad((n % 1000000)::text, 8, '0'), n, 1600000000 + n)";

const STATES: &str = "
    INSERT INTO transfer_states (
        id, no, version, kind, provider, status, is_open, has_case, holds_account, core_receipt,
        received_us, updated_us, slot, state
    )
    SELECT id, n, 7, (ARRAY['deposit', 'withdrawal', 'repayment', 'disbursement'])[1 + n % 4],
        (ARRAY['gsma-sandbox', 'mpesa-tz'])[1 + n / 4 % 2],
        'completed', false, false, false, 'C' || n, received_us, received_us + 500000, n % 4096,
        format('{\"kind\":\"deposit\",\"status\":\"completed\",
\"accounts\":[{\"kind\":\"savings\",\"key\":{\"id\":%s}}],\"account\":{\"kind\":\"savings\",\"id\":%s},
\"account_no\":\"%s\",\"wallet_receipt\":\"W%s\",\"wallet_fee\":null,\"core_receipt\":\"C%s\",\"rejection\":
null,\"case\":null,\"merged_into\":null,\"holds_account\":false,\"unknown_since\":null,\"version\":7,
\"updated_at\":%s500000}', n, n, lpad(n::text, 9, '0'), n, n, 1600000000 + n)
    FROM (SELECT no AS n, id, received_us FROM transfers) AS t";

/// Fewer than a transfer has, each as long as most are.
const EVENTS: &str = "
    INSERT INTO transfer_events (transfer_id, seq, at_us, event)
    SELECT id, seq, received_us, left(facts, 250) FROM transfers, generate_series(1, 2) AS seq";

const ENTRIES: &str = "
    INSERT INTO ledger_entries (transfer_id, account, currency, minor)
    SELECT id, account, 'TZS', minor FROM transfers,
        (VALUES ('float:earlier', 150000), ('clearing:earlier', -150000)) AS w (account, minor)";

const RECEIPTS: &str = "
    INSERT INTO receipts (receipt, provider, transfer_id, operation)
    SELECT 'W' || no, provider, id, 'collect' FROM transfer_states";

const KEYS: &str = "
    INSERT INTO idempotency_keys (client, key, digest, transfer_id)
    SELECT 'earlier', 'key-' || no, lpad(no::text, 64, '0'), id FROM transfers";

const COUNTS: &str = "
    INSERT INTO transfer_counts (shard, kind, provider, status, count)
    SELECT 0, kind, provider, status, count(*) FROM transfer_states GROUP BY kind, provider, status";

const BALANCES: &str = "
    INSERT INTO ledger_balances (shard, account, currency, minor)
    SELECT 0, account, currency, sum(minor) FROM ledger_entries GROUP BY account, currency";
