//! The command line, the configuration and the state folder (`GL00xx`).

codes! {
    INTERNAL = 1, "an internal error",
        cause: "Greylag met a state that its authors thought impossible. Nothing was committed by the step that failed.",
        cure: "Run the command again; if it happens again, file an issue with the message and the run's id.";
    USAGE = 2, "the command line is not understood",
        cause: "An argument is unknown, missing, has a value that it cannot have, or does not go together with another one. Nothing was done.",
        cure: "The message names the argument and, where one is close, what was probably meant. `greylag help COMMAND` lists all of them with examples.";
    CONFIGURATION = 3, "the configuration cannot be used",
        cause: "A setting from the environment or from the configuration in the state folder has a value that cannot be read, or names something that does not exist. The message names the setting and where it came from. Command-line arguments win over the environment, and that over the folder.",
        cure: "Correct or unset the setting. `greylag doctor` shows each setting with its value and its origin.";
    HOME_UNWRITABLE = 6, "the state folder cannot be written",
        cause: "The folder, or a file in it, could not be created or written: permissions, a read-only or full file system, or a file that stands where the folder should be.",
        cure: "Correct the permissions or make space, or choose another folder with `--home` or `GREYLAG_HOME`. Work that was done before is in the journal: run the same command again.";
    RUN_NOT_FOUND = 8, "there is no such run",
        cause: "No run in this state folder has the id or name that was given.",
        cure: "`greylag runs` lists them. Look also whether `--home` or `GREYLAG_HOME` name the folder in which it was started.";
    PLAN_NOT_FOUND = 9, "there is no such plan",
        cause: "No saved plan in this state folder has the id that was given. A plan is saved by `greylag plan` and kept until `greylag gc` removes it.",
        cure: "Make it again with `greylag plan -f FILE`, which prints its id; `greylag plans` lists those that are there.";
    NAME_AMBIGUOUS = 10, "the name fits several things",
        cause: "A shortened id, or a name without its namespace, fits more than one run, plan, task or dataset. Greylag does not guess.",
        cure: "Give more characters of the id, or the name with its namespace: `finance/orders`. The message lists what fits.";
    INTERRUPTED = 11, "interrupted",
        cause: "The command was asked to stop (Ctrl-C or a signal). Steps under way were cancelled or left for the next process to take over; what was committed stays.",
        cure: "Run the same command again: it goes on where it stopped. `greylag abort RUN` ends the run instead.";
    CONFIRMATION_NEEDED = 12, "a confirmation is needed and nobody can be asked",
        cause: "The command changes something that cannot be taken back, or acts on many things, and standard input is not a terminal.",
        cure: "Run it in a terminal, or confirm beforehand with `--yes`.";
    NOT_CONFIRMED = 13, "not confirmed",
        cause: "The question was answered with something else than what it asked for. Nothing was done.",
        cure: "Run the command again and answer as asked; `--yes` answers beforehand.";
    CODE_UNKNOWN = 14, "there is no such error code",
        cause: "Codes are `GL` and four digits, and keep their meaning for ever. The one that was given belongs to no message of this version.",
        cure: "Copy the code from the message: `error[GL0101]` is explained by `greylag explain GL0101`. `greylag explain` alone lists all of them.";
    FILE_UNREADABLE = 15, "a file cannot be read",
        cause: "A file that the command line names does not exist, is a directory, or may not be read by this user.",
        cure: "Check the path; relative paths begin at the working directory. `-` reads standard input.";
    OUTPUT_UNWRITABLE = 16, "the output cannot be written",
        cause: "Standard output or the file given for the output failed, for example because its disk is full. (A reader that closes the pipe early, such as `head`, is not an error.)",
        cure: "Make space or choose another file. State is not affected: run the command again for its output.";
    NOT_FOUND = 17, "there is nothing of that name",
        cause: "The catalog or the run has no dataset, entity or task of the name that was given.",
        cure: "`greylag catalog list` and `greylag status RUN` list the names; `greylag catalog search WORD` finds them. Look also whether `--home` names the right folder.";
    WRONG_STATE = 18, "the run is not in a state that allows it",
        cause: "The command does not fit what the run is doing: for instance a finished run cannot be paused, and only a run with failed tasks has something to retry. Nothing was done.",
        cure: "`greylag status RUN` shows the run's state and what can be done next.";
    WAIT_TIMED_OUT = 19, "the wait timed out",
        cause: "`greylag wait` reached its `--timeout` before the run reached what was waited for. The run itself goes on.",
        cure: "Wait again, with a longer `--timeout`, or look with `greylag status -w RUN` at what takes so long.";
}
