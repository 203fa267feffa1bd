-- A transfer can have several open cases, each about a step of it; an operation of a provider can be held
-- as a whole; and how old the oldest open transfer is goes by when it was received.
ALTER TABLE cases ADD COLUMN step TEXT;
CREATE INDEX cases_by_transfer ON cases (transfer_id) WHERE transfer_id IS NOT NULL;
CREATE TABLE holds (
    provider  TEXT NOT NULL,
    operation TEXT NOT NULL,
    condition TEXT NOT NULL,
    detail    TEXT NOT NULL,
    held_by   TEXT,
    since_us  INTEGER NOT NULL,
    probe_us  INTEGER NOT NULL,
    PRIMARY KEY (provider, operation, condition)
) STRICT, WITHOUT ROWID;
CREATE INDEX transfers_open_by_received ON transfers (received_us) WHERE is_open = 1;
