//! Steps that wait for a person.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::rig::{on_each, task};
use greylag_engine::{Ended, service};
use greylag_model::code::engine as code;
use greylag_model::id::TaskId;
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
        assert_eq!(service::approve(&engine, &run, &TaskId::new("no"), "me").unwrap_err().code, code::TASK_UNKNOWN);
        assert_eq!(service::approve(&engine, &run, &TaskId::new("free"), "me").unwrap_err().code, code::WRONG_STATE);
        let asked = service::approve(&engine, &run, &gated, "me").unwrap();
        assert_eq!(asked.run().counters.ready, 1);
        assert_eq!(service::approve(&engine, &run, &gated, "me").unwrap_err().code, code::WRONG_STATE);
        drop(engine);
        assert!(rig.drive(&run).is_good());
        assert_eq!(rig.rows(&run)["gated"].state, TaskState::Succeeded);
        rig.assert_folds(&run);
    });
}
