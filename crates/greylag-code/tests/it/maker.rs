//! dbt models that make a changed dataset, as text: a repository, a mapping, and the files that come of it.

use greylag_code::repository::{Options, Report, look};
use greylag_code::tree::MemoryTree;
use greylag_model::consumer::{ColumnChange, Fate, MadeColumn, TableChange};
use greylag_model::expr::{Literal, Node, TypedExpr};
use greylag_model::spec::{Outputs, SourcePolicy, StarPolicy};
use greylag_model::types::DataType;
use std::fmt::Write as _;

fn column(name: &str) -> TypedExpr {
    TypedExpr { data_type: DataType::Int32, nullable: true, node: Node::Column(name.to_owned()) }
}

fn cast(name: &str, to: DataType) -> TypedExpr {
    let node = Node::Cast { input: Box::new(column(name)), loss: None, safe: false };
    TypedExpr { data_type: to, nullable: true, node }
}

fn made(name: &str, value: TypedExpr) -> MadeColumn {
    MadeColumn { name: name.to_owned(), data_type: value.data_type.clone(), value, why: None }
}

/// `shop.users_v1 (uid, age, kept)` becomes `shop.users_v2 (user_id, age bigint, kept)`.
pub(crate) fn change() -> TableChange {
    let fate = |name: &str, fate: Fate| ColumnChange { name: name.to_owned(), fate, judgement: None };
    TableChange {
        dataset: "users_v1".to_owned(),
        old: vec!["shop.users_v1".parse().unwrap()],
        new: "shop.users_v2".parse().unwrap(),
        columns: vec![
            fate("uid", Fate::Same("user_id".to_owned())),
            fate("age", Fate::Computed(cast("age", DataType::Int32))),
            fate("kept", Fate::Same("kept".to_owned())),
        ],
        target: ["user_id", "age", "kept"].map(str::to_owned).to_vec(),
        made: vec![
            made("user_id", column("uid")),
            made("age", cast("age", DataType::Int64)),
            made("kept", column("kept")),
        ],
        outputs: Outputs::Keep,
        star: StarPolicy::Expand,
        sources: SourcePolicy::Whole,
        undoes: None,
    }
}

const PROJECT: &str = "name: shop\nversion: '1.0'\n";
const SCHEMA: &str =
    "{% macro generate_schema_name(custom, node) -%}\n  {{ custom or target.schema }}\n{%- endmacro %}\n";

pub(crate) fn looked(files: &[(&str, &str)], change: &TableChange) -> Report {
    let all = [("dbt_project.yml", PROJECT), ("macros/schema.sql", SCHEMA)].into_iter().chain(files.iter().copied());
    let tree = MemoryTree::new(all);
    let options = Options { dialect: Some(greylag_syntax::sql::Dialect::DuckDb), stated: None };
    look(&tree, std::slice::from_ref(change), options).unwrap()
}

/// The files that change, and what is held, as text.
pub(crate) fn shown(report: &Report) -> String {
    let mut text = String::new();
    for file in &report.files {
        if let Some(new) = &file.new {
            let moved = file.moved.as_ref().map_or_else(String::new, |moved| format!(" -> {moved}"));
            let _ = write!(text, "--- {}{moved}\n{new}", file.path);
        }
        for finding in file.findings.iter().filter(|finding| finding.class == file.class) {
            let _ = writeln!(text, "{} {}: {}", finding.class.name(), file.path, finding.why);
        }
    }
    text
}

fn check(files: &[(&str, &str)], expected: &str) {
    check_with(&change(), files, expected);
}

pub(crate) fn check_with(change: &TableChange, files: &[(&str, &str)], expected: &str) {
    assert_eq!(shown(&looked(files, change)), expected);
}

const MODEL: &str = "{{ config(schema='shop') }}\nselect a as uid, b as age, c as kept from {{ ref('feed') }}\n";
const FEED: (&str, &str) = ("models/feed.sql", "select 1 as a, 2 as b, 3 as c\n");

