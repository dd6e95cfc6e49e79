CREATE TABLE schema_version (version INTEGER PRIMARY KEY) STRICT;

-- Plans: a header, and a row per task so that one task is loaded alone.
CREATE TABLE plan (
    key       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    migration TEXT NOT NULL,
    header    TEXT NOT NULL
) STRICT;

CREATE TABLE plan_task (
    plan     INTEGER NOT NULL REFERENCES plan (key),
    ordinal  INTEGER NOT NULL,
    id       TEXT NOT NULL,
    steps    INTEGER NOT NULL,
    waits    INTEGER NOT NULL, -- for how many phases of other tasks
    awaited  INTEGER NOT NULL, -- whether another task waits for one of its phases
    body     TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX plan_task_ordinal ON plan_task (plan, ordinal);
CREATE UNIQUE INDEX plan_task_id ON plan_task (plan, id);

CREATE TABLE plan_dependency (
    plan     INTEGER NOT NULL,
    upstream INTEGER NOT NULL,
    phase    INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    PRIMARY KEY (plan, upstream, phase, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_dependency_ordinal ON plan_dependency (plan, ordinal);

-- Runs: the fold of their events, with tasks counted by state.
CREATE TABLE run (
    key          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    plan         INTEGER NOT NULL REFERENCES plan (key),
    state        INTEGER NOT NULL,
    goal         INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    worker       TEXT,
    last_seq     INTEGER NOT NULL,
    pending      INTEGER NOT NULL,
    ready        INTEGER NOT NULL,
    running      INTEGER NOT NULL,
    waiting      INTEGER NOT NULL,
    stale        INTEGER NOT NULL,
    succeeded    INTEGER NOT NULL,
    failed       INTEGER NOT NULL,
    quarantined  INTEGER NOT NULL,
    skipped      INTEGER NOT NULL,
    undone       INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    chunks       INTEGER NOT NULL,
    chunks_total INTEGER NOT NULL,
    steps_done   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;

-- A worker's heartbeat: one row however many leases it holds.
CREATE TABLE worker (
    id    TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tasks of runs: the fold of their events. The second key is also the queue.
CREATE TABLE task (
    run          INTEGER NOT NULL,
    ordinal      INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    direction    INTEGER NOT NULL,
    step         INTEGER NOT NULL,
    begun        INTEGER NOT NULL,
    attempt      INTEGER NOT NULL,
    failures     INTEGER NOT NULL,
    lost         INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    attempt_at   INTEGER NOT NULL,
    worker       TEXT,
    approved     INTEGER NOT NULL,
    blocked_by   INTEGER NOT NULL,
    wake         INTEGER,
    handle       TEXT,
    error        TEXT,
    rows         INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    chunks       INTEGER NOT NULL,
    chunks_total INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    live         TEXT, -- no part of the fold: what the attempt under way has told
    PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_queue ON task (run, state, wake, ordinal);

-- The journal.
CREATE TABLE event (
    run     INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    ordinal INTEGER, -- none: of the run itself
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- Notes of attempts.
CREATE TABLE chunk (
    run       INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    step      INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    name      TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (run, ordinal, step, direction, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE output (
    run     INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    uses    TEXT NOT NULL,
    step    INTEGER NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (run, ordinal, uses)
) STRICT, WITHOUT ROWID;

-- What people want of runs, until it is met.
CREATE TABLE request (
    key  INTEGER PRIMARY KEY AUTOINCREMENT,
    run  INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX request_run ON request (run, key);
