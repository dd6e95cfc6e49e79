//! Planning: what the spec asks and the world does not allow (`GL04xx`).

codes! {
    UNKNOWN_COLUMN = 401, "a column that the dataset does not have",
        cause: "The mapping, a check or the layout names a column that is not in the schema it is read against: sources are read against the old dataset, checks, reverses and partition columns against the new one. Names are compared byte for byte.",
        cure: "Correct the name. `greylag catalog show NAME` lists the columns of a dataset as they were probed.";
    DUPLICATE_COLUMN = 402, "a column that is made twice",
        cause: "Two rules of the mapping make a target column of the same name, or a computed column has the name of a source column that is also carried over.",
        cure: "Rename one of the two. If the computed column carries the source column on, say so with `from: NAME`; if the source column ends, list it under `drop` with a reason.";
    CONTRADICTION = 403, "rules that contradict each other",
        cause: "A source column is dropped and used by another rule, or dropped, split or reversed twice.",
        cure: "Keep one of the rules.";
    LOSS_NEEDED = 404, "a conversion that loses something, without a policy",
        cause: "The target type cannot carry every value of the source type exactly (fractions, digits or sub-units go), and Greylag does not choose in silence what becomes of them.",
        cure: "Give the column `loss: truncate` (towards zero), `loss: round` (to the nearest) or `loss: fail` (a value that would lose something does not fit, and `misfit` says what then).";
    NO_CONVERSION = 405, "a conversion that has no meaning",
        cause: "The type matrix has no conversion between the two types.",
        cure: "Say what is meant with `expr`, convert in two steps, or choose another type. `docs/reference/types.md` has the matrix.";
    BAD_TYPE = 406, "a type that does not exist",
        cause: "The text of `type` is not a type of Greylag's.",
        cure: "Use one of the types of `docs/reference/types.md`, e.g. `int64`, `decimal(15,2)`, `timestamp(us, UTC)`, `list<string>`.";
    UNMAPPED_COLUMN = 407, "a source column that the mapping does not mention",
        cause: "The mapping says `unmapped: fail`, so that every source column has to be mentioned, and this one is not.",
        cure: "Mention the column under `columns` or `drop`, or remove `unmapped: fail`.";
    BAD_DEFAULT = 408, "a default that does not fit its column",
        cause: "A default replaces nulls; it must be an expression without columns whose value converts to the column's type.",
        cure: "Give a literal of the column's type, e.g. `default: \"0\"` or `default: \"'unknown'\"` (text needs single quotes inside).";
    NOT_TEXT = 409, "a split or merge of a column that is not text",
        cause: "Split and merge work on text.",
        cure: "Convert first with an expression, e.g. `expr: CAST(a AS string) || '-' || b`.";
    BAD_REVERSE = 410, "a reverse that does not give the column back",
        cause: "A reverse is an expression over target columns whose type is the source column's, or `lost` with a reason; exactly one of the two.",
        cure: "Correct the expression; `CAST(… AS TYPE)` gives it the wanted type.";
    NO_COLUMNS = 411, "a dataset without columns",
        cause: "The old dataset has no columns, or none would be left in the files of the new one.",
        cure: "Keep at least one column that is not a partition column, or leave the dataset out of the migration.";
    BAD_LAYOUT = 412, "a layout that contradicts itself",
        cause: "An option belongs to another format than the one chosen, or a single file is asked to have partitions.",
        cure: "Remove the option, or change `format` or `shape`.";
    CSV_TYPE = 413, "a type that CSV cannot carry",
        cause: "Lists, structs, maps and binary values have no agreed text form in CSV, so they could not be read back.",
        cure: "Keep the dataset in Parquet (`layout: {format: parquet}`), drop the column with a reason, or compute text from it with `expr`.";
    BAD_PARTITION = 414, "a partition column that cannot be one",
        cause: "Partition values are part of directory names: they must be target columns of a scalar type, each named once, and at least one column must be left for the files.",
        cure: "Correct `partitionBy`.";
    BAD_CHECK = 415, "a check that cannot be run",
        cause: "A check has exactly one of `notNull`, `expr`, `minRows`, `maxRows`, `maxRejected` and `diff`; an `expr` is a boolean over target columns; and a `diff` names columns that both datasets have, whose values can be compared.",
        cure: "Correct the check; several expectations are several checks. Columns that only one dataset has are left out of a `diff` with `ignore`.";
    BAD_COLUMN = 416, "a column rule that says too little or too much",
        cause: "A rule of the mapping is incomplete: an empty name, a drop without a reason, a judgement without a guide or text, a split into fewer than two columns, or a split without a separator.",
        cure: "Complete the rule.";
    BAD_SPEC_VALUE = 417, "a value of the migration that cannot be read",
        cause: "A duration or the last phase of the migration is not one that Greylag knows.",
        cure: "Durations are a number and a unit (`500ms`, `10s`, `30m`, `6h`, `14d`); the last phase is `publish`, `cutover`, `retire` or `drop`.";
    STEP_CHANGE = 418, "a change of the steps that cannot be made",
        cause: "A change under `steps` names a step or command that there is not, gives a name twice, or leaves out or replaces a step that the migration's promises rest on: nothing is visible under a target's name before its checks have passed.",
        cure: "Correct the change. Steps that cannot be left out or replaced can be surrounded: put a step `before` or `after` them, with `approval: true` if a person should look.";
    BAD_COMMAND = 419, "a command that cannot be used",
        cause: "A command under `commands` lacks something, contradicts itself, or names a file or folder that is not beside the migration file.",
        cure: "Correct the command. Each has either `undo` or `readOnly: true`, so that it is known how a run is taken back.";
    TARGET_EXISTS = 420, "a target that already exists",
        cause: "Something lies where the new dataset would be published. Greylag never writes over what it did not write itself.",
        cure: "Choose another `to` or `location`, or move away what is there.";
    SAME_TARGET = 421, "two pairs with the same target",
        cause: "Two pairs of the migration have the same `to`, or the same place.",
        cure: "Give each pair a target and a place of its own.";
    LOCATIONS_OVERLAP = 422, "a target inside another dataset",
        cause: "The target's place is inside, around or the same as the place of a source or of another target; files of one would be read as files of the other.",
        cure: "Choose a `location` beside the others, not inside them.";
    SAME_SOURCE = 423, "two pairs that replace the same source",
        cause: "Two pairs have the same `from`, and the migration goes on to the cutover, where only one new dataset can take the old one's place.",
        cure: "Stop at `through: publish`, or leave one pair to another migration.";
    LINEAGE_CYCLE = 424, "cyclic lineage",
        cause: "The datasets are made from one another in a circle, so none of them can go first.",
        cure: "Correct the lineage in the descriptors if it is wrong; else migrate them in migrations of their own.";
    NOTHING_TO_DO = 425, "a migration of which nothing can be planned",
        cause: "Every pair of the migration is blocked.",
        cure: "Mend the reasons that are listed with it and plan again.";
    STEP_EXPRESSION = 426, "an `if` or `with` of a step that cannot be used",
        cause: "The expression cannot be read, names what is not there (a variable, a step that does not come before, an output that its command does not declare), or gives a value of another kind than is wanted.",
        cure: "Correct the expression. It sees `dataset`, `columns`, `task`, in templates `params`, and of each step before it `steps.NAME.outputs.FIELD` and `steps.NAME.skipped`.";
    NOTE_FOR_VIEW = 427, "a dataset without a compatibility view",
        cause: "The new files are Avro, which DuckDB reads only by an extension that has to be fetched. In place of the view that would give readers the old names and types stands a note: comments that say which old column is what of the new.",
        cure: "Nothing, if no reader needs the view. Else write the new dataset as Parquet (`layout: {format: parquet}`), or follow the note.";
    REVERSE_LOST = 430, "a column without a way back",
        cause: "The source column's values cannot be computed from the target's. The compatibility view shows nulls in its place, and this column is verified by a second evaluation on a sample instead of by the reverse.",
        cure: "If there is a way back, give it under `reverse`; if not, nothing is to be done before the old dataset is dropped.";
    ROWS_UNKNOWN = 431, "rows that are not known beforehand",
        cause: "The format does not tell how many rows there are without reading them (CSV).",
        cure: "Nothing is to be done; totals and times leave these rows out, and the run counts them.";
    EMPTY_DATASET = 432, "an empty dataset",
        cause: "The old dataset has no rows. It is migrated all the same: the new one has the schema and no rows.",
        cure: "Nothing, if that is right; else look why the old dataset is empty.";
    NO_KNOWN_CONSUMERS = 433, "a breaking change with no known consumer",
        cause: "The change breaks readers, and the catalog knows of none. That no reader is known does not mean that there is none.",
        cure: "Import the descriptors of the consumers, or ask the owner before the old dataset is retired.";
    DANGLING_OWNER = 434, "an owner that the catalog does not have",
        cause: "The dataset names an owner for which there is no Group or User in the catalog, so nobody can be told.",
        cure: "Import the owner's descriptor, or correct `spec.owner` of the dataset.";
    SPACE_SHORT = 435, "less free space than the migration may need",
        cause: "The estimate of what the targets and the work in flight need is larger than what is free on the file system.",
        cure: "Free space, put the targets elsewhere with `location`, or migrate in several parts. A full disk stops steps, which go on when there is space again; nothing is lost.";
    UPSTREAM_BLOCKED = 436, "an upstream dataset that is blocked",
        cause: "Lineage says that this dataset is made from one that the plan cannot migrate. It does not wait for it.",
        cure: "Mend the upstream dataset first if both have to move together.";
    SAMPLE_LOSS = 437, "rows or values that are given up, found in a sample",
        cause: "A sample of the dataset has values that do not fit their new columns. The mapping says what becomes of them: the row is set aside (`misfit: reject`) or the value becomes null (`misfit: null`). The rest of the dataset most likely has more of them.",
        cure: "Nothing, if that is what you want. Else mend the rows that the message names, or choose another type or policy for the column.";
    SAMPLE_DOUBT = 438, "a check that may fail, by what a sample shows",
        cause: "The check is about all rows of the dataset, and a sample of it does not prove it. If the rest is like the sample, the check fails, and the dataset is not published.",
        cure: "Look at the figures in the message: mend the data or the mapping, or correct the check. If the sample is not like the rest, take a larger one with `--sample=N`.";
    SAMPLE_MISSING = 439, "a dataset that could not be sampled",
        cause: "Reading a sample of the dataset, or writing it to the state folder, failed in a way that may pass: it was written to at that moment, a disk was slow or full. It is planned all the same.",
        cure: "See the reason in the message, and plan again with `--sample` if you want the sample.";
    PLAN_DAMAGED = 440, "a plan that does not match its hash",
        cause: "The stored plan was changed or damaged after it was frozen, or it was written in a format that this version does not read.",
        cure: "Plan again; a plan is never edited by hand.";
    SOURCE_CHANGED = 441, "a source that changed since the plan",
        cause: "The old dataset's identity, layout or schema is not what the plan was made for, and the operations would not be the same.",
        cure: "Plan again, and approve the new plan.";
    NO_VIEW = 442, "files that a compatibility view cannot read",
        cause: "DuckDB takes a backslash in a glob for a separator, tells columns apart without regard to case, and reads no CSV whose null text holds its delimiter or quote. The data is not concerned, only the view.",
        cure: "Give the new dataset a `location` without backslashes, its partition column a name that differs by more than case, or its CSV another `null`.";
    NAME_TOO_LONG = 443, "a name that no file can have",
        cause: "File systems take names of at most 255 bytes. The new dataset's `location` has a longer one, or the compatibility view, which is called as the old dataset with `.sql` behind it, would have.",
        cure: "Give the new dataset a shorter `location`; where the old name is too long for a view, stop at `through: publish` or rename the old dataset.";
    BAD_ROLLOUT = 444, "a rollout that contradicts itself",
        cause: "Two cohorts have the same name or one is called `rest`, a cohort does not say what it takes, or a soak time, an owner or a time zone cannot be read.",
        cure: "Correct the place that is named. `docs/reference/migration-file.md` has the keys of `rollout`.";
    COHORT_EMPTY = 445, "a cohort that takes no dataset",
        cause: "No dataset that earlier cohorts have left has one of the cohort's owners and tags.",
        cure: "Correct `owners` or `tags` of the cohort, or put it before the cohort that took its datasets. The plan goes on without it.";
    COHORT_MOVED = 446, "datasets that go with a later cohort than the one that takes them",
        cause: "They are made from datasets of that later cohort, and a dataset never goes before what it is made from.",
        cure: "Nothing, if that is right; else let the earlier cohort take the upstream datasets too.";
    OWNER_ZONE = 447, "an owner's time zone that is not known",
        cause: "The migration's window has no time zone, so that of each dataset's owner counts, and the annotation `greylag.dev/time-zone` of that owner is neither an IANA name nor `+hh:mm`. The window is read in UTC for that owner's datasets.",
        cure: "Correct the annotation and import the owner's descriptor again, or give the window a `zone`.";
    JSON_TYPE = 448, "a type that JSON cannot carry",
        cause: "A key of a JSON object is text, so a map whose keys are lists, structs or maps has no form in JSON.",
        cure: "Keep the dataset in Parquet (`layout: {format: parquet}`), drop the column with a reason, or compute another column from it with `expr`.";
    AVRO_TYPE = 449, "a column that Avro cannot carry",
        cause: "Avro has no unsigned 64-bit numbers, no whole seconds, no times of day in nanoseconds, no maps whose keys are not strings, and no names with other than letters, digits and underscores.",
        cure: "Give the column another type or name in the mapping (`decimal(20,0)` holds every `uint64`), or keep the dataset in Parquet.";
    UNKNOWN_DATASET = 450, "a dataset that the catalog does not know",
        cause: "A pair names a dataset in `from` that no descriptor and no scanned directory has registered. The pair is blocked, the others go on.",
        cure: "Correct the name, or register the dataset with `greylag catalog import PATH` and plan again.";
    NO_LOCATION = 451, "a dataset without a location",
        cause: "The catalog knows the dataset but not where it lies: its descriptor has neither `greylag.dev/location` nor `greylag.dev/connection` with `greylag.dev/path`.",
        cure: "Add the annotation to the descriptor, import it again, and plan again.";
    BAD_INCREMENTS = 455, "increments that cannot work",
        cause: "`increments` needs a target that is a directory, since later runs add files to it, and a watermark that is a column of the new dataset with a date, a timestamp or an integer. A lateness needs one with time, and a pair's own `watermark` needs `increments`.",
        cure: "Correct the place that is named.";
    NO_BASE = 456, "a published dataset that cannot be gone on from",
        cause: "The target was published by an earlier run of this migration, but that run kept no ledger of files, has cut the dataset over, is still at work on it, or was made with another mapping, schema or layout. What it published would not fit what this plan would add.",
        cure: "The message says which. Undo that run and apply again, or give the new dataset another name.";
    NO_WATERMARK = 457, "a dataset without the watermark of the others",
        cause: "`increments.watermark` names a column that this new dataset does not have, or has with a type that cannot be one. It is migrated without a watermark, so late rows are not counted.",
        cure: "Nothing, if that is right; else give its pair a `watermark` of its own.";
    BAD_DERIVED = 458, "a derived dataset that cannot be made",
        cause: "The pair's `derived` contradicts itself or the new dataset's columns, its writer is no command that is `readOnly`, or what it reads is not there or is blocked.",
        cure: "Correct the place that is named. `docs/reference/migration-file.md` has the keys of `derived`.";
    SCOPE_CYCLE = 459, "a circle of datasets through several scopes",
        cause: "Code of one scope makes a dataset of another, and code of another scope makes that one of the first, perhaps by way of more. In whichever order their change requests are merged, one of them reads what nobody writes any more.",
        cure: "Move the code of the circle into one repository, where it travels in one change request, or leave one of the datasets to a migration of its own.";
    SCOPE_CUT = 460, "a repository that is not cut quite as asked",
        cause: "The migration cuts repositories by owner or path. Files that work only together travel in one change request, wherever they would be by themselves; and lines of a file of owners that cannot be read say nothing.",
        cure: "Nothing, if that is right: the change request of joined files needs the owners of all of them. Else correct the file of owners, or cut by other folders.";
}
