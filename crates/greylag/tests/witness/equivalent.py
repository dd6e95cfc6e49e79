"""Judges whether two texts give the same, in DuckDB, on rows that are drawn here.

Reads from standard input {"seeds": [..], "rows": n, "tables": {name: [[column, type], ..]}, "cases": [{"dialect", "right", "wrong"}, ..]}
and writes a list with one of ["equal", ""], ["different", why] or ["unrun", why] for each case. `right` and `wrong` read the same new
tables. Nothing of Greylag is used: not its rows, its engine, its parser or its comparison. What DuckDB cannot be made to run by
a few plain replacements is "unrun", as is a pair that never gives a row.
"""

import datetime
import decimal
import json
import random
import re
import sys
from collections import Counter

import duckdb

BEGUN = datetime.datetime(2024, 1, 1)
NAME = r'(?:"[^"]+"|[A-Za-z_][\w$-]*)'
RELATION = re.compile(
    r"\b(?:from|join|into|update|using|truncate\s+table|truncate)\s+(?:only\s+)?(" + NAME + r"(?:\." + NAME + r"){0,2})(?!\s*\()", re.I
)
MADE = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?(" + NAME + r"(?:\." + NAME + r"){0,2})", re.I)
# Whole numbers have one type there, so that a width is nothing that readers see.
ONE_WIDTH = ("bigquery", "snowflake", "generic")


class Unrun(Exception):
    """DuckDB cannot be made to run it."""


def plain(text, dialect):
    """The text without templates' calls, in DuckDB's quotes."""
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.S)
    text = re.sub(r"\{\{\s*config\(.*?\)\s*\}\}", "", text, flags=re.S)
    text = re.sub(r"\{\{\s*source\(\s*['\"]([^'\"]+)['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)\s*\}\}", r"\1.\2", text)
    text = re.sub(r"\{\{\s*ref\(\s*['\"]([^'\"]+)['\"]\s*\)\s*\}\}", r"\1", text)
    if "{{" in text or "{%" in text:
        raise Unrun("a template does more than name relations")
    text = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    if dialect in ("bigquery", "spark"):
        text = re.sub(r"`([^`]*)`", lambda found: ".".join(f'"{part}"' for part in found[1].split(".")), text)
        text = re.sub(r"\bfloat64\b", "double", text, flags=re.I)
        text = re.sub(r"\bsafe_cast\b", "try_cast", text, flags=re.I)
    return text


def parts(name):
    return [part.strip('"') for part in re.findall(NAME, name)]


def literals(texts):
    """Numbers and strings that the texts compare with."""
    joined = "\n".join(texts)
    numbers = {int(text) for text in re.findall(r"(?<![\w.])\d{1,9}(?![\w.])", joined)}
    return sorted(numbers), sorted(set(re.findall(r"'([^'\n]{0,40})'", joined)))


def value(data_type, dice, known, most):
    """One of few values of a type, so that joins and groups meet; the literals and their neighbours are among them."""
    numbers, strings = known
    if dice.random() < 0.08:
        return None
    base = data_type.split("(")[0]
    small = dice.randrange(0, most)
    if base in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        near = [number + step for number in numbers if number < 120 for step in (-1, 0, 1)]
        if base in ("int32", "int64", "uint32", "uint64"):
            near += [number for number in numbers if number >= 120]
        near = [number for number in near if number >= 0 or not base.startswith("u")]
        return dice.choice(near) if near and dice.random() < 0.4 else small
    if base == "decimal":
        scale = int(re.search(r",\s*(\d+)", data_type)[1])
        return decimal.Decimal(dice.randrange(0, 90 if scale else 9)) / (10 if scale else 1)
    if base.startswith("float"):
        return dice.choice([0.0, 0.5, 1.0, 2.0, 2.25, 3.75, *[float(number) for number in numbers]])
    if base == "boolean":
        return dice.random() < 0.5
    if base == "date":
        return (BEGUN + datetime.timedelta(days=dice.randrange(0, 40) * 17)).date()
    if base == "timestamp":
        return BEGUN + datetime.timedelta(days=dice.randrange(0, 25) * 13, seconds=dice.choice([0, 1, 3600, 86399]))
    if base == "time":
        return datetime.time(dice.randrange(0, 24), dice.choice([0, 30, 59]))
    if base == "string":
        if strings and dice.random() < 0.5:
            return dice.choice(strings)
        return dice.choice(["", "a", "b", "A", " a", "1", "2", "3", "2024-01-01"])
    if base == "binary":
        return bytes([small])
    return None


