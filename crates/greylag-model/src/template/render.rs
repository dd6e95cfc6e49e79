//! From a template and datasets to a migration.

use super::Candidate;
use super::rendered::{Applied, Left, Pair, Rendered};
use super::rule::{Groups, Ready, Rule, ready};
use crate::cast::{Conversion, conversion};
use crate::cel::Variables;
use crate::code::spec as code;
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::operation::quoted_name;
use crate::schema::Column;
use crate::snapshot::Observed;
use crate::spec::{
    self, ColumnSpec, DropSpec, MappingSpec, Migration, MigrationSpec, MigrationTemplate, SetSpec, Unmatched,
};
use crate::types::DataType;
use crate::yaml::Places;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Names in a grouped message.
const SHOWN: usize = 3;

/// Renders a template for the datasets that it selects among the candidates. Fails with everything that is wrong with the
/// template itself; what is wrong with one dataset blocks its pair.
pub fn render(
    template: &MigrationTemplate,
    places: &Places,
    parameters: &Value,
    candidates: &[Candidate],
) -> Result<Rendered, Vec<Diagnostic>> {
    let ready = ready(template, places)?;
    let mut renderer = Renderer {
        template,
        places,
        parameters,
        ready: &ready,
        known: candidates.iter().map(|candidate| &candidate.entity).collect(),
        matched: vec![0; ready.rules.len()],
        missed: vec![Vec::new(); ready.rules.len()],
    };
    let mut rendered = Rendered {
        migration: empty(template, parameters),
        pairs: Vec::new(),
        unchanged: Vec::new(),
        done: Vec::new(),
        unread: Vec::new(),
        warnings: Vec::new(),
        places: places.clone(),
    };
    for candidate in candidates {
        renderer.dataset(candidate, &mut rendered);
    }
    rendered.warnings.extend(renderer.unmatched());
    if template.spec.increments.is_some() {
        drop_targets(&mut rendered);
    }
    same_targets(&mut rendered);
    Ok(rendered)
}

/// What earlier runs have made is not taken for something to migrate.
fn drop_targets(rendered: &mut Rendered) {
    let entity = |text: &str| EntityRef::parse_in(text, Some("resource"), "default").ok();
    let datasets = std::mem::take(&mut rendered.migration.spec.datasets);
    let targets: HashSet<EntityRef> = datasets.iter().filter_map(|pair| entity(&pair.to)).collect();
    let pairs = std::mem::take(&mut rendered.pairs);
    for (dataset, pair) in datasets.into_iter().zip(pairs) {
        if targets.contains(&pair.source) {
            rendered.unchanged.push(pair.source);
        } else {
            rendered.migration.spec.datasets.push(dataset);
            rendered.pairs.push(pair);
        }
    }
}

fn empty(template: &MigrationTemplate, parameters: &Value) -> Migration {
    let spec = &template.spec;
    Migration {
        api_version: spec::API_VERSION.to_owned(),
        kind: "Migration".to_owned(),
        metadata: template.metadata.clone(),
        spec: MigrationSpec {
            datasets: Vec::new(),
            mapping: None,
            layout: spec.layout.clone(),
            checks: spec.checks.clone(),
            steps: spec.steps.clone(),
            commands: spec.commands.clone(),
            parameters: parameters.clone(),
            retry: spec.retry.clone(),
            timeout: spec.timeout.clone(),
            through: spec.through,
            retention: spec.retention.clone(),
            rollout: spec.rollout.clone(),
            increments: spec.increments.clone(),
            consumers: spec.consumers.clone(),
            priority: spec.priority,
        },
    }
}

struct Renderer<'a> {
    template: &'a MigrationTemplate,
    places: &'a Places,
    parameters: &'a Value,
    ready: &'a Ready<'a>,
    known: HashSet<&'a EntityRef>,
    /// Datasets in which each rule matched.
    matched: Vec<usize>,
    /// Datasets in which it did not.
    missed: Vec<Vec<EntityRef>>,
}

/// What rules want of one column.
#[derive(Default)]
struct Wanted {
    set: SetSpec,
    /// By key of `set`, the rule that asked for it.
    by: BTreeMap<&'static str, usize>,
    drop: Option<(usize, String)>,
    rules: Vec<usize>,
}

