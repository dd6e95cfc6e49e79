//! Increments: what later runs read, what they make of the target, and the way back.

#![expect(clippy::single_range_in_vec_init, reason = "files are told by the ranges of their ids")]

use crate::files::{rows, write_parquet};
use crate::support::{STEPS, Setup, World, code_of, parquet};
use greylag_model::check::Verdict;
use greylag_model::code::data as code;
use greylag_model::dataset::Shape;
use greylag_model::increment::{Increments, Late, Removed, Watermark};
use greylag_model::task::Direction;
use std::fs::{self, File, FileTimes};
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// `old/` → `new/`, a column renamed, with increments.
pub(crate) fn world(increments: Increments, partition_by: &[&str]) -> World {
    world_of(increments, partition_by, Setup::new())
}

fn world_of(increments: Increments, partition_by: &[&str], setup: Setup) -> World {
    let mut setup = setup.mapping(serde_json::json!({"columns": [{"name": "town", "from": "city"}]}));
    setup.source = "old";
    setup.target = "new";
    setup.layout = parquet(Shape::Directory, &[]);
    setup.target_layout = parquet(Shape::Directory, partition_by);
    let mut world = setup.build(|home| {
        file(&home.join("old"), "a", 0..50);
        file(&home.join("old"), "b", 50..120);
    });
    world.plan.subject.increments = Some(increments);
    world
}

pub(crate) fn file(old: &Path, name: &str, ids: Range<i64>) {
    write_parquet(&old.join(format!("{name}.parquet")), &rows(ids), 40);
}

