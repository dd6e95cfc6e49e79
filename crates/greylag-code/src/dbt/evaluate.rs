//! From what was read to a project: configuration first, then every template, in threads.

use super::host::{DbtHost, Notes, Part, relation_part, shown};
use super::load::{Draft, Loaded, in_threads};
use super::named::parts_of;
use super::naming::{columns_of, config_of, sources_of};
use super::options::Options;
use super::project::{
    Config, Edge, Idle, Node, NodeKind, NodeRendering, Project, Reference, ReferenceKind, SourceTable, Target,
};
use super::references::{exposure, gathered, joined, references_in, tests_of};
use super::said::said_of;
use super::scan::literal_calls;
use super::yaml::Yaml;
use greylag_syntax::jinja::{Evaluator, Limits, Rendering, Value, forget, parse, render};
use greylag_syntax::trace::{Span, Traced};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many there were.
static SHARED: AtomicU64 = AtomicU64::new(0);

/// What all renderings share.
#[derive(Debug)]
pub(super) struct Shared {
    /// What tells it from every other one.
    pub(super) number: u64,
    pub(super) loaded: Loaded,
    pub(super) options: Options,
    /// What may be taken by what is no node: of hooks and names no ways are counted.
    pub(super) few: Limits,
    /// How nodes are configured, by their number.
    configs: Vec<Config>,
    /// How nodes are named, by their number.
    names: Vec<[Option<Part>; 3]>,
    sources: Vec<SourceTable>,
    nodes_by_name: HashMap<String, Vec<usize>>,
    sources_by_name: HashMap<(String, String), Vec<usize>>,
}

