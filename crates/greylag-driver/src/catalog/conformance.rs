//! What every catalog store must do.
#![expect(clippy::unwrap_used, reason = "a conformance suite is test code")]

use super::{Absent, Batch, Catalog, Filter, Operation, Page};
use greylag_model::dataset::Location;
use greylag_model::entity::EntityRef;
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Source, Values, facts};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Makes an empty store.
pub type Make<'a> = &'a dyn Fn() -> Box<dyn Catalog>;

/// Runs the whole suite; panics where the store differs.
pub fn conformance(make: Make<'_>) {
    empty(&*make());
    imports_and_reimports(&*make());
    what_vanished_is_gone(&*make());
    a_migration_stands_against_an_older_descriptor(&*make());
    an_edit_stands_against_an_older_migration(&*make());
    undo_takes_the_facts_back(&*make());
    what_could_not_be_read_stays(&*make());
    a_moved_file_keeps_its_standing(&*make());
    schema_versions_are_kept(&*make());
    lists_filters_and_pages(&*make());
    searches(&*make());
    relations_and_locations(&*make());
    odd_names_and_hostile_text(&*make());
}

fn descriptor(file: &str) -> Source {
    Source::Descriptor(file.to_owned())
}

fn run(id: &str) -> Source {
    Source::Migration(id.to_owned())
}

fn dataset(name: &str) -> EntityRef {
    EntityRef::new("resource", "default", name)
}

