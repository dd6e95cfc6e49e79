//! Templates: what they make of datasets, and what is said of those that they do not fit.

use greylag_model::dataset::{Compression, Dataset, Format, Layout, Location, Shape};
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::EntityRef;
use greylag_model::schema::{Column, Schema};
use greylag_model::snapshot::Observed;
use greylag_model::spec::{Document, MigrationTemplate, parse};
use greylag_model::template::{Candidate, Rendered, parameters, render};
use greylag_model::yaml::Places;
use std::collections::BTreeMap;
use std::fmt::Write;

fn template(spec: &str) -> (MigrationTemplate, Places) {
    let parsed = parse("t.yaml", &document(spec));
    assert!(parsed.is_sound(), "{:#?}", parsed.diagnostics);
    match parsed.documents.into_iter().next() {
        Some(Document::Template(template, places)) => (*template, places),
        other => panic!("{other:?}"),
    }
}

fn document(spec: &str) -> String {
    format!(
        "apiVersion: greylag.dev/v1alpha1\nkind: MigrationTemplate\nmetadata: {{name: t}}\nspec:\n{}\n",
        spec.trim_matches('\n')
    )
}

/// A dataset with columns as `name type`.
fn dataset(name: &str, columns: &[&str]) -> Candidate {
    let column = |text: &&str| {
        let (name, data_type) = text.split_once(' ').unwrap();
        Column { name: name.to_owned(), data_type: data_type.parse().unwrap(), nullable: true }
    };
    let entity = EntityRef::parse(name, "resource").unwrap();
    let location = Location { connection: None, path: format!("/data/{name}.parquet") };
    let observed = Observed {
        dataset: Dataset { entity: entity.clone(), location: location.clone(), declared: BTreeMap::new() },
        layout: Layout {
            format: Format::Parquet { compression: Compression::default() },
            shape: Shape::File,
            partition_by: Vec::new(),
        },
        schema: Schema { columns: columns.iter().map(column).collect() },
        files: 1,
        rows: Some(3),
        bytes: 10,
        fingerprint: String::new(),
    };
    Candidate {
        entity,
        entity_type: Some("dataset".to_owned()),
        owner: EntityRef::parse("group:shop", "group"),
        lifecycle: None,
        tags: Vec::new(),
        annotations: BTreeMap::new(),
        location,
        observed: Ok(observed),
    }
}

fn rendered(spec: &str, given: &[(&str, &str)], datasets: &[Candidate]) -> Rendered {
    let (template, places) = template(spec);
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let parameters = parameters(&template, &places, &given).unwrap();
    render(&template, &places, &parameters, datasets).unwrap()
}

fn line(diagnostic: &Diagnostic) -> String {
    let at = diagnostic.place.as_ref().map_or(0, |place| place.line);
    format!("{} line {at}: {}", diagnostic.code, diagnostic.message)
}

/// Pairs with their mappings, and everything that is said.
fn show(rendered: &Rendered) -> String {
    let mut text = String::new();
    for (pair, spec) in rendered.pairs.iter().zip(&rendered.migration.spec.datasets) {
        writeln!(text, "{} -> {}", spec.from, spec.to).unwrap();
        let mapping = spec.mapping.as_ref().unwrap();
        for column in &mapping.columns {
            let value = serde_json::to_value(column).unwrap();
            writeln!(text, "  {value}").unwrap();
        }
        mapping.drop.iter().for_each(|drop| writeln!(text, "  drop {}: {}", drop.name, drop.reason).unwrap());
        pair.problems.iter().for_each(|problem| writeln!(text, "  {}", line(problem)).unwrap());
    }
    rendered.unchanged.iter().for_each(|entity| writeln!(text, "unchanged {}", entity.short()).unwrap());
    rendered.done.iter().for_each(|entity| writeln!(text, "done {}", entity.short()).unwrap());
    rendered.unread.iter().for_each(|left| writeln!(text, "unread {}: {}", left.entity.short(), left.why).unwrap());
    rendered.warnings.iter().for_each(|warning| writeln!(text, "{}", line(warning)).unwrap());
    text
}

const IDS_AND_TIMES: &str = r#"
  select: dataset.name.startsWith("shop") && columns.exists(c, c.name != "none")
  to: ${{ dataset.name }}_v2
  rules:
    - name: user ids
      match: {name: "(.*_)?uid"}
      set: {name: "${1}user_id"}
    - name: times
      match: {type: "timestamp(ns*"}
      set: {type: "timestamp(us, UTC)", loss: truncate}
      unmatched: allow
    - name: scratch
      match: {name: "tmp_.*"}
      drop: nobody reads it
      unmatched: allow
