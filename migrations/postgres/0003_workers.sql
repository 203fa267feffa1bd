-- Several processes share the work. Which of them looks at a transfer follows from its slot; what
-- keeps two of them from doing the same is decided here, at each commit. Transfers from before this
-- step have slot 0 until their next change.
ALTER TABLE transfers ADD COLUMN slot smallint NOT NULL DEFAULT 0;

-- One core account, one operation at a time: a row for each account that a transfer holds, and
-- another transfer's decision to hold it is refused by the key. `account` is the core's own id.
CREATE TABLE lanes (
    core        text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    account     text COLLATE "C" NOT NULL,
    transfer_id uuid NOT NULL,
    PRIMARY KEY (core, kind, account)
);
CREATE INDEX lanes_by_transfer ON lanes (transfer_id);

-- Who holds an account already keeps it; of two, whoever came first. What is cut out here are bare
-- words and numbers, so nothing in them was escaped; and the server refuses JSON that holds a NUL
-- anywhere, such as in a note.
INSERT INTO lanes (core, kind, account, transfer_id)
SELECT trim('"' FROM (s -> 'core')::text), trim('"' FROM (s -> 'account' -> 'kind')::text),
    (s -> 'account' -> 'id')::text, id
FROM (
    SELECT no, id, replace(summary, '\u0000', '\u0020')::json AS s FROM transfers
    WHERE holds_account
) AS t
WHERE (s -> 'account' -> 'id')::text IS NOT NULL
ORDER BY no ON CONFLICT DO NOTHING;

-- What has become known and is to be told to others, with the transfer as it was then. It is told
-- in this order, and removed once it is told.
CREATE TABLE outbox (
    no          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer_id uuid   NOT NULL,
    at_us       bigint NOT NULL,
    news        text   NOT NULL,
    summary     text   NOT NULL
);

-- Claims to tasks of which there is one, for a time.
CREATE TABLE leases (
    name     text   COLLATE "C" NOT NULL PRIMARY KEY,
    holder   text   COLLATE "C" NOT NULL,
    until_us bigint NOT NULL
);

-- What persons did by hand, and why.
CREATE TABLE actions (
    no      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us   bigint NOT NULL,
    done_by text   NOT NULL,
    what    text   COLLATE "C" NOT NULL,
    subject text   NOT NULL,
    why     text   NOT NULL
);
