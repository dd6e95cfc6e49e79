//! `greylag diff`: which rows of two datasets differ, and how.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome, shown};
use crate::migration_files::{self, Files};
use crate::output::{self, Format};
use crate::templates::Parameters;
use crate::{progress, wire};
use clap::Args;
use greylag_catalog::ask;
use greylag_data::describe::local::LocalFiles;
use greylag_data::diff::{Cell, Difference, Kind, Options, Report, Side};
use greylag_driver::describe::Describe;
use greylag_model::code;
use greylag_model::dataset::{Dataset, Location};
use greylag_model::entity::EntityRef;
use greylag_model::mapping::Mapping;
use greylag_model::plan::mapping_of;
use greylag_model::snapshot::Observed;
use greylag_model::spec::Tolerance;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Show which rows of two datasets differ, and how.
///
/// A and B are names of the catalog, or paths of files and directories. Columns are paired by name, values are compared as
/// what they mean: `1` and `1.00`, a timestamp in seconds and the same in nanoseconds, NaN and NaN are equal. With a key,
/// rows of the same key are held against each other; without one, whole rows are counted on both sides. With `--mapping`, A
/// is first turned into what a migration makes of it, so that only what the migration does not explain is shown.
///
/// All rows are compared and counted, in bounded memory; of those that differ, the first keys (`--rows`) are named. A diff
/// that was stopped goes on where it was when the same command is given again.
///
/// Exit codes: 0 equal; 1 different; above 1 an error.
#[derive(Debug, Args)]
#[command(after_help = "Symbols: + only in B, ~ changed, - only in A.\n\n\
                        Examples:\n  \
                        greylag diff orders orders_v2 --key order_id --mapping orders.yaml\n  \
                        greylag diff old.parquet new/ --key country,day --tolerance amount=0.005\n  \
                        greylag diff a.csv b.csv --ignore updated_at -o ndjson")]
pub(crate) struct Diff {
    /// The one dataset: a name of the catalog, or a path.
    #[arg(value_name = "A")]
    left: String,
    /// The other one.
    #[arg(value_name = "B")]
    right: String,
    /// Columns that tell rows apart, together.
    #[arg(short, long, value_name = "COLUMN", value_delimiter = ',')]
    key: Vec<String>,
    /// How far numbers may be apart: `0.01`, or `0.1%` of the larger one; of one column with `COLUMN=` before it. One of each
    /// may be given, and then either suffices.
    #[arg(short, long, value_name = "[COLUMN=]N")]
    tolerance: Vec<String>,
    /// Compare B with what the migration in this file makes of A.
    #[arg(short, long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    #[command(flatten)]
    parameters: Parameters,
    /// Compare only these columns.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', conflicts_with = "ignore")]
    columns: Vec<String>,
    /// Leave these columns out.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Name the rows of so many keys at most (all are counted).
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    rows: u32,
}

