"""The peer of `cargo xtask bench small`: one of several Python processes that convert and verify small datasets.

Usage: small_duckdb.py ESTATE SUFFIX PART PARTS

Converts every PARTS-th dataset of a uniform estate (from PART on) into a sibling named with SUFFIX, and verifies each:
rows, and per column nulls, minimum, maximum and sum, and an order-free sum of row hashes, of what should have been
written (computed from the source) against what was (read back); and the way back: the reverse expressions over the
target must give the same sum of row hashes over the source's columns. The statements are prepared texts, the connection
is reused, and each process uses one thread: small files have no use for more.
"""

import glob
import json
import sys

import duckdb

FORWARD = """
    id, CAST(uid AS BIGINT) AS user_id, CAST(amount AS DOUBLE) AS amount, CAST(tax AS DECIMAL(15,2)) AS tax,
    ts AS created_at, CAST(day AS TIMESTAMP) AS day, active, country, name, qty AS quantity, price
"""
TARGET = ["id", "user_id", "amount", "tax", "created_at", "day", "active", "country", "name", "quantity", "price"]
TEXT = {"country", "name"}
TIME = {"created_at", "day"}
REVERSE = """
    id, CAST(user_id AS INTEGER) AS uid, CAST(amount AS DECIMAL(12,2)) AS amount, CAST(tax AS DECIMAL(12,2)) AS tax,
    created_at AS ts, CAST(day AS DATE) AS day, active, country, name, quantity AS qty, price
"""
SOURCE = ["id", "uid", "amount", "tax", "ts", "day", "active", "country", "name", "qty", "price"]


def evidence():
    parts = ["count(*)", f"sum(hash({', '.join(TARGET)})::HUGEINT)"]
    for column in TARGET:
        parts += [f"count({column})", f"min({column})", f"max({column})"]
        if column in TEXT:
            parts.append(f"sum(strlen({column}))")
        elif column in TIME:
            parts.append(f"sum(epoch_us({column})::HUGEINT)")
        elif column == "active":
            parts.append(f"sum({column}::INTEGER)")
        else:
            parts.append(f"sum({column})")
    return ", ".join(parts)


def same(left, right):
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= 1e-9 * max(abs(left), abs(right), 1.0)
    return left == right


def main():
    estate, suffix, part, parts = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    sources = sorted(path for path in glob.glob(f"{estate}/data/**/*_v1.parquet", recursive=True))[part::parts]
    database = duckdb.connect()
    database.execute("SET threads = 1")
    expected_sql, columns = evidence(), ", ".join(SOURCE)
    for source in sources:
        target = (source.removesuffix("_v1.parquet") + suffix).replace("'", "''")
        source = source.replace("'", "''")
        database.execute(
            f"COPY (SELECT {FORWARD} FROM read_parquet('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )
        expected = database.execute(
            f"SELECT {expected_sql} FROM (SELECT {FORWARD} FROM read_parquet('{source}'))"
        ).fetchone()
        found = database.execute(f"SELECT {expected_sql} FROM read_parquet('{target}')").fetchone()
        before = database.execute(f"SELECT sum(hash({columns})::HUGEINT) FROM read_parquet('{source}')").fetchone()
        after = database.execute(
            f"SELECT sum(hash({columns})::HUGEINT) FROM (SELECT {REVERSE} FROM read_parquet('{target}'))"
        ).fetchone()
        if not all(same(left, right) for left, right in zip(expected, found)) or before != after:
            sys.exit(f"{target} differs")
    print(json.dumps({"datasets": len(sources)}))


if __name__ == "__main__":
    main()
