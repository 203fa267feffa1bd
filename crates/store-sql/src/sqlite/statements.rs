//! Every statement that runs against `SQLite`, and nothing else.
//!
//! The statements of a batch take one row each, and are prepared once: binding a row costs less than
//! reading it out of a list. One process writes, so nothing needs to be locked or looked at twice.

use crate::sql::Statements;

/// The conditions of every search, on any table of the shape of `transfers`.
macro_rules! filters {
    () => {
        " AND (?2 IS NULL OR t.status IN (SELECT value FROM json_each(?2)))
          AND (?3 IS NULL OR t.kind = ?3)
          AND (?4 IS NULL OR t.provider = ?4)
          AND (?5 IS NULL OR t.msisdn = ?5)
          AND (?10 IS NULL OR t.client_reference = ?10)
          AND (?11 IS NULL OR t.summary ->> 'core' IN (SELECT value FROM json_each(?11)))
          AND (?12 IS NULL OR t.provider IN (SELECT value FROM json_each(?12)))
          AND (?13 IS NULL OR t.kind IN (SELECT value FROM json_each(?13)))
          AND (?14 IS NULL OR EXISTS (SELECT 1 FROM search_terms AS k
            WHERE k.term = ?14 AND k.received_us = t.received_us AND k.transfer_id = t.id))
          AND (?15 IS NULL OR EXISTS (SELECT 1 FROM search_terms AS k
            WHERE k.term = ?15 AND k.received_us = t.received_us AND k.transfer_id = t.id))
          AND t.received_us >= ?6 AND t.received_us <= ?7
          AND (t.received_us < ?7 OR t.no < ?8)"
    };
}

/// A search by one way.
macro_rules! search_by {
    ($way:literal) => {
        concat!(
            "SELECT t.no, t.received_us, t.summary FROM transfers AS t WHERE ",
            $way,
            filters!(),
            " ORDER BY t.received_us DESC, t.no DESC LIMIT ?9"
        )
    };
}