impl Renderer<'_> {
    fn dataset(&mut self, candidate: &Candidate, rendered: &mut Rendered) {
        let observed = match &candidate.observed {
            Ok(observed) => observed,
            Err(why) => {
                let why = why.first().map(|one| one.message.clone()).unwrap_or_default();
                rendered.unread.push(Left { entity: candidate.entity.clone(), why });
                return;
            }
        };
        let variables = self.variables(candidate, observed);
        let mut pair = Pair {
            source: candidate.entity.clone(),
            applied: Vec::new(),
            problems: Vec::new(),
            columns: Vec::new(),
            drops: Vec::new(),
        };
        match self.ready.select.holds(&variables) {
            Ok(true) => {}
            Ok(false) => return,
            Err(why) => {
                let why = format!("`select` {why}");
                rendered.unread.push(Left { entity: candidate.entity.clone(), why });
                return;
            }
        }
        let plain = |literal: &str, out: &mut String| out.push_str(literal);
        let mut text = |pointer: &str, text: &crate::cel::Text| match text.write(&variables, plain) {
            Ok(text) => text,
            Err(why) => {
                pair.problems.push(self.problem(pointer, format!("`{}`: the text {why}", candidate.entity.short())));
                String::new()
            }
        };
        let to = text("/spec/to", &self.ready.to);
        let location = self.ready.location.as_ref().map(|location| text("/spec/location", location));
        if pair.problems.is_empty() {
            // What increments go on from is there already.
            let again = self.template.spec.increments.is_some();
            match EntityRef::parse_in(&to, Some("resource"), "default") {
                Ok(target) if !again && self.known.contains(&target) && target != candidate.entity => {
                    rendered.done.push(candidate.entity.clone());
                    return;
                }
                Ok(_) => {}
                Err(why) => {
                    let (old, new) = (candidate.entity.short(), to.escape_debug());
                    pair.problems
                        .push(self.problem("/spec/to", format!("`{old}`: the new dataset's name `{new}` {why}")));
                }
            }
        }
        let mapping = self.mapping(observed, &variables, &mut pair);
        let changes = !pair.columns.is_empty() || !pair.drops.is_empty() || self.template.spec.layout.is_some();
        if !changes && pair.problems.is_empty() {
            rendered.unchanged.push(candidate.entity.clone());
            return;
        }
        rendered.migration.spec.datasets.push(spec::Pair {
            from: candidate.entity.short(),
            to,
            location,
            table: None,
            mapping: Some(mapping),
            layout: None,
            checks: Vec::new(),
            derived: None,
            watermark: None,
        });
        rendered.pairs.push(pair);
    }

    fn problem(&self, pointer: &str, message: String) -> Diagnostic {
        Diagnostic::error(code::TEMPLATE_DATASET, message).at(Some(self.places.value(pointer)))
    }

    fn variables(&self, candidate: &Candidate, observed: &Observed) -> Variables {
        let partitions = &observed.layout.partition_by;
        let layout = serde_json::to_value(&observed.layout).unwrap_or_default();
        let dataset = json!({
            "ref": candidate.entity.to_string(),
            "name": candidate.entity.name,
            "namespace": candidate.entity.namespace,
            "type": candidate.entity_type,
            "owner": candidate.owner.as_ref().map(ToString::to_string),
            "lifecycle": candidate.lifecycle,
            "tags": candidate.tags,
            "annotations": candidate.annotations,
            "path": candidate.location.path,
            "format": layout.pointer("/format/format").or_else(|| layout.get("format")).cloned().unwrap_or_default(),
            "shape": layout.get("shape").cloned().unwrap_or_default(),
            "partitions": partitions,
            "files": observed.files,
            "bytes": observed.bytes,
        });
        let columns: Vec<Value> = observed.schema.columns.iter().map(|column| described(column, partitions)).collect();
        [("params", self.parameters.clone()), ("dataset", dataset), ("columns", Value::Array(columns))].into()
    }

    /// What the rules make of a dataset's columns.
    fn mapping(&mut self, observed: &Observed, variables: &Variables, pair: &mut Pair) -> MappingSpec {
        let rules: Vec<(usize, &Rule<'_>)> =
            self.ready.rules.iter().enumerate().filter(|(_, rule)| rule.is_for(&variables["dataset"])).collect();
        let mut matched = HashSet::new();
        let mut mapping = MappingSpec::default();
        let mut variables = variables.clone();
        for column in &observed.schema.columns {
            variables.insert("column", described(column, &observed.layout.partition_by));
            let mut wanted = Wanted::default();
            for (number, rule) in &rules {
                match rule.matches(column, &variables) {
                    Ok(None) => {}
                    Ok(Some(groups)) => {
                        matched.insert(*number);
                        self.want(*number, rule, &groups, column, &variables, &mut wanted, pair);
                    }
                    Err(why) => pair.problems.push(self.problem(
                        &format!("/spec/rules/{number}/match/when"),
                        format!("`{}`, column `{}`: {why}", pair.source.short(), column.name),
                    )),
                }
            }
            self.write(column, wanted, &mut mapping, pair);
        }
        same_names(self, observed, &mapping, pair);
        for (number, rule) in rules {
            if matched.contains(&number) {
                self.matched[number] += 1;
                continue;
            }
            self.missed[number].push(pair.source.clone());
            if rule.spec.unmatched == Unmatched::Fail {
                let message = format!("`{}`: {} matches no column", pair.source.short(), rule.called(number));
                pair.problems.push(self.problem(&format!("/spec/rules/{number}/match"), message));
            }
        }
        mapping
    }

    /// Adds what one rule wants of a column; another rule that wants something else is a problem.
    #[expect(clippy::too_many_arguments, reason = "all of them differ from call to call")]
    fn want(
        &self,
        number: usize,
        rule: &Rule<'_>,
        groups: &Groups<'_>,
        column: &Column,
        variables: &Variables,
        wanted: &mut Wanted,
        pair: &mut Pair,
    ) {
        wanted.rules.push(number);
        let mut collide = |key: &str, other: usize| {
            let (one, two) = (self.ready.rules[other].called(other), rule.called(number));
            let message = format!(
                "`{}`, column `{}`: {one} and {two} want different things ({key})",
                pair.source.short(),
                column.name
            );
            let place = self.places.value(&format!("/spec/rules/{other}"));
            let at = if rule.spec.drop.is_some() { "drop" } else { "set" };
            let diagnostic = self.problem(&format!("/spec/rules/{number}/{at}"), message);
            pair.problems.push(
                diagnostic
                    .hint(format!("the other one is in line {}: let only one of them match the column", place.line)),
            );
        };
        if let Some(reason) = &rule.spec.drop {
            match wanted.by.values().next() {
                Some(other) => collide("a change and a drop", *other),
                None => wanted.drop = wanted.drop.take().or_else(|| Some((number, reason.clone()))),
            }
            return;
        }
        let Some(set) = &rule.spec.set else { return };
        if let Some((other, _)) = &wanted.drop {
            collide("a drop and a change", *other);
            return;
        }
        let mut failed: Vec<(&str, String)> = Vec::new();
        let mut text =
            |key: &'static str, text: &Option<crate::cel::Text>| match groups.write(text.as_ref()?, variables) {
                Ok(text) => Some(text),
                Err(why) => {
                    failed.push((key, why));
                    None
                }
            };
        let texts = &rule.texts;
        let (name, expr, data_type, default) = (
            text("name", &texts.name),
            text("expr", &texts.expr),
            text("type", &texts.data_type),
            text("default", &texts.default),
        );
        let mut take = |key: &'static str, is_set: bool, differs: bool| {
            if !is_set {
                return false;
            }
            match wanted.by.get(key) {
                Some(other) if differs => {
                    collide(key, *other);
                    false
                }
                Some(_) => false,
                None => {
                    wanted.by.insert(key, number);
                    true
                }
            }
        };
        let have = &mut wanted.set;
        macro_rules! take {
            ($key:literal, $field:ident, $new:expr) => {
                let new = $new;
                if take($key, new.is_some(), have.$field != new) {
                    have.$field = new;
                }
            };
        }
        take!("name", name, name);
        take!("expr", expr, expr);
        take!("type", data_type, data_type);
        take!("default", default, default);
        take!("loss", loss, set.loss);
        take!("misfit", misfit, set.misfit);
        take!("tolerance", tolerance, set.tolerance);
        take!("judgement", judgement, set.judgement.clone());
        take!("description", description, set.description.clone());
        for (key, why) in failed {
            let message = format!("`{}`, column `{}`: the text {why}", pair.source.short(), column.name);
            pair.problems.push(self.problem(&format!("/spec/rules/{number}/set/{key}"), message));
        }
    }

    /// Writes what is wanted of a column into the mapping, unless the column is so already.
    fn write(&self, column: &Column, wanted: Wanted, mapping: &mut MappingSpec, pair: &mut Pair) {
        let Wanted { mut set, by, drop, rules } = wanted;
        let called = |rules: &[usize]| rules.iter().map(|at| self.ready.rules[*at].called(*at)).collect();
        if let Some((rule, reason)) = drop {
            mapping.drop.push(DropSpec { name: column.name.clone(), reason, judgement: None });
            pair.drops.push(rule);
            pair.applied.push(Applied { column: column.name.clone(), rules: called(&rules) });
            return;
        }
        if let Some(text) = &set.data_type
            && set.expr.is_none()
            && let Ok(wanted) = text.parse::<DataType>()
        {
            if wanted == column.data_type {
                (set.data_type, set.loss, set.misfit) = (None, None, None);
            } else if conversion(&column.data_type, &wanted) == Conversion::Exact {
                set.loss = None;
            }
        }
        if set.name.as_deref() == Some(column.name.as_str()) {
            set.name = None;
        }
        let changes = SetSpec { loss: None, misfit: None, tolerance: None, description: None, ..set.clone() };
        if changes == SetSpec::default() {
            return;
        }
        let first = by.values().next().copied().unwrap_or_default();
        mapping.columns.push(ColumnSpec {
            name: set.name.unwrap_or_else(|| column.name.clone()),
            from: Some(column.name.clone()),
            expr: set.expr,
            data_type: set.data_type,
            loss: set.loss,
            misfit: set.misfit,
            default: set.default,
            tolerance: set.tolerance,
            judgement: set.judgement,
            description: set.description,
        });
        pair.columns.push(first);
        pair.applied.push(Applied { column: column.name.clone(), rules: called(&rules) });
    }

    /// Rules that matched nothing, each once.
    fn unmatched(&self) -> Vec<Diagnostic> {
        let missed = self.missed.iter().enumerate().filter(|(_, missed)| !missed.is_empty());
        let warned = missed.filter(|(number, _)| self.ready.rules[*number].spec.unmatched == Unmatched::Warn);
        warned
            .map(|(number, missed)| {
                let rule = &self.ready.rules[number];
                let names: Vec<String> = missed.iter().take(SHOWN).map(EntityRef::short).collect();
                let more = if missed.len() > SHOWN { ", …" } else { "" };
                let message = format!(
                    "{} matches no column of {} of {} datasets ({}{more})",
                    rule.called(number),
                    missed.len(),
                    missed.len() + self.matched[number],
                    names.join(", ")
                );
                Diagnostic::warning(code::TEMPLATE_UNMATCHED, message)
                    .at(Some(self.places.value(&format!("/spec/rules/{number}/match"))))
                    .hint("`unmatched: allow` says that this is meant, `unmatched: fail` blocks such datasets")
            })
            .collect()
    }
}