impl Shared {
    fn new(loaded: Loaded, options: &Options) -> Self {
        let mut nodes_by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, draft) in loaded.drafts.iter().enumerate() {
            if !matches!(draft.kind, NodeKind::Analysis | NodeKind::Test) {
                nodes_by_name.entry(draft.name.clone()).or_default().push(index);
            }
        }
        let options = options.clone();
        Self {
            number: SHARED.fetch_add(1, Ordering::Relaxed) + 1,
            loaded,
            few: Limits { threes: 0, ..options.limits.clone() },
            options,
            configs: Vec::new(),
            names: Vec::new(),
            sources: Vec::new(),
            nodes_by_name,
            sources_by_name: HashMap::new(),
        }
    }

    /// Gathers configuration and sources: after that, names can be resolved.
    fn configure(mut self: Arc<Self>) -> Arc<Self> {
        let configs: Vec<Config> =
            self.loaded.drafts.iter().enumerate().map(|(index, draft)| config_of(&self, index, draft)).collect();
        let sections = self.loaded.entries.iter().filter(|entry| entry.section == "sources");
        let sources: Vec<SourceTable> =
            sections.flat_map(|entry| sources_of(&self, entry.package, &entry.yaml)).collect();
        if let Some(shared) = Arc::get_mut(&mut self) {
            for (index, source) in sources.iter().enumerate() {
                let key = (source.source.text().to_owned(), source.table.text().to_owned());
                shared.sources_by_name.entry(key).or_default().push(index);
            }
            (shared.configs, shared.sources) = (configs, sources);
        }
        let names: Vec<[Option<Part>; 3]> = (0..self.loaded.drafts.len()).map(|node| parts_of(&self, node)).collect();
        if let Some(shared) = Arc::get_mut(&mut self) {
            shared.names = names;
        }
        self
    }

    /// Whether the project has a macro of its own where dbt has one.
    pub(super) fn is_overridden(&self, name: &str) -> bool {
        self.loaded.macros.get(self.package_name(0)).is_some_and(|macros| macros.contains_key(name))
    }

    /// What is configured of a node's name.
    pub(super) fn configured(&self, node: usize, key: &str) -> Option<Traced> {
        let config = self.configs.get(node)?;
        match key {
            "database" => config.database.clone(),
            "schema" => config.schema.clone(),
            _ => config.alias.clone(),
        }
    }

    /// Whether the template of a node, or YAML, may configure something that is not known before the node is rendered.
    pub(super) fn may_configure(&self, node: usize, key: &str) -> bool {
        let Some(draft) = self.loaded.drafts.get(node) else { return true };
        draft.kind == NodeKind::PythonModel
            || self.declared(node, key).is_some()
            || self.loaded.files.bytes(draft.at).contains(key)
    }

    /// Whether a node is switched on, if that is known before it is rendered.
    pub(super) fn enabled(&self, node: usize) -> Option<bool> {
        let enabled = self.configs.get(node)?.enabled?;
        let may_say = || self.loaded.files.bytes(self.loaded.drafts[node].at).contains("enabled");
        (!enabled || !may_say()).then_some(enabled)
    }

    /// The nodes of a name, whatever their package.
    pub(super) fn named(&self, name: &str) -> &[usize] {
        self.nodes_by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether all nodes have their names.
    pub(super) const fn is_named(&self) -> bool {
        self.names.len() == self.loaded.drafts.len()
    }

    fn package_name(&self, package: usize) -> &str {
        self.loaded.packages.get(package).map_or("", |package| &package.public.name)
    }

    /// The node that a `ref` means: in the package that is named, else in the project, in the own package, anywhere.
    pub(super) fn find_node(
        &self,
        package: Option<&str>,
        name: &str,
        version: Option<&str>,
        own: usize,
    ) -> Option<usize> {
        let is_enabled = |index: &usize| self.configs.get(*index).is_none_or(|config| config.enabled != Some(false));
        let fits = |index: &usize| match (version, self.loaded.drafts.get(*index)) {
            (Some(version), Some(draft)) => draft.version.as_deref() == Some(version),
            (None, Some(draft)) => draft.latest,
            _ => false,
        };
        let found = self.nodes_by_name.get(name)?;
        let candidates: Vec<usize> = found.iter().copied().filter(|index| is_enabled(index) && fits(index)).collect();
        let of =
            |package: usize| candidates.iter().copied().find(|index| self.loaded.drafts[*index].package == package);
        match package {
            Some(package) => {
                candidates.into_iter().find(|i| self.package_name(self.loaded.drafts[*i].package) == package)
            }
            None => of(0).or_else(|| of(own)).or_else(|| candidates.first().copied()),
        }
    }

    /// The table that a `source` means.
    pub(super) fn find_source(&self, source: &str, table: &str, own: usize) -> Option<usize> {
        let found = self.sources_by_name.get(&(source.to_owned(), table.to_owned()))?;
        let candidates: Vec<usize> = found.iter().copied().filter(|index| self.sources[*index].enabled).collect();
        let of = |package: usize| {
            candidates.iter().copied().find(|i| self.sources[*i].package == self.package_name(package))
        };
        of(0).or_else(|| of(own)).or_else(|| candidates.first().copied())
    }

    /// What YAML says of a node under a key: at the node, else in the project's file, else in the package's.
    pub(super) fn declared(&self, node: usize, key: &str) -> Option<Yaml> {
        let draft = self.loaded.drafts.get(node)?;
        for entry in &draft.properties {
            let own = if matches!(key, "meta" | "tags" | "docs" | "access" | "group" | "description") {
                entry.get(key)
            } else {
                None
            };
            if let Some(found) = entry.get("config").and_then(|config| config.get(key)).or(own) {
                return Some(found.clone());
            }
        }
        let fqn: Vec<&str> = draft.fqn.iter().map(String::as_str).collect();
        let of = |package: usize| self.loaded.packages.get(package)?.settings.config(draft.section(), &fqn, key);
        of(0).or_else(|| of(draft.package)).cloned()
    }

    /// A variable: what the project says for the package, for all, then what the package says.
    pub(super) fn variable(&self, name: &str, package: usize) -> Option<Yaml> {
        let own = self.package_name(package);
        let of = |index: usize| {
            let vars = self.loaded.packages.get(index)?.settings.yaml.get("vars")?;
            vars.get(own).and_then(|vars| vars.get(name)).or_else(|| vars.get(name)).cloned()
        };
        of(0).or_else(|| of(package))
    }

    /// A part of the target as a part of a name; its stand-in if it is not known.
    pub(super) fn target_part(&self, key: &str) -> Option<Part> {
        match self.options.target.get(key) {
            Some(value) => Some(relation_part(Traced::generated(&**value), false)),
            None if key == "schema" => Some(relation_part(Traced::generated("target_schema"), true)),
            None => None,
        }
    }

    pub(super) fn target_value(&self, evaluator: &mut Evaluator<'_>, key: &str, at: Span) -> Value {
        match self.options.target.get(key) {
            Some(value) => Value::generated(&**value),
            None => evaluator.open(&format!("target.{key}"), at),
        }
    }

    /// Database, schema and identifier of a node.
    pub(super) fn node_parts(&self, node: usize) -> [Option<Part>; 3] {
        if let Some(parts) = self.names.get(node) {
            return parts.clone();
        }
        let Some(draft) = self.loaded.drafts.get(node) else { return [None, None, None] };
        let config = self.configs.get(node).cloned().unwrap_or_default();
        let name = match &draft.version {
            Some(version) => format!("{}_v{}", draft.name, version.replace('.', "_")),
            None => draft.name.clone(),
        };
        let alias = config.alias.unwrap_or_else(|| Traced::generated(name));
        let target = self.target_part("schema");
        let schema = match (config.schema, target) {
            (Some(custom), Some(target)) => {
                let mut text = target.text.clone();
                text.append(&Traced::generated("_"));
                text.append(&custom);
                Some(relation_part(text, target.open))
            }
            (_, target) => target,
        };
        let database = config.database.map(|text| relation_part(text, false)).or_else(|| self.target_part("database"));
        [database, schema, Some(relation_part(alias, false))]
    }

    /// The parts of a node's relation that are printed.
    fn relation(&self, node: usize) -> impl Iterator<Item = Part> {
        self.node_parts(node).into_iter().flatten().filter(|part| part.shown && !part.text.is_empty())
    }

    /// The keys of `dbt_project.yml` that configure a node by its name.
    fn keys(&self, draft: &Draft) -> Vec<Span> {
        let fqn: Vec<&str> = draft.fqn.iter().map(String::as_str).collect();
        let packages = [Some(0), (draft.package != 0).then_some(draft.package)];
        let of = |package: usize| self.loaded.packages.get(package)?.settings.key(draft.section(), &fqn)?.inner();
        packages.into_iter().flatten().filter_map(of).collect()
    }

    /// Whether a node has no relation of its own.
    pub(super) fn is_ephemeral(&self, node: usize) -> bool {
        let materialized = self.configs.get(node).and_then(|config| config.materialized.as_ref());
        materialized.is_some_and(|materialized| materialized.text() == "ephemeral")
    }

    /// Database, schema and identifier of a source's table.
    pub(super) fn source_parts(&self, source: usize) -> Option<[Option<Part>; 3]> {
        let source = self.sources.get(source)?;
        let open = source.schema.is_empty();
        let schema = relation_part(source.schema.clone(), open);
        // A database with no schema behind it would be taken for one.
        let database = source.database.as_ref().map(|text| Part { shown: !open, ..relation_part(text.clone(), false) });
        Some([database, Some(schema), Some(relation_part((*source.identifier).clone(), false))])
    }

    /// What dbt calls a target.
    pub(super) fn id_of(&self, target: Target) -> Option<String> {
        match target {
            Target::Node(node) => self.loaded.drafts.get(node).map(|draft| draft.id(&self.loaded.packages)),
            Target::Source(source) => self.sources.get(source).map(|source| source.id.clone()),
        }
    }

    /// Whether the adapter prints the names of relations in quotes.
    pub(super) fn quotes(&self) -> bool {
        !matches!(self.options.adapter.as_deref(), None | Some("snowflake" | "spark"))
    }

    /// The sign that names are quoted with.
    pub(super) fn quote(&self) -> char {
        match self.options.adapter.as_deref() {
            Some("bigquery" | "databricks" | "spark" | "mysql") => '`',
            _ => '"',
        }
    }
}

