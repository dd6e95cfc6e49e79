//! Scripts in, stories out; and what must hold of every story.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::check::{CheckResult, Verdict};
use crate::code::engine as code;
use crate::id::{Timestamp, WorkerId};
use crate::spec::ErrorClass;
use proptest::prelude::*;
use std::fmt::Write as _;

fn step(uses: &str, phase: Phase) -> Step {
    let retry = Retry { attempts: 2, ..Retry::default() };
    Step { uses: uses.to_owned(), phase, approval: false, retry, timeout_millis: 60_000, inserted: None }
}

/// Three steps: `make`, `show`, and `drop`, which waits for a person.
fn steps() -> Vec<Step> {
    let drop = Step { approval: true, ..step("drop", Phase::Drop) };
    vec![step("make", Phase::Expand), step("show", Phase::Publish), drop]
}

const WORKER: &str = "w";

fn failure(class: ErrorClass) -> Failure {
    Failure::new(class, code::INTERRUPTED, "no")
}

/// One word of a script as an input.
fn input<'a>(word: &str, worker: &'a WorkerId) -> Input<'a> {
    let check =
        CheckResult { name: "rows".to_owned(), verdict: Verdict::Fail, detail: "1 of 2".to_owned(), hint: None };
    let progress = Progress { rows: 1, ..Progress::default() };
    match word {
        "lease" => Input::Lease(worker),
        "pending" => Input::Pending { handle: "job".to_owned(), wake: Timestamp(90_000) },
        "done" => Input::Done { progress, checks: Vec::new(), notes: Vec::new() },
        "check" => Input::Done { progress, checks: vec![check], notes: Vec::new() },
        "transient" => Input::Failed(failure(ErrorClass::Transient)),
        "permanent" => Input::Failed(failure(ErrorClass::Permanent)),
        "denied" => Input::Failed(failure(ErrorClass::Denied)),
        "conflict" => Input::Failed(failure(ErrorClass::Conflict)),
        "moved" => Input::Failed(Failure::new(ErrorClass::Conflict, code::STALE, "moved")),
        "lost" => Input::Lost,
        "stopped" => Input::Stopped(StopReason::Paused),
        "unblocked" => Input::Unblocked,
        "approve" => Input::Approve { by: "me", why: None },
        "retry" => Input::Retry,
        "skip" => Input::Skip(failure(ErrorClass::Permanent)),
        "undo" => Input::Undo { blocked_by: 0 },
        "undo-after-one" => Input::Undo { blocked_by: 1 },
        "refuse-undo" => Input::RefuseUndo(Failure::new(ErrorClass::Denied, code::UNDO_REFUSED, "stays")),
        _ => panic!("`{word}` is no input"),
    }
}

const AROUND: Circumstances = Circumstances { now: Timestamp(1_000), seed: 7, lost_limit: 3 };

/// `state step#attempt epoch`, and what else is worth a word.
fn line(row: &TaskRow, commands: &[Command]) -> String {
    let mut line = format!("{} {}#{} e{}", row.state.as_str(), row.step, row.attempt, row.epoch);
    if row.direction == Direction::Undo {
        line.push_str(" undo");
    }
    if let Some(wake) = row.wake.filter(|wake| *wake != AROUND.now) {
        write!(line, " wake {}", wake.0).unwrap();
    }
    for command in commands {
        let text = match command {
            Command::Start => continue,
            Command::Cancel { handle, .. } => format!("cancel {handle}"),
            Command::PhaseDone(phase) => format!("{phase:?} done").to_lowercase(),
            Command::SkipDependents => "skip dependents".to_owned(),
            Command::TakenBack => "taken back".to_owned(),
            Command::NotTakenBack => "not taken back".to_owned(),
        };
        write!(line, ", {text}").unwrap();
    }
    line
}

fn tell(blocked_by: u32, script: &str) -> String {
    let worker = WorkerId::new(WORKER);
    let mut row = TaskRow::new(blocked_by, false, AROUND.now);
    let mut story = Vec::new();
    for word in script.split_whitespace() {
        match decide(&row, &steps(), input(word, &worker), &AROUND) {
            Ok(decision) => {
                row = decision.after;
                story.push(format!("{word}: {}", line(&row, &decision.commands)));
            }
            Err(_) => story.push(format!("{word}: refused")),
        }
    }
    story.join("\n")
}

#[track_caller]
fn check(script: &str, expected: &str) {
    let expected: Vec<_> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(tell(0, script), expected.join("\n"));
}

#[test]
fn from_the_first_step_to_the_last() {
    check(
        "lease done lease done lease approve lease done",
        "lease: running 0#1 e1
         done: ready 1#0 e1, expand done
         lease: running 1#1 e2
         done: ready 2#0 e2, publish done
         lease: waiting 2#0 e2
         approve: ready 2#0 e2
         lease: running 2#1 e3
         done: succeeded 3#0 e3, drop done",
    );
}

