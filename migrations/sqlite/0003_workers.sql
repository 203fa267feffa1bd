-- Several processes share the work. Which of them looks at a transfer follows from its slot; what
-- keeps two of them from doing the same is decided here, at each commit. Transfers from before this
-- step have slot 0 until their next change.
ALTER TABLE transfers ADD COLUMN slot INTEGER NOT NULL DEFAULT 0;

-- One core account, one operation at a time: a row for each account that a transfer holds, and
-- another transfer's decision to hold it is refused by the key. `account` is the core's own id.
CREATE TABLE lanes (
    core        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    account     TEXT NOT NULL,
    transfer_id TEXT NOT NULL,
    PRIMARY KEY (core, kind, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_by_transfer ON lanes (transfer_id);

-- Who holds an account already keeps it; of two, whoever came first.
INSERT INTO lanes (core, kind, account, transfer_id)
SELECT summary ->> '$.core', summary ->> '$.account.kind',
    CAST(summary ->> '$.account.id' AS TEXT), id
FROM transfers WHERE holds_account = 1 AND summary ->> '$.account.id' IS NOT NULL
ORDER BY no ON CONFLICT DO NOTHING;

-- What has become known and is to be told to others, with the transfer as it was then. It is told
-- in this order, and removed once it is told; a number is never used again.
CREATE TABLE outbox (
    no          INTEGER PRIMARY KEY AUTOINCREMENT,
    transfer_id TEXT    NOT NULL,
    at_us       INTEGER NOT NULL,
    news        TEXT    NOT NULL,
    summary     TEXT    NOT NULL
) STRICT;

-- Claims to tasks of which there is one, for a time.
CREATE TABLE leases (
    name     TEXT    NOT NULL PRIMARY KEY,
    holder   TEXT    NOT NULL,
    until_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What persons did by hand, and why.
CREATE TABLE actions (
    no      INTEGER PRIMARY KEY,
    at_us   INTEGER NOT NULL,
    done_by TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    why     TEXT    NOT NULL
) STRICT;
