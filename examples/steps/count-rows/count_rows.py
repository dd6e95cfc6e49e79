"""Counts the rows of the old dataset and of what was converted."""

import json
import sys

import lines


def say(**line):
    print(json.dumps(line), flush=True)


step = json.load(sys.stdin)
before = lines.count(step["source"]["path"])
say(progress={"rows": before})
after = lines.count(step["staging"])
say(progress={"rows": before + after})
say(evidence={"before": before, "after": after})
say(check={
    "name": "rows",
    "verdict": "pass" if before == after else "fail",
    "detail": f"{before} rows before, {after} after",
})
least = step["inputs"]["least"]
if after < least:
    say(error={
        "class": "permanent",
        "message": f"there are {after} rows, fewer than {least}",
        "hints": ["lower `least`, or look for what is missing in the source"],
    })
else:
    say(result={"rows": after})
