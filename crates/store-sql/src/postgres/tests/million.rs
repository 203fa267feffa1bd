//! Measures the statements among a million transfers: looked at as plans, and counted in pages.

use kiungo_domain::transfer::{Kind, Status};
use kiungo_domain::{Msisdn, Timestamp};
use kiungo_store::contract::fixtures::{money, provider, receipt};
use kiungo_store::terms::account_term;
use kiungo_store::{Cursor, TransferQuery};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::{STATEMENTS, migrated, server};
use crate::postgres::open::{KEYED_SETTINGS, SEARCH_SETTINGS};
use crate::postgres::parameters::with_values;
use crate::sql::{Parameter, search};

/// The largest number of pages of 8 KiB that a query may look at: four for each of up to 500 rows
/// of a page, whose facts and states are found by an index each, or one or two for each of the
/// 1,000 that are due here and counted. A whole table has four times as many at least.
const PAGES_MAX: u64 = 2_500;

/// Tables that grow without bound.
const LARGE: [&str; 13] = [
    "transfers",
    "transfer_states",
    "search_terms",
    "transfer_events",
    "ledger_entries",
    "receipts",
    "idempotency_keys",
    "inbox",
    "cases",
    "actions",
    "archived_transfers",
    "archived_events",
    "archived_entries",
];

#[tokio::test]
async fn among_a_million_transfers_every_statement_goes_to_its_rows() {
    let mut connection = migrated(server()).await;
    fill(&mut connection).await;
    set(&mut connection, &SEARCH_SETTINGS).await;
    let (searches, keyed): (Vec<_>, Vec<_>) =
        queries().into_iter().partition(|(name, ..)| name.starts_with("search"));
    for (name, statement, parameters) in searches {
        check_query(&mut connection, name, statement, parameters).await;
    }
    set(&mut connection, &KEYED_SETTINGS).await;
    for (name, statement, parameters) in keyed {
        check_query(&mut connection, name, statement, parameters).await;
    }
    for (name, statement) in STATEMENTS.all() {
        if name.starts_with("search") {
            continue;
        }
        let plan = generic_plan(&mut connection, statement).await;
        check_scans(name, &plan);
    }
}

/// One second of the million, and something that was received then.
const MIDDLE: i64 = 500_000;

fn query(change: impl FnOnce(&mut TransferQuery)) -> TransferQuery {
    let mut query = TransferQuery::default();
    change(&mut query);
    query
}

/// Returns a search by each property, alone and with others that narrow it.
fn searches() -> Vec<TransferQuery> {
    let cursor = || Some(Cursor(format!("{}.{MIDDLE}", MIDDLE * 1_000_000)));
    let mut searches = vec![
        query(|_| {}),
        query(|q| q.cursor = cursor()),
        query(|q| q.limit = 500),
        query(|q| q.provider = Some(provider("mpesa-tz"))),
        query(|q| q.provider = Some(provider("rare"))),
        query(|q| q.msisdn = Some(Msisdn::parse("255700000007").unwrap())),
        query(|q| q.receipt = Some(receipt("R77777"))),
        query(|q| q.receipt = Some(receipt("C77777"))),
        query(|q| q.client_reference = Some("order-77777".to_owned())),
        query(|q| q.account = account_term("0777")),
        query(|q| q.amount = Some(money(100_000))),
        query(|q| {
            q.amount = Some(money(100_000));
            q.account = account_term("777");
            q.statuses = vec![Status::Completed];
        }),
        query(|q| {
            q.amount = Some(money(100_000));
            q.provider = Some(provider("mpesa-tz"));
            q.cursor = cursor();
        }),
        query(|q| {
            q.from = Some(Timestamp::from_micros(MIDDLE * 1_000_000));
            q.to = Some(Timestamp::from_micros((MIDDLE + 10) * 1_000_000));
        }),
        query(|q| {
            q.provider = Some(provider("mpesa-tz"));
            q.statuses = vec![Status::Completed, Status::Suspended];
            q.cursor = cursor();
        }),
        query(|q| {
            q.msisdn = Some(Msisdn::parse("255700000007").unwrap());
            q.statuses = vec![Status::Failed];
        }),
    ];
    // Any two and all three of provider, kind and status, also where they meet in few transfers or
    // in none.
    for name in ["mpesa-tz", "rare", "nobody"] {
        searches.extend(
            Kind::ALL
                .map(|kind| query(|q| (q.provider, q.kind) = (Some(provider(name)), Some(kind)))),
        );
        for status in Status::ALL {
            let of_provider = query(|q| {
                q.provider = Some(provider(name));
                q.statuses = vec![status];
            });
            searches.extend(
                Kind::ALL.map(|kind| TransferQuery { kind: Some(kind), ..of_provider.clone() }),
            );
            searches.push(of_provider);
        }
    }
    for status in Status::ALL {
        searches.extend(
            Kind::ALL.map(|kind| query(|q| (q.kind, q.statuses) = (Some(kind), vec![status]))),
        );
    }
    searches.push(query(|q| q.providers = vec![provider("rare"), provider("nobody")]));
    searches.push(query(|q| q.kinds = vec![Kind::Disbursement]));
    searches.extend(Kind::ALL.map(|kind| query(|q| q.kind = Some(kind))));
    searches.extend(Status::ALL.map(|status| query(|q| q.statuses = vec![status])));
    searches
}