fn described(column: &Column, partitions: &[String]) -> Value {
    json!({
        "name": column.name,
        "quoted": quoted_name(&column.name),
        "type": column.data_type.to_string(),
        "nullable": column.nullable,
        "partition": partitions.contains(&column.name),
    })
}

/// Two columns that would get one name.
fn same_names(renderer: &Renderer<'_>, observed: &Observed, mapping: &MappingSpec, pair: &mut Pair) {
    let changed: HashMap<&str, (&str, usize)> = mapping
        .columns
        .iter()
        .zip(&pair.columns)
        .filter_map(|(column, rule)| Some((column.from.as_deref()?, (column.name.as_str(), *rule))))
        .collect();
    let dropped: HashSet<&str> = mapping.drop.iter().map(|drop| drop.name.as_str()).collect();
    let mut first: HashMap<&str, (&str, Option<usize>)> = HashMap::new();
    let mut found = Vec::new();
    for column in observed.schema.columns.iter().filter(|column| !dropped.contains(column.name.as_str())) {
        let (name, rule) = match changed.get(column.name.as_str()) {
            Some((name, rule)) => (*name, Some(*rule)),
            None => (column.name.as_str(), None),
        };
        if let Some((other, other_rule)) = first.insert(name, (&column.name, rule)) {
            let number = rule.or(other_rule).unwrap_or_default();
            let message = format!(
                "`{}`: the columns `{other}` and `{}` would both be called `{name}`",
                pair.source.short(),
                column.name
            );
            found.push(renderer.problem(&format!("/spec/rules/{number}/set"), message));
        }
    }
    pair.problems.extend(found);
}

/// Two datasets that would get one successor.
fn same_targets(rendered: &mut Rendered) {
    let mut first: HashMap<String, usize> = HashMap::new();
    for at in 0..rendered.pairs.len() {
        let to = rendered.migration.spec.datasets[at].to.to_lowercase();
        if to.is_empty() {
            continue;
        }
        if let Some(other) = first.insert(to, at) {
            let (one, two) = (rendered.pairs[other].source.short(), &rendered.pairs[at].source);
            let message = format!(
                "`{one}` and `{}` would both become `{}`",
                two.short(),
                rendered.migration.spec.datasets[at].to
            );
            let place = rendered.places.value("/spec/to");
            let diagnostic = Diagnostic::error(code::TEMPLATE_DATASET, message)
                .at(Some(place))
                .hint("let `to` tell them apart, e.g. with `dataset.namespace`");
            rendered.pairs[at].problems.push(diagnostic);
        }
    }
}
