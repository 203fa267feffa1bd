-- The first schema. `transfer_events` is the truth; everything about a transfer in the other tables
-- follows from it and is written in the same transaction, so that queries never fold a journal.
-- Times are microseconds since 1970 UTC, amounts minor units beside a currency code, ids texts: the
-- same in every database that Kiungo supports.

-- The journal, append-only.
CREATE TABLE transfer_events (
    transfer_id TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    at_us       INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    PRIMARY KEY (transfer_id, seq)
) STRICT;

-- The projection. `no` is the order in which transfers were first committed: it breaks ties between
-- equal times, so that pages neither lose nor repeat a row, and keeps the indexes small.
CREATE TABLE transfers (
    no               INTEGER PRIMARY KEY,
    id               TEXT    NOT NULL UNIQUE,
    version          INTEGER NOT NULL,
    kind             TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    is_open          INTEGER NOT NULL,
    has_case         INTEGER NOT NULL,
    holds_account    INTEGER NOT NULL,
    unknown_us       INTEGER,
    msisdn           TEXT,
    client_reference TEXT,
    core_receipt     TEXT,
    received_us      INTEGER NOT NULL,
    updated_us       INTEGER NOT NULL,
    due_us           INTEGER,
    summary          TEXT    NOT NULL
) STRICT;

-- One index for each way in which operators and programs search, newest first.
CREATE INDEX transfers_by_received ON transfers (received_us);
CREATE INDEX transfers_by_status ON transfers (status, received_us);
CREATE INDEX transfers_by_provider ON transfers (provider, received_us);
CREATE INDEX transfers_by_msisdn ON transfers (msisdn, received_us) WHERE msisdn IS NOT NULL;
CREATE INDEX transfers_by_client_reference ON transfers (client_reference, received_us)
    WHERE client_reference IS NOT NULL;
CREATE INDEX transfers_by_core_receipt ON transfers (core_receipt) WHERE core_receipt IS NOT NULL;

-- These hold only what is under way, so they stay small however many transfers there are.
CREATE INDEX transfers_due ON transfers (due_us) WHERE due_us IS NOT NULL;
CREATE INDEX transfers_open ON transfers (updated_us) WHERE is_open = 1;
CREATE INDEX transfers_unknown ON transfers (unknown_us) WHERE unknown_us IS NOT NULL;
CREATE INDEX transfers_holding_accounts ON transfers (no) WHERE holds_account = 1;

-- How many transfers there are of each kind, provider and status: counting a million rows every
-- second for the metrics would cost more than keeping this.
CREATE TABLE transfer_counts (
    kind     TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (kind, provider, status)
) STRICT, WITHOUT ROWID;

-- Double-entry postings, append-only, and what they add up to.
CREATE TABLE ledger_entries (
    no          INTEGER PRIMARY KEY,
    transfer_id TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    minor       INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_entries_by_transfer ON ledger_entries (transfer_id);

CREATE TABLE ledger_balances (
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    minor    INTEGER NOT NULL,
    PRIMARY KEY (account, currency)
) STRICT, WITHOUT ROWID;

-- One receipt, one transfer. The receipt leads the key, because operators search by it alone.
CREATE TABLE receipts (
    receipt     TEXT NOT NULL,
    provider    TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    operation   TEXT NOT NULL,
    PRIMARY KEY (receipt, provider)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    client      TEXT NOT NULL,
    key         TEXT NOT NULL,
    digest      TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    PRIMARY KEY (client, key)
) STRICT, WITHOUT ROWID;

-- What arrived from outside, whole. `due_us` is set while it waits, `note` once it does not.
CREATE TABLE inbox (
    id       INTEGER PRIMARY KEY,
    provider TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    head     TEXT    NOT NULL,
    body     BLOB    NOT NULL,
    at_us    INTEGER NOT NULL,
    arrivals INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    state    TEXT    NOT NULL CHECK (state IN ('waiting', 'handled', 'quarantined')),
    due_us   INTEGER,
    note     TEXT,
    UNIQUE (provider, digest)
) STRICT;
CREATE INDEX inbox_waiting ON inbox (due_us) WHERE state = 'waiting';
CREATE INDEX inbox_quarantined ON inbox (id) WHERE state = 'quarantined';

-- What needs a person now: transfers with an open question, and quarantined inbox items. A closed
-- case leaves this table; its story stays in the journal.
CREATE TABLE cases (
    subject     TEXT    NOT NULL PRIMARY KEY,
    transfer_id TEXT,
    inbox_id    INTEGER,
    kind        TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    provider    TEXT    NOT NULL,
    opened_us   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_by_opened ON cases (opened_us, subject);