fn queries() -> Vec<(&'static str, &'static str, Vec<Parameter>)> {
    let text = |text: &str| Parameter::Text(Some(text.to_owned()));
    let number = Parameter::Integer;
    let id = || vec![text("01900000-0000-7000-8000-0000000012fd")];
    let s = &STATEMENTS;
    let mut queries = vec![
        (
            "journal",
            s.journal,
            vec![Parameter::Words(Some(vec!["01900000-0000-7000-8000-0000000012fd".to_owned()]))],
        ),
        ("postings", s.postings, id()),
        ("summary", s.summary, id()),
        ("due", s.due, vec![number(i64::MAX), number(500)]),
        ("next_due", s.next_due, vec![]),
        ("holding_accounts", s.holding_accounts, vec![]),
        (
            "collections",
            s.collections,
            vec![text("mpesa-tz"), text("TZS 100000"), Parameter::Text(None), text("000000005")],
        ),
        ("by_receipt", s.by_receipt, vec![text("R77777"), text("mpesa-tz")]),
        ("key_holder", s.key_holder, vec![text("shop"), text("key-77777")]),
        ("arrived", s.arrived, vec![text("mpesa-tz"), text("digest-77777")]),
        ("inbox_due", s.inbox_due, vec![number(i64::MAX), number(100)]),
        ("inbox_item", s.inbox_item, vec![number(77_777)]),
        ("cases", s.cases, vec![number(MIDDLE * 1_000_000), text("x"), number(51)]),
        ("ledger", s.ledger, vec![]),
        ("counts", s.counts, vec![]),
        ("due_count", s.due_count, vec![number(i64::MAX)]),
        (
            "oldest_open",
            s.oldest_open,
            vec![Parameter::Words(Some(vec!["in_progress".to_owned(), "suspended".to_owned()]))],
        ),
        ("oldest_unknown", s.oldest_unknown, vec![]),
        ("suspense", s.suspense, vec![]),
        ("leases", s.leases, vec![text("worker/"), number(0), number(100)]),
        ("outbox", s.outbox, vec![number(100)]),
        ("action", s.action, vec![text("00000000-0000-7000-8000-000000077777")]),
        ("actions_all", s.actions_all, vec![number(i64::MAX), number(i64::MAX), number(100)]),
        ("actions_open", s.actions_open, vec![number(i64::MAX), number(i64::MAX), number(100)]),
        ("inbox_waiting_count", s.inbox_waiting_count, vec![]),
        ("quarantined_count", s.quarantined_count, vec![]),
    ];
    for query in searches() {
        let (statement, parameters) = search::asked(s, &query).unwrap();
        queries.push(("search", statement, parameters));
    }
    queries
}

