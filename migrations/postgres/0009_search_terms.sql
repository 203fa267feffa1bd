-- Transfers are found by their account, as people have it, and by their amount. A term is written when
-- the transfer is received and when its account is found, never changed, and kept when the transfer is
-- archived.
CREATE TABLE search_terms (
    term        text   COLLATE "C" NOT NULL,
    received_us bigint NOT NULL,
    transfer_id uuid   NOT NULL,
    PRIMARY KEY (term, received_us, transfer_id)
);

-- Of transfers from before this step: amount, and the account that was found. The server refuses JSON
-- that holds a NUL anywhere, such as in a note.
INSERT INTO search_terms (term, received_us, transfer_id)
SELECT term, received_us, id
FROM (
    SELECT id, received_us, replace(summary, '\u0000', '\u0020')::json AS s FROM transfers
) AS t
CROSS JOIN LATERAL (VALUES
    ('amount ' || (s -> 'amount' ->> 'currency') || ' ' || (s -> 'amount' ->> 'minor')),
    ('account ' || (s -> 'account' ->> 'id')),
    ('account ' || ltrim(upper(replace(replace(s ->> 'account_no', '-', ''), ' ', '')), '0'))
) AS v (term)
WHERE term IS NOT NULL
ON CONFLICT DO NOTHING;
