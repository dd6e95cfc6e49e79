//! What code was found to read and write.

use super::{CRM, Estate, dataset, joined};
use greylag_catalog::code::{Repository, Scanned, register};
use greylag_catalog::tables::Tables;
use greylag_driver::catalog::Catalog;
use greylag_model::entity::EntityRef;
use greylag_model::flow::{ColumnFlow, Consumer, Flows, Place, Relation, Touched, Way};
use greylag_model::id::Timestamp;
use greylag_model::lineage::{Direction, Graph};

/// `a.b` is a table, `<x` what the consumer `x` makes.
fn relation(text: &str) -> Relation {
    match text.strip_prefix('<') {
        Some(maker) => Relation { table: format!("target.{maker}").parse().ok(), made_by: Some(maker.to_owned()) },
        None => Relation { table: text.parse().ok(), made_by: None },
    }
}

fn touched(texts: &[&str], line: u32) -> Vec<Touched> {
    let place = Place { path: "f.sql".to_owned(), line, position: 1 };
    let touched = |text: &&str| Touched { relation: relation(text), places: vec![place.clone()], certain: true };
    texts.iter().map(touched).collect()
}

fn consumer(key: &str, line: u32, reads: &[&str], writes: &[&str]) -> Consumer {
    Consumer {
        key: key.to_owned(),
        name: key.to_owned(),
        kind: "sql".to_owned(),
        path: "f.sql".to_owned(),
        reads: touched(reads, line),
        writes: touched(writes, line),
        ..Consumer::default()
    }
}

fn flows(consumers: Vec<Consumer>) -> Flows {
    Flows { consumers, ..Flows::default() }
}

fn estate() -> Estate {
    let annotated = |name: &str, table: &str| {
        let table = format!("  annotations:\n    greylag.dev/table: {table}\n");
        dataset(name, &format!("/lake/{name}"), "").replace("  annotations:\n", &table)
    };
    let all = [CRM.to_owned(), annotated("orders", "raw.orders"), annotated("daily", "mart.daily")];
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let estate = Estate::new(&[("a.yaml", &joined(&all))]);
    estate.import(1, &["."]);
    estate
}

fn scan(estate: &Estate, at: i64, place: &str, commit: &str, flows: &Flows) -> Scanned {
    let tables = Tables::of(&estate.catalog).unwrap();
    let name = place.rsplit('/').next().unwrap();
    let repository = Repository { place, name, commit: Some(commit), namespace: "default" };
    register(&estate.catalog, &tables, flows, &repository, Timestamp(at)).unwrap()
}

/// What lies downstream of a dataset, by names.
fn down(estate: &Estate, dataset: &str) -> Vec<String> {
    let graph = Graph::of_relations(&estate.catalog.relations(None).unwrap());
    let start = EntityRef::parse(dataset, "resource").unwrap();
    graph.walk(&start, Direction::Down, 9).iter().map(|hop| format!("{} > {}", hop.from.name, hop.to.name)).collect()
}

