//! The windows of an increment: what others do while it is at work, attempts that die in odd places, modes that bind.

#![expect(clippy::single_range_in_vec_init, reason = "files are told by the ranges of their ids")]

use crate::increments::{expected, file, held, target_of, world};
use crate::support::{STEPS, World, code_of};
use greylag_model::code::data as code;
use greylag_model::increment::{Increments, Removed};
use greylag_model::task::Direction;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

/// Nothing changed, and the attempt that saw it died before it could say so: what it removed is needed by nobody.
#[test]
fn an_increment_of_nothing_that_dies_is_finished_by_the_next_attempt() {
    let mut world = world(Increments::default(), &[]);
    world.run_through("data/publish");
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/verify");
    let before = target_of(&world);
    for _ in 0..2 {
        world.attempt("data/publish", Direction::Forward).unwrap();
    }
    assert_eq!(target_of(&world), before);
    assert_eq!(fs::read_dir(&world.home).unwrap().count(), 2, "nothing is left in staging");
}

/// A file of the target that was written to keeps its size: it is named all the same.
#[test]
fn a_file_of_the_target_that_was_changed_in_place_is_named() {
    for (taken, changed) in [("c", 0), ("a", 1)] {
        let mut world = world(Increments::default(), &[]);
        world.run_through("data/publish");
        let name = world.ledger.output("data/backfill")["files"][changed]["relative"].as_str().unwrap().to_owned();
        let path = world.at("new").join(&name);
        let length = fs::metadata(&path).unwrap().len() as usize;
        fs::write(&path, vec![0x41; length]).unwrap();
        file(&world.at("old"), taken, 200..210);
        world.go_to("run-2", Some("run-1"));
        world.run_through("data/verify");
        let before = world.estate();
        let error = world.step("data/publish").unwrap_err();
        assert_eq!(error.code, code::NOT_THE_BASE);
        assert!(error.message.contains(&format!("`{name}` is changed")), "{}", error.message);
        let targets =
            |estate: Vec<String>| estate.into_iter().filter(|line| line.starts_with("new")).collect::<Vec<_>>();
        assert_eq!(targets(world.estate()), targets(before));
    }
}

/// What somebody puts into the target between the look at it and the exchange stays in sight, forwards and back.
#[test]
fn a_file_that_comes_while_generations_are_exchanged_stays_at_the_target() {
    let mut world = world(Increments { removed: Removed::Follow, ..Increments::default() }, &[]);
    world.run_through("data/publish");
    file(&world.at("old"), "a", 0..10);
    file(&world.at("old"), "c", 200..210);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/verify");
    let comes = |world: &World, name: &'static str| {
        let new = world.at("new");
        // The last point before the exchange.
        world.set_fault(Some(Arc::new(move |uses, point, _| {
            if (uses, point) == ("data/publish", "write") {
                file(&new, name, 900..903);
            }
            Ok(())
        })));
    };
    comes(&world, "stranger");
    world.step("data/publish").unwrap();
    assert!(world.at("new/stranger.parquet").exists());
    comes(&world, "other");
    world.undo("data/publish").unwrap();
    assert!(world.at("new/stranger.parquet").exists() && world.at("new/other.parquet").exists());
    world.set_fault(None);
    for name in ["stranger", "other"] {
        fs::remove_file(world.at("new").join(format!("{name}.parquet"))).unwrap();
    }
    assert_eq!(held(&world), expected(&world, &[0..120]));
    assert_eq!(hidden(&world), [""; 0]);
}

/// Files that this run made and somebody writes to while it is taken back are not removed with it.
#[test]
fn a_file_that_is_written_to_while_an_increment_is_taken_back_is_not_lost() {
    let mut world = world(Increments::default(), &[]);
    world.run_through("data/publish");
    file(&world.at("old"), "a", 0..10);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    let own = world.ledger.output("data/backfill")["files"][0]["relative"].as_str().unwrap().to_owned();
    let path = world.at("new").join(&own);
    world.set_fault(Some(Arc::new(move |uses, point, _| {
        if (uses, point) == ("data/publish", "write") {
            fs::write(&path, "what somebody wrote").unwrap();
        }
        Ok(())
    })));
    assert_eq!(code_of(world.undo("data/publish")), code::TARGET_CHANGED);
    world.set_fault(None);
    let kept = world.at(&hidden(&world)[0]).join(&own);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "what somebody wrote");
    assert_eq!(code_of(world.undo("data/publish")), code::TARGET_CHANGED, "and again");
    fs::remove_file(kept).unwrap();
    world.undo("data/publish").unwrap();
    assert_eq!(held(&world), expected(&world, &[0..120]));
}

fn hidden(world: &World) -> Vec<String> {
    let names = fs::read_dir(&world.home).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with('.')).collect()
}

/// Directories that not even their owner may change: every directory that lies out of sight is opened before it is changed.
#[test]
fn modes_that_bind_the_owner_are_kept_and_in_nobodys_way() {
    let mut world = world(Increments { removed: Removed::Follow, ..Increments::default() }, &["flag"]);
    let old = world.at("old");
    let bound = |bound: bool| {
        fs::set_permissions(&old, fs::Permissions::from_mode(if bound { 0o550 } else { 0o750 })).unwrap();
    };
    bound(true);
    world.run_through("data/publish");
    let before = target_of(&world);
    assert!(before.1.iter().all(|line| !line.contains("flag=true 4") || line.contains(" 40550 ")), "{before:?}");
    bound(false);
    file(&old, "a", 0..10);
    fs::remove_file(old.join("b.parquet")).unwrap();
    file(&old, "c", 200..210);
    bound(true);
    world.go_to("run-2", Some("run-1"));
    world.run_through("data/publish");
    assert_eq!(held(&world), expected(&world, &[0..10, 200..210]));
    for line in target_of(&world).1 {
        assert!(!line.contains(" 407"), "{line} is left open");
    }
    for uses in STEPS[..4].iter().rev() {
        world.undo(uses).unwrap();
    }
    assert_eq!(target_of(&world), before);
    assert_eq!(hidden(&world), [""; 0]);
}