/// Evaluates what was loaded.
pub(super) fn evaluate(loaded: Loaded, options: &Options) -> Project {
    let shared = Arc::new(Shared::new(loaded, options)).configure();
    let count = shared.loaded.drafts.len();
    let done = in_threads(count, options.threads, |index| node(&shared, index));
    let mut project = Project::default();
    for (node, unknown) in done.into_values() {
        project.nodes.push(node);
        for (name, at) in unknown {
            let places = project.unknown.entry(name).or_default();
            if !places.contains(&at) {
                places.push(at);
            }
        }
    }
    for entry in &shared.loaded.entries {
        if entry.section == "exposures" {
            project.exposures.extend(exposure(&shared, entry));
        }
    }
    project.tests = column_tests(&shared);
    project.idle = idle(&shared, &project);
    // Nobody asks for anything of this project from here on.
    forget();
    without_disabled(&mut project);
    finished(project, shared)
}

/// The sources that macros name by literals in calls that nothing renders. Of packages that are installed nothing is asked: they do not know
/// the sources of others.
fn idle(shared: &Arc<Shared>, project: &Project) -> Vec<Idle> {
    let edges = project.nodes.iter().flat_map(|node| &node.edges);
    let edges = edges.chain(project.exposures.iter().flat_map(|exposure| &exposure.edges));
    let edges = edges.chain(project.tests.iter().flat_map(|test| &test.edges));
    let rendered: HashSet<Span> = edges.flat_map(|edge| edge.places.iter().map(|(call, _)| *call)).collect();
    let mut found = Vec::new();
    for (package, own) in shared.loaded.packages.iter().enumerate().filter(|(_, package)| !package.public.installed) {
        for each in shared.loaded.macros.get(&own.public.name).into_iter().flat_map(HashMap::values) {
            let calls = literal_calls(&each.body).into_iter().filter(|call| call.is_source);
            for call in calls.filter(|call| !rendered.contains(&call.at)) {
                let text = |index: usize| call.arguments.get(index).map_or("", |argument| argument.text());
                if let Some(source) = shared.find_source(text(0), text(1), package) {
                    found.push(Idle { name: each.name.to_string(), at: call.at, source });
                }
            }
        }
    }
    found.sort_by_key(|idle| (idle.at.file, idle.at.start));
    found
}

