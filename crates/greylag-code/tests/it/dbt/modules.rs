//! `modules.re`: what Python's `re` gives.

use super::{project, texts};

/// What an expression prints where `re` is the module.
fn printed(expression: &str) -> Vec<String> {
    let model = format!("{{% set re = modules.re %}}{{{{ {expression} }}}}");
    texts(&project(&[("models/a.sql", &model)]), "a")
}

#[test]
fn patterns_give_what_python_gives() {
    for (expression, expected) in [
        (r#"re.findall('\"([a-z\s]+)\"', '"a b" as c', re.IGNORECASE)"#, "['a b']"),
        (r#"re.findall('\"([a-z]+)\"', 'a as c')"#, "[]"),
        ("re.findall('[a-z]+', 'ab1c')", "['ab', 'c']"),
        ("re.findall('([a-z])([0-9])?', 'a1b')", "[('a', '1'), ('b', '')]"),
        ("re.sub('[ -]+', '_', 'a - b c')", "a_b_c"),
        ("re.sub('[ -]+', '_', 'a - b c', 1)", "a_b c"),
        ("re.sub('[^a-z0-9_]+', '', 'a(b)é')", "ab"),
        (r"re.sub('(?P<x>[a-z])([0-9])', '\\2\\g<x>', 'a1b2')", "1a2b"),
        ("re.split('[,;]', 'a,b;c')", "['a', 'b', 'c']"),
        ("re.split('([,;])', 'a,b;c', maxsplit=1)", "['a', ',', 'b;c']"),
        ("re.match('b', 'ab')", "None"),
        ("re.match('a|b', 'ab').group()", "a"),
        ("re.fullmatch('a|ab', 'ab').group(0)", "ab"),
        ("re.search('(b)(x)?', 'éab').groups()", "('b', None)"),
        ("re.search('b', 'éab').span()", "(2, 3)"),
        ("re.search('(?P<n>b)', 'ab')['n']", "b"),
        ("'yes' if re.search('B', 'ab', flags=re.I) else 'no'", "yes"),
        ("re.compile('b+', re.I).sub('x', 'aBbc')", "axc"),
        ("re.match(re.compile('a{2,3}?'), 'aaa').end()", "2"),
        (r"re.findall('[]\\w-]+', 'a-b c]')", "['a-b', 'c]']"),
        (r"re.search('b\\Z', 'ab').start()", "1"),
        (r"re.sub('\\<', '', 'a<b')", "ab"),
        ("re.findall('^.', 'a\nb', re.MULTILINE)", "['a', 'b']"),
    ] {
        assert_eq!(printed(expression), [expected], "{expression}");
    }
}

#[test]
fn what_may_differ_stays_open() {
    for expression in [
        "re.sub('(?=a)b', '', 'ab')",
        r"re.sub('(a)\\1', '', 'aa')",
        "re.sub('a*', '-', 'baac')",
        "re.sub('(?:a*)*b', '', 'b')",
        "re.sub('a++', '', 'aa')",
        "re.sub('a$', '', 'a\n')",
        r"re.sub('\\w', '', 'é')",
        "re.sub('a', '', var('unknown'))",
        "re.sub('a', re.sub, 'a')",
        "re.sub('a', '', 'a', flags=64)",
        "re.sub('(', '', 'a')",
        "re.escape('a')",
    ] {
        let found = printed(expression);
        assert!(found.iter().all(|text| text.contains("greylag_open_")), "{expression}: {found:?}");
    }
}

#[test]
fn what_is_found_keeps_its_bytes() {
    // Each copied stretch is looked up in the files by `texts`.
    let found = project(&[(
        "models/a.sql",
        "{% set re = modules.re %}{% for x in re.split(' ', 'id name') %}{{ x }},{% endfor %}{{ re.sub('b', 'd', 'abc') }}",
    )]);
    assert_eq!(texts(&found, "a"), ["id,name,adc"]);
    let way = found.nodes.iter().find(|node| node.name == "a").unwrap();
    let text = way.renderings[0].text.as_ref().unwrap();
    let copied = text.stretches().filter(|(_, origin)| matches!(origin, greylag_syntax::trace::Origin::Copied(_)));
    let copied: Vec<&str> = copied.map(|(range, _)| &text.text()[range]).collect();
    assert!(
        ["id", "name", "a", "d", "c"].iter().all(|part| copied.iter().any(|found| found.contains(part))),
        "{copied:?}"
    );
}
