//! Where a condition cannot be known, all ways are gone.

use greylag_syntax::jinja::value::{Function, Value};
use greylag_syntax::jinja::{Evaluator, Host, Limits, Renderings, parse, render};
use greylag_syntax::trace::{Files, Span};

/// A host for which `open` cannot be known, nor what `ask()` gives.
struct Unsure;

impl Host for Unsure {
    fn global(&self, _: &mut Evaluator<'_>, name: &str, _: Span) -> Option<Value> {
        match name {
            "ask" => Some(Function::value("ask", |evaluator, arguments| {
                let at = arguments.at;
                let what = arguments.positional.iter().filter_map(Value::as_text).collect::<Vec<_>>().join(", ");
                Ok(evaluator.open(&format!("ask({what})"), at))
            })),
            _ => None,
        }
    }
}

fn ways(template: &str) -> Renderings<Unsure> {
    within(template, 16, 0)
}

/// The ways of a template: all if there are not more, else with each three answers together.
fn within(template: &str, renderings: usize, threes: usize) -> Renderings<Unsure> {
    let mut files = Files::default();
    let file = files.add("t.sql", template).unwrap();
    let parsed = parse(file, template, 0..template.len()).unwrap();
    render(&parsed.body, &Limits { renderings, threes, ..Limits::default() }, || Unsure)
}

fn check(template: &str, expected: &[&str]) {
    let found = ways(template);
    let texts: Vec<&str> = found.all.iter().map(|way| way.text.as_ref().map_or("✗", |text| text.text())).collect();
    assert_eq!(texts, expected, "{template}");
    assert!(!found.truncated, "{template}");
}

#[test]
fn a_condition_goes_both_ways() {
    check("{% if ask() %}a{% else %}b{% endif %}", &["a", "b"]);
    check("{{ 'a' if ask() else 'b' }}", &["a", "b"]);
    check("{% if ask() and 1 %}a{% endif %}", &["a", ""]);
    check("{% if not ask() %}a{% endif %}", &["", "a"]);
    check("{% if ask().x == 'y' %}a{% elif ask().x == 'z' %}b{% endif %}", &["a", "b", ""]);
}

#[test]
fn a_question_is_asked_once() {
    check("{% if ask() %}a{% endif %}{% if ask() %}b{% endif %}", &["ab", ""]);
    check("{% if ask('x') %}a{% endif %}{% if ask('y') %}b{% endif %}", &["ab", "b", "a", ""]);
    check("{% if ask() == 1 %}a{% endif %}{% if ask() != 1 %}b{% endif %}", &["a", "b"]);
    check("{% if ask() < 1 %}a{% endif %}{% if ask() >= 1 %}b{% endif %}", &["a", "b"]);
    check("{% if ask() in [1] %}a{% endif %}{% if ask() not in [1] %}b{% endif %}", &["a", "b"]);
}

#[test]
fn what_is_equal_to_one_value_is_equal_to_no_other() {
    check("{% if ask() == 'a' %}a{% endif %}{% if ask() == 'b' %}b{% endif %}", &["a", "b", ""]);
    check("{% if ask() == 'a' %}a{% endif %}{% if 'b' != ask() %}not b{% endif %}", &["anot b", "", "not b"]);
    check("{% if ask() == 1 %}a{% endif %}{% if ask() in (1, 2) %}b{% endif %}", &["ab", "b", ""]);
    check("{% if ask() == 1 %}{% if ask() in [2, ask('x')] %}b{% else %}c{% endif %}{% endif %}", &["b", "", "c"]);
}

#[test]
fn an_unknown_list_has_no_item_or_one() {
    check("{% for x in ask() %}{{ loop.length }}{% else %}none{% endfor %}", &["1", "none"]);
    check("{% for a, b in ask() if a == 'x' %}y{% endfor %}", &["y", ""]);
}

