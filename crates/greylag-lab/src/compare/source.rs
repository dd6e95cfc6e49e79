//! The files of a dataset: found, described, and read as columns.

use super::parse::cell;
use crate::arrays::{array, logical_type};
use crate::cell::Cell;
use crate::csv_file::{decode, records};
use crate::json_file;
use crate::layout::{Dialect, read_partition};
use arrow::array::ArrayRef;
use greylag_model::types::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Rows read at once.
const BATCH: usize = 8_192;

/// Names, types and order of columns; a type that Greylag does not have is its Arrow name.
pub(super) type Columns = Vec<(String, Result<DataType, String>)>;

/// One data file of a dataset.
#[derive(Debug)]
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    /// Keys and values of the partition directories above it.
    pub(super) partition: Vec<(String, Option<String>)>,
}

/// What lies in a dataset's directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<DataFile>,
    pub(super) directories: Vec<PathBuf>,
    /// Names that do not belong there.
    pub(super) odd: Vec<PathBuf>,
}

/// Lists a dataset; `place` is a file or a directory.
pub(super) fn list(place: &Path, extension: &str) -> Result<Listing, String> {
    let mut listing = Listing::default();
    if place.is_dir() {
        walk(place, extension, &[], &mut listing)?;
        listing.files.sort_by(|left, right| left.path.cmp(&right.path));
    } else {
        listing.files.push(DataFile { path: place.to_owned(), partition: vec![] });
    }
    Ok(listing)
}

