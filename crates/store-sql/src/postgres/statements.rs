//! Every statement that runs against `PostgreSQL`, and nothing else.
//!
//! The statements of a batch take one array for each column, so a batch costs a handful of
//! statements however many changes it holds. Each takes its locks in the order of names, and all
//! batches run their statements in one order, so that two of them wait for each other but do not
//! deadlock. `ON CONFLICT DO NOTHING` leaves a row out that another process was quicker with; that
//! one row is missing in the count tells the batch to begin anew.

use crate::sql::Statements;

/// The conditions of every search: on the facts of a transfer and on its state, which are one row
/// in the archive. The server refuses JSON that holds a NUL anywhere.
macro_rules! filters {
    ($facts:literal, $state:literal) => {
        concat!(
            " AND ($2::text[] IS NULL OR ",
            $state,
            ".status = ANY ($2))
              AND ($3::text IS NULL OR ",
            $state,
            ".kind = $3)
              AND ($4::text IS NULL OR ",
            $state,
            ".provider = $4)
              AND ($5::text IS NULL OR ",
            $facts,
            ".msisdn = $5)
              AND ($10::text IS NULL OR ",
            $facts,
            ".client_reference = $10)
              AND ($11::text[] IS NULL OR replace(",
            $facts,
            ".facts, '\\u0000', '\\u0020')::json
                ->> 'core' = ANY ($11))
              AND ($12::text[] IS NULL OR ",
            $state,
            ".provider = ANY ($12))
              AND ($13::text[] IS NULL OR ",
            $state,
            ".kind = ANY ($13))
              AND ($14::text IS NULL OR EXISTS (SELECT 1 FROM search_terms AS k
                WHERE k.term = $14 AND k.received_us = ",
            $facts,
            ".received_us
                  AND k.transfer_id = ",
            $facts,
            ".id))
              AND ($15::text IS NULL OR EXISTS (SELECT 1 FROM search_terms AS k
                WHERE k.term = $15 AND k.received_us = ",
            $facts,
            ".received_us
                  AND k.transfer_id = ",
            $facts,
            ".id))
              AND ",
            $facts,
            ".received_us >= $6::bigint
              AND (",
            $facts,
            ".received_us, ",
            $facts,
            ".no) < ($7::bigint, $8::bigint)"
        )
    };
}

/// A search by one way.
macro_rules! search_by {
    ($way:literal) => {
        concat!(
            "SELECT t.no, t.received_us, t.facts, coalesce(s.state, t.facts)
            FROM transfers AS t JOIN transfer_states AS s ON s.id = t.id WHERE ",
            $way,
            filters!("t", "s"),
            " ORDER BY t.received_us DESC, t.no DESC LIMIT $9::bigint"
        )
    };
}

/// The searches, each of which serves several kinds of question.
pub(super) const SEARCHES: [&str; 6] = [
    STATEMENTS.search_all,
    STATEMENTS.search_standing,
    STATEMENTS.search_msisdn,
    STATEMENTS.search_client_reference,
    STATEMENTS.search_term,
    STATEMENTS.search_receipt,
];

pub(crate) const STATEMENTS: Statements = Statements {
    facts_transfers: "
        SELECT s.id::text, s.version, s.kind, s.provider, s.status, s.has_case::int::bigint,
            s.holds_account::int::bigint
        FROM unnest($1::text[]) AS w (id) JOIN transfer_states AS s ON s.id = w.id::uuid
        ORDER BY s.id FOR NO KEY UPDATE OF s",
    facts_account_locks: "
        SELECT l.core, l.kind, l.account, l.transfer_id::text
        FROM unnest($1::text[], $2::text[], $3::text[]) AS w (core, kind, account)
        JOIN lanes AS l ON l.core = w.core AND l.kind = w.kind AND l.account = w.account",
    facts_receipts: "
        SELECT r.provider, r.receipt, r.transfer_id::text
        FROM unnest($1::text[], $2::text[]) AS w (provider, receipt)
        JOIN receipts AS r ON r.provider = w.provider AND r.receipt = w.receipt",
    facts_keys: "
        SELECT k.client, k.key, k.digest, k.transfer_id::text
        FROM unnest($1::text[], $2::text[]) AS w (client, key)
        JOIN idempotency_keys AS k ON k.client = w.client AND k.key = w.key",
    facts_items: "
        SELECT i.id, (i.state = 'handled')::int::bigint,
            (i.state = 'quarantined' OR i.note IS NOT NULL)::int::bigint
        FROM unnest($1::bigint[]) AS w (id) JOIN inbox AS i ON i.id = w.id
        ORDER BY i.id FOR NO KEY UPDATE OF i",
    facts_arrivals: "
        SELECT i.provider, i.digest, i.id
        FROM unnest($1::text[], $2::text[]) AS w (provider, digest)
        JOIN inbox AS i ON i.provider = w.provider AND i.digest = w.digest
        ORDER BY i.id FOR NO KEY UPDATE OF i",
    facts_uses: "
        SELECT u.transfer_id::text, u.day_us, u.wallet::int::bigint, u.organisation::int::bigint
        FROM unnest($1::text[]) AS w (id) JOIN day_uses AS u ON u.transfer_id = w.id::uuid",
    facts_totals: "
        SELECT t.day_us, t.provider, t.operation, t.currency, t.wallet, t.minor, t.count
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
            AS w (day_us, provider, operation, currency, wallet)
        JOIN day_totals AS t ON t.day_us = w.day_us AND t.provider = w.provider
            AND t.operation = w.operation AND t.currency = w.currency AND t.wallet = w.wallet
        ORDER BY t.day_us, t.provider, t.operation, t.currency, t.wallet
        FOR NO KEY UPDATE OF t",
    inbox_numbers: "SELECT nextval('inbox_numbers') FROM unnest($1::bigint[])",
    put_events: "
        INSERT INTO transfer_events (transfer_id, seq, at_us, event)
        SELECT w.id::uuid, w.seq, w.at_us, w.event
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])
            AS w (id, seq, at_us, event)
        ORDER BY 1, 2 ON CONFLICT DO NOTHING",
    new_transfers: "
        INSERT INTO transfers (id, msisdn, client_reference, received_us, facts)
        SELECT w.id::uuid, w.msisdn, w.client_reference, w.received_us, w.facts
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
            AS w (id, msisdn, client_reference, received_us, facts)
        ON CONFLICT DO NOTHING",
    new_states: NEW_STATES,
    put_states: PUT_STATES,
    release_account_locks: "
        DELETE FROM lanes AS l USING unnest($1::text[]) AS w (id) WHERE l.transfer_id = w.id::uuid",
    put_account_locks: "
        INSERT INTO lanes (core, kind, account, transfer_id)
        SELECT w.core, w.kind, w.account, w.id::uuid
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (core, kind, account, id)
        ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING",
    put_postponed: "
        UPDATE transfer_states AS s SET due_us = w.due_us
        FROM unnest($1::text[], $2::bigint[]) AS w (id, due_us) WHERE s.id = w.id::uuid",
    put_counts: "
        INSERT INTO transfer_counts AS c (shard, kind, provider, status, count)
        SELECT pg_backend_pid() % 16, w.kind, w.provider, w.status, w.change
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            AS w (kind, provider, status, change)
        ORDER BY 2, 3, 4
        ON CONFLICT (shard, kind, provider, status) DO UPDATE SET count = c.count + excluded.count",
    put_ledger: "
        INSERT INTO ledger_entries (transfer_id, account, currency, minor)
        SELECT w.id::uuid, w.account, w.currency, w.minor
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            AS w (id, account, currency, minor)",
    put_balances: "
        INSERT INTO ledger_balances AS b (shard, account, currency, minor)
        SELECT pg_backend_pid() % 16, w.account, w.currency, w.change
        FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (account, currency, change)
        ORDER BY 2, 3
        ON CONFLICT (shard, account, currency) DO UPDATE SET minor = b.minor + excluded.minor",
    put_receipts: "
        INSERT INTO receipts (receipt, provider, transfer_id, operation)
        SELECT w.receipt, w.provider, w.id::uuid, w.operation
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
            AS w (receipt, provider, id, operation)
        ORDER BY 1, 2 ON CONFLICT DO NOTHING",
    put_keys: "
        INSERT INTO idempotency_keys (client, key, digest, transfer_id)
        SELECT w.client, w.key, w.digest, w.id::uuid
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (client, key, digest, id)
        ORDER BY 1, 2 ON CONFLICT DO NOTHING",
    put_terms: "
        INSERT INTO search_terms (term, received_us, transfer_id)
        SELECT w.term, w.received_us, w.id::uuid
        FROM unnest($1::text[], $2::bigint[], $3::text[]) AS w (term, received_us, id)
        ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING",
    leave_uses: "
        DELETE FROM day_uses AS u USING unnest($1::text[]) AS w (id)
        WHERE u.transfer_id = w.id::uuid",
    put_uses: "
        INSERT INTO day_uses (transfer_id, day_us, wallet, organisation)
        SELECT w.id::uuid, w.day_us, w.wallet = 1, w.organisation = 1
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
            AS w (id, day_us, wallet, organisation)
        ON CONFLICT (transfer_id) DO UPDATE SET day_us = excluded.day_us,
            wallet = excluded.wallet, organisation = excluded.organisation",
    new_totals: "
        INSERT INTO day_totals (day_us, provider, operation, currency, wallet, minor, count)
        SELECT w.day_us, w.provider, w.operation, w.currency, w.wallet, w.minor, w.count
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
            $7::bigint[]) AS w (day_us, provider, operation, currency, wallet, minor, count)
        ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING",
    put_totals: "
        UPDATE day_totals AS t SET minor = w.minor, count = w.count
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
            $7::bigint[]) AS w (day_us, provider, operation, currency, wallet, minor, count)
        WHERE t.day_us = w.day_us AND t.provider = w.provider AND t.operation = w.operation
          AND t.currency = w.currency AND t.wallet = w.wallet",
    clear_uses: "
        DELETE FROM day_uses WHERE transfer_id IN (
            SELECT transfer_id FROM day_uses WHERE day_us < ($1::bigint[])[1]
            ORDER BY day_us LIMIT ($2::bigint[])[1] FOR UPDATE SKIP LOCKED
        )",
    clear_totals: "
        DELETE FROM day_totals WHERE (day_us, provider, operation, currency, wallet) IN (
            SELECT day_us, provider, operation, currency, wallet FROM day_totals
            WHERE day_us < ($1::bigint[])[1]
            ORDER BY day_us LIMIT ($2::bigint[])[1] FOR UPDATE SKIP LOCKED
        )",
    put_outbox: "
        INSERT INTO outbox (transfer_id, at_us, news, summary)
        SELECT w.id::uuid, w.at_us, w.news, w.summary
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
            WITH ORDINALITY AS w (id, at_us, news, summary, position)
        ORDER BY w.position",
    put_arrivals: "
        INSERT INTO inbox
            (id, provider, digest, head, body, at_us, due_us, arrivals, attempts, state)
        SELECT w.id, w.provider, w.digest, w.head, w.body, w.at_us, w.at_us, 1, 0, 'waiting'
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[])
            AS w (id, provider, digest, head, body, at_us)
        ORDER BY 2, 3 ON CONFLICT DO NOTHING",
    put_seen: "
        UPDATE inbox SET arrivals = arrivals + w.change
        FROM unnest($1::bigint[], $2::bigint[]) AS w (id, change) WHERE inbox.id = w.id",
    put_inbox: "
        UPDATE inbox SET state = w.state, due_us = w.due_us, note = w.note,
            attempts = attempts + w.postponements
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
            AS w (id, state, due_us, note, postponements)
        WHERE inbox.id = w.id",
    close_cases: "DELETE FROM cases WHERE subject = ANY ($1::text[])",
    close_transfer_cases: "
        DELETE FROM cases WHERE transfer_id = ANY (($1::text[])::uuid[])",
    open_cases: "
        INSERT INTO cases (subject, transfer_id, kind, step, detail, provider, opened_us)
        SELECT w.subject, w.id::uuid, w.kind, w.step, w.detail, w.provider, w.opened_us
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]
        ) AS w (subject, id, kind, step, detail, provider, opened_us)
        ON CONFLICT (subject) DO UPDATE SET
            kind = excluded.kind, detail = excluded.detail, opened_us = excluded.opened_us",
    open_inbox_cases: "
        INSERT INTO cases (subject, inbox_id, kind, detail, provider, opened_us)
        SELECT w.subject, i.id, w.kind, w.detail, i.provider, i.at_us
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
            AS w (subject, id, kind, detail)
        JOIN inbox AS i ON i.id = w.id
        ON CONFLICT (subject) DO UPDATE SET kind = excluded.kind, detail = excluded.detail",
    archivable: "
        SELECT t.id::text FROM transfers AS t CROSS JOIN LATERAL (
            SELECT 1 FROM transfer_states AS s
            WHERE s.id = t.id AND s.updated_us < ($1::bigint[])[1]
              AND NOT s.is_open AND NOT s.has_case AND NOT s.holds_account
              AND s.due_us IS NULL AND s.unknown_us IS NULL
            FOR UPDATE OF s SKIP LOCKED
        ) AS settled
        WHERE t.received_us < ($1::bigint[])[1]
          AND t.no < (SELECT last_value FROM transfers_no_seq)
        ORDER BY t.received_us, t.no LIMIT ($2::bigint[])[1]",
    due_for_taking: "
        SELECT id::text, slot::bigint FROM transfer_states WHERE due_us <= ($1::bigint[])[1]
        ORDER BY due_us, no LIMIT ($2::bigint[])[1] FOR NO KEY UPDATE SKIP LOCKED",
    inbox_due_for_taking: "
        SELECT id FROM inbox WHERE state = 'waiting' AND due_us <= ($1::bigint[])[1]
        ORDER BY due_us, id LIMIT ($2::bigint[])[1] FOR NO KEY UPDATE SKIP LOCKED",
    put_inbox_due: "
        UPDATE inbox SET due_us = w.due_us
        FROM unnest($1::bigint[], $2::bigint[]) AS w (id, due_us) WHERE inbox.id = w.id",
    take_lease: "
        INSERT INTO leases AS l (name, holder, until_us)
        VALUES (($1::text[])[1], ($2::text[])[1], ($4::bigint[])[1])
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us
        WHERE l.holder = excluded.holder OR l.until_us <= ($3::bigint[])[1]",
    clear_leases: "
        DELETE FROM leases WHERE name IN (
            SELECT name FROM leases WHERE until_us < ($1::bigint[])[1]
            ORDER BY name FOR UPDATE SKIP LOCKED
        )",
    release_lease: "
        DELETE FROM leases WHERE name = ($1::text[])[1] AND holder = ($2::text[])[1]",
    mark_published: "DELETE FROM outbox WHERE no = ANY ($1::bigint[])",
    new_action: "
        INSERT INTO actions (
            id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us
        )
        SELECT w.id, 1, w.at_us, w.done_by, w.what, w.subject, w.why, w.state, w.content,
            w.judgement, w.detail, w.updated_us
        FROM unnest(
            $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[]
        ) AS w (
            id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us
        )
        ON CONFLICT DO NOTHING",
    put_action: "
        UPDATE actions AS a SET version = a.version + 1, state = w.state,
            judgement = w.judgement, detail = w.detail, updated_us = w.updated_us
        FROM unnest(
            $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[]
        ) AS w (
            id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us
        )
        WHERE a.id = w.id AND a.version = w.version",
    pull_due: "
        UPDATE transfer_states SET due_us = ($1::bigint[])[1] WHERE due_us > ($1::bigint[])[1]",
    pull_inbox_due: "
        UPDATE inbox SET due_us = ($1::bigint[])[1]
        WHERE state = 'waiting' AND due_us > ($1::bigint[])[1]",
    pull_leases: "
        UPDATE leases SET until_us = ($1::bigint[])[1] WHERE until_us > ($1::bigint[])[1]",
    pull_holds: "
        UPDATE holds SET probe_us = ($1::bigint[])[1],
            since_us = least(since_us, ($1::bigint[])[1])
        WHERE probe_us > ($1::bigint[])[1]",
    put_hold: "
        INSERT INTO holds (
            provider, operation, condition, detail, held_by, since_us, probe_us, needed
        )
        SELECT w.provider, w.operation, w.condition, w.detail, w.held_by, w.since_us, w.probe_us,
            w.needed
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
            $8::text[]
        ) AS w (provider, operation, condition, detail, held_by, since_us, probe_us, needed)
        ON CONFLICT (provider, operation, condition) DO UPDATE SET
            detail = excluded.detail, held_by = excluded.held_by, probe_us = excluded.probe_us,
            needed = excluded.needed",
    release_hold: "
        DELETE FROM holds WHERE provider = ($1::text[])[1]
            AND operation = ($2::text[])[1] AND condition = ($3::text[])[1]",
    open_hold_case: "
        INSERT INTO cases (subject, kind, operation, detail, provider, opened_us)
        VALUES (($1::text[])[1], ($2::text[])[1], ($3::text[])[1], ($4::text[])[1],
            ($5::text[])[1], ($6::bigint[])[1])
        ON CONFLICT (subject) DO UPDATE SET detail = excluded.detail",
    close_hold_case: "
        DELETE FROM cases WHERE subject = ($1::text[])[1] AND NOT EXISTS (
            SELECT 1 FROM holds WHERE holds.provider = ($2::text[])[1]
                AND holds.operation = ($3::text[])[1] AND condition <> 'unreachable'
        )",
    journal: "
        SELECT e.seq, e.at_us, e.event, e.transfer_id::text
        FROM unnest($1::text[]) AS w (id) JOIN transfer_events AS e ON e.transfer_id = w.id::uuid
        UNION ALL
        SELECT e.seq, e.at_us, e.event, e.transfer_id::text
        FROM unnest($1::text[]) AS w (id) JOIN archived_events AS e ON e.transfer_id = w.id::uuid
        ORDER BY 4, 1",
    postings: "
        SELECT account, currency, minor FROM (
            SELECT no, account, currency, minor FROM ledger_entries
            WHERE transfer_id = $1::text::uuid
            UNION ALL SELECT no, account, currency, minor FROM archived_entries
            WHERE transfer_id = $1::text::uuid
        ) AS e ORDER BY no",
    summary: "
        SELECT t.facts, coalesce(s.state, t.facts)
        FROM transfers AS t JOIN transfer_states AS s ON s.id = t.id WHERE t.id = $1::text::uuid
        UNION ALL
        SELECT facts, coalesce(state, facts) FROM archived_transfers WHERE id = $1::text::uuid",
    search_all: search_by!("$1::text IS NULL"),
    search_standing: SEARCH_STANDING,
    search_msisdn: search_by!("t.msisdn = $1::text"),
    search_client_reference: search_by!("t.client_reference = $1::text"),
    search_term: SEARCH_TERM,
    search_receipt: SEARCH_RECEIPT,
    due: "
        SELECT id::text, due_us FROM transfer_states WHERE due_us <= $1::bigint
        ORDER BY due_us, no LIMIT $2::bigint",
    next_due: "
        SELECT due_us FROM transfer_states WHERE due_us IS NOT NULL
        UNION ALL SELECT due_us FROM inbox WHERE state = 'waiting'
        ORDER BY due_us LIMIT 1",
    holding_accounts: "
        SELECT t.facts, coalesce(s.state, t.facts)
        FROM lanes AS l JOIN transfers AS t ON t.id = l.transfer_id
        JOIN transfer_states AS s ON s.id = l.transfer_id ORDER BY t.no",
    collections: "
        SELECT s.id::text FROM transfer_states AS s
        WHERE s.provider = $1::text AND s.collecting = $2::text
            AND ($3::text IS NULL
                OR EXISTS (SELECT 1 FROM transfers AS t WHERE t.id = s.id AND t.msisdn = $3))
            AND ($4::text IS NULL OR s.collecting_label = $4)",
    by_receipt: "
        SELECT transfer_id::text FROM receipts WHERE receipt = $1::text AND provider = $2::text",
    key_holder: "
        SELECT transfer_id::text, digest FROM idempotency_keys
        WHERE client = $1::text AND key = $2::text",
    arrived: "
        SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
        WHERE provider = $1::text AND digest = $2::text",
    inbox_due: "
        SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
        WHERE state = 'waiting' AND due_us <= $1::bigint ORDER BY due_us, id LIMIT $2::bigint",
    inbox_item: "
        SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
        WHERE id = $1::bigint",
    cases: "
        SELECT subject, transfer_id::text, inbox_id, kind, step, detail, provider, opened_us,
            operation
        FROM cases
        WHERE opened_us <= $1::bigint
          AND (opened_us < $1::bigint OR $2::text IS NULL OR subject < $2::text)
        ORDER BY opened_us DESC, subject DESC LIMIT $3::bigint",
    ledger: "
        SELECT account, currency, sum(minor)::bigint FROM ledger_balances
        GROUP BY account, currency ORDER BY account, currency",
    counts: "
        SELECT kind, provider, status, sum(count)::bigint FROM transfer_counts
        GROUP BY kind, provider, status HAVING sum(count) > 0 ORDER BY kind, provider, status",
    due_count: "SELECT count(*) FROM transfer_states WHERE due_us <= $1::bigint",
    oldest_open: "
        SELECT w.received_us FROM (
            SELECT DISTINCT c.provider, c.kind, c.status FROM transfer_counts AS c
            WHERE c.status = ANY ($1::text[])
        ) AS c CROSS JOIN LATERAL (
            SELECT s.received_us FROM transfer_states AS s
            WHERE s.provider = c.provider AND s.kind = c.kind AND s.status = c.status
            ORDER BY s.received_us, s.no LIMIT 1
        ) AS w ORDER BY w.received_us LIMIT 1",
    oldest_unknown: "
        SELECT unknown_us FROM transfer_states
        WHERE unknown_us IS NOT NULL ORDER BY unknown_us LIMIT 1",
    suspense: "
        SELECT account, currency, sum(minor)::bigint FROM ledger_balances
        WHERE account >= 'suspense:' AND account < 'suspense;'
        GROUP BY account, currency HAVING sum(minor) <> 0 ORDER BY account, currency",
    inbox_waiting_count: "SELECT count(*) FROM inbox WHERE state = 'waiting'",
    quarantined_count: "SELECT count(*) FROM inbox WHERE state = 'quarantined'",
    leases: "
        SELECT name, holder, until_us FROM leases
        WHERE name >= $1::text AND starts_with(name, $1::text) AND until_us > $2::bigint
        ORDER BY name LIMIT $3::bigint",
    outbox: "
        SELECT o.no, o.at_us, o.news, coalesce(t.facts, a.facts), o.summary
        FROM outbox AS o LEFT JOIN transfers AS t ON t.id = o.transfer_id
        LEFT JOIN archived_transfers AS a ON a.id = o.transfer_id
        ORDER BY o.no LIMIT $1::bigint",
    action: "
        SELECT id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us, no
        FROM actions WHERE id = $1::text",
    actions_all: "
        SELECT id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us, no
        FROM actions WHERE (at_us, no) < ($1::bigint, $2::bigint)
        ORDER BY at_us DESC, no DESC LIMIT $3::bigint",
    actions_open: "
        SELECT id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us, no
        FROM actions WHERE state IN ('proposed', 'approved')
          AND (at_us, no) < ($1::bigint, $2::bigint)
        ORDER BY at_us DESC, no DESC LIMIT $3::bigint",
    holds: "
        SELECT provider, operation, condition, detail, held_by, since_us, probe_us, needed
        FROM holds
        ORDER BY provider, operation, condition",
    ping: "SELECT 1::bigint",
    new_core_request: "
        INSERT INTO core_requests (
            core, request, version, state, generation, transfer_id, content, detail, decisions,
            heard_us, updated_us
        )
        SELECT w.core, w.request, 1, w.state, w.generation, w.id::uuid, w.content, w.detail,
            w.decisions, w.heard_us, w.updated_us
        FROM unnest(
            $1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::bigint[], $11::bigint[]
        ) AS w (
            core, request, version, state, generation, id, content, detail, decisions, heard_us,
            updated_us
        )
        ON CONFLICT DO NOTHING",
    put_core_request: "
        UPDATE core_requests AS r SET version = r.version + 1, state = w.state,
            generation = w.generation, transfer_id = w.id::uuid, content = w.content,
            detail = w.detail, decisions = w.decisions, updated_us = w.updated_us
        FROM unnest(
            $1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::bigint[], $11::bigint[]
        ) AS w (
            core, request, version, state, generation, id, content, detail, decisions, heard_us,
            updated_us
        )
        WHERE r.core = w.core AND r.request = w.request AND r.version = w.version",
    core_requests_known: "
        SELECT core, request, version, state, generation, transfer_id::text, content, detail,
            decisions, heard_us, updated_us
        FROM core_requests
        WHERE core = $1::text AND request = ANY (string_to_array($2::text, ','))",
    core_requests_accepted: "
        SELECT core, request, version, state, generation, transfer_id::text, content, detail,
            decisions, heard_us, updated_us
        FROM core_requests WHERE state = 'accepted' AND core = $1::text
        ORDER BY updated_us LIMIT $2::bigint",
    core_requests_waiting: "
        SELECT core, request, version, state, generation, transfer_id::text, content, detail,
            decisions, heard_us, updated_us, no
        FROM core_requests
        WHERE state IN ('waiting', 'changed') AND ($1::text IS NULL OR core = $1::text)
          AND (heard_us, no) < ($2::bigint, $3::bigint)
        ORDER BY heard_us DESC, no DESC LIMIT $4::bigint",
    core_requests_all: "
        SELECT core, request, version, state, generation, transfer_id::text, content, detail,
            decisions, heard_us, updated_us, no
        FROM core_requests
        WHERE ($1::text IS NULL OR core = $1::text)
          AND (heard_us, no) < ($2::bigint, $3::bigint)
        ORDER BY heard_us DESC, no DESC LIMIT $4::bigint",
    archive: ARCHIVE,
    restore: RESTORE,
};

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

/// Walks each combination of provider, kind and status that exists, newest first, as far as the
/// page reaches. The rest of the conditions has narrower ways, but for the core.
const SEARCH_STANDING: &str = "
    SELECT f.no, f.received_us, t.facts, coalesce(s.state, t.facts)
    FROM (
        SELECT w.id, w.no, w.received_us
        FROM (
            SELECT DISTINCT c.provider, c.kind, c.status FROM transfer_counts AS c
            WHERE $1::text IS NULL AND ($2::text[] IS NULL OR c.status = ANY ($2))
              AND ($3::text IS NULL OR c.kind = $3) AND ($4::text IS NULL OR c.provider = $4)
              AND ($12::text[] IS NULL OR c.provider = ANY ($12))
              AND ($13::text[] IS NULL OR c.kind = ANY ($13))
        ) AS c CROSS JOIN LATERAL (
            SELECT s.id, s.no, s.received_us FROM transfer_states AS s
            WHERE s.provider = c.provider AND s.kind = c.kind AND s.status = c.status
              AND s.received_us >= $6::bigint
              AND (s.received_us, s.no) < ($7::bigint, $8::bigint)
              AND ($11::text[] IS NULL OR EXISTS (SELECT 1 FROM transfers AS t WHERE t.id = s.id
                AND replace(t.facts, '\\u0000', '\\u0020')::json ->> 'core' = ANY ($11)))
            ORDER BY s.received_us DESC, s.no DESC LIMIT $9::bigint
        ) AS w
        WHERE $5::text IS NULL AND $10::text IS NULL AND $14::text IS NULL AND $15::text IS NULL
        ORDER BY w.received_us DESC, w.no DESC LIMIT $9::bigint
    ) AS f
    JOIN transfers AS t ON t.id = f.id JOIN transfer_states AS s ON s.id = f.id
    ORDER BY f.received_us DESC, f.no DESC";

/// Walks a term, newest first; what is archived is passed over.
const SEARCH_TERM: &str = concat!(
    "SELECT t.no, t.received_us, t.facts, coalesce(s.state, t.facts)
    FROM search_terms AS w JOIN transfers AS t ON t.id = w.transfer_id
    JOIN transfer_states AS s ON s.id = w.transfer_id
    WHERE w.term = $1::text AND w.received_us BETWEEN $6::bigint AND $7::bigint",
    filters!("t", "s"),
    " ORDER BY w.received_us DESC, t.no DESC LIMIT $9::bigint"
);

/// Few transfers share a receipt, so they are sorted.
const SEARCH_RECEIPT: &str = concat!(
    "SELECT t.no, t.received_us, t.facts, coalesce(s.state, t.facts)
    FROM transfers AS t JOIN transfer_states AS s ON s.id = t.id WHERE t.id IN (
        SELECT r.transfer_id FROM receipts AS r WHERE r.receipt = $1::text
        UNION SELECT c.id FROM transfer_states AS c WHERE c.core_receipt = $1::text
    )",
    filters!("t", "s"),
    " UNION ALL
    SELECT t.no, t.received_us, t.facts, coalesce(t.state, t.facts)
    FROM archived_transfers AS t WHERE t.id IN (
        SELECT r.transfer_id FROM receipts AS r WHERE r.receipt = $1::text
        UNION SELECT c.id FROM archived_transfers AS c WHERE c.core_receipt = $1::text
    )",
    filters!("t", "t"),
    " ORDER BY 2 DESC, 1 DESC LIMIT $9::bigint"
);

const ARCHIVE: [&str; 7] = [
    "INSERT INTO archived_transfers (
        no, id, version, kind, provider, status, msisdn, client_reference, core_receipt,
        received_us, updated_us, facts, state
    )
    SELECT t.no, t.id, s.version, s.kind, s.provider, s.status, t.msisdn, t.client_reference,
        s.core_receipt, t.received_us, s.updated_us, t.facts, s.state
    FROM unnest($1::text[]) AS w (id) JOIN transfers AS t ON t.id = w.id::uuid
    JOIN transfer_states AS s ON s.id = t.id",
    "DELETE FROM transfer_states AS s USING unnest($1::text[]) AS w (id)
    WHERE s.id = w.id::uuid",
    "DELETE FROM transfers AS t USING unnest($1::text[]) AS w (id) WHERE t.id = w.id::uuid",
    "INSERT INTO archived_events (transfer_id, seq, at_us, event)
    SELECT e.transfer_id, e.seq, e.at_us, e.event
    FROM unnest($1::text[]) AS w (id) JOIN transfer_events AS e ON e.transfer_id = w.id::uuid",
    "DELETE FROM transfer_events AS e USING unnest($1::text[]) AS w (id)
    WHERE e.transfer_id = w.id::uuid",
    "INSERT INTO archived_entries (no, transfer_id, account, currency, minor)
    SELECT e.no, e.transfer_id, e.account, e.currency, e.minor
    FROM unnest($1::text[]) AS w (id) JOIN ledger_entries AS e ON e.transfer_id = w.id::uuid",
    "DELETE FROM ledger_entries AS e USING unnest($1::text[]) AS w (id)
    WHERE e.transfer_id = w.id::uuid",
];

/// Archived rows were settled when they were archived. Its slot is written with the change that
/// brings it back. Ledger entries get new numbers, in their order.
const RESTORE: [&str; 7] = [
    "INSERT INTO transfers (no, id, msisdn, client_reference, received_us, facts)
    SELECT t.no, t.id, t.msisdn, t.client_reference, t.received_us, t.facts
    FROM unnest($1::text[]) AS w (id) JOIN archived_transfers AS t ON t.id = w.id::uuid
    ORDER BY t.id FOR UPDATE OF t",
    "INSERT INTO transfer_states (
        id, no, version, kind, provider, status, is_open, has_case, holds_account, core_receipt,
        received_us, updated_us, slot, state
    )
    SELECT t.id, t.no, t.version, t.kind, t.provider, t.status, false, false, false,
        t.core_receipt, t.received_us, t.updated_us, 0, t.state
    FROM unnest($1::text[]) AS w (id) JOIN archived_transfers AS t ON t.id = w.id::uuid",
    "DELETE FROM archived_transfers AS t USING unnest($1::text[]) AS w (id)
    WHERE t.id = w.id::uuid",
    "INSERT INTO transfer_events (transfer_id, seq, at_us, event)
    SELECT e.transfer_id, e.seq, e.at_us, e.event
    FROM unnest($1::text[]) AS w (id) JOIN archived_events AS e ON e.transfer_id = w.id::uuid",
    "DELETE FROM archived_events AS e USING unnest($1::text[]) AS w (id)
    WHERE e.transfer_id = w.id::uuid",
    "INSERT INTO ledger_entries (transfer_id, account, currency, minor)
    SELECT e.transfer_id, e.account, e.currency, e.minor
    FROM unnest($1::text[]) AS w (id) JOIN archived_entries AS e ON e.transfer_id = w.id::uuid
    ORDER BY e.no",
    "DELETE FROM archived_entries AS e USING unnest($1::text[]) AS w (id)
    WHERE e.transfer_id = w.id::uuid",
];
