//! Templates become migrations before anything else is done with them.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::migration_files::{Files, Origin};
use crate::wire;
use clap::Args;
use greylag_engine::candidates::candidates;
use greylag_engine::probe::World;
use greylag_model::code;
use greylag_model::diagnostic::Diagnostic;
use greylag_model::operation::nearest;
use greylag_model::snapshot::Snapshot;
use greylag_model::spec::MigrationTemplate;
use greylag_model::template::{Rendered, parameters, render};
use greylag_model::yaml::Places;
use std::collections::{BTreeMap, BTreeSet};

/// Datasets that are named in a warning.
const NAMED: usize = 5;

/// Values of templates' parameters.
#[derive(Debug, Default, Args)]
pub(crate) struct Parameters {
    /// Value of a template's parameter.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

impl Parameters {
    /// Turns the files' templates into migrations, for the datasets that the catalog has now.
    pub(crate) fn render(&self, context: &Context, files: &mut Files) -> Result<(), Failure> {
        let given = self.given(&files.templates)?;
        if files.templates.is_empty() {
            return Ok(());
        }
        let templates = std::mem::take(&mut files.templates);
        let state = context.state()?;
        let describe = wire::describe(state, &files.roots);
        let world = World { catalog: state.catalog.as_ref(), describe: &describe, connections: &files.roots };
        let annotated = templates.iter().any(|(template, _)| asks_for_annotations(template));
        let candidates = candidates(world, annotated)?;
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for (template, places) in &templates {
            let rendered = parameters(template, places, &given)
                .and_then(|parameters| render(template, places, &parameters, &candidates));
            match rendered {
                Ok(rendered) => {
                    warnings.extend(rendered.warnings.iter().cloned());
                    warnings.extend(left_out(&rendered));
                    if rendered.pairs.is_empty() {
                        errors.push(nothing(&rendered, candidates.len()));
                    }
                    files.migrations.push((rendered.migration.clone(), Origin::Rendered(Box::new(rendered))));
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        failure::report(&warnings, &files.sources, context.format().is_json());
        if errors.is_empty() {
            return Ok(());
        }
        Err(Failure { exit: Exit::Failed, diagnostics: errors, sources: files.sources.clone() })
    }

    /// What was given, by name; each must be a parameter of some template.
    fn given(&self, templates: &[(MigrationTemplate, Places)]) -> Result<BTreeMap<String, String>, Failure> {
        let known: BTreeSet<&str> = templates
            .iter()
            .flat_map(|(template, _)| &template.spec.parameters)
            .map(|parameter| parameter.name.as_str())
            .collect();
        let mut given = BTreeMap::new();
        for text in &self.set {
            let Some((name, value)) = text.split_once('=') else {
                return Err(Failure::usage(format!("`--set {text}` gives no value")).hint("write `--set NAME=VALUE`"));
            };
            if !known.contains(name) {
                let failure = Failure::usage(format!("no template of the files has a parameter `{name}`"));
                return Err(match nearest(name, known.iter().copied()) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint("`greylag template show` lists parameters"),
                });
            }
            if given.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(Failure::usage(format!("`--set {name}` is given twice")));
            }
        }
        Ok(given)
    }
}

fn asks_for_annotations(template: &MigrationTemplate) -> bool {
    serde_json::to_string(template).is_ok_and(|text| text.contains("annotation"))
}

/// Datasets that may have been meant and could not be looked at.
fn left_out(rendered: &Rendered) -> Option<Diagnostic> {
    let first = rendered.unread.first()?;
    let names: Vec<String> = rendered.unread.iter().take(NAMED).map(|left| left.entity.short()).collect();
    let more = if rendered.unread.len() > NAMED { ", …" } else { "" };
    let message = format!(
        "{} datasets could not be looked at, so the template leaves them out ({}{more})",
        rendered.unread.len(),
        names.join(", ")
    );
    Some(Diagnostic::warning(code::spec::TEMPLATE_UNMATCHED, message).hint(format!("the first one: {}", first.why)))
}

fn nothing(rendered: &Rendered, candidates: usize) -> Diagnostic {
    let taken = rendered.unchanged.len() + rendered.done.len();
    let message = if taken == 0 {
        format!("`select` takes none of the catalog's {candidates} datasets")
    } else {
        format!("nothing is left to do for the {taken} datasets that `select` takes")
    };
    Diagnostic::error(code::spec::TEMPLATE_UNMATCHED, message).at(Some(rendered.place("/spec/select")))
}

/// Blocks the pairs that a template does not fit.
pub(crate) fn block(origin: &Origin, snapshot: &mut Snapshot) {
    let Origin::Rendered(rendered) = origin else { return };
    for (pair, probed) in rendered.pairs.iter().zip(&mut snapshot.pairs) {
        if !pair.problems.is_empty() {
            probed.source = Err(pair.problems.clone());
        }
    }
}
