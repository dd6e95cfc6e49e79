"""Runs the jobs of an estate twice and compares what they make.

The old code on the old tables, the expected code on the new ones: every table and view that a job makes must have the
same columns and rows. Jobs in the SQL of BigQuery are left out: DuckDB does not read it. So are files that the truth
calls unknown, and rows that go through values that the migration narrows.
"""

import glob
import json
import os
import sys

import duckdb

estate = sys.argv[1]


def truth(path):
    with open(f"{estate}/truth/{path}", encoding="utf-8") as file:
        return json.load(file)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def old_rows(table):
    """The old dataset as a relation: one file, or a directory whose last columns are names of directories."""
    place = f"{estate}/{table['path']}"
    hidden = lambda path: any(part[0] in "._" and "=" not in part for part in os.path.relpath(path, place).split("/"))
    files = [place] if os.path.isfile(place) else [
        path for path in glob.glob(glob.escape(place) + "/**/*.parquet", recursive=True) if not hidden(path)]
    names = {"int32": "integer", "int64": "bigint", "string": "varchar"}
    types = table["columns"][len(table["columns"]) - table["partitions"]:]
    hive = ", ".join(f"{quoted(name)}: {names.get(kind, kind)}" for name, kind in types)
    hive = f", hive_partitioning=true, hive_types={{{hive}}}" if hive else ""
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    columns = ", ".join(quoted(name) for name, _ in table["columns"])
    return f"select {columns} from read_parquet([{files}]{hive})"


def run(repository, tables, side):
    """A database with the datasets, after all jobs of the repository have run there.

    Beside the new tables stand the old ones: what a person has to decide still reads those.
    """
    database = duckdb.connect()
    database.execute("set timezone = 'UTC'")
    for dataset in repository["reads"] + repository["writes"]:
        table = tables[dataset]
        new_rows = f"select * from read_parquet('{estate}/truth/rows/{table['number']:05}.parquet')"
        database.execute(f"create schema if not exists {table['old'].split('.')[0]}")
        database.execute(f"create table {table['old']} as {old_rows(table)}")
        if side == "new":
            database.execute(f"create table {table['new']} as {new_rows}")
    for file in sorted(repository["files"], key=lambda file: file["path"]):
        if file["path"].endswith(".sql") and file["class"] != "unknown":
            kind = "new" if side == "new" and "new" in file else "old"
            with open(f"{estate}/truth/repositories/{repository['name']}/{kind}/{file['path']}", newline="") as sql:
                database.execute(sql.read())
    return database


def made(database):
    names = "select table_name from information_schema.tables where table_schema = 'work' order by 1"
    return [name for (name,) in database.execute(names).fetchall()]


def rows(database, name):
    described = database.execute(f"describe work.{quoted(name)}").fetchall()
    columns = [(column[0].lower(), column[1]) for column in described]
    # As text, which needs no module for time zones here.
    values = ", ".join(f"cast({quoted(column[0])} as varchar)" for column in described)
    return columns, sorted(map(repr, database.execute(f"select {values} from work.{quoted(name)}").fetchall()))


compared = 0
everything = truth("repositories.json")
for name in everything["names"]:
    repository = truth(f"repositories/{name}.json")
    if repository["kind"] == "dbt" or repository["dialect"] == "bigquery":
        continue
    old, new = run(repository, everything["tables"], "old"), run(repository, everything["tables"], "new")
    lossy = {os.path.basename(file["path"])[:-4] for file in repository["files"] if file.get("lossy")}
    assert made(old) == made(new), name
    for table in made(old):
        before, after = rows(old, table), rows(new, table)
        assert [column for column, _ in before[0]] == [column for column, _ in after[0]], (name, table)
        assert table in lossy or before == after, (name, table, before[0], after[0])
        compared += 1
print(compared)
