"""The peer of `cargo xtask bench steps`: DBOS on SQLite runs workflows of small durable steps.

Usage: steps_dbos.py DATABASE.sqlite WORKFLOWS STEPS_PER_WORKFLOW THREADS

Prints the durable steps per second of its best concurrency, given as THREADS.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS

DATABASE, WORKFLOWS, STEPS, THREADS = sys.argv[1], *map(int, sys.argv[2:5])

DBOS(config={"name": "steps", "system_database_url": f"sqlite:///{DATABASE}", "log_level": "ERROR",
             "run_admin_server": False})


@DBOS.step()
def step(number):
    return number + 1


@DBOS.workflow()
def workflow(number):
    for _ in range(STEPS):
        number = step(number)
    return number


def main():
    DBOS.launch()
    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(workflow, range(WORKFLOWS)))
    seconds = time.monotonic() - started
    assert results == [number + STEPS for number in range(WORKFLOWS)]
    print(json.dumps({"steps": WORKFLOWS * STEPS, "seconds": seconds, "steps_per_second": WORKFLOWS * STEPS / seconds}))
    DBOS.destroy()


if __name__ == "__main__":
    main()
