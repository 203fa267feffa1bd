//! Every statement that runs against `SQLite`, and nothing else.
//!
//! The statements of a batch take one row each, and are prepared once: binding a row costs less than
//! reading it out of a list. One process writes, so nothing needs to be locked or looked at twice.

use crate::sql::Statements;

/// The conditions of every search: on the facts of a transfer and on its state, which are one row
/// in the archive.
macro_rules! filters {
    ($facts:literal, $state:literal) => {
        concat!(
            " AND (?2 IS NULL OR ",
            $state,
            ".status IN (SELECT value FROM json_each(?2)))
              AND (?3 IS NULL OR ",
            $state,
            ".kind = ?3)
              AND (?4 IS NULL OR ",
            $state,
            ".provider = ?4)
              AND (?5 IS NULL OR ",
            $facts,
            ".msisdn = ?5)
              AND (?10 IS NULL OR ",
            $facts,
            ".client_reference = ?10)
              AND (?11 IS NULL
                OR ",
            $facts,
            ".facts ->> 'core' IN (SELECT value FROM json_each(?11)))
              AND (?12 IS NULL OR ",
            $state,
            ".provider IN (SELECT value FROM json_each(?12)))
              AND (?13 IS NULL OR ",
            $state,
            ".kind IN (SELECT value FROM json_each(?13)))
              AND (?14 IS NULL OR EXISTS (SELECT 1 FROM search_terms AS k
                WHERE k.term = ?14 AND k.received_us = ",
            $facts,
            ".received_us
                  AND k.transfer_id = ",
            $facts,
            ".id))
              AND (?15 IS NULL OR EXISTS (SELECT 1 FROM search_terms AS k
                WHERE k.term = ?15 AND k.received_us = ",
            $facts,
            ".received_us
                  AND k.transfer_id = ",
            $facts,
            ".id))
              AND ",
            $facts,
            ".received_us >= ?6 AND ",
            $facts,
            ".received_us <= ?7
              AND (",
            $facts,
            ".received_us < ?7 OR ",
            $facts,
            ".no < ?8)"
        )
    };
}

/// A search by one way.
macro_rules! search_by {
    ($way:literal) => {
        concat!(
            "SELECT t.no, t.received_us, t.facts, coalesce(s.state, t.facts)
            FROM transfers AS t CROSS JOIN transfer_states AS s ON s.no = t.no WHERE ",
            $way,
            filters!("t", "s"),
            " ORDER BY t.received_us DESC, t.no DESC LIMIT ?9"
        )
    };
}

pub(crate) const STATEMENTS: Statements = Statements {
    facts_transfers: "
        SELECT t.id, s.version, s.kind, s.provider, s.status, s.has_case, s.holds_account
        FROM transfers AS t JOIN transfer_states AS s ON s.no = t.no WHERE t.id = ?1",
    facts_account_locks: "
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
    new_transfers: "
        INSERT INTO transfers (id, msisdn, client_reference, received_us, facts)
        VALUES (?1, ?2, ?3, ?4, ?5)",
    new_states: NEW_STATES,
    put_states: PUT_STATES,
    release_account_locks: "
        DELETE FROM lanes WHERE transfer_id = ?1",
    put_account_locks: "
        INSERT INTO lanes (core, kind, account, transfer_id)
        VALUES (?1, ?2, ?3, ?4)",
    put_postponed: "
        UPDATE transfer_states SET due_us = ?2
        WHERE no = (SELECT no FROM transfers WHERE id = ?1)",
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
        SELECT t.id FROM transfers AS t CROSS JOIN transfer_states AS s ON s.no = t.no
        WHERE t.received_us < ?1 AND s.updated_us < ?1
          AND s.is_open = 0 AND s.has_case = 0 AND s.holds_account = 0
          AND s.due_us IS NULL AND s.unknown_us IS NULL
          AND +t.no < (SELECT max(no) FROM transfers)
        ORDER BY t.received_us, t.no LIMIT ?2",
    due_for_taking: "
        SELECT t.id, s.slot
        FROM transfer_states AS s CROSS JOIN transfers AS t ON t.no = s.no
        WHERE s.due_us <= ?1 ORDER BY s.due_us, s.no LIMIT ?2",
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
    release_lease: "
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
    pull_due: "UPDATE transfer_states SET due_us = ?1 WHERE due_us > ?1",
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
        SELECT t.facts, coalesce(s.state, t.facts)
        FROM transfers AS t JOIN transfer_states AS s ON s.no = t.no WHERE t.id = ?1
        UNION ALL SELECT facts, coalesce(state, facts) FROM archived_transfers WHERE id = ?1",
    search_all: search_by!("?1 IS NULL"),
    search_standing: SEARCH_STANDING,
    search_msisdn: search_by!("t.msisdn = ?1"),
    search_client_reference: search_by!("t.client_reference = ?1"),
    search_term: SEARCH_TERM,
    search_receipt: SEARCH_RECEIPT,
    due: "
        SELECT t.id, s.due_us
        FROM transfer_states AS s CROSS JOIN transfers AS t ON t.no = s.no
        WHERE s.due_us <= ?1 ORDER BY s.due_us, s.no LIMIT ?2",
    next_due: "
        SELECT due_us FROM transfer_states WHERE due_us IS NOT NULL
        UNION ALL SELECT due_us FROM inbox WHERE state = 'waiting'
        ORDER BY due_us LIMIT 1",
    holding_accounts: "
        SELECT t.facts, coalesce(s.state, t.facts)
        FROM lanes CROSS JOIN transfers AS t ON t.id = lanes.transfer_id
        JOIN transfer_states AS s ON s.no = t.no ORDER BY t.no",
    collections: "
        SELECT t.id FROM transfer_states AS s CROSS JOIN transfers AS t ON t.no = s.no
        WHERE s.provider = ?1 AND s.collecting = ?2
            AND (?3 IS NULL OR t.msisdn = ?3) AND (?4 IS NULL OR s.collecting_label = ?4)",
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
    due_count: "SELECT count(*) FROM transfer_states WHERE due_us <= ?1",
    oldest_open: "
        SELECT received_us FROM (
            SELECT (SELECT s.received_us FROM transfer_states AS s
                WHERE s.provider = counted.provider AND s.kind = counted.kind AND s.status = counted.status
                ORDER BY s.received_us LIMIT 1) AS received_us
            FROM transfer_counts AS counted WHERE counted.status IN (SELECT value FROM json_each(?1))
        ) WHERE received_us IS NOT NULL ORDER BY received_us LIMIT 1",
    oldest_unknown: "SELECT unknown_us FROM transfer_states \
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
    outbox: "
        SELECT outbox.no, outbox.at_us, outbox.news, coalesce(t.facts, a.facts), outbox.summary
        FROM outbox LEFT JOIN transfers AS t ON t.id = outbox.transfer_id
        LEFT JOIN archived_transfers AS a ON a.id = outbox.transfer_id
        ORDER BY outbox.no LIMIT ?1",
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

const NEW_STATES: &str = "
    INSERT INTO transfer_states (
        no, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
        core_receipt, received_us, updated_us, due_us, slot, collecting, collecting_label, state
    )
    SELECT no, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, received_us, ?11, ?12, ?13, ?14, ?15, ?16
    FROM transfers WHERE id = ?1";

const PUT_STATES: &str = "
    UPDATE transfer_states SET
        version = ?2, kind = ?3, status = ?5, is_open = ?6, has_case = ?7, holds_account = ?8,
        unknown_us = ?9, core_receipt = ?10, updated_us = ?11, due_us = ?12, slot = ?13,
        collecting = ?14, collecting_label = ?15, state = ?16
    WHERE no = (SELECT no FROM transfers WHERE id = ?1) AND version < ?2";

/// Walks each combination of provider, kind and status that exists, newest first, as far as the
/// page reaches. The rest of the conditions has narrower ways, but for the core.
const SEARCH_STANDING: &str = "
    SELECT t.no, t.received_us, t.facts, coalesce(s.state, t.facts)
    FROM (
        SELECT f.no, f.received_us
        FROM transfer_counts AS counted CROSS JOIN transfer_states AS f ON f.no IN (
            SELECT w.no FROM transfer_states AS w
            WHERE w.provider = counted.provider AND w.kind = counted.kind AND w.status = counted.status
              AND w.received_us >= ?6 AND w.received_us <= ?7
              AND (w.received_us < ?7 OR w.no < ?8)
              AND (?11 IS NULL OR (SELECT t.facts ->> 'core' FROM transfers AS t
                WHERE t.no = w.no) IN (SELECT value FROM json_each(?11)))
            ORDER BY w.received_us DESC, w.no DESC LIMIT ?9
        )
        WHERE ?1 IS NULL AND (?2 IS NULL OR counted.status IN (SELECT value FROM json_each(?2)))
          AND (?3 IS NULL OR counted.kind = ?3) AND (?4 IS NULL OR counted.provider = ?4)
          AND (?12 IS NULL OR counted.provider IN (SELECT value FROM json_each(?12)))
          AND (?13 IS NULL OR counted.kind IN (SELECT value FROM json_each(?13)))
          AND ?5 IS NULL AND ?10 IS NULL AND ?14 IS NULL AND ?15 IS NULL
        ORDER BY f.received_us DESC, f.no DESC LIMIT ?9
    ) AS page
    CROSS JOIN transfers AS t ON t.no = page.no CROSS JOIN transfer_states AS s ON s.no = page.no
    ORDER BY page.received_us DESC, page.no DESC";

/// Walks a term, newest first; what is archived is passed over.
const SEARCH_TERM: &str = concat!(
    "SELECT t.no, t.received_us, t.facts, coalesce(s.state, t.facts)
    FROM search_terms AS w CROSS JOIN transfers AS t ON t.id = w.transfer_id
    CROSS JOIN transfer_states AS s ON s.no = t.no
    WHERE w.term = ?1 AND w.received_us >= ?6 AND w.received_us <= ?7",
    filters!("t", "s"),
    " ORDER BY w.received_us DESC, t.no DESC LIMIT ?9"
);

/// Few transfers share a receipt, so they are sorted.
const SEARCH_RECEIPT: &str = concat!(
    "SELECT t.no, t.received_us, t.facts, coalesce(s.state, t.facts)
    FROM transfers AS t CROSS JOIN transfer_states AS s ON s.no = t.no WHERE t.no IN (
        SELECT o.no FROM receipts AS r CROSS JOIN transfers AS o ON o.id = r.transfer_id
        WHERE r.receipt = ?1
        UNION SELECT c.no FROM transfer_states AS c WHERE c.core_receipt = ?1
    )",
    filters!("t", "s"),
    " UNION ALL
    SELECT t.no, t.received_us, t.facts, coalesce(t.state, t.facts)
    FROM archived_transfers AS t WHERE t.id IN (
        SELECT r.transfer_id FROM receipts AS r WHERE r.receipt = ?1
        UNION SELECT c.id FROM archived_transfers AS c WHERE c.core_receipt = ?1
    )",
    filters!("t", "t"),
    " ORDER BY 2 DESC, 1 DESC LIMIT ?9"
);

const ARCHIVE: [&str; 7] = [
    "INSERT INTO archived_transfers (
        no, id, version, kind, provider, status, msisdn, client_reference, core_receipt,
        received_us, updated_us, facts, state
    )
    SELECT t.no, t.id, s.version, s.kind, s.provider, s.status, t.msisdn, t.client_reference,
        s.core_receipt, t.received_us, s.updated_us, t.facts, s.state
    FROM transfers AS t JOIN transfer_states AS s ON s.no = t.no WHERE t.id = ?1",
    "DELETE FROM transfer_states WHERE no = (SELECT no FROM transfers WHERE id = ?1)",
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
const RESTORE: [&str; 7] = [
    "INSERT INTO transfers (no, id, msisdn, client_reference, received_us, facts)
    SELECT no, id, msisdn, client_reference, received_us, facts
    FROM archived_transfers WHERE id = ?1",
    "INSERT INTO transfer_states (
        no, version, kind, provider, status, is_open, has_case, holds_account, core_receipt,
        received_us, updated_us, slot, state
    )
    SELECT no, version, kind, provider, status, 0, 0, 0, core_receipt, received_us, updated_us,
        0, state
    FROM archived_transfers WHERE id = ?1",
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
