"""Two versions of a table of narrow rows: the second one shuffled, with 400 rows changed, 300 removed and 300 added.

diff_large_data.py ROWS LEFT RIGHT   of each row an int64 key, an int64, a float64 and a short string
"""

import sys

import duckdb

rows, left, right = int(sys.argv[1]), sys.argv[2], sys.argv[3]
connection = duckdb.connect()
connection.execute("SET memory_limit = '4GB'")
connection.execute(f"SET temp_directory = '{right}.tmp'")
parquet = "(FORMAT parquet, COMPRESSION zstd)"
columns = """
    (hash(id) % 1000000)::BIGINT AS amount,
    (hash(id + 1) % 1000000000) / 100.0::DOUBLE AS price,
    'n' || (hash(id + 2) % 100000) AS name
"""
made = f"SELECT range::BIGINT AS id, {columns.replace('id', 'range')}"
connection.execute(f"COPY ({made} FROM range({rows})) TO '{left}' {parquet}")
# Every so many rows one is picked: of a thousand picks 300 are removed, 400 are changed, and the rest stay as they are.
every = rows // 1000
picked = f"CASE WHEN id % {every} = {every // 2} THEN id // {every} ELSE 1000 END"
connection.execute(
    f"""
    COPY (
        SELECT id, amount + CASE WHEN pick < 700 THEN 1 ELSE 0 END AS amount, price, name
        FROM (SELECT *, {picked} AS pick FROM read_parquet('{left}')) WHERE pick >= 300
        UNION ALL
        {made} FROM range({rows}, {rows + 300})
        ORDER BY hash(id + 3)
    ) TO '{right}' {parquet}
    """
)
