//! What plans say of rows that are written to a target after it was published.

use super::resolved;
use greylag_model::dataset::{Compression, Format, Layout, Shape};
use greylag_model::expr::Dialect;
use greylag_model::mapping::{NewRows, ReverseWay, reversed};
use serde_json::{Value, json};

fn layout(shape: Shape, keys: &[&str]) -> Layout {
    let partition_by = keys.iter().map(|key| (*key).to_owned()).collect();
    Layout { format: Format::Parquet { compression: Compression::Zstd }, shape, partition_by }
}

/// The plan's line for directories without partitions.
fn line(source: &str, rules: Value) -> String {
    let directory = layout(Shape::Directory, &[]);
    NewRows::of(&resolved(source, rules).unwrap().mapping, &directory, &directory).line()
}

#[test]
fn what_has_a_way_back_is_carried() {
    let rules = json!({"columns": [{"name": "user_id", "from": "uid", "type": "int64"}]});
    assert_eq!(line("uid: int32!; n: string", rules), "undo carries new rows back");
}

#[test]
fn a_dropped_column_becomes_null_where_it_may() {
    let rules = |name: &str| json!({"drop": [{"name": name, "reason": "unused"}]});
    assert_eq!(line("a: int32; b: int32", rules("b")), "undo carries new rows back; `b` is null in them");
    assert_eq!(
        line("a: int32; b: int32!", rules("b")),
        "undo cannot carry new rows back: `b` has no way back (dropped: unused)"
    );
}

#[test]
fn what_the_target_was_computed_from_cannot_be_null() {
    // Null in its place would make another `year` of rows that went back.
    let rules = json!({
        "columns": [{"name": "twice", "expr": "day + day"}],
        "drop": [{"name": "a", "reason": "unused"}, {"name": "day", "reason": "see twice"}]
    });
    assert_eq!(
        line("a: int32; day: int32; c: int32", rules),
        "undo cannot carry new rows back: `day` has no way back (dropped: see twice)"
    );
}

#[test]
fn what_cannot_be_told_exactly_is_not_carried() {
    let rules = json!({"columns": [{"name": "a", "type": "int64", "loss": "round"}]});
    assert_eq!(
        line("a: decimal(15,2)", rules),
        "undo cannot carry new rows back: `a` has no way back (rounded from `decimal(15,2)` to `int64`)"
    );
}

#[test]
fn a_new_column_has_no_place_in_the_old_dataset() {
    let rules = json!({"columns": [{"name": "origin", "expr": "'v1'"}]});
    assert_eq!(line("a: int32", rules), "undo carries new rows back; `origin` must be as the mapping makes it");
}

#[test]
fn single_files_and_partitions_are_told() {
    let mapping = resolved("a: int32; b: int32", json!({"drop": [{"name": "b", "reason": "unused"}]})).unwrap().mapping;
    let (file, directory) = (layout(Shape::File, &[]), layout(Shape::Directory, &[]));
    assert_eq!(NewRows::of(&mapping, &file, &directory).cannot, ["the old dataset is a single file"]);
    assert_eq!(NewRows::of(&mapping, &directory, &file).cannot, ["the new dataset is a single file"]);
    let by_b = layout(Shape::Directory, &["b"]);
    assert_eq!(NewRows::of(&mapping, &by_b, &directory).cannot, ["`b` has no way back (dropped: unused)"]);
}

#[test]
fn turned_round_it_makes_the_old_columns_and_proves_the_new_ones() {
    let rules = json!({
        "columns": [{"name": "n", "from": "uid", "type": "int64"}, {"name": "city", "default": "'nowhere'"}],
        "drop": [{"name": "old", "reason": "unused"}],
        "reverse": [{"name": "city", "expr": "nullif(city, 'nowhere')"}]
    });
    let back = reversed(&resolved("uid: int32; city: string; old: date", rules).unwrap().mapping).unwrap();
    let made: Vec<String> = back
        .columns
        .iter()
        .map(|column| format!("{} = {}", column.target, column.expr.to_sql(Dialect::Canonical)))
        .collect();
    assert_eq!(made, ["uid = CAST(\"n\" AS int32)", "city = nullif(\"city\", 'nowhere')", "old = CAST(NULL AS date)"]);
    let proven: Vec<String> = back
        .reverse
        .iter()
        .map(|reverse| match &reverse.way {
            ReverseWay::Expr { expr, .. } => format!("{} = {}", reverse.source, expr.to_sql(Dialect::Canonical)),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(proven, ["n = CAST(\"uid\" AS int64)", "city = coalesce(\"city\", 'nowhere')"]);
    assert_eq!((back.source.columns.len(), back.target.columns.len()), (2, 3));
}
