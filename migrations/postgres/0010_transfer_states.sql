-- A transfer is two rows: one that is written once, with what never changes, and one with its state. Each
-- version wrote both as one wide row anew, into each of thirteen indexes. The state is written anew, as
-- its due time is in an index and changes each time; so it is narrow and has few indexes.

-- `state` is the changing part of the summary. Null: the state has not changed since this step, and all of
-- it is in `facts`. Provider, kind and `received_us` stand here too, for the index that lists by them.
CREATE TABLE transfer_states (
    id               uuid     NOT NULL,
    no               bigint   NOT NULL,
    version          bigint   NOT NULL,
    received_us      bigint   NOT NULL,
    updated_us       bigint   NOT NULL,
    due_us           bigint,
    unknown_us       bigint,
    slot             smallint NOT NULL,
    is_open          boolean  NOT NULL,
    has_case         boolean  NOT NULL,
    holds_account    boolean  NOT NULL,
    provider         text     COLLATE "C" NOT NULL,
    kind             text     COLLATE "C" NOT NULL,
    status           text     COLLATE "C" NOT NULL,
    core_receipt     text     COLLATE "C",
    collecting       text     COLLATE "C",
    collecting_label text     COLLATE "C",
    state            text
);
INSERT INTO transfer_states (
    id, no, version, received_us, updated_us, due_us, unknown_us, slot, is_open, has_case,
    holds_account, provider, kind, status, core_receipt, collecting, collecting_label
)
SELECT id, no, version, received_us, updated_us, due_us, unknown_us, slot, is_open, has_case,
    holds_account, provider, kind, status, core_receipt, collecting, collecting_label
FROM transfers ORDER BY no;
ALTER TABLE transfer_states ADD PRIMARY KEY (id);

-- One index for lists by provider, kind and status in any combination: each combination that exists
-- (`transfer_counts` knows them) is walked as far as the page reaches.
CREATE INDEX transfer_states_by_standing
    ON transfer_states (provider, kind, status, received_us, no);
CREATE INDEX transfer_states_by_core_receipt ON transfer_states (core_receipt)
    WHERE core_receipt IS NOT NULL;

-- These hold only what is under way, so they stay small however many transfers there are.
CREATE INDEX transfer_states_due ON transfer_states (due_us, no) WHERE due_us IS NOT NULL;
CREATE INDEX transfer_states_unknown ON transfer_states (unknown_us) WHERE unknown_us IS NOT NULL;
CREATE INDEX transfer_states_collecting ON transfer_states (provider, collecting, no)
    WHERE collecting IS NOT NULL;

-- As it was for the wide row.
ALTER TABLE transfer_states SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

-- The table keeps its identity, by which a process owns the database. The indexes of a column
-- go with it; `no` is looked for by nobody.
ALTER TABLE transfers RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE transfers
    DROP CONSTRAINT transfers_pkey,
    DROP COLUMN version,
    DROP COLUMN kind,
    DROP COLUMN provider,
    DROP COLUMN status,
    DROP COLUMN is_open,
    DROP COLUMN has_case,
    DROP COLUMN holds_account,
    DROP COLUMN unknown_us,
    DROP COLUMN core_receipt,
    DROP COLUMN updated_us,
    DROP COLUMN due_us,
    DROP COLUMN slot,
    DROP COLUMN collecting,
    DROP COLUMN collecting_label;
ALTER TABLE transfers RENAME COLUMN summary TO facts;

-- In the archive both stay in one row, which is written once.
ALTER TABLE archived_transfers RENAME COLUMN summary TO facts;
ALTER TABLE archived_transfers ADD COLUMN state text;

-- In `outbox`, `summary` is the state as it was then from now on; the rest is the transfer's own.
