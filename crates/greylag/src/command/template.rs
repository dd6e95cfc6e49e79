//! `greylag template`: what templates there are, what they ask, and what becomes of them.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::migration_files::{self, Origin};
use crate::output::{self, Format, Row, heading, wide};
use crate::templates::Parameters;
use clap::{Args, Subcommand};
use greylag_model::code;
use greylag_model::spec::{MigrationTemplate, ParameterType};
use std::fmt::Write;
use std::path::PathBuf;

/// Look at migration templates, and at what they become.
#[derive(Debug, Args)]
pub(crate) struct Template {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Render(Render),
}

/// List the templates of files.
#[derive(Debug, Args)]
struct List {
    /// Files, directories of them, or `-` for standard input.
    #[arg(short, long, required = true, value_name = "FILE")]
    file: Vec<PathBuf>,
}

/// Show a template's parameters and rules.
#[derive(Debug, Args)]
struct Show {
    /// The template; may be left out if there is only one.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Files, directories of them, or `-` for standard input.
    #[arg(short, long, required = true, value_name = "FILE")]
    file: Vec<PathBuf>,
}

/// Show which datasets a template takes and what its rules make of them.
///
/// `-o json` prints the migration that it becomes, which is a migration file of its own: it can be kept, edited and planned.
#[derive(Debug, Args)]
struct Render {
    /// The template; may be left out if there is only one.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Files, directories of them, or `-` for standard input.
    #[arg(short, long, required = true, value_name = "FILE")]
    file: Vec<PathBuf>,
    #[command(flatten)]
    parameters: Parameters,
}

impl Template {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            Command::List(list) => list.run(context),
            Command::Show(show) => show.run(context),
            Command::Render(render) => render.run(context),
        }
    }
}

impl List {
    fn run(&self, context: &Context) -> Outcome {
        let files = migration_files::read(&self.file, context.format().is_json())?;
        let row = |template: &MigrationTemplate| {
            let spec = &template.spec;
            let cells = vec![
                template.metadata.name.clone(),
                spec.rules.len().to_string(),
                spec.parameters.iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(", "),
                template.metadata.title.clone().unwrap_or_default(),
                spec.select.clone(),
            ];
            Row::new(template.metadata.name.clone(), cells, template)
        };
        let rows = files.templates.iter().map(|(template, _)| row(template)).collect();
        let headings = [heading("name"), heading("rules"), heading("parameters"), heading("title"), wide("select")];
        output::list(context.format(), "templates", &headings, rows)?;
        Ok(Exit::Done)
    }
}

impl Show {
    fn run(&self, context: &Context) -> Outcome {
        let files = migration_files::read(&self.file, context.format().is_json())?;
        let at =
            chosen(files.templates.iter().map(|(template, _)| template.metadata.name.as_str()), self.name.as_deref())?;
        let template = &files.templates[at].0;
        match context.format() {
            Format::Json | Format::Ndjson => output::document(context.format(), "template", template)?,
            Format::Name => output::text(&format!("{}\n", template.metadata.name))?,
            Format::Table | Format::Wide => output::text(&drawing(template))?,
        }
        Ok(Exit::Done)
    }
}

/// Which of the templates a person means.
fn chosen<'a>(names: impl Iterator<Item = &'a str> + Clone, asked: Option<&str>) -> Result<usize, Failure> {
    let all: Vec<&str> = names.collect();
    let failure = |message: String| Failure::error(code::cli::NOT_FOUND, message);
    match (asked, all.as_slice()) {
        (_, []) => {
            Err(failure("the files hold no template".to_owned())
                .hint("a document with `kind: MigrationTemplate` is one"))
        }
        (None, [_]) => Ok(0),
        (None, several) => Err(failure(format!("the files hold {} templates", several.len()))
            .hint(format!("name one: {}", several.join(", ")))),
        (Some(name), several) => several.iter().position(|one| *one == name).ok_or_else(|| {
            failure(format!("the files hold no template `{name}`")).hint(format!("there is {}", several.join(", ")))
        }),
    }
}

