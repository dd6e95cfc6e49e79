use super::{show, spec};
use greylag_model::spec::{LIMITS, across, parse, parse_bytes};
use insta::assert_snapshot;

#[test]
fn the_smallest_migration() {
    assert_snapshot!(show(&spec("  datasets:\n    - {from: a, to: b}\n")), @"Migration m");
}

#[test]
fn several_documents_in_one_file() {
    let connection =
        "apiVersion: greylag.dev/v1alpha1\nkind: Connection\nmetadata: {name: c}\nspec: {type: files, root: .}\n";
    assert_snapshot!(show(&format!("{connection}---\n{}", spec("  datasets: [{from: a, to: b}]\n"))), @"
    Connection c
    Migration m
    ");
}

#[test]
fn nothing_in_the_file() {
    assert_snapshot!(show(""), @"
    m.yaml:1:1: error[GL0110]: the file holds no document
      hint: `greylag explain GL0110` shows the smallest migration
    ");
    assert_snapshot!(show("# later\n---\n"), @"
    m.yaml:1:1: error[GL0110]: the file holds no document
      hint: `greylag explain GL0110` shows the smallest migration
    ");
}

#[test]
fn not_a_mapping() {
    assert_snapshot!(show("- a\n"), @"
    m.yaml:1:1: error[GL0112]: a document is a mapping, but this is a list
      hint: begin it with `apiVersion: greylag.dev/v1alpha1` and `kind: Migration`
    ");
    assert_snapshot!(show("hello\n"), @"
    m.yaml:1:1: error[GL0112]: a document is a mapping, but this is text
      hint: begin it with `apiVersion: greylag.dev/v1alpha1` and `kind: Migration`
    ");
}

#[test]
fn an_unknown_version() {
    let text = spec("  datasets: [{from: a, to: a}]\n").replace("v1alpha1", "v2");
    assert_snapshot!(show(&text), @"
    m.yaml:1:13: error[GL0111]: the version `greylag.dev/v2` is not known to this build
      hint: write `apiVersion: greylag.dev/v1alpha1`
    m.yaml:6:28: error[GL0124]: `a` is both the old and the new dataset
      hint: give the new one another name, e.g. with `_v2` at its end
    ");
    assert_snapshot!(show("apiVersion: 1\nkind: Connection\nmetadata: {name: c}\nspec: {type: files, root: .}\n"), @r#"
    m.yaml:1:13: error[GL0115]: `apiVersion` wants text, but this is `1`
      hint: put it in quotes if it is meant as text: `"1"`
    "#);
}

#[test]
fn an_unknown_kind() {
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: migration\n"), @"
    m.yaml:2:7: error[GL0112]: `migration` is not a kind of document
      hint: did you mean `Migration`?
    ");
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: Table\n"), @"
    m.yaml:2:7: error[GL0112]: `Table` is not a kind of document
      hint: kinds are `Migration`, `MigrationTemplate`, `Connection` and `Limits`
    ");
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: [Migration]\n"), @"
    m.yaml:2:7: error[GL0112]: a list is not a kind of document
      hint: kinds are `Migration`, `MigrationTemplate`, `Connection` and `Limits`
    ");
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nmetadata: {name: m}\n"), @"
    m.yaml:1:1: error[GL0112]: the document does not say what it is
      hint: add `kind: Migration`, `kind: MigrationTemplate`, `kind: Connection` or `kind: Limits`
    ");
}

#[test]
fn a_catalog_descriptor() {
    assert_snapshot!(show("apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {name: a}\n"), @"
    m.yaml:2:7: error[GL0112]: this is a catalog descriptor, not a migration
      hint: give it to `greylag catalog import`
    ");
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: Component\n"), @"
    m.yaml:2:7: error[GL0112]: this is a catalog descriptor, not a migration
      hint: give it to `greylag catalog import`
    ");
}

#[test]
fn only_a_kind() {
    assert_snapshot!(show("kind: Migration\n"), @"
    m.yaml:1:1: error[GL0114]: the document lacks `apiVersion`
      hint: add `apiVersion: greylag.dev/v1alpha1` – version of this format
    m.yaml:1:1: error[GL0114]: the document lacks `metadata`
      hint: add `metadata:` – name and words for people
    m.yaml:1:1: error[GL0114]: the document lacks `spec`
      hint: add `spec:` – what is to change
    ");
    assert_snapshot!(show("apiVersion: greylag.dev/v1alpha1\nkind: Connection\nmetadata: {}\nspec: {}\n"), @"
    m.yaml:3:1: error[GL0114]: `metadata` lacks `name`
      hint: add `name: users-v2` – 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_`, beginning and ending with a letter or digit
    m.yaml:4:1: error[GL0114]: `spec` lacks `type`
      hint: add `type: files` – what kind of store
    m.yaml:4:1: error[GL0114]: `spec` lacks `root`
      hint: add `root: ./lake` – for `files`: the root directory; a relative path begins at the folder of the file that declares the connection
    ");
}

#[test]
fn two_documents_of_one_name() {
    let one = spec("  datasets: [{from: a, to: b}]\n");
    assert_snapshot!(show(&format!("{one}---\n{one}")), @"
    m.yaml:11:9: error[GL0121]: another migration is named `m` too
      hint: the other one is at m.yaml:4: give one of them another name
    ");
}

#[test]
fn two_files_with_one_name() {
    let text = spec("  datasets: [{from: a, to: b}]\n");
    let files = [parse("one.yaml", &text), parse("two.yaml", &text)];
    let shown: Vec<String> = across(&files).iter().map(ToString::to_string).collect();
    assert_snapshot!(shown.join("\n"), @"
    two.yaml:4:9: error[GL0121]: another migration is named `m` too
      hint: the other one is at one.yaml:4: give one of them another name
    ");
    assert!(across(&files[..1]).is_empty());
}

#[test]
fn a_malformed_document_costs_only_itself() {
    let good = spec("  datasets: [{from: a, to: b}]\n");
    let parsed = parse("m.yaml", &format!("a: [\n---\n{good}"));
    assert_eq!((parsed.documents.len(), parsed.is_sound()), (1, false));
    assert_snapshot!(parsed.diagnostics[0], @"
    m.yaml:2:1: error[GL0101]: a value is missing, or a bracket is not closed
      hint: close the bracket, or write the value
    ");
}

#[test]
fn bytes_that_are_not_text() {
    let parsed = parse_bytes("m.yaml", b"kind: \xfe\n", &LIMITS);
    assert_snapshot!(parsed.diagnostics[0], @"
    m.yaml:1:7: error[GL0102]: the file is not UTF-8 text
      hint: save it as UTF-8; the place is the first byte that is not
    ");
    assert_eq!(parsed.diagnostics.len(), 1);
}

#[test]
fn names_are_plain() {
    let named =
        |name: &str| show(&spec("  datasets: [{from: a, to: b}]\n").replace("name: m", &format!("name: {name}")));
    assert_snapshot!(named("Users V2"), @"
    m.yaml:4:9: error[GL0118]: `metadata.name` cannot be `Users V2`
      hint: 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_`, beginning and ending with a letter or digit, e.g. `users-v2`
    ");
    assert_snapshot!(named("-"), @"
    m.yaml:4:9: error[GL0101]: a `-` where no list can begin
      hint: check the indentation; a value that is only `-` needs quotes
    ");
    assert_snapshot!(named("2024"), @r#"
    m.yaml:4:9: error[GL0115]: `metadata.name` wants text, but this is `2024`
      hint: put it in quotes if it is meant as text: `"2024"`
    "#);
    assert_snapshot!(named("''"), @"
    m.yaml:4:9: error[GL0118]: `metadata.name` cannot be ``
      hint: 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_`, beginning and ending with a letter or digit, e.g. `users-v2`
    ");
    assert_snapshot!(named(&"x".repeat(64)), @"
    m.yaml:4:9: error[GL0118]: `metadata.name` cannot be `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`
      hint: 1 to 63 of `a-z`, `0-9`, `-`, `.` and `_`, beginning and ending with a letter or digit, e.g. `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`
    ");
    assert_snapshot!(named("users.v2_final-3"), @"Migration users.v2_final-3");
}

#[test]
fn owners_and_guides() {
    let with = |line: &str| {
        show(&spec("  datasets: [{from: a, to: b}]\n").replace("  name: m\n", &format!("  name: m\n  {line}\n")))
    };
    assert_snapshot!(with("owner: data platform"), @"
    m.yaml:5:10: error[GL0120]: the reference `data platform` has a name that is not 1 to 63 of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends
      hint: write the name of the catalog's entity, perhaps with its namespace: `group:default/NAME` or `NAME`
    ");
    assert_snapshot!(with("owner: component:x"), @"
    m.yaml:5:10: error[GL0120]: the owner `component:x` is a component
      hint: owners are groups and users: `group:NAME` or `user:NAME`
    ");
    assert_snapshot!(with("owner: user:jane"), @"Migration m");
    assert_snapshot!(with("guide: wiki/users"), @"
    m.yaml:5:10: error[GL0130]: `wiki/users` is not a link
      hint: write the whole address, beginning with `https://`
    ");
    assert_snapshot!(with("guide: https://"), @"
    m.yaml:5:10: error[GL0130]: `https://` is not a link
      hint: write the whole address, beginning with `https://`
    ");
    assert_snapshot!(with("guide: ftp://x"), @"
    m.yaml:5:10: error[GL0130]: `ftp://x` is not a link
      hint: write the whole address, beginning with `https://`
    ");
    assert_snapshot!(with("annotations: {a: 1}"), @r#"
    m.yaml:5:20: error[GL0115]: `metadata.annotations.a` wants text, but this is `1`
      hint: put it in quotes if it is meant as text: `"1"`
    "#);
}

#[test]
fn connections() {
    let connection = |spec: &str| {
        show(&format!("apiVersion: greylag.dev/v1alpha1\nkind: Connection\nmetadata: {{name: c}}\nspec: {spec}\n"))
    };
    assert_snapshot!(connection("{type: s3, root: x}"), @"
    m.yaml:4:14: error[GL0116]: `spec.type` cannot be `s3`
      hint: only `files` is allowed
    ");
    assert_snapshot!(connection("{type: files}"), @"
    m.yaml:4:1: error[GL0114]: `spec` lacks `root`
      hint: add `root: ./lake` – for `files`: the root directory; a relative path begins at the folder of the file that declares the connection
    ");
    assert_snapshot!(connection("{type: files, root: ''}"), @"m.yaml:4:27: error[GL0117]: `spec.root` is empty");
    assert_snapshot!(connection("{type: files, root: ../data}"), @"Connection c");
    assert_snapshot!(connection("{type: files, root: s3://bucket}"), @"
    m.yaml:4:27: error[GL0132]: the path `s3://bucket` is not one on a local file system
      hint: write it out: `/home/me/lake`, or relative as `./lake`
    ");
    assert_snapshot!(connection("{type: files, root: ~/data, password: x}"), @"
    m.yaml:4:27: error[GL0132]: the path `~/data` is not one on a local file system
      hint: write it out: `/home/me/lake`, or relative as `./lake`
    m.yaml:4:35: error[GL0113]: `spec` has no key `password`
      hint: keys here are `root` and `type`
    ");
}