#[test]
fn a_model_takes_the_new_name_and_gives_the_new_columns() {
    let yaml = "models:\n  - name: users_v1\n    config: {tags: [uid]}\n    columns:\n      - name: uid\n        tests: [unique]\n      \
                - name: age\n        data_type: INTEGER\n\nexposures:\n  - name: x\n    type: dashboard\n    depends_on: [ref('users_v1')]\n";
    let reader = "select uid, age from {{ ref(\"users_v1\") }} where uid > 1\n";
    check(
        &[FEED, ("models/users_v1.sql", MODEL), ("models/users.yml", yaml), ("models/marts/r.sql", reader)],
        "--- models/marts/r.sql\nselect user_id as uid, cast(age as integer) as age from {{ ref(\"users_v2\") }} where user_id > 1\n\
         --- models/users.yml\nmodels:\n  - name: users_v2\n    config: {tags: [uid]}\n    columns:\n      - name: user_id\n        tests: [unique]\n      \
         - name: age\n        data_type: BIGINT\n\nexposures:\n  - name: x\n    type: dashboard\n    depends_on: [ref('users_v2')]\n\
         --- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop') }}\nselect a as user_id, cast(b as bigint) as age, c as kept from {{ ref('feed') }}\n",
    );
}

#[test]
fn an_alias_changes_where_one_names_the_relation() {
    let model = "{{ config(schema='shop', alias='users_v1') }}\nselect a as uid from {{ ref('feed') }}\n";
    check(
        &[FEED, ("models/people.sql", model), ("models/r.sql", "select uid from {{ ref('people') }}\n")],
        "--- models/people.sql\n{{ config(schema='shop', alias='users_v2') }}\nselect a as user_id from {{ ref('feed') }}\n\
         --- models/r.sql\nselect user_id as uid from {{ ref('people') }}\n",
    );
}

#[test]
fn outputs_are_found_behind_a_star_and_in_the_arms_of_a_union() {
    let star = "{{ config(schema='shop') }}\nwith final as (\n  select a as uid, c as kept from {{ ref('feed') }}\n)\nselect * from final where uid > 1\n";
    check(
        &[FEED, ("models/users_v1.sql", star)],
        "--- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop') }}\nwith final as (\n  select a as user_id, c as kept from {{ ref('feed') }}\n)\nselect * from final where user_id > 1\n",
    );
    let union = "{{ config(schema='shop') }}\nselect a as uid from {{ ref('feed') }}\nunion all\nselect b as uid from {{ ref('feed') }}\n";
    check(
        &[FEED, ("models/users_v1.sql", union)],
        "--- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop') }}\nselect a as user_id from {{ ref('feed') }}\nunion all\nselect b as user_id from {{ ref('feed') }}\n",
    );
}

#[test]
fn an_item_that_is_just_a_column_is_named() {
    let feed = ("models/feed.sql", "select 1 as uid, 2 as age, 3 as kept\n");
    let model = "{{ config(schema='shop') }}\nselect uid, f.age, kept from {{ ref('feed') }} f order by kept\n";
    check(
        &[feed, ("models/users_v1.sql", model)],
        "--- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop') }}\nselect uid as user_id, cast(f.age as bigint) as age, kept from {{ ref('feed') }} f order by kept\n",
    );
}

#[test]
fn an_expression_that_a_macro_makes_is_cast_where_it_is_called() {
    let half = ("macros/half.sql", "{% macro half(column) %}({{ column }} / 2){% endmacro %}\n");
    let model =
        "{{ config(schema='shop') }}\nselect\n    a as uid,\n    {{ half('b') }} as age\nfrom {{ ref('feed') }}\n";
    let other = ("models/other.sql", "select {{ half('c') }} as c from {{ ref('feed') }}\n");
    let moved = model
        .replace("a as uid", "a as user_id")
        .replace("{{ half('b') }} as age", "cast({{ half('b') }} as bigint) as age");
    check(
        &[FEED, half, other, ("models/users_v1.sql", model)],
        &format!("--- models/users_v1.sql -> models/users_v2.sql\n{moved}"),
    );
}

