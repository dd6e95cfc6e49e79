//! Undo of a target that others have written to: new rows go back, everything else is named and nothing of it is lost.

use crate::files::{rows, rows_of, write_parquet};
use crate::support::{STEPS, Setup, World, csv, json, parquet};
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::DataType;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{Layout, Shape};
use greylag_model::schema::{Column, Schema};
use greylag_model::spec::ErrorClass;
use serde_json::json;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// `id` and `small` change, `code` is dropped, `origin` is new, and the target is partitioned by `flag`.
fn setup() -> Setup {
    let mut setup = Setup::new().small_chunks().mapping(json!({
        "columns": [
            {"name": "user_id", "from": "id"},
            {"name": "small", "type": "int64"},
            {"name": "origin", "expr": "'v1'"}
        ],
        "drop": [{"name": "code", "reason": "unused"}]
    }));
    (setup.source, setup.target) = ("old", "new");
    setup.layout = parquet(Shape::Directory, &[]);
    setup.target_layout = parquet(Shape::Directory, &["flag"]);
    setup
}

fn old(home: &Path) {
    write_parquet(&home.join("old/a.parquet"), &rows(0..250), 100);
    write_parquet(&home.join("old/b.parquet"), &rows(250..300), 100);
}

/// The rows of a range with an even id: those of the partition `flag=true`.
fn even(range: std::ops::Range<i64>) -> RecordBatch {
    let all = rows(range);
    filter_record_batch(&all, all.column_by_name("flag").unwrap().as_boolean()).unwrap()
}

/// The same rows as the target has them, without the partition column.
fn as_new(range: std::ops::Range<i64>, origin: &str) -> RecordBatch {
    let rows = even(range);
    let column = |name: &str| Arc::clone(rows.column_by_name(name).unwrap());
    let origin: ArrayRef = Arc::new(StringArray::from(vec![origin; rows.num_rows()]));
    RecordBatch::try_from_iter_with_nullable([
        ("user_id", column("id"), true),
        ("name", column("name"), true),
        ("price", column("price"), true),
        ("share", column("share"), true),
        ("day", column("day"), true),
        ("small", cast(&column("small"), &DataType::Int64).unwrap(), true),
        ("city", column("city"), true),
        ("origin", origin, false),
    ])
    .unwrap()
}

/// Somebody adds rows to the published target.
fn add(world: &World, name: &str, range: std::ops::Range<i64>) {
    write_parquet(&world.at("new/flag=true").join(name), &as_new(range, "v1"), 100);
}

/// The old dataset's rows, and those of a range that were added to the target: `code` is null in them.
fn with_added(world: &World, before: &[String], ranges: &[(i64, i64)]) -> Vec<String> {
    let mut all = before.to_vec();
    for (from, to) in ranges {
        let rows = even(*from..*to);
        let mut columns = rows.columns().to_vec();
        let at = rows.schema().index_of("code").unwrap();
        columns[at] = new_null_array(&DataType::Utf8, rows.num_rows());
        let scratch = tempfile::tempdir().unwrap();
        write_parquet(&scratch.path().join("a.parquet"), &RecordBatch::try_new(rows.schema(), columns).unwrap(), 100);
        all.extend(rows_of(scratch.path(), &world.plan.subject.source.schema, &world.plan.subject.source.layout));
    }
    all.sort();
    all
}

fn old_rows(world: &World) -> Vec<String> {
    world.rows_of("old", &world.plan.subject.source.schema, &world.plan.subject.source.layout)
}

/// Takes everything back from `last` on, each step twice; the notes of the first times.
fn undo_all(world: &World, last: &str) -> Result<Vec<String>, DriverError> {
    let upto = STEPS.iter().position(|uses| *uses == last).unwrap();
    let mut notes = Vec::new();
    for uses in STEPS[..=upto].iter().rev() {
        let said = world.undo(uses)?;
        assert_eq!(world.undo(uses)?, said, "{uses} again");
        notes.extend(said);
    }
    Ok(notes)
}

/// The estate without what was carried back.
fn others(world: &World) -> Vec<String> {
    world.estate().into_iter().filter(|line| !line.contains("/carried-back-")).collect()
}

