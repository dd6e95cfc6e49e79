-- Names of runs that were removed: a name is used once, because effects in the world are named after it.
CREATE TABLE removed_run (
    id         TEXT PRIMARY KEY,
    removed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
