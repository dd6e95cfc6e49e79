-- Limits by key, how full their buckets are, and what runs have of them.
CREATE TABLE limits (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE limit_bucket (
    key   TEXT PRIMARY KEY,
    units INTEGER NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE limit_share (
    key    TEXT NOT NULL,
    run    INTEGER NOT NULL,
    in_use INTEGER NOT NULL,
    short  INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    PRIMARY KEY (key, run)
) STRICT, WITHOUT ROWID;

-- Tasks by what limits them, and the ready ones of each: those that can go on are found whatever the others wait for.
ALTER TABLE plan_task ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
CREATE INDEX task_lane ON task (run, lane, wake, ordinal) WHERE state = 1;