#[test]
fn rows_that_were_added_go_back_after_each_phase() {
    for last in ["data/publish", "data/cutover", "data/retire"] {
        let world = setup().build(old);
        let (before, rows_before) = (world.estate(), old_rows(&world));
        world.run_through(last);
        add(&world, "c.parquet", 1_000..1_250);
        add(&world, "d.parquet", 2_000..2_010);
        let notes = undo_all(&world, last).unwrap();
        let (from, to) = (world.at("new"), world.at("old"));
        let words =
            format!("130 new rows of 2 files in `{}` went back into `{}`, as 3 files (", from.display(), to.display());
        assert!(notes.len() == 1 && notes[0].starts_with(&words), "{notes:#?}");
        assert_eq!(others(&world), before, "after {last}");
        assert_eq!(old_rows(&world), with_added(&world, &rows_before, &[(1_000, 1_250), (2_000, 2_010)]));
        let modes: Vec<String> =
            world.estate().iter().map(|line| line.split(' ').take(3).collect::<Vec<_>>()[1..].join(" ")).collect();
        assert!(
            modes[1..].iter().all(|mode| *mode == modes[1]),
            "carried files have the access of the others: {modes:?}"
        );
    }
}

#[test]
fn rows_go_back_into_partitions_of_another_format() {
    let column = |name: &str, data_type: &str, nullable| Column {
        name: name.to_owned(),
        data_type: data_type.parse().unwrap(),
        nullable,
    };
    let mut setup = Setup::new().mapping(json!({"columns": [{"name": "user", "from": "id"}]}));
    (setup.source, setup.target) = ("old", "new");
    setup.schema = Schema {
        columns: vec![column("id", "int64", true), column("name", "string", true), column("day", "int32", true)],
    };
    setup.layout = Layout { partition_by: vec!["day".to_owned()], ..csv(Shape::Directory) };
    setup.target_layout = json(Shape::Directory, &[]);
    let world = setup.build(|home| {
        fs::create_dir_all(home.join("old/day=1")).unwrap();
        fs::write(home.join("old/day=1/a.csv"), "id,name\n1,one\n2,\n").unwrap();
    });
    let before = world.estate();
    world.run_through("data/cutover");
    let lines = "{\"user\":3,\"name\":\"three\",\"day\":1}\n{\"user\":4,\"name\":null,\"day\":2}\n";
    fs::write(world.at("new/more.jsonl"), lines).unwrap();
    undo_all(&world, "data/cutover").unwrap();
    let read = |path: &str| fs::read_to_string(world.at(path)).unwrap();
    assert_eq!(read("old/day=1/carried-back-run-1-new-0-00000.csv"), "id,name\n3,three\n");
    assert_eq!(read("old/day=2/carried-back-run-1-new-0-00000.csv"), "id,name\n4,\n");
    let left: Vec<_> = others(&world).into_iter().filter(|line| !line.starts_with("old/day=2 ")).collect();
    assert_eq!(left, before);
}

#[test]
fn what_the_plan_said_cannot_go_back_stays_with_its_target() {
    let mut setup = setup().mapping(json!({"columns": [{"name": "share", "type": "int64", "loss": "round"}]}));
    setup.target_layout = parquet(Shape::Directory, &[]);
    let world = setup.build(old);
    world.run_through("data/publish");
    write_parquet(&world.at("new/c.parquet"), &rows(0..3), 100);
    let published = world.estate();
    let error = world.undo("data/publish").unwrap_err();
    assert_eq!((error.code, error.class), (code::TARGET_CHANGED, ErrorClass::Conflict));
    let words = "was written to since it was published: 1 file is new (`c.parquet`); undo cannot carry new rows back: \
                 `share` has no way back (rounded from `float64` to `int64`)";
    assert!(error.message.ends_with(words), "{error:#?}");
    assert_eq!(world.estate(), published);
    // The cure that the error names.
    fs::rename(world.at("new/c.parquet"), world.artefacts().with_file_name("saved.parquet")).unwrap();
    undo_all(&world, "data/publish").unwrap();
    assert_eq!(world.estate().len(), 3, "the old directory and its two files");
}

#[test]
fn rows_that_would_change_on_their_way_stay_with_their_target() {
    let world = setup().build(old);
    world.run_through("data/publish");
    write_parquet(&world.at("new/flag=true/c.parquet"), &as_new(0..10, "elsewhere"), 100);
    let published = world.estate();
    let error = world.undo("data/publish").unwrap_err();
    assert_eq!(error.code, code::NOT_CARRIED);
    assert!(error.message.contains("the mapping would not make the same rows of them again"), "{error:#?}");
    assert!(error.hints.iter().any(|hint| hint.contains("no place for `origin`")), "{error:#?}");
    assert_eq!(world.estate(), published);
}

