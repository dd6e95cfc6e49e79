//! The suites of the seams.
#![expect(clippy::unwrap_used, reason = "tests")]

use greylag_store::Store;
use std::cell::Cell;

#[test]
fn keeps_the_promises_of_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let number = Cell::new(0);
    greylag_driver::journal::conformance::prune::run(&|| {
        number.set(number.get() + 1);
        Box::new(Store::open(folder.path().join(format!("{}.db", number.get()))).unwrap())
    });
}
