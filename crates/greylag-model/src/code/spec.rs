//! Migration files: YAML, schema and references inside a file (`GL01xx`).

codes! {
    YAML_SYNTAX = 101, "the file is not well-formed YAML",
        cause: "The text cannot be read as YAML from the place that is named: most often the indentation is off, a quote is not closed, or a value that holds `: ` or ` #` or begins with one of `[{&*!|>%@` is not in quotes. Documents of the same file before the place and after the next line that begins with `---` were still checked.",
        cure: "Look at the line and the one above it. Put expressions that hold a colon, a hash or a leading bracket in quotes: `expr: \"a || ': ' || b\"`.";
    NOT_UTF8 = 102, "the file is not UTF-8 text",
        cause: "Greylag reads UTF-8 only (a byte-order mark is fine). Editors on some systems save UTF-16 or a one-byte encoding.",
        cure: "Save the file as UTF-8, or convert it: `iconv -f UTF-16 -t UTF-8 old.yaml > new.yaml`.";
    YAML_TAB = 103, "a tab where YAML wants spaces",
        cause: "YAML forbids tabs for indentation, because they look different in each editor; beside a `:` or `-` they are refused too.",
        cure: "Replace the tab with spaces; two for each level is usual.";
    DUPLICATE_KEY = 104, "a key is given twice",
        cause: "One mapping has the same key in two places. Many readers of YAML silently take the last one; Greylag takes neither, because one of the two is not what its author meant.",
        cure: "Keep one of them. For a list of things (columns, checks), write one key with several items that begin with `- `.";
    YAML_LIMIT = 105, "the file is larger or deeper than allowed",
        cause: "Files are read within a budget of bytes, levels and nodes, so that a damaged or hostile one cannot exhaust the machine. A migration file may have 16 MiB, 64 levels, and a million keys and values. What aliases repeat counts too.",
        cure: "Cut the file into several; `-f` may be given more than once. If the message speaks of aliases, look for anchors that repeat each other.";
    YAML_FEATURE = 106, "an anchor, alias, tag or merge key that is not read here",
        cause: "In migration files the parts of YAML that make a text mean something else than it shows are refused: anchors (`&x`), aliases (`*x`), tags (`!x`) and merge keys (`<<`). In catalog descriptors aliases, merge keys and the core tags are read; other tags, and an alias inside what it repeats, are errors.",
        cure: "Write the value out. What several pairs share goes under `spec.mapping`, `spec.layout` and `spec.checks`, which apply to every pair. A text that begins with `&`, `*` or `!` needs quotes.";
    YAML_KEY = 107, "a key that is not text",
        cause: "YAML allows lists and mappings as keys; no file of Greylag has a use for them. It is usually a template placeholder without quotes: `{{ name }}` is read as a mapping.",
        cure: "Put the text in quotes.";
    YAML_NUMBER = 108, "a number that cannot be kept exactly",
        cause: "The value looks like a number but does not fit 64 bits, or is infinite or not a number.",
        cure: "Put it in quotes if it is meant as text, e.g. an identifier of many digits.";

    EMPTY = 110, "the file holds no document",
        cause: "The file is empty or holds only comments.",
        cure: "Write a migration. The smallest one is `apiVersion: greylag.dev/v1alpha1`, `kind: Migration`, `metadata: {name: users-v2}` and `spec: {datasets: [{from: users_v1, to: users_v2}]}`, each on a line of its own.";
    API_VERSION = 111, "the version of the document is not known",
        cause: "`apiVersion` names a version of the format that this build does not read. The rest of the document was checked as if it were the known one.",
        cure: "Write `apiVersion: greylag.dev/v1alpha1`. If the file was written for a newer Greylag, use that one.";
    KIND = 112, "the document is of no known kind",
        cause: "A migration file holds documents of `kind: Migration` and `kind: Connection`. Catalog descriptors (`Resource`, `Component`, `Group` …) are read by another command.",
        cure: "Correct `kind`, or give descriptors to `greylag catalog import`.";
    UNKNOWN_KEY = 113, "an unknown key",
        cause: "The key has no meaning at this place. Unknown keys are errors, because a mistyped one would silently leave its default in force.",
        cure: "Follow the hint: it names the key that is close, the place where the key belongs, or all keys of this place. `docs/reference/migration-file.md` explains each.";
    MISSING_KEY = 114, "a key is missing",
        cause: "The key is needed at this place and has no default.",
        cure: "Add it; the hint shows what it may look like.";
    WRONG_TYPE = 115, "a value of the wrong kind",
        cause: "The key wants text, a number, a list or a mapping, and has something else. YAML reads `2024` as a number and `true` as a boolean unless they are in quotes, and a key with nothing after it has no value at all.",
        cure: "Put text in quotes, begin the items of a list with `- `, and remove keys that have no value.";
    NOT_ALLOWED = 116, "a value that is not one of those allowed",
        cause: "The key takes one of a few words, which are case-sensitive.",
        cure: "Use one of the words that the hint lists.";
    OUT_OF_RANGE = 117, "a value that is too small, too large, too short or too long",
        cause: "The value is of the right kind but outside the bounds that the message names.",
        cure: "Choose a value within the bounds.";
    MALFORMED = 118, "a text that is not of the form wanted",
        cause: "Names and durations have a fixed form: names are 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_` with a letter or digit at both ends; durations are a whole number and one of `ms`, `s`, `m`, `h`, `d`; days are year, month and day, `2027-03-31`.",
        cure: "Write it as the hint shows.";
    UNREADABLE = 119, "the document does not fit",
        cause: "The document passed the published schema but could not be taken over. That is a gap between the two.",
        cure: "The message names the value. Please report it with the document, so that the gap can be closed.";
    REFERENCE = 120, "a reference that names no entity",
        cause: "References have the form `[kind:][namespace/]name` by the catalog's rules: names are 1 to 63 of letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; namespaces are lower case with `-`. The two datasets of a pair are resources, owners are groups or users.",
        cure: "Correct it. `greylag catalog list` shows the names. A dataset whose files have a name outside these rules is registered under a name that fits.";
    NAME_TWICE = 121, "a name is given twice",
        cause: "Two migrations, two connections or two checks of one list have the same name, so that messages and commands could not tell them apart.",
        cure: "Give one of them another name.";
    TARGET_TWICE = 122, "two pairs have the same new dataset",
        cause: "Each pair makes a dataset of its own; two pairs that write to one name would overwrite each other. Names are compared without regard to case.",
        cure: "Give each pair its own `to`.";
    SOURCE_TWICE = 123, "two pairs have the same old dataset",
        cause: "A migration that goes through `cutover` gives the old name to the new dataset, and a name can stand for one dataset only.",
        cure: "Remove one of the pairs, or let the migration end with `through: publish`, where old and new stand side by side.";
    SAME_DATASET = 124, "the old and the new dataset are the same",
        cause: "Greylag never changes a dataset in place: it makes a new one beside the old one, verifies it, and switches over.",
        cure: "Give the new dataset another name.";
    CHAIN = 125, "a dataset is both made and migrated",
        cause: "The old dataset of one pair is the new one of another. The pairs of a migration are planned against the world as it is, where that dataset does not exist yet.",
        cure: "Put the second step into a migration of its own and plan it when the first is finished, or let one mapping do both.";
    DURATION = 126, "a duration that makes no sense",
        cause: "A timeout of nothing would fail every step, and more than 100 years cannot be added to a date safely.",
        cure: "Write a duration that makes sense, e.g. `30m`.";
    COLUMN_TWICE = 127, "a column is given twice",
        cause: "Two rules make the same target column, or one list names the same column twice. Column names are compared exactly, case included.",
        cure: "Keep one of the rules.";
    SOURCE_COLUMN = 128, "a source column has two fates",
        cause: "A source column is carried on by one target column at most (`from`), because that one takes its place; and a column that is dropped is not carried on, split or merged.",
        cure: "Keep one of the rules. A second copy is a computed column: `{name: copy, expr: original}`.";
    ONE_KEY = 129, "exactly one key is needed",
        cause: "A check expects one thing, a way back is either an expression or lost, and a tolerance needs at least one bound.",
        cure: "Keep one of the keys, or make several items of them.";
    LINK = 130, "a link that cannot be followed",
        cause: "Guides are read by the owners of other teams' code, from notices and change requests, so they need a whole address.",
        cure: "Write the address with `https://` or `http://`, without spaces, user name or password.";
    COMBINATION = 131, "keys that do not go together",
        cause: "A key is given that has no effect beside another one, or two keys contradict each other. Greylag does not guess which one was meant.",
        cure: "Follow the hint: remove one, or change the other.";
    LOCATION = 132, "a location that cannot be used",
        cause: "Locations are paths below the root of their connection. They cannot leave it, hold control characters, or lie at or inside the location of another pair, where the files of one dataset would count as those of the other.",
        cure: "Choose a path of its own for each new dataset; without `location` it lies beside the old one, under its own name.";
    CSV_DIALECT = 133, "a CSV dialect that cannot be read back",
        cause: "Delimiter, quote and escape are single ASCII characters other than line breaks, delimiter and quote differ, and the text that stands for null can be told from quoted text.",
        cure: "Choose other characters.";
    TYPE = 134, "a type that cannot be read",
        cause: "The text is not one of the types of Greylag, or one of its parts is out of range.",
        cure: "`docs/reference/types.md` lists the types: `int64`, `decimal(15,2)`, `timestamp(us, UTC)`, `list<string>` and so on.";
    DEFAULT = 135, "a default that reads a column",
        cause: "`default` replaces nulls by one value, the same for every row, so it cannot read columns. A bare word is a column: text needs quotes of its own inside those of YAML.",
        cure: "Write text as `default: \"'unknown'\"`. What depends on other columns is an expression: `expr: coalesce(email, mail)`.";
    TEMPLATE = 136, "a template's condition, text or pattern cannot be read",
        cause: "Conditions and what is in `${{ }}` are CEL, patterns for names are regular expressions. This one cannot be read, or uses a variable that is not there.",
        cure: "Correct it at the place that is named. `docs/reference/migration-file.md` lists the variables under `MigrationTemplate`.";
    PARAMETER = 137, "a parameter of a template without a fitting value",
        cause: "A template's parameter has no default and was given no value, or was given one of another kind than it takes.",
        cure: "Give it with `--set NAME=VALUE`; `greylag template show` lists the parameters.";
    TEMPLATE_DATASET = 138, "a template that does not fit a dataset",
        cause: "For this dataset, two rules want different things of one column, two columns or datasets would get the same name, a rule that has to match does not, or a text gives no usable name. The dataset is blocked, the others go on.",
        cure: "Make the rules' `match` narrower so that one of them applies, or leave the dataset out with `select`.";
    TEMPLATE_UNMATCHED = 139, "a rule that matches nothing",
        cause: "The template takes these datasets, but none of their columns matches the rule. Perhaps the pattern has a slip.",
        cure: "Correct `match`, or say with `unmatched: allow` that such datasets are meant, or with `unmatched: fail` that they must be blocked.";
    BAD_LIMIT = 140, "a limit that limits nothing",
        cause: "An entry of a `kind: Limits` document names what it is for and gives no bound.",
        cure: "Give it `concurrency` (so many attempts at once) or `starts` (so many that begin in a time), or remove it.";
    BAD_SCHEDULE = 141, "a schedule that cannot be read",
        cause: "The five fields of `cron` are not as crontab(5) has them, name a day that never comes, or `zone` is no time zone.",
        cure: "Correct it at the place that is named: minute, hour, day of the month, month, day of the week.";
}
