//! What dbt gives to the templates of a node: one [`Site`] for each rendering.
//!
//! Names are looked for as dbt does: in the macros of the node's package, in those of the project, among the packages, in
//! dbt's own macros, then among the functions and objects of the context.

mod adapter;
mod builtin;
mod configuration;
mod context;
mod convert;
mod graph;
mod modules;
mod package;
mod reference;
mod relation;
mod target;

pub(super) use builtin::{is_template, template_of};
pub(super) use convert::{json_value, yaml_value};
pub(super) use relation::Part;
pub(crate) use relation::{is_printed_plain, unquoted};

use super::evaluate::Shared;
use super::load::CORE_PACKAGE;
use super::project::Reference;
use greylag_syntax::jinja::{Evaluator, Host, Place, Value};
use greylag_syntax::trace::{Span, Traced};
use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// The macro that counts the rows of a series.
const LENGTH: &str = "get_intervals_between";

/// What a rendering noted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) references: Vec<Reference>,
    /// What `config()` was given.
    pub(super) config: Vec<(Arc<str>, Value)>,
    pub(super) unknown: Vec<(String, Span)>,
}

/// The context of one rendering.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) shared: Arc<Shared>,
    /// The node, by its number; none where YAML is rendered.
    pub(super) node: Option<usize>,
    pub(super) package: usize,
    pub(super) notes: RefCell<Notes>,
}

/// A site as a host.
#[derive(Debug, Clone)]
pub(super) struct DbtHost(pub(super) Rc<Site>);

impl DbtHost {
    pub(super) fn new(shared: &Arc<Shared>, node: Option<usize>, package: usize) -> Self {
        Self(Rc::new(Site { shared: shared.clone(), node, package, notes: RefCell::default() }))
    }
}

impl Site {
    fn package_name(&self, package: usize) -> &str {
        self.shared.loaded.packages.get(package).map_or("", |package| &package.public.name)
    }

    /// A macro of a package.
    fn macro_of(&self, package: &str, name: &str) -> Option<Value> {
        let macros = &self.shared.loaded.macros;
        let found = macros.get(package)?.get(name)?;
        let own = is_length(name).then(|| macros.get(CORE_PACKAGE)?.get(LENGTH)).flatten();
        Some(Evaluator::global_macro(own.unwrap_or(found)))
    }

    /// A macro that is called by its name alone, before packages are looked at.
    fn own_macro(&self, name: &str) -> Option<Value> {
        self.macro_of(self.package_name(self.package), name).or_else(|| self.macro_of(self.package_name(0), name))
    }

    /// A macro as a template sees it that says no package.
    fn any_macro(&self, name: &str) -> Option<Value> {
        self.own_macro(name).or_else(|| self.macro_of(CORE_PACKAGE, name))
    }

    /// The configuration of the node that was given so far, by its key.
    fn configured(&self, key: &str) -> Option<Value> {
        let given = self.notes.borrow().config.iter().rev().find(|(found, _)| &**found == key).map(|(_, v)| v.clone());
        given.or_else(|| self.shared.declared(self.node?, key).map(|yaml| yaml_value(&yaml)))
    }
}

impl Host for DbtHost {
    fn global(&self, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value> {
        let site = &self.0;
        site.own_macro(name)
            .or_else(|| package::of(site, name))
            .or_else(|| site.macro_of(CORE_PACKAGE, name))
            .or_else(|| builtin::of(site, evaluator, name, at))
    }

    fn place(&self) -> Option<Place> {
        let part = (self.0.package as u64) << 1 | u64::from(self.0.node.is_some());
        Some(Place { project: self.0.shared.number, part })
    }

    fn is_constant(&self, name: &str) -> bool {
        let site = &self.0;
        builtin::is_constant(name)
            || site.own_macro(name).is_some()
            || package::of(site, name).is_some()
            || site.macro_of(CORE_PACKAGE, name).is_some()
    }

    fn part(&self, what: &str, key: &str) -> Option<Value> {
        if what == graph::NODES { graph::part(&self.0, key) } else { None }
    }

    fn truth(&self, what: &str) -> Option<bool> {
        graph::truth(&self.0, what)
    }

    fn unknown(&self, name: &str, at: Span) {
        self.0.notes.borrow_mut().unknown.push((name.to_owned(), at));
    }

    fn fingerprint(&self) -> u64 {
        let notes = self.0.notes.borrow();
        let mut hasher = DefaultHasher::new();
        for (key, value) in &notes.config {
            (key, shown(value).text()).hash(&mut hasher);
        }
        for reference in &notes.references {
            (reference.kind, reference.target, reference.at).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Whether a macro asks the database for nothing but how many rows a series gets, in packages and in dbt itself: that says how often a part
/// is repeated, and not what it names, so the number of our own stands for all.
fn is_length(name: &str) -> bool {
    name.rsplit("__").next() == Some(LENGTH)
}

/// Text as a part of a relation's name; one that is only a stand-in is open.
pub(super) fn relation_part(text: Traced, open: bool) -> Part {
    Part { text, shown: true, open }
}

/// A value as text.
pub(super) fn shown(value: &Value) -> Traced {
    greylag_syntax::jinja::value::show(value)
}