#[test]
fn a_schema_that_only_the_target_knows_is_told_by_what_is_asked_for() {
    let usual = ("macros/schema.sql", "");
    let model = "{{ config(schema='shop') }}\nselect a as uid from {{ ref('feed') }}\n";
    let reader = ("models/r.sql", "select uid from {{ ref('users_v1') }}\n");
    check(
        &[FEED, usual, ("models/users_v1.sql", model), reader],
        "--- models/r.sql\nselect user_id as uid from {{ ref('users_v2') }}\n\
         --- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop') }}\nselect a as user_id from {{ ref('feed') }}\n",
    );
    check(&[FEED, usual, ("models/users_v1.sql", &model.replace("shop", "other")), reader], "");
    check(
        &[FEED, usual, ("models/users_v1.sql", "select a as uid from {{ ref('feed') }}\n"), reader],
        "unknown models/users_v1.sql: it is called as `users_v1`, and only the target knows whether it makes it\n",
    );
    // From elsewhere.
    let sources = ("models/s.yml", "sources:\n  - name: shop\n    tables: [{name: users_v1}]\n");
    let copy = "select uid from {{ source('shop', 'users_v1') }}\n";
    check(
        &[usual, sources, ("models/users_v1.sql", copy)],
        "--- models/s.yml\nsources:\n  - name: shop\n    tables: [{name: users_v2}]\n\
         --- models/users_v1.sql\nselect user_id as uid from {{ source('shop', 'users_v2') }}\n",
    );
}

#[test]
fn what_an_alias_of_yaml_says_of_another_model_stays() {
    let yaml = "models:\n  - name: users_v1\n    columns:\n      - &id\n        name: uid\n  - name: feed\n    columns:\n      - *id\n";
    let report = looked(&[FEED, ("models/users_v1.sql", MODEL), ("models/users.yml", yaml)], &change());
    assert!(report.files.iter().all(|file| file.new.is_none()), "{}", shown(&report));
}

#[test]
fn an_incremental_model_reads_itself_under_the_new_names() {
    let model = "{{ config(schema='shop', materialized='incremental', unique_key='uid') }}\nselect a as uid from {{ ref('feed') }}\n\
                 {% if is_incremental() %}where a > (select max(uid) from {{ this }}){% endif %}\n";
    check(
        &[FEED, ("models/users_v1.sql", model)],
        "--- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop', materialized='incremental', unique_key='user_id') }}\nselect a as user_id from {{ ref('feed') }}\n\
         {% if is_incremental() %}where a > (select max(user_id) from {{ this }}){% endif %}\n",
    );
}

#[test]
fn columns_end_and_are_added() {
    let mut change = change();
    change.columns[2].fate = Fate::Lost("nobody fills it".to_owned());
    change.made[2] = made(
        "version",
        TypedExpr { nullable: false, node: Node::Literal(Literal::Integer("2".to_owned())), ..column("x") },
    );
    change.target[2] = "version".to_owned();
    let model = "{{ config(schema='shop') }}\nselect\n  a as uid,\n  c as kept,\n  b as age\nfrom {{ ref('feed') }}\n";
    let yaml =
        "models:\n  - name: users_v1\n    columns:\n      - name: kept\n        tests: [unique]\n      - name: uid\n";
    check_with(
        &change,
        &[FEED, ("models/users_v1.sql", model), ("models/users.yml", yaml)],
        "--- models/users.yml\nmodels:\n  - name: users_v2\n    columns:\n      - name: user_id\n\
         --- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop') }}\nselect\n  a as user_id,\n  cast(b as bigint) as age,\n  2 as version\nfrom {{ ref('feed') }}\n",
    );
}

#[test]
fn a_column_is_added_where_the_last_one_goes() {
    let mut change = change();
    change.columns[2].fate = Fate::Lost("nobody fills it".to_owned());
    change.made[2] =
        made("version", TypedExpr { node: Node::Literal(Literal::Integer("2".to_owned())), ..column("x") });
    let model = "{{ config(schema='shop') }}\nselect a as uid, b as age, c as kept from {{ ref('feed') }}\n";
    check_with(
        &change,
        &[FEED, ("models/users_v1.sql", model)],
        "--- models/users_v1.sql -> models/users_v2.sql\n{{ config(schema='shop') }}\nselect a as user_id, cast(b as bigint) as age, 2 as version from {{ ref('feed') }}\n",
    );
}

