//! Every statement that runs against `SQLite`. A test has `SQLite` prepare each of them against the
//! migrated schema and looks at how it would find its rows.
//!
//! Writing statements take all rows of a table as one JSON array of arrays (`?1`), so a batch costs
//! a handful of statements however many changes it holds. `WHERE true` keeps the parser from
//! taking `ON CONFLICT` for a join's `ON`.

/// All statements by name.
#[cfg(test)]
pub(super) const ALL: &[(&str, &str)] = &[
    ("facts_transfers", FACTS_TRANSFERS),
    ("facts_receipts", FACTS_RECEIPTS),
    ("facts_keys", FACTS_KEYS),
    ("facts_items", FACTS_ITEMS),
    ("facts_arrivals", FACTS_ARRIVALS),
    ("inbox_next", INBOX_NEXT),
    ("put_events", PUT_EVENTS),
    ("put_transfers", PUT_TRANSFERS),
    ("put_postponed", PUT_POSTPONED),
    ("put_counts", PUT_COUNTS),
    ("put_ledger", PUT_LEDGER),
    ("put_balances", PUT_BALANCES),
    ("put_receipts", PUT_RECEIPTS),
    ("put_keys", PUT_KEYS),
    ("put_arrivals", PUT_ARRIVALS),
    ("put_seen", PUT_SEEN),
    ("put_inbox", PUT_INBOX),
    ("close_cases", CLOSE_CASES),
    ("open_cases", OPEN_CASES),
    ("open_inbox_cases", OPEN_INBOX_CASES),
    ("journal", JOURNAL),
    ("postings", POSTINGS),
    ("summary", SUMMARY),
    ("search_all", SEARCH_ALL),
    ("search_provider", SEARCH_PROVIDER),
    ("search_status", SEARCH_STATUS),
    ("search_msisdn", SEARCH_MSISDN),
    ("search_client_reference", SEARCH_CLIENT_REFERENCE),
    ("search_receipt", SEARCH_RECEIPT),
    ("moved", MOVED),
    ("due", DUE),
    ("next_due", NEXT_DUE),
    ("holding_accounts", HOLDING_ACCOUNTS),
    ("by_receipt", BY_RECEIPT),
    ("key_holder", KEY_HOLDER),
    ("inbox_due", INBOX_DUE),
    ("inbox_item", INBOX_ITEM),
    ("cases", CASES),
    ("ledger", LEDGER),
    ("counts", COUNTS),
    ("due_count", DUE_COUNT),
    ("oldest_open", OLDEST_OPEN),
    ("oldest_unknown", OLDEST_UNKNOWN),
    ("suspense", SUSPENSE),
    ("inbox_waiting_count", INBOX_WAITING_COUNT),
    ("quarantined_count", QUARANTINED_COUNT),
    ("ping", PING),
];

// What a batch has to know. `CROSS JOIN` makes SQLite go from what is wanted to what is stored.

pub(super) const FACTS_TRANSFERS: &str = "
    SELECT t.id, t.version, t.kind, t.provider, t.status, t.has_case
    FROM json_each(?1) AS w CROSS JOIN transfers AS t ON t.id = w.value";

pub(super) const FACTS_RECEIPTS: &str = "
    SELECT r.provider, r.receipt, r.transfer_id
    FROM json_each(?1) AS w
    CROSS JOIN receipts AS r ON r.provider = w.value ->> 0 AND r.receipt = w.value ->> 1";

pub(super) const FACTS_KEYS: &str = "
    SELECT k.client, k.key, k.digest, k.transfer_id
    FROM json_each(?1) AS w
    CROSS JOIN idempotency_keys AS k ON k.client = w.value ->> 0 AND k.key = w.value ->> 1";

pub(super) const FACTS_ITEMS: &str = "
    SELECT i.id, i.state FROM json_each(?1) AS w CROSS JOIN inbox AS i ON i.id = w.value";

pub(super) const FACTS_ARRIVALS: &str = "
    SELECT i.provider, i.digest, i.id
    FROM json_each(?1) AS w
    CROSS JOIN inbox AS i ON i.provider = w.value ->> 0 AND i.digest = w.value ->> 1";

pub(super) const INBOX_NEXT: &str = "SELECT coalesce(max(id), 0) + 1 FROM inbox";

// What a batch writes.

pub(super) const PUT_EVENTS: &str = "
    INSERT INTO transfer_events (transfer_id, seq, at_us, event)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