/// Runs a query and looks at what it did.
async fn check_query(
    connection: &mut PgConnection,
    name: &str,
    statement: &str,
    parameters: Vec<Parameter>,
) {
    let told = format!("{name} {parameters:?}");
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}");
    let explain: &'static str = Box::leak(explain.into_boxed_str());
    let row = with_values(explain, parameters).fetch_one(connection).await;
    let plan = plan(&row.unwrap_or_else(|error| panic!("{told}: {error}")));
    check_scans(&told, &plan);
    let pages = |key: &str| plan[key].as_u64().unwrap_or(0);
    let pages = pages("Local Hit Blocks") + pages("Local Read Blocks");
    assert!(pages > 0 || pages_are_elsewhere(name), "{told}: nothing was looked at\n{plan:#}");
    assert!(pages <= PAGES_MAX, "{told}: {pages} pages\n{plan:#}");
}

/// Of tables that are empty here.
fn pages_are_elsewhere(name: &str) -> bool {
    ["ledger", "counts", "suspense", "leases", "outbox"].contains(&name)
}

/// The plan of a statement whatever its parameters are.
async fn generic_plan(connection: &mut PgConnection, statement: &str) -> Value {
    let mut run = async |statement: String| {
        sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(&mut *connection).await.unwrap()
    };
    run(format!("PREPARE looked_at AS {statement}")).await;
    let types = "SELECT cardinality(parameter_types) FROM pg_prepared_statements
        WHERE name = 'looked_at'";
    let count: i32 = run(types.to_owned()).await[0].get(0);
    let nulls = vec!["NULL"; usize::try_from(count).unwrap()].join(", ");
    let nulls = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let explained = run(format!("EXPLAIN (FORMAT JSON) EXECUTE looked_at{nulls}")).await;
    run("DEALLOCATE looked_at".to_owned()).await;
    plan(&explained[0])
}

fn plan(row: &sqlx::postgres::PgRow) -> Value {
    let json: String = row.try_get_unchecked(0).unwrap();
    serde_json::from_str::<Value>(&json).unwrap()[0]["Plan"].take()
}

/// No node of the plan reads a large table, or a whole index of it, from one end to the other.
fn check_scans(name: &str, plan: &Value) {
    let node = plan["Node Type"].as_str().unwrap();
    let large = plan["Relation Name"].as_str().is_some_and(|table| LARGE.contains(&table));
    assert!(!(large && node == "Seq Scan"), "{name}: {plan:#}");
    for part in plan["Plans"].as_array().into_iter().flatten() {
        check_scans(name, part);
    }
}

async fn set(connection: &mut PgConnection, settings: &[(&str, &str)]) {
    for (setting, value) in settings {
        connection.execute(AssertSqlSafe(format!("SET {setting} = {value}"))).await.unwrap();
    }
}

/// A million transfers, one a second: of nearly everything much, of some things little, as it is
/// after a year. Indexes are taken off while the rows go in.
async fn fill(connection: &mut PgConnection) {
    for statement in [INDEXES, TAKE_OFF, TRANSFERS, REST, PUT_BACK, "ANALYZE"] {
        connection.execute(statement).await.unwrap();
    }
}

const INDEXES: &str = "
    CREATE TEMPORARY TABLE definitions AS
    SELECT 2 AS step, format('ALTER TABLE %I DROP CONSTRAINT %I', r.relname, c.conname) AS off,
        format('ALTER TABLE %I ADD CONSTRAINT %I %s', r.relname, c.conname,
            pg_get_constraintdef(c.oid)) AS back
    FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid
    WHERE c.contype IN ('p', 'u') AND r.relnamespace = pg_my_temp_schema()
    UNION ALL
    SELECT 1, format('DROP INDEX %I', x.relname), pg_get_indexdef(x.oid)
    FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
    WHERE x.relnamespace = pg_my_temp_schema()
      AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = x.oid)";

const TAKE_OFF: &str = "
    DO $$ DECLARE d record; BEGIN
        FOR d IN SELECT off FROM definitions ORDER BY step LOOP EXECUTE d.off; END LOOP;
    END $$";

const PUT_BACK: &str = "
    DO $$ DECLARE d record; BEGIN
        FOR d IN SELECT back FROM definitions ORDER BY step DESC LOOP EXECUTE d.back; END LOOP;
    END $$";

