//! A disk that is full, or fails to sync, once at every place; then there is space again.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::disk::{Disk, Fails};
use crate::load::{assert_sound, load};

fn fails_at_every_place(fails: Fails) -> u64 {
    let clean = {
        let folder = tempfile::tempdir().unwrap();
        load(folder.path(), &Disk::at(folder.path()))
    };
    for nth in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path());
        disk.fail(fails, nth);
        let events = load(folder.path(), &disk);
        assert_eq!(events, clean, "at {fails:?} {nth}");
        assert_eq!(assert_sound(&folder.path().join("state.db"), events), clean, "at {fails:?} {nth}");
        if disk.is_to_fail() {
            return nth;
        }
    }
    unreachable!("a load has an end")
}

#[test]
fn at_every_write() {
    assert!(fails_at_every_place(Fails::Write) > 100);
}

#[test]
fn at_every_sync() {
    assert!(fails_at_every_place(Fails::Sync) > 20);
}
