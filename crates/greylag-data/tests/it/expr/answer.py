"""Runs queries for the conformance suite: JSON lines in (id, sql), JSON lines out (id, error or null)."""

import json
import sys

import duckdb

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.execute("SET threads = 1")
for line in sys.stdin:
    task = json.loads(line)
    try:
        connection.execute(task["sql"])
        error = None
    except duckdb.Error as raised:
        error = str(raised).splitlines()[0]
    print(json.dumps({"id": task["id"], "error": error}), flush=False)