#[test]
fn what_cannot_be_known_is_a_hole_in_the_text() {
    let found = ways("select {{ ask() }}, {{ ask('x').y|upper }}, {{ ask() }} from {{ 't_' ~ ask() }}");
    let text = found.all[0].text.as_ref().unwrap();
    assert_eq!(text.text(), "select greylag_open_0, greylag_open_3, greylag_open_0 from t_greylag_open_0");
    let holes: Vec<&str> = found.all[0].holes.iter().map(|hole| &*hole.what).collect();
    assert_eq!(holes, ["ask()", "ask(x).y | upper()"]);
}

#[test]
fn text_with_a_hole_may_be_equal_to_anything() {
    check("{% if 'a' ~ ask() == 'ab' %}x{% endif %}", &["x", ""]);
    check("{% if 'a' ~ ask() %}x{% endif %}", &["x"]);
    check("{% if 'b' in 'a' ~ ask() %}x{% endif %}", &["x", ""]);
    check("{% if ('a' ~ ask())|upper|length <= 2 %}x{% endif %}", &["x", ""]);
}

#[test]
fn ways_that_end_alike_are_one_and_an_error_is_one_of_them() {
    check("{% if ask() %}a{% endif %}", &["a", ""]);
    check("{% if ask() %}{{ 1 }}{% endif %}{% set x = 1 if ask('z') else 2 %}", &["1", ""]);
    check("{% if ask() %}{{ 1 + 'a' }}{% endif %}", &["✗", ""]);
}

