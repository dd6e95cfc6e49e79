//! What macros gave is remembered, and every rendering is as if it were not.

use greylag_syntax::jinja::ast::Macro;
use greylag_syntax::jinja::value::{Function, Value};
use greylag_syntax::jinja::{Evaluator, Host, Limits, Place, Renderings, forget, parse, render};
use greylag_syntax::trace::{Files, Span};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// A host with macros. It counts how often they ask for `tick`, which is the same everywhere, and gives a number of its own as `mine`.
struct Counting {
    macros: Vec<Arc<Macro>>,
    ticks: Rc<Cell<u32>>,
    number: u32,
    remembers: bool,
}

impl Host for Counting {
    fn global(&self, _: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
        let _ = at;
        let ticks = self.ticks.clone();
        Some(match name {
            "tick" => Function::value("tick", move |_, _| {
                ticks.set(ticks.get() + 1);
                Ok(Value::generated(""))
            }),
            "ask" => Function::value("ask", |evaluator, arguments| {
                let what = arguments.positional.iter().filter_map(Value::as_text).collect::<Vec<_>>().join(", ");
                Ok(evaluator.open(&format!("ask({what})"), arguments.at))
            }),
            "return" => Function::value("return", |_, mut arguments| {
                Err(greylag_syntax::jinja::Stop::Return(arguments.take("data").unwrap_or(Value::None)))
            }),
            "mine" => Value::generated(self.number.to_string()),
            _ => Evaluator::global_macro(self.macros.iter().find(|found| &*found.name == name)?),
        })
    }

    fn place(&self) -> Option<Place> {
        self.remembers.then_some(Place { project: 7, part: 0 })
    }

    fn is_constant(&self, name: &str) -> bool {
        name != "mine"
    }
}

/// Templates rendered one after the other, and how often `tick` was asked for.
fn renderings(remembers: bool, macros: &str, templates: &[&str]) -> (Vec<Renderings<Counting>>, u32) {
    forget();
    let mut files = Files::default();
    let file = files.add("m.sql", macros).unwrap();
    let macros: Vec<Arc<Macro>> = parse(file, macros, 0..macros.len()).unwrap().macros().cloned().collect();
    let ticks = Rc::new(Cell::new(0));
    let one = |(number, template): (usize, &&str)| {
        let file = files.add(format!("{number}.sql"), *template).unwrap();
        let parsed = parse(file, template, 0..template.len()).unwrap();
        let host = || Counting { macros: macros.clone(), ticks: ticks.clone(), number: number as u32, remembers };
        render(&parsed.body, &Limits::default(), host)
    };
    let all = templates.iter().enumerate().map(one).collect();
    (all, ticks.get())
}

/// Whether all is the same with and without memory; how often `tick` was asked for without it and with it.
fn compared(macros: &str, templates: &[&str]) -> (u32, u32) {
    let (without, often) = renderings(false, macros, templates);
    let (with, seldom) = renderings(true, macros, templates);
    for (one, other) in without.iter().zip(&with) {
        assert_eq!((one.steps, one.truncated), (other.steps, other.truncated));
        let shown = |found: &Renderings<Counting>| {
            let ways =
                found.all.iter().map(|way| (way.text.clone().unwrap(), way.decisions.clone(), way.holes.clone()));
            ways.collect::<Vec<_>>()
        };
        assert_eq!(shown(one), shown(other));
    }
    (often, seldom)
}

const SETTINGS: &str = "{% macro settings() %}{% do tick() %}{% set all = [] %}{% for i in range(99) %}{% do all.append({'at': i}) %}\
    {% endfor %}{{ return(all) }}{% endmacro %}";

#[test]
fn a_macro_without_arguments_is_worked_out_once() {
    let template = "{% for i in range(5) %}{{ settings() | length }}{% endfor %}";
    assert_eq!(compared(SETTINGS, &[template, template]), (10, 1));
}

#[test]
fn what_was_given_before_is_nobody_elses() {
    let changes = "{% set mine = settings() %}{% do mine.append(1) %}{% do mine[0].update({'at': 'x'}) %}{{ mine | length }}\
        {{ settings() | length }}{{ settings()[0].at }}";
    assert_eq!(compared(SETTINGS, &[changes, changes]), (6, 1));
}

#[test]
fn each_answer_has_an_outcome_of_its_own() {
    let macros = format!(
        "{SETTINGS}{{% macro picked() %}}{{% set s = settings() %}}{{% if ask('a') %}}{{{{ return(s[1]) }}}}\
         {{% elif ask('b') %}}{{{{ return(s[2]) }}}}{{% endif %}}{{{{ return({{'at': ask('c')}}) }}}}{{% endmacro %}}"
    );
    let template = "{{ ask('z') }}{% for i in range(3) %}{{ picked().at }}{% endfor %}{% if ask('b') %}b{% endif %}";
    let (often, seldom) = compared(&macros, &[template, "{% if ask('b') %}{{ picked().at }}{% endif %}"]);
    assert!(often > 10 && seldom == 1, "{often} {seldom}");
}

#[test]
fn what_hangs_on_the_place_is_worked_out_each_time() {
    let macros = "{% macro own() %}{% do tick() %}{% for i in range(99) %}{% set x = i %}{% endfor %}{{ mine }}{% endmacro %}\
        {% macro around() %}{{ own() }}{% endmacro %}";
    assert_eq!(compared(macros, &["{{ around() }}", "{{ around() }}{{ own() }}"]), (3, 3));
    // What was assumed to be equal to something decides about what is equal to others.
    let equal = "{% macro which() %}{% do tick() %}{% for i in range(99) %}{% set x = i %}{% endfor %}\
        {% if ask() == 'a' %}a{% elif ask() == 'b' %}b{% endif %}{% endmacro %}";
    let (often, seldom) = compared(equal, &["{% if ask() == 'b' %}{{ which() }}{% endif %}", "{{ which() }}"]);
    assert_eq!(often, seldom);
}
