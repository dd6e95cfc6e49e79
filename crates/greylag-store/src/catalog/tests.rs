#![expect(clippy::unwrap_used, reason = "tests")]

use super::{MIGRATION, SqliteCatalog};
use greylag_driver::catalog::{Batch, Catalog, Filter, Operation, Page};
use greylag_model::code::catalog as code;
use greylag_model::entity::EntityRef;
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Source, Values, facts};
use greylag_model::spec::ErrorClass;
use rusqlite::Connection;

fn catalog() -> SqliteCatalog {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(MIGRATION).unwrap();
    SqliteCatalog::new(connection)
}

#[test]
fn conformance() {
    greylag_driver::catalog::conformance(&|| Box::new(catalog()));
}

#[test]
fn conformance_in_the_state_folder() {
    let directory = tempfile::TempDir::new().unwrap();
    let number = std::cell::Cell::new(0);
    greylag_driver::catalog::conformance(&|| {
        number.set(number.get() + 1);
        let store = crate::Store::open(directory.path().join(format!("{}.db", number.get()))).unwrap();
        Box::new(store.catalog())
    });
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("state.db");
    let catalog = crate::Store::open(&path).unwrap().catalog();
    let operation = |name: &str| Operation::Amend {
        source: Source::Migration("r".to_owned()),
        entity: EntityRef::new("resource", "default", name),
        set: Values::from([(
            facts::IDENTITY.to_owned(),
            facts::identity("backstage.io/v1alpha1", "Resource", "default", name),
        )]),
        unset: vec![],
    };
    let apply = |names: &[&str]| {
        catalog.apply(&Batch { at: Timestamp(1), operations: names.iter().map(|name| operation(name)).collect() })
    };
    apply(&["a"]).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TRIGGER fail BEFORE INSERT ON catalog_change WHEN new.change LIKE '%\"c\"%' BEGIN SELECT raise(ABORT, 'no'); END").unwrap();
    let error = apply(&["b", "c"]).unwrap_err();
    assert_eq!(error.code, code::CATALOG_UNAVAILABLE);
    assert_eq!(catalog.list(&Filter::default(), &Page::default()).unwrap().total, 1);
    other.execute_batch("DROP TRIGGER fail").unwrap();
    apply(&["b", "c"]).unwrap();
    assert_eq!(catalog.list(&Filter::default(), &Page::default()).unwrap().total, 3);
    other.execute_batch("UPDATE catalog_statement SET facts = 'rubbish'").unwrap();
    let error = apply(&["a"]).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Permanent, code::CATALOG_CORRUPT));
}