#[test]
fn a_decision_says_what_was_asked_and_where() {
    let found = ways("ab{% if ask('x').y == 1 %}a{% endif %}");
    let decisions: Vec<_> = found.all.iter().map(|way| &way.decisions[0]).collect();
    assert_eq!(&*decisions[0].what, "ask(x).y == 1");
    assert_eq!((decisions[0].at.start, decisions[0].at.end), (8, 23));
    assert_eq!(decisions.iter().map(|decision| decision.answer).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn too_many_ways_are_cut_after_each_condition_was_seen_both_ways() {
    let template = "0123456789".replace(char::is_numeric, "{% if ask('N') %}N{% endif %}");
    let template = (0..20).fold(template, |template, n| template.replacen('N', &(n / 2).to_string(), 1));
    let found = ways(&template);
    assert!(found.truncated);
    assert_eq!(found.all.len(), 16);
    for n in 0..10 {
        let without = found.all.iter().filter(|way| !way.text.as_ref().unwrap().text().contains(&n.to_string()));
        assert!(without.count() > 0, "{n} stands in all");
    }
}

#[test]
fn conditions_of_a_loop_are_answered_alike_where_there_are_too_many_ways() {
    let template =
        "{% for t in 'abcdefgh' %}{% if ask(t) %}{{ t }}{% endif %}{% endfor %}{% if ask('end') %}!{% endif %}";
    let found = ways(template);
    let texts: Vec<&str> = found.all.iter().map(|way| way.text.as_ref().unwrap().text()).collect();
    assert!(!found.truncated, "{texts:?}");
    for text in ["abcdefgh!", "abcdefgh", "!", "", "bcdefgh!", "abcdefg!"] {
        assert!(texts.contains(&text), "{text} of {texts:?}");
    }
    // Too many of them for each to be seen without, even alone; alike all are.
    let found = ways(&template.replace("abcdefgh", "abcdefghijklmnopqrstuvwxyz"));
    assert!(!found.truncated);
    // An error on the way leaves questions that were never answered otherwise.
    let found =
        ways("{% for t in 'abcdefghijklmnopqrstuvwxyz' %}{% if not ask(t) %}{{ 1 // 0 }}{% endif %}{% endfor %}");
    assert!(found.truncated);
}

#[test]
fn a_call_of_nothing_is_open() {
    check("{{ nothing.here('a') }}", &["greylag_open_0"]);
    check("{% if nothing() %}a{% endif %}", &["a", ""]);
}

/// A switch for each name.
fn switches(names: impl IntoIterator<Item = String>) -> String {
    let switch = |name: String| ["{% if ask('", &name, "') %}", &name, "{% endif %}"].concat();
    names.into_iter().map(switch).collect()
}

/// The texts of a template in which each three answers were seen together.
fn threes(template: &str) -> Vec<String> {
    let found = within(template, 16, 192);
    assert!(!found.truncated, "{template}: {} ways", found.all.len());
    found.all.iter().map(|way| way.text.as_ref().map_or("✗", |text| text.text()).to_owned()).collect()
}

#[test]
fn many_switches_are_seen_each_three_in_all_ways() {
    let template = switches(('a'..='t').map(String::from));
    assert!(within(&template, 16, 0).truncated && within(&template, 16, 192).in_threes);
    assert!(!within(&template[..template.find("{% if ask('d')").unwrap()], 16, 192).in_threes);
    let texts = threes(&template);
    assert!(texts.len() < 100, "{} ways", texts.len());
    for one in 'a'..='t' {
        for two in ('a'..one).chain('a'..'a') {
            for three in 'a'..two {
                for answers in 0..8 {
                    let is = |text: &String, name: char, bit: u8| text.contains(name) == (answers >> bit & 1 == 1);
                    let seen = |text: &String| is(text, one, 0) && is(text, two, 1) && is(text, three, 2);
                    assert!(texts.iter().any(seen), "{one} {two} {three}: {answers:03b}");
                }
            }
        }
    }
}

#[test]
fn what_stands_in_a_branch_is_seen_with_what_stands_in_others() {
    let group = |n: usize| {
        format!("{{% if ask('a{n}') or ask('b{n}') %}}x{n} {{% if ask('c{n}') %}}y{n} {{% endif %}}{{% endif %}}")
    };
    let template: String = (0..4).map(group).collect();
    let texts = threes(&template);
    for (one, two) in [(0, 1), (1, 3), (2, 0)] {
        for has in [[true, true], [true, false], [false, true], [false, false]] {
            let seen = |text: &String| {
                text.contains(&format!("y{one}")) == has[0] && text.contains(&format!("y{two}")) == has[1]
            };
            assert!(texts.iter().any(seen), "{one} {two} {has:?}");
        }
    }
}

#[test]
fn more_switches_than_can_be_seen_in_threes_are_too_many() {
    let template = switches((0..80).map(|n| n.to_string()));
    let found = within(&template, 16, 192);
    assert!(found.truncated && found.all.len() <= 32);
    // As many ways as may be gone do not show them all.
    let found = within(&template[..template.find("{% if ask('20')").unwrap()], 16, 8);
    assert!(found.truncated && found.all.len() <= 40);
}

#[test]
fn an_answer_in_other_words_is_the_same_switch() {
    let template = switches(('a'..='h').map(String::from));
    // What is asked at the end has the words of what was answered before.
    let template = format!("{{% set x %}}{template}{{% endset %}}{{{{ x }}}}{{% if ask(x) %}}!{{% endif %}}");
    let texts = threes(&template);
    assert!(texts.iter().any(|text| text.ends_with('!')) && texts.iter().any(|text| !text.ends_with('!')));
}

#[test]
fn what_is_asked_of_an_item_of_an_unknown_list_is_one_switch_of_its_place() {
    let lists =
        "abcdefghijklmnopqrstuvwxyz".chars().map(|name| format!("ask('{name}')")).collect::<Vec<_>>().join(", ");
    let template = format!(
        "{{% for list in [{lists}] %}}{{% for x in list %}}{{{{ 'y' if x.ok else 'n' }}}}{{% endfor %}}{{% endfor %}}{{% if ask() %}}!{{% endif %}}"
    );
    let texts = threes(&template);
    let y = "y".repeat(26);
    for text in [format!("{y}!"), y.clone(), "n".repeat(26), "!".to_owned(), String::new()] {
        assert!(texts.contains(&text), "{text}");
    }
}

#[test]
fn a_question_that_was_answered_one_way_only_is_turned() {
    let template =
        "{% for t in 'abcdefghijklmnopqrstuvwxyz' %}{% if not ask(t) %}{{ t }}{% break %}{% endif %}{% endfor %}";
    assert!(ways(template).truncated);
    let texts = threes(template);
    assert!(('a'..='z').all(|name| texts.contains(&name.to_string())), "{texts:?}");
    assert!(within(template, 8, 8).truncated);
}
