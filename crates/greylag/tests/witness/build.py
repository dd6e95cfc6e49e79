"""Builds trees of code against tables: dbt projects with dbt itself, jobs by running their files in order."""

import glob
import multiprocessing
import os
import shutil
import sys
import traceback

import duckdb
from dbt.cli.main import dbtRunner
import dbt.adapters.duckdb  # noqa: F401, here once and not in each process

from estate import Estate, stay


class Task:
    """A tree of a repository, to be built into a database of its own."""

    def __init__(self, repository, tree, place, side):
        self.repository, self.side = repository, side
        self.tree, self.place = os.path.abspath(tree), os.path.abspath(place)
        self.database = self.place + ".duckdb"
        self.log = self.place + ".log"


def build_all(estate, tasks):
    """Builds all; answers what was said of those that failed.

    dbt takes longer to start than to build a small project, and keeps one connection for as long as it lives. So it is
    loaded once, and each project is built in a fork of that process.
    """
    context = multiprocessing.get_context("fork")
    with context.Pool(2, maxtasksperchild=1) as pool:
        said = pool.starmap(build, [(estate, task) for task in tasks], chunksize=1)
    return {task.place: error for task, error in zip(tasks, said) if error}


def build(estate, task):
    """The end of the log of what failed, or nothing."""
    os.makedirs(os.path.dirname(task.place), exist_ok=True)
    log = os.open(task.log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        load(estate, task)
        dbt_project(task) if task.repository["kind"] == "dbt" else jobs(task)
        return None
    except Exception:
        traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        with open(task.log, encoding="utf-8", errors="replace") as text:
            return text.read()[-3000:]


def load(estate, task):
    """The tables that the tree may read. After the migration the old ones are gone, but for those that files for no rule read."""
    database = connect(task.database)
    left = stay(task.repository)
    for dataset in task.repository["reads"] + task.repository["writes"]:
        if task.side == "new":
            estate.load(database, dataset, "new")
        if task.side == "old" or dataset in left:
            estate.load(database, dataset, "old")
    database.close()


def connect(path):
    if os.path.exists(path):
        os.remove(path)
    database = duckdb.connect(path, config={"threads": 1})
    database.execute("set timezone = 'UTC'")
    return database


def dbt_project(task):
    """`dbt build` in a copy of the tree, so that the tree itself stays as it was rewritten."""
    copy = task.place + ".tree"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(task.tree, copy)
    os.chdir(copy)
    os.environ.update(WAREHOUSE=task.database, DBT_SEND_ANONYMOUS_USAGE_STATS="false", TZ="UTC")
    commands = [["deps"]] if os.path.exists("packages.yml") else []
    for command in commands + [["build", "--threads", "1", "--no-partial-parse"]]:
        result = dbtRunner().invoke(["--no-use-colors", *command, "--profiles-dir", copy, "--project-dir", copy])
        if not result.success:
            raise RuntimeError(f"dbt {command[0]}: {result.exception or 'failed'}")


def jobs(task):
    """Runs the files of a folder of SQL in the order of their names, but for those that are no SQL."""
    unreadable = {file["path"] for file in task.repository["files"] if file["class"] == "unknown"}
    database = duckdb.connect(task.database, config={"threads": 1})
    database.execute("set timezone = 'UTC'")
    for path in sorted(glob.glob(glob.escape(task.tree) + "/**/*.sql", recursive=True)):
        if os.path.relpath(path, task.tree) not in unreadable:
            print(path, flush=True)
            with open(path, encoding="utf-8", newline="") as sql:
                database.execute(sql.read())
    database.close()


if __name__ == "__main__":
    # ESTATE TREES OUT SIDE: builds `TREES/<name>` into `OUT/<name>.duckdb` on the `old` or the `new` tables.
    root, trees, out, side = sys.argv[1:]
    estate = Estate(os.path.abspath(root))
    tasks = [Task(each, f"{trees}/{each['name']}", f"{out}/{each['name']}", side) for each in estate.runnable()]
    failed = build_all(estate, tasks)
    for place, error in failed.items():
        print(f"{place}:\n{error}\n", file=sys.stderr)
    sys.exit(1 if failed else 0)
