//! Every byte of what is rendered knows where it is from.

use crate::jinja::{check_copies, rendered};
use greylag_syntax::trace::{Files, Origin};
use proptest::prelude::*;
use std::fmt::Write;

/// The rendering with each copied stretch as `«text@offset»`, what is made as `‹text›`, and the rest plain.
fn marked(template: &str) -> String {
    let mut files = Files::default();
    let text = rendered(&mut files, template).unwrap();
    check_copies(&files, &text, template);
    let mut result = String::new();
    for (range, origin) in text.stretches() {
        let part = &text.text()[range];
        match origin {
            Origin::Copied(span) => write!(result, "«{part}@{}»", span.start).unwrap(),
            Origin::Made { of, .. } => {
                let of: Vec<String> = of.iter().map(|span| format!("{}..{}", span.start, span.end)).collect();
                write!(result, "‹{part}@{}›", of.join(",")).unwrap();
            }
            Origin::Generated => result.push_str(part),
        }
    }
    result
}

fn check(template: &str, expected: &str) {
    assert_eq!(marked(template), expected, "{template}");
}

#[test]
fn data_and_literals_are_copies() {
    check("a{{ 'b' }}c", "«a@0»«b@5»«c@10»");
    check("{{ 'b' 'c' }}", "«b@4»«c@8»");
    check("{% set x = 'orders' %}{{ x }}", "«orders@12»");
    check("{{ 'it\\'s' }}", "«it@4»‹'@6..8›«s@8»");
    check("a\r\nb\rc", "«a@0»«\nb@2»‹\n@4..5›«c@5»");
}

#[test]
fn numbers_that_are_written_are_copies_until_they_are_calculated_with() {
    check("{{ 10 }} {{ 1.5 }} {{ 0x1f }}", "«10@3»« @8»«1.5@12»« @18»‹31@22..26›");
    check("{% set n = 7 %}{{ n }}{{ n + 1 }}", "«7@11»8");
    check("{{ 'x' ~ 5 }}", "«x@4»«5@9»");
}

#[test]
fn bytes_that_survive_keep_their_origin() {
    check("{{ ('a,b'.split(',')) | join('-') }}", "«a@5»«-@30»«b@7»");
    check("{{ '  user_id '.strip()[5:] }}", "«id@11»");
    check("{{ 'stg_users'|replace('stg', 'dim') }}", "«dim@31»«_users@7»");
    check("{{ 'A-b'|lower }}", "‹a-b@4..7›");
    check("{{ ['a', 'b'] }}", "['«a@5»', '«b@10»']");
    check("{{ '%s_id'|format('user') }}", "«user@19»«_id@6»");
    check("{{ '{}.{}'.format('s', 't') }}", "«s@19»«.@6»«t@24»");
    check("{{ {'k': 'v'}|tojson }}", "{\"«k@5»\": \"«v@10»\"}");
    check("{{ 'b,a'.split(',')|sort|first }}", "«a@6»");
}

#[test]
fn origins_go_through_macros_loops_and_callers() {
    check("{% macro m(t) %}from {{ t }}{% endmacro %}{{ m('users') }}", "«from @16»«users@48»");
    check("{% for c in ['a', 'b'] %}{{ c }},{% endfor %}", "«a@14»«,@32»«b@19»«,@32»");
    check("{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}x{% endcall %}", "«(@15»«x@59»«)@30»");
    check("{% macro m(c='id') %}{{ c }}{% endmacro %}{{ m() }}", "«id@14»");
    check("{% set q %}select {{ 'a' }}{% endset %}{{ q | trim }}", "«select @11»«a@22»");
    check("{% macro m(cols) %}{{ cols.values()|join(',') }}{% endmacro %}{{ m({'x': 'y'}) }}", "«y@74»");
}

fn piece() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-c \n]{0,4}",
        "[a-z]{1,3}".prop_map(|word| format!("{{{{ '{word}' }}}}")),
        "[a-z]{1,3}".prop_map(|word| format!("{{{{- '{word},x'.split(',')|join('+')|upper -}}}}")),
        "[a-z]".prop_map(|name| format!("{{% set {name} = '{name}\\n' ~ {name} %}}{{{{ {name} }}}}")),
        "[a-z ]{0,3}".prop_map(|text| format!("{{#- {text} #}}")),
        Just("{% raw %}{{ x }}{% endraw %}".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let body = prop::collection::vec(inner, 0..3).prop_map(|parts| parts.concat());
        prop_oneof![
            body.clone().prop_map(|body| format!("{{% for i in ['p', 'q'] -%}}{body}{{{{ i }}}}{{% endfor %}}")),
            body.clone().prop_map(|body| format!("{{% if 1 %}}{body}{{%- endif %}}")),
            body.clone().prop_map(|body| format!("{{% filter title %}}{body}{{% endfilter %}}")),
            body.prop_map(|body| format!("{{% set q %}}{body}{{% endset %}}{{{{ q[1:-1] ~ q|replace('a', 'bb') }}}}")),
        ]
    })
}

proptest! {
    #[test]
    fn copies_are_what_stands_there_and_stretches_cover_the_text(parts in prop::collection::vec(piece(), 0..5)) {
        let template = parts.concat();
        let mut files = Files::default();
        let text = rendered(&mut files, &template).unwrap();
        check_copies(&files, &text, &template);
        let covered: String = text.stretches().map(|(range, _)| &text.text()[range]).collect();
        prop_assert_eq!(covered, text.text());
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}%#'a-c|.()\\[\\]~=0-9 \n-]{0,40}") {
        let mut files = Files::default();
        if let Err(error) = rendered(&mut files, &text) {
            prop_assert!(error.at.is_some(), "{} has no place", error.message);
        }
    }
}
