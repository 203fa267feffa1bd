-- What cores ask to be paid out: approved loans and requested withdrawals, each taken up once, however
-- often it is heard of. A row says whether a person is waited for, and which transfer it became.
CREATE TABLE core_requests (
    no          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    core        text   COLLATE "C" NOT NULL,
    request     text   COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    state       text   COLLATE "C" NOT NULL,
    generation  bigint NOT NULL,
    transfer_id uuid,
    content     text   NOT NULL,
    detail      text   NOT NULL,
    decisions   text   NOT NULL,
    heard_us    bigint NOT NULL,
    updated_us  bigint NOT NULL,
    UNIQUE (core, request)
);
CREATE INDEX core_requests_by_heard ON core_requests (heard_us, no);
CREATE INDEX core_requests_waiting ON core_requests (heard_us, no)
    WHERE state IN ('waiting', 'changed');
CREATE INDEX core_requests_accepted ON core_requests (core, updated_us) WHERE state = 'accepted';
