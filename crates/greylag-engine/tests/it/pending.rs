//! Work that goes on elsewhere.

use crate::rig::{Act, on_each, task};
use greylag_engine::Ended;
use greylag_model::code::engine as code;
use greylag_model::task::TaskState;

#[test]
fn holds_no_thread_and_is_taken_up_at_its_wake_time() {
    on_each(|rig| {
        // Ten times as many as there are threads, all pending at once for an hour.
        let mut tasks: Vec<_> = (0..20).map(|number| task(&format!("t{number}"))).collect();
        for task in &mut tasks {
            task.steps[0].timeout_millis = 7_200_000;
            rig.estate.script(task.id.as_str(), "estate/make", [Act::Pend(100_000)]);
        }
        let run = rig.start(tasks);
        assert!(rig.drive(&run).is_good());
        let story = rig.story(&run);
        assert_eq!(story.matches("attempt_pending").count(), 40);
        assert!(story.find("step_done") > story.rfind("attempt_pending undo estate/make"));
        rig.assert_folds(&run);
    });
}

#[test]
fn that_outlasts_its_time_out_is_cancelled_and_tried_again() {
    on_each(|rig| {
        let mut slow = task("slow");
        slow.steps[0].timeout_millis = 1_000;
        let run = rig.start(vec![slow, task("other")]);
        rig.estate.script("slow", "estate/make", [Act::Pend(100_000); 3]);
        let summary = rig.drive(&run);
        assert_eq!((summary.ended, summary.run.counters.succeeded), (Ended::Finished, 1));
        let row = &rig.rows(&run)["slow"];
        assert_eq!((row.state, row.attempt, row.handle.as_ref()), (TaskState::Quarantined, 3, None));
        assert_eq!(row.error.as_ref().map(|error| error.code), Some(code::TIMED_OUT));
        assert_eq!(rig.estate.cancelled(), ["slow/estate/make"; 3]);
        rig.assert_folds(&run);
    });
}