#[test]
fn a_class_that_is_tried_again_is_quarantined_after_the_last_attempt() {
    check(
        "lease transient lease conflict lease retry lease done",
        "lease: running 0#1 e1
         transient: ready 0#1 e1 wake 1861
         lease: running 0#2 e2
         conflict: quarantined 0#2 e2, skip dependents
         lease: refused
         retry: ready 0#2 e2
         lease: running 0#3 e3
         done: ready 1#0 e3, expand done",
    );
}

#[test]
fn a_class_that_is_not_tried_again_fails_at_once() {
    for word in ["permanent", "denied", "check"] {
        check(
            &format!("lease {word} done skip retry"),
            &format!(
                "lease: running 0#1 e1
                 {word}: failed 0#1 e1, skip dependents
                 done: refused
                 skip: refused
                 retry: ready 0#1 e1"
            ),
        );
    }
}

#[test]
fn a_world_that_moved_makes_a_task_stale() {
    check(
        "lease moved lease retry lease",
        "lease: running 0#1 e1
         moved: stale 0#1 e1, skip dependents
         lease: refused
         retry: ready 0#1 e1
         lease: running 0#2 e2",
    );
}

#[test]
fn pending_work_waits_and_is_asked_after_until_its_time_out() {
    check(
        "lease pending lease pending done lease pending transient lease pending skip",
        "lease: running 0#1 e1
         pending: waiting 0#1 e1 wake 61000
         lease: refused
         pending: waiting 0#1 e1 wake 61000
         done: ready 1#0 e1, expand done
         lease: running 1#1 e2
         pending: waiting 1#1 e2 wake 61000
         transient: ready 1#1 e2 wake 1645, cancel job
         lease: running 1#2 e3
         pending: waiting 1#2 e3 wake 61000
         skip: skipped 1#2 e3, cancel job, skip dependents",
    );
}

#[test]
fn attempts_lost_with_their_process_count_apart_and_not_for_ever() {
    check(
        "lease lost lease lost lease lost lease",
        "lease: running 0#1 e1
         lost: ready 0#1 e1
         lease: running 0#2 e2
         lost: ready 0#2 e2 wake 0
         lease: running 0#3 e3
         lost: quarantined 0#3 e3, skip dependents
         lease: refused",
    );
}

#[test]
fn a_stop_is_no_failure() {
    check(
        "lease stopped lease transient lease stopped lease done",
        "lease: running 0#1 e1
         stopped: ready 0#1 e1
         lease: running 0#2 e2
         transient: ready 0#2 e2 wake 1645
         lease: running 0#3 e3
         stopped: ready 0#3 e3
         lease: running 0#4 e4
         done: ready 1#0 e4, expand done",
    );
}

#[test]
fn undo_walks_back_from_the_step_that_was_begun() {
    check(
        "lease done lease permanent undo lease done lease transient lease done undo retry",
        "lease: running 0#1 e1
         done: ready 1#0 e1, expand done
         lease: running 1#1 e2
         permanent: failed 1#1 e2, skip dependents
         undo: ready 1#0 e2 undo
         lease: running 1#1 e3 undo
         done: ready 0#0 e3 undo
         lease: running 0#1 e4 undo
         transient: ready 0#1 e4 undo wake 1650
         lease: running 0#2 e5 undo
         done: undone 0#0 e5 undo, taken back
         undo: refused
         retry: refused",
    );
}

#[test]
fn undo_of_what_was_never_begun_is_done_at_once() {
    check("undo", "undo: undone 0#0 e0 undo, taken back");
}

#[test]
fn undo_is_refused_from_the_moment_a_drop_was_begun() {
    check(
        "lease done lease done lease approve lease transient undo lease undo",
        "lease: running 0#1 e1
         done: ready 1#0 e1, expand done
         lease: running 1#1 e2
         done: ready 2#0 e2, publish done
         lease: waiting 2#0 e2
         approve: ready 2#0 e2
         lease: running 2#1 e3
         transient: ready 2#1 e3 wake 1918
         undo: failed 2#1 e3, not taken back, skip dependents
         lease: refused
         undo: refused",
    );
}

#[test]
fn blocked_tasks_wait_for_all_that_they_stand_on() {
    let story = tell(2, "lease unblocked lease unblocked unblocked lease");
    assert_eq!(
        story,
        "lease: refused\nunblocked: pending 0#0 e0\nlease: refused\nunblocked: ready 0#0 e0\nunblocked: refused\n\
         lease: running 0#1 e1"
    );
    let story = tell(0, "lease done lease permanent undo-after-one lease unblocked lease refuse-undo");
    assert_eq!(
        story.lines().skip(4).collect::<Vec<_>>(),
        [
            "undo-after-one: pending 1#0 e2 undo",
            "lease: refused",
            "unblocked: ready 1#0 e2 undo",
            "lease: running 1#1 e3 undo",
            "refuse-undo: refused"
        ]
    );
}

