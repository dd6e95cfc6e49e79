-- Steps that were done when a task was furthest, so that one that goes back unblocks nothing a second time.
ALTER TABLE task ADD COLUMN furthest INTEGER NOT NULL DEFAULT 0;
UPDATE task SET furthest = step WHERE direction = 0;
