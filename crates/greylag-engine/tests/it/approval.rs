//! Steps that wait for a person.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{Act, on_each, task};
use greylag_driver::journal::sample;
use greylag_engine::{Ended, service};
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, TaskId};
use greylag_model::plan::Plan;
use greylag_model::task::TaskState;

#[test]
fn a_step_waits_until_a_person_says_yes() {
    on_each(|rig| {
        let mut gated = task("gated");
        gated.steps[3].approval = true;
        let run = rig.start(vec![gated, task("free")]);
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.run.counters.waiting), (Ended::NeedsPerson, 1));
        assert!(!rig.estate.log().contains("gated: estate/show"));
        let engine = rig.engine();
        let gated = TaskId::new("gated");
        assert_eq!(
            service::approve(&engine, &run, &TaskId::new("no"), "me", None).unwrap_err().code,
            code::TASK_UNKNOWN
        );
        assert_eq!(
            service::approve(&engine, &run, &TaskId::new("free"), "me", None).unwrap_err().code,
            code::WRONG_STATE
        );
        let asked = service::approve(&engine, &run, &gated, "me", None).unwrap();
        assert_eq!(asked.run().counters.ready, 1);
        assert_eq!(service::approve(&engine, &run, &gated, "me", None).unwrap_err().code, code::WRONG_STATE);
        drop(engine);
        assert!(rig.drive(&run).is_good());
        assert_eq!(rig.rows(&run)["gated"].state, TaskState::Succeeded);
        rig.assert_folds(&run);
    });
}

#[test]
fn a_stale_task_goes_on_by_the_plan_that_a_person_agrees_to() {
    on_each(|rig| {
        let plan = sample::plan("p-1", vec![task("moved"), task("good")]);
        let run = rig.start_plan(&plan);
        rig.estate.script("moved", "estate/make", [Act::WorldMoved]);
        assert_eq!(rig.drive(&run).run.counters.stale, 1);
        let engine = rig.engine();
        let moved = [TaskId::new("moved")];
        let ask = |plan: &Plan| {
            engine.journal().save_plan(plan).unwrap();
            service::replan(&engine, &run, &moved, &plan.header.id, "me", Some("seen"))
        };
        let anew = |id: &str, change: &dyn Fn(&mut Plan)| {
            let mut anew = plan.clone();
            anew.header.id = PlanId::new(id);
            change(&mut anew);
            anew
        };
        // What other tasks and an undo rely on must not change with it.
        let elsewhere = anew("p-2", &|plan| plan.tasks[0].dataset_mut().unwrap().target_location.path.push('x'));
        let another_too = anew("p-3", &|plan| plan.tasks[1].dataset_mut().unwrap().source.bytes += 1);
        let fewer = anew("p-4", &|plan| drop(plan.tasks.pop()));
        for refused in [elsewhere, another_too, fewer] {
            assert_eq!(ask(&refused).unwrap_err().code, code::PLAN_INVALID, "{}", refused.header.id);
        }
        let unknown = service::replan(&engine, &run, &moved, &PlanId::new("p-none"), "me", None);
        assert_eq!(unknown.unwrap_err().code, code::PLAN_UNKNOWN);
        let good = service::replan(&engine, &run, &[TaskId::new("good")], &plan.header.id, "me", None);
        assert_eq!(good.unwrap_err().code, code::WRONG_STATE);
        assert_eq!(rig.counters(&run).stale, 1, "nothing was asked for");

        let shorter = anew("p-5", &|plan| plan.tasks[0].steps.truncate(2));
        let asked = ask(&shorter).unwrap();
        assert_eq!((asked.run().plan.as_str(), asked.run().counters.ready), ("p-5", 1));
        assert_eq!(ask(&shorter).unwrap_err().code, code::WRONG_STATE, "it is not stale any more");
        drop(engine);
        assert!(rig.drive(&run).is_good());
        assert!(!rig.estate.log().contains("moved: estate/show"), "the new plan has no such step");
        assert!(rig.story(&run).contains("replanned"), "{}", rig.story(&run));
        rig.assert_folds(&run);
    });
}
