//! A crash at every fault point, and a full disk at every write: the next attempt finishes, and nothing is left over.

use crate::files::old_file;
use crate::support::{STEPS, Setup, World, avro, json, parquet};
use greylag_model::dataset::Shape;
use greylag_model::spec::ErrorClass;
use greylag_model::task::Direction;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A panic that nothing in the executors catches is as near to a crash as one process gets: no clean-up runs. (The real
/// `kill -9` is tested on the binary.)
struct Crash;

fn setups() -> Vec<fn() -> Setup> {
    fn file() -> Setup {
        Setup::new()
    }
    fn chunks() -> Setup {
        Setup::new().small_chunks()
    }
    fn directory() -> Setup {
        let mut setup = Setup::new().small_chunks();
        setup.target = "new";
        setup.target_layout = parquet(Shape::Directory, &["flag"]);
        setup
    }
    fn lines() -> Setup {
        let mut setup = Setup::new().small_chunks();
        setup.target = "new.jsonl";
        setup.target_layout = json(Shape::File, &[]);
        setup
    }
    fn directory_of_lines() -> Setup {
        let mut setup = Setup::new().small_chunks();
        setup.target = "new";
        setup.target_layout = json(Shape::Directory, &["flag"]);
        setup
    }
    fn blocks() -> Setup {
        let mut setup = Setup::new().small_chunks();
        setup.target = "new.avro";
        setup.target_layout = avro(Shape::File, &[]);
        setup
    }
    fn compared() -> Setup {
        let mut setup = Setup::new().small_chunks();
        setup.checks = serde_json::json!([{"diff": {"key": ["id"]}}, {"name": "rows", "diff": {}}]);
        setup
    }
    vec![file, chunks, directory, lines, directory_of_lines, blocks, compared]
}

fn world(setup: fn() -> Setup) -> World {
    setup().build(old_file(250))
}

/// The final rows and names of a run that nothing disturbed.
fn undisturbed(setup: fn() -> Setup) -> (Vec<String>, Vec<String>, usize) {
    let world = world(setup);
    world.set_fault(None);
    world.run_through("data/drop");
    let hits = world.ledger.hits.lock().unwrap().len();
    (names(&world), rows(&world), hits)
}

fn names(world: &World) -> Vec<String> {
    world.estate().iter().map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect()
}

fn rows(world: &World) -> Vec<String> {
    let plan = &world.plan;
    let name = &plan.subject.target_location.path;
    world.rows_of(name, &plan.subject.mapping.target, &plan.subject.target_layout)
}

/// Runs every step until it is done; each may fail or crash once because of the fault. Whether one did.
fn run_on(world: &World) -> bool {
    let mut disturbed = false;
    for uses in STEPS {
        world.ledger.later(10_000);
        let first = catch_unwind(AssertUnwindSafe(|| world.step(uses)));
        if !matches!(first, Ok(Ok(_))) {
            if let Ok(Err(error)) = &first {
                assert_eq!(error.class, ErrorClass::Transient, "{uses}: {error:?}");
            }
            disturbed = true;
            world.set_fault(None);
            world.step(uses).unwrap_or_else(|error| panic!("{uses} again: {error:?}"));
        }
    }
    disturbed
}

#[test]
fn a_crash_at_every_point_is_finished_by_the_next_attempt() {
    for setup in setups() {
        let (expected_names, expected_rows, hits) = undisturbed(setup);
        assert!(hits >= 12, "{hits} points");
        for at in 0..hits {
            let world = world(setup);
            world.set_fault(Some(Arc::new(move |_, _, number| {
                if number == at {
                    std::panic::resume_unwind(Box::new(Crash));
                }
                Ok(())
            })));
            assert!(run_on(&world), "point {at} was not reached");
            assert_eq!(names(&world), expected_names, "point {at}");
            assert_eq!(rows(&world), expected_rows, "point {at}");
        }
    }
}

#[test]
fn a_full_disk_at_every_write_leaves_nothing_half_done() {
    for setup in setups() {
        let (expected_names, expected_rows, hits) = undisturbed(setup);
        let mut writes = 0;
        for at in 0..hits {
            let world = world(setup);
            world.set_fault(Some(Arc::new(move |_, point, number| match point {
                "write" if number == at => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(()),
            })));
            writes += usize::from(run_on(&world));
            assert_eq!(names(&world), expected_names, "write {at}");
            assert_eq!(rows(&world), expected_rows, "write {at}");
        }
        assert!(writes >= 6, "{writes} writes");
    }
}

#[test]
fn output_that_meets_a_full_disk_in_a_reader_is_transient_and_succeeds_later() {
    for bytes in [0, 4, 100, 1_000, 3_000] {
        let mut setup = Setup::new();
        setup.options.limits.output_bytes = bytes;
        let world = setup.build(old_file(250));
        world.step("data/expand").unwrap();
        let error = world.step("data/backfill").unwrap_err();
        assert_eq!(
            (error.class, error.code),
            (ErrorClass::Transient, greylag_model::code::data::DISK_FULL),
            "{error:?}"
        );
        assert!(!world.at("new.parquet").exists());
        world.undo("data/backfill").unwrap();
        world.undo("data/expand").unwrap();
        assert_eq!(names(&world).len(), 1);
    }
}

#[test]
fn a_crash_redoes_at_most_the_unit_in_flight() {
    let world = Setup::new().small_chunks().build(old_file(1_000));
    world.step("data/expand").unwrap();
    let stop_at = 8;
    let seen = std::sync::atomic::AtomicUsize::new(0);
    world.set_fault(Some(Arc::new(move |_, point, _| {
        if point == "in-effect" && seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == stop_at {
            std::panic::resume_unwind(Box::new(Crash));
        }
        Ok(())
    })));
    assert!(catch_unwind(AssertUnwindSafe(|| world.step("data/backfill"))).is_err());
    assert_eq!(world.ledger.checkpoints.lock().unwrap()["data/backfill"].len(), stop_at);
    world.set_fault(None);
    world.step("data/backfill").unwrap();
    let converted = world.ledger.hits.lock().unwrap().iter().filter(|hit| *hit == "data/backfill:in-effect").count();
    assert_eq!(converted, 10 - stop_at, "finished units are kept");
}

#[test]
fn a_crash_at_every_point_of_undo_is_finished_by_the_next_attempt() {
    for setup in setups() {
        let mut at = 0;
        loop {
            let world = world(setup);
            let before = world.estate();
            world.run_through("data/retire");
            world.set_fault(Some(Arc::new(move |_, _, number| {
                if number == at {
                    std::panic::resume_unwind(Box::new(Crash));
                }
                Ok(())
            })));
            let mut crashed = false;
            for uses in STEPS[..6].iter().rev() {
                let first = catch_unwind(AssertUnwindSafe(|| world.attempt(uses, Direction::Undo)));
                if first.is_err() {
                    crashed = true;
                    world.set_fault(None);
                    world.undo(uses).unwrap_or_else(|error| panic!("{uses} again: {error:?}"));
                }
            }
            assert_eq!(world.estate(), before, "point {at}");
            if !crashed {
                assert!(at >= 5, "{at} points");
                break;
            }
            at += 1;
        }
    }
}
