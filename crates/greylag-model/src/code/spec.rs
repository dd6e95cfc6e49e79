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
}