#[test]
fn waits_double_up_to_the_longest_and_spread_by_half() {
    let retry = Retry { attempts: 9, backoff_millis: 100, max_backoff_millis: 1_000, on: Vec::new() };
    for (failures, longest) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1_000), (64, 1_000), (u32::MAX, 1_000)] {
        let waits: Vec<i64> = (0..200).map(|seed| backoff_millis(&retry, failures, seed)).collect();
        assert!(waits.iter().all(|wait| (longest / 2..=longest).contains(wait)), "{failures}: {waits:?}");
        assert!(waits.iter().max().unwrap() - waits.iter().min().unwrap() > longest / 4, "{failures}");
    }
    let none = Retry { backoff_millis: 0, ..retry };
    assert_eq!(backoff_millis(&none, 3, 1), 0);
    let odd = Retry { backoff_millis: i64::MAX, max_backoff_millis: i64::MAX, ..none };
    assert!(backoff_millis(&odd, 60, 1) >= i64::MAX / 2);
}

#[test]
fn runs_take_what_fits_their_state() {
    let me = "me";
    let asks = [
        ("start", Ask::Start),
        ("pause", Ask::Pause(me)),
        ("resume", Ask::Resume(me)),
        ("abort", Ask::Abort(me)),
        ("retry", Ask::Retry(me, None)),
        ("undo", Ask::Undo(me)),
        ("end", Ask::End),
    ];
    let mut table = String::new();
    let goals = [Goal::Finish, Goal::Undo];
    let states = [
        RunState::Planned,
        RunState::Running,
        RunState::Paused,
        RunState::Finished,
        RunState::Aborted,
        RunState::Undone,
    ];
    for (goal, state) in goals.into_iter().flat_map(|goal| states.map(|state| (goal, state))) {
        let row = RunRow { state, goal };
        let taken = asks.iter().filter_map(|(name, ask)| {
            let after = apply_run(&row, &decide_run(&row, ask).ok()?);
            Some(format!("{name}→{}", after.state.as_str()))
        });
        let taken: Vec<_> = taken.collect();
        writeln!(table, "{goal:?} {}: {}", state.as_str(), taken.join(" ")).unwrap();
    }
    let expected = "
        Finish planned: start→running pause→paused abort→running undo→running
        Finish running: pause→paused abort→running retry→running undo→running end→finished
        Finish paused: resume→running abort→running retry→running undo→running
        Finish finished: retry→running undo→running
        Finish aborted: retry→running undo→running
        Finish undone: retry→running undo→running
        Undo planned: start→running pause→paused
        Undo running: pause→paused retry→running end→undone
        Undo paused: resume→running retry→running
        Undo finished: retry→running
        Undo aborted: retry→running
        Undo undone: retry→running";
    let expected: Vec<_> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(table.trim(), expected.join("\n"));
}

const WORDS: [&str; 18] = [
    "lease",
    "pending",
    "done",
    "check",
    "transient",
    "permanent",
    "denied",
    "conflict",
    "moved",
    "lost",
    "stopped",
    "unblocked",
    "approve",
    "retry",
    "skip",
    "undo",
    "undo-after-one",
    "refuse-undo",
];

fn assert_sound(before: &TaskRow, event: &TaskEvent, after: &TaskRow) {
    let told = format!("{before:?}\n{event:?}\n{after:?}");
    assert!(after.epoch >= before.epoch, "{told}");
    let begins = matches!(event, TaskEvent::AttemptStarted { .. });
    // Counted before the work, under a token that nobody had before.
    assert_eq!(after.epoch > before.epoch, begins, "{told}");
    assert_eq!(after.state == TaskState::Running, begins, "{told}");
    assert_eq!(after.worker.is_some(), after.state == TaskState::Running, "{told}");
    assert!(after.state != TaskState::Ready || after.wake.is_some(), "{told}");
    assert!(after.wake.is_none() || matches!(after.state, TaskState::Ready | TaskState::Waiting), "{told}");
    assert!(after.handle.is_none() || after.state == TaskState::Waiting, "{told}");
    assert!(after.step as usize <= steps().len(), "{told}");
    assert_eq!(after.step as usize == steps().len(), after.state == TaskState::Succeeded, "{told}");
    assert!(after.state != TaskState::Ready || after.blocked_by == 0, "{told}");
    let bad = matches!(after.state, TaskState::Failed | TaskState::Stale | TaskState::Skipped);
    assert!(!bad || after.error.is_some(), "{told}");
    assert!(after.begun || after.attempt == 0, "{told}");
}