fn drawing(template: &MigrationTemplate) -> String {
    let mut text = shown(&template.metadata.name);
    for words in template.metadata.title.iter().chain(&template.metadata.description) {
        let _ = write!(text, "\n  {}", shown(words.trim_end()));
    }
    let spec = &template.spec;
    let _ = write!(text, "\n\nTakes    {}\nBecomes  {}\n", shown(&spec.select), shown(&spec.to));
    if !spec.parameters.is_empty() {
        text.push_str("\nParameters\n");
    }
    for parameter in &spec.parameters {
        let kind = match parameter.value_type {
            ParameterType::String => "string",
            ParameterType::Integer => "integer",
            ParameterType::Number => "number",
            ParameterType::Boolean => "boolean",
        };
        let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let default = parameter
            .default
            .as_ref()
            .map_or_else(|| "required".to_owned(), |value| format!("default {}", plain(value)));
        let words = parameter.description.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {}  {kind}, {}  {}", parameter.name, shown(&default), shown(words));
    }
    text.push_str("\nRules\n");
    for (number, rule) in spec.rules.iter().enumerate() {
        let plain = |value: serde_json::Value| {
            let fields = value.as_object().into_iter().flatten();
            let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.map(|(key, value)| format!("{key} {}", text(value))).collect::<Vec<_>>().join(", ")
        };
        let name = rule.name.clone().unwrap_or_else(|| format!("rule {}", number + 1));
        let matches = plain(serde_json::to_value(&rule.matches).unwrap_or_default());
        let effect = match (&rule.set, &rule.drop) {
            (Some(set), _) => plain(serde_json::to_value(set).unwrap_or_default()),
            (None, Some(reason)) => format!("dropped: {reason}"),
            (None, None) => String::new(),
        };
        let _ = writeln!(text, "  {}: {} → {}", shown(&name), shown(&matches), shown(&effect));
    }
    text
}

impl Render {
    fn run(&self, context: &Context) -> Outcome {
        let mut files = migration_files::read(&self.file, context.format().is_json())?;
        let at =
            chosen(files.templates.iter().map(|(template, _)| template.metadata.name.as_str()), self.name.as_deref())?;
        files.templates.swap(0, at);
        files.templates.truncate(1);
        files.migrations.clear();
        self.parameters.render(context, &mut files)?;
        let Some((migration, Origin::Rendered(rendered))) = files.migrations.first() else {
            return Err(Failure::error(code::cli::INTERNAL, "the template became nothing"));
        };
        let mut blocked = false;
        let mut rows = Vec::with_capacity(rendered.pairs.len());
        let mut problems = Vec::new();
        for (pair, spec) in rendered.pairs.iter().zip(&migration.spec.datasets) {
            blocked |= !pair.problems.is_empty();
            problems.extend(pair.problems.iter().cloned());
            let changes: Vec<String> =
                pair.applied.iter().map(|one| format!("{} ({})", one.column, one.rules.join(", "))).collect();
            let state = if pair.problems.is_empty() { "" } else { "blocked" };
            let cells = vec![spec.from.clone(), spec.to.clone(), state.to_owned(), changes.join("; ")];
            let value = serde_json::json!({ "from": spec.from, "to": spec.to, "applied": pair.applied });
            rows.push(Row::new(spec.from.clone(), cells, &value));
        }
        crate::failure::report(&problems, &files.sources, context.format().is_json());
        if context.format() == Format::Json {
            // A migration file, so nothing but that is in it.
            let text = serde_json::to_string_pretty(migration).unwrap_or_default();
            output::text(&(text + "\n"))?;
        } else {
            let headings = [heading("from"), heading("to"), heading("state"), heading("changes")];
            output::list(context.format(), "pairs", &headings, rows)?;
            for (datasets, why) in [
                (&rendered.unchanged, "nothing would change in them"),
                (&rendered.done, "their successors are there already"),
            ] {
                if !datasets.is_empty() {
                    context.say(&format!("{} more datasets are taken by `select`, but {why}", datasets.len()));
                }
            }
        }
        Ok(if blocked { Exit::Incomplete } else { Exit::Done })
    }
}
