"""Two versions of a Parquet file: the second one shuffled, with 400 rows changed, 300 removed and 300 added.

diff_data.py SOURCE LEFT RIGHT   for TPC-H's lineitem
"""

import sys

import duckdb

source, left, right = sys.argv[1:4]
connection = duckdb.connect()
parquet = "(FORMAT parquet, COMPRESSION zstd)"
connection.execute(f"COPY (FROM read_parquet('{source}')) TO '{left}' {parquet}")
connection.execute(f"CREATE TABLE rows AS FROM read_parquet('{source}')")
connection.execute(
    """
    CREATE TABLE picked AS
    SELECT l_orderkey, l_linenumber, row_number() OVER (ORDER BY hash(l_orderkey, l_linenumber)) AS number
    FROM rows QUALIFY number <= 700
    """
)
of = "(l_orderkey, l_linenumber) IN (SELECT (l_orderkey, l_linenumber) FROM picked WHERE number"
connection.execute(f"DELETE FROM rows WHERE {of} <= 300)")
connection.execute(f"UPDATE rows SET l_quantity = l_quantity + 1 WHERE {of} > 300)")
connection.execute("INSERT INTO rows SELECT l_orderkey + 1000000000, * EXCLUDE (l_orderkey) FROM rows LIMIT 300")
connection.execute(f"COPY (FROM rows ORDER BY hash(l_linenumber, l_orderkey)) TO '{right}' {parquet}")
