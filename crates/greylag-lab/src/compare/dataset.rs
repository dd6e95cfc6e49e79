//! One migrated dataset: place, files, schema, rows.

use super::parse::cell;
use super::rows::{hashes, row_hashes};
use super::source::{
    Columns, DataFile, Listing, Sink, describe_csv, describe_json, describe_parquet, list, read_csv, read_json,
    read_parquet,
};
use super::{DifferenceKind, Found};
use crate::cell::Cell;
use crate::layout::{Dialect, Format, Shape, codec_name};
use crate::parquet_file::compression;
use crate::truth::{self, DatasetTruth};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use arrow::util::display::array_value_to_string;
use greylag_model::types::DataType;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Rows that are shown of each side.
const SHOWN: usize = 2;

pub(super) fn compare(estate: &Path, dataset: &DatasetTruth, found: &mut Found) {
    let place = estate.join(&dataset.new_path);
    if !place.exists() {
        return found.differs(DifferenceKind::Missing, format!("`{}` is not there", dataset.new_path));
    }
    let shape = if place.is_dir() { Shape::Directory } else { Shape::File };
    if shape != dataset.layout.shape {
        found.differs(DifferenceKind::Layout, format!("is a {shape:?}, must be a {:?}", dataset.layout.shape));
    }
    let listing = match list(&place, dataset.layout.format.extension()) {
        Ok(listing) => listing,
        Err(error) => return found.differs(DifferenceKind::Unreadable, error),
    };
    for odd in &listing.odd {
        found.differs(DifferenceKind::Leftover, format!("`{}` does not belong there", odd.display()));
    }
    modes(&listing, dataset, found);
    let truth = truth::rows_path(estate, dataset.number);
    let expected = match describe_parquet(&truth) {
        Ok((columns, _)) => columns,
        Err(error) => return found.differs(DifferenceKind::Unreadable, format!("the truth itself: {error}")),
    };
    if listing.files.is_empty() {
        // A partitioned dataset without rows has no files, and so no schema.
        if dataset.rows > 0 || dataset.layout.partition_by.is_empty() {
            found.differs(DifferenceKind::Rows, format!("has no files, must have {} rows", dataset.rows));
        }
        return;
    }
    let types: Vec<DataType> = expected.iter().filter_map(|(_, data_type)| data_type.clone().ok()).collect();
    let mut files = Vec::new();
    for file in listing.files {
        match inspect(&file, dataset, &expected, &types, found) {
            Ok(true) => files.push(file),
            Ok(false) => {}
            Err(error) => found.differs(DifferenceKind::Unreadable, error),
        }
    }
    if found.differences.is_empty() || !files.is_empty() {
        let sides = Sides { truth, files, types, dataset };
        if let Err(error) = sides.compare(found) {
            found.differs(DifferenceKind::Unreadable, error);
        }
    }
}

fn modes(listing: &Listing, dataset: &DatasetTruth, found: &mut Found) {
    let paths = listing.files.iter().map(|file| (&file.path, Some(dataset.file_mode)));
    let paths = paths.chain(listing.directories.iter().map(|path| (path, dataset.directory_mode)));
    for (path, expected) in paths {
        let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o7777);
        if expected.is_some_and(|expected| expected != mode) {
            let expected = expected.unwrap_or_default();
            found.differs(
                DifferenceKind::Mode,
                format!("`{}` has mode {mode:o}, must have {expected:o}", path.display()),
            );
        }
    }
}

/// Looks at the layout and the schema of one file; true if its rows can be compared.
fn inspect(
    file: &DataFile,
    dataset: &DatasetTruth,
    expected: &Columns,
    types: &[DataType],
    found: &mut Found,
) -> Result<bool, String> {
    let path = file.path.display();
    let keys: Vec<&String> = file.partition.iter().map(|(key, _)| key).collect();
    if !keys.iter().copied().eq(&dataset.layout.partition_by) {
        let detail = format!("`{path}` lies under the partitions {keys:?}, must be {:?}", dataset.layout.partition_by);
        found.differs(DifferenceKind::Layout, detail);
        return Ok(false);
    }
    let own = &expected[..expected.len() - keys.len()];
    let same = match &dataset.layout.format {
        Format::Parquet { compression: codec } => {
            let (columns, found_codec) = describe_parquet(&file.path)?;
            if let Some(found_codec) = found_codec
                && std::mem::discriminant(&found_codec) != std::mem::discriminant(&compression(*codec))
            {
                let detail = format!("`{path}` is compressed as {found_codec}, must be {}", codec_name(*codec));
                found.differs(DifferenceKind::Layout, detail);
            }
            if columns != own {
                found.differs(DifferenceKind::Schema, schema_difference(&columns, own));
            }
            columns == own
        }
        Format::Json => {
            // Keys have no order.
            let mut expected: Vec<String> = own.iter().map(|(name, _)| name.clone()).collect();
            expected.sort();
            let names = describe_json(&file.path)?;
            if let Some(names) = names.as_ref().filter(|names| **names != expected) {
                found.differs(DifferenceKind::Schema, format!("has the keys {names:?}, must have {expected:?}"));
            }
            names.is_none_or(|names| names == expected)
        }
        Format::Csv(dialect) => {
            let expected: Vec<String> = own.iter().map(|(name, _)| name.clone()).collect();
            let names = describe_csv(&file.path, dialect)?;
            if let Some(names) = names.as_ref().filter(|names| **names != expected) {
                found.differs(DifferenceKind::Schema, format!("has the columns {names:?}, must have {expected:?}"));
            }
            names.is_none_or(|names| names == expected)
        }
    };
    Ok(same && types.len() == expected.len())
}

