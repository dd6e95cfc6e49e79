"""Compares everything that two builds of an estate's code made, in DuckDB."""

import json
import os
import sys

import duckdb

from estate import Estate, quoted


def compare(estate, repository, before, after):
    """How many relations two databases have in common, how many of those by name and type only, and how they differ."""
    database = duckdb.connect(config={"threads": 1})
    database.execute("set timezone = 'UTC'")
    database.execute(f"attach '{before}' as before (read_only)")
    database.execute(f"attach '{after}' as after (read_only)")
    datasets = repository["reads"] + repository["writes"]
    tables = {tuple(estate.tables[dataset][side].split(".")) for dataset in datasets for side in ("old", "new")}
    old, new = (made(database, side) - tables for side in ("before", "after"))
    differences = [f"{name} is only {side}" for side, only in (("before", old - new), ("after", new - old)) for name in sorted(only)]
    lossy = {os.path.basename(file["path"]).rsplit(".", 1)[0] for file in repository["files"] if file.get("lossy")}
    for schema, name in sorted(old & new):
        difference = differ(database, f"{quoted(schema)}.{quoted(name)}", name in lossy)
        if difference:
            differences.append(f"{schema}.{name}: {difference}")
    if tests(before) != tests(after):
        differences.append(f"dbt's tests said {tests(before)}, and now {tests(after)}")
    return {"relations": len(old & new), "lossy": sum(name in lossy for _, name in old & new), "differences": differences}


def tests(database):
    """What dbt's tests said beside a build: states and numbers of failures. Their names have columns in them."""
    path = database.removesuffix(".duckdb") + ".tree/target/run_results.json"
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        results = [each for each in json.load(file)["results"] if each["unique_id"].startswith("test.")]
    return sorted((each["status"], each["failures"] or 0) for each in results)


def made(database, side):
    """Schemas and names of all tables and views."""
    query = f"select table_schema, table_name from information_schema.tables where table_catalog = '{side}'"
    return set(database.execute(query).fetchall())


def differ(database, name, lossy):
    """How a relation differs before and after: in names and types, or in its rows as multisets."""
    before, after = (columns(database, f"{side}.{name}") for side in ("before", "after"))
    if before != after:
        return f"columns {before} became {after}"
    if lossy:
        return None
    # What dbt itself writes into snapshots are times of the build.
    names = ", ".join(quoted(column) for column, _ in before if not column.startswith("dbt_"))
    gone = count(database, f"select {names} from before.{name} except all select {names} from after.{name}")
    come = count(database, f"select {names} from after.{name} except all select {names} from before.{name}")
    return f"{gone} rows are gone, {come} are new" if gone or come else None


def columns(database, name):
    description = database.execute(f"select * from {name} limit 0").description
    return [(column[0].lower(), str(column[1])) for column in description]


def count(database, query):
    return database.execute(f"select count(*) from ({query})").fetchone()[0]


if __name__ == "__main__":
    # ESTATE BEFORE AFTER: compares `BEFORE/<name>.duckdb` with `AFTER/<name>.duckdb` of every repository.
    root, before, after = sys.argv[1:]
    estate = Estate(os.path.abspath(root))
    found = {}
    for repository in estate.runnable():
        name = f"{repository['name']}.duckdb"
        found[repository["name"]] = compare(estate, repository, f"{before}/{name}", f"{after}/{name}")
    print(json.dumps(found))
