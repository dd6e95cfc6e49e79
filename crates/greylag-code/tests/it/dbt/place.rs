//! The bytes of a relation in rendered SQL lead to the literals that made it.

use super::{node, project};
use greylag_code::dbt::ReferenceKind;
use greylag_syntax::trace::Origin;

/// For each relation in the only rendering of a node: its text, its kind and its literals.
fn relations(files: &[(&str, &str)], name: &str) -> Vec<String> {
    let found = project(files);
    let way = &node(&found, name).renderings[0];
    let text = way.text.as_ref().unwrap();
    let mut result = Vec::new();
    for (range, origin) in text.stretches() {
        let Origin::Made { of, mark: Some(mark) } = origin else { continue };
        let reference = &way.references[mark.0 as usize];
        let of: Vec<&str> = of.iter().map(|span| found.files.bytes(*span)).collect();
        let kind = match reference.kind {
            ReferenceKind::Ref => "ref",
            ReferenceKind::Source => "source",
            ReferenceKind::This => "this",
        };
        result.push(format!("{}={kind}({})", &text.text()[range], of.join(",")));
    }
    result
}

#[test]
fn each_byte_of_a_relation_has_the_mark_of_its_call() {
    let model = ("models/a.sql", "select * from {{ source('raw', 'users') }}");
    let expected = ["raw_data=source(raw,users)", ".users_v1=source(raw,users)"];
    assert_eq!(relations(&[model], "a"), expected);
}

#[test]
fn parts_and_text_made_of_a_relation_keep_it() {
    let users = "{% set u = source('raw', 'users') %}";
    let check = |template: &str, expected: &[&str]| {
        let template = format!("{users}{template}");
        assert_eq!(relations(&[("models/a.sql", &template)], "a"), expected, "{template}");
    };
    check("{{ u.identifier }}", &["users_v1=source(raw,users)"]);
    check("{{ u.identifier | upper }}", &["USERS_V1=source(raw,users)"]);
    check("{{ u.include(schema=false) ~ '_x' }}", &["users_v1=source(raw,users)"]);
    check("{{ (u | string).split('.')[1] }}", &["users_v1=source(raw,users)"]);
    check("{{ u | replace('_v1', '_v2') }}", &["raw_data=source(raw,users)", ".users=source(raw,users)"]);
    check("{{ 'x' ~ u.schema[:3] }}", &["raw=source(raw,users)"]);
    check("{{ api.Relation.create(schema=u.schema, identifier='t') }}", &["raw_data=source(raw,users)"]);
}

#[test]
fn this_is_marked_too() {
    assert_eq!(relations(&[("models/a.sql", "{{ this.identifier }}")], "a"), ["a=this()"]);
    let aliased = "{{ config(alias='b') }}{{ this.identifier }}";
    assert_eq!(relations(&[("models/a.sql", aliased)], "a"), ["b=this()"]);
}
