"""The lab's estate: its truth, and its datasets as tables of DuckDB."""

import glob
import json
import os


class Estate:
    """An estate that `greylag lab generate` wrote, perhaps with migrated datasets."""

    def __init__(self, root):
        self.root = root
        everything = self._json("truth/repositories.json")
        self.tables = everything["tables"]
        self.repositories = [self._json(f"truth/repositories/{name}.json") for name in everything["names"]]
        with open(f"{root}/truth/datasets.ndjson", encoding="utf-8") as lines:
            self.datasets = {dataset["from"]: dataset for dataset in map(json.loads, lines)}

    def _json(self, path):
        with open(f"{self.root}/{path}", encoding="utf-8") as file:
            return json.load(file)

    def runnable(self):
        """The repositories that DuckDB can run: those in the SQL of BigQuery it cannot read, nor text files of every kind."""
        text = {name for name, truth in self.datasets.items() if truth["layout"]["format"] != "parquet"}
        return [each for each in self.repositories
                if each["dialect"] != "bigquery" and text.isdisjoint(each["reads"] + each["writes"])]

    def load(self, database, dataset, side):
        """Makes the old or the new table of a dataset from the files that are there now."""
        table = self.tables[dataset]
        name = table[side]
        database.execute(f"create schema if not exists {name.split('.')[0]}")
        database.execute(f"create table {name} as {self._old(table) if side == 'old' else self._new(dataset)}")

    def _old(self, table):
        parts = table["columns"][len(table["columns"]) - table["partitions"]:]
        return relation(f"{self.root}/{table['path']}", [name for name, _ in table["columns"]], parts)

    def _new(self, dataset):
        truth = self.datasets[dataset]
        assert truth["layout"]["format"] == "parquet", dataset
        types = {column["name"]: column["type"] for column in truth["schema"]}
        parts = [(name, types[name]) for name in truth["layout"]["partitionBy"]]
        return relation(f"{self.root}/{truth['newPath']}", list(types), parts)


def relation(place, columns, parts):
    """A query over one Parquet file, or a directory whose `parts`, names and types, are names of directories."""
    files = [place] if os.path.isfile(place) else [
        path for path in glob.glob(glob.escape(place) + "/**/*.parquet", recursive=True) if not hidden(place, path)]
    assert files, f"nothing to read at {place}"
    names = {"int8": "tinyint", "int16": "smallint", "int32": "integer", "int64": "bigint", "string": "varchar"}
    hive = ", ".join(f"{quoted(name)}: {names.get(kind, kind)}" for name, kind in parts)
    hive = f", hive_partitioning = true, hive_types = {{{hive}}}" if hive else ", hive_partitioning = false"
    paths = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    return f"select {', '.join(map(quoted, columns))} from read_parquet([{paths}]{hive})"


def hidden(place, path):
    """Whether a file below a directory is nobody's business."""
    return any(part[0] in "._" and "=" not in part for part in os.path.relpath(path, place).split("/"))


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def stay(repository):
    """The datasets that files which are for no rule read: what a person has to decide still reads the old ones."""
    hard = [file for file in repository["files"] if file["class"] in ("agentic", "judgement", "unknown")]
    return {reference["dataset"] for file in hard for reference in file["references"]}