/// The facts of a dataset, and others.
fn values(name: &str, others: &[(&str, Value)]) -> Values {
    let mut values = Values::from([
        (facts::IDENTITY.to_owned(), facts::identity("backstage.io/v1alpha1", "Resource", "default", name)),
        (facts::TYPE.to_owned(), json!("dataset")),
    ]);
    values.extend(others.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    values
}

fn replace(source: &Source, entities: &[(&str, &[(&str, Value)])]) -> Operation {
    Operation::Replace {
        source: source.clone(),
        via: "/estate".to_owned(),
        formerly: None,
        entities: entities.iter().map(|(name, others)| (dataset(name), values(name, others))).collect(),
        absent: Absent::Vanish,
    }
}

/// Applies one operation and tells what it did, one line an entity and one a kept fact.
fn apply(catalog: &dyn Catalog, at: i64, operation: Operation) -> String {
    let applied = catalog.apply(&Batch { at: Timestamp(at), operations: vec![operation] }).unwrap();
    let mut lines: Vec<String> =
        applied.entities.iter().map(|touched| format!("{} {:?}", touched.entity.short(), touched.outcome)).collect();
    lines.extend(applied.kept.iter().map(|kept| format!("{} {}", kept.entity.short(), kept.fact)));
    lines.join("\n")
}

fn standing(catalog: &dyn Catalog, name: &str, key: &str) -> Option<(Value, Source)> {
    let record = catalog.record(&dataset(name)).unwrap()?;
    record.facts.into_iter().find(|fact| fact.key == key).map(|fact| (fact.value, fact.source))
}

fn history(catalog: &dyn Catalog, name: &str) -> String {
    let history = catalog.history(&dataset(name)).unwrap();
    let line = |change: &super::Change| {
        let keys: Vec<String> = (change.facts.iter())
            .map(|fact| {
                let side = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
                format!("{} {}→{}", fact.key, side(&fact.before), side(&fact.after))
            })
            .collect();
        format!("{} {:?} {}", change.at.0, change.outcome, keys.join(", "))
    };
    history.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn empty(catalog: &dyn Catalog) {
    let nobody = dataset("nobody");
    assert_eq!(catalog.find(std::slice::from_ref(&nobody)).unwrap(), vec![None]);
    assert_eq!(catalog.record(&nobody).unwrap(), None);
    assert_eq!(catalog.schemas(&nobody).unwrap(), vec![]);
    assert_eq!(catalog.history(&nobody).unwrap(), vec![]);
    assert_eq!(catalog.relations(None).unwrap(), vec![]);
    assert_eq!(catalog.sources().unwrap(), vec![]);
    assert_eq!(catalog.search("users", 10).unwrap(), vec![]);
    let listing = catalog.list(&Filter::default(), &Page::default()).unwrap();
    assert_eq!((listing.items.len(), listing.total, listing.next), (0, 0, None));
    assert_eq!(catalog.apply(&Batch::default()).unwrap(), super::Applied::default());
}

fn imports_and_reimports(catalog: &dyn Catalog) {
    let file = descriptor("/estate/a.yaml");
    let said: &[(&str, Value)] = &[(facts::OWNER, json!("crm")), ("metadata.tags.pii", json!(true))];
    assert_eq!(apply(catalog, 10, replace(&file, &[("users", said), ("orders", &[])])), "orders Added\nusers Added");
    let before = (catalog.record(&dataset("users")).unwrap(), catalog.history(&dataset("users")).unwrap());
    assert_eq!(
        apply(catalog, 20, replace(&file, &[("users", said), ("orders", &[])])),
        "orders Unchanged\nusers Unchanged"
    );
    let after = (catalog.record(&dataset("users")).unwrap(), catalog.history(&dataset("users")).unwrap());
    assert_eq!(before, after, "a repeated import changes nothing, not even a time");
    let found = catalog.find(&[dataset("users"), dataset("none"), dataset("orders")]).unwrap();
    let users = found[0].clone().unwrap();
    assert_eq!(users.owner, Some(EntityRef::new("group", "default", "crm")));
    assert_eq!((users.tags, users.registered_by), (vec!["pii".to_owned()], vec![file.clone()]));
    assert!(found[1].is_none() && found[2].is_some());
    let sources = catalog.sources().unwrap();
    assert_eq!((sources.len(), sources[0].entities, sources[0].via.as_str()), (1, 2, "/estate"));
}

fn what_vanished_is_gone(catalog: &dyn Catalog) {
    let (file, scan) = (descriptor("/estate/a.yaml"), Source::Scan("/estate".to_owned()));
    apply(catalog, 10, replace(&file, &[("users", &[(facts::TITLE, json!("Users"))]), ("orders", &[])]));
    apply(catalog, 11, replace(&scan, &[("users", &[(facts::TITLE, json!("users.parquet"))])]));
    assert_eq!(standing(catalog, "users", facts::TITLE), Some((json!("Users"), file.clone())));
    assert_eq!(apply(catalog, 20, replace(&file, &[("users", &[])])), "orders Removed\nusers Changed");
    assert_eq!(standing(catalog, "users", facts::TITLE), Some((json!("users.parquet"), scan.clone())));
    assert_eq!(catalog.find(&[dataset("orders")]).unwrap(), vec![None]);
    assert_eq!(catalog.record(&dataset("orders")).unwrap(), None);
    assert_eq!(catalog.list(&Filter::default(), &Page::default()).unwrap().total, 1);
    assert_eq!(catalog.history(&dataset("orders")).unwrap().len(), 2, "its history is kept");
    assert_eq!(apply(catalog, 30, Operation::Forget { source: file.clone() }), "users Unchanged");
    assert_eq!(apply(catalog, 40, Operation::Forget { source: scan }), "users Removed");
    assert_eq!(catalog.sources().unwrap(), vec![]);
}

fn a_migration_stands_against_an_older_descriptor(catalog: &dyn Catalog) {
    let file = descriptor("/estate/a.yaml");
    let said: &[(&str, Value)] = &[(facts::LIFECYCLE, json!("production")), (facts::OWNER, json!("crm"))];
    apply(catalog, 10, replace(&file, &[("users_v1", said)]));
    let cutover = Operation::Amend {
        source: run("r-1"),
        entity: dataset("users_v1"),
        set: Values::from([("successor.resource:default/users_v2".to_owned(), json!(true))]),
        unset: vec![],
    };
    assert_eq!(apply(catalog, 20, cutover.clone()), "users_v1 Changed");
    assert_eq!(apply(catalog, 21, cutover), "users_v1 Unchanged", "a step that is done again changes nothing");
    let kept = "users_v1 `spec.lifecycle` stays \"deprecated\" as migration:r-1 says; \
                descriptor:/estate/a.yaml says \"production\"";
    let again = apply(catalog, 30, replace(&file, &[("users_v1", said)]));
    assert_eq!(again, format!("users_v1 Unchanged\n{kept}"));
    let edited_elsewhere: &[(&str, Value)] = &[(facts::LIFECYCLE, json!("production")), (facts::OWNER, json!("sales"))];
    let again = apply(catalog, 40, replace(&file, &[("users_v1", edited_elsewhere)]));
    assert_eq!(again, format!("users_v1 Changed\n{kept}"));
    let entity = catalog.record(&dataset("users_v1")).unwrap().unwrap().entity.unwrap();
    assert_eq!(entity.spec["lifecycle"], "deprecated");
    assert_eq!(entity.annotation("greylag.dev/successor"), Some("resource:default/users_v2"));
    assert_eq!(
        history(catalog, "users_v1").lines().skip(1).collect::<Vec<_>>(),
        [
            "20 Changed spec.lifecycle \"production\"→\"deprecated\", successor.resource:default/users_v2 -→true",
            "40 Changed spec.owner \"crm\"→\"sales\"",
        ]
    );
}

fn an_edit_stands_against_an_older_migration(catalog: &dyn Catalog) {
    let file = descriptor("/estate/b.yaml");
    let publish = |id: &str, owner: &str| Operation::Amend {
        source: run(id),
        entity: dataset("users_v2"),
        set: values("users_v2", &[(facts::OWNER, json!(owner))]),
        unset: vec![],
    };
    assert_eq!(apply(catalog, 10, publish("r-1", "group:default/crm")), "users_v2 Added");
    let first = apply(catalog, 20, replace(&file, &[("users_v2", &[(facts::OWNER, json!("sales"))])]));
    assert!(first.starts_with("users_v2 Unchanged\nusers_v2 `spec.owner` stays"), "{first}");
    let edit = apply(catalog, 30, replace(&file, &[("users_v2", &[(facts::OWNER, json!("support"))])]));
    assert_eq!(edit, "users_v2 Changed");
    assert_eq!(standing(catalog, "users_v2", facts::OWNER), Some((json!("support"), file.clone())));
    apply(catalog, 40, publish("r-2", "group:default/ops"));
    assert_eq!(standing(catalog, "users_v2", facts::OWNER), Some((json!("group:default/ops"), run("r-2"))));
}

fn undo_takes_the_facts_back(catalog: &dyn Catalog) {
    let file = descriptor("/estate/a.yaml");
    apply(catalog, 10, replace(&file, &[("users_v1", &[(facts::LIFECYCLE, json!("production"))])]));
    let before = catalog.record(&dataset("users_v1")).unwrap();
    let published = values("users_v2", &[("predecessor.resource:default/users_v1", json!(true))]);
    let keys: Vec<String> = published.keys().cloned().collect();
    let tie = "successor.resource:default/users_v2".to_owned();
    let amend = |name: &str, set: Values, unset: Vec<String>| Operation::Amend {
        source: run("r-1"),
        entity: dataset(name),
        set,
        unset,
    };
    apply(catalog, 20, amend("users_v2", published, vec![]));
    apply(catalog, 21, amend("users_v1", Values::from([(tie.clone(), json!(true))]), vec![]));
    assert_eq!(apply(catalog, 30, amend("users_v1", Values::new(), vec![tie])), "users_v1 Changed");
    assert_eq!(apply(catalog, 31, amend("users_v2", Values::new(), keys.clone())), "users_v2 Removed");
    assert_eq!(apply(catalog, 32, amend("users_v2", Values::new(), keys)), "users_v2 Unchanged");
    assert_eq!(catalog.record(&dataset("users_v1")).unwrap(), before);
    assert_eq!(catalog.record(&dataset("users_v2")).unwrap(), None);
    assert_eq!(catalog.sources().unwrap().len(), 1);
}

fn what_could_not_be_read_stays(catalog: &dyn Catalog) {
    let file = descriptor("/estate/a.yaml");
    apply(catalog, 10, replace(&file, &[("a", &[]), ("b", &[]), ("c", &[])]));
    let replace = |name: &str, absent: Absent| {
        let Operation::Replace { source, via, formerly, entities, .. } = replace(&file, &[(name, &[])]) else {
            unreachable!("made above")
        };
        Operation::Replace { source, via, formerly, entities, absent }
    };
    assert_eq!(apply(catalog, 20, replace("b", Absent::Stay)), "b Unchanged");
    assert_eq!(apply(catalog, 30, replace("b", Absent::StayThese([dataset("c")].into()))), "a Removed\nb Unchanged");
    assert_eq!(names(&catalog.list(&Filter::default(), &Page::default()).unwrap().items), "b c");
}

fn a_moved_file_keeps_its_standing(catalog: &dyn Catalog) {
    let (old, new) = (descriptor("/estate/a.yaml"), descriptor("/estate/b.yaml"));
    apply(catalog, 10, replace(&old, &[("users", &[(facts::OWNER, json!("crm"))])]));
    let before = catalog.record(&dataset("users")).unwrap().unwrap().facts;
    let Operation::Replace { via, entities, absent, .. } = replace(&new, &[("users", &[(facts::OWNER, json!("crm"))])])
    else {
        unreachable!("made above")
    };
    let moved = Operation::Replace { source: new.clone(), via, formerly: Some(old.clone()), entities, absent };
    let batch = Batch { at: Timestamp(20), operations: vec![moved, Operation::Forget { source: old }] };
    let applied = catalog.apply(&batch).unwrap();
    assert_eq!(applied.entities.iter().map(|touched| touched.outcome).collect::<Vec<_>>(), [super::Outcome::Unchanged]);
    let after = catalog.record(&dataset("users")).unwrap().unwrap().facts;
    assert_eq!(after.iter().map(|fact| fact.since).collect::<Vec<_>>(), vec![Timestamp(10); before.len()]);
    assert!(after.iter().all(|fact| fact.source == new));
    assert_eq!(catalog.find(&[dataset("users")]).unwrap()[0].clone().unwrap().registered_by, vec![new]);
    assert_eq!(catalog.sources().unwrap().len(), 1);
}

fn schema_versions_are_kept(catalog: &dyn Catalog) {
    let scan = Source::Scan("/estate".to_owned());
    let schema = |columns: &[&str]| {
        let column = |name: &&str| json!({ "name": name, "type": "decimal(15,2)", "nullable": true });
        json!(columns.iter().map(column).collect::<Vec<_>>())
    };
    let say = |at: i64, columns: &[&str]| {
        apply(catalog, at, replace(&scan, &[("users", &[(facts::SCHEMA, schema(columns))])]))
    };
    let versions = || -> Vec<String> {
        let versions = catalog.schemas(&dataset("users")).unwrap();
        let names = |version: &super::SchemaVersion| -> Vec<String> {
            version.schema.columns.iter().map(|column| format!("{}: {}", column.name, column.data_type)).collect()
        };
        versions
            .iter()
            .map(|one| format!("{} {} {} {}", one.version, one.at.0, one.source, names(one).join(", ")))
            .collect()
    };
    assert_eq!(say(10, &["a"]), "users Added");
    say(20, &["a"]);
    assert_eq!(versions(), ["1 10 scan:/estate a: decimal(15,2)"], "what is repeated is no version");
    say(30, &["a", "b"]);
    say(40, &["a"]);
    let all = [
        "1 10 scan:/estate a: decimal(15,2)",
        "2 30 scan:/estate a: decimal(15,2), b: decimal(15,2)",
        "3 40 scan:/estate a: decimal(15,2)",
    ];
    assert_eq!(versions(), all);
    apply(catalog, 50, Operation::Forget { source: scan.clone() });
    assert_eq!(versions(), all, "also of one that is gone");
    say(60, &["a"]);
    assert_eq!(versions(), all, "what comes back as it was is no version");
}

fn names(items: &[super::Summary]) -> String {
    items.iter().map(|item| item.entity.short()).collect::<Vec<_>>().join(" ")
}

fn lists_filters_and_pages(catalog: &dyn Catalog) {
    let mut entities = BTreeMap::new();
    for number in 0..25 {
        let name = format!("d{number:02}");
        let mut said = values(&name, &[(facts::OWNER, json!(if number % 2 == 0 { "even" } else { "user:odd" }))]);
        if number == 7 {
            said.insert("metadata.tags.pii".to_owned(), json!(true));
            said.insert(facts::LIFECYCLE.to_owned(), json!("deprecated"));
        }
        entities.insert(dataset(&name), said);
    }
    let group = EntityRef::new("group", "hr", "even");
    let said = Values::from([
        (facts::IDENTITY.to_owned(), facts::identity("backstage.io/v1alpha1", "Group", "hr", "Even")),
        (facts::TYPE.to_owned(), json!("team")),
    ]);
    entities.insert(group.clone(), said);
    let operation = Operation::Replace {
        source: descriptor("/e.yaml"),
        via: "/e.yaml".to_owned(),
        formerly: None,
        entities,
        absent: Absent::Vanish,
    };
    apply(catalog, 10, operation);
    let mut pages = Vec::new();
    let mut page = Page { after: None, limit: 10 };
    loop {
        let listing = catalog.list(&Filter::datasets(), &page).unwrap();
        assert_eq!(listing.total, 25);
        pages.push(names(&listing.items));
        page.after = listing.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(
        pages,
        ["d00 d01 d02 d03 d04 d05 d06 d07 d08 d09", "d10 d11 d12 d13 d14 d15 d16 d17 d18 d19", "d20 d21 d22 d23 d24"]
    );
    let check = |filter: Filter, expected: &str| {
        let listing = catalog.list(&filter, &Page { after: None, limit: 3 }).unwrap();
        assert_eq!(format!("{} of {}", names(&listing.items), listing.total), expected, "for {filter:?}");
    };
    let filter = Filter::default;
    check(Filter { kind: Some("Group".to_owned()), ..filter() }, "hr/even of 1");
    check(Filter { namespace: Some("HR".to_owned()), ..filter() }, "hr/even of 1");
    check(Filter { owner: Some(EntityRef::new("group", "default", "even")), ..filter() }, "d00 d02 d04 of 13");
    check(Filter { owner: Some(EntityRef::new("user", "default", "odd")), ..filter() }, "d01 d03 d05 of 12");
    check(Filter { tag: Some("pii".to_owned()), ..filter() }, "d07 of 1");
    check(Filter { lifecycle: Some("deprecated".to_owned()), ..filter() }, "d07 of 1");
    check(Filter { entity_type: Some("team".to_owned()), ..filter() }, "hr/even of 1");
    check(Filter { text: Some("D1".to_owned()), ..filter() }, "d10 d11 d12 of 10");
    check(Filter { tag: Some("none".to_owned()), ..filter() }, " of 0");
}

fn searches(catalog: &dyn Catalog) {
    let location = |path: &str| json!({ "path": path });
    let entities: &[(&str, &[(&str, Value)])] = &[
        ("orders", &[(facts::DESCRIPTION, json!("what customers bought")), (facts::LOCATION, location("/lake/o.csv"))]),
        ("customers", &[(facts::TITLE, json!("Zürich Café list"))]),
        ("sales_orders_v2", &[]),
    ];
    apply(catalog, 10, replace(&descriptor("/a.yaml"), entities));
    let check = |text: &str, expected: &str| {
        assert_eq!(names(&catalog.search(text, 10).unwrap()), expected, "for `{text}`");
    };
    check("customers", "customers orders");
    check("CUST bou", "orders");
    check("v2", "sales_orders_v2");
    check("zürich", "customers");
    check("lake", "orders");
    check("ustomers", "");
    check("", "");
    check("\" OR name:* NEAR(", "");
    assert_eq!(catalog.search("customers", 1).unwrap().len(), 1);
    apply(catalog, 20, replace(&descriptor("/a.yaml"), &[("customers", &[(facts::TITLE, json!("Basel"))])]));
    check("zürich", "");
    check("basel", "customers");
    check("orders", "");
}

fn relations_and_locations(catalog: &dyn Catalog) {
    let at = |path: &str| Location { connection: None, path: path.to_owned() };
    let entities: &[(&str, &[(&str, Value)])] = &[
        ("a", &[(facts::OWNER, json!("nobody")), (facts::LOCATION, json!(at("/lake/a")))]),
        (
            "b",
            &[
                ("spec.dependsOn.resource:default/a", json!("resource:default/a")),
                (facts::LOCATION, json!(at("/lake/b"))),
            ],
        ),
    ];
    apply(catalog, 10, replace(&descriptor("/a.yaml"), entities));
    let lines = |entity: Option<&EntityRef>| -> Vec<String> {
        let relations = catalog.relations(entity).unwrap();
        relations.iter().map(|relation| format!("{} {} {}", relation.from, relation.kind, relation.to)).collect()
    };
    let owned = "resource:default/a ownedBy group:default/nobody";
    let depends = "resource:default/b dependsOn resource:default/a";
    assert_eq!(lines(None), [owned, depends]);
    assert_eq!(lines(Some(&dataset("a"))), [owned, depends]);
    assert_eq!(lines(Some(&dataset("b"))), [depends]);
    let connected = Location { connection: Some("lake".to_owned()), path: "/lake/a".to_owned() };
    let found = catalog.located(&[at("/lake/b"), at("/lake"), connected, at("/lake/a")]).unwrap();
    assert_eq!(found, vec![Some(dataset("b")), None, None, Some(dataset("a"))]);
    apply(catalog, 20, replace(&descriptor("/a.yaml"), &[("a", &[])]));
    assert_eq!(lines(None), Vec::<String>::new());
    assert_eq!(catalog.located(&[at("/lake/a")]).unwrap(), vec![None]);
}

fn odd_names_and_hostile_text(catalog: &dyn Catalog) {
    let long = "x".repeat(63);
    let odd = ["0", "a.b-c_d", "users'; DROP TABLE catalog_entity; --", &long];
    for (index, name) in odd.iter().enumerate() {
        let title = json!("\u{0}\u{202e}%_\"'");
        let file = descriptor(&format!("/odd '{index}'.yaml"));
        apply(catalog, 10, replace(&file, &[(name, &[(facts::TITLE, title.clone())])]));
        assert_eq!(standing(catalog, name, facts::TITLE), Some((title, file)));
    }
    assert_eq!(catalog.list(&Filter::default(), &Page::default()).unwrap().total, odd.len() as u64);
    assert_eq!(names(&catalog.search("drop table", 10).unwrap()), odd[2].to_lowercase());
}
