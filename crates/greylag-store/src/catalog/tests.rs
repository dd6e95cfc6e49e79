#![expect(clippy::unwrap_used, reason = "tests")]

use super::{MIGRATION, SqliteCatalog};
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
