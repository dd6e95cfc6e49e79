//! Files: reading, converting, verifying and publishing (`GL06xx`).

codes! {
    INCONSISTENT = 650, "batches are not what their schema says",
        cause: "A step of the data plane got columns that its plan does not know. That is a mistake of Greylag's, or the plan was changed by hand. Nothing was published.",
        cure: "Plan again and apply the new plan; if it happens again, file an issue with the message and the run's id.";
}
