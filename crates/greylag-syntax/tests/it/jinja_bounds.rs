//! A hostile template ends with an error that names a place.

use crate::jinja::{rendered, rendered_within};
use greylag_syntax::jinja::{ErrorKind, Limits};
use greylag_syntax::trace::Files;

fn check(template: &str, expected: &str) {
    let mut files = Files::default();
    let limits = Limits { steps: 200_000, text: 1 << 20, ..Limits::default() };
    let error = rendered_within(&limits, &mut files, template).unwrap_err();
    assert_eq!(error.with_place(&files), expected);
    assert_eq!(error.kind, ErrorKind::Limit, "{template}");
}

#[test]
fn texts_and_lists_are_bounded() {
    check("\n{{ 'x' * 10 ** 9 }}", "t.sql:2:4: a text is longer than 1048576 bytes");
    check("{{ range(10 ** 12)|list }}", "t.sql:1:20: a list has more than 200000 items");
    check("{% for i in range(10 ** 12) %}{% endfor %}", "t.sql:1:13: a list has more than 200000 items");
    check("{{ [0] * 10 ** 9 }}", "t.sql:1:4: a list has more than 200000 items");
    check("{{ 2 ** 100 }}", "t.sql:1:4: a number becomes too large");
    check("{{ 9223372036854775807 + 1 }}", "t.sql:1:4: a number becomes too large");
    check("{{ ('a' * 1000000)|replace('a', 'bb' * 100000) }}", "t.sql:1:20: a text is longer than 1048576 bytes");
}

#[test]
fn growth_is_bounded() {
    let double = "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";
    check(double, "t.sql:1:71: a text is longer than 1048576 bytes");
    let list = "{% set l = [1] %}{% for i in range(99) %}{% do l.extend(l) %}{% endfor %}";
    check(list, "t.sql:1:48: a list has more than 200000 items");
    let all = "{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}";
    check(all, "t.sql:1:31: the output is longer than 1048576 bytes");
}

#[test]
fn what_does_not_end_is_ended() {
    let call = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}";
    check(call, "t.sql:1:19: macros call each other more than 100 deep");
    let twice = "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(90) }}";
    check(twice, "t.sql:1:32: the template takes more than 200000 steps");
    let grows = "{% set l = [1] %}{% for i in range(150000) %}{% for j in range(150000) %}{% endfor %}{% endfor %}";
    check(grows, "t.sql:1:58: the template takes more than 200000 steps");
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    check(&deep, "t.sql:1:104: nested deeper than 100 levels");
    let ifs = "{% if 1 %}".repeat(5000);
    check(&ifs, "t.sql:1:997: nested deeper than 100 levels");
    let nots = format!("{{{{ {}1 }}}}", "not ".repeat(5000));
    check(&nots, "t.sql:1:404: nested deeper than 100 levels");
    assert!(rendered(&mut Files::default(), &format!("{{{{ {}1 }}}}", "1 + ".repeat(5000))).is_ok());
    let ored = format!("{{{{ 0{} }}}}", " or 0".repeat(5000));
    assert_eq!(rendered(&mut Files::default(), &ored).unwrap().text(), "0");
}

#[test]
fn values_that_contain_each_other_are_shown_and_dropped() {
    let chain = "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}ok";
    assert_eq!(rendered(&mut Files::default(), chain).unwrap().text(), "ok");
    let cycle = "{% set l = [] %}{% do l.append(l) %}{{ l|length }}{{ l == l }}{{ (l|string)|length > 10 }}";
    assert_eq!(rendered(&mut Files::default(), cycle).unwrap().text(), "1FalseTrue");
    let wide = "{% set ns = namespace(x=[]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x, ns.x] %}{% endfor %}{{ ns.x }}";
    assert!(rendered(&mut Files::default(), wide).is_err());
}

#[test]
fn what_is_no_template_is_an_error_with_line_and_column() {
    let place = |template: &str| {
        let mut files = Files::default();
        let error = rendered(&mut files, template).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Syntax);
        error.with_place(&files)
    };
    assert_eq!(place("a\nb {{ x"), "t.sql:2:3: a tag has no end");
    assert_eq!(place("{% if 1 %}\n"), "t.sql:1:11: `elif` or `else` or `endif` is missing");
    assert_eq!(place("ä {{ 'x }}"), "t.sql:1:6: a text has no closing quote");
    assert_eq!(
        place("\n{% include 'x' %}"),
        "t.sql:2:4: the tag `include` is not supported: dbt has no templates that load others"
    );
    assert_eq!(place("{{ a ! }}"), "t.sql:1:6: `!` is not expected here");
    assert_eq!(place("{{ (1] }}"), "t.sql:1:6: `]` instead of `)`");
}
