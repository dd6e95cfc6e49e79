//! What a mapping means for readers, as text: old column, how its value is had, whether a person is asked.

use crate::mapping::resolved;
use greylag_model::consumer::{Fate, TableChange};
use greylag_model::expr::Dialect;
use serde_json::{Value, json};
use std::fmt::Write as _;

fn check(source: &str, rules: Value) -> String {
    let mapping = resolved(source, rules).unwrap().mapping;
    let old = vec!["raw.users_v1".parse().unwrap()];
    let change = TableChange::of("users_v1", old, "raw.users_v2".parse().unwrap(), &mapping);
    let mut text = String::new();
    for column in &change.columns {
        let fate = match &column.fate {
            Fate::Same(name) => format!("is {name}"),
            Fate::Computed(expr) => expr.to_sql(Dialect::Canonical),
            Fate::Replaced { by, .. } => format!("replaced by {by}"),
            Fate::Lost(why) => format!("lost: {why}"),
        };
        let judged = if column.judgement.is_some() { " ?" } else { "" };
        let _ = writeln!(text, "{}: {fate}{judged}", column.name);
    }
    text
}

#[test]
fn readers_have_an_old_column_by_the_way_back() {
    let source = "uid: int32!; mail: string; created: timestamp(ns); full_name: string; flag: boolean; tax: float64";
    let rules = json!({
        "columns": [
            {"name": "user_id", "from": "uid", "type": "int64"},
            {"name": "email", "from": "mail", "expr": "lower(mail)"},
            {"name": "created_at", "from": "created"},
            {"name": "gross", "from": "tax", "expr": "tax * 2", "judgement": {"guide": "https://w.example.com", "text": "with tax"}}
        ],
        "split": [{"from": "full_name", "into": ["first", "last"], "separator": " "}],
        "drop": [{"name": "flag", "reason": "nobody fills it"}]
    });
    insta::assert_snapshot!(check(source, rules), @r#"
    uid: CAST("user_id" AS int32)
    mail: replaced by email
    created: is created_at
    full_name: CASE WHEN "first" IS NOT NULL THEN concat_ws(' ', "first", "last") END
    flag: lost: dropped: nobody fills it
    tax: replaced by gross ?
    "#);
}

#[test]
fn writers_have_a_new_column_by_the_way_forward() {
    let rules = json!({
        "columns": [
            {"name": "user_id", "from": "uid", "type": "int64"},
            {"name": "channel", "default": "'unknown'"},
            {"name": "amount", "from": "price", "type": "decimal(9,2)", "loss": "round", "misfit": "reject"},
            {"name": "version", "expr": "2", "type": "int32"}
        ],
        "merge": [{"from": ["street", "city"], "into": "address", "separator": ", "}],
        "drop": [{"name": "flag", "reason": "nobody fills it"}]
    });
    let source = "uid: int32!; channel: string; price: float64; street: string; city: string; flag: boolean";
    let mapping = resolved(source, rules).unwrap().mapping;
    let name = "t".parse::<greylag_model::table::TableName>().unwrap();
    let change = TableChange::of("t", vec![name.clone()], name, &mapping);
    let mut text = String::new();
    for made in &change.made {
        let why = made.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        let _ = writeln!(text, "{} {}: {}{why}", made.name, made.data_type, made.value.to_sql(Dialect::Canonical));
    }
    insta::assert_snapshot!(text, @r#"
    user_id int64: CAST("uid" AS int64)
    channel string: coalesce("channel", 'unknown')
    amount decimal(9,2): CAST("price" AS decimal(9,2) ROUND) (rows whose value does not fit are put aside)
    version int32: CAST(2 AS int32)
    address string: CASE WHEN coalesce("street", "city") IS NOT NULL THEN concat_ws(', ', "street", "city") END
    "#);
}

#[test]
fn a_column_is_found_without_regard_to_case_unless_case_is_all_that_differs() {
    let mapping = resolved("Uid: int64; UID: int64; mail: string", json!({})).unwrap().mapping;
    let name = "t".parse::<greylag_model::table::TableName>().unwrap();
    let change = TableChange::of("t", vec![name.clone()], name, &mapping);
    let found = |name: &str| change.column(name).map(|column| column.name.as_str());
    assert_eq!(found("UID"), Some("UID"));
    assert_eq!(found("uid"), Some("Uid"));
    assert_eq!(found("MAIL"), Some("mail"));
    assert_eq!(found("other"), None);
}
