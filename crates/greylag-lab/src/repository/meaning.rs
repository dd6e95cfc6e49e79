//! Whether two pieces of SQL say the same in other words: case of keywords and names, spaces, quotes that are not
//! needed, and names of types.

use super::align::words;
use super::table::is_plain;

/// Names of types, and the one that stands for all of them.
const TYPES: &[(&str, &str)] = &[
    ("int", "integer"),
    ("int4", "integer"),
    ("int32", "integer"),
    ("int64", "bigint"),
    ("int2", "smallint"),
    ("int16", "smallint"),
    ("text", "varchar"),
    ("string", "varchar"),
    ("bool", "boolean"),
    ("double", "double precision"),
    ("float64", "double precision"),
    ("float8", "double precision"),
    ("float4", "real"),
    ("float", "real"),
    ("numeric", "decimal"),
];

/// Whether both say the same.
pub(super) fn same_meaning(left: &str, right: &str) -> bool {
    left == right || plain_words(left) == plain_words(right)
}

/// The words without what does not matter.
fn plain_words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let quoted = if matches!(first, '"' | '`') { rest[1..].find(first) } else { None };
        if let Some(end) = quoted {
            let name = &rest[1..=end];
            out.push(if is_plain(name) { name.to_owned() } else { format!("\"{name}\"") });
            rest = &rest[end + 2..];
            continue;
        }
        let length = words(rest).first().map_or(first.len_utf8(), |word| word.end);
        let (word, tail) = rest.split_at(length);
        rest = tail;
        if word.trim().is_empty() {
            continue;
        }
        let word = word.to_lowercase();
        let common = TYPES.iter().find(|(name, _)| *name == word).map_or(word.as_str(), |(_, common)| common);
        out.extend(common.split(' ').map(str::to_owned));
    }
    // `double precision`, whether written so or as one word.
    out.dedup_by(|next, last| next == "precision" && last == "precision");
    out
}

#[cfg(test)]
mod tests {
    use super::same_meaning;

    #[test]
    fn other_words() {
        for (left, right) in [
            ("user_id as uid", "user_id AS uid"),
            ("cast(a as integer)", "CAST( a AS int )"),
            ("\"user_id\" as uid", "user_id as uid"),
            ("`a b`", "\"a b\""),
            ("cast(a as double precision)", "cast(a as double)"),
        ] {
            assert!(same_meaning(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("user_id as uid", "user_id as uid2"),
            ("user_id as uid", "uid as user_id"),
            ("\"A b\"", "\"a b\""),
            ("cast(a as integer)", "cast(a as bigint)"),
            ("a b", "ab"),
        ] {
            assert!(!same_meaning(left, right), "{left} {right}");
        }
    }
}