impl Diff {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        self.compare(context).map_err(|mut failure| {
            // 1 would say that the datasets differ.
            if failure.exit == Exit::Failed {
                failure.exit = Exit::NotCompared;
            }
            failure
        })
    }

    fn compare(&self, context: &Context) -> Outcome {
        let options = self.options()?;
        let state = context.state()?;
        let files = match &self.mapping {
            Some(path) => {
                let mut files = migration_files::read(std::slice::from_ref(path), context.format().is_json())?;
                self.parameters.render(context, &mut files)?;
                Some(files)
            }
            None => None,
        };
        let roots = files.as_ref().map(|files| files.roots.clone()).unwrap_or_default();
        let describe = wire::describe(state, &roots);
        let datasets = [dataset(context, &self.left)?, dataset(context, &self.right)?];
        let mut observed = Vec::with_capacity(2);
        for found in describe.describe(&datasets) {
            observed.push(found?);
        }
        let [left, right] = <[Observed; 2]>::try_from(observed)
            .map_err(|_| Failure::error(code::cli::INTERNAL, "two datasets were asked for"))?;
        let mapping = match &files {
            Some(files) => Some(self.mapping(files, &left, &right)?),
            None => None,
        };
        let sides = [side(&describe, &left, mapping)?, side(&describe, &right, None)?];
        let bar = progress::bar(context);
        let stop = context.stop();
        let report = wire::diff(
            state,
            self.rows as usize,
            &|done, all| progress::tick(&bar, done as usize, all as usize),
            &|| stop.load(std::sync::atomic::Ordering::SeqCst),
            |diff| diff.run(&sides[0], &sides[1], &options),
        );
        bar.finish_and_clear();
        let report = report.map_err(|error| {
            let mut failure = Failure::from(error);
            if context.interrupted() {
                failure.exit = Exit::Interrupted;
            }
            failure
        })?;
        self.tell(context, &report)?;
        Ok(if report.equal { Exit::Done } else { Exit::Different })
    }

    fn options(&self) -> Result<Options, Failure> {
        let mut options = Options {
            key: self.key.clone(),
            only: self.columns.clone(),
            ignore: self.ignore.clone(),
            ..Options::default()
        };
        for text in &self.tolerance {
            let (column, number) = match text.rsplit_once('=') {
                Some((column, number)) => (Some(column), number),
                None => (None, text.as_str()),
            };
            let tolerance = tolerance(number).ok_or_else(|| {
                Failure::usage(format!("`--tolerance {text}` is not a tolerance"))
                    .hint("write a number or a share, e.g. `0.01`, `0.1%`, `amount=0.01`")
            })?;
            let slot = match column {
                Some(column) => options.tolerances.entry(column.to_owned()).or_default(),
                None => options.tolerance.get_or_insert_default(),
            };
            // A number and a share are two bounds, of which either suffices.
            slot.absolute = tolerance.absolute.or(slot.absolute);
            slot.relative = tolerance.relative.or(slot.relative);
        }
        Ok(options)
    }

    /// What the migration makes of A: that of the pair which names both, or of the only one that names A, or of the only one.
    fn mapping(&self, files: &Files, left: &Observed, right: &Observed) -> Result<Mapping, Failure> {
        let named = |text: &str, observed: &Observed| {
            EntityRef::parse(text, DATASET_KIND).is_some_and(|entity| entity == observed.dataset.entity)
        };
        let pairs: Vec<_> = files
            .migrations
            .iter()
            .flat_map(|(migration, places)| (0..migration.spec.datasets.len()).map(move |at| (migration, places, at)))
            .collect();
        let found = pairs.iter().find(|(migration, _, at)| {
            let pair = &migration.spec.datasets[*at];
            named(&pair.from, left) && named(&pair.to, right)
        });
        let mut of_left = pairs.iter().filter(|(migration, _, at)| named(&migration.spec.datasets[*at].from, left));
        let of_left = of_left.next().filter(|_| of_left.next().is_none());
        let (migration, places, at) = match (found.or(of_left), pairs.as_slice()) {
            (Some(found), _) => *found,
            (None, [only]) => *only,
            (None, _) => {
                let message = format!("the file has no pair from `{}` to `{}`", self.left, self.right);
                return Err(Failure::error(code::cli::NOT_FOUND, message)
                    .hint("name both datasets as the file does in `from` and `to`"));
            }
        };
        mapping_of(migration, at, &|pointer| Some(places.value(pointer)), left).map_err(|diagnostics| Failure {
            exit: Exit::Failed,
            diagnostics,
            sources: files.sources.clone(),
        })
    }

    fn tell(&self, context: &Context, report: &Report) -> Result<(), Failure> {
        let outcome = if report.equal { Exit::Done } else { Exit::Different };
        let outcome = if report.equal { "equal" } else { outcome.word() };
        match context.format() {
            Format::Json => {
                let mut value = serde_json::to_value(report).unwrap_or_default();
                value["outcome"] = outcome.into();
                output::document(Format::Json, "diff", &value)
            }
            Format::Ndjson => {
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                let mut summary =
                    serde_json::to_value(Report { differences: Vec::new(), ..report.clone() }).unwrap_or_default();
                summary["outcome"] = outcome.into();
                summary["type"] = "summary".into();
                let line = |difference: &Difference| {
                    let mut value = serde_json::to_value(difference).unwrap_or_default();
                    value["type"] = "difference".into();
                    value
                };
                let written = output::version_line(&mut out, "diff")
                    .and_then(|()| report.differences.iter().try_for_each(|one| writeln!(out, "{}", line(one))))
                    .and_then(|()| writeln!(out, "{summary}"))
                    .and_then(|()| out.flush());
                output::finish(written)
            }
            Format::Name => {
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                let line = |difference: &Difference| one_line(&named(&report.key, difference));
                let written = report.differences.iter().try_for_each(|one| writeln!(out, "{}", line(one)));
                output::finish(written.and_then(|()| out.flush()))
            }
            Format::Table | Format::Wide => output::text(&self.drawing(report)),
        }
    }

    fn drawing(&self, report: &Report) -> String {
        let mut text = String::new();
        for column in &report.only_left {
            let _ = writeln!(text, "- column {}  only in {}", shown(column), shown(&self.left));
        }
        for column in &report.only_right {
            let _ = writeln!(text, "+ column {}  only in {}", shown(column), shown(&self.right));
        }
        for column in &report.differing_types {
            let compared = if column.compared { "compared by value" } else { "not comparable" };
            let _ = writeln!(text, "~ column {}  {} → {}, {compared}", shown(&column.name), column.left, column.right);
        }
        for difference in &report.differences {
            let _ = writeln!(text, "{}", line(&report.key, difference));
        }
        let counts = &report.counts;
        if !report.complete {
            let _ = writeln!(
                text,
                "… of {} keys that differ {} are named; `--rows N` names more",
                output::count(counts.keys_differing),
                output::count(counts.keys_differing.min(u64::from(self.rows)))
            );
        }
        let _ = writeln!(text, "{}", self.count_line(report));
        text
    }

    fn count_line(&self, report: &Report) -> String {
        let counts = &report.counts;
        let mut text = format!(
            "{} and {}: {}; {} rows the same, {} changed, {} only in the first, {} only in the second",
            shown(&self.left),
            shown(&self.right),
            if report.equal { "equal" } else { "different" },
            output::count(counts.same),
            output::count(counts.changed),
            output::count(counts.removed),
            output::count(counts.added)
        );
        if !report.changed_columns.is_empty() {
            let columns =
                report.changed_columns.iter().map(|(name, rows)| format!("{} {}", shown(name), output::count(*rows)));
            let _ = write!(text, "; changed columns: {}", columns.collect::<Vec<_>>().join(", "));
        }
        let repeated = (counts.repeated_left, counts.repeated_right);
        if !report.key.is_empty() && repeated != (0, 0) {
            let _ = write!(
                text,
                "; rows that repeat a key: {} and {}",
                output::count(repeated.0),
                output::count(repeated.1)
            );
        }
        if counts.rejected > 0 {
            let _ = write!(text, "; {} rejected by the mapping", output::count(counts.rejected));
        }
        text
    }
}

