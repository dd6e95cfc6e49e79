use greylag_model::yaml::{Features, Limits, read};
use insta::assert_snapshot;
use std::fmt::Write;

const FULL: Limits = Limits { bytes: 1 << 20, depth: 64, nodes: 100_000, features: Features::Full };
const LARGE: Limits = Limits { bytes: 16 << 20, depth: 64, nodes: 1_000_000, features: Features::Plain };

/// What is wrong, and how many documents survived.
fn wrong(text: &str, limits: &Limits) -> String {
    let stream = read("f.yaml", text, limits);
    let mut out = format!("{} documents\n", stream.documents.len());
    for diagnostic in stream.diagnostics.iter().take(3) {
        writeln!(out, "{diagnostic}").unwrap();
    }
    if stream.diagnostics.len() > 3 {
        writeln!(out, "and {} more", stream.diagnostics.len() - 3).unwrap();
    }
    out
}

#[test]
fn billion_laughs() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        writeln!(text, "a{level}: &a{level} [{}]", alias.trim_end_matches(", ")).unwrap();
    }
    assert_snapshot!(wrong(&text, &FULL), @"
    0 documents
    f.yaml:5:5: error[GL0105]: more than 100000 keys and values
      hint: cut the file into several, or look for what repeats itself
    ");
}

#[test]
fn one_large_text_repeated() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(1000));
    assert_snapshot!(wrong(&text, &FULL), @"
    0 documents
    f.yaml:2:9: error[GL0105]: aliases repeat more than 1048576 bytes
      hint: cut the file into several, or look for what repeats itself
    ");
}

#[test]
fn merged_mappings_that_double() {
    let mut text = "m0: &m0 {a: 1}\n".to_owned();
    for level in 1..40 {
        writeln!(text, "m{level}: &m{level} {{<<: *m{}, k{level}: *m{}}}", level - 1, level - 1).unwrap();
    }
    assert_snapshot!(wrong(&text, &FULL), @"
    0 documents
    f.yaml:14:6: error[GL0105]: more than 100000 keys and values
      hint: cut the file into several, or look for what repeats itself
    ");
}

#[test]
fn levels_added_by_aliases() {
    let mut text = "a0: &a0 [1]\n".to_owned();
    for level in 1..100 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert_snapshot!(wrong(&text, &FULL), @"
    0 documents
    f.yaml:64:12: error[GL0105]: more than 64 levels inside each other
    ");
}

#[test]
fn deep_nesting_of_every_kind() {
    assert_snapshot!(wrong(&format!("{}\n---\na: 1\n", "[".repeat(1_000_000)), &LARGE), @"
    1 documents
    f.yaml:1:256: error[GL0105]: more than 64 levels inside each other
      hint: look for brackets that are not closed
    ");
    assert_snapshot!(wrong(&"{a: ".repeat(300_000), &LARGE), @"
    0 documents
    f.yaml:1:1021: error[GL0105]: more than 64 levels inside each other
      hint: look for brackets that are not closed
    ");
    assert_snapshot!(wrong(&"- ".repeat(1_000_000), &LARGE), @"
    0 documents
    f.yaml:1:129: error[GL0105]: more than 64 levels inside each other
    ");
    assert_snapshot!(wrong(&"? ".repeat(1_000_000), &LARGE), @"
    0 documents
    f.yaml:1:129: error[GL0105]: more than 64 levels inside each other
    ");
    let staircase = (0..1500).map(|level| " ".repeat(level) + "a:\n").collect::<String>();
    assert_snapshot!(wrong(&staircase, &LARGE), @"
    0 documents
    f.yaml:65:65: error[GL0105]: more than 64 levels inside each other
    ");
}

#[test]
fn texts_beyond_the_limit() {
    assert_snapshot!(wrong(&"a: 1\n".repeat(300_000), &Limits::default()), @"
    0 documents
    f.yaml:1:1: error[GL0105]: the file has more than 1048576 bytes
      hint: cut it into several files
    ");
    assert_snapshot!(wrong(&"- 1\n".repeat(200_000), &Limits::default()), @"
    0 documents
    f.yaml:100000:3: error[GL0105]: more than 100000 keys and values
      hint: cut the file into several, or look for what repeats itself
    ");
}

#[test]
fn large_but_allowed() {
    let scalar = "y".repeat(3_000_000);
    for text in
        [format!("a: {scalar}\n"), format!("a: \"{scalar}\"\n"), format!("a: |\n  {scalar}\n"), format!("# {scalar}")]
    {
        assert_eq!(read("f.yaml", &text, &LARGE).diagnostics, []);
    }
    let text = format!("[{}1]", "1, ".repeat(300_000));
    assert_eq!(read("f.yaml", &text, &LARGE).diagnostics, []);
}

#[test]
fn unclosed_and_never_ending() {
    for piece in
        ["\"", "'", "{\"", "&a ", "*a ", "!a ", "%a ", "|\n", "a: ", "- a\n b", "\"\\", "é\t", "---\n[\n", "? a\n: "]
    {
        let text = piece.repeat(300_000 / piece.len());
        let stream = read("f.yaml", &text, &LARGE);
        assert!(stream.diagnostics.len() <= 1_001, "{piece:?}");
    }
}

#[test]
fn many_errors_are_cut_off() {
    let text = "a: 1\n".repeat(5_000);
    let stream = read("f.yaml", &text, &LARGE);
    assert_eq!(stream.diagnostics.len(), 1_001);
    assert!(stream.diagnostics.iter().any(|one| one.message.starts_with("more than 1000 errors")));
}