/// What the target must hold: every row of these ids, as the source has them.
pub(crate) fn expected(world: &World, parts: &[Range<i64>]) -> Vec<String> {
    let mut setup = Setup::new().mapping(serde_json::json!({"columns": [{"name": "town", "from": "city"}]}));
    setup.target_layout = parquet(
        Shape::Directory,
        &world.plan.subject.target_layout.partition_by.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    setup.source = "old";
    setup.target = "new";
    setup.layout = parquet(Shape::Directory, &[]);
    let parts = parts.to_vec();
    let whole = setup.build(|home| {
        for (number, ids) in parts.iter().enumerate() {
            file(&home.join("old"), &format!("f{number}"), ids.clone());
        }
    });
    whole.run_through("data/publish");
    held(&whole)
}

pub(crate) fn held(world: &World) -> Vec<String> {
    world.rows_of("new", &world.plan.subject.mapping.target, &world.plan.subject.target_layout)
}

/// Replaces a file's bytes by rubbish that has its size, time of change and inode: whoever reads it fails.
fn poison(path: &Path) {
    let metadata = fs::metadata(path).unwrap();
    let times = FileTimes::new().set_modified(metadata.modified().unwrap());
    let mut open = File::options().write(true).open(path).unwrap();
    open.write_all(&vec![0x5a; metadata.len() as usize]).unwrap();
    open.set_times(times).unwrap();
    assert_eq!(fs::metadata(path).unwrap().ino(), metadata.ino());
}

fn bytes_read(world: &World) -> (u64, u64) {
    let reports = world.run_through("data/publish");
    let progress = reports["data/backfill"].progress;
    (progress.bytes, progress.rows)
}

fn size(world: &World, name: &str) -> u64 {
    fs::metadata(world.at("old").join(name)).unwrap().len()
}

#[test]
fn a_second_run_reads_new_and_changed_files_and_not_a_byte_of_others() {
    for partition_by in [&[][..], &["flag"]] {
        let mut world = world(Increments::default(), partition_by);
        assert_eq!(bytes_read(&world), (size(&world, "a.parquet") + size(&world, "b.parquet"), 120));
        assert_eq!(held(&world), expected(&world, &[0..120]));
        let old = world.at("old");
        poison(&old.join("a.parquet"));
        file(&old, "b", 60..90);
        file(&old, "c", 200..230);
        world.go_to("run-2", Some("run-1"));
        assert_eq!(bytes_read(&world), (size(&world, "b.parquet") + size(&world, "c.parquet"), 60));
        assert_eq!(held(&world), expected(&world, &[0..50, 60..90, 200..230]));
        assert_eq!(world.ledger.output("data/publish")["rows"], 110);
        // Nothing changed: nothing is read, and the target is the very same.
        let before = world.estate();
        world.go_to("run-3", Some("run-2"));
        assert_eq!(bytes_read(&world), (0, 0));
        assert_eq!(world.estate(), before);
        assert_eq!(world.ledger.output("data/publish")["rows"], 110);
        // And what nothing changed can be gone on from.
        poison(&old.join("c.parquet"));
        file(&old, "d", 300..301);
        world.go_to("run-4", Some("run-3"));
        assert_eq!(bytes_read(&world), (size(&world, "d.parquet"), 1));
        assert_eq!(held(&world), expected(&world, &[0..50, 60..90, 200..230, 300..301]));
    }
}

#[test]
fn large_files_are_cut_and_a_changed_one_replaces_all_of_its_pieces() {
    let mut world = world_of(Increments::default(), &[], Setup::new().small_chunks());
    world.run_through("data/publish");
    assert_eq!(fs::read_dir(world.at("new")).unwrap().count(), 4, "two pieces of each");
    file(&world.at("old"), "b", 50..60);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    assert_eq!(fs::read_dir(world.at("new")).unwrap().count(), 3);
    assert_eq!(held(&world), expected(&world, &[0..60]));
    poison(&world.at("old").join("a.parquet"));
    poison(&world.at("old").join("b.parquet"));
    world.go_to("run-3", Some("run-2"));
    assert_eq!(bytes_read(&world), (0, 0));
}

#[test]
fn rows_of_files_that_are_gone_follow_stay_or_fail_the_run() {
    for removed in [Removed::Fail, Removed::Follow, Removed::Keep] {
        let mut world = world(Increments { removed, ..Increments::default() }, &[]);
        world.run_through("data/publish");
        fs::remove_file(world.at("old/a.parquet")).unwrap();
        world.go_to("run-2", Some("run-1"));
        if removed == Removed::Fail {
            let before = world.estate();
            world.step("data/expand").unwrap();
            let error = world.step("data/backfill").unwrap_err();
            assert_eq!(error.code, code::SOURCE_FILES_GONE);
            assert!(error.message.contains("`a.parquet`"), "{}", error.message);
            world.undo("data/backfill").unwrap();
            world.undo("data/expand").unwrap();
            assert_eq!(world.estate(), before);
            continue;
        }
        world.run_through("data/publish");
        let left = if removed == Removed::Keep { 0..120 } else { 50..120 };
        assert_eq!(held(&world), expected(&world, std::slice::from_ref(&left)));
        // It stays so, and one that comes back is new.
        world.go_to("run-3", Some("run-2"));
        assert_eq!(bytes_read(&world), (0, 0));
        file(&world.at("old"), "a", 0..50);
        world.go_to("run-4", Some("run-3"));
        world.run_through("data/publish");
        assert_eq!(held(&world), expected(&world, &[0..120]));
    }
}

#[test]
fn a_file_that_is_still_written_to_waits_for_the_next_run() {
    let mut world = world(Increments { settle_millis: 60_000, ..Increments::default() }, &[]);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    world.ledger.later(now);
    let aged = |world: &World, name: &str, seconds: u64| {
        let open = File::options().append(true).open(world.at("old").join(name)).unwrap();
        open.set_times(FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(seconds))).unwrap();
    };
    aged(&world, "a.parquet", 100);
    world.run_through("data/publish");
    assert_eq!(held(&world), expected(&world, &[0..50]));
    assert_eq!(world.ledger.output("data/backfill")["increment"]["waiting"], 1);
    aged(&world, "b.parquet", 100);
    // One that was taken and is written to again stays as it was until it has settled.
    file(&world.at("old"), "a", 0..7);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    assert_eq!(held(&world), expected(&world, &[0..120]));
    aged(&world, "a.parquet", 100);
    world.go_to("run-3", Some("run-2"));
    world.run_through("data/publish");
    assert_eq!(held(&world), expected(&world, &[0..7, 50..120]));
}