const TRANSFERS: &str = "
    INSERT INTO transfers (no, id, msisdn, client_reference, received_us, facts)
    SELECT n, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
        '2557' || lpad((n % 100000)::text, 8, '0'), 'order-' || n, n * 1000000,
        '{\"amount\":{\"minor\":1,\"currency\":\"TZS\"}}'
    FROM generate_series(1::bigint, 1000000) AS n;
    INSERT INTO transfer_states (
        no, id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
        core_receipt, received_us, updated_us, due_us, slot, state
    )
    SELECT n, id, 5,
        CASE WHEN n % 50 = 0 THEN 'disbursement' WHEN n % 10 = 0 THEN 'repayment'
            WHEN n % 3 = 0 THEN 'withdrawal' ELSE 'deposit' END,
        CASE WHEN n % 5000 = 0 THEN 'rare' WHEN n % 4 = 0 THEN 'gsma-sandbox' ELSE 'mpesa-tz' END,
        CASE WHEN n % 5000 = 7 THEN 'suspended' WHEN n % 1000 = 3 THEN 'in_progress'
            WHEN n % 100 = 1 THEN 'failed' ELSE 'completed' END,
        n % 1000 = 3 OR n % 5000 = 7, n % 5000 = 7, n % 10000 = 3,
        CASE WHEN n % 100000 = 3 THEN n * 1000000 END, 'C' || n, n * 1000000,
        n * 1000000, CASE WHEN n % 1000 = 3 THEN n * 1000000 END, n % 4096, '{}'
    FROM (SELECT no AS n, id FROM transfers) AS t;
    INSERT INTO transfer_counts
    SELECT 0, kind, provider, status, count(*) FROM transfer_states GROUP BY 2, 3, 4";

const REST: &str = "
    INSERT INTO transfer_events
    SELECT id, 1, received_us, '{}' FROM transfers;
    INSERT INTO ledger_entries (transfer_id, account, currency, minor)
    SELECT id, 'float:mpesa-tz', 'TZS', 1 FROM transfers;
    INSERT INTO receipts SELECT 'R' || no, provider, id, 'collect' FROM transfer_states;
    INSERT INTO lanes
    SELECT 'main', 'savings', no::text, id FROM transfer_states WHERE holds_account;
    INSERT INTO search_terms
    SELECT 'account ' || no % 100000, received_us, id FROM transfers
    UNION ALL SELECT 'amount TZS ' || no % 10 * 100000, received_us, id FROM transfers;
    INSERT INTO idempotency_keys SELECT 'shop', 'key-' || no, '', id FROM transfers;
    INSERT INTO inbox
    SELECT no, provider, 'd' || no, '{}', '', received_us, 1, 0,
        CASE WHEN no % 1000 = 1 THEN 'waiting' WHEN no % 1000 = 2 THEN 'quarantined'
            ELSE 'handled' END, received_us, NULL
    FROM transfer_states WHERE no <= 200000;
    INSERT INTO cases
    SELECT id::text, id, NULL, 'suspense', '', provider, received_us FROM transfer_states
    WHERE no % 50 = 0;
    INSERT INTO actions (
        at_us, id, done_by, what, subject, why, state, content, updated_us
    )
    SELECT received_us, '00000000-0000-7000-8000-' || lpad(no::text, 12, '0'), 'officer', 'hold',
        'mpesa-tz/pay_out', '', CASE WHEN no % 1000 = 1 THEN 'proposed' ELSE 'done' END, '{}',
        received_us
    FROM transfers WHERE no <= 200000;
    INSERT INTO archived_transfers
    SELECT t.no, t.id, 5, s.kind, s.provider, s.status, t.msisdn, t.client_reference, 'A' || t.no,
        t.received_us, s.updated_us, t.facts
    FROM transfers AS t JOIN transfer_states AS s ON s.id = t.id WHERE t.no <= 200000;
    INSERT INTO archived_events SELECT * FROM transfer_events LIMIT 200000;
    INSERT INTO archived_entries SELECT transfer_id, no, account, currency, minor
    FROM ledger_entries LIMIT 200000";
