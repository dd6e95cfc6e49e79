//! The use-cases that only read.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{on_each, task};
use greylag_driver::journal::{TaskFilter, sample};
use greylag_engine::service;
use greylag_model::code::engine as code;
use greylag_model::id::{PlanId, RunId, TaskId};
use greylag_model::task::{RunState, TaskState};
use std::sync::atomic::AtomicBool;

#[test]
fn plans_are_saved_and_runs_of_them_started_and_listed() {
    on_each(|rig| {
        let engine = rig.engine();
        let plan = sample::plan("p-7", vec![task("a")]);
        let (id, run) = (PlanId::new("p-7"), RunId::new("r-7"));
        assert_eq!(service::start_run(&engine, &id, &run).unwrap_err().code, code::PLAN_UNKNOWN);
        service::save_plan(&engine, &plan).unwrap();
        let record = service::start_run(&engine, &id, &run).unwrap();
        assert_eq!((record.row.state, record.migration.as_str()), (RunState::Planned, "sample"));
        assert_eq!(service::start_run(&engine, &id, &run).unwrap_err().code, code::RUN_EXISTS);
        assert_eq!(service::list_runs(&engine, 10).unwrap(), [record]);
        assert_eq!(service::status(&engine, &RunId::new("no")).unwrap_err().code, code::RUN_UNKNOWN);
    });
}

#[test]
fn tasks_come_page_by_page() {
    on_each(|rig| {
        let run = rig.start((0..7).map(|number| task(&format!("t{number}"))).collect());
        let engine = rig.engine();
        let (mut ids, mut cursor) = (Vec::new(), Some(0));
        while let Some(from) = cursor {
            let page = service::tasks(&engine, &run, &TaskFilter::default(), from, 3).unwrap();
            ids.extend(page.items.into_iter().map(|task| task.id.0));
            cursor = page.next;
        }
        assert_eq!(ids, ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
        let one = service::task(&engine, &run, &TaskId::new("t4")).unwrap();
        assert_eq!((one.ordinal, one.row.state, one.steps), (4, TaskState::Ready, 4));
        assert_eq!(service::task(&engine, &run, &TaskId::new("no")).unwrap_err().code, code::TASK_UNKNOWN);
    });
}

#[test]
fn waiting_ends_when_the_run_does_or_the_time_is_over() {
    on_each(|rig| {
        let run = rig.start(vec![task("a")]);
        let engine = rig.engine();
        let stop = AtomicBool::new(false);
        let ended = |record: &greylag_driver::journal::RunRecord| record.row.state.has_ended();
        assert!(!service::wait(&engine, &run, &ended, 1_000, &stop).unwrap());
        crate::rig::drive(&engine, &run);
        assert!(service::wait(&engine, &run, &ended, 0, &stop).unwrap());
        assert_eq!(service::events(&engine, &run, 0, 2).unwrap().len(), 2);
    });
}
