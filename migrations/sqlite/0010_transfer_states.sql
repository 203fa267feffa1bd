-- A transfer is two rows: one that is written once, with what never changes, and one with its state, so
-- that no version writes anew what is known already.

-- `facts` is the part of the summary that never changes.
CREATE TABLE transfer_facts (
    no               INTEGER PRIMARY KEY,
    id               TEXT    NOT NULL UNIQUE,
    msisdn           TEXT,
    client_reference TEXT,
    received_us      INTEGER NOT NULL,
    facts            TEXT    NOT NULL
) STRICT;
INSERT INTO transfer_facts (no, id, msisdn, client_reference, received_us, facts)
SELECT no, id, msisdn, client_reference, received_us, summary FROM transfers ORDER BY no;

-- `state` is the changing part. Null: the state has not changed since this step, and all of it is in
-- `facts`. Provider, kind and `received_us` stand here too, for the index that lists by them.
CREATE TABLE transfer_states (
    no               INTEGER PRIMARY KEY,
    version          INTEGER NOT NULL,
    received_us      INTEGER NOT NULL,
    updated_us       INTEGER NOT NULL,
    due_us           INTEGER,
    unknown_us       INTEGER,
    slot             INTEGER NOT NULL,
    is_open          INTEGER NOT NULL,
    has_case         INTEGER NOT NULL,
    holds_account    INTEGER NOT NULL,
    provider         TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    core_receipt     TEXT,
    collecting       TEXT,
    collecting_label TEXT,
    state            TEXT
) STRICT;
INSERT INTO transfer_states (
    no, version, received_us, updated_us, due_us, unknown_us, slot, is_open, has_case,
    holds_account, provider, kind, status, core_receipt, collecting, collecting_label
)
SELECT no, version, received_us, updated_us, due_us, unknown_us, slot, is_open, has_case,
    holds_account, provider, kind, status, core_receipt, collecting, collecting_label
FROM transfers ORDER BY no;

DROP TABLE transfers;
ALTER TABLE transfer_facts RENAME TO transfers;
CREATE INDEX transfers_by_received ON transfers (received_us);
CREATE INDEX transfers_by_msisdn ON transfers (msisdn, received_us) WHERE msisdn IS NOT NULL;
CREATE INDEX transfers_by_client_reference ON transfers (client_reference, received_us)
    WHERE client_reference IS NOT NULL;

-- One index for lists by provider, kind and status in any combination: each combination that exists
-- (`transfer_counts` knows them) is walked as far as the page reaches.
CREATE INDEX transfer_states_by_standing ON transfer_states (provider, kind, status, received_us);
CREATE INDEX transfer_states_by_core_receipt ON transfer_states (core_receipt)
    WHERE core_receipt IS NOT NULL;

-- These hold only what is under way, so they stay small however many transfers there are.
CREATE INDEX transfer_states_due ON transfer_states (due_us) WHERE due_us IS NOT NULL;
CREATE INDEX transfer_states_unknown ON transfer_states (unknown_us) WHERE unknown_us IS NOT NULL;
CREATE INDEX transfer_states_collecting ON transfer_states (provider, collecting)
    WHERE collecting IS NOT NULL;

-- In the archive both stay in one row, which is written once.
ALTER TABLE archived_transfers RENAME COLUMN summary TO facts;
ALTER TABLE archived_transfers ADD COLUMN state TEXT;

-- In `outbox`, `summary` is the state as it was then from now on; the rest is the transfer's own.