/// The first column that differs.
fn schema_difference(
    found: &[(String, Result<DataType, String>)],
    expected: &[(String, Result<DataType, String>)],
) -> String {
    let show = |column: Option<&(String, Result<DataType, String>)>| match column {
        None => "nothing".to_owned(),
        Some((name, Ok(data_type))) => format!("`{name}` {data_type}"),
        Some((name, Err(arrow))) => format!("`{name}` {arrow} (no type of ours)"),
    };
    let at = (0..found.len().max(expected.len())).find(|at| found.get(*at) != expected.get(*at)).unwrap_or_default();
    format!("column {at} is {}, must be {}", show(found.get(at)), show(expected.get(at)))
}

/// The truth's rows and the migrated ones.
struct Sides<'a> {
    truth: PathBuf,
    files: Vec<DataFile>,
    types: Vec<DataType>,
    dataset: &'a DatasetTruth,
}

impl Sides<'_> {
    fn read_truth(&self, sink: &mut Sink<'_>) -> Result<(), String> {
        read_parquet(&self.truth, &[], sink)
    }

    fn read_found(&self, sink: &mut Sink<'_>) -> Result<(), String> {
        let own = self.types.len() - self.dataset.layout.partition_by.len();
        for file in &self.files {
            let partition = file.partition.iter().zip(&self.types[own..]);
            let partition = partition
                .map(|((_, value), data_type)| Ok((data_type.clone(), cell(value.as_deref(), data_type)?)))
                .collect::<Result<Vec<(DataType, Cell)>, String>>()?;
            match &self.dataset.layout.format {
                Format::Parquet { .. } => read_parquet(&file.path, &partition, sink)?,
                Format::Json => read_json(&file.path, &self.names()[..own], &self.types[..own], &partition, sink)?,
                Format::Csv(dialect) => self.read_csv(file, dialect, own, &partition, sink)?,
            }
        }
        Ok(())
    }

    fn read_csv(
        &self,
        file: &DataFile,
        dialect: &Dialect,
        own: usize,
        partition: &[(DataType, Cell)],
        sink: &mut Sink<'_>,
    ) -> Result<(), String> {
        read_csv(&file.path, dialect, &self.types[..own], partition, sink)
    }

    fn names(&self) -> Vec<String> {
        self.dataset.schema.iter().map(|column| column.name.clone()).collect()
    }

    /// Numbers of the columns that the mapping allows to be off a little.
    fn tolerant(&self) -> Vec<(usize, f64)> {
        let columns = self.dataset.schema.iter().enumerate();
        columns.filter_map(|(at, column)| Some((at, column.tolerance?))).collect()
    }

    fn compare(&self, found: &mut Found) -> Result<(), String> {
        let tolerant = self.tolerant();
        let (mut truth, mut actual) = (Keys::default(), Keys::default());
        self.read_truth(&mut |columns| truth.add(columns, &tolerant))?;
        self.read_found(&mut |columns| actual.add(columns, &tolerant))?;
        found.rows = actual.hashes.len() as u64;
        if truth.hashes.len() != actual.hashes.len() {
            let detail = format!("has {} rows, must have {}", actual.hashes.len(), truth.hashes.len());
            found.differs(DifferenceKind::Rows, detail);
        }
        truth.sort();
        actual.sort();
        let (missing, extra) = apart(&truth.hashes, &actual.hashes);
        if missing.is_empty() && extra.is_empty() {
            self.compare_tolerant(&truth, &actual, &tolerant, found);
            return Ok(());
        }
        let columns = self.columns_that_differ()?;
        let mut detail = format!("{} rows are missing and {} are not expected", missing.len(), extra.len());
        if !columns.is_empty() {
            let _ = write!(detail, "; the values of {} differ", columns.join(", "));
        }
        let show = |keys: &[u128], rows: Vec<String>, whose: &str, detail: &mut String| {
            for row in rows.iter().take(SHOWN.min(keys.len())) {
                let _ = write!(detail, "\n    {whose}: {row}");
            }
        };
        let shown = self.show(&missing, &tolerant, |sides, sink| sides.read_truth(sink))?;
        show(&missing, shown, "missing", &mut detail);
        let shown = self.show(&extra, &tolerant, |sides, sink| sides.read_found(sink))?;
        show(&extra, shown, "not expected", &mut detail);
        found.differs(DifferenceKind::Rows, detail);
        Ok(())
    }

    /// Compares the columns that may be off, row by row: rows are paired by all their other columns, then by value.
    fn compare_tolerant(&self, truth: &Keys, actual: &Keys, tolerant: &[(usize, f64)], found: &mut Found) {
        for (number, (at, tolerance)) in tolerant.iter().enumerate() {
            let pairs = truth.floats.iter().zip(&actual.floats);
            let off = pairs.filter(|(expected, value)| {
                let (expected, value) = (expected[number], value[number]);
                expected.is_nan() != value.is_nan() || (expected - value).abs() > *tolerance
            });
            let off = off.count();
            if off > 0 {
                let name = &self.dataset.schema[*at].name;
                found.differs(DifferenceKind::Rows, format!("`{name}` is off by more than {tolerance} in {off} rows"));
            }
        }
    }

    /// Names of the columns whose values, as multisets, differ: a sum of hashes does not depend on the order.
    fn columns_that_differ(&self) -> Result<Vec<String>, String> {
        let mut sums = vec![(0_u128, 0_u128); self.types.len()];
        self.read_truth(&mut |columns| {
            for (sum, column) in sums.iter_mut().zip(columns) {
                sum.0 = hashes(column).into_iter().fold(sum.0, u128::wrapping_add);
            }
        })?;
        self.read_found(&mut |columns| {
            for (sum, column) in sums.iter_mut().zip(columns) {
                sum.1 = hashes(column).into_iter().fold(sum.1, u128::wrapping_add);
            }
        })?;
        let columns = self.dataset.schema.iter().zip(sums).filter(|(_, (truth, found))| truth != found);
        Ok(columns.map(|(column, _)| format!("`{}` ({})", column.name, column.data_type)).collect())
    }

    /// Some of the rows with these hashes, in words.
    fn show(
        &self,
        keys: &[u128],
        tolerant: &[(usize, f64)],
        read: impl Fn(&Self, &mut Sink<'_>) -> Result<(), String>,
    ) -> Result<Vec<String>, String> {
        let mut rows = Vec::new();
        read(self, &mut |columns| {
            if rows.len() >= SHOWN {
                return;
            }
            let mut batch = Keys::default();
            batch.add(columns, tolerant);
            for (row, hash) in batch.hashes.iter().enumerate() {
                if rows.len() < SHOWN && keys.contains(hash) {
                    rows.push(self.show_row(columns, row));
                }
            }
        })?;
        Ok(rows)
    }

    fn show_row(&self, columns: &[ArrayRef], row: usize) -> String {
        let values = self.dataset.schema.iter().zip(columns).take(40).map(|(column, array)| {
            let value = if array.is_null(row) {
                "null".to_owned()
            } else {
                array_value_to_string(array, row).unwrap_or_default()
            };
            format!("{}={value:?}", column.name)
        });
        values.collect::<Vec<_>>().join(", ")
    }
}

