//! State folders that are not what they should be, and that are used by two processes.
#![expect(clippy::unwrap_used, reason = "tests")]

use greylag_driver::journal::{Journal as _, Plans as _, Request, Watch as _, sample};
use greylag_model::code::engine as code;
use greylag_model::id::{RunId, Timestamp};
use greylag_model::task::Phase;
use greylag_store::Store;

fn with_run(store: &Store) -> RunId {
    let run = RunId::new("r-1");
    let plan = sample::plan("p-1", vec![sample::task("a", vec![sample::step("test/one", Phase::Expand)])]);
    store.save_plan(&plan).unwrap();
    store.create_run(&run, &plan.header.id, Timestamp(0)).unwrap();
    run
}

fn error_of(path: &std::path::Path) -> greylag_model::code::Code {
    match Store::open(path) {
        Ok(_) => panic!("it opens"),
        Err(error) => {
            assert!(!error.hints.is_empty(), "{error}");
            error.code
        }
    }
}

#[test]
fn a_newer_one_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    with_run(&Store::open(&path).unwrap());
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("INSERT INTO schema_version (version) VALUES (99); PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
    drop(raw);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(error_of(&path), code::STATE_NEWER);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, "not a database, but long enough to be taken for one. ".repeat(100)).unwrap();
    assert_eq!(error_of(&path), code::STATE_DAMAGED);
    assert_eq!(error_of(&folder.path().join("no/such/folder/state.db")), code::STATE_IO);
}

#[test]
fn what_was_written_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let run = with_run(&Store::open(&path).unwrap());
    let store = Store::open(&path).unwrap();
    assert_eq!(store.run(&run).unwrap().unwrap().counters.ready, 1);
    assert_eq!(store.plans(9).unwrap().len(), 1);
}

#[test]
fn one_process_sees_what_another_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (drives, asks) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let run = with_run(&drives);
    let version = drives.version().unwrap();
    // Its own writes and the other's reads are nothing new to it.
    drives.run(&run).unwrap();
    asks.run(&run).unwrap();
    assert_eq!(drives.version().unwrap(), version);
    let request = Request::Pause { by: "me".to_owned() };
    asks.post(&run, &request, Timestamp(5)).unwrap();
    assert_ne!(drives.version().unwrap(), version);
    assert_eq!(drives.requests(&run).unwrap()[0].request, request);
}

#[test]
fn an_event_of_a_newer_version_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path).unwrap();
    let run = with_run(&store);
    rusqlite::Connection::open(&path).unwrap().execute("UPDATE event SET version = 7", []).unwrap();
    assert_eq!(store.events(&run, 0, 9).unwrap_err().code, code::STATE_NEWER);
}

#[test]
fn two_that_open_an_empty_folder_at_once_both_succeed() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        std::thread::scope(|scope| {
            let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| Store::open(&path).map(drop))).collect();
            for opened in opened {
                opened.join().unwrap().unwrap();
            }
        });
    }
}