/// Kind that a dataset's reference has when it names none.
const DATASET_KIND: &str = "resource";

/// The dataset that a text means: what the catalog has under the name, else what is at the path.
fn dataset(context: &Context, text: &str) -> Result<Dataset, Failure> {
    let path = Path::new(text);
    let catalog = context.state()?.catalog.as_ref();
    let looks_like_path = path.is_absolute() || text.starts_with('.') || text.ends_with('/');
    if !looks_like_path {
        match ask::resolve(catalog, text) {
            Ok(entity) => {
                let summary = catalog.find(std::slice::from_ref(&entity))?.pop().flatten();
                return summary.and_then(|summary| summary.dataset()).ok_or_else(|| {
                    Failure::error(code::plan::NO_LOCATION, format!("the catalog does not say where `{entity}` lies"))
                        .hint("give its path")
                });
            }
            Err(error) if !path.exists() => {
                return Err(Failure::from(error).hint("or give the path of a file or directory"));
            }
            Err(_) => {}
        }
    }
    let absolute = std::path::absolute(path)
        .map_err(|error| Failure::error(code::cli::FILE_UNREADABLE, format!("`{text}` cannot be read: {error}")))?;
    let absolute = absolute
        .into_os_string()
        .into_string()
        .map_err(|_| Failure::error(code::cli::FILE_UNREADABLE, format!("the path `{text}` is not UTF-8")))?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let entity = EntityRef { kind: DATASET_KIND.to_owned(), namespace: "default".to_owned(), name };
    Ok(Dataset { entity, location: Location { connection: None, path: absolute }, declared: BTreeMap::new() })
}

fn side(describe: &LocalFiles, observed: &Observed, mapping: Option<Mapping>) -> Result<Side, Failure> {
    let anchor = describe.anchor(&observed.dataset.location)?;
    Ok(Side {
        anchor,
        known_as: None,
        files: None,
        layout: observed.layout.clone(),
        schema: observed.schema.clone(),
        mapping,
        window: None,
    })
}

/// `0.01` or `0.1%`.
fn tolerance(text: &str) -> Option<Tolerance> {
    let (number, share) = match text.strip_suffix('%') {
        Some(number) => (number, true),
        None => (text, false),
    };
    let number: f64 = number.trim().parse().ok()?;
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    Some(if share {
        Tolerance { absolute: None, relative: Some(number / 100.0) }
    } else {
        Tolerance { absolute: Some(number), relative: None }
    })
}

/// `order_id=17, day=2026-01-01`, or without a key all values.
fn named(key: &[String], difference: &Difference) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    if !key.is_empty() {
        let mut parts = Vec::new();
        for (column, text) in key.iter().zip(&difference.key) {
            parts.push(format!("{column}={}", value(text)));
        }
        return parts.join(", ");
    }
    let cell = |cell: &Cell| {
        let text = cell.left.as_ref().or(cell.right.as_ref()).map(value).unwrap_or_default();
        format!("{}={text}", cell.column)
    };
    difference.columns.iter().map(cell).collect::<Vec<_>>().join(", ")
}

fn line(key: &[String], difference: &Difference) -> String {
    let (symbol, colour) = match difference.kind {
        Kind::Changed => ('~', "33"),
        Kind::Removed => ('-', "31"),
        Kind::Added => ('+', "32"),
    };
    let times = if difference.rows > 1 { format!("  ×{}", output::count(difference.rows)) } else { String::new() };
    let value = |text: &Option<Option<String>>| match text {
        Some(Some(text)) => text.clone(),
        _ => "null".to_owned(),
    };
    let mut text = format!("{symbol} {}{times}", named(key, difference));
    if difference.kind == Kind::Changed {
        let cells = difference.columns.iter();
        let cells = cells.map(|cell| format!("{}: {} → {}", cell.column, value(&cell.left), value(&cell.right)));
        let _ = write!(text, "  {}", cells.collect::<Vec<_>>().join(", "));
    }
    format!("\x1b[{colour}m{}\x1b[0m", one_line(&text))
}

/// Text that stays on its line.
fn one_line(text: &str) -> String {
    shown(&text.replace('\n', "\\n").replace('\t', "\\t"))
}