/// Takes out the edges from nodes that are built to nodes that turned out to be switched off.
fn without_disabled(project: &mut Project) {
    let off = |node: &Node| node.config.enabled == Some(false);
    let disabled: HashSet<usize> =
        project.nodes.iter().enumerate().filter(|(_, node)| off(node)).map(|(index, _)| index).collect();
    for node in project.nodes.iter_mut().filter(|node| !off(node)) {
        node.edges.retain(|edge| !matches!(edge.target, Target::Node(target) if disabled.contains(&target)));
    }
}

/// A project with what was loaded.
fn finished(mut project: Project, shared: Arc<Shared>) -> Project {
    if let Some(shared) = Arc::into_inner(shared) {
        project.sources = shared.sources;
        project.files = shared.loaded.files;
        project.packages = shared.loaded.packages.into_iter().map(|package| package.public).collect();
        project.missing_packages = shared.loaded.missing;
        project.problems = shared.loaded.problems;
    }
    project.name = project.packages.first().map(|package| package.name.clone()).unwrap_or_default();
    project
}

fn column_tests(shared: &Arc<Shared>) -> Vec<super::project::ColumnTest> {
    let mut tests = Vec::new();
    for (index, draft) in shared.loaded.drafts.iter().enumerate() {
        for entry in &draft.properties {
            tests.extend(tests_of(shared, draft.package, Target::Node(index), entry));
        }
    }
    for entry in shared.loaded.entries.iter().filter(|entry| entry.section == "sources") {
        let source = entry.yaml.text("name").map_or("", |name| name.as_str());
        for table in entry.yaml.get("tables").map(Yaml::items).unwrap_or_default() {
            let name = table.text("name").map_or("", |name| name.as_str());
            if let Some(found) = shared.find_source(source, name, entry.package) {
                tests.extend(tests_of(shared, entry.package, Target::Source(found), table));
            }
        }
    }
    tests
}

/// Renders a node.
fn node(shared: &Arc<Shared>, index: usize) -> (Node, Vec<(String, Span)>) {
    let draft = &shared.loaded.drafts[index];
    let ways = render(draft.body(), &shared.options.limits, || DbtHost::new(shared, Some(index), draft.package));
    let mut renderings = Vec::new();
    let mut unknown = Vec::new();
    let mut config = shared.configs.get(index).cloned().unwrap_or_default();
    let mut hooks = Vec::new();
    for way in ways.all {
        let (rendering, notes) = finish(way);
        if renderings.is_empty() {
            given_config(&mut config, &notes);
            hooks = hooks_of(shared, index, draft, &notes);
        }
        unknown.extend(notes.unknown);
        renderings.push(rendering);
    }
    if let Some(Err(error)) = &draft.template {
        let text = Err(error.clone());
        let (decisions, holes, references, config) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        renderings = vec![NodeRendering { text, decisions, holes, references, config }];
    } else if draft.template.is_none() {
        renderings.clear();
    }
    let mut edges = edges_of(renderings.iter().flat_map(|rendering| &rendering.references));
    for edge in &mut edges {
        edge.always = is_always(&renderings, edge.target);
    }
    if renderings.iter().all(|rendering| rendering.text.is_err()) {
        edges = joined(edges, edges_of(literal_references(shared, draft).iter()));
    }
    let node = Node {
        id: draft.id(&shared.loaded.packages),
        kind: draft.kind,
        package: shared.package_name(draft.package).to_owned(),
        name: draft.name.clone(),
        name_at: draft.name_at.clone(),
        version: draft.version.clone(),
        latest: draft.latest,
        file: draft.file,
        at: draft.at,
        columns: draft.properties.iter().flat_map(columns_of).collect(),
        said: draft.properties.iter().flat_map(said_of).collect(),
        config,
        relation: shared.relation(index).map(|part| part.text.text().to_owned()).collect(),
        is_open: shared.relation(index).any(|part| part.open),
        keys: shared.keys(draft),
        settings: draft.properties.iter().filter_map(|entry| entry.get("config")).flat_map(Yaml::named_texts).collect(),
        renderings,
        truncated: ways.truncated,
        in_threes: ways.in_threes,
        edges: joined(edges, edges_of(hooks.iter())),
    };
    (node, unknown)
}

