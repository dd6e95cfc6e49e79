//! `greylag refs`: where code names a dataset or a column of one.

use crate::consumers::{self, Source};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{self, Row, heading, wide};
use crate::reading::Reading;
use clap::Args;
use greylag_code::repository::Seen;
use greylag_model::reference::{Confidence, Reference};
use greylag_model::table::TableName;
use std::path::PathBuf;

/// Show where code names a dataset or a column of it.
///
/// Every place is shown with what the code does there and how sure it is: an alias, a common table expression, a comment, a
/// string or another table's column of the same name is none. What could not be read is counted and shown as unknown. Nothing of
/// the code is run. Asked again, what did not change is not read again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag refs ~/src/reports --dataset users_v1\n  \
                        greylag refs models/ jobs/nightly.sql --dataset raw.users --column uid -o json")]
pub(crate) struct Refs {
    /// Repositories, or single files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The dataset: a name of the catalog, or the table as code names it, which the catalog may know by `greylag.dev/table`.
    #[arg(short, long, value_name = "NAME")]
    dataset: String,
    /// Only this column of it.
    #[arg(short, long, value_name = "COLUMN")]
    column: Option<String>,
    /// How code names the dataset, instead of what the catalog says.
    #[arg(long, value_name = "TABLE")]
    table: Vec<TableName>,
    #[command(flatten)]
    reading: Reading,
}

impl Refs {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let changes = [consumers::unchanged(context, &self.dataset, &self.table)?];
        let said = self.reading.said();
        let (mut references, mut seen) = (Vec::new(), Seen::default());
        for path in &self.paths {
            let source = Source::open(path)?;
            source.tell(context);
            let report = consumers::look(context, &source, &changes, said.options())?;
            seen.add(report.seen);
            let found = report.files.into_iter().flat_map(|file| file.references);
            references.extend(found.filter(|reference| self.is_asked_for(reference)).map(|reference| Reference {
                path: source.root.join(&reference.path).to_string_lossy().into_owned(),
                ..reference
            }));
        }
        let unknown = references.iter().filter(|found| found.confidence == Confidence::Unknown).count();
        context.say(&format!(
            "{} references, {unknown} of them unknown; {} files, {} of SQL; statements in those that may name it: {}, places there that \
             could not be read: {}",
            references.len(),
            output::count(seen.files),
            output::count(seen.sql),
            output::count(seen.statements),
            output::count(seen.unknown)
        ));
        let headings =
            [heading("place"), heading("column"), heading("role"), heading("confidence"), wide("bytes"), wide("why")];
        output::list(context.format(), "references", &headings, references.iter().map(row).collect())?;
        Ok(Exit::Done)
    }

    fn is_asked_for(&self, reference: &Reference) -> bool {
        let asked = self.column.as_deref();
        asked.is_none_or(|asked| reference.column.as_deref().is_some_and(|column| column.eq_ignore_ascii_case(asked)))
    }
}

fn row(reference: &Reference) -> Row {
    let place = format!("{}:{}:{}", reference.path, reference.line, reference.position);
    let cells = vec![
        place.clone(),
        reference.column.clone().unwrap_or_default(),
        word(&reference.role),
        word(&reference.confidence),
        format!("{}..{}", reference.start, reference.end),
        reference.why.clone(),
    ];
    Row::new(place, cells, reference)
}

/// A value's word as JSON has it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
