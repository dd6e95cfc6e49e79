use super::{show, spec};
use insta::assert_snapshot;

fn pairs(lines: &str) -> String {
    show(&spec(&format!("  datasets:\n{lines}")))
}

#[test]
fn references() {
    assert_snapshot!(pairs("    - {from: 'a b', to: component:b}\n    - {from: x/y/z, to: 'resource:'}\n    - {from: UPPER/a, to: _x}\n"), @"
    m.yaml:7:14: error[GL0120]: the reference `a b` has a name that is not 1 to 63 of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends
      hint: write the name of the catalog's entity, perhaps with its namespace: `resource:default/NAME` or `NAME`
    m.yaml:7:25: error[GL0120]: `component:b` is a component, not a dataset
      hint: datasets are resources: write the name alone, or `resource:NAME`
    m.yaml:8:14: error[GL0120]: the reference `x/y/z` is not of the form `[kind:][namespace/]name`
      hint: write the name of the catalog's entity, perhaps with its namespace: `resource:default/NAME` or `NAME`
    m.yaml:8:25: error[GL0120]: the reference `resource:` is not of the form `[kind:][namespace/]name`
      hint: write the name of the catalog's entity, perhaps with its namespace: `resource:default/NAME` or `NAME`
    m.yaml:9:27: error[GL0120]: the reference `_x` has a name that is not 1 to 63 of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends
      hint: write the name of the catalog's entity, perhaps with its namespace: `resource:default/NAME` or `NAME`
    ");
    assert_snapshot!(pairs("    - {from: resource:finance/users_v1, to: Finance/Users_V2}\n"), @"Migration m");
}

#[test]
fn old_and_new_are_the_same() {
    assert_snapshot!(pairs("    - {from: a, to: resource:default/A}\n"), @"
    m.yaml:7:21: error[GL0124]: `a` is both the old and the new dataset
      hint: give the new one another name, e.g. with `_v2` at its end
    ");
}

#[test]
fn one_target_of_two_pairs() {
    assert_snapshot!(pairs("    - {from: a, to: c}\n    - {from: b, to: default/C}\n"), @"
    m.yaml:8:21: error[GL0122]: `c` is the new dataset of two pairs
      hint: the other one is in line 7: give each pair a target of its own
    ");
}

#[test]
fn one_source_of_two_pairs() {
    assert_snapshot!(pairs("    - {from: a, to: b}\n    - {from: a, to: c}\n"), @"
    m.yaml:8:14: error[GL0123]: `a` is the old dataset of two pairs, and its name can pass to one only
      hint: the other one is in line 7: remove one, or end with `through: publish`
    ");
    assert_snapshot!(pairs("    - {from: a, to: b}\n    - {from: a, to: c}\n  through: publish\n"), @"Migration m");
}

#[test]
fn chains() {
    assert_snapshot!(pairs("    - {from: a, to: b}\n    - {from: b, to: c}\n"), @"
    m.yaml:8:14: error[GL0125]: `b` is made by this migration and cannot be migrated by it too
      hint: it is the target in line 7: put this pair into a migration of its own
    ");
}

#[test]
fn tables() {
    assert_snapshot!(pairs("    - {from: a, to: b, table: 'raw.b'}\n    - {from: c, to: d, table: 'raw.\"d'}\n"), @r#"
    m.yaml:8:31: error[GL0118]: `raw."d` is no name of a table: a quote is not closed
      hint: write `schema.table`, parts in double quotes where needed
    "#);
}

#[test]
fn locations() {
    assert_snapshot!(pairs("    - {from: a, to: b, location: ../x}\n    - {from: c, to: d, location: \"a\\tb\"}\n    - {from: e, to: f, location: 's3://x/y'}\n"), @r#"
    m.yaml:7:34: error[GL0132]: the location `../x` leaves the root of its connection
      hint: remove the `..`
    m.yaml:8:34: error[GL0132]: the path `a\tb` holds a control character
      hint: write a plain path with `/` between its parts
    m.yaml:9:34: error[GL0132]: the path `s3://x/y` is not one on a local file system
      hint: write it out: `/home/me/lake`, or relative as `./lake`
    "#);
    assert_snapshot!(pairs("    - {from: a, to: b, location: x/y/}\n    - {from: c, to: d, location: ./x//y}\n    - {from: e, to: f, location: x/y/z}\n    - {from: g, to: h, location: /x/y}\n    - {from: i, to: j, location: x/yz}\n"), @"
    m.yaml:8:34: error[GL0132]: the location `./x//y` is that of another pair
      hint: the other one is in line 7: keep them apart
    m.yaml:9:34: error[GL0132]: the location `x/y/z` lies inside another pair's
      hint: the other one is in line 7: keep them apart
    ");
}