"#;

#[test]
fn rules_adapt_to_each_schema() {
    let datasets = [
        dataset("other", &["uid int64"]),
        dataset("shop_orders", &["uid int64", "at timestamp(ns)", "tmp_x string", "total decimal(10,2)"]),
        dataset("shop_visits", &["old_uid string", "day date"]),
        dataset("shop_moved", &["user_id int64", "at timestamp(us, UTC)"]),
        dataset("shop_past", &["uid int64"]),
        dataset("shop_past_v2", &["user_id int64"]),
    ];
    insta::assert_snapshot!(show(&rendered(IDS_AND_TIMES, &[], &datasets)), @r#"
    shop_orders -> shop_orders_v2
      {"from":"uid","name":"user_id"}
      {"from":"at","loss":"truncate","name":"at","type":"timestamp(us, UTC)"}
      drop tmp_x: nobody reads it
    shop_visits -> shop_visits_v2
      {"from":"old_uid","name":"old_user_id"}
    unchanged shop_moved
    unchanged shop_past_v2
    done shop_past
    GL0139 line 9: rule `user ids` matches no column of 2 of 4 datasets (shop_moved, shop_past_v2)
    "#);
}

#[test]
fn a_dataset_in_which_nothing_changes_is_left_out_but_for_a_layout() {
    let moved = [dataset("shop_moved", &["user_id int64"])];
    assert!(rendered(IDS_AND_TIMES, &[], &moved).pairs.is_empty());
    let spec = format!("{IDS_AND_TIMES}  layout: {{compression: zstd, format: parquet}}\n");
    assert_eq!(rendered(&spec, &[], &moved).pairs.len(), 1);
}

#[test]
fn rules_that_want_different_things_block_the_dataset_and_are_both_named() {
    let spec = r#"
  select: "true"
  to: ${{ dataset.name }}_v2
  rules:
    - {name: a, match: {name: uid}, set: {name: user_id}}
    - {name: b, match: {type: int64}, set: {name: "${{ column.name }}_number"}, unmatched: allow}
    - {name: c, match: {name: old}, drop: unused, unmatched: allow}
    - {name: d, match: {name: old}, set: {type: string}, unmatched: allow}
    - {name: e, match: {name: "u.*"}, set: {description: who}, unmatched: allow}
"#;
    let datasets =
        [dataset("x", &["uid int64"]), dataset("y", &["uid string", "old int32"]), dataset("z", &["uid string"])];
    insta::assert_snapshot!(show(&rendered(spec, &[], &datasets)), @r#"
    x -> x_v2
      {"description":"who","from":"uid","name":"user_id"}
      GL0138 line 9: `x`, column `uid`: rule `a` and rule `b` want different things (name)
    y -> y_v2
      {"description":"who","from":"uid","name":"user_id"}
      drop old: unused
      GL0138 line 11: `y`, column `old`: rule `c` and rule `d` want different things (a drop and a change)
    z -> z_v2
      {"description":"who","from":"uid","name":"user_id"}
    "#);
}

#[test]
fn names_that_would_meet_are_told() {
    let spec = r#"
  select: "true"
  to: ${{ dataset.name.replace("_old", "") }}_v2
  rules:
    - {match: {name: uid}, set: {name: user_id}}
"#;
    let datasets =
        [dataset("x", &["uid int64", "user_id int64"]), dataset("y", &["uid int64"]), dataset("y_old", &["uid int64"])];
    let shown = show(&rendered(spec, &[], &datasets));
    assert!(shown.contains("`x`: the columns `uid` and `user_id` would both be called `user_id`"), "{shown}");
    assert!(shown.contains("`y` and `y_old` would both become `y_v2`"), "{shown}");
}

#[test]
fn parameters_are_typed_and_seen() {
    let spec = r#"
  parameters:
    - {name: team}
    - {name: version, type: integer, default: 2}
    - {name: unit, oneOf: [us, ms], default: us}
  select: dataset.owner == "group:default/" + params.team
  to: ${{ dataset.name }}_v${{ params.version }}
  rules:
    - {match: {type: "timestamp(*"}, set: {type: "timestamp(${{ params.unit }})", loss: truncate}}
"#;
    let datasets = [dataset("x", &["at timestamp(ns)"])];
    insta::assert_snapshot!(show(&rendered(spec, &[("team", "shop"), ("version", "3")], &datasets)), @r#"
    x -> x_v3
      {"from":"at","loss":"truncate","name":"at","type":"timestamp(us)"}
    "#);
    assert!(rendered(spec, &[("team", "other")], &datasets).pairs.is_empty());
    let (template, places) = template(spec);
    let wrong = |given: &[(&str, &str)]| {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        parameters(&template, &places, &given).unwrap_err().iter().map(line).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(wrong(&[("version", "two"), ("unit", "s")]), @r"
    GL0137 line 6: the template's parameter `team` has no value
    GL0137 line 7: the parameter `version` takes a whole number, not `two`
    GL0137 line 8: the parameter `unit` is one of `us`, `ms`, not `s`
    ");
}

#[test]
fn tags_annotations_and_conditions_choose() {
    let spec = r#"
  select: "true"
  to: ${{ dataset.name }}_v2
  rules:
    - {match: {tag: pii, name: email}, set: {expr: "lower(${{ column.quoted }})"}, unmatched: allow}
    - {match: {annotation: example.com/clock=utc, type: "timestamp(us)"}, set: {type: "timestamp(us, UTC)"}, unmatched: allow}
    - {match: {when: column.name.size() == 1 && !column.partition}, set: {name: "col_${{ column.name }}"}, unmatched: allow}
"#;
    let plain = dataset("plain", &["email string", "at timestamp(us)", "a int8"]);
    let mut marked = dataset("marked", &["email string", "at timestamp(us)"]);
    marked.tags.push("pii".to_owned());
    marked.annotations.insert("example.com/clock".to_owned(), "utc".to_owned());
    insta::assert_snapshot!(show(&rendered(spec, &[], &[plain, marked])), @r#"
    plain -> plain_v2
      {"from":"a","name":"col_a"}
    marked -> marked_v2
      {"expr":"lower(\"email\")","from":"email","name":"email"}
      {"from":"at","name":"at","type":"timestamp(us, UTC)"}
    "#);
}

#[test]
fn what_has_to_match_and_does_not_blocks() {
    let spec = r#"
  select: "true"
  to: ${{ dataset.name }}_v2
  rules:
    - {match: {name: uid}, set: {name: user_id}, unmatched: fail}
    - {match: {name: x}, set: {name: y}, unmatched: allow}
"#;
    let mut gone = dataset("gone", &[]);
    gone.observed = Err(vec![Diagnostic::error(greylag_model::code::data::NOT_FOUND, "nothing is there")]);
    insta::assert_snapshot!(show(&rendered(spec, &[], &[dataset("a", &["x int8"]), gone])), @r#"
    a -> a_v2
      {"from":"x","name":"y"}
      GL0138 line 8: `a`: rule 1 matches no column
    unread gone: nothing is there
    "#);
}

#[test]
fn all_that_is_wrong_with_a_template_is_told_at_once() {
    let text = document(
        r#"
  select: datset.name == "x"
  to: ${{ dataset.name }
  rules:
    - {match: {name: "(("}, set: {name: x}}
    - {match: {}, set: {name: x}}
    - {match: {name: x}}
    - {match: {name: x}, set: {name: y}, drop: both}
    - {match: {name: x, when: column.name ==}, set: {}}
"#,
    );
    let told = parse("t.yaml", &text).diagnostics.iter().map(line).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(told, @r#"
    GL0136 line 5: the condition `datset.name == "x"` uses `datset`, but what there is is params, dataset, columns
    GL0136 line 6: the text `${{ dataset.name }` has a `${{` that is not closed
    GL0136 line 8: the pattern `((` cannot be read: unclosed group
    GL0136 line 9: the rule matches every column
    GL0136 line 10: the rule does nothing
    GL0136 line 11: the rule both changes and drops
    GL0136 line 12: the condition `column.name ==` cannot be read: mismatched input '<EOF>' (column 15)
    GL0136 line 12: the rule sets nothing
    "#);
}

#[test]
fn places_of_what_was_rendered_are_those_of_the_rules() {
    let rendered =
        rendered(IDS_AND_TIMES, &[], &[dataset("shop_orders", &["uid int64", "at timestamp(ns)", "tmp_x string"])]);
    let line = |pointer: &str| rendered.place(pointer).line;
    assert_eq!(line("/spec/datasets/0/to"), 6);
    assert_eq!(line("/spec/datasets/0/mapping/columns/0/name"), 10);
    assert_eq!(line("/spec/datasets/0/mapping/columns/1/type"), 13);
    assert_eq!(line("/spec/datasets/0/mapping/drop/0"), 17);
    assert_eq!(line("/spec/datasets/7/mapping/columns/9"), 8);
}
