-- A payment that the provider tells of without the payer's number may be the result of a collection of
-- ours: those under way are found by amount and label, however many there are. An operation that is
-- held for want of float is held for an amount.
ALTER TABLE transfers ADD COLUMN collecting TEXT;
ALTER TABLE transfers ADD COLUMN collecting_label TEXT;
CREATE INDEX transfers_collecting ON transfers (provider, collecting, no)
    WHERE collecting IS NOT NULL;
ALTER TABLE holds ADD COLUMN needed TEXT;

-- What is under way already; its label becomes exact with its next change.
UPDATE transfers SET
    collecting = (summary ->> '$.amount.currency') || ' ' || (summary ->> '$.amount.minor'),
    collecting_label = upper(replace(replace(summary ->> '$.account_no', '-', ''), ' ', ''))
WHERE is_open = 1 AND kind IN ('deposit', 'repayment')
    AND summary ->> '$.origin.from' = 'api' AND summary ->> '$.wallet_receipt' IS NULL
    AND summary ->> '$.merged_into' IS NULL;