#[test]
fn files_that_were_changed_or_removed_are_named_and_nothing_is_done() {
    let world = setup().build(old);
    world.run_through("data/publish");
    add(&world, "c.parquet", 0..10);
    let file = |flag: &str| {
        let entry = fs::read_dir(world.at("new").join(flag)).unwrap().next().unwrap().unwrap();
        entry.path()
    };
    fs::remove_file(file("flag=false")).unwrap();
    let other = world.at("new/flag=true/c.parquet");
    let changed = [file("flag=true"), other.clone()].into_iter().find(|path| *path != other);
    let changed = changed.unwrap_or_else(|| world.at("new/flag=true/part-00000.parquet"));
    fs::write(&changed, "something else").unwrap();
    let published = world.estate();
    let error = world.undo("data/publish").unwrap_err();
    assert_eq!(error.code, code::TARGET_CHANGED);
    for words in
        ["1 file is new (`flag=true/c.parquet`)", "1 file is changed (`flag=true/", "1 file is gone (`flag=false/"]
    {
        assert!(error.message.contains(words), "{words}: {error:#?}");
    }
    assert_eq!(world.estate(), published);
}

#[test]
fn other_files_are_moved_aside() {
    let world = setup().build(old);
    let before = world.estate();
    world.run_through("data/publish");
    fs::write(world.at("new/_SUCCESS"), "").unwrap();
    fs::write(world.at("new/flag=true/half.parquet.tmp"), "half a file").unwrap();
    let notes = undo_all(&world, "data/publish").unwrap();
    let kept = world.at(".new.greylag-run-1-new.e0.kept");
    assert_eq!(
        notes,
        [format!("files of others that were in `{}` are in `{}`", world.at("new").display(), kept.display())]
    );
    assert_eq!(fs::read(kept.join("_SUCCESS")).unwrap(), b"");
    assert_eq!(fs::read(kept.join("flag=true/half.parquet.tmp")).unwrap(), b"half a file");
    fs::remove_dir_all(kept).unwrap();
    assert_eq!(world.estate(), before);
}

#[test]
fn what_others_wrote_to_the_old_dataset_is_kept_and_named() {
    let world = setup().build(old);
    world.run_through("data/publish");
    add(&world, "c.parquet", 0..10);
    write_parquet(&world.at("old/theirs.parquet"), &rows(5_000..5_003), 100);
    let before = old_rows(&world);
    let notes = undo_all(&world, "data/publish").unwrap();
    let words = format!("`{}` was written to since it was migrated, and is left as it is", world.at("old").display());
    assert_eq!(notes.last(), Some(&words));
    assert_eq!(old_rows(&world), with_added(&world, &before, &[(0, 10)]));
}

#[test]
fn without_an_old_dataset_the_target_stays() {
    let world = setup().build(old);
    world.run_through("data/publish");
    fs::rename(world.at("old"), world.at("elsewhere")).unwrap();
    assert_eq!(world.undo("data/publish").unwrap_err().code, code::OLD_GONE);
    assert!(world.at("new").is_dir());
    fs::rename(world.at("elsewhere"), world.at("old")).unwrap();
    undo_all(&world, "data/publish").unwrap();
}

#[test]
fn a_target_that_somebody_moved_or_replaced_is_told() {
    let world = setup().build(old);
    let before = world.estate();
    world.run_through("data/publish");
    fs::rename(world.at("new"), world.artefacts().with_file_name("theirs")).unwrap();
    fs::create_dir(world.at("new")).unwrap();
    assert_eq!(world.undo("data/publish").unwrap_err().code, code::TARGET_CHANGED);
    fs::remove_dir(world.at("new")).unwrap();
    let notes = undo_all(&world, "data/publish").unwrap();
    assert_eq!(notes, [format!("`{}` was gone already: somebody moved it away", world.at("new").display())]);
    assert_eq!(world.estate(), before);
}