pub(super) const PUT_TRANSFERS: &str = "
    INSERT INTO transfers (
        id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us, msisdn,
        client_reference, core_receipt, received_us, updated_us, due_us, summary
    )
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11,
        value ->> 12, value ->> 13, value ->> 14, value ->> 15
    FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO UPDATE SET
        version = excluded.version, kind = excluded.kind, status = excluded.status,
        is_open = excluded.is_open, has_case = excluded.has_case,
        holds_account = excluded.holds_account, unknown_us = excluded.unknown_us,
        core_receipt = excluded.core_receipt, updated_us = excluded.updated_us,
        due_us = excluded.due_us, summary = excluded.summary";

pub(super) const PUT_POSTPONED: &str = "
    UPDATE transfers SET due_us = w.value ->> 1
    FROM json_each(?1) AS w WHERE transfers.id = w.value ->> 0";

pub(super) const PUT_COUNTS: &str = "
    INSERT INTO transfer_counts (kind, provider, status, count)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1) WHERE true
    ON CONFLICT (kind, provider, status) DO UPDATE SET count = count + excluded.count";

pub(super) const PUT_LEDGER: &str = "
    INSERT INTO ledger_entries (transfer_id, account, currency, minor)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

pub(super) const PUT_BALANCES: &str = "
    INSERT INTO ledger_balances (account, currency, minor)
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true
    ON CONFLICT (account, currency) DO UPDATE SET minor = minor + excluded.minor";

pub(super) const PUT_RECEIPTS: &str = "
    INSERT INTO receipts (receipt, provider, transfer_id, operation)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

pub(super) const PUT_KEYS: &str = "
    INSERT INTO idempotency_keys (client, key, digest, transfer_id)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

pub(super) const PUT_ARRIVALS: &str = "
    INSERT INTO inbox (id, provider, digest, head, body, at_us, due_us, arrivals, attempts, state)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), value ->> 5,
        value ->> 5, 1, 0, 'waiting'
    FROM json_each(?1)";

pub(super) const PUT_SEEN: &str = "
    UPDATE inbox SET arrivals = arrivals + (w.value ->> 1)
    FROM json_each(?1) AS w WHERE inbox.id = w.value ->> 0";

pub(super) const PUT_INBOX: &str = "
    UPDATE inbox SET state = w.value ->> 1, due_us = w.value ->> 2, note = w.value ->> 3,
        attempts = attempts + (w.value ->> 4)
    FROM json_each(?1) AS w WHERE inbox.id = w.value ->> 0";

pub(super) const CLOSE_CASES: &str =
    "DELETE FROM cases WHERE subject IN (SELECT value FROM json_each(?1))";

pub(super) const OPEN_CASES: &str = "
    INSERT INTO cases (subject, transfer_id, inbox_id, kind, detail, provider, opened_us)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6
    FROM json_each(?1) WHERE true
    ON CONFLICT (subject) DO UPDATE SET
        kind = excluded.kind, detail = excluded.detail, opened_us = excluded.opened_us";

/// Provider and time are the item's.
pub(super) const OPEN_INBOX_CASES: &str = "
    INSERT INTO cases (subject, transfer_id, inbox_id, kind, detail, provider, opened_us)
    SELECT w.value ->> 0, w.value ->> 1, i.id, w.value ->> 3, w.value ->> 4, i.provider, i.at_us
    FROM json_each(?1) AS w CROSS JOIN inbox AS i ON i.id = w.value ->> 2 WHERE true
    ON CONFLICT (subject) DO UPDATE SET detail = excluded.detail";

// Queries.

pub(super) const JOURNAL: &str = "
    SELECT seq, at_us, event FROM transfer_events WHERE transfer_id = ?1 ORDER BY seq";

pub(super) const POSTINGS: &str = "
    SELECT account, currency, minor FROM ledger_entries WHERE transfer_id = ?1 ORDER BY no";

pub(super) const SUMMARY: &str = "SELECT summary FROM transfers WHERE id = ?1";

/// A search goes in by one of several ways, the narrowest that the query allows, and filters the
/// rest. `?1` is what the way looks for, `?2` to `?5` the filters, `?6` and `?7` the bounds in time,
/// `?7` and `?8` the position to go on from, `?9` the page.
macro_rules! search_by {
    ($way:literal) => {
        concat!(
            "SELECT t.no, t.received_us, t.summary FROM transfers AS t WHERE ",
            $way,
            " AND (?2 IS NULL OR t.status IN (SELECT value FROM json_each(?2)))
              AND (?3 IS NULL OR t.kind = ?3)
              AND (?4 IS NULL OR t.provider = ?4)
              AND (?5 IS NULL OR t.msisdn = ?5)
              AND (?10 IS NULL OR t.client_reference = ?10)
              AND t.received_us >= ?6 AND t.received_us <= ?7
              AND (t.received_us < ?7 OR t.no < ?8)
              ORDER BY t.received_us DESC, t.no DESC LIMIT ?9"
        )
    };
}