proptest! {
    #[test]
    fn no_story_breaks_what_must_hold(blocked_by in 0_u32..3, words in prop::collection::vec(0..WORDS.len(), 0..80)) {
        let worker = WorkerId::new(WORKER);
        let first = TaskRow::new(blocked_by, false, AROUND.now);
        let mut row = first.clone();
        let mut events = Vec::new();
        for word in words {
            // A lease now and then, so that stories get on.
            for word in [WORDS[word], "lease"] {
                if let Ok(decision) = decide(&row, &steps(), input(word, &worker), &AROUND) {
                    assert_sound(&row, &decision.event, &decision.after);
                    row = decision.after;
                    events.push(decision.event);
                }
            }
        }
        // The journal is enough, also after a journey through text.
        let folded = events.iter().fold(first, |row, event| {
            apply(&row, &decode_task(EVENT_VERSION, &encode(event)).unwrap(), AROUND.now)
        });
        prop_assert_eq!(folded, row);
    }

    #[test]
    fn no_step_is_done_twice_in_one_direction(words in prop::collection::vec(0..WORDS.len(), 0..80)) {
        let worker = WorkerId::new(WORKER);
        let mut row = TaskRow::new(0, false, AROUND.now);
        let mut done = std::collections::HashSet::new();
        for word in words.into_iter().flat_map(|word| [WORDS[word], "lease", "done"]) {
            if let Ok(decision) = decide(&row, &steps(), input(word, &worker), &AROUND) {
                row = decision.after;
                match decision.event {
                    TaskEvent::StepDone { step, direction, .. } => {
                        prop_assert!(done.insert((step, direction)), "step {} twice", step);
                    }
                    // By a person's wish, and only what nobody has seen yet.
                    TaskEvent::Retried { from: Some(from) } => {
                        prop_assert!(steps()[row.step as usize..].iter().all(|step| step.phase > Phase::Expand));
                        done.retain(|(step, direction)| *step < from || *direction == Direction::Undo);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn what_failed_its_verification_is_made_anew_on_retry() {
    let steps =
        [("make", Phase::Expand), ("fill", Phase::Backfill), ("prove", Phase::Verify), ("show", Phase::Publish)];
    let steps = steps.map(|(uses, phase)| step(uses, phase));
    let worker = WorkerId::new(WORKER);
    let after = |words: &str, error: Option<Failure>| {
        let mut row = TaskRow::new(0, false, AROUND.now);
        for word in words.split_whitespace() {
            let input = match (word, &error) {
                ("error", Some(error)) => Input::Failed(error.clone()),
                _ => input(word, &worker),
            };
            row = decide(&row, &steps, input, &AROUND).unwrap().after;
        }
        (row.step, row.begun, row.attempt)
    };
    let changed = || Some(Failure::new(ErrorClass::Permanent, crate::code::data::SOURCE_CHANGED, "changed"));
    assert_eq!(after("lease done lease done lease check retry", None), (1, true, 0));
    assert_eq!(after("lease done lease done lease permanent retry", None), (1, true, 0));
    // What was begun can be taken back, the backfill included.
    assert_eq!(after("lease done lease done lease check retry undo", None).0, 1);
    // A conversion that failed is tried where it stands; so is a publication, unless what it needs is not there any more.
    assert_eq!(after("lease done lease permanent retry", None), (1, true, 1));
    assert_eq!(after("lease done lease done lease done lease permanent retry", None), (3, true, 1));
    assert_eq!(after("lease done lease done lease done lease error retry", changed()), (1, true, 0));
}

#[test]
fn what_a_power_cut_took_is_made_again_until_it_is_published() {
    let phases = [Phase::Expand, Phase::Backfill, Phase::Verify, Phase::Publish, Phase::Cutover];
    let steps = phases.map(|phase| step("test/step", phase));
    let worker = WorkerId::new(WORKER);
    let gone = || Failure::new(ErrorClass::Permanent, crate::code::data::POWER_CUT, "gone");
    let after = |words: &str| {
        let mut row = TaskRow::new(0, false, AROUND.now);
        for word in words.split_whitespace() {
            let input = if word == "gone" { Input::Failed(gone()) } else { input(word, &worker) };
            row = decide(&row, &steps, input, &AROUND).unwrap().after;
        }
        (row.step, row.state, row.begun, row.failures)
    };
    let made = "lease done lease done";
    assert_eq!(after(&format!("{made} lease gone")), (1, TaskState::Ready, true, 0), "in verify");
    assert_eq!(after(&format!("{made} lease done lease gone")), (1, TaskState::Ready, true, 0), "in publish");
    assert_eq!(after(&format!("{made} lease gone lease done lease gone")), (1, TaskState::Ready, true, 0), "twice");
    let seen = after(&format!("{made} lease done lease done lease gone"));
    assert_eq!(seen, (4, TaskState::Failed, true, 1), "what was seen is not made again");
}
