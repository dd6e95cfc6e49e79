"""The peer of `cargo xtask bench lineitem`: DuckDB converts TPC-H lineitem and verifies the result.

Usage: lineitem_duckdb.py SOURCE.parquet TARGET_DIRECTORY THREADS

The transformation is that of `lineitem.yaml`. The verification is the same list of things that Greylag checks: rows,
and per column nulls, minimum, maximum and sum, and an order-free sum of row hashes, of what should have been written
(computed from the source) against what was (read back from the target); and the way back: the reverse expressions over
the target must give the same sum of row hashes over the source's columns. DuckDB runs with its fastest settings for
this: no insertion order, one output file a thread.
"""

import json
import sys
import time

import duckdb

FORWARD = """
    l_orderkey AS order_key, l_partkey AS part_key, l_suppkey AS supplier_key, l_linenumber,
    CAST(l_quantity AS DOUBLE) AS l_quantity, CAST(l_extendedprice AS DOUBLE) AS l_extendedprice,
    CAST(l_discount AS DOUBLE) AS l_discount, CAST(l_tax AS DOUBLE) AS l_tax,
    l_returnflag, l_linestatus,
    CAST(l_shipdate AS TIMESTAMP) AS l_shipdate, CAST(l_commitdate AS TIMESTAMP) AS l_commitdate,
    CAST(l_receiptdate AS TIMESTAMP) AS l_receiptdate,
    l_shipinstruct, l_shipmode,
    CAST(l_extendedprice AS DOUBLE) * (1 - CAST(l_discount AS DOUBLE)) AS net_price
"""
TARGET_COLUMNS = [
    "order_key", "part_key", "supplier_key", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax",
    "l_returnflag", "l_linestatus", "l_shipdate", "l_commitdate", "l_receiptdate", "l_shipinstruct", "l_shipmode",
    "net_price",
]
NUMBERS = {"order_key", "part_key", "supplier_key", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount",
           "l_tax", "net_price"}
REVERSE = """
    order_key AS l_orderkey, part_key AS l_partkey, supplier_key AS l_suppkey, l_linenumber,
    CAST(l_quantity AS DECIMAL(15,2)) AS l_quantity, CAST(l_extendedprice AS DECIMAL(15,2)) AS l_extendedprice,
    CAST(l_discount AS DECIMAL(15,2)) AS l_discount, CAST(l_tax AS DECIMAL(15,2)) AS l_tax,
    l_returnflag, l_linestatus, CAST(l_shipdate AS DATE) AS l_shipdate, CAST(l_commitdate AS DATE) AS l_commitdate,
    CAST(l_receiptdate AS DATE) AS l_receiptdate, l_shipinstruct, l_shipmode
"""
SOURCE_COLUMNS = [
    "l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax",
    "l_returnflag", "l_linestatus", "l_shipdate", "l_commitdate", "l_receiptdate", "l_shipinstruct", "l_shipmode",
]


def evidence(columns):
    parts = ["count(*)", f"sum(hash({', '.join(columns)})::HUGEINT)"]
    for column in columns:
        parts += [f"count({column})", f"min({column})", f"max({column})"]
        parts.append(f"sum({column})" if column in NUMBERS else f"sum(epoch({column}))" if "date" in column
                     else f"sum(strlen({column}))")
    return ", ".join(parts)


def same(left, right):
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= 1e-9 * max(abs(left), abs(right), 1.0)
    return left == right


def main():
    source, target, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    database = duckdb.connect()
    database.execute(f"SET threads = {threads}; SET preserve_insertion_order = false")
    started = time.monotonic()
    database.execute(
        f"COPY (SELECT {FORWARD} FROM read_parquet('{source}')) TO '{target}' "
        "(FORMAT parquet, COMPRESSION zstd, PER_THREAD_OUTPUT true)"
    )
    transformed = time.monotonic()
    files = f"{target}/*.parquet"
    expected = database.execute(
        f"SELECT {evidence(TARGET_COLUMNS)} FROM (SELECT {FORWARD} FROM read_parquet('{source}'))"
    ).fetchone()
    found = database.execute(f"SELECT {evidence(TARGET_COLUMNS)} FROM read_parquet('{files}')").fetchone()
    columns = ", ".join(SOURCE_COLUMNS)
    before = database.execute(f"SELECT sum(hash({columns})::HUGEINT) FROM read_parquet('{source}')").fetchone()
    after = database.execute(
        f"SELECT sum(hash({columns})::HUGEINT) FROM (SELECT {REVERSE} FROM read_parquet('{files}'))"
    ).fetchone()
    ended = time.monotonic()
    equal = all(same(left, right) for left, right in zip(expected, found)) and before == after
    print(json.dumps({
        "rows": found[0], "equal": equal, "transform_seconds": transformed - started,
        "verify_seconds": ended - transformed,
    }))
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
