use greylag_model::yaml::{Limits, Places, read};

fn places(text: &str) -> Places {
    read("f.yaml", text, &Limits::default()).documents.remove(0).places
}

/// The text in the file at `part` of the scalar at `/e`.
fn check(text: &str, part: &str, expected: &str) {
    let places = places(text);
    let scalar = places.node("/e").unwrap().as_str().unwrap();
    let start = scalar.find(part).unwrap_or_else(|| panic!("no `{part}` in `{scalar}`"));
    let place = places.within("/e", start..start + part.len());
    let (at, length) = place.span;
    assert_eq!(&text[at..at + length], expected, "in {text:?}");
    let line = text[..at].matches('\n').count() + 1;
    assert_eq!(place.line, line);
}

#[test]
fn within_plain_text() {
    check("e: lower(nme)\n", "nme", "nme");
    check("x: é\ne: é || nme\n", "nme", "nme");
    check("e: lower(\n    nme)\n", "nme", "nme");
    check("e: a +\n\n\n   b + nme\n", "nme", "nme");
}

#[test]
fn within_quotes() {
    check("e: 'it''s || nme'\n", "nme", "nme");
    check("e: 'it''s || nme'\n", "'s", "''s");
    check(r#"e: "a\tb \u00e9 \"c\" nme x""#, "nme", "nme");
    check("e: \"a\\\n   nme\"\n", "nme", "nme");
    check("e: \"a \\n nme\"\n", "nme", "nme");
    check("e: \"a\n\n   nme\"\n", "nme", "nme");
}

#[test]
fn within_blocks() {
    check("e: |\n  case\n    when nme then 1\n", "nme", "nme");
    check("e: >-  # why\n  case\n  when nme\n\n\n  then x\n", "then", "then");
    check("e: |2\n    a  b\n  nme\n", "nme", "nme");
    check("e: |\r\n  a\r\n  nme\r\n", "nme", "nme");
}

#[test]
fn keys_values_and_the_nearest_around() {
    let places = places("a:\n  - b/c: 1\n    d: [x]\n  - {}\ne~f: 2\n");
    let show = |place: greylag_model::diagnostic::Place| format!("{}:{}+{}", place.line, place.column, place.span.1);
    assert_eq!(show(places.key("/a")), "1:1+1");
    assert_eq!(show(places.value("/a")), "2:3+8");
    assert_eq!(show(places.key("/a/0/b~1c")), "2:5+3");
    assert_eq!(show(places.value("/a/0/b~1c")), "2:10+1");
    assert_eq!(show(places.value("/a/0/d/0")), "3:9+1");
    assert_eq!(show(places.key("/a/0/d/0")), "3:9+1");
    assert_eq!(show(places.value("/e~0f")), "5:6+1");
    // Nothing there: the nearest around.
    assert_eq!(show(places.value("/a/0/d/7/x")), "3:8+3");
    assert_eq!(show(places.key("/a/1/none")), "4:5+2");
    assert!(places.node("/a/1/none").is_none());
    assert_eq!(show(places.value("")), "1:1+2");
    assert_eq!(show(places.value("nonsense")), "1:1+0");
}
