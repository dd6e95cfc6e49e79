//! The command line, the configuration and the state folder (`GL00xx`).

codes! {
    INTERNAL = 1, "an internal error",
        cause: "Greylag met a state that its authors thought impossible. Nothing was committed by the step that failed.",
        cure: "Run the command again; if it happens again, file an issue with the message and the run's id.";
}
