-- Settled transfers can be moved out of the tables that work goes on in, so that those stay small
-- over the years. What is archived is still found by id and by receipt, and comes back when something
-- happens to it after all. Receipts and idempotency keys are not moved: they go on refusing whoever
-- comes second.
CREATE TABLE archived_transfers (
    no               bigint PRIMARY KEY,
    id               uuid   NOT NULL UNIQUE,
    version          bigint NOT NULL,
    kind             text   COLLATE "C" NOT NULL,
    provider         text   COLLATE "C" NOT NULL,
    status           text   COLLATE "C" NOT NULL,
    msisdn           text   COLLATE "C",
    client_reference text   COLLATE "C",
    core_receipt     text   COLLATE "C",
    received_us      bigint NOT NULL,
    updated_us       bigint NOT NULL,
    summary          text   NOT NULL
);
CREATE INDEX archived_by_core_receipt ON archived_transfers (core_receipt)
    WHERE core_receipt IS NOT NULL;

CREATE TABLE archived_events (
    transfer_id uuid   NOT NULL,
    seq         bigint NOT NULL,
    at_us       bigint NOT NULL,
    event       text   NOT NULL,
    PRIMARY KEY (transfer_id, seq)
);

CREATE TABLE archived_entries (
    transfer_id uuid   NOT NULL,
    no          bigint NOT NULL,
    account     text   COLLATE "C" NOT NULL,
    currency    text   COLLATE "C" NOT NULL,
    minor       bigint NOT NULL,
    PRIMARY KEY (transfer_id, no)
);
