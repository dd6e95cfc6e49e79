//! A package as a name: its macros are its attributes.

use super::super::load::CORE_PACKAGE;
use super::Site;
use greylag_syntax::jinja::value::Object;
use greylag_syntax::jinja::{Evaluator, Value};
use greylag_syntax::trace::Span;
use std::rc::Rc;

#[derive(Debug)]
struct Macros {
    site: Rc<Site>,
    name: String,
}

/// The package of a name.
pub(super) fn of(site: &Rc<Site>, name: &str) -> Option<Value> {
    let known = name == CORE_PACKAGE
        || site.shared.loaded.macros.contains_key(name)
        || site.shared.loaded.packages.iter().any(|package| package.public.name == name);
    known.then(|| Value::object(Macros { site: site.clone(), name: name.to_owned() }))
}

impl Object for Macros {
    fn type_name(&self) -> &str {
        &self.name
    }

    fn attribute(&self, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
        self.site.macro_of(&self.name, name).or_else(|| {
            // dbt's own macros are partly functions here.
            let is_core = self.name == CORE_PACKAGE;
            evaluator.spoil();
            if is_core { super::builtin::of(&self.site, evaluator, name, at) } else { None }
        })
    }
}
