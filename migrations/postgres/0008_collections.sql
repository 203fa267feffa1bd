-- A payment that the provider tells of without the payer's number may be the result of a collection of
-- ours: those under way are found by amount and label, however many there are. An operation that is
-- held for want of float is held for an amount.
ALTER TABLE transfers ADD COLUMN collecting text COLLATE "C";
ALTER TABLE transfers ADD COLUMN collecting_label text COLLATE "C";
CREATE INDEX transfers_collecting ON transfers (provider, collecting, no)
    WHERE collecting IS NOT NULL;
ALTER TABLE holds ADD COLUMN needed text COLLATE "C";

-- What is under way already; its label becomes exact with its next change. The server refuses JSON that
-- holds a NUL anywhere, such as in a note.
UPDATE transfers SET
    collecting = (s -> 'amount' ->> 'currency') || ' ' || (s -> 'amount' ->> 'minor'),
    collecting_label = upper(replace(replace(s ->> 'account_no', '-', ''), ' ', ''))
FROM (
    SELECT no AS of_no, replace(summary, '\u0000', '\u0020')::json AS s FROM transfers WHERE is_open
) AS t
WHERE of_no = no AND kind IN ('deposit', 'repayment')
    AND s -> 'origin' ->> 'from' = 'api' AND s ->> 'wallet_receipt' IS NULL
    AND s ->> 'merged_into' IS NULL;
