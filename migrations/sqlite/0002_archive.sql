-- Settled transfers can be moved out of the tables that work goes on in, so that those stay small
-- over the years. What is archived is still found by id and by receipt, and comes back when something
-- happens to it after all. Receipts and idempotency keys are not moved: they go on refusing whoever
-- comes second.
CREATE TABLE archived_transfers (
    no               INTEGER PRIMARY KEY,
    id               TEXT    NOT NULL UNIQUE,
    version          INTEGER NOT NULL,
    kind             TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    msisdn           TEXT,
    client_reference TEXT,
    core_receipt     TEXT,
    received_us      INTEGER NOT NULL,
    updated_us       INTEGER NOT NULL,
    summary          TEXT    NOT NULL
) STRICT;
CREATE INDEX archived_by_core_receipt ON archived_transfers (core_receipt)
    WHERE core_receipt IS NOT NULL;

CREATE TABLE archived_events (
    transfer_id TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    at_us       INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    PRIMARY KEY (transfer_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE archived_entries (
    transfer_id TEXT    NOT NULL,
    no          INTEGER NOT NULL,
    account     TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    minor       INTEGER NOT NULL,
    PRIMARY KEY (transfer_id, no)
) STRICT, WITHOUT ROWID;

-- Searching by kind alone walked through transfers of every other kind.
CREATE INDEX transfers_by_kind ON transfers (kind, received_us);
