//! Layouts of new datasets: what the file says, and as in the old one where it says nothing.
//!
//! Format, dialect, shape and partition columns are carried over; compression is not (new Parquet is zstd unless the
//! file says otherwise). Partition columns follow the mapping, so they are resolved with it. Asking for partitions asks
//! for a directory, and asking for a single file asks for no partitions.

use super::{Change, ChangeSymbol};
use crate::carry::avro_refuses;
use crate::code;
use crate::dataset::{Compression, Format, Layout, Location, Shape};
use crate::diagnostic::{Diagnostic, Place};
use crate::entity::EntityRef;
use crate::mapping::Mapping;
use crate::spec::{FormatName, LayoutSpec};
use crate::types::DataType;

/// Format, options and shape of the new dataset, without its partition columns, and which of those are asked for
/// (`None`: as in the old one, through the mapping).
pub(super) fn resolve(
    spec: Option<&LayoutSpec>,
    source: &Layout,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Result<(Layout, Option<Vec<String>>), Vec<Diagnostic>> {
    let unsaid = LayoutSpec::default();
    let spec = spec.unwrap_or(&unsaid);
    let mut errors = Vec::new();
    let mut bad = |message: &str, hint: &str, pointer: &str| {
        errors.push(Diagnostic::error(code::plan::BAD_LAYOUT, message).hint(hint).at(place(pointer)));
    };
    let name = spec.format.unwrap_or(match source.format {
        Format::Parquet { .. } => FormatName::Parquet,
        Format::Csv(_) => FormatName::Csv,
        Format::Json => FormatName::Json,
        Format::Avro { .. } => FormatName::Avro,
    });
    let files = match name {
        FormatName::Parquet => "Parquet",
        FormatName::Csv => "CSV",
        FormatName::Json => "JSON",
        FormatName::Avro => "Avro",
    };
    if name != FormatName::Csv && spec.csv.is_some() {
        bad(&format!("`csv` is given for {files} files"), "remove `csv`, or say `format: csv`", "/csv");
    }
    if matches!(name, FormatName::Csv | FormatName::Json) && spec.compression.is_some() {
        let message = format!("`compression` is given for {files} files");
        bad(&message, "remove it, or say `format: parquet`", "/compression");
    }
    let format = match name {
        FormatName::Parquet => Format::Parquet { compression: spec.compression.unwrap_or_default() },
        FormatName::Json => Format::Json,
        FormatName::Avro => {
            let compression = spec.compression.unwrap_or(Compression::Gzip);
            if compression == Compression::Lz4 {
                bad("Avro has no codec `lz4`", "write `gzip` (Avro's deflate), `snappy` or `zstd`", "/compression");
            }
            Format::Avro { compression }
        }
        FormatName::Csv => {
            let as_before = match &source.format {
                Format::Csv(dialect) => Some(dialect.clone()),
                _ => None,
            };
            Format::Csv(spec.csv.clone().or(as_before).unwrap_or_default())
        }
    };
    let partitions = spec.partition_by.as_ref().is_some_and(|columns| !columns.is_empty());
    if partitions && spec.shape == Some(Shape::File) {
        let hint = "say `shape: directory`, or remove `partitionBy`";
        bad("a single file cannot have partitions", hint, "/partitionBy");
    }
    let shape = spec.shape.unwrap_or(if partitions { Shape::Directory } else { source.shape });
    let asked = match shape {
        Shape::File => Some(Vec::new()),
        Shape::Directory => spec.partition_by.clone(),
    };
    if errors.is_empty() { Ok((Layout { format, shape, partition_by: Vec::new() }, asked)) } else { Err(errors) }
}

/// The place of a new dataset that the file gives none: beside the old one, named as the new one.
pub fn default_location(old: &Location, source: &Layout, to: &EntityRef, spec: Option<&LayoutSpec>) -> Location {
    let layout = resolve(spec, source, &|_| None).map_or_else(|_| source.clone(), |(layout, _)| layout);
    let trimmed = old.path.trim_end_matches('/');
    let parent = trimmed.rfind('/').map_or("", |at| &trimmed[..=at]);
    let extension = match layout.shape {
        Shape::Directory => String::new(),
        Shape::File => format!(".{}", layout.format.extension()),
    };
    Location { connection: old.connection.clone(), path: format!("{parent}{}{extension}", to.name) }
}

/// Errors of target columns that the format cannot carry.
pub(super) fn check_types(layout: &Layout, mapping: &Mapping, place: Option<&Place>) -> Vec<Diagnostic> {
    let (name, code, fits): (_, _, fn(&DataType) -> bool) = match layout.format {
        Format::Parquet { .. } => return Vec::new(),
        Format::Csv(_) => ("CSV", code::plan::CSV_TYPE, fits_csv),
        Format::Json => ("JSON", code::plan::JSON_TYPE, fits_json),
        Format::Avro { .. } => return check_avro(layout, mapping, place),
    };
    let files = mapping.target.columns.iter().filter(|column| !layout.partition_by.contains(&column.name));
    files
        .filter(|column| !fits(&column.data_type))
        .map(|column| {
            let (column, data_type) = (&column.name, &column.data_type);
            let message = format!("column `{column}` is of type `{data_type}`, which {name} cannot carry");
            Diagnostic::error(code, message)
                .hint("keep the dataset in Parquet, drop the column with a reason, or compute text from it with `expr`")
                .at(place.cloned())
        })
        .collect()
}

fn check_avro(layout: &Layout, mapping: &Mapping, place: Option<&Place>) -> Vec<Diagnostic> {
    let files = mapping.target.columns.iter().filter(|column| !layout.partition_by.contains(&column.name));
    files
        .filter_map(|column| {
            let (reason, hint) = avro_refuses(&column.name, &column.data_type)?;
            let message =
                format!("Avro cannot carry column `{}` of type `{}`: {reason}", column.name, column.data_type);
            Some(Diagnostic::error(code::plan::AVRO_TYPE, message).hint(hint).at(place.cloned()))
        })
        .collect()
}

fn fits_csv(data_type: &DataType) -> bool {
    !data_type.is_nested() && *data_type != DataType::Binary
}

/// A key of an object is text, so keys of maps are what has a text.
fn fits_json(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(key, item) => !key.is_nested() && fits_json(item),
        DataType::List(item) => fits_json(item),
        DataType::Struct(fields) => fields.iter().all(|(_, data_type)| fits_json(data_type)),
        _ => true,
    }
}

