//! Templates give what Jinja2 gives.

use greylag_syntax::jinja::{Error, Limits, NoHost, parse, render};
use greylag_syntax::trace::{Files, Origin, Traced};

/// The first way in which a template renders.
pub(crate) fn rendered(files: &mut Files, template: &str) -> Result<Traced, Error> {
    rendered_within(&Limits::default(), files, template)
}

/// The first way in which a template renders within limits.
pub(crate) fn rendered_within(limits: &Limits, files: &mut Files, template: &str) -> Result<Traced, Error> {
    let file = files.add("t.sql", template).unwrap();
    let parsed = parse(file, template, 0..template.len())?;
    render(&parsed.body, limits, || NoHost).all.swap_remove(0).text
}

/// Every stretch that is copied is what stands at its place.
pub(crate) fn check_copies(files: &Files, text: &Traced, case: &str) {
    for (range, origin) in text.stretches() {
        if let Origin::Copied(span) = origin {
            assert_eq!(&text.text()[range], files.bytes(*span), "a copy of other bytes in {case}");
        }
    }
}

#[test]
fn templates_give_what_jinja2_gives() {
    let table = include_str!("jinja2.txt");
    let (mut cases, mut wrong) = (0, Vec::new());
    for line in table.lines() {
        let Some((template, expected)) = line.rsplit_once(" ⇒ ") else { continue };
        if template.starts_with("that are not defined") {
            continue;
        }
        let template = template.replace('⏎', "\n");
        let mut files = Files::default();
        let result = rendered(&mut files, &template);
        if let Ok(text) = &result {
            check_copies(&files, text, &template);
        }
        let given = match &result {
            Ok(text) => text.text().replace('\n', "⏎"),
            Err(_) => "✗".to_owned(),
        };
        cases += 1;
        if given != expected {
            let why = result.err().map_or_else(String::new, |error| error.with_place(&files));
            wrong.push(format!("{line}\n  but: {given} {why}"));
        }
    }
    assert!(cases > 200, "{cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
