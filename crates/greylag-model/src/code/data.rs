//! Files: reading, converting, verifying and publishing (`GL06xx`): 0601 to 0649 reading and writing files, from 0650
//! the steps that move datasets.

codes! {
    NOT_FOUND = 601, "there is nothing at this place",
        cause: "The file or directory that a dataset names does not exist. Nothing was changed.",
        cure: "Check the dataset's location in its descriptor or migration file, and that the disk is mounted.";
    ACCESS_DENIED = 602, "the operating system does not allow it",
        cause: "The user that Greylag runs as may not read or write this file or directory. Nothing was changed.",
        cure: "Give that user access (`ls -l` shows who has it), or run Greylag as a user that has, then retry the task.";
    IO = 603, "the file system answered with an error",
        cause: "Reading or writing failed below Greylag: a disk, a network mount or a limit of the system. It may pass, so the step is tried again.",
        cure: "Read the system's own words in the message. If it does not pass, mend the disk or mount and run `greylag retry --failed`.";
    DISK_FULL = 604, "the disk is full",
        cause: "The file system had no space or quota left in the middle of a write. What was half written is staging and is removed by the next attempt; nothing published was touched.",
        cure: "Make space, then run `greylag retry --failed`. `greylag plan` tells how much a migration needs.";
    OUTSIDE_ROOT = 605, "a path leads out of its connection's root",
        cause: "A path has `..`, or a symbolic link points outside the root directory of the connection, or is absolute. Greylag does not follow it, so that a link planted in a data directory cannot reach other files.",
        cure: "Replace the link by the data or by a relative link that stays below the root, or declare a connection whose root holds both.";
    UNKNOWN_FORMAT = 606, "the format of these files is not known",
        cause: "Neither the names nor the first bytes say Parquet, CSV, JSON lines or Avro, or the files are compressed as a whole.",
        cure: "Declare the format with the annotation `greylag.dev/format`. Decompress `.gz` and the like first.";
    MIXED_FORMATS = 607, "one directory holds files of several formats",
        cause: "A dataset has one format, and this directory has data files of more than one.",
        cure: "Move the files of the other format away, give them a name that begins with `_` or `.`, or register the sub-directories as datasets of their own.";
    PARTITION_LAYOUT = 608, "the directories are not partitioned alike",
        cause: "Some data files lie below other `key=value` directories than the rest, so that rows would lack partition columns.",
        cure: "Move the odd files to where they belong, or register the sub-directories as datasets of their own.";
    PARTITION_VALUE = 609, "a partition value cannot be used",
        cause: "A directory name does not fit the partition column's declared type, or a value cannot be written as a directory name: an empty string, the text that stands for null, or a name too long for the file system.",
        cure: "Declare another type for the column, or choose another partition column.";
    FILE_NAME = 610, "a file name is not Unicode",
        cause: "The name has bytes that are not UTF-8, so that plans and journals could not name the file.",
        cure: "Rename the file (`convmv` does whole directories).";
    TABLE_FORMAT = 611, "the directory is a table of another system",
        cause: "The directory holds the log of a Delta, Iceberg or Hudi table. Its plain files include rows that the table has deleted or replaced, so reading them all would bring those back.",
        cure: "Export the table to plain Parquet with the system that owns it, and migrate the export.";
    NO_DATA_FILES = 612, "the directory has no data files",
        cause: "Nothing but hidden, half-written or foreign files is there, so that neither columns nor format can be known.",
        cure: "Check the location; if the dataset is meant to be empty, leave one file with a schema in it.";
    NO_COLUMNS = 613, "the dataset has no columns",
        cause: "The file is empty, or its schema has no columns: there is nothing to map.",
        cure: "Check that its writer has finished. For a CSV file without a header, declare its columns.";
    SCHEMA_DIFFERS = 614, "the files of one dataset have different columns",
        cause: "One file has columns or types that another file of the same dataset has not. Guessing which is right could lose data.",
        cure: "Rewrite the odd files, or register them as a dataset of their own and migrate both to one target.";
    UNSUPPORTED_TYPE = 615, "a column's type cannot be carried",
        cause: "The file has a column of a type that Greylag has no equal for (an interval, a duration, a union, more than 38 digits), or names a column twice.",
        cure: "Rewrite the column with the system that wrote it, or drop it there.";
    CORRUPT_PARQUET = 616, "the Parquet file is corrupt",
        cause: "The file is cut off, or its contents contradict its footer. Nothing was written from it that a later step could take for good.",
        cure: "Restore the file or write it again, then run `greylag retry --failed`. Other datasets go on.";
    HOSTILE_FILE = 617, "the file claims more than it can hold",
        cause: "Sizes in the file's metadata are impossible for its length, or would unpack to thousands of times its size. Such files are damaged, or made to exhaust memory, so they are not read.",
        cure: "If the file is good, rewrite it with smaller row groups; else find out where it came from.";
    CSV_RAGGED = 618, "a line has more or fewer fields than the first",
        cause: "A record of a CSV file does not have one field per column. Filling up or cutting off would shift values into the wrong columns.",
        cure: "Mend the line that the message names. If all lines look odd, declare the delimiter with `greylag.dev/csv-delimiter` or the quote with `greylag.dev/csv-quote`.";
    CSV_QUOTE = 619, "a quote is not closed, or text follows a closing quote",
        cause: "A quoted field of a CSV file does not end where the delimiter or line end should follow.",
        cure: "Mend the line that the message names. If the file escapes quotes with a backslash, declare `greylag.dev/csv-escape`.";
    CSV_NUL = 620, "a CSV file has a zero byte",
        cause: "Text has no zero bytes: the file is binary, damaged, or in UTF-16 without a byte-order mark.",
        cure: "Declare the encoding with `greylag.dev/csv-encoding: utf-16le`, or restore the file.";
    CSV_ENCODING = 621, "a CSV file is not in its encoding",
        cause: "Bytes of the line that the message names are not valid in the declared (or default, UTF-8) encoding.",
        cure: "Declare the encoding with `greylag.dev/csv-encoding`: `utf-8`, `utf-16le`, `utf-16be` or `latin-1`.";
    CSV_VALUE = 622, "a CSV field does not fit its column's type",
        cause: "The text of a field cannot be read as the type that was declared, or that was inferred before the file changed.",
        cure: "Mend the line that the message names, or declare another type with `greylag.dev/columns`.";
    CSV_DIALECT = 623, "the CSV dialect is not possible",
        cause: "The delimiter, quote and escape must be different ASCII characters that do not end lines, the null text must not contain delimiter or quote nor end with the escape, and the encoding must be one that Greylag knows.",
        cure: "Correct the dialect in the migration file or in the annotations that begin with `greylag.dev/csv-`.";
    CSV_TYPE = 624, "CSV cannot carry this type",
        cause: "Delimited text has no form for bytes, lists, structs and maps.",
        cure: "Write Parquet, or turn the column into text with an expression.";
    CSV_UNWRITABLE = 625, "a value cannot be written in this dialect",
        cause: "A text value has a zero byte, or a character that the file's encoding lacks.",
        cure: "Choose the encoding `utf-8` in the target's layout, or clean the value with an expression.";
    DECLARED_FACT = 626, "a declared fact cannot be understood",
        cause: "An annotation of the dataset that declares its format, columns or dialect has a value that means nothing, or names a column that is not there.",
        cure: "Correct the annotation in the dataset's descriptor.";
    UNKNOWN_CONNECTION = 627, "the connection is not known",
        cause: "A location names a connection that no document of kind `Connection` declares.",
        cure: "Declare the connection, or correct its name.";
    PARQUET_WRITE = 628, "a Parquet file could not be written",
        cause: "The writer refused a batch: its columns are not those of the file, or a value is too large for the format.",
        cure: "Run the command again; if it happens again, file an issue with the message and the run's id.";
    UNSUPPORTED_FEATURE = 629, "the file uses what Greylag cannot read",
        cause: "The file is encrypted, or packed with a codec or encoding that this program was built without.",
        cure: "Rewrite the file with zstd or snappy and without encryption.";
    JSON_SYNTAX = 630, "a line is not an object of JSON",
        cause: "Each line of a JSON lines file holds one whole object, in UTF-8. The line that the message names is cut off, has something else, or the file is one array or is printed over several lines.",
        cure: "Mend the line, or write the file anew: `jq -c .` writes each object in one line, `jq -c '.[]'` the items of an array.";
    JSON_MIXED = 631, "a key has values of two types",
        cause: "In one line of a JSON lines file a key has a number, say, and in another a string or an object. No column has both types, and turning one into the other would be a guess.",
        cure: "Write all values of the key as one type where the files are written. The message names both lines.";
    JSON_VALUE = 632, "a JSON value does not fit its column's type",
        cause: "A value is not of the type that was declared, or that was inferred from the first part of a large dataset; or a column that is never null has none.",
        cure: "Mend the value that the message names, or declare another type with `greylag.dev/columns`.";
    JSON_KEY = 633, "a key is no column, or is there twice",
        cause: "An object names a key twice, so that one of its values would be lost; or a key that is not among the dataset's columns, because it occurs only far behind in a large dataset, or came with a newer file.",
        cure: "For a key that is twice: mend the line. For a new one: declare all columns with `greylag.dev/columns`, and plan again.";
    JSON_UNWRITABLE = 634, "a value cannot be written as JSON",
        cause: "A map has one key twice, and an object of JSON has each key once.",
        cure: "Write Parquet, or clean the value with an expression.";
    JSON_TYPE = 635, "JSON cannot carry this type",
        cause: "A key of a JSON object is text, so a map whose keys are lists, structs or maps has no form in JSON.",
        cure: "Write Parquet, or make the keys text.";
    CORRUPT_AVRO = 636, "the Avro file is corrupt",
        cause: "The file is cut off, or its blocks contradict its schema, their own sizes or the file's sync marker. Nothing was written from it that a later step could take for good.",
        cure: "Restore the file or write it again, then run `greylag retry --failed`. Other datasets go on.";
    AVRO_TYPE = 637, "Avro cannot carry this column",
        cause: "Avro has no unsigned 64-bit numbers, no whole seconds, no times of day in nanoseconds, no maps whose keys are not strings, and no names with other than letters, digits and underscores.",
        cure: "Give the column another type or name in the mapping, or keep the dataset in Parquet.";
    READER_DIED = 640, "a reader process died",
        cause: "Files that Greylag does not trust are read by separate processes. One of them was ended by the system while it read this file. A first death is tried again; a file that ends two readers is taken for corrupt or hostile.",
        cure: "See the message for the signal. Check the file with another tool, and the system's log for the out-of-memory killer.";
    READER_MEMORY = 641, "a reader process ran out of its memory",
        cause: "Reading this file needed more memory than one reader process may use. Nothing else was affected.",
        cure: "If the file is good, give readers more memory (`--reader-memory`) or rewrite it with smaller row groups.";
    READER_TIMEOUT = 642, "a reader process took too long",
        cause: "Reading did not end within its time and the process was ended. A slow disk or mount may pass, so it is tried again.",
        cure: "Check the disk; give the step more time with `timeout` in the migration file.";
    READER_PANIC = 643, "a reader process met what it thought impossible",
        cause: "The file made the code that reads it stop at an inconsistency. That is nearly always a corrupt file, and always a defect worth reporting.",
        cure: "Restore or rewrite the file. If another tool reads it without complaint, file an issue with the message.";
    READER_PROTOCOL = 644, "a reader process could not be understood",
        cause: "What came from a reader process was not an answer: another version of the program stands at its path, or it wrote to its standard output.",
        cure: "Restart Greylag after replacing its binary; if it happens again, file an issue.";
    READER_START = 645, "a reader process could not be started",
        cause: "The system refused another process: limits on processes or memory, or the binary is gone.",
        cure: "Raise the limit (`ulimit -u`), or use fewer readers.";
    CANCELLED = 646, "the work was ended on request",
        cause: "The run was paused or aborted, or the attempt lost its lease, while a reader process was at work.",
        cure: "Nothing: what was in flight is done again when the run goes on.";
    INCONSISTENT = 650, "batches are not what their schema says",
        cause: "A step of the data plane got columns that its plan does not know. That is a mistake of Greylag's, or the plan was changed by hand. Nothing was published.",
        cure: "Plan again and apply the new plan; if it happens again, file an issue with the message and the run's id.";
    SOURCE_CHANGED = 651, "the source changed while it was being migrated",
        cause: "A file of the old dataset was written, replaced, added or removed between the beginning of the conversion and the publishing of the new dataset. Nothing was published: it would have been a mixture of two states.",
        cure: "Stop what writes to the dataset, then `greylag retry --failed`. If only the conversion was under way, the next attempt starts over by itself; if the target had been verified already, undo the task and apply it again.";
    TARGET_EXISTS = 653, "there is something at the target's place",
        cause: "A target is never replaced. Something that this run did not put there stands under the name.",
        cure: "Move it away, or give the new dataset another `location`; then `greylag retry --failed` or plan again.";
    NO_ROOM = 654, "the file system has too little room",
        cause: "A new dataset takes about as much space as the old one, and less than that is free. Nothing was begun.",
        cure: "Make space, then `greylag retry --failed`.";
    WORK_LOST = 655, "what an earlier step left is not there",
        cause: "The staging directory of the task, or what its earlier step wrote down, is gone or was changed. Somebody removed it, or the file system lost it.",
        cure: "Undo the task and apply it again; the old dataset was not touched.";
    TARGET_CHANGED = 656, "the target was written to since it was published",
        cause: "Undo takes a published dataset back by removing it. Files of it are new, changed or gone since it was published. New rows are carried back into the old dataset where the plan says so (`undo carries new rows back`); here it says that they cannot be, or files were changed or removed, which nothing brings back. Removing the dataset would lose somebody's data, so nothing was removed.",
        cure: "The message names the files. Compare with `greylag diff OLD NEW`, and move what was written since, or the whole new dataset, away; then `greylag retry RUN --failed`. Or keep the new dataset. `greylag undo RUN --dry-run` says beforehand what stands in the way.";
    VIEW_EXISTS = 657, "another file stands where the compatibility view belongs",
        cause: "The view is a `.sql` file beside the old dataset, with its name. A file of that name is there with other contents.",
        cure: "Move it away, then `greylag retry --failed`.";
    DROPPED = 658, "a dropped dataset cannot be had back",
        cause: "Drop deletes the retired dataset after its retention. Undo reaches back to retire, not beyond drop.",
        cure: "Restore the old dataset from a backup.";
    POWER_CUT = 659, "what an earlier step made did not outlive a power cut",
        cause: "The machine was started anew since the conversion, and the file system does not have what was converted. Its name is put on disk with the new dataset's, not before: that spares a wait for the disk.",
        cure: "Nothing: the task goes back by itself and converts again; the old dataset was not touched.";
    NOT_THE_BASE = 664, "the target is not as the last run left it",
        cause: "An increment replaces what the run before it has published. A file there is new, changed or gone, so somebody else has written to it, or another run has published meanwhile. Nothing was changed.",
        cure: "Let only the migration write to the new dataset before the cutover. Put the named files back or away, then `greylag retry --failed`; after another run of the migration, plan anew.";
    SOURCE_FILES_GONE = 665, "source files are gone that were migrated",
        cause: "Files of the old dataset that earlier runs have converted are not there any more, and the migration does not say what happens to their rows. Nothing was changed.",
        cure: "Say `removed: follow` in `increments` if their rows are to go from the new dataset, or `removed: keep` if it is to keep them; restore the files if they should be there.";
    LEDGER_GONE = 666, "the ledger of an earlier run is gone",
        cause: "An increment needs to know which files the runs before it have converted. That is kept with those runs, and one of them was removed from the state folder.",
        cure: "Migrate the dataset anew under another name. `greylag gc` keeps runs that others go on from.";
    NOT_CARRIED = 667, "new rows cannot be carried back",
        cause: "Before undo takes a published dataset away, rows that others added to it are converted back into the old dataset. What the mapping makes of the result must be the very rows that were new, and for some of them it is not: a column that is new in the target, say, holds what the old dataset has no place for. Nothing was made visible and nothing was removed.",
        cure: "Save those rows elsewhere: move the files that are new out of the new dataset, then `greylag retry RUN --failed`. Or keep the new dataset.";
    OLD_GONE = 668, "there is no old dataset to go back to",
        cause: "Somebody has removed or renamed the old dataset since the new one was published. Taking the new one away would leave nothing of the dataset, so it stays.",
        cure: "Put the old dataset back in its place, then `greylag retry RUN --failed`; or keep the new one.";
    NO_MARK = 669, "rows of a writer that nobody can place",
        cause: "The past of a derived dataset ends at a watermark, and the writer makes what is not below it. Some of its rows have no value in that column, so that nobody knows whose they are. Nothing was published.",
        cure: "Let the writer give every row a value there, or choose another column as `watermark`.";
    DIFF_REFUSED = 670, "the datasets cannot be compared like this",
        cause: "What was asked of the diff does not go with the columns of the two datasets, or would take more memory than a diff may have. Nothing was changed.",
        cure: "The message names the column or the option. `greylag catalog show NAME` lists a dataset's columns.";
    DIFF_STOPPED = 671, "the diff was stopped",
        cause: "Somebody asked the process to end. What it had digested so far is kept in the state folder.",
        cure: "The same command goes on where it was; `greylag gc` removes what is kept.";
    DIFF_RUNNING = 672, "the same diff is being made by another process",
        cause: "Two processes would write the same files.",
        cure: "Wait for the other one.";
    DIFF_REFERENCE = 673, "a dataset that a check compares with is not as planned",
        cause: "A `diff` check of the migration compares the new dataset with another one, whose columns, layout or place have changed since the plan was made. Nothing was published.",
        cure: "Undo the run and plan again, so that the check is typed against what the other dataset is now.";
    TOOL_UNUSABLE = 680, "a declared tool cannot be used",
        cause: "The environment names a program of this machine that proofs may use (`GREYLAG_DUCKDB`). There is none at that place, or it does not run in the sandbox, which has the system's programs and libraries and nothing else. What needs it goes on without it.",
        cure: "Name the program itself, by its absolute path, and not a script that starts it; or unset the variable. `greylag doctor` tells whether it works.";
}