#[test]
fn datasets_flow_through_consumers_and_what_they_make() {
    let estate = estate();
    let all = vec![
        consumer("stage", 1, &["raw.orders"], &["<stage"]),
        consumer("middle", 2, &["<stage"], &["<middle"]),
        consumer("load", 3, &["<middle", "other.table"], &["mart.daily"]),
        consumer("aside", 4, &["other.table"], &["<aside"]),
        consumer("early", 5, &["other.table"], &["<early"]),
        consumer("late", 6, &["<early"], &["mart.daily"]),
    ];
    let scanned = scan(&estate, 10, "/src/shop", "c1", &flows(all));
    assert_eq!((scanned.consumers, scanned.passed_over, scanned.edges), (5, 1, 6));
    assert_eq!(
        down(&estate, "orders"),
        ["orders > shop.stage", "shop.stage > shop.middle", "shop.middle > shop.load", "shop.load > daily",]
    );
    assert_eq!(estate.fact("component:shop.aside", "identity"), None);
    assert!(estate.fact("component:shop.early", "identity").is_some(), "it lies upstream of a dataset");
    let fact = estate.fact("component:shop.stage", "reads.resource:default/orders").unwrap();
    let place = r#"{"line":1,"path":"f.sql","position":1}"#;
    assert_eq!(
        fact,
        format!(r#"{{"certain":true,"commit":"c1","places":[{place}],"repository":"/src/shop"}} by code:/src/shop"#)
    );
    assert_eq!(estate.fact("component:shop", "spec.type").unwrap(), "\"repository\" by code:/src/shop");
    let of = estate.fact("component:shop.stage", "spec.subcomponentOf").unwrap();
    assert!(of.starts_with("\"component:default/shop\""), "{of}");
}

#[test]
fn columns_say_where_they_come_from() {
    let estate = estate();
    let flow = |output: Option<&str>, from: &str, column: &str, way| ColumnFlow {
        to: relation("mart.daily"),
        output: output.map(str::to_owned),
        from: relation(from),
        column: column.to_owned(),
        way,
    };
    let mut load = consumer("load", 1, &["raw.orders", "other.table"], &["mart.daily"]);
    load.columns = vec![
        flow(Some("total"), "raw.orders", "amount", Way::Aggregation),
        flow(None, "raw.orders", "day", Way::Indirect),
        flow(Some("rate"), "other.table", "rate", Way::Identity),
    ];
    scan(&estate, 10, "/src/shop", "c1", &flows(vec![load]));
    let columns = |key: &str| {
        let fact = estate.fact("component:shop.load", key).unwrap();
        fact.split_once(r#""columns":["#).unwrap().1.split_once("],").unwrap().0.to_owned()
    };
    assert_eq!(columns("reads.resource:default/orders"), r#"{"column":"amount"},{"column":"day"}"#);
    assert_eq!(
        columns("writes.resource:default/daily"),
        r#"{"from":"resource:default/orders","of":"day","way":"indirect"},{"column":"total","from":"resource:default/orders","of":"amount","way":"aggregation"}"#
    );
}

#[test]
fn a_scan_replaces_what_it_said_and_nothing_else() {
    let estate = estate();
    let first = flows(vec![consumer("a", 1, &["raw.orders"], &[]), consumer("b", 2, &["mart.daily"], &[])]);
    scan(&estate, 10, "/src/shop", "c1", &first);
    scan(&estate, 11, "/src/other", "d1", &flows(vec![consumer("a", 1, &["raw.orders"], &[])]));
    assert_eq!(down(&estate, "orders"), ["orders > other.a", "orders > shop.a"]);
    // The same at another commit: only the repository says so.
    let again = scan(&estate, 20, "/src/shop", "c2", &first);
    assert_eq!((again.report.changed(), again.report.unchanged()), (1, 2));
    assert!(estate.fact("component:shop.a", "reads.resource:default/orders").unwrap().contains(r#""commit":"c1""#));
    // One goes, one moves.
    let second = flows(vec![consumer("b", 3, &["mart.daily"], &[])]);
    let again = scan(&estate, 30, "/src/shop", "c3", &second);
    assert_eq!((again.report.removed(), again.report.changed()), (1, 2));
    assert!(estate.fact("component:shop.b", "reads.resource:default/daily").unwrap().contains(r#""commit":"c3""#));
    assert_eq!(down(&estate, "orders"), ["orders > other.a"]);
    scan(&estate, 40, "/src/shop", "c4", &flows(Vec::new()));
    assert!(down(&estate, "daily").is_empty());
    assert_eq!(down(&estate, "orders"), ["orders > other.a"]);
}

#[test]
fn another_source_has_more_weight() {
    let estate = estate();
    let descriptor = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: shop.a\n  annotations:\n    \
                      greylag.dev/reads: daily\nspec: {type: service, lifecycle: production, owner: crm}\n";
    estate.write("b.yaml", descriptor);
    estate.import(5, &["."]);
    let mut a = consumer("a", 1, &["raw.orders"], &[]);
    a.owner = Some("group:default/somebody".to_owned());
    scan(&estate, 10, "/src/shop", "c1", &flows(vec![a]));
    let owner = estate.fact("component:shop.a", "spec.owner").unwrap();
    assert!(owner.contains("crm") && owner.contains("descriptor"), "{owner}");
    // What both say that it reads is read.
    assert_eq!(down(&estate, "orders"), ["orders > shop.a"]);
    assert_eq!(down(&estate, "daily"), ["daily > shop.a"]);
}

#[test]
fn names_of_repositories_and_of_tables_may_be_somebody_elses() {
    let estate = estate();
    let one = flows(vec![consumer("a", 1, &["raw.orders"], &[])]);
    scan(&estate, 10, "/src/shop", "c1", &one);
    let other = scan(&estate, 11, "/elsewhere/shop", "c1", &one).repository.unwrap();
    assert!(other.name.starts_with("shop-") && other.name.len() == "shop-".len() + 8, "{other}");
    // `raw.orders` is one, `orders` without a schema the end of it alone.
    let strange = flows(vec![consumer("a", 1, &["orders"], &[]), consumer("b", 1, &["old.orders"], &[])]);
    let scanned = scan(&estate, 12, "/src/third", "c1", &strange);
    assert_eq!((scanned.consumers, scanned.passed_over), (1, 1));
}