pub(super) const STATEMENTS: Statements = Statements {
    facts_transfers: "
        SELECT t.id, t.version, t.kind, t.provider, t.status, t.has_case, t.holds_account
        FROM transfers AS t WHERE t.id = ?1",
    facts_lanes: "
        SELECT l.core, l.kind, l.account, l.transfer_id
        FROM lanes AS l WHERE l.core = ?1 AND l.kind = ?2 AND l.account = ?3",
    facts_receipts: "
        SELECT r.provider, r.receipt, r.transfer_id
        FROM receipts AS r WHERE r.provider = ?1 AND r.receipt = ?2",
    facts_keys: "
        SELECT k.client, k.key, k.digest, k.transfer_id
        FROM idempotency_keys AS k WHERE k.client = ?1 AND k.key = ?2",
    facts_items: "
        SELECT i.id, i.state = 'handled', i.state = 'quarantined' OR i.note IS NOT NULL
        FROM inbox AS i WHERE i.id = ?1",
    facts_arrivals: "
        SELECT i.provider, i.digest, i.id
        FROM inbox AS i WHERE i.provider = ?1 AND i.digest = ?2",
    facts_uses: "
        SELECT u.transfer_id, u.day_us, u.wallet, u.organisation
        FROM day_uses AS u WHERE u.transfer_id = ?1",
    facts_totals: "
        SELECT t.day_us, t.provider, t.operation, t.currency, t.wallet, t.minor, t.count
        FROM day_totals AS t WHERE t.day_us = ?1 AND t.provider = ?2
            AND t.operation = ?3 AND t.currency = ?4 AND t.wallet = ?5",
    inbox_numbers: "
        SELECT (SELECT coalesce(max(id), 0) FROM inbox) + ?1",
    put_events: "
        INSERT INTO transfer_events (transfer_id, seq, at_us, event)
        VALUES (?1, ?2, ?3, ?4)",
    put_transfers: PUT_TRANSFERS,
    leave_lanes: "
        DELETE FROM lanes WHERE transfer_id = ?1",
    put_lanes: "
        INSERT INTO lanes (core, kind, account, transfer_id)
        VALUES (?1, ?2, ?3, ?4)",
    put_postponed: "
        UPDATE transfers SET due_us = ?2 WHERE id = ?1",
    put_counts: "
        INSERT INTO transfer_counts (kind, provider, status, count)
        VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (kind, provider, status) DO UPDATE SET count = count + excluded.count",
    put_ledger: "
        INSERT INTO ledger_entries (transfer_id, account, currency, minor)
        VALUES (?1, ?2, ?3, ?4)",
    put_balances: "
        INSERT INTO ledger_balances (account, currency, minor)
        VALUES (?1, ?2, ?3)
        ON CONFLICT (account, currency) DO UPDATE SET minor = minor + excluded.minor",
    put_receipts: "
        INSERT INTO receipts (receipt, provider, transfer_id, operation)
        VALUES (?1, ?2, ?3, ?4)",
    put_keys: "
        INSERT INTO idempotency_keys (client, key, digest, transfer_id)
        VALUES (?1, ?2, ?3, ?4)",
    put_terms: "
        INSERT INTO search_terms (term, received_us, transfer_id)
        VALUES (?1, ?2, ?3)
        ON CONFLICT DO NOTHING",
    leave_uses: "
        DELETE FROM day_uses WHERE transfer_id = ?1",
    put_uses: "
        INSERT INTO day_uses (transfer_id, day_us, wallet, organisation)
        VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (transfer_id) DO UPDATE SET day_us = excluded.day_us,
            wallet = excluded.wallet, organisation = excluded.organisation",
    new_totals: "
        INSERT INTO day_totals (day_us, provider, operation, currency, wallet, minor, count)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    put_totals: "
        UPDATE day_totals SET minor = ?6, count = ?7
        WHERE day_us = ?1 AND provider = ?2 AND operation = ?3
          AND currency = ?4 AND wallet = ?5",
    clear_uses: "
        DELETE FROM day_uses WHERE transfer_id IN (
            SELECT transfer_id FROM day_uses WHERE day_us < ?1
            ORDER BY day_us LIMIT ?2
        )",
    clear_totals: "
        DELETE FROM day_totals WHERE (day_us, provider, operation, currency, wallet) IN (
            SELECT day_us, provider, operation, currency, wallet FROM day_totals
            WHERE day_us < ?1 ORDER BY day_us LIMIT ?2
        )",
    put_outbox: "
        INSERT INTO outbox (transfer_id, at_us, news, summary)
        VALUES (?1, ?2, ?3, ?4)",
    put_arrivals: "
        INSERT INTO inbox (id, provider, digest, head, body, at_us, due_us, arrivals, attempts, state)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1, 0, 'waiting')",
    put_seen: "
        UPDATE inbox SET arrivals = arrivals + ?2 WHERE id = ?1",
    put_inbox: "
        UPDATE inbox SET state = ?2, due_us = ?3, note = ?4, attempts = attempts + ?5
        WHERE id = ?1",
    close_cases: "
        DELETE FROM cases WHERE subject = ?1",
    close_transfer_cases: "
        DELETE FROM cases WHERE transfer_id = ?1",
    open_cases: "
        INSERT INTO cases (subject, transfer_id, kind, step, detail, provider, opened_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (subject) DO UPDATE SET
            kind = excluded.kind, detail = excluded.detail, opened_us = excluded.opened_us",
    open_inbox_cases: "
        INSERT INTO cases (subject, inbox_id, kind, detail, provider, opened_us)
        SELECT ?1, i.id, ?3, ?4, i.provider, i.at_us
        FROM inbox AS i WHERE i.id = ?2
        ON CONFLICT (subject) DO UPDATE SET kind = excluded.kind, detail = excluded.detail",
    archivable: "
        SELECT id FROM transfers
        WHERE received_us < ?1 AND updated_us < ?1
          AND is_open = 0 AND has_case = 0 AND holds_account = 0
          AND due_us IS NULL AND unknown_us IS NULL AND +no < (SELECT max(no) FROM transfers)
        ORDER BY received_us, no LIMIT ?2",
    due_for_taking: "
        SELECT id, slot FROM transfers WHERE due_us <= ?1
        ORDER BY due_us, no LIMIT ?2",
    inbox_due_for_taking: "
        SELECT id FROM inbox WHERE state = 'waiting' AND due_us <= ?1
        ORDER BY due_us, id LIMIT ?2",
    put_inbox_due: "
        UPDATE inbox SET due_us = ?2 WHERE id = ?1",
    take_lease: "
        INSERT INTO leases (name, holder, until_us)
        VALUES (?1, ?2, ?4)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us
        WHERE holder = excluded.holder OR until_us <= ?3",
    clear_leases: "DELETE FROM leases WHERE until_us < ?1",
    give_lease_back: "
        DELETE FROM leases WHERE name = ?1 AND holder = ?2",
    mark_published: "DELETE FROM outbox WHERE no = ?1",
    new_action: "
        INSERT INTO actions (
            id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us
        )
        VALUES (?1, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT DO NOTHING",
    put_action: "
        UPDATE actions SET version = version + 1, state = ?8,
            judgement = ?10, detail = ?11, updated_us = ?12
        WHERE id = ?1 AND version = ?2",
    pull_due: "UPDATE transfers SET due_us = ?1 WHERE due_us > ?1",
    pull_inbox_due: "
        UPDATE inbox SET due_us = ?1
        WHERE state = 'waiting' AND due_us > ?1",
    pull_leases: "
        UPDATE leases SET until_us = ?1 WHERE until_us > ?1",
    pull_holds: "
        UPDATE holds SET probe_us = ?1, since_us = min(since_us, ?1)
        WHERE probe_us > ?1",
    put_hold: "
        INSERT INTO holds (
            provider, operation, condition, detail, held_by, since_us, probe_us, needed
        )
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (provider, operation, condition) DO UPDATE SET
            detail = excluded.detail, held_by = excluded.held_by, probe_us = excluded.probe_us,
            needed = excluded.needed",
    release_hold: "
        DELETE FROM holds WHERE provider = ?1
            AND operation = ?2 AND condition = ?3",
    open_hold_case: "
        INSERT INTO cases (subject, kind, operation, detail, provider, opened_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (subject) DO UPDATE SET detail = excluded.detail",
    close_hold_case: "
        DELETE FROM cases WHERE subject = ?1 AND NOT EXISTS (
            SELECT 1 FROM holds WHERE holds.provider = ?2
                AND holds.operation = ?3 AND condition <> 'unreachable'
        )",
    journal: "
        SELECT seq, at_us, event FROM transfer_events WHERE transfer_id = ?1
        UNION ALL SELECT seq, at_us, event FROM archived_events WHERE transfer_id = ?1
        ORDER BY seq",
    postings: "
        SELECT account, currency, minor FROM (
            SELECT no, account, currency, minor FROM ledger_entries WHERE transfer_id = ?1
            UNION ALL SELECT no, account, currency, minor FROM archived_entries
            WHERE transfer_id = ?1
        ) ORDER BY no",
    summary: "
        SELECT summary FROM transfers WHERE id = ?1
        UNION ALL SELECT summary FROM archived_transfers WHERE id = ?1",
    search_all: search_by!("?1 IS NULL"),
    search_kind: search_by!("t.kind = ?1"),
    search_provider: search_by!("t.provider = ?1"),
    search_status: search_by!("t.status = ?1"),
    search_msisdn: search_by!("t.msisdn = ?1"),
    search_client_reference: search_by!("t.client_reference = ?1"),
    search_term: SEARCH_TERM,
    search_receipt: SEARCH_RECEIPT,
    due: "
        SELECT id, due_us FROM transfers WHERE due_us <= ?1 ORDER BY due_us, no LIMIT ?2",
    next_due: "
        SELECT due_us FROM transfers WHERE due_us IS NOT NULL
        UNION ALL SELECT due_us FROM inbox WHERE state = 'waiting'
        ORDER BY due_us LIMIT 1",
    holding_accounts: "SELECT summary FROM transfers WHERE holds_account = 1 ORDER BY no",
    collections: "
        SELECT id FROM transfers WHERE provider = ?1 AND collecting = ?2
            AND (?3 IS NULL OR msisdn = ?3) AND (?4 IS NULL OR collecting_label = ?4)",
    by_receipt: "SELECT transfer_id FROM receipts WHERE receipt = ?1 AND provider = ?2",
    key_holder: "SELECT transfer_id, digest FROM idempotency_keys WHERE client = ?1 AND key = ?2",
    arrived: "
        SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
        WHERE provider = ?1 AND digest = ?2",
    inbox_due: "
        SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
        WHERE state = 'waiting' AND due_us <= ?1 ORDER BY due_us, id LIMIT ?2",
    inbox_item: "
        SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
        WHERE id = ?1",
    cases: "
        SELECT subject, transfer_id, inbox_id, kind, step, detail, provider, opened_us,
            operation
        FROM cases
        WHERE opened_us <= ?1 AND (opened_us < ?1 OR ?2 IS NULL OR subject < ?2)
        ORDER BY opened_us DESC, subject DESC LIMIT ?3",
    ledger: "SELECT account, currency, minor FROM ledger_balances ORDER BY account, currency",
    counts: "
        SELECT kind, provider, status, count FROM transfer_counts WHERE count > 0
        ORDER BY kind, provider, status",
    due_count: "SELECT count(*) FROM transfers WHERE due_us <= ?1",
    oldest_open: "SELECT received_us FROM transfers WHERE is_open = 1 ORDER BY received_us LIMIT 1",
    oldest_unknown: "SELECT unknown_us FROM transfers \
        WHERE unknown_us IS NOT NULL ORDER BY unknown_us LIMIT 1",
    suspense: "
        SELECT account, currency, minor FROM ledger_balances
        WHERE account >= 'suspense:' AND account < 'suspense;' AND minor <> 0
        ORDER BY account, currency",
    inbox_waiting_count: "SELECT count(*) FROM inbox WHERE state = 'waiting'",
    quarantined_count: "SELECT count(*) FROM inbox WHERE state = 'quarantined'",
    leases: "
        SELECT name, holder, until_us FROM leases
        WHERE name >= ?1 AND substr(name, 1, length(?1)) = ?1 AND until_us > ?2
        ORDER BY name LIMIT ?3",
    outbox: "SELECT no, at_us, news, summary FROM outbox ORDER BY no LIMIT ?1",
    action: "
        SELECT id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us, no
        FROM actions WHERE id = ?1",
    actions_all: "
        SELECT id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us, no
        FROM actions WHERE at_us <= ?1 AND (at_us < ?1 OR no < ?2)
        ORDER BY at_us DESC, no DESC LIMIT ?3",
    actions_open: "
        SELECT id, version, at_us, done_by, what, subject, why, state, content, judgement, detail,
            updated_us, no
        FROM actions WHERE state IN ('proposed', 'approved')
          AND at_us <= ?1 AND (at_us < ?1 OR no < ?2)
        ORDER BY at_us DESC, no DESC LIMIT ?3",
    holds: "
        SELECT provider, operation, condition, detail, held_by, since_us, probe_us, needed
        FROM holds
        ORDER BY provider, operation, condition",
    ping: "SELECT 1",
    new_core_request: "
        INSERT INTO core_requests (
            core, request, version, state, generation, transfer_id, content, detail, decisions,
            heard_us, updated_us
        )
        VALUES (?1, ?2, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT DO NOTHING",
    put_core_request: "
        UPDATE core_requests SET version = version + 1, state = ?4,
            generation = ?5, transfer_id = ?6, content = ?7,
            detail = ?8, decisions = ?9, updated_us = ?11
        WHERE core = ?1 AND request = ?2 AND version = ?3",
    core_requests_known: "
        SELECT core, request, version, state, generation, transfer_id, content, detail, decisions,
            heard_us, updated_us
        FROM core_requests WHERE core = ?1
          AND request IN (SELECT value FROM json_each('[\"' || replace(?2, ',', '\",\"') || '\"]'))",
    core_requests_accepted: "
        SELECT core, request, version, state, generation, transfer_id, content, detail, decisions,
            heard_us, updated_us
        FROM core_requests WHERE state = 'accepted' AND core = ?1 ORDER BY updated_us LIMIT ?2",
    core_requests_waiting: "
        SELECT core, request, version, state, generation, transfer_id, content, detail, decisions,
            heard_us, updated_us, no
        FROM core_requests WHERE state IN ('waiting', 'changed') AND (?1 IS NULL OR core = ?1)
          AND heard_us <= ?2 AND (heard_us < ?2 OR no < ?3)
        ORDER BY heard_us DESC, no DESC LIMIT ?4",
    core_requests_all: "
        SELECT core, request, version, state, generation, transfer_id, content, detail, decisions,
            heard_us, updated_us, no
        FROM core_requests WHERE (?1 IS NULL OR core = ?1)
          AND heard_us <= ?2 AND (heard_us < ?2 OR no < ?3)
        ORDER BY heard_us DESC, no DESC LIMIT ?4",
    archive: ARCHIVE,
    restore: RESTORE,
};

const PUT_TRANSFERS: &str = "
    INSERT INTO transfers (
        id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us, msisdn,
        client_reference, core_receipt, received_us, updated_us, due_us, summary, slot,
        collecting, collecting_label
    )
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
    ON CONFLICT (id) DO UPDATE SET
        version = excluded.version, kind = excluded.kind, status = excluded.status,
        is_open = excluded.is_open, has_case = excluded.has_case,
        holds_account = excluded.holds_account, unknown_us = excluded.unknown_us,
        core_receipt = excluded.core_receipt, updated_us = excluded.updated_us,
        due_us = excluded.due_us, summary = excluded.summary, slot = excluded.slot,
        collecting = excluded.collecting, collecting_label = excluded.collecting_label
        WHERE version < excluded.version";

/// Walks a term, newest first; what is archived is passed over.
const SEARCH_TERM: &str = concat!(
    "SELECT t.no, t.received_us, t.summary
    FROM search_terms AS w CROSS JOIN transfers AS t ON t.id = w.transfer_id
    WHERE w.term = ?1 AND w.received_us >= ?6 AND w.received_us <= ?7",
    filters!(),
    " ORDER BY w.received_us DESC, t.no DESC LIMIT ?9"
);

/// Few transfers share a receipt, so they are sorted.
const SEARCH_RECEIPT: &str = concat!(
    "SELECT t.no, t.received_us, t.summary FROM transfers AS t WHERE t.id IN (
        SELECT r.transfer_id FROM receipts AS r WHERE r.receipt = ?1
        UNION SELECT c.id FROM transfers AS c WHERE c.core_receipt = ?1
    )",
    filters!(),
    " UNION ALL
    SELECT t.no, t.received_us, t.summary FROM archived_transfers AS t WHERE t.id IN (
        SELECT r.transfer_id FROM receipts AS r WHERE r.receipt = ?1
        UNION SELECT c.id FROM archived_transfers AS c WHERE c.core_receipt = ?1
    )",
    filters!(),
    " ORDER BY 2 DESC, 1 DESC LIMIT ?9"
);

const ARCHIVE: [&str; 6] = [
    "INSERT INTO archived_transfers (
        no, id, version, kind, provider, status, msisdn, client_reference, core_receipt,
        received_us, updated_us, summary
    )
    SELECT t.no, t.id, t.version, t.kind, t.provider, t.status, t.msisdn, t.client_reference,
        t.core_receipt, t.received_us, t.updated_us, t.summary
    FROM transfers AS t WHERE t.id = ?1",
    "DELETE FROM transfers WHERE id = ?1",
    "INSERT INTO archived_events (transfer_id, seq, at_us, event)
    SELECT e.transfer_id, e.seq, e.at_us, e.event
    FROM transfer_events AS e WHERE e.transfer_id = ?1",
    "DELETE FROM transfer_events WHERE transfer_id = ?1",
    "INSERT INTO archived_entries (no, transfer_id, account, currency, minor)
    SELECT e.no, e.transfer_id, e.account, e.currency, e.minor
    FROM ledger_entries AS e WHERE e.transfer_id = ?1",
    "DELETE FROM ledger_entries WHERE transfer_id = ?1",
];

/// Archived rows were settled when they were archived. Its slot is written with the change that
/// brings it back. Ledger entries get new numbers, in their order.
const RESTORE: [&str; 6] = [
    "INSERT INTO transfers (
        no, id, version, kind, provider, status, is_open, has_case, holds_account, msisdn,
        client_reference, core_receipt, received_us, updated_us, summary
    )
    SELECT t.no, t.id, t.version, t.kind, t.provider, t.status, 0, 0, 0, t.msisdn,
        t.client_reference, t.core_receipt, t.received_us, t.updated_us, t.summary
    FROM archived_transfers AS t WHERE t.id = ?1",
    "DELETE FROM archived_transfers WHERE id = ?1",
    "INSERT INTO transfer_events (transfer_id, seq, at_us, event)
    SELECT e.transfer_id, e.seq, e.at_us, e.event
    FROM archived_events AS e WHERE e.transfer_id = ?1",
    "DELETE FROM archived_events WHERE transfer_id = ?1",
    "INSERT INTO ledger_entries (transfer_id, account, currency, minor)
    SELECT e.transfer_id, e.account, e.currency, e.minor
    FROM archived_entries AS e WHERE e.transfer_id = ?1
    ORDER BY e.no",
    "DELETE FROM archived_entries WHERE transfer_id = ?1",
];