/// The plan's lines for what changes in the layout, and why readers break on it.
pub(super) fn differences(old: &Layout, new: &Layout, mapping: &Mapping) -> (Vec<Change>, Vec<String>) {
    let mut changes = Vec::new();
    let mut breaks = Vec::new();
    let mut differs = |subject: &str, detail: String, why: Option<String>| {
        changes.push(Change { symbol: ChangeSymbol::Change, subject: subject.to_owned(), detail });
        breaks.extend(why);
    };
    match (&old.format, &new.format) {
        (Format::Parquet { compression: old }, Format::Parquet { compression: new })
        | (Format::Avro { compression: old }, Format::Avro { compression: new }) => {
            if old != new {
                differs("(compression)", format!("{old} → {new}"), None);
            }
        }
        (Format::Csv(old), Format::Csv(new)) => {
            if old != new {
                let why = "the CSV dialect changes".to_owned();
                differs("(format)", "another CSV dialect".to_owned(), Some(why));
            }
        }
        (Format::Json, Format::Json) => {}
        (old, new) => {
            let why = format!("the format goes from {} to {}", old.name(), new.name());
            differs("(format)", format!("{} → {}", old.name(), new.name()), Some(why));
        }
    }
    if old.shape != new.shape {
        let words = match new.shape {
            Shape::File => "directory → file",
            Shape::Directory => "file → directory",
        };
        differs("(shape)", words.to_owned(), Some(format!("the shape goes {words}")));
    }
    if old.partition_by != new.partition_by {
        let words = format!("{} → {}", listed(&old.partition_by), listed(&new.partition_by));
        differs("(partitions)", words.clone(), Some(format!("the partition columns go {words}")));
    }
    if matches!((&old.format, &new.format), (Format::Csv(_), Format::Csv(_))) {
        breaks.extend(moved(mapping));
    }
    (changes, breaks)
}

/// CSV is read by position as often as by name, so a column that stands elsewhere breaks readers.
fn moved(mapping: &Mapping) -> Option<String> {
    mapping.columns.iter().enumerate().find_map(|(now, column)| {
        let name = column.expr.as_column()?;
        let (before, _) = mapping.source.find(name)?;
        (before != now).then(|| format!("column `{}` stands at another position", column.target))
    })
}

fn listed(columns: &[String]) -> String {
    if columns.is_empty() { "none".to_owned() } else { columns.join("/") }
}
