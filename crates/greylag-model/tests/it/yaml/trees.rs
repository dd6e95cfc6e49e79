use super::plain;
use insta::assert_snapshot;

#[test]
fn collections_and_scalars() {
    assert_snapshot!(plain("a: 1\nb: [x, 'y z', \"q\\n\", true, ~, 1.50]\nc:\n  - d: |\n      two\n      lines\n  -\n"), @r#"
    ---
    map @0..79
    "a": 1 (1) @3..4
    "b": list @8..40
      - "x" @9..10
      - "y z" @12..17
      - "q\n" @19..24
      - true @26..30
      - null @32..33
      - 1.5 (1.50) @35..39
    "c": list @46..79
      - map @48..77
        "d": "two\nlines\n" @59..77
      - null @78..78
    "#);
}

#[test]
fn several_documents_with_empty_ones_left_out() {
    assert_snapshot!(plain("a: 1\n---\n---\n# nothing\n---\nb: 2\n...\n---\n- c\n"), @r#"
    ---
    map @0..5
    "a": 1 (1) @3..4
    ---
    map @27..32
    "b": 2 (2) @30..31
    ---
    list @40..44
    - "c" @42..43
    "#);
}

#[test]
fn an_empty_text_has_no_documents() {
    assert_snapshot!(plain(""), @"");
    assert_snapshot!(plain("# only a comment\n"), @"");
    assert_snapshot!(plain("\u{feff}"), @"");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark() {
    assert_snapshot!(plain("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\nc: z\r\n"), @r#"
    ---
    map @0..28
    "a": 1 (1) @3..4
    "b": "x\ny\n" @14..22
    "c": "z" @25..26
    "#);
}

#[test]
fn characters_of_many_bytes() {
    assert_snapshot!(plain("ключ: 値\nдва: \"🦆\"\n"), @r#"
    ---
    map @0..29
    "ключ": "値" @10..13
    "два": "🦆" @22..28
    "#);
}

#[test]
fn keys_that_are_not_text() {
    assert_snapshot!(plain("1: a\ntrue: b\n~: c\n? [x]\n: d\n{{ name }}: e\n"), @r#"
    --- # not sound
    map @0..42
    "1": "a" @3..4
    "true": "b" @11..12
    "~": "c" @16..17
    f.yaml:4:3: error[GL0107]: a key is a collection, not text
      hint: put text in braces into quotes: `"{{ … }}"`
    f.yaml:6:1: error[GL0107]: a key is a collection, not text
      hint: put text in braces into quotes: `"{{ … }}"`
    f.yaml:6:2: error[GL0107]: a key is a collection, not text
      hint: put text in braces into quotes: `"{{ … }}"`
    "#);
}

#[test]
fn a_key_given_twice() {
    assert_snapshot!(plain("a: 1\nb: {x: 1, y: 2, x: 3}\na: 2\n'a': 3\n"), @r#"
    --- # not sound
    map @0..39
    "a": 1 (1) @3..4
    "b": map @8..26
      "x": 1 (1) @12..13
      "y": 2 (2) @18..19
    f.yaml:2:17: error[GL0104]: the key `x` is given twice
      hint: it was given in line 2: keep one of them
    f.yaml:3:1: error[GL0104]: the key `a` is given twice
      hint: it was given in line 1: keep one of them
    f.yaml:4:1: error[GL0104]: the key `a` is given twice
      hint: it was given in line 1: keep one of them
    "#);
}

#[test]
fn numbers_that_cannot_be_kept() {
    assert_snapshot!(plain("a: 123456789012345678901\nb: .inf\nc: '123456789012345678901'\n"), @r#"
    --- # not sound
    map @0..60
    "a": null @3..24
    "b": null @28..32
    "c": "123456789012345678901" @36..59
    f.yaml:1:4: error[GL0108]: the number `123456789012345678901` cannot be kept exactly
      hint: put it in quotes if it is meant as text: `"123456789012345678901"`
    f.yaml:2:4: error[GL0108]: the number `.inf` cannot be kept exactly
      hint: put it in quotes if it is meant as text: `".inf"`
    "#);
}

#[test]
fn a_tab_in_the_indentation() {
    assert_snapshot!(plain("a:\n\tb: 1\n"), @"
    f.yaml:2:1: error[GL0103]: a tab where YAML wants spaces
      hint: replace it with spaces
    ");
    assert_snapshot!(plain("a:\n  b: 1\n  \tc: 1\n"), @"
    f.yaml:2:6: error[GL0101]: this is not well-formed YAML: while scanning a plain scalar, found a tab
      hint: check the indentation and the quotes here and in the line above
    ");
    assert_snapshot!(plain("a:\tb\n"), @"
    f.yaml:1:3: error[GL0103]: a tab where YAML wants spaces
      hint: replace it with spaces
    ");
}

#[test]
fn a_malformed_document_does_not_hide_the_others() {
    assert_snapshot!(plain("a: 1\n---\nb: [1\nc: 2\n---\nd: 'x\n---\ne: 5\n"), @r#"
    ---
    map @0..5
    "a": 1 (1) @3..4
    ---
    map @34..39
    "e": 5 (5) @37..38
    f.yaml:4:2: error[GL0101]: a `:` where no key can stand
      hint: check the indentation; a value that holds `: ` needs quotes
    f.yaml:6:4: error[GL0101]: a quote is not closed
      hint: close it, or double it if it belongs to the text: `'it''s'`
    "#);
}

#[test]
fn an_unclosed_quote_is_found() {
    assert_snapshot!(plain("a: \"x\nb: 1\n"), @"
    f.yaml:1:4: error[GL0101]: a quote is not closed
      hint: close it, or double it if it belongs to the text: `'it''s'`
    ");
    assert_snapshot!(plain("a: x: y\n"), @"
    f.yaml:1:5: error[GL0101]: a `:` where no key can stand
      hint: check the indentation; a value that holds `: ` needs quotes
    ");
    assert_snapshot!(plain("a: @x\n"), @"
    f.yaml:1:4: error[GL0101]: a value cannot begin with `@`
      hint: put it in quotes: so does every value that begins with one of `[]{}&*!|>%@`
    ");
    assert_snapshot!(plain("a: 1\n b: 2\n"), @"
    f.yaml:2:3: error[GL0101]: a `:` where no key can stand
      hint: check the indentation; a value that holds `: ` needs quotes
    ");
    assert_snapshot!(plain("a\0b: 1\n"), @r#"
    f.yaml:1:2: error[GL0101]: a character that cannot be printed
      hint: write it as an escape in double quotes: `"\x00"`
    "#);
}
