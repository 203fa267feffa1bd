-- Transfers are found by their account, as people have it, and by their amount. A term is written when
-- the transfer is received and when its account is found, never changed, and kept when the transfer is
-- archived.
CREATE TABLE search_terms (
    term        TEXT    NOT NULL,
    received_us INTEGER NOT NULL,
    transfer_id TEXT    NOT NULL,
    PRIMARY KEY (term, received_us, transfer_id)
) STRICT, WITHOUT ROWID;

-- Of transfers from before this step: amount, and the account that was found.
INSERT INTO search_terms (term, received_us, transfer_id)
SELECT 'amount ' || (summary ->> '$.amount.currency') || ' ' || (summary ->> '$.amount.minor'),
    received_us, id
FROM transfers
UNION
SELECT 'account ' || (summary ->> '$.account.id'), received_us, id
FROM transfers WHERE summary ->> '$.account.id' IS NOT NULL
UNION
SELECT 'account '
    || ltrim(upper(replace(replace(summary ->> '$.account_no', '-', ''), ' ', '')), '0'),
    received_us, id
FROM transfers WHERE summary ->> '$.account_no' IS NOT NULL;