/// Rows as hashes; where columns may be off a little, they are kept out of the hash and beside it.
#[derive(Default)]
struct Keys {
    hashes: Vec<u128>,
    floats: Vec<Vec<f64>>,
}

impl Keys {
    fn add(&mut self, columns: &[ArrayRef], tolerant: &[(usize, f64)]) {
        if tolerant.is_empty() {
            self.hashes.extend(row_hashes(columns));
            return;
        }
        let is_tolerant = |at: &usize| tolerant.iter().any(|(other, _)| other == at);
        let exact: Vec<ArrayRef> =
            (0..columns.len()).filter(|at| !is_tolerant(at)).map(|at| columns[at].clone()).collect();
        self.hashes.extend(row_hashes(&exact));
        let rows = columns.first().map_or(0, Array::len);
        self.floats.extend((0..rows).map(|row| {
            let float = |(at, _): &(usize, f64)| match columns[*at].as_primitive_opt::<Float64Type>() {
                // Null is told from every number.
                Some(floats) if floats.is_null(row) => f64::MAX,
                Some(floats) => floats.value(row),
                None => f64::NAN,
            };
            tolerant.iter().map(float).collect()
        }));
    }

    fn sort(&mut self) {
        if self.floats.is_empty() {
            return self.hashes.sort_unstable();
        }
        let mut both: Vec<(u128, Vec<f64>)> =
            std::mem::take(&mut self.hashes).into_iter().zip(std::mem::take(&mut self.floats)).collect();
        both.sort_by(|left, right| {
            let floats = || left.1.iter().zip(&right.1).map(|(left, right)| left.total_cmp(right));
            left.0.cmp(&right.0).then_with(|| floats().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal))
        });
        (self.hashes, self.floats) = both.into_iter().unzip();
    }
}

/// What only the first, and only the second of two sorted lists has; repeats count.
fn apart(first: &[u128], second: &[u128]) -> (Vec<u128>, Vec<u128>) {
    let (mut missing, mut extra) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (first.iter().peekable(), second.iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(one), Some(other)) if one == other => {
                left.next();
                right.next();
            }
            (Some(one), Some(other)) if one < other => {
                missing.push(**one);
                left.next();
            }
            (Some(one), None) => {
                missing.push(**one);
                left.next();
            }
            (_, Some(other)) => {
                extra.push(**other);
                right.next();
            }
            (None, None) => return (missing, extra),
        }
    }
}