#[test]
fn a_field_of_another_model_is_not_this_ones_column() {
    let yaml = "models:\n  - name: users_v1\n    columns:\n      - name: kept\n        tests:\n          - relationships:\n              to: ref('feed')\n              field: uid\n";
    check(
        &[FEED, ("models/users_v1.sql", MODEL), ("models/users.yml", yaml)],
        &format!(
            "--- models/users.yml\n{}--- models/users_v1.sql -> models/users_v2.sql\n{}",
            yaml.replace("users_v1", "users_v2"),
            MODEL.replace("a as uid", "a as user_id").replace("b as age", "cast(b as bigint) as age")
        ),
    );
}

#[test]
fn a_star_beside_the_columns_that_change_stays() {
    let model = "{{ config(schema='shop') }}\nwith f as (select * from {{ ref('feed') }}), joined as (\n  select f.*, f.a as uid, f.b as age from f\n)\nselect * from joined\n";
    let moved = model.replace("f.a as uid, f.b as age", "f.a as user_id, cast(f.b as bigint) as age");
    check(&[FEED, ("models/users_v1.sql", model)], &format!("--- models/users_v1.sql -> models/users_v2.sql\n{moved}"));
    let hidden = "{{ config(schema='shop') }}\nselect f.*, f.a as uid from {{ ref('feed') }} f\n";
    check(
        &[FEED, ("models/users_v1.sql", hidden)],
        "agentic models/users_v1.sql: it makes the dataset, and `age` may come through a star\n",
    );
}

#[test]
fn a_model_that_a_semantic_model_names_is_held() {
    let yaml = "models:\n  - name: users_v1\nsemantic_models:\n  - name: users\n    model: ref('users_v1')\n    entities: [{name: user, expr: uid}]\n";
    let why = "`models/users.yml` names the model in line 5, where nothing is known of it";
    check(
        &[FEED, ("models/users_v1.sql", MODEL), ("models/users.yml", yaml)],
        &format!("agentic models/users_v1.sql: `model.shop.users_v1` stays: {why}\n"),
    );
    // With an alias the name stays, but not what the columns are called.
    let model = MODEL.replace("schema='shop'", "schema='shop', alias='users_v1'");
    let yaml = yaml.replace("users_v1", "people");
    check(
        &[FEED, ("models/people.sql", &model), ("models/users.yml", &yaml)],
        &format!("agentic models/people.sql: `model.shop.people` stays: {why}\n"),
    );
}

#[test]
fn what_hangs_on_a_name_in_the_project_file_goes_with_it() {
    let project = "name: shop\nmodels:\n  shop:\n    users_v1:\n      +schema: shop\n      +materialized: table\n";
    let model = "select a as uid from {{ ref('feed') }}\n";
    let report = looked(&[FEED, ("dbt_project.yml", project), ("models/users_v1.sql", model)], &change());
    assert_eq!(
        shown(&report),
        "--- dbt_project.yml\nname: shop\nmodels:\n  shop:\n    users_v2:\n      +schema: shop\n      +materialized: table\n\
         --- models/users_v1.sql -> models/users_v2.sql\nselect a as user_id from {{ ref('feed') }}\n"
    );
}

#[test]
fn what_no_rule_is_right_for_is_held_with_its_readers() {
    let reader = ("models/r.sql", "select uid from {{ ref('users_v1') }}\n");
    let held = |why: &str| {
        format!("agentic models/r.sql: `model.shop.users_v1` stays: {why}\nagentic models/users_v1.sql: {why}\n")
    };
    let star = "{{ config(schema='shop') }}\nselect * from {{ source('raw', 'x') }}\n";
    let sources = ("models/s.yml", "sources:\n  - name: raw\n    tables: [{name: x}]\n");
    check(
        &[("models/users_v1.sql", star), sources, reader],
        &held("it makes the dataset, and its columns come through a star"),
    );
    let taken = ("models/other/users_v2.sql", "select 1 as a\n");
    let expected = held("there is a model `users_v2` already");
    check(
        &[FEED, ("models/users_v1.sql", MODEL), reader, taken],
        &expected.replace(
            "agentic models/users_v1.sql: there",
            "agentic models/users_v1.sql: `model.shop.users_v1` stays: there",
        ),
    );
}

