#![expect(clippy::unwrap_used, reason = "tests")]

use super::{DECIDED, DESCRIBED, SCANNED, Source, Statement, Values, amend, facts, resolve, restate};
use crate::entity::{Entity, EntityRef, descriptor};
use crate::id::Timestamp;
use serde_json::{Value, json};

fn users() -> EntityRef {
    EntityRef::new("resource", "default", "users")
}

fn file() -> Source {
    Source::Descriptor("a.yaml".to_owned())
}

fn run() -> Source {
    Source::Migration("r".to_owned())
}

fn one(key: &str, value: Value) -> Values {
    Values::from([(key.to_owned(), value)])
}

fn weight(statement: &Statement, key: &str) -> (i64, u8) {
    (statement[key].since.0, statement[key].precedence)
}

#[test]
fn sources_have_a_text_form() {
    for text in ["descriptor:/a:b/c.yaml", "scan:/lake", "migration:users-7k3f"] {
        assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
    }
    assert!("nobody:x".parse::<Source>().is_err() && "scan".parse::<Source>().is_err());
}

#[test]
fn what_is_repeated_keeps_its_time_and_what_is_edited_gains_weight() {
    let first = restate(&file(), &Statement::new(), one("k", json!(1)), Timestamp(10));
    assert_eq!(weight(&first, "k"), (10, DESCRIBED));
    let repeated = restate(&file(), &first, one("k", json!(1)), Timestamp(20));
    assert_eq!(repeated, first);
    let edited = restate(&file(), &first, one("k", json!(2)), Timestamp(30));
    assert_eq!(weight(&edited, "k"), (30, DECIDED));
    let again = restate(&file(), &edited, one("k", json!(2)), Timestamp(40));
    assert_eq!(weight(&again, "k"), (30, DECIDED), "a decision stays one");
    assert!(restate(&file(), &edited, Values::new(), Timestamp(50)).is_empty());
    let scan = Source::Scan("/".to_owned());
    let scanned = restate(
        &scan,
        &restate(&scan, &Statement::new(), one("k", json!(1)), Timestamp(1)),
        one("k", json!(2)),
        Timestamp(2),
    );
    assert_eq!(weight(&scanned, "k"), (2, SCANNED), "a scan decides nothing");
}

#[test]
fn amending_leaves_the_rest() {
    let first = amend(
        &run(),
        &Statement::new(),
        Values::from([("a".to_owned(), json!(1)), ("b".to_owned(), json!(2))]),
        &[],
        Timestamp(1),
    );
    let second = amend(&run(), &first, one("c", json!(3)), &["a".to_owned(), "none".to_owned()], Timestamp(2));
    assert_eq!(second.keys().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(weight(&second, "b"), (1, DECIDED));
    assert_eq!(amend(&run(), &second, one("c", json!(3)), &[], Timestamp(9)), second);
}

#[test]
fn an_entity_survives_the_way_into_facts_and_back() {
    let text = "
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Daily.Job
  namespace: finance
  title: Daily job
  labels: {example.com/tier: '1'}
  annotations: {greylag.dev/reads: 'a, b', 'example.com/a.b': ''}
  tags: [nightly, pii]
  links: [{url: 'https://example.com', title: x}]
  custom: {deep: [1, {er: null}]}
spec:
  type: data-pipeline
  lifecycle: production
  owner: CRM
  dependsOn: ['Resource:default/B', 'resource:a']
  providesApis: []
  more: [1, 2]
";
    let read = descriptor::read("f.yaml", text.as_bytes());
    assert_eq!(read.diagnostics, vec![]);
    let entity = read.entities[0].entity.clone();
    let reference = entity.reference();
    let statement = restate(&file(), &Statement::new(), facts::of_entity(&entity), Timestamp(1));
    let folded = resolve(&reference, [(&file(), &statement)]).entity.unwrap();
    // References in lists come back in full and in order.
    let mut expected = entity;
    expected.spec["dependsOn"] = json!(["resource:default/b", "resource:finance/a"]);
    assert_eq!(folded, expected);
}

#[test]
fn location_and_layout_are_folded_whole() {
    let entity = |annotations: Value| Entity {
        api_version: "backstage.io/v1alpha1".to_owned(),
        kind: "Resource".to_owned(),
        metadata: json!({ "name": "users", "annotations": annotations }).as_object().cloned().unwrap(),
        spec: json!({ "type": "dataset" }).as_object().cloned().unwrap(),
    };
    let old = restate(
        &file(),
        &Statement::new(),
        facts::of_entity(&entity(
            json!({ "greylag.dev/location": "/old.csv", "greylag.dev/format": "csv", "greylag.dev/csv-delimiter": ";" }),
        )),
        Timestamp(1),
    );
    let new = restate(
        &run(),
        &Statement::new(),
        facts::of_entity(&entity(
            json!({ "greylag.dev/connection": "lake", "greylag.dev/path": "new", "greylag.dev/format": "parquet" }),
        )),
        Timestamp(2),
    );
    let resolved = resolve(&users(), [(&file(), &old), (&run(), &new)]);
    let location = resolved.location().unwrap();
    assert_eq!((location.connection.as_deref(), location.path.as_str()), (Some("lake"), "new"));
    assert_eq!(
        resolved.entity.clone().unwrap().metadata["annotations"],
        json!({ "greylag.dev/connection": "lake", "greylag.dev/path": "new", "greylag.dev/format": "parquet" })
    );
    let kept: Vec<String> = resolved.overruled().map(|overruled| overruled.said.key).collect();
    assert_eq!(kept, ["layout", "location"], "what agrees is not overruled");
}

#[test]
fn without_an_identity_there_is_no_entity() {
    let cut = restate(&run(), &Statement::new(), one("successor.resource:default/b", json!(true)), Timestamp(1));
    let resolved = resolve(&users(), [(&run(), &cut)]);
    assert_eq!(resolved.entity, None);
    assert_eq!(resolved.text(facts::LIFECYCLE), Some("deprecated"));
    assert_eq!(resolve(&users(), []).facts, vec![]);
}

#[test]
fn of_two_successors_one_may_be_taken_back() {
    let both = Values::from([
        ("successor.resource:default/b".to_owned(), json!(true)),
        ("successor.resource:default/c".to_owned(), json!(true)),
    ]);
    let both = restate(&run(), &Statement::new(), both, Timestamp(1));
    let one = amend(&run(), &both, Values::new(), &["successor.resource:default/b".to_owned()], Timestamp(2));
    assert_eq!(resolve(&users(), [(&run(), &one)]).text(facts::LIFECYCLE), Some("deprecated"));
}
