use super::{full, plain};
use insta::assert_snapshot;

#[test]
fn refused_where_the_file_is_ours() {
    assert_snapshot!(plain("a: &x 1\nb: *x\nc: !!str 1\nd: !mine {}\ne:\n  <<: {f: 1}\n"), @r#"
    --- # not sound
    map @0..53
    "a": 1 (1) @3..7
    "b": null @11..13
    "c": 1 (1) @17..24
    "d": map @28..36
    "e": map @42..53
    f.yaml:1:4: error[GL0106]: an anchor is not read in this file
      hint: write the value out where it is used
    f.yaml:2:4: error[GL0106]: an alias is not read in this file
      hint: write the value out where it is used
    f.yaml:3:4: error[GL0106]: a tag `!!str` is not read in this file
      hint: write the value out where it is used
    f.yaml:4:4: error[GL0106]: a tag `!mine` is not read in this file
      hint: write the value out where it is used
    f.yaml:6:3: error[GL0106]: a merge key is not read in this file
      hint: write the value out where it is used
    "#);
}

#[test]
fn aliases_repeat_what_they_name() {
    assert_snapshot!(full("a: &x {k: [1, &y two]}\nb: *x\nc: *y\n"), @r#"
    ---
    map @0..35
    "a": map @3..22
      "k": list @10..21
        - 1 (1) @11..12
        - "two" @14..20
    "b": map @26..28
      "k": list @10..21
        - 1 (1) @11..12
        - "two" @14..20
    "c": "two" @32..34
    "#);
}

#[test]
fn merged_keys_give_way_to_those_written_out() {
    assert_snapshot!(full("base: &b {x: 1, y: 1}\nother: &o {y: 2, z: 2}\nall:\n  y: 0\n  <<: [*b, *o]\n  z: 0\n"), @r#"
    ---
    map @0..79
    "base": map @6..21
      "x": 1 (1) @13..14
      "y": 1 (1) @19..20
    "other": map @29..44
      "y": 2 (2) @36..37
      "z": 2 (2) @42..43
    "all": map @52..79
      "y": 0 (0) @55..56
      "x": 1 (1) @13..14
      "z": 0 (0) @77..78
    "#);
    assert_snapshot!(full("a:\n  <<: 1\n"), @r#"
    --- # not sound
    map @0..11
    "a": map @5..11
    f.yaml:2:3: error[GL0106]: a merge key needs a mapping, or a list of them
    "#);
}

#[test]
fn core_tags_are_followed_and_others_are_not() {
    assert_snapshot!(full("a: !!str 1\nb: ! 2\nc: !!int 3\nd: !!map {}\ne: !mine 4\nf: !!set {}\n"), @r#"
    --- # not sound
    map @0..64
    "a": "1" @3..10
    "b": "2" @14..17
    "c": 3 (3) @21..28
    "d": map @32..40
    "e": 4 (4) @44..51
    "f": map @55..63
    f.yaml:5:4: error[GL0106]: the tag `!mine` is unknown
    f.yaml:6:4: error[GL0106]: the tag `!!set` is unknown
    "#);
}

#[test]
fn anchors_end_with_their_document() {
    assert_snapshot!(full("a: &x 1\n---\nb: *x\n---\nc: 3\n"), @r#"
    ---
    map @0..8
    "a": 1 (1) @3..7
    ---
    map @22..27
    "c": 3 (3) @25..26
    f.yaml:3:4: error[GL0106]: an alias to an anchor of another document
    "#);
}

#[test]
fn an_alias_inside_what_it_repeats() {
    assert_snapshot!(full("a: &x [1, *x]\n"), @"f.yaml:1:11: error[GL0106]: an alias stands inside what it repeats");
}
