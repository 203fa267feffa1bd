-- Actions of persons can need a second person's approval, and are then carried out later: each has an id, a
-- version, a state and an outcome. A held operation of a provider is a case.
ALTER TABLE actions
    ADD COLUMN id text COLLATE "C",
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN state text NOT NULL DEFAULT 'done',
    ADD COLUMN content text NOT NULL DEFAULT '',
    ADD COLUMN judgement text,
    ADD COLUMN detail text NOT NULL DEFAULT '',
    ADD COLUMN updated_us bigint NOT NULL DEFAULT 0;
UPDATE actions SET id = '00000000-0000-7000-8000-' || lpad(no::text, 12, '0'), updated_us = at_us;
CREATE UNIQUE INDEX actions_by_id ON actions (id);
CREATE INDEX actions_by_time ON actions (at_us, no);
CREATE INDEX actions_open ON actions (at_us, no) WHERE state IN ('proposed', 'approved');
ALTER TABLE cases ADD COLUMN operation text;
INSERT INTO cases (subject, kind, operation, detail, provider, opened_us)
SELECT 'hold-' || provider || '-' || replace(operation, '_', '-'), 'operation_held', operation,
    min(detail), provider, min(since_us)
FROM holds WHERE condition <> 'unreachable' GROUP BY provider, operation;
