"""Writes a dbt project for the bench `references`: DIRECTORY MODELS [SEED].

It has the shape of a warehouse that many teams have grown: sources declared in YAML; staging models that rename by a macro of an
installed package; intermediate models in which loops over variables make the references; marts that import, join and
aggregate, some of them incremental, some by macros in which the references stand; YAML with columns, descriptions and tests
for every model; exposures. The same arguments give the same bytes.
"""

import random
import sys
from pathlib import Path

TABLES_OF_A_SOURCE = 25
MODELS_OF_A_YAML = 40
TYPES = ["integer", "varchar", "timestamp", "numeric(18, 2)", "boolean"]

PROJECT = """\
name: warehouse
version: "1.0"
config-version: 2
profile: warehouse
model-paths: [models]
macro-paths: [macros]
vars:
  since: "2020-01-01"
  regions: [eu, us, apac, latam]
  tools:
    prefix: src
dispatch:
  - macro_namespace: tools
    search_order: [warehouse, tools]
models:
  warehouse:
    staging: {+materialized: view, +schema: staging}
    intermediate: {+materialized: ephemeral}
    marts:
      +materialized: table
      +schema: marts
      +tags: [nightly]
"""

PROFILES = """\
warehouse:
  target: dev
  outputs:
    dev: {type: duckdb, path: ":memory:", schema: main, threads: 1}
"""

TOOLS = """\
{% macro renamed(columns) -%}
{%- for old, new in columns %}
    {{ old }} as {{ new }}{{ "," if not loop.last }}
{%- endfor %}
{%- endmacro %}

{% macro surrogate_key(columns) -%}
{{ return(adapter.dispatch('surrogate_key', 'tools')(columns)) }}
{%- endmacro %}

{% macro default__surrogate_key(columns) -%}
md5({%- for column in columns %}coalesce(cast({{ column }} as varchar), ''){{ " || '-' || " if not loop.last }}{%- endfor %})
{%- endmacro %}

{% macro cents(column, digits=2) -%} round({{ column }} / 100.0, {{ digits }}) {%- endmacro %}

{% macro union_of(relations, columns) -%}
{%- for relation in relations %}
select {% for column in columns %}{{ column }}{{ ", " if not loop.last }}{% endfor %}, '{{ relation.identifier }}' as origin
from {{ relation }}
{{ "union all" if not loop.last }}
{%- endfor %}
{%- endmacro %}
"""

OWN = """\
{% macro since(column) -%} {{ column }} >= cast('{{ var("since") }}' as timestamp) {%- endmacro %}

{% macro by_region(column, regions=none) -%}
{%- for region in regions or var('regions') %}
    sum(case when region = '{{ region }}' then {{ column }} end) as {{ column }}_{{ region }}{{ "," if not loop.last }}
{%- endfor %}
{%- endmacro %}

{% macro new_rows(column) -%}
{% if is_incremental() %}
where {{ column }} > (select max({{ column }}) from {{ this }})
{% endif %}
{%- endmacro %}

{% macro latest_of(name, key) -%}
select * from (
    select *, row_number() over (partition by {{ key }} order by changed_at desc) as place
    from {{ ref(name) }}
) as ranked
where place = 1
{%- endmacro %}
"""


