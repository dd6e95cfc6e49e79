use super::{Case, csv, entity, observed};
use greylag_model::dataset::Shape;
use greylag_model::plan::{Detail, LineKind, explain};
use serde_json::json;

#[test]
fn one_dataset_of_each_kind() {
    let guide = json!({"guide": "https://example.org/status", "text": "codes changed"});
    let spec = json!({
        "mapping": {
            "columns": [
                {"name": "user_id", "from": "uid"},
                {"name": "price", "type": "float64"},
                {"name": "status", "judgement": guide},
                {"name": "origin", "expr": "'v1'"}
            ],
            "drop": [{"name": "legacy", "reason": "unused since 2024"}]
        }
    });
    let columns = "uid: int64!; price: decimal(15,2); status: int32; legacy: string; other: date";
    let mut case =
        Case::new(&[("users_v1", "users_v2", columns), ("events", "events_v2", "uid: int64; n: int32")], spec);
    let pair = &mut case.snapshot.pairs[0];
    pair.owner = Some(entity("group:team-a"));
    pair.dangling_owner = true;
    pair.source.as_mut().unwrap().rows = Some(1_234_567);
    pair.source.as_mut().unwrap().bytes = 310_000_000;
    pair.impact.direct = ["a", "b", "c", "d"].map(|name| entity(&format!("component:{name}"))).to_vec();
    pair.impact.indirect = 12;
    insta::assert_snapshot!(case.explain(Detail::Summary), @"
    ~ users_v1 → users_v2  group:default/team-a  1.2M rows, 310 MB  breaking
        ~ uid → user_id  rename
        ~ price  decimal(15,2) → float64, exact
        ? status  codes changed (guide: https://example.org/status)
        + origin  new string = 'v1'
        - legacy  dropped: unused since 2024
          2 columns as they are
          breaks readers: column `uid` is renamed to `user_id`
          breaks readers: column `price` goes from `decimal(15,2)` to `float64`
          breaks readers: column `legacy` is dropped
          undo cannot carry new rows back: both datasets are single files
          4 consumers, 12 beyond: component:default/a, component:default/b, component:default/c …
    x events → events_v2  blocked
        /spec/mapping/columns/1/name:1:1: error[GL0401]: the old dataset has no column `price`
          hint: its columns are `uid`, `n`
          hint: a renamed column has `from`, a computed one `expr`, a new one `expr` or `default`
        /spec/mapping/columns/2/name:1:1: error[GL0401]: the old dataset has no column `status`
          hint: its columns are `uid`, `n`
          hint: a renamed column has `from`, a computed one `expr`, a new one `expr` or `default`
        /spec/mapping/drop/0/name:1:1: error[GL0401]: the old dataset has no column `legacy`
          hint: its columns are `uid`, `n`
    warning[GL0430]: users_v2: no way back for `legacy` (dropped: unused since 2024)
    warning[GL0434]: users_v2: the owner `group:default/team-a` of `users_v1` is not in the catalog
    needs up to 620 MB on `disk-1`, which has 1.0 GB free
    Plan p-4cdc624ddc47: 1 dataset to migrate (1 breaking), 1 blocked, 2 warnings; 1.2M rows, 310 MB, about 31 s; run greylag apply p-4cdc624ddc47
    ");
}

fn many(count: usize, distinct: usize) -> Case {
    let names: Vec<(String, String, String)> = (0..count)
        .map(|number| {
            (format!("old{number}"), format!("new{number}"), format!("c{}: int32; k: string", number % distinct))
        })
        .collect();
    let pairs: Vec<(&str, &str, &str)> =
        names.iter().map(|(from, to, columns)| (from.as_str(), to.as_str(), columns.as_str())).collect();
    let mut case = Case::new(&pairs, json!({}));
    for (number, dataset) in case.spec["datasets"].as_array_mut().unwrap().iter_mut().enumerate() {
        let rules = json!([{"name": "id", "from": format!("c{}", number % distinct), "type": "int64"}]);
        dataset["mapping"] = json!({"columns": rules});
    }
    case
}

#[test]
fn equal_changes_are_shown_once() {
    insta::assert_snapshot!(many(1_204, 2).explain(Detail::Summary), @"
    ~ 602 datasets: the same change  602k rows, 30 MB  breaking
        ~ c0 → id  int32 → int64, exact
          1 column as it is
          breaks readers: column `c0` is renamed to `id`
          breaks readers: column `id` goes from `int32` to `int64`
          undo cannot carry new rows back: both datasets are single files
          old0 → new0, old2 → new2, old4 → new4 and 599 more
    ~ 602 datasets: the same change  602k rows, 30 MB  breaking
        ~ c1 → id  int32 → int64, exact
          1 column as it is
          breaks readers: column `c1` is renamed to `id`
          breaks readers: column `id` goes from `int32` to `int64`
          undo cannot carry new rows back: both datasets are single files
          old1 → new1, old3 → new3, old5 → new5 and 599 more
    needs up to 65 MB on `disk-1`, which has 1.0 GB free
    Plan p-41cc0708aa84: 1,204 datasets to migrate (1,204 breaking); 1.2M rows, 60 MB, about 9 s; run greylag apply p-41cc0708aa84
    ");
}

#[test]
fn a_summary_fits_on_a_screen_however_many_there_are() {
    let case = many(500, 100);
    let lines = explain(&case.plan(), Detail::Summary);
    assert!(lines.len() < 150, "{}", lines.len());
    let last: Vec<&str> = lines.iter().rev().take(3).map(|line| line.text.as_str()).collect();
    assert!(lines.iter().any(|line| line.text == "and 400 datasets more with 80 other sets of changes"), "{last:#?}");
    let full = explain(&case.plan(), Detail::Full);
    assert_eq!(full.iter().filter(|line| line.kind == LineKind::Breaking).count(), 500);
    for lines in [lines, full] {
        let counts: Vec<usize> =
            lines.iter().enumerate().filter(|(_, line)| line.kind == LineKind::Count).map(|(at, _)| at).collect();
        assert_eq!(counts, [lines.len() - 1]);
    }
}

#[test]
fn warnings_of_one_kind_are_one_line() {
    let mut case = Case::new(&[("a", "b", "x: int64"), ("c", "d", "x: int64"), ("e", "f", "x: int64")], json!({}));
    for (pair, name) in case.snapshot.pairs.iter_mut().zip(["a", "c", "e"]).take(2) {
        pair.source = Ok(observed(name, "x: int64", csv(Shape::File)));
    }
    case.snapshot.pairs[2].source.as_mut().unwrap().rows = Some(0);
    insta::assert_snapshot!(case.explain(Detail::Summary), @"
    ~ 3 datasets: no changes  150 kB
          1 column as it is
          undo cannot carry new rows back: both datasets are single files
          a → b, c → d, e → f
    warning[GL0431]: 2 datasets: rows that are not known beforehand (b, d)
    warning[GL0432]: f: `e` is empty
    needs up to 270 kB on `disk-1`, which has 1.0 GB free
    Plan p-3c6d00cd61a1: 3 datasets to migrate, 2 warnings; 150 kB, under 1 s; run greylag apply p-3c6d00cd61a1
    ");
}

#[test]
fn blocked_pairs_have_their_reasons() {
    let mut case = Case::new(&[("a", "b", "x: int64"), ("c", "d", "x: int64")], json!({}));
    case.snapshot.pairs[0].target.exists = true;
    insta::assert_snapshot!(case.explain(Detail::Full), @"
    ~ c → d  1,000 rows, 50 kB
          1 column as it is
          undo cannot carry new rows back: both datasets are single files
          1 consumer: component:default/reader
    x a → b  blocked
        /spec/datasets/0/to:1:1: error[GL0420]: something already lies at the target's place `/data/b`
          hint: choose another `to` or `location`, or move away what is there
    needs up to 108 kB on `disk-1`, which has 1.0 GB free
    Plan p-79fad8ce1285: 1 dataset to migrate, 1 blocked; 1,000 rows, 50 kB, under 1 s; run greylag apply p-79fad8ce1285
    ");
}

#[test]
fn a_line_is_a_line_whatever_the_names() {
    let mut case = Case::new(&[("a", "b", "x: int64")], json!({}));
    let column = &mut case.snapshot.pairs[0].source.as_mut().unwrap().schema.columns[0];
    column.name = "x\n\u{1b}[31my".to_owned();
    case.spec["mapping"] = json!({"columns": [{"name": "z", "from": "x\n\u{1b}[31my"}]});
    for line in explain(&case.plan(), Detail::Full) {
        assert!(!line.text.contains(char::is_control), "{line:?}");
    }
}