#[test]
fn a_watermark_grows_and_late_rows_are_counted_or_refused() {
    for late in [Late::Accept, Late::Fail] {
        let watermark = Watermark { column: "day".to_owned(), lateness: 10, late, mark: None };
        let mut world = world(Increments { watermark: Some(watermark), ..Increments::default() }, &[]);
        world.run_through("data/publish");
        let mark = |world: &World| world.ledger.output("data/backfill")["watermark"]["value"].as_i64();
        assert_eq!(mark(&world), Some(119));
        let remember = |world: &mut World, mark: Option<i64>| {
            world.plan.subject.increments.as_mut().unwrap().watermark.as_mut().unwrap().mark = mark;
        };
        // 109 is not late yet.
        file(&world.at("old"), "c", 109..112);
        world.go_to("run-2", Some("run-1"));
        remember(&mut world, Some(119));
        let reports = world.run_through("data/publish");
        let found = |checks: &[greylag_model::check::CheckResult]| {
            checks.iter().find(|check| check.name == "late").map(|check| (check.verdict, check.detail.clone())).unwrap()
        };
        assert_eq!(
            found(&reports["data/verify"].checks),
            (Verdict::Pass, "0 rows with `day` before 1970-04-20".to_owned())
        );
        assert_eq!(mark(&world), Some(119));
        file(&world.at("old"), "d", 105..130);
        world.go_to("run-3", Some("run-2"));
        remember(&mut world, Some(119));
        world.step("data/expand").unwrap();
        world.step("data/backfill").unwrap();
        let report = world.step("data/verify").unwrap();
        let (verdict, detail) = found(&report.checks);
        assert_eq!(verdict, if late == Late::Accept { Verdict::Pass } else { Verdict::Fail });
        assert!(detail.starts_with("4 rows"), "{detail}");
        assert_eq!(mark(&world), Some(129));
    }
}

/// A diff with the source holds what was converted against what it was converted from, and nothing else.
#[test]
fn a_diff_check_of_an_increment_compares_what_it_took() {
    let mut setup = Setup::new();
    setup.checks = serde_json::json!([{"diff": {"key": ["id"]}}]);
    let mut world = world_of(Increments::default(), &[], setup);
    world.run_through("data/publish");
    poison(&world.at("old").join("a.parquet"));
    file(&world.at("old"), "c", 200..230);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    assert_eq!(held(&world), expected(&world, &[0..120, 200..230]));
}

#[test]
fn whoever_wrote_to_the_target_is_named_and_loses_nothing() {
    let mut world = world(Increments::default(), &[]);
    world.run_through("data/publish");
    file(&world.at("old"), "c", 200..210);
    file(&world.at("new"), "stranger", 0..3);
    let before = world.estate();
    world.go_to("run-2", Some("run-1"));
    for uses in &STEPS[..3] {
        world.step(uses).unwrap();
    }
    let error = world.step("data/publish").unwrap_err();
    assert_eq!(error.code, code::NOT_THE_BASE);
    assert!(error.message.contains("`stranger.parquet` is new"), "{}", error.message);
    for uses in STEPS[..4].iter().rev() {
        world.undo(uses).unwrap();
    }
    assert_eq!(world.estate(), before);
}

#[test]
fn of_two_runs_that_go_on_from_one_base_the_second_is_refused() {
    let mut world = world(Increments::default(), &[]);
    world.run_through("data/publish");
    file(&world.at("old"), "c", 200..210);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/verify");
    world.go_to("run-3", Some("run-1"));
    world.run_through("data/publish");
    world.go_to("run-2", None);
    assert_eq!(code_of(world.step("data/publish")), code::NOT_THE_BASE);
    assert_eq!(held(&world), expected(&world, &[0..120, 200..210]));
}

/// Increments taken back one after the other, the newest first, give every generation back to the inode.
#[test]
fn each_generation_can_be_had_back() {
    let mut world = world(Increments { removed: Removed::Follow, ..Increments::default() }, &["flag"]);
    let mut generations = vec![];
    let old = world.at("old");
    let target =
        |world: &World| -> Vec<String> { world.estate().into_iter().filter(|line| line.starts_with("new")).collect() };
    for run in 1..=4 {
        generations.push(target(&world));
        match run {
            2 => file(&old, "a", 0..10),
            3 => fs::remove_file(old.join("b.parquet")).unwrap(),
            4 => file(&old, "e", 400..420),
            _ => {}
        }
        if run > 1 {
            world.go_to(&format!("run-{run}"), Some(&format!("run-{}", run - 1)));
        }
        world.run_through("data/publish");
    }
    assert_eq!(held(&world), expected(&world, &[0..10, 400..420]));
    for run in (1..=4).rev() {
        world.go_to(&format!("run-{run}"), None);
        for uses in STEPS[..4].iter().rev() {
            world.undo(uses).unwrap();
        }
        assert_eq!(target(&world), generations.pop().unwrap(), "before run {run}");
    }
    assert_eq!(fs::read_dir(&world.home).unwrap().count(), 1, "nothing is left but the source");
}

