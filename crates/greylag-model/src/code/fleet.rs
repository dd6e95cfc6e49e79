//! Sandbox and custom steps: commands of other people that Greylag runs (`GL08xx`).

codes! {
    SANDBOX_MISSING = 801, "there is no sandbox on this machine",
        cause: "Custom steps run only inside a sandbox, and `bwrap` (bubblewrap) is in none of the absolute folders of `PATH`. The command was not started: without a sandbox it could read and change whatever Greylag can.",
        cure: "Install it (`apt-get install bubblewrap`), then `greylag retry RUN --failed`. `greylag doctor` tells whether it works.";
    SANDBOX_BROKEN = 802, "the sandbox does not work on this machine",
        cause: "`bwrap` is there, but could not make a sandbox: most often because the system forbids user namespaces, or because it is older than 0.8. The command was not started.",
        cure: "Allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1` on Debian, an AppArmor profile for `bwrap` on Ubuntu; containers need them from their host), or install a newer bubblewrap. `greylag doctor` tells whether it works.";
    JOB_START = 803, "a command could not be started",
        cause: "The sandbox works, but the command in it could not be started: its program is not among the system's folders and not beside the migration file, is not executable, or names an interpreter that is not there.",
        cure: "Name a program of the system, or a script that lies beside the migration file and is executable (`chmod +x`).";
    JOB_FAILED = 804, "a command failed",
        cause: "The command ended with another exit code than 0, or by a signal, without saying `{\"error\": …}` itself. The end of what it wrote on standard error is in the message.",
        cure: "Mend the command. Its log is shown by `greylag logs RUN --task TASK`.";
    JOB_LIMIT = 805, "a command went beyond a limit",
        cause: "The command used more memory, processor time, processes, time, disk or output than its `limits` allow, and was ended with everything that it had started.",
        cure: "Raise the limit in `spec.commands` if the work is really that large, else look for what runs away.";
    JOB_PROTOCOL = 806, "a command said what cannot be understood",
        cause: "Each line that a command writes on standard output is a JSON object with exactly one of `progress`, `evidence`, `check`, `result` and `error`, and a command that ends well has written one `result`. Everything else belongs on standard error.",
        cure: "Correct the command; `docs/reference/custom-steps.md` has the protocol.";
    JOB_ERROR = 807, "a command reported an error",
        cause: "The command itself said `{\"error\": …}`; the message and the class, which decides whether it is tried again, are its own.",
        cure: "Do what the message says.";
    JOB_OUTPUT = 808, "a command's result is not what it declares",
        cause: "The `result` lacks an output that `spec.commands` declares, has one that it does not, or one of another type. Later steps rely on the types.",
        cure: "Correct the command or its `outputs`.";
    JOB_CHANGED = 809, "a command's script has changed since the plan",
        cause: "A plan freezes the content of the scripts that its commands run. The file has another content now, or is gone, so that what was approved is not what would run.",
        cure: "Put the old file back, or plan again.";
    STEP_VALUE = 810, "an expression of a step has no value",
        cause: "An `if` or a `${{ }}` of a step was computed just before the step began and gave no value, or one of the wrong type. The step did not begin.",
        cure: "Correct the expression; `has(steps.NAME.outputs.FIELD)` asks whether a value is there.";
}
