#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::repository::look;
use crate::tree::MemoryTree;
use greylag_model::expr::TypedExpr;
use greylag_model::mapping::{ColumnMapping, OperationKind, Reverse, ReverseWay};
use greylag_model::proof::{Content, Relation};
use greylag_model::schema::{Column, Schema};
use greylag_model::spec::Misfit;
use greylag_model::table::TableName;
use greylag_model::types::DataType;

/// `raw.users_v1 (id, name)` becomes `raw.users_v2 (user_id, name)`.
pub(super) fn users() -> (TableChange, Mapping) {
    let schema = |names: [&str; 2]| {
        let column = |name: &&str| Column { name: (*name).to_owned(), data_type: DataType::Int64, nullable: true };
        Schema { columns: names.iter().map(column).collect() }
    };
    let (source, target) = (schema(["id", "name"]), schema(["user_id", "name"]));
    let pairs = || source.columns.iter().zip(&target.columns);
    let columns = pairs().map(|(old, new)| ColumnMapping {
        target: new.name.clone(),
        operation: OperationKind::Rename,
        expr: TypedExpr::column(old),
        cast: None,
        misfit: Misfit::Fail,
        default: None,
        tolerance: None,
        judgement: None,
    });
    let reverse =
        pairs().map(|(old, new)| Reverse { source: old.name.clone(), way: ReverseWay::Same(new.name.clone()) });
    let (columns, reverse) = (columns.collect(), reverse.collect());
    let mapping = Mapping { columns, reverse, source, target, dropped: Vec::new() };
    let name = |text: &str| text.parse::<TableName>().unwrap();
    (TableChange::of("users_v1", vec![name("raw.users_v1")], name("raw.users_v2"), &mapping), mapping)
}

fn shown(relation: &Relation) -> String {
    let content = match &relation.content {
        Content::Changed(_) => "changed".to_owned(),
        Content::Same { schema, guessed } => {
            let columns: Vec<String> =
                schema.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
            format!("{}{}", columns.join(", "), if *guessed { "?" } else { "" })
        }
    };
    format!("{} -> {}: {content}", relation.old[0], relation.new[0])
}

/// The questions about a repository: where, the new text, and what it reads; or the reason why there is nothing to ask.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let (change, mapping) = users();
    let tree = MemoryTree::new(files.iter().copied());
    let options = Options { dialect: Some(Dialect::DuckDb), stated: None };
    let report = look(&tree, std::slice::from_ref(&change), options).unwrap();
    let moved = [Moved { change: &change, mapping: &mapping, sample: None }];
    let lines = questions(&tree, &report, &moved, options).unwrap().into_iter().map(|question| match question.ask {
        Ok(request) => {
            let relations: Vec<String> = request.relations.iter().map(shown).collect();
            let text: Vec<&str> = request.new.split_whitespace().collect();
            format!("{}: {} | {}", question.path, text.join(" "), relations.join("; "))
        }
        Err(verdict) => format!("{}: {}", question.path, verdict.name()),
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

const PROJECT: &str = "name: p\nversion: 1.0.0\nconfig-version: 2\nprofile: x\n";
const SOURCES: &str = "version: 2\nsources:\n  - name: raw\n    schema: raw\n    tables: [{name: users_v1}]\n";

#[test]
fn a_file_is_asked_about_with_what_it_reads() {
    check(
        &[("a.sql", "select u.id, p.place from raw.users_v1 u join ref.places p on p.k = u.id")],
        &["a.sql: select u.user_id as id, p.place from raw.users_v2 u join ref.places p on p.k = u.user_id \
           | raw.users_v1 -> raw.users_v2: changed; ref.places -> ref.places: k int64, place int64?"],
    );
}

#[test]
fn what_a_file_makes_itself_is_not_asked_for() {
    check(
        &[("a.sql", "create table w.t as select id from raw.users_v1; select id from w.t")],
        &["a.sql: create table w.t as select user_id as id from raw.users_v2; select id from w.t \
           | raw.users_v1 -> raw.users_v2: changed"],
    );
}

#[test]
fn what_did_not_move_is_not_asked_about() {
    check(&[("a.sql", "select 1"), ("README.md", "about users_v1")], &[]);
}

#[test]
fn a_model_is_asked_about_as_it_renders() {
    check(
        &[
            ("dbt_project.yml", PROJECT),
            ("models/sources.yml", SOURCES),
            ("seeds/kinds.csv", "k,kind\n1,a\n2,b\n"),
            ("macros/m.sql", "{% macro key() %}u.id{% endmacro %}"),
            (
                "models/a.sql",
                "select {{ key() }}, s.kind from {{ source('raw', 'users_v1') }} u join {{ ref('kinds') }} s on s.k = u.id",
            ),
            ("models/b.sql", "select id from {{ ref('a') }}"),
        ],
        &[
            "models/a.sql: select u.user_id as id, s.kind from raw.users_v2 u join target_schema.kinds s on s.k = u.user_id \
           | raw.users_v1 -> raw.users_v2: changed; target_schema.kinds -> target_schema.kinds: k int64, kind string",
        ],
    );
}

#[test]
fn what_somebody_else_edited_is_found() {
    let before = MemoryTree::new([("a.sql", "select 1"), ("b.sql", "select 2")]);
    let after = MemoryTree::new([("a.sql", "select 1"), ("b.sql", "select 3"), ("c.sql", "")]);
    let report = edited(&before, &after).unwrap();
    let files: Vec<(&str, Option<&str>)> =
        report.files.iter().map(|file| (file.path.as_str(), file.new.as_deref())).collect();
    assert_eq!(files, [("b.sql", Some("select 3"))]);
}