#[test]
fn an_older_generation_is_not_taken_from_under_a_newer_one() {
    let mut world = world(Increments::default(), &[]);
    world.run_through("data/publish");
    file(&world.at("old"), "c", 200..210);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    let before = world.estate();
    world.go_to("run-1", None);
    assert_eq!(code_of(world.undo("data/publish")), code::TARGET_CHANGED);
    assert_eq!(world.estate(), before);
}

/// Others who write to the target after an increment keep what they wrote; what an undo would lose it refuses.
#[test]
fn what_others_put_into_a_generation_outlives_its_undo() {
    let mut world = world(Increments { removed: Removed::Follow, ..Increments::default() }, &[]);
    world.run_through("data/publish");
    let before = target_of(&world).1;
    file(&world.at("old"), "a", 0..10);
    file(&world.at("old"), "c", 200..210);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    file(&world.at("new"), "stranger", 900..903);
    let rehearsal = world.rehearse("data/publish").unwrap();
    assert!(rehearsal.obstacles.is_empty() && rehearsal.kept[0].contains("`stranger.parquet`"), "{rehearsal:?}");
    assert!(rehearsal.does[0].contains("put what `run-1` had published back"), "{rehearsal:?}");
    let made = fs::read_dir(world.at("new")).unwrap().map(|entry| entry.unwrap().path());
    let made = made.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap()).unwrap();
    assert!(made.ends_with("stranger.parquet"));
    // One that the run made is written to: its undo would lose that.
    let own = world.ledger.output("data/backfill")["files"][0]["relative"].as_str().unwrap().to_owned();
    let own = world.at("new").join(own);
    let (bytes, times) = (fs::read(&own).unwrap(), fs::metadata(&own).unwrap().modified().unwrap());
    fs::write(&own, "changed").unwrap();
    assert_eq!(code_of(world.undo("data/publish")), code::TARGET_CHANGED);
    assert_eq!(world.rehearse("data/publish").unwrap().obstacles[0].code, code::TARGET_CHANGED);
    fs::write(&own, bytes).unwrap();
    File::options().write(true).open(&own).unwrap().set_times(FileTimes::new().set_modified(times)).unwrap();
    let notes = world.undo("data/publish").unwrap();
    assert!(notes[0].contains("1 file of others (`stranger.parquet`) stays"), "{notes:?}");
    fs::remove_file(world.at("new/stranger.parquet")).unwrap();
    assert_eq!(target_of(&world).1, before);
}

/// Twenty generations: the chain of ledgers is cut, and all of it is still known.
#[test]
fn a_long_chain_of_runs_is_written_down_anew() {
    let mut world = world(Increments { removed: Removed::Follow, ..Increments::default() }, &[]);
    world.run_through("data/publish");
    let mut parts = vec![0..120];
    for run in 2..=20_i64 {
        poison_all(&world.at("old"));
        let ids = run * 1_000..run * 1_000 + 3;
        file(&world.at("old"), &format!("n{run}"), ids.clone());
        parts.push(ids);
        world.go_to(&format!("run-{run}"), Some(&format!("run-{}", run - 1)));
        assert_eq!(bytes_read(&world).1, 3, "run {run}");
        assert_eq!(held(&world).len(), expected(&world, &parts).len());
    }
    let heads: Vec<bool> = (2..=20)
        .map(|run| {
            world.go_to(&format!("run-{run}"), None);
            let all = world.ledger.checkpoints.lock().unwrap();
            all["data/backfill"].iter().any(|(key, value)| key == "head" && value.is_null())
        })
        .collect();
    assert_eq!(heads.iter().filter(|cut| **cut).count(), 1, "{heads:?}");
}