#[test]
fn rows_that_come_while_the_target_is_taken_away_are_not_lost() {
    // The last fault point before the rename, found on a world of its own.
    let probe = setup().build(old);
    probe.run_through("data/publish");
    add(&probe, "c.parquet", 1_000..1_010);
    probe.set_fault(None);
    probe.undo("data/publish").unwrap();
    let last = probe.ledger.hits.lock().unwrap().iter().rposition(|hit| hit == "data/publish:write").unwrap();

    let world = Arc::new(setup().build(old));
    let (before, rows_before) = (world.estate(), old_rows(&world));
    world.run_through("data/publish");
    add(&world, "c.parquet", 1_000..1_010);
    let late = world.at("new/flag=true/late.parquet");
    world.set_fault(Some(Arc::new(move |_, _, number| {
        if number == last {
            write_parquet(&late, &as_new(2_000..2_010, "v1"), 100);
        }
        Ok(())
    })));
    let error = world.undo("data/publish").unwrap_err();
    assert_eq!((error.code, error.class), (code::TARGET_CHANGED, ErrorClass::Conflict));
    assert!(error.message.contains("`flag=true/late.parquet`"), "{error:#?}");
    assert!(world.at("new").is_dir(), "the target has its name again");
    world.set_fault(None);
    undo_all(&world, "data/publish").unwrap();
    assert_eq!(others(&world), before);
    assert_eq!(old_rows(&world), with_added(&world, &rows_before, &[(1_000, 1_010), (2_000, 2_010)]));
}

struct Crash;

#[test]
fn a_crash_at_every_point_loses_and_doubles_no_row() {
    let run = |crash_at: Option<usize>| {
        let world = setup().build(old);
        let rows_before = old_rows(&world);
        world.run_through("data/retire");
        add(&world, "c.parquet", 1_000..1_250);
        add(&world, "d.parquet", 2_000..2_010);
        fs::write(world.at("new/_SUCCESS"), "").unwrap();
        world.set_fault(crash_at.map(|at| {
            let fault: crate::support::Fault = Arc::new(move |_, _, number| {
                if number == at {
                    std::panic::resume_unwind(Box::new(Crash));
                }
                Ok(())
            });
            fault
        }));
        let mut crashed = false;
        let mut notes = Vec::new();
        for uses in STEPS[..6].iter().rev() {
            match catch_unwind(AssertUnwindSafe(|| world.undo(uses))) {
                Ok(said) => notes.extend(said.unwrap()),
                Err(_) => {
                    crashed = true;
                    world.set_fault(None);
                    notes.extend(world.undo(uses).unwrap_or_else(|error| panic!("{uses} again: {error:?}")));
                }
            }
        }
        let names: Vec<String> =
            world.estate().iter().map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            old_rows(&world),
            with_added(&world, &rows_before, &[(1_000, 1_250), (2_000, 2_010)]),
            "{crash_at:?}"
        );
        let home = world.home.display().to_string();
        let notes: Vec<String> = notes.iter().map(|note| note.replace(&home, "")).collect();
        (names, notes, crashed)
    };
    let (names, notes, _) = run(None);
    assert_eq!(notes.len(), 2, "{notes:#?}");
    let mut at = 0;
    loop {
        let (names_after, notes_after, crashed) = run(Some(at));
        assert_eq!(names_after, names, "point {at}");
        assert_eq!(notes_after, notes, "point {at}");
        if !crashed {
            assert!(at >= 15, "{at} points");
            break;
        }
        at += 1;
    }
}

#[test]
fn a_full_disk_at_every_write_is_no_loss() {
    let failed = Arc::new(Mutex::new(0));
    for at in 0.. {
        let world = setup().build(old);
        let rows_before = old_rows(&world);
        world.run_through("data/publish");
        add(&world, "c.parquet", 1_000..1_250);
        let hit = Arc::new(Mutex::new(false));
        let (counted, seen) = (Arc::clone(&failed), Arc::clone(&hit));
        world.set_fault(Some(Arc::new(move |_, point, number| {
            if number < at || point != "write" || *seen.lock().unwrap() {
                return Ok(());
            }
            *seen.lock().unwrap() = true;
            *counted.lock().unwrap() += 1;
            Err(std::io::ErrorKind::StorageFull.into())
        })));
        for uses in STEPS[..4].iter().rev() {
            if let Err(error) = world.undo(uses) {
                assert_eq!(error.class, ErrorClass::Transient, "{error:#?}");
                assert!(world.at("new").is_dir(), "write {at}");
                world.undo(uses).unwrap();
            }
        }
        assert_eq!(old_rows(&world), with_added(&world, &rows_before, &[(1_000, 1_250)]), "write {at}");
        if !*hit.lock().unwrap() {
            break;
        }
    }
    assert!(*failed.lock().unwrap() >= 4);
}
