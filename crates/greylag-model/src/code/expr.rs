//! Expressions, types and mappings (`GL02xx`).

codes! {
    SYNTAX = 201, "an expression cannot be read",
        cause: "The text is not an expression: something is missing, left over or misspelt at the place that the message names.",
        cure: "Mend the text there. Text stands in single quotes ('it''s'), a column with an unusual name in double quotes (\"order id\"). The reference page on expressions lists what there is.";
    UNKNOWN_COLUMN = 202, "an expression names a column that does not exist",
        cause: "Expressions see the columns of the old dataset, in a reverse those of the new one. Names are compared letter by letter, case included.",
        cure: "Take the name from the hint or from `greylag catalog show`. Quote names that are not plain identifiers with double quotes. Text stands in single quotes.";
    UNKNOWN_FUNCTION = 203, "an expression calls a function that does not exist",
        cause: "The language is a closed set of functions whose meaning is the same in every engine that Greylag uses.",
        cure: "Take a function from the reference page on expressions; the hint names the nearest.";
    NOT_OFFERED = 204, "an expression uses a part of SQL that is not offered",
        cause: "Sub-queries, aggregates, windows, intervals, regular expressions and everything else whose meaning differs between engines are left out of the language.",
        cure: "Say it with the functions of the reference page on expressions, or compute the column in the code that writes the dataset.";
    TYPE_MISMATCH = 205, "types in an expression do not go together",
        cause: "A function or operator was given a type that it is not defined for, or two values that have no common type.",
        cure: "Convert one of them in writing: `CAST(x AS type)`. Only conversions that keep every value happen unasked.";
    ARGUMENTS = 206, "a function is given the wrong number of arguments",
        cause: "The function takes another number of arguments, or one of them must be written as a literal.",
        cure: "See its signature in the hint and on the reference page on expressions.";
    UNSUPPORTED_CAST = 207, "a conversion has no meaning",
        cause: "The type matrix has no conversion between these types.",
        cure: "The hint says what to use instead; the reference page on types shows the whole matrix.";
    LOSS_NEEDED = 208, "a conversion can lose something and has no policy",
        cause: "Some values of the source type have fractions, sub-units or digits that the target type cannot carry, so somebody must say what happens to them.",
        cure: "Give the column `loss: truncate`, `round` or `fail`; inside an expression write it behind the type: `CAST(x AS int64 ROUND)`.";
    LITERAL = 209, "a literal does not fit its type",
        cause: "A value written in the expression is out of range or malformed for the type that it is converted to.",
        cure: "Mend the literal or the type.";
    TOO_LARGE = 210, "an expression is too long or nested too deep",
        cause: "Expressions are limited to 64 KiB of text, 4,000 words and signs, and about 50 levels of nesting, so that no input can exhaust memory.",
        cure: "Split it over several columns, or compute it in the code that writes the dataset.";
    BAD_TYPE = 211, "a type in an expression cannot be read",
        cause: "What stands behind `AS` in a `CAST` is not a type.",
        cure: "Write e.g. `int64`, `decimal(15,2)`, `timestamp(us, UTC)`, `list<string>`; the reference page on types lists all.";
    ROW = 212, "a value does not fit or an expression fails on a row",
        cause: "The column's policy is `misfit: fail`, and a row's value was out of range, malformed, or made the expression fail (division by zero, overflow). The message names the row's place, never its value.",
        cure: "Mend the row, widen the type, or choose `misfit: null` or `misfit: reject` for the column.";
    SOURCE_CHANGED = 213, "the data does not have the columns that the mapping was made for",
        cause: "The file's columns or types differ from those that the plan was made from.",
        cure: "Plan again; the new plan shows the difference.";
}
