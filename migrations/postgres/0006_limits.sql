-- What wallets and the organisation moved on each day, where a provider bounds that: a change is judged
-- by it in its own transaction, which locks the rows, so that all processes together keep the limit. Kept
-- from the day on which a limit is set; rows of days that are over go away as new ones come. `day_us` is
-- the first moment of the provider's day.

-- `wallet` is empty where the organisation as a whole is counted. Half of each page is free for the next
-- versions of its rows.
CREATE TABLE day_totals (
    day_us    bigint NOT NULL,
    provider  text   COLLATE "C" NOT NULL,
    operation text   COLLATE "C" NOT NULL,
    currency  text   COLLATE "C" NOT NULL,
    wallet    text   COLLATE "C" NOT NULL,
    minor     bigint NOT NULL,
    count     bigint NOT NULL,
    PRIMARY KEY (day_us, provider, operation, currency, wallet)
) WITH (fillfactor = 50);

-- On which day a transfer counts, and whether for its wallet and for the organisation.
CREATE TABLE day_uses (
    transfer_id  uuid    NOT NULL PRIMARY KEY,
    day_us       bigint  NOT NULL,
    wallet       boolean NOT NULL,
    organisation boolean NOT NULL
);
CREATE INDEX day_uses_by_day ON day_uses (day_us);
