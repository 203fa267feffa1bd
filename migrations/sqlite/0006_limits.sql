-- What wallets and the organisation moved on each day, where a provider bounds that: a change is judged
-- by it in its own transaction. Kept from the day on which a limit is set; rows of days that are over
-- go away as new ones come. `day_us` is the first moment of the provider's day.

-- `wallet` is empty where the organisation as a whole is counted.
CREATE TABLE day_totals (
    day_us    INTEGER NOT NULL,
    provider  TEXT    NOT NULL,
    operation TEXT    NOT NULL,
    currency  TEXT    NOT NULL,
    wallet    TEXT    NOT NULL,
    minor     INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (day_us, provider, operation, currency, wallet)
) STRICT, WITHOUT ROWID;

-- On which day a transfer counts, and whether for its wallet and for the organisation.
CREATE TABLE day_uses (
    transfer_id  TEXT    NOT NULL,
    day_us       INTEGER NOT NULL,
    wallet       INTEGER NOT NULL,
    organisation INTEGER NOT NULL,
    PRIMARY KEY (transfer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX day_uses_by_day ON day_uses (day_us);
