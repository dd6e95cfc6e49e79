"""Rows of CSV files: records, as values may hold line breaks."""

import csv
import pathlib


def count(path):
    path = pathlib.Path(path)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    total = 0
    for file in files:
        with open(file, newline="", encoding="utf-8") as text:
            # The first record is the header.
            total += max(0, sum(1 for _ in csv.reader(text)) - 1)
    return total
