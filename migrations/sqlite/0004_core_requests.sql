-- What cores ask to be paid out: approved loans and requested withdrawals, each taken up once, however
-- often it is heard of. A row says whether a person is waited for, and which transfer it became.
CREATE TABLE core_requests (
    no          INTEGER PRIMARY KEY,
    core        TEXT    NOT NULL,
    request     TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    generation  INTEGER NOT NULL,
    transfer_id TEXT,
    content     TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    decisions   TEXT    NOT NULL,
    heard_us    INTEGER NOT NULL,
    updated_us  INTEGER NOT NULL,
    UNIQUE (core, request)
) STRICT;
CREATE INDEX core_requests_by_heard ON core_requests (heard_us, no);
CREATE INDEX core_requests_waiting ON core_requests (heard_us, no)
    WHERE state IN ('waiting', 'changed');
CREATE INDEX core_requests_accepted ON core_requests (core, updated_us) WHERE state = 'accepted';