def sql_type(data_type):
    base = data_type.split("(")[0]
    known = {
        "int8": "tinyint", "int16": "smallint", "int32": "integer", "int64": "bigint", "uint8": "utinyint",
        "uint16": "usmallint", "uint32": "uinteger", "uint64": "ubigint", "float32": "real", "float64": "double",
        "boolean": "boolean", "date": "date", "time": "time", "string": "varchar", "binary": "blob",
    }  # fmt: skip
    if base == "timestamp":
        return "timestamptz" if "," in data_type else "timestamp"
    if base == "decimal":
        return data_type
    return known.get(base, "varchar")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def world(schemas, relations, columns_of, seed, count, known):
    """A database with these relations, filled with rows that only the seed and their names decide."""
    base = duckdb.connect()
    base.execute("set timezone = 'UTC'; set threads = 1")
    for names in [*relations.values(), *schemas]:
        if len(names) == 3:
            base.execute(f"attach if not exists ':memory:' as {quoted(names[0])}")
        if len(names) > 1:
            base.execute(f"create schema if not exists {'.'.join(quoted(part) for part in names[:-1])}")
    for at, (name, columns) in enumerate(sorted(columns_of.items())):
        names = relations[name]
        table = ".".join(quoted(part) for part in names)
        defined = ", ".join(f"{quoted(column)} {sql_type(kind)}" for column, kind in columns)
        base.execute(f"create table {table} ({defined})")
        dice = random.Random(f"{seed} {name.lower()}")
        wide = [dice.randrange(3, 15) for _ in columns]
        rows = [[value(kind, dice, known, most) for (_, kind), most in zip(columns, wide)] for _ in range(count + 7 * at)]
        rows += rows[: len(rows) // 10]
        marks = "(" + ", ".join("?" for _ in columns) + ")"
        for first in range(0, len(rows), 100):
            some = rows[first : first + 100]
            values = [found for row in some for found in row]
            base.execute(f"insert into {table} values {', '.join([marks] * len(some))}", values)
    return base


def cell(found):
    if isinstance(found, float):
        return f"{found:.8e}"
    if isinstance(found, decimal.Decimal):
        return str(found.normalize())
    return str(found)


def frame(base, query, is_strict):
    """Names, types and rows; times with zones as text, which needs no module that knows zones."""
    described = base.execute(f"describe {query}").fetchall()
    types = [row[1] for row in described]
    places = ", ".join(f"c{at}" for at in range(len(types)))
    cells = ", ".join(f"c{at}::varchar" if "TIME ZONE" in kind else f"c{at}" for at, kind in enumerate(types))
    found = base.execute(f"select {cells} from ({query}) as t({places})").fetchall()
    names = [row[0].lower() for row in described]
    return names, types if is_strict else [], [tuple(cell(value) for value in row) for row in found]


def run(base, text, is_strict):
    """What the text gives, and all tables as they are in the end; and how many rows that is."""
    results, rows = [], 0
    for statement in duckdb.extract_statements(text):
        is_query = statement.type == duckdb.StatementType.SELECT
        if not is_query:
            base.execute(statement)
            continue
        names, types, found = frame(base, statement.query.strip().rstrip(";"), is_strict)
        rows += len(found)
        results.append((names, types, sorted(Counter(found).items())))
    tables = {}
    for database, schema, table in base.execute("select database_name, schema_name, table_name from duckdb_tables()").fetchall():
        names, types, found = frame(base, "from " + ".".join(map(quoted, (database, schema, table))), is_strict)
        tables[f"{database}.{schema}.{table}".lower()] = names, types, sorted(Counter(found).items())
    if not results:
        rows = sum(len(found) for _, _, found in tables.values())
    return (results, tables), rows


def tried(case, tables, seed, count):
    right, wrong = (plain(case[key], case["dialect"]) for key in ("right", "wrong"))
    schemas = [parts(name) for name in MADE.findall(right) + MADE.findall(wrong)]
    made = {".".join(names).lower() for names in schemas}
    ctes = {name.strip('"').lower() for name in re.findall("(" + NAME + r")\s+as\s+(?:materialized\s+)?\(", right + "\n" + wrong, re.I)}
    relations = {}
    for name in RELATION.findall(right) + RELATION.findall(wrong):
        said = parts(name)
        key = ".".join(said).lower()
        if key not in made and not (len(said) == 1 and key in ctes):
            relations[key] = said
    columns_of, unknown = {}, []
    for key, said in relations.items():
        last = said[-1]
        found = tables.get(last) or tables.get(f"{last}_v2") or tables.get(re.sub("_v1$", "_v2", last))
        if found is None:
            unknown.append(key)
            found = [["any_of_it", "int64"]]
        columns_of[key] = [list(column) for column in found]
    known = literals([right, wrong])
    # Columns of relations of which nothing is known are those that the engine asks for.
    for _ in range(40):
        base = world(schemas, relations, columns_of, seed, count, known)
        try:
            was = run(base, right, case["dialect"] not in ONE_WIDTH)
            break
        except duckdb.BinderException as error:
            asked = re.search(r'column (?:named )?"([^"]+)"', str(error))
            if not asked or not unknown or [asked[1], "int64"] in columns_of[unknown[0]]:
                raise Unrun(str(error).split("\n")[0]) from error
            for key in unknown:
                columns_of[key].append([asked[1], "int64"])
        except (duckdb.ConversionException, duckdb.OutOfRangeException):
            return None
        except duckdb.Error as error:
            raise Unrun(str(error).split("\n")[0]) from error
    else:
        raise Unrun("too many columns are not known")
    base = world(schemas, relations, columns_of, seed, count, known)
    try:
        has = run(base, wrong, case["dialect"] not in ONE_WIDTH)
    except duckdb.Error as error:
        return "different", str(error).split("\n")[0]
    if was[0] != has[0]:
        return "different", f"results differ with seed {seed}"
    return ("equal", "") if was[1] else None


def judged(case, tables, seeds, count):
    """Equal only if no seed shows a difference, and some gave rows."""
    found = None
    for at, seed in enumerate(seeds):
        try:
            # Few rows show what many hide.
            verdict = tried(case, tables, seed, count if at % 2 == 0 else 3)
        except Unrun as error:
            return "unrun", str(error)
        if verdict and verdict[0] == "different":
            return verdict
        found = found or verdict
    return found or ("unrun", "it gives no rows")


def main():
    asked = json.load(sys.stdin)
    cases = [judged(case, asked["tables"], asked["seeds"], asked["rows"]) for case in asked["cases"]]
    json.dump(cases, sys.stdout)


if __name__ == "__main__":
    main()
