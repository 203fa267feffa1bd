-- Actions of persons can need a second person's approval, and are then carried out later: each has an id, a
-- version, a state and an outcome. A held operation of a provider is a case.
ALTER TABLE actions ADD COLUMN id TEXT;
ALTER TABLE actions ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE actions ADD COLUMN state TEXT NOT NULL DEFAULT 'done';
ALTER TABLE actions ADD COLUMN content TEXT NOT NULL DEFAULT '';
ALTER TABLE actions ADD COLUMN judgement TEXT;
ALTER TABLE actions ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE actions ADD COLUMN updated_us INTEGER NOT NULL DEFAULT 0;
UPDATE actions SET id = printf('00000000-0000-7000-8000-%012d', no), updated_us = at_us;
CREATE UNIQUE INDEX actions_by_id ON actions (id);
CREATE INDEX actions_by_time ON actions (at_us, no);
CREATE INDEX actions_open ON actions (at_us, no) WHERE state IN ('proposed', 'approved');
ALTER TABLE cases ADD COLUMN operation TEXT;
INSERT INTO cases (subject, kind, operation, detail, provider, opened_us)
SELECT 'hold-' || provider || '-' || replace(operation, '_', '-'), 'operation_held', operation,
    min(detail), provider, min(since_us)
FROM holds WHERE condition <> 'unreachable' GROUP BY provider, operation;