class Writer:
    """Writes files below a directory."""

    def __init__(self, root):
        self.root = root
        self.files = 0

    def put(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.files += 1


def columns(draws, name):
    """A key, four to ten columns and the time of the last change: name and type."""
    words = ["amount", "status", "region", "currency", "channel", "rate", "owner", "note", "score", "kind", "tax"]
    some = draws.sample(words, draws.randint(4, 10))
    return [(f"{name}_id", "integer")] + [(word, draws.choice(TYPES)) for word in some] + [("changed_at", "timestamp")]


def sources(writer, draws, count):
    """The tables of sources: (source, table, columns)."""
    tables = []
    for first in range(0, count, TABLES_OF_A_SOURCE):
        source = f"app_{first // TABLES_OF_A_SOURCE:03}"
        lines = ["version: 2", "sources:", f"  - name: {source}", f"    schema: raw_{source}", "    tables:"]
        for number in range(first, min(first + TABLES_OF_A_SOURCE, count)):
            table = f"event_{number:04}"
            own = columns(draws, table)
            tables.append((source, table, own))
            lines += [f"      - name: {table}", f"        description: Events of kind {number}.", "        columns:"]
            for column, _ in own:
                lines.append(f"          - name: {column}")
        writer.put(f"models/staging/{source}/sources.yml", "\n".join(lines) + "\n")
    return tables


def staging(draws, number, table):
    """A model that renames and casts what a source has."""
    source, name, own = table
    model = f"stg_{number:05}"
    pairs = ", ".join(f"('{column}', '{column}')" for column, _ in own if column not in ("amount", "tax"))
    money = "".join(f",\n    {{{{ tools.cents('{column}') }}}} as {column}" for column, _ in own if column in ("amount", "tax"))
    text = f"""\
{{{{ config(tags=['staging', '{source}']) }}}}

with source as (
    select * from {{{{ source('{source}', '{name}') }}}}
),

renamed as (
    select
        {{{{ tools.surrogate_key(['{own[0][0]}', 'changed_at']) }}}} as row_key,
        {{{{ tools.renamed([{pairs}]) }}}}{money}
    from source
    where {{{{ since('changed_at') }}}}
)

select * from renamed
"""
    return model, text, [column for column, _ in own] + ["row_key"], own[0][0]


def intermediate(draws, number, earlier):
    """A model whose references are made by a loop."""
    model = f"int_{number:05}"
    inputs = draws.sample(earlier, min(len(earlier), draws.randint(2, 6)))
    names = ", ".join(f"'{name}'" for name, *_ in inputs)
    kind = draws.random()
    if kind < 0.4:
        text = f"""\
{{%- set parts = [{names}] -%}}
with all_of_it as (
    {{%- for part in parts %}}
    select row_key, changed_at, '{{{{ part }}}}' as origin from {{{{ ref(part) }}}}
    {{{{ "union all" if not loop.last }}}}
    {{%- endfor %}}
)

select row_key, origin, max(changed_at) as changed_at, count(*) as rows_of_it
from all_of_it
group by row_key, origin
"""
    elif kind < 0.7:
        text = f"""\
{{%- set relations = [] -%}}
{{%- for part in [{names}] -%}}
{{%- do relations.append(ref(part)) -%}}
{{%- endfor -%}}
select row_key, max(changed_at) as changed_at, count(*) as rows_of_it, min(origin) as origin
from ({{{{ tools.union_of(relations, ['row_key', 'changed_at']) }}}}) as parts
group by row_key
"""
    else:
        text = f"""\
with latest as (
    {{{{ latest_of('{inputs[0][0]}', 'row_key') }}}}
)

select row_key, changed_at, 1 as rows_of_it, 'latest' as origin
from latest
"""
    return model, text, ["row_key", "changed_at", "rows_of_it", "origin"], "row_key"


def mart(draws, number, staged, joined):
    """A model that imports, joins and aggregates."""
    model = f"fct_{number:05}"
    first = draws.choice(staged)
    others = draws.sample(joined, min(len(joined), draws.randint(1, 4)))
    imports = [f"base as (\n    select * from {{{{ ref('{first[0]}') }}}}\n)"]
    imports += [f"part_{at} as (\n    select * from {{{{ ref('{name}') }}}}\n)" for at, (name, *_) in enumerate(others)]
    joins = "\n".join(f"left join part_{at} on part_{at}.row_key = base.row_key" for at in range(len(others)))
    figures = "".join(f",\n    sum(part_{at}.rows_of_it) as rows_{at}" for at in range(len(others)))
    incremental = draws.random() < 0.3
    head = "{{ config(materialized='incremental', unique_key='row_key') }}\n\n" if incremental else ""
    where = "{{ new_rows('base.changed_at') }}\n" if incremental else "where {{ since('base.changed_at') }}\n"
    text = f"""\
{head}-- One row for each key of {first[0]}.
with {", ".join(imports)}

select
    base.row_key,
    max(base.changed_at) as changed_at{figures},
    count(*) as rows_of_it,
    'mart' as origin
from base
{joins}
{where}group by base.row_key
"""
    names = ["row_key", "changed_at", "rows_of_it", "origin"] + [f"rows_{at}" for at in range(len(others))]
    return model, text, names, "row_key"


def properties(writer, draws, folder, models):
    """YAML for models, some of them in each file."""
    for first in range(0, len(models), MODELS_OF_A_YAML):
        lines = ["version: 2", "models:"]
        for model, _, names, key in models[first : first + MODELS_OF_A_YAML]:
            lines += [f"  - name: {model}", f"    description: What {model} holds, by {key}.", "    columns:"]
            for name in names:
                lines += [f"      - name: {name}", f"        description: The {name} of it."]
                if name == "row_key":
                    lines += ["        data_tests: [not_null, unique]"]
                elif name == "status" and draws.random() < 0.5:
                    lines += ["        data_tests:", "          - accepted_values:", "              arguments: {values: [a, b]}"]
        writer.put(f"models/{folder}/models_{first // MODELS_OF_A_YAML:03}.yml", "\n".join(lines) + "\n")


def exposures(writer, draws, marts):
    """Dashboards that read marts."""
    lines = ["version: 2", "exposures:"]
    for number, (model, *_) in enumerate(draws.sample(marts, min(len(marts), 40))):
        lines += [f"  - name: dashboard_{number}", "    type: dashboard", "    owner: {name: Ada, email: ada@example.com}"]
        lines += [f"    depends_on: [ref('{model}')]"]
    writer.put("models/marts/exposures.yml", "\n".join(lines) + "\n")


def main():
    root, count = Path(sys.argv[1]), int(sys.argv[2])
    draws = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    writer = Writer(root)
    writer.put("dbt_project.yml", PROJECT)
    writer.put("profiles.yml", PROFILES)
    writer.put("packages.yml", "packages:\n  - local: tools\n")
    for folder in ["tools", "dbt_packages/tools"]:
        writer.put(f"{folder}/dbt_project.yml", 'name: tools\nversion: "1.0"\nconfig-version: 2\n')
        writer.put(f"{folder}/macros/tools.sql", TOOLS)
    writer.put("macros/own.sql", OWN)
    tables = sources(writer, draws, max(25, count // 10))
    staged = [staging(draws, number, draws.choice(tables)) for number in range(count * 2 // 5)]
    between = []
    for number in range(count * 3 // 10):
        between.append(intermediate(draws, number, staged if number < 20 else draws.choice([staged, between])))
    marts = []
    for number in range(count - len(staged) - len(between)):
        marts.append(mart(draws, number, staged, between if number < 20 else draws.choice([between, marts])))
    for folder, models in [("staging", staged), ("intermediate", between), ("marts", marts)]:
        for at, (model, text, *_) in enumerate(models):
            writer.put(f"models/{folder}/team_{at % 20:02}/{model}.sql", text)
        properties(writer, draws, folder, models)
    exposures(writer, draws, marts)
    print(f"{count} models, {len(tables)} tables of sources, {writer.files} files")


main()
