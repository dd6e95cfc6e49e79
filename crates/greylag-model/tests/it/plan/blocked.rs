use super::{Case, local, observed, parquet, probed};
use greylag_model::code;
use greylag_model::dataset::{Location, Shape};
use greylag_model::diagnostic::Diagnostic;
use serde_json::json;

const ID: &str = "id: int64";

#[test]
fn a_source_that_cannot_be_had() {
    let mut case = Case::new(&[("a", "b", ID), ("c", "d", ID)], json!({}));
    let why = Diagnostic::error(code::plan::UNKNOWN_DATASET, "the catalog has no dataset `a`");
    case.snapshot.pairs[0].source = Err(vec![why]);
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0450 at /spec/datasets/0/from: the catalog has no dataset `a`
    ");
    assert_eq!(case.plan().tasks[0].id.as_str(), "d");
}

#[test]
fn nothing_is_left_to_plan() {
    let mut case = Case::new(&[("a", "b", ID), ("c", "d", ID), ("e", "f", "")], json!({}));
    case.spec["mapping"] = json!({"columns": [{"name": "x", "from": "idd"}]});
    insta::assert_snapshot!(case.reasons(), @"
    GL0401 at /spec/mapping/columns/0/from: the old dataset has no column `idd`
        did you mean `id`?
    GL0411 at /spec/mapping: the old dataset has no columns
    GL0425: nothing can be planned: all 3 pairs are blocked
    ");
}

#[test]
fn a_target_that_exists() {
    let mut case = Case::new(&[("a", "b", ID), ("c", "d", ID)], json!({}));
    case.snapshot.pairs[0].target.exists = true;
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0420 at /spec/datasets/0/to: something already lies at the target's place `/data/b`
        choose another `to` or `location`, or move away what is there
    ");
}

#[test]
fn one_target_for_two() {
    let case = Case::new(&[("a", "x", ID), ("b", "x", ID), ("c", "d", ID)], json!({}));
    insta::assert_snapshot!(case.reasons(), @"
    a → x
    GL0421 at /spec/datasets/0/to: 2 pairs have the target `x`
        they are `a → x`, `b → x`
    b → x
    GL0421 at /spec/datasets/1/to: 2 pairs have the target `x`
        they are `a → x`, `b → x`
    ");
}

#[test]
fn one_place_for_two() {
    let mut case = Case::new(&[("a", "b", ID), ("c", "d", ID), ("e", "f", ID)], json!({}));
    case.snapshot.pairs[0].target.location = local("/data/x/../y/");
    case.snapshot.pairs[1].target.location = local("/data//./y");
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0421 at /spec/datasets/0/to: two targets have the same place
        the pairs are `a → b`, `c → d`
    c → d
    GL0421 at /spec/datasets/1/to: two targets have the same place
        the pairs are `a → b`, `c → d`
    ");
}

#[test]
fn targets_inside_and_around_others() {
    let mut case = Case::new(
        &[("a", "a2", ID), ("b", "b2", ID), ("c", "c2", ID), ("d", "d2", ID), ("e", "e2", ID), ("f", "f2", ID)],
        json!({}),
    );
    let places = ["/data/a/new", "/data/a", "/data", "/new/d", "/new/d/e", "/data/ab"];
    for (pair, path) in case.snapshot.pairs.iter_mut().zip(places) {
        pair.target.location = local(path);
    }
    insta::assert_snapshot!(case.reasons(), @"
    GL0422 at /spec/datasets/0/to: the target lies inside the target `c2`
        choose a `location` beside the other dataset, not inside or around it
    GL0422 at /spec/datasets/1/to: the target's place is that of `a`
        choose a `location` beside the other dataset, not inside or around it
    GL0422 at /spec/datasets/2/to: the target lies around `a`
        choose a `location` beside the other dataset, not inside or around it
    GL0422 at /spec/datasets/3/to: the target lies around `e2`
        choose a `location` beside the other dataset, not inside or around it
    GL0422 at /spec/datasets/4/to: the target lies inside the target `d2`
        choose a `location` beside the other dataset, not inside or around it
    GL0422 at /spec/datasets/5/to: the target lies inside the target `c2`
        choose a `location` beside the other dataset, not inside or around it
    GL0425: nothing can be planned: all 6 pairs are blocked
    ");
}

#[test]
fn places_are_compared_below_the_roots_of_their_connections() {
    let mut case = Case::new(&[("a", "a2", ID), ("b", "b2", ID), ("c", "c2", ID)], json!({}));
    case.snapshot.connections.insert("lake".to_owned(), "/data".to_owned());
    let at = |connection: &str, path: &str| Location { connection: Some(connection.to_owned()), path: path.to_owned() };
    case.snapshot.pairs[0].target.location = at("lake", "b/inside");
    case.snapshot.pairs[1].target.location = at("elsewhere", "b/inside");
    insta::assert_snapshot!(case.reasons(), @"
    a → a2
    GL0422 at /spec/datasets/0/to: the target lies inside `b`
        choose a `location` beside the other dataset, not inside or around it
    ");
}

#[test]
fn one_source_for_two_beyond_publish() {
    let case = Case::new(&[("a", "b", ID), ("a", "c", ID), ("d", "e", ID)], json!({}));
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0423 at /spec/datasets/0/from: 2 pairs would replace `a`
        stop at `through: publish`, or leave one of them to another migration
    a → c
    GL0423 at /spec/datasets/1/from: 2 pairs would replace `a`
        stop at `through: publish`, or leave one of them to another migration
    ");
    let case = Case::new(&[("a", "b", ID), ("a", "c", ID)], json!({"through": "publish"}));
    assert_eq!(case.plan().tasks.len(), 2);
}

#[test]
fn cyclic_lineage() {
    let case = Case::new(&[("a", "a2", ID), ("b", "b2", ID), ("c", "c2", ID)], json!({}));
    let case = case.lineage(&[("a", "b"), ("b", "a"), ("b", "c")]);
    insta::assert_snapshot!(case.reasons(), @"
    a → a2
    GL0424 at /spec/datasets/0/from: lineage runs in a circle: `a` → `b` → `a`
        correct the descriptors, or migrate these datasets in migrations of their own
    b → b2
    GL0424 at /spec/datasets/1/from: lineage runs in a circle: `b` → `a` → `b`
        correct the descriptors, or migrate these datasets in migrations of their own
    ");
    let plan = case.plan();
    assert_eq!(plan.tasks[0].warnings[0].message, "`b` is blocked; `c2` is made from it and does not wait for it");
}

#[test]
fn types_that_the_format_cannot_carry() {
    let mut case = Case::new(&[("a", "b", "id: int64; tags: list<string>; raw: binary"), ("c", "d", ID)], json!({}));
    case.spec["layout"] = json!({"format": "csv"});
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0413 at /spec/layout/format: column `tags` is of type `list<string>`, which CSV cannot carry
        keep the dataset in Parquet, drop the column with a reason, or compute text from it with `expr`
    GL0413 at /spec/layout/format: column `raw` is of type `binary`, which CSV cannot carry
        keep the dataset in Parquet, drop the column with a reason, or compute text from it with `expr`
    ");
}

#[test]
fn columns_that_avro_cannot_carry() {
    let source = "big: uint64; at: list<timestamp(s)>; straße: string; m: map<int8, string>; fine: struct<x: uint32>";
    let mut case = Case::new(&[("a", "b", source), ("c", "d", ID)], json!({}));
    case.spec["layout"] = json!({"format": "avro"});
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0449 at /spec/layout/format: Avro cannot carry column `big` of type `uint64`: Avro has no unsigned 64-bit numbers
        give it the type `decimal(20,0)`
    GL0449 at /spec/layout/format: Avro cannot carry column `at` of type `list<timestamp(s)>`: Avro has no times in whole seconds
        give it the unit `ms`
    GL0449 at /spec/layout/format: Avro cannot carry column `straße` of type `string`: Avro names begin with a letter or `_` and go on with those and digits, and `straße` does not
        rename the column
    GL0449 at /spec/layout/format: Avro cannot carry column `m` of type `map<int8, string>`: keys of Avro's maps are strings, not `int8`
        keep the dataset in Parquet
    ");
}

#[test]
fn types_that_json_cannot_carry() {
    let mut case =
        Case::new(&[("a", "b", "m: list<map<list<int8>, string>>; n: map<date, binary>"), ("c", "d", ID)], json!({}));
    case.spec["layout"] = json!({"format": "json"});
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0448 at /spec/layout/format: column `m` is of type `list<map<list<int8>, string>>`, which JSON cannot carry
        keep the dataset in Parquet, drop the column with a reason, or compute text from it with `expr`
    GL0442 at /spec/datasets/0/to: column `n` has bytes inside nested values, which are base64 in JSON and text to DuckDB
        keep the dataset in Parquet
        or stop at `through: publish`, which needs no view
    ");
}

#[test]
fn targets_whose_ids_are_equal() {
    let mut case = Case::new(&[("a", "finance/x", ID), ("b", "finance.x", ID), ("c", "d", ID)], json!({}));
    case.snapshot.pairs[1].target.location = local("/data/elsewhere");
    insta::assert_snapshot!(case.reasons(), @"
    a → finance/x
    GL0421 at /spec/datasets/0/to: 2 pairs have the target `finance.x`
        they are `a → finance/x`, `b → finance.x`
    b → finance.x
    GL0421 at /spec/datasets/1/to: 2 pairs have the target `finance.x`
        they are `a → finance/x`, `b → finance.x`
    ");
}

#[test]
fn a_snapshot_of_another_migration_is_refused() {
    let mut case = Case::new(&[("a", "b", ID)], json!({}));
    case.snapshot.pairs.push(probed(observed("c", ID, parquet(Shape::File, &[])), "d"));
    insta::assert_snapshot!(case.reasons(), @"GL0001: the snapshot has 2 pairs and the migration 1");
}

#[test]
fn a_place_that_cutover_or_publish_would_refuse() {
    let mut case = Case::new(&[("a", "b", ID), ("c", "d", ID), ("e", "f", ID)], json!({}));
    case.snapshot.pairs[0].target.location = local("/data/x\\y[1].parquet");
    case.snapshot.pairs[1].target.location = local(&format!("/data/{}.parquet", "ä".repeat(124)));
    insta::assert_snapshot!(case.reasons(), @r"
    a → b
    GL0442 at /spec/datasets/0/to: DuckDB cannot read below `/data/x\y[1].parquet`, which has a backslash: there is no compatibility view
        give the new dataset a `location` without backslashes
        or stop at `through: publish`, which needs no view
    c → d
    GL0443 at /spec/datasets/1/to: `ääääääääääääääääääääääääääääääääääääääää…` has 256 bytes, and a file's name at most 255
        give the new dataset a shorter `location`
    ");
    assert_eq!(case.plan().tasks.len(), 1);
    // Without a cutover nobody needs a view.
    case.spec["through"] = json!("publish");
    assert_eq!(case.plan().tasks.len(), 2);
}

#[test]
fn an_old_name_too_long_for_its_view() {
    let mut case = Case::new(&[("a", "b", ID), ("c", "d", ID)], json!({}));
    let source = case.snapshot.pairs[0].source.as_mut().unwrap();
    source.dataset.location = local(&format!("/data/{}", "x".repeat(252)));
    insta::assert_snapshot!(case.reasons(), @"
    a → b
    GL0443 at /spec/datasets/0/to: the compatibility view of `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` would have a name of 256 bytes, at most 255 are possible
        stop at `through: publish`, or rename the old dataset first
    ");
}