/// Whether each rendering that has a text refers to a target.
fn is_always(renderings: &[NodeRendering], target: Target) -> bool {
    let mut texts = renderings.iter().filter(|rendering| rendering.text.is_ok());
    let refers = |rendering: &NodeRendering| rendering.references.iter().any(|found| found.target == Some(target));
    texts.all(refers)
}

/// What the literals of a template refer to, if it renders in no way.
fn literal_references(shared: &Shared, draft: &Draft) -> Vec<Reference> {
    let calls = literal_calls(draft.body()).into_iter().map(|call| {
        let text = |index: usize| call.arguments.get(index).map_or("", |argument| argument.text());
        let target = match (call.is_source, call.arguments.len()) {
            (true, _) => shared.find_source(text(0), text(1), draft.package).map(Target::Source),
            (false, 2) => shared.find_node(Some(text(0)), text(1), None, draft.package).map(Target::Node),
            (false, _) => shared.find_node(None, text(0), None, draft.package).map(Target::Node),
        };
        let kind = if call.is_source { ReferenceKind::Source } else { ReferenceKind::Ref };
        let arguments = call.arguments.iter().map(|argument| (**argument).clone()).collect();
        Reference { kind, arguments, at: call.at, target }
    });
    calls.collect()
}

/// A rendering with what its host noted.
fn finish(way: Rendering<DbtHost>) -> (NodeRendering, Notes) {
    let mut notes = std::mem::take::<Notes>(&mut way.host.0.notes.borrow_mut());
    let config = notes.config.iter().map(|(key, value)| (key.clone(), shown(value))).collect();
    let references = std::mem::take(&mut notes.references);
    (NodeRendering { text: way.text, decisions: way.decisions, holes: way.holes, references, config }, notes)
}

/// Puts what `config()` was given over what was known before.
fn given_config(config: &mut Config, notes: &Notes) {
    for (key, value) in &notes.config {
        let text = (!matches!(value, Value::None)).then(|| shown(value));
        match &**key {
            "enabled" => config.enabled = value.truth().or(config.enabled),
            "materialized" => config.materialized = text,
            "schema" => config.schema = text,
            "alias" => config.alias = text,
            "database" => config.database = text,
            _ => {}
        }
    }
}

/// What the hooks of a node refer to.
fn hooks_of(shared: &Arc<Shared>, index: usize, draft: &Draft, notes: &Notes) -> Vec<Reference> {
    let mut found = Vec::new();
    for (_, value) in notes.config.iter().filter(|(key, _)| matches!(&**key, "pre_hook" | "post_hook")) {
        let texts =
            if matches!(value, Value::List(_)) { value.items().unwrap_or_default() } else { vec![value.clone()] };
        for text in texts.iter().filter_map(|text| if let Value::Text(text) = text { Some(text) } else { None }) {
            let Some(at) = text.copy_of(0..text.text().len()).filter(|_| text.text().contains("{{")) else { continue };
            if let Ok(template) = parse(at.file, shared.loaded.files.text(at.file), at.range()) {
                found.extend(gathered(shared, Some(index), draft.package, &template.body));
            }
        }
    }
    let mut scalars = Vec::new();
    let declared: Vec<Yaml> = ["pre-hook", "post-hook", "pre_hook", "post_hook"]
        .iter()
        .filter_map(|key| shared.declared(index, key))
        .collect();
    for hook in &declared {
        hook.all_scalars(&mut scalars);
    }
    if draft.template.is_some() {
        found.extend(scalars.into_iter().flat_map(|hook| references_in(shared, Some(index), draft.package, hook)));
    }
    found
}

/// The edges of references: each target once, with all places.
pub(super) fn edges_of<'a>(references: impl Iterator<Item = &'a Reference>) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    let mut by_target: HashMap<Target, usize> = HashMap::new();
    for reference in references.filter(|reference| reference.kind != ReferenceKind::This) {
        let Some(target) = reference.target else { continue };
        let mut literals = Vec::new();
        for span in reference.arguments.iter().flat_map(Traced::sources) {
            if !literals.contains(&span) {
                literals.push(span);
            }
        }
        let at = *by_target.entry(target).or_insert_with(|| {
            edges.push(Edge { target, always: true, places: Vec::new() });
            edges.len() - 1
        });
        let place = (reference.at, literals);
        if !edges[at].places.contains(&place) {
            edges[at].places.push(place);
        }
    }
    edges
}