pub(super) const SEARCH_ALL: &str = search_by!("?1 IS NULL");
pub(super) const SEARCH_PROVIDER: &str = search_by!("t.provider = ?1");
pub(super) const SEARCH_STATUS: &str = search_by!("t.status = ?1");
pub(super) const SEARCH_MSISDN: &str = search_by!("t.msisdn = ?1");
pub(super) const SEARCH_CLIENT_REFERENCE: &str = search_by!("t.client_reference = ?1");
pub(super) const SEARCH_RECEIPT: &str = search_by!(
    "t.id IN (
        SELECT r.transfer_id FROM receipts AS r WHERE r.receipt = ?1
        UNION SELECT c.id FROM transfers AS c WHERE c.core_receipt = ?1
    )"
);

pub(super) const MOVED: &str = "
    SELECT coalesce(sum(summary ->> '$.amount.minor'), 0) FROM transfers
    WHERE msisdn = ?1 AND received_us >= ?2 AND received_us < ?3 AND provider = ?4
      AND kind IN (SELECT value FROM json_each(?5))
      AND status NOT IN (SELECT value FROM json_each(?6))
      AND summary ->> '$.amount.currency' = ?7 AND summary ->> '$.merged_into' IS NULL";

pub(super) const DUE: &str = "
    SELECT id, due_us FROM transfers WHERE due_us <= ?1 ORDER BY due_us, no LIMIT ?2";

pub(super) const NEXT_DUE: &str = "
    SELECT due_us FROM transfers WHERE due_us IS NOT NULL ORDER BY due_us LIMIT 1";

pub(super) const HOLDING_ACCOUNTS: &str =
    "SELECT summary FROM transfers WHERE holds_account = 1 ORDER BY no";

pub(super) const BY_RECEIPT: &str =
    "SELECT transfer_id FROM receipts WHERE receipt = ?1 AND provider = ?2";

pub(super) const KEY_HOLDER: &str =
    "SELECT transfer_id, digest FROM idempotency_keys WHERE client = ?1 AND key = ?2";

pub(super) const INBOX_DUE: &str = "
    SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
    WHERE state = 'waiting' AND due_us <= ?1 ORDER BY due_us, id LIMIT ?2";

pub(super) const INBOX_ITEM: &str = "
    SELECT id, provider, head, body, at_us, arrivals, attempts, state, due_us, note FROM inbox
    WHERE id = ?1";

pub(super) const CASES: &str = "
    SELECT subject, transfer_id, inbox_id, kind, detail, provider, opened_us FROM cases
    WHERE opened_us <= ?1 AND (opened_us < ?1 OR ?2 IS NULL OR subject < ?2)
    ORDER BY opened_us DESC, subject DESC LIMIT ?3";

pub(super) const LEDGER: &str =
    "SELECT account, currency, minor FROM ledger_balances ORDER BY account, currency";

pub(super) const COUNTS: &str = "
    SELECT kind, provider, status, count FROM transfer_counts WHERE count > 0
    ORDER BY kind, provider, status";

pub(super) const DUE_COUNT: &str = "SELECT count(*) FROM transfers WHERE due_us <= ?1";

pub(super) const OLDEST_OPEN: &str =
    "SELECT updated_us FROM transfers WHERE is_open = 1 ORDER BY updated_us LIMIT 1";

pub(super) const OLDEST_UNKNOWN: &str = "SELECT unknown_us FROM transfers \
    WHERE unknown_us IS NOT NULL ORDER BY unknown_us LIMIT 1";

pub(super) const SUSPENSE: &str = "
    SELECT account, currency, minor FROM ledger_balances
    WHERE account >= 'suspense:' AND account < 'suspense;' AND minor <> 0
    ORDER BY account, currency";

pub(super) const INBOX_WAITING_COUNT: &str = "SELECT count(*) FROM inbox WHERE state = 'waiting'";

pub(super) const QUARANTINED_COUNT: &str = "SELECT count(*) FROM inbox WHERE state = 'quarantined'";

pub(super) const PING: &str = "SELECT 1";
