//! The lab: generated estates (`GL07xx`).

codes! {
    IO = 701, "the lab cannot read or write a file",
        cause: "While an estate was generated or compared, the operating system refused to read or write a file.",
        cure: "Look at the reason in the message: a full disk, a missing permission, a file that went away. An estate that was generated half-way is no estate: delete it and generate it again.";
    OCCUPIED = 702, "the place for a new estate is not empty",
        cause: "`greylag lab generate` writes into a directory that does not exist yet or is empty, so that it can never mix with anything else.",
        cure: "Name another directory, or delete the old estate yourself.";
    NO_ESTATE = 703, "the directory is not an estate",
        cause: "`greylag lab compare` found no `truth/` in the directory, or one that another version wrote.",
        cure: "Name the directory that was given to `greylag lab generate --out`; if another version wrote it, generate it again with the same seed.";
    ROWS = 704, "the lab cannot write its rows",
        cause: "The lab drew a value that its own Parquet writer refuses. That is a defect of the lab.",
        cure: "File an issue with the seed and the number of datasets.";
}
