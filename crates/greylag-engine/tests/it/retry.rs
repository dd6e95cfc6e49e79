//! Trying again by a person's wish.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, on_each, task};
use greylag_engine::service;
use greylag_model::code::engine as code;
use greylag_model::id::TaskId;
use greylag_model::spec::ErrorClass;
use greylag_model::task::TaskState;

#[test]
fn takes_up_what_ended_badly_at_the_step_where_it_ended() {
    on_each(|rig| {
        let run = rig.start((0..6).map(|number| task(&format!("t{number}"))).collect());
        rig.estate.script("t1", "estate/fill", [Act::Fail(ErrorClass::Permanent)]);
        rig.estate.script("t2", "estate/show", [Act::Fail(ErrorClass::Transient); 3]);
        rig.estate.script("t3", "estate/make", [Act::WorldMoved]);
        assert_eq!(rig.drive(&run).run.counters.bad(), 3);
        let asked = service::retry_failed(&rig.engine(), &run, None, "me").unwrap();
        assert_eq!((asked.run().counters.ready, asked.run().counters.bad()), (3, 0));
        assert!(rig.drive(&run).is_good());
        let log = rig.estate.log();
        let of = |start: &str| log.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!((of("t1: estate/make"), of("t1: estate/fill"), of("t2: estate/show")), (1, 2, 4));
        rig.assert_folds(&run);
    });
}

#[test]
fn takes_up_one_task_alone() {
    on_each(|rig| {
        let run = rig.start(vec![task("a"), task("b")]);
        rig.estate.script("a", "estate/fill", [Act::Fail(ErrorClass::Permanent)]);
        rig.estate.script("b", "estate/fill", [Act::Fail(ErrorClass::Permanent)]);
        assert_eq!(rig.drive(&run).run.counters.failed, 2);
        let engine = rig.engine();
        let no = TaskId::new("no");
        assert_eq!(service::retry_failed(&engine, &run, Some(&no), "me").unwrap_err().code, code::TASK_UNKNOWN);
        service::retry_failed(&engine, &run, Some(&TaskId::new("b")), "me").unwrap();
        drop(engine);
        rig.drive(&run);
        let rows = rig.rows(&run);
        assert_eq!((rows["a"].state, rows["b"].state), (TaskState::Failed, TaskState::Succeeded));
        rig.assert_folds(&run);
    });
}
