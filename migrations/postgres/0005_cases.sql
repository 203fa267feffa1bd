-- A transfer can have several open cases, each about a step of it; an operation of a provider can be held
-- as a whole; and how old the oldest open transfer is goes by when it was received.
ALTER TABLE cases ADD COLUMN step text;
CREATE INDEX cases_by_transfer ON cases (transfer_id) WHERE transfer_id IS NOT NULL;
CREATE TABLE holds (
    provider  text COLLATE "C" NOT NULL,
    operation text COLLATE "C" NOT NULL,
    condition text COLLATE "C" NOT NULL,
    detail    text NOT NULL,
    held_by   text,
    since_us  bigint NOT NULL,
    probe_us  bigint NOT NULL,
    PRIMARY KEY (provider, operation, condition)
);
CREATE INDEX transfers_open_by_received ON transfers (received_us) WHERE is_open;
