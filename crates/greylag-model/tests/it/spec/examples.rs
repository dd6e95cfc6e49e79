//! The files under `examples/` are read as they stand.

use super::read;
use greylag_model::spec::{Document, Parsed, parse};
use insta::assert_snapshot;

fn check(file: &str) -> Parsed {
    let path = format!("{}/../../examples/{file}", env!("CARGO_MANIFEST_DIR"));
    let parsed = parse(file, &std::fs::read_to_string(path).unwrap());
    assert_eq!(parsed.diagnostics, []);
    parsed
}

/// Those that together show every key.
const EVERY: [&str; 7] = [
    "derived/migration.yaml",
    "events.yaml",
    "users.yaml",
    "orders.yaml",
    "csv-to-parquet.yaml",
    "steps/count-rows/migration.yaml",
    "steps/announce/migration.yaml",
];

#[test]
fn users() {
    let parsed = check("users.yaml");
    assert_snapshot!(read(&parsed), @"Migration users-v2");
    let lines = parsed.documents[0].places().source().text().lines().count();
    assert!(lines < 20, "the smallest useful migration has {lines} lines");
}

#[test]
fn orders() {
    let parsed = check("orders.yaml");
    assert_snapshot!(read(&parsed), @"Migration orders-v2");
    let Document::Migration(migration, _) = &parsed.documents[0] else { panic!("not a migration") };
    // Written out and read again, it is the same.
    let text = serde_json::to_string(migration).unwrap();
    let again = parse("again.json", &text);
    assert_eq!(again.diagnostics, []);
    let Document::Migration(again, _) = &again.documents[0] else { panic!("not a migration") };
    assert_eq!(again, migration);
}

/// `orders.yaml` claims to show every key: no key of the schema is missing from the examples.
#[test]
fn every_key_is_shown() {
    let files = EVERY.map(check);
    let texts: Vec<&str> = files.iter().map(|file| file.documents[0].places().source().text()).collect();
    let schema = greylag_model::spec::json_schema();
    let all = schema["$defs"].as_object().unwrap().iter().filter(|(name, _)| *name != "CsvDialect");
    // A dialect beside Parquet would be an error, and one bound of a tolerance is enough.
    let others = ["Layout.csv", "Tolerance.relative"];
    for (name, definition) in all {
        for key in definition["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            let shown = texts.iter().any(|text| text.contains(&format!("{key}:")));
            assert!(shown || others.contains(&&*format!("{name}.{key}")), "`{name}.{key}` is in no example");
        }
    }
}

#[test]
fn csv_to_parquet() {
    assert_snapshot!(read(&check("csv-to-parquet.yaml")), @"
    Connection lake
    Migration readings-v2
    ");
}
