"""Plants wrong edits in rewritten trees and shows that the comparison notices them."""

import json
import os
import re
import shutil
import sys

import duckdb

from build import Task, build_all
from compare import compare
from estate import Estate


def column(estate, file, edit, text):
    """Another column of the same type, of the same table."""
    for reference in over(file, edit):
        schema = estate.datasets[reference["dataset"]]["schema"]
        types = {each["name"]: each["type"] for each in schema}
        word = next((word for word in re.findall(r"\w+", text) if word in types), None)
        other = next((name for name in types if name != word and types[name] == types.get(word)), None)
        if word and other and re.fullmatch(r"\w+", other):
            return re.sub(rf"\b{word}\b", other, text, count=1)
    return None


def table(estate, file, edit, text):
    """Another table of the same repository and schema."""
    names = {each["new"] for each in estate.tables.values()}
    for reference in over(file, edit):
        schema, name = estate.tables[reference["dataset"]]["new"].split(".")
        read = {estate.tables[each]["new"] for each in estate.reads}
        others = sorted(each.split(".")[1] for each in names & read if each.startswith(f"{schema}.") and each != f"{schema}.{name}")
        if name in text and others:
            return text.replace(name, others[0], 1)
    return None


def missed(estate, file, edit, text):
    """The old text, as if the place had not been found."""
    return None if edit.get("optional") else file["text"][edit["start"]:edit["end"]].decode()


def over(file, edit):
    """The references that an edit changes."""
    return [each for each in file["references"] if each["start"] < edit["end"] and edit["start"] < each["end"]]


def dropped_filter(text):
    """The text without the first condition that stands on one line."""
    pattern = rb"(?im)^[ \t]*where [^\n;]*(?=\r?\n[ \t]*(?:group|order|limit|$)|;|\Z)"
    new = re.sub(pattern, b"", text, count=1)
    return new if new != text else None


def edited(file, planted=None, by=None):
    """The rewritten text, with one edit made wrong."""
    out, at = b"", 0
    for edit in file["edits"]:
        if edit.get("optional"):
            continue
        out += file["text"][at:edit["start"]] + (by if edit is planted else edit["new"]).encode()
        at = edit["end"]
    return out + file["text"][at:]


def mutants(estate, repository, old, new, kind):
    """Files of a repository with one wrong edit of a kind: path and text."""
    estate.reads = repository["reads"]
    for file in repository["files"]:
        # Rows that go through narrowed values are not compared, so nothing could be noticed there.
        if file["class"] != "mechanical" or file.get("lossy") or file.get("moved") or not file["path"].endswith((".sql", ".yml")):
            continue
        file["text"], rewritten = read(f"{old}/{file['path']}"), read(f"{new}/{file['path']}")
        if kind == "filter":
            text = dropped_filter(rewritten) if file["path"].endswith(".sql") else None
            if text:
                yield file["path"], text
            continue
        if edited(file) != rewritten:
            continue
        for edit in file["edits"]:
            by = {"column": column, "table": table, "missed": missed}[kind](estate, file, edit, edit["new"])
            if by is not None and by != edit["new"]:
                yield file["path"], edited(file, edit, by)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def plant(tree, copy, path, text):
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(tree, copy)
    with open(f"{copy}/{path}", "wb") as file:
        file.write(text)


def twin(task, path, old):
    """The old tree without the same condition, on the old tables: if that changes nothing either, all rows meet it."""
    name, place = task.repository["name"], f"{task.place}.twin"
    plant(f"{old}/{name}", f"{place}.mutant", path, dropped_filter(read(f"{old}/{name}/{path}")))
    return Task(task.repository, f"{place}.mutant", place, "old")


def noticed(estate, task, before, failed):
    if task.place in failed:
        return "not built"
    try:
        return "differs" if compare(estate, task.repository, before, task.database)["differences"] else "unnoticed"
    except duckdb.Error:
        # A view that was made, and that nobody can read.
        return "not read"


KINDS = ["column", "table", "missed", "filter"]


if __name__ == "__main__":
    # ESTATE OLD NEW BEFORE OUT N: plants at most N wrong edits in each repository's rewritten tree, of each kind in turn,
    # builds each on the new tables and compares with `BEFORE`, what the old trees made.
    root, old, new, before, out, most = sys.argv[1:]
    estate = Estate(os.path.abspath(root))
    planted = []
    for number, repository in enumerate(estate.runnable()):
        name = repository["name"]
        for turn in range(int(most)):
            kind = KINDS[(number + turn) % len(KINDS)]
            every = list(mutants(estate, repository, f"{old}/{name}", f"{new}/{name}", kind))
            if not every:
                continue
            path, text = every[(number + turn // len(KINDS)) % len(every)]
            place = f"{out}/{name}.{turn}"
            os.makedirs(out, exist_ok=True)
            plant(f"{new}/{name}", f"{place}.mutant", path, text)
            planted.append((kind, path, Task(repository, f"{place}.mutant", place, "new")))
    twins = {task.place: twin(task, path, old) for kind, path, task in planted if kind == "filter"}
    failed = build_all(estate, [task for _, _, task in planted] + list(twins.values()))
    found = []
    for kind, path, task in planted:
        name = task.repository["name"]
        how = noticed(estate, task, f"{before}/{name}.duckdb", failed)
        if how == "unnoticed" and kind == "filter" and noticed(estate, twins[task.place], f"{before}/{name}.duckdb", failed) == how:
            how = "equivalent"
        found.append({"kind": kind, "file": f"{name}/{path}", "place": task.place, "how": how})
    print(json.dumps(found))
