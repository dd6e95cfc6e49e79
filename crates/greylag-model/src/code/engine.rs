//! Runs: journal, leases, staleness, limits (`GL05xx`).

codes! {
    RUN_UNKNOWN = 501, "no such run",
        cause: "The state folder has no run of that name. Runs belong to one state folder (`--home`, `GREYLAG_HOME`).",
        cure: "List the runs with `greylag runs`, or point `--home` at the folder that holds the run.";
    RUN_EXISTS = 502, "a run of that name exists",
        cause: "A run's name is used once. Nothing was recorded for the second one.",
        cure: "Go on with the existing run (`greylag resume`), or start the plan again without naming the run.";
    PLAN_UNKNOWN = 503, "no such plan",
        cause: "The state folder has no saved plan of that id.",
        cure: "Make the plan again with `greylag plan -f FILE`; it prints the id under which it was saved.";
    PLAN_INVALID = 504, "a plan that cannot be run",
        cause: "The plan was written by another version of Greylag, or names a task twice, or waits for a task that it does not have.",
        cure: "Make the plan again with this version of Greylag.";
    RUN_DRIVEN = 505, "another process drives this run",
        cause: "One process at a time decides for a run. The one that holds the lease is alive. Nothing was changed.",
        cure: "Watch it with `greylag status -w`, steer it with `greylag pause` or `greylag abort`, or end that process first.";
    LEASE_LOST = 506, "the lease of the run was lost",
        cause: "This process was silent for longer than its lease (it was suspended, or the machine slept) and another one took the run over. What it still wanted to write was refused.",
        cure: "Nothing to mend: the other process goes on. Watch it with `greylag status -w`.";
    STALE_ATTEMPT = 507, "an attempt that was given up reported back",
        cause: "The attempt had timed out or its lease had been taken over, and a later attempt owns the step. Its report was refused so that nothing is done twice.",
        cure: "Nothing to mend: the later attempt goes on.";
    TASK_UNKNOWN = 508, "no such task",
        cause: "The run has no task of that name.",
        cure: "List the tasks with `greylag status RUN -o wide`.";
    WRONG_STATE = 509, "not possible in this state",
        cause: "The run or task is in a state in which the request means nothing, such as resuming a run that is not paused. Nothing was changed.",
        cure: "Look at the state with `greylag status` and choose a verb that fits.";
    TIMED_OUT = 510, "a step took longer than it may",
        cause: "The attempt did not end within the step's `timeout` and was given up. It is tried again as the retry policy says.",
        cure: "Raise `timeout` in the migration file if the work is really that long, else look for what hangs.";
    PANICKED = 511, "a step met a state that its authors thought impossible",
        cause: "The code of the step ended in a panic. Only this task was stopped; nothing of the attempt was committed.",
        cure: "File an issue with the message and the run's id. `greylag retry --failed` tries it again.";
    ATTEMPTS_LOST = 512, "the process died again and again during this step",
        cause: "Each time that this step was under way the whole process ended without a word (killed, out of memory). The task was set aside so that the rest goes on.",
        cure: "Look into the system's log for what killed the process, then `greylag retry --failed`.";
    CHECK_FAILED = 513, "a check failed",
        cause: "The step did its work, but what it observed does not meet an expectation of the plan.",
        cure: "Read the check's detail with `greylag logs`; mend the mapping or the data, plan again, or undo. Of a `diff` check, the hint has the command that shows which rows differ.";
    NO_EXECUTOR = 514, "nothing serves this step",
        cause: "The plan uses a kind of step for which this Greylag has no executor.",
        cure: "Run the plan with the version of Greylag that made it.";
    STALE = 515, "the world moved under the plan",
        cause: "What the plan was made for is no longer what is there: the dataset's identity or schema has changed since the probe. The task was not begun.",
        cure: "`greylag approve RUN --stale -f FILE` plans the stale tasks anew from the migration file, shows what would be done and asks. If the old state comes back, `greylag retry RUN --failed` takes them up as they were planned. The rest of the run is not touched.";
    UNDO_REFUSED = 516, "this cannot be taken back",
        cause: "The old dataset was dropped, so there is nothing to go back to, or another task that cannot be taken back stands on this one.",
        cure: "Restore the old dataset from a backup if it is needed; everything else of the run is undone.";
    DEPENDENCY_FAILED = 517, "a task that this one stands on did not end well",
        cause: "The task waits for a phase of another task, and that one failed, was quarantined or skipped.",
        cure: "Mend the other task; `greylag retry --failed` takes up both.";
    RUN_ABORTED = 518, "the run was aborted",
        cause: "A person ended the run before this task was done. What it had done stays as it is.",
        cure: "`greylag undo` takes the run back, `greylag retry --failed` goes on with it.";
    STOPPED = 519, "the attempt was asked to end",
        cause: "The run was paused or aborted, or the process was asked to end. The step goes on from its last chunk.",
        cure: "Nothing to mend.";
    STUCK = 520, "no thread is left to work",
        cause: "So many attempts hung and were given up that every thread is lost to one. The run can go on in a new process.",
        cure: "Run `greylag apply` or `greylag resume` again, and find out what hangs.";
    INTERRUPTED = 521, "an operation was made to fail",
        cause: "A test rig failed the operation at a fault point. This is never seen outside tests.",
        cure: "Nothing to mend.";
    PLAN_IN_USE = 522, "the plan is that of a run",
        cause: "A run executes the plan, and its undo needs it. Nothing was removed.",
        cure: "Remove the run first, if nobody needs it any more: `greylag gc --runs`.";
    RUN_IN_USE = 523, "the run has not ended",
        cause: "Only the journal of a run that has ended and that no process drives can be removed. Nothing was removed.",
        cure: "Let it end, or end it with `greylag abort RUN`; then run `greylag gc` again.";
    UNDO_LATER_FIRST = 524, "later runs go on from this one",
        cause: "Increments go on from what an earlier run has published. Taking that run back would take the ground from under them.",
        cure: "Undo the later runs first, the newest before the others; the message names it.";
    STATE_NEWER = 530, "the state folder was written by a newer version",
        cause: "A newer Greylag has changed the layout of the state folder, and this one cannot read it. Nothing was changed.",
        cure: "Use the newer Greylag, or another folder with `--home`.";
    STATE_LOCKED = 531, "the state folder is busy",
        cause: "Another process held the state's database for longer than this one waits.",
        cure: "Try again; if it stays so, look for a process that hangs with the folder open.";
    STATE_FULL = 532, "no space for the state folder",
        cause: "The file system of the state folder is full. Nothing that was acknowledged is lost; what was under way is tried again.",
        cure: "Make space, or move the folder and point `--home` at it. The run goes on by itself or with `greylag resume`.";
    STATE_DAMAGED = 533, "the state folder is damaged",
        cause: "The state's database is not one, or its content contradicts itself. Greylag stops rather than guess.",
        cure: "Restore the state folder from a backup; targets that were published are not affected.";
    STATE_IO = 534, "the state folder cannot be read or written",
        cause: "The operating system refused to read or write the state's database.",
        cure: "Look at the message: permissions, a missing directory, or a failing disk.";
}