fn poison_all(old: &Path) {
    for entry in fs::read_dir(old).unwrap() {
        poison(&entry.unwrap().path());
    }
}

#[test]
fn without_a_ledger_nothing_is_guessed() {
    let mut world = world(Increments::default(), &[]);
    world.run_through("data/publish");
    world.ledger.checkpoints.lock().unwrap().clear();
    world.go_to("run-2", Some("run-1"));
    world.step("data/expand").unwrap();
    assert_eq!(code_of(world.step("data/backfill")), code::LEDGER_GONE);
}

#[test]
fn a_dataset_without_rows_is_one_until_the_first_come() {
    let mut setup = Setup::new();
    setup.source = "old";
    setup.target = "new";
    setup.layout = parquet(Shape::Directory, &[]);
    setup.target_layout = parquet(Shape::Directory, &["flag"]);
    let mut world = setup.build(|home| file(&home.join("old"), "a", 0..0));
    world.plan.subject.increments = Some(Increments::default());
    world.run_through("data/publish");
    assert_eq!(held(&world).len(), 0);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    file(&world.at("old"), "b", 0..9);
    world.go_to("run-3", Some("run-2"));
    world.run_through("data/publish");
    assert_eq!(held(&world).len(), 9);
    assert_eq!(fs::read_dir(world.at("new")).unwrap().count(), 2, "the placeholder is gone");
}

struct Crash;

/// Base, an increment that replaces, removes and adds, and its undo: a crash at every point of both is finished by the next
/// attempt, and between the two nobody sees half a generation.
#[test]
fn a_crash_at_every_point_of_an_increment_and_of_its_undo_is_finished_by_the_next_attempt() {
    let prepared = || {
        let mut world = world(Increments { removed: Removed::Follow, ..Increments::default() }, &["flag"]);
        world.run_through("data/publish");
        let old = world.at("old");
        file(&old, "a", 0..20);
        fs::remove_file(old.join("b.parquet")).unwrap();
        file(&old, "c", 300..330);
        world.go_to("run-2", Some("run-1"));
        world.set_fault(None);
        world
    };
    let twice = |world: &World, uses: &str, direction: Direction| {
        let first = catch_unwind(AssertUnwindSafe(|| world.attempt(uses, direction)));
        if let Ok(done) = first {
            done.unwrap();
            return false;
        }
        let seen = held(world).len();
        assert!([120, 50].contains(&seen), "{uses} showed {seen} rows");
        world.set_fault(None);
        world.attempt(uses, direction).unwrap_or_else(|error| panic!("{uses} again: {error:?}"));
        true
    };
    let undisturbed = prepared();
    let before = target_of(&undisturbed);
    for uses in &STEPS[..4] {
        twice(&undisturbed, uses, Direction::Forward);
    }
    let forwards = undisturbed.ledger.hits.lock().unwrap().len();
    let after = held(&undisturbed);
    for uses in STEPS[..4].iter().rev() {
        twice(&undisturbed, uses, Direction::Undo);
    }
    let all = undisturbed.ledger.hits.lock().unwrap().len();
    assert!(forwards >= 10 && all >= forwards + 5, "{forwards} of {all} points");
    for at in 0..all {
        let world = prepared();
        world.set_fault(Some(Arc::new(move |_, _, number| {
            if number == at {
                std::panic::resume_unwind(Box::new(Crash));
            }
            Ok(())
        })));
        let mut disturbed = false;
        for uses in &STEPS[..4] {
            disturbed |= twice(&world, uses, Direction::Forward);
        }
        assert_eq!(held(&world), after, "point {at}");
        for uses in STEPS[..4].iter().rev() {
            disturbed |= twice(&world, uses, Direction::Undo);
        }
        assert!(disturbed, "point {at} was not reached");
        assert!(target_of(&world) == before, "point {at}: the target is not what it was");
        assert_eq!(fs::read_dir(&world.home).unwrap().count(), 2, "point {at}: something is left over");
    }
}

/// Rows and names.
pub(crate) fn target_of(world: &World) -> (Vec<String>, Vec<String>) {
    let names = world.estate().into_iter().filter(|line| line.starts_with("new"));
    (held(world), names.map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect())
}
