"""Which rows of two Parquet files differ: a full outer join in DuckDB.

diff_duckdb.py LEFT RIGHT KEY[,KEY] THREADS [BYTES SPILL]   prints changed, removed and added rows

BYTES of memory at most, the rest below the directory SPILL.
"""

import sys

import duckdb

left, right, keys, threads, *within = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"SET threads = {int(threads)}")
if within:
    connection.execute(f"SET memory_limit = '{int(within[0])}B'")
    connection.execute(f"SET temp_directory = '{within[1]}'")
columns = [row[0] for row in connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [left]).fetchall()]
keys = keys.split(",")
join = " AND ".join(f'l."{key}" = r."{key}"' for key in keys)
differs = " OR ".join(f'l."{name}" IS DISTINCT FROM r."{name}"' for name in columns if name not in keys)
shown = ", ".join(f'l."{name}", r."{name}"' for name in columns)
rows = connection.execute(
    f"""
    SELECT {shown}
    FROM read_parquet(?) l FULL OUTER JOIN read_parquet(?) r ON {join}
    WHERE l."{keys[0]}" IS NULL OR r."{keys[0]}" IS NULL OR {differs}
    """,
    [left, right],
).fetchall()
at = 2 * columns.index(keys[0])
removed = sum(row[at + 1] is None for row in rows)
added = sum(row[at] is None for row in rows)
print(len(rows) - removed - added, removed, added)