#[test]
fn new_names_go_on_to_the_readers_of_readers() {
    let change = TableChange { outputs: Outputs::Propagate, ..change() };
    let sources = "sources:\n  - name: shop\n    tables: [{name: users_v1}]\n";
    let files = [
        ("models/s.yml", sources),
        ("models/stg.sql", "select uid, kept as k from {{ source('shop', 'users_v1') }}\n"),
        ("models/stg.yml", "models:\n  - name: stg\n    columns:\n      - name: uid\n        tests: [unique]\n"),
        ("models/mart.sql", "select s.uid, count(*) as n from {{ ref('stg') }} s group by s.uid order by n\n"),
        ("models/last.sql", "select max(uid) as top from {{ ref('mart') }}\n"),
    ];
    check_with(
        &change,
        &files,
        "--- models/last.sql\nselect max(user_id) as top from {{ ref('mart') }}\n\
         --- models/mart.sql\nselect s.user_id, count(*) as n from {{ ref('stg') }} s group by s.user_id order by n\n\
         --- models/s.yml\nsources:\n  - name: shop\n    tables: [{name: users_v2}]\n\
         --- models/stg.sql\nselect user_id, kept as k from {{ source('shop', 'users_v2') }}\n\
         --- models/stg.yml\nmodels:\n  - name: stg\n    columns:\n      - name: user_id\n        tests: [unique]\n",
    );
}

#[test]
fn names_that_went_on_come_back() {
    let change = TableChange { outputs: Outputs::Propagate, ..change() };
    let sources = "sources:\n  - name: shop\n    tables: [{name: users_v1}]\n";
    let files = [
        ("models/s.yml", sources),
        ("models/stg.sql", "select uid, kept as k from {{ source('shop', 'users_v1') }}\n"),
        ("models/stg.yml", "models:\n  - name: stg\n    columns:\n      - name: uid\n"),
        ("models/mart.sql", "select s.uid, count(*) as n from {{ ref('stg') }} s group by s.uid order by n\n"),
    ];
    let moved = looked(&files, &change);
    let there: Vec<(&str, &str)> = moved.files.iter().map(|file| (&*file.path, file.new.as_deref().unwrap())).collect();
    assert_eq!(there.len(), files.len());
    let back = looked(&there, &change.reversed("users_v2"));
    for (path, text) in files {
        let file = back.files.iter().find(|file| file.path == path).unwrap();
        assert_eq!(file.new.as_deref(), Some(text));
    }
}

#[test]
fn names_stay_where_somebody_outside_reads_them() {
    let change = TableChange { outputs: Outputs::Propagate, ..change() };
    let yaml = "sources:\n  - name: shop\n    tables: [{name: users_v1}]\nexposures:\n  - name: board\n    depends_on: [ref('stg')]\n";
    check_with(
        &change,
        &[("models/s.yml", yaml), ("models/stg.sql", "select uid from {{ source('shop', 'users_v1') }}\n")],
        &format!(
            "--- models/s.yml\n{}--- models/stg.sql\nselect user_id as uid from {{{{ source('shop', 'users_v2') }}}}\n\
             mechanical models/stg.sql: its outputs keep their names: the exposure `board` reads it\n",
            yaml.replace("users_v1", "users_v2")
        ),
    );
}

/// Why something is held says where it would be another text.
#[test]
fn a_text_that_decides_more_than_a_name_is_shown_where_it_differs() {
    let sources = "sources:\n  - name: shop\n    tables: [{name: users_v1}]\n";
    let decides = "{% set key = 'uid' %}select\n  {{ key }}{% if key == 'uid' %}, 1 as one{% endif %}\n\
                   from {{ source('shop', 'users_v1') }}\n";
    check(
        &[("models/s.yml", sources), ("models/a.sql", decides)],
        "agentic models/a.sql: with the changes made, `models/a.sql` renders otherwise than was asked for: its rendered \
         line 2 is `user_id as uid`, not `user_id as uid, 1 as one`\n\
         agentic models/a.sql: the same bytes are used where they must stay, by `a`\n",
    );
}
