//! Power cuts: no acknowledged commit is lost, whatever the disk had not yet synced.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::disk::{Disk, Found, VFS};
use crate::load::{assert_sound, load};
use rusqlite::{Connection, OpenFlags};

#[test]
fn at_any_write_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::at(folder.path());
    let events = load(folder.path(), &disk);
    let ops = disk.ops();
    assert!(ops > 200, "{ops}");
    let mut lost_more_than_nothing = 0;
    // Every eleventh operation, which meets every kind of write in turn.
    for op in (1..=ops).step_by(11) {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path());
        disk.cut_before(op);
        load(folder.path(), &disk);
        for found in [Found::Nothing, Found::All, Found::Some(op), Found::Some(op << 20)] {
            let after = tempfile::tempdir().unwrap();
            let acknowledged = disk.after_power_cut(found, after.path());
            let seq = assert_sound(&after.path().join("state.db"), acknowledged);
            if seq < events {
                lost_more_than_nothing += 1;
            }
        }
    }
    assert!(lost_more_than_nothing > 50, "{lost_more_than_nothing}");
}

#[test]
fn lose_what_was_not_synced_on_this_disk() {
    // The same disk under a database that does not ask for a sync per commit: the rig itself must lose commits.
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::at(folder.path());
    let flags = OpenFlags::default();
    let connection = Connection::open_with_flags_and_vfs(folder.path().join("state.db"), flags, VFS).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE t (x);").unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    for number in 0..50 {
        connection.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
    }
    disk.cut_before(disk.ops() + 1);
    connection.execute("INSERT INTO t VALUES (50)", []).unwrap();
    let rows = |found| {
        let after = tempfile::tempdir().unwrap();
        disk.after_power_cut(found, after.path());
        let connection = Connection::open(after.path().join("state.db")).unwrap();
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((rows(Found::Nothing), rows(Found::All)), (0, 50));
}