fn walk(
    place: &Path,
    extension: &str,
    partition: &[(String, Option<String>)],
    listing: &mut Listing,
) -> Result<(), String> {
    listing.directories.push(place.to_owned());
    for entry in fs::read_dir(place).map_err(|error| format!("`{}`: {error}", place.display()))? {
        let path = entry.map_err(|error| format!("`{}`: {error}", place.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            match read_partition(&name) {
                Some(pair) => {
                    let partition: Vec<_> = partition.iter().cloned().chain([pair]).collect();
                    walk(&path, extension, &partition, listing)?;
                }
                None => listing.odd.push(path),
            }
        } else if path.is_file()
            && !name.starts_with(['.', '_'])
            && path.extension().is_some_and(|found| found == extension)
        {
            listing.files.push(DataFile { path, partition: partition.to_vec() });
        } else {
            listing.odd.push(path);
        }
    }
    Ok(())
}

/// Receives columns, all of the same length, partition columns last.
pub(super) type Sink<'a> = dyn FnMut(&[ArrayRef]) + 'a;

/// Columns and codec of a Parquet file (no codec if it has no rows).
pub(super) fn describe_parquet(path: &Path) -> Result<(Columns, Option<Compression>), String> {
    let reader = open(path)?;
    let columns = reader.schema().fields().iter().map(|field| {
        (field.name().clone(), logical_type(field.data_type()).ok_or_else(|| field.data_type().to_string()))
    });
    let metadata = reader.metadata();
    let codec =
        metadata.row_groups().first().and_then(|group| group.columns().first()).map(|column| column.compression());
    Ok((columns.collect(), codec))
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, String> {
    let file = File::open(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// Reads a Parquet file; `partition` has the types and values of its partition columns.
pub(super) fn read_parquet(path: &Path, partition: &[(DataType, Cell)], sink: &mut Sink<'_>) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let reader = open(path)?.with_batch_size(BATCH).build().map_err(|error| failed(&error))?;
    for batch in reader {
        let batch = batch.map_err(|error| failed(&error))?;
        let mut columns = batch.columns().to_vec();
        for (data_type, cell) in partition {
            columns.push(array(data_type, &vec![cell; batch.num_rows()]).map_err(|error| failed(&error))?);
        }
        sink(&columns);
    }
    Ok(())
}

/// Names in the header of a CSV file; `None` without a header.
pub(super) fn describe_csv(path: &Path, dialect: &Dialect) -> Result<Option<Vec<String>>, String> {
    if !dialect.header {
        return Ok(None);
    }
    let mut names = None;
    each_record(path, dialect, &mut |fields| {
        // A name is a name even if it is spelled like the null text.
        let null = &dialect.null;
        names.get_or_insert_with(|| fields.into_iter().map(|name| name.unwrap_or_else(|| null.clone())).collect());
        Ok(())
    })?;
    Ok(Some(names.unwrap_or_default()))
}

fn each_record(
    path: &Path,
    dialect: &Dialect,
    line: &mut dyn FnMut(Vec<Option<String>>) -> Result<(), String>,
) -> Result<(), String> {
    let failed = |error: String| format!("`{}`: {error}", path.display());
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let text = decode(&bytes, dialect.encoding).map_err(failed)?;
    records(&text, dialect, line).map_err(failed)
}

/// Reads a CSV file as columns of these types.
pub(super) fn read_csv(
    path: &Path,
    dialect: &Dialect,
    types: &[DataType],
    partition: &[(DataType, Cell)],
    sink: &mut Sink<'_>,
) -> Result<(), String> {
    let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); types.len()];
    let mut header = dialect.header;
    each_record(path, dialect, &mut |fields| {
        if std::mem::take(&mut header) {
            return Ok(());
        }
        if fields.len() != types.len() {
            return Err(format!("a line has {} fields, not {}", fields.len(), types.len()));
        }
        for ((data_type, field), column) in types.iter().zip(fields).zip(&mut columns) {
            column.push(cell(field.as_deref(), data_type)?);
        }
        if columns[0].len() == BATCH { flush(&mut columns, types, partition, sink) } else { Ok(()) }
    })?;
    flush(&mut columns, types, partition, sink)
}

/// Hands on what was read, with the columns of the partition.
fn flush(
    columns: &mut [Vec<Cell>],
    types: &[DataType],
    partition: &[(DataType, Cell)],
    sink: &mut Sink<'_>,
) -> Result<(), String> {
    let rows = columns.first().map_or(0, Vec::len);
    let mut arrays = Vec::with_capacity(types.len() + partition.len());
    for (data_type, cells) in types.iter().zip(columns.iter()) {
        arrays.push(array(data_type, &cells.iter().collect::<Vec<_>>()).map_err(|error| error.to_string())?);
    }
    for (data_type, cell) in partition {
        arrays.push(array(data_type, &vec![cell; rows]).map_err(|error| error.to_string())?);
    }
    sink(&arrays);
    columns.iter_mut().for_each(Vec::clear);
    Ok(())
}

/// The keys of the first line, sorted, if there is one.
pub(super) fn describe_json(path: &Path) -> Result<Option<Vec<String>>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.map(|first| Ok(json_file::line(first)?.into_keys().collect())).transpose()
}

/// Reads a file of JSON lines as columns of these names and types; every line has every key, and no other.
pub(super) fn read_json(
    path: &Path,
    names: &[String],
    types: &[DataType],
    partition: &[(DataType, Cell)],
    sink: &mut Sink<'_>,
) -> Result<(), String> {
    let failed = |error: String| format!("`{}`: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let mut columns: Vec<Vec<Cell>> = vec![Vec::new(); types.len()];
    for text in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut fields = json_file::line(text).map_err(failed)?;
        for ((name, data_type), column) in names.iter().zip(types).zip(&mut columns) {
            let field = fields.remove(name).ok_or_else(|| failed(format!("a line has no key `{name}`")))?;
            column.push(cell(field.as_deref(), data_type).map_err(failed)?);
        }
        if let Some(key) = fields.keys().next() {
            return Err(failed(format!("a line has the key `{key}`")));
        }
        if columns[0].len() == BATCH {
            flush(&mut columns, types, partition, sink)?;
        }
    }
    flush(&mut columns, types, partition, sink)
}
