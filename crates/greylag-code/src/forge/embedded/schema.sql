CREATE TABLE repository (
    name TEXT PRIMARY KEY,
    policy TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
    repository TEXT NOT NULL REFERENCES repository (name),
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    branch TEXT NOT NULL,
    base TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    -- opening, open, closed, merged
    state TEXT NOT NULL,
    -- Where the branch was last.
    head TEXT NOT NULL,
    -- The commit that merges it, or will.
    merge_commit TEXT,
    reverts INTEGER,
    PRIMARY KEY (repository, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX change_key ON change (repository, key) WHERE key <> '';
CREATE INDEX change_state ON change (state, repository, number);

-- The heads that were meant for a change request's branch: what is at one of them is ours.
CREATE TABLE meant (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    PRIMARY KEY (repository, number, head)
) STRICT, WITHOUT ROWID;

CREATE TABLE check_of (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (repository, number, head, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (
    id INTEGER PRIMARY KEY,
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    head TEXT NOT NULL,
    by TEXT NOT NULL,
    UNIQUE (repository, number, head, by)
) STRICT;

CREATE TABLE comment (
    id INTEGER PRIMARY KEY,
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    by TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (repository, number, key)
) STRICT;
