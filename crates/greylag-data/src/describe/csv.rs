//! Dialect, columns and rows of CSV datasets.

use crate::chunk::Extent;
use crate::csv::dialect::{SAMPLE_BYTES, detect};
use crate::csv::infer;
use crate::csv::read::CsvFile;
use crate::declared::Declared;
use crate::io_error::io_error;
use crate::listing::Listing;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{CsvDialect, Format};
use greylag_model::schema::{Column, Schema};
use std::io::Read;

/// Records looked at together.
const STEP: usize = 4096;

/// Format, columns and, if the files had to be read, rows. The first file tells dialect, names and order; all files must
/// have the same names.
pub(super) fn describe(listing: &Listing, declared: &Declared) -> Result<(Format, Schema, Option<u64>), DriverError> {
    let dialect = dialect(listing, declared)?;
    let mut names: Vec<String> = Vec::new();
    let mut states: Vec<Option<infer::Column>> = Vec::new();
    let mut rows = 0;
    for (index, file) in listing.files.iter().enumerate() {
        let path = listing.anchor.absolute_of(&file.relative);
        let name = path.to_string_lossy();
        let opened = CsvFile::open(listing.anchor.open(&file.relative)?, &name, &dialect)?;
        if index == 0 {
            names = columns(&opened, &name, &dialect, declared, listing)?;
            states = names.iter().map(|name| declared.type_of(name).is_none().then(infer::Column::default)).collect();
        }
        let places = places(&opened, &names, &name, &dialect)?;
        if states.iter().any(Option::is_some) {
            rows += infer_file(&opened, &places, &mut states)?;
        }
    }
    let scanned = states.iter().any(Option::is_some);
    let column = |(name, state): (String, Option<infer::Column>)| {
        let inferred = || state.unwrap_or_default().data_type();
        let data_type = declared.type_of(&name).cloned().unwrap_or_else(inferred);
        Column { name, data_type, nullable: true }
    };
    let schema = Schema { columns: names.into_iter().zip(states).map(column).collect() };
    for column in &schema.columns {
        if let Some(reason) = crate::csv::cannot_carry(&column.data_type) {
            let words = format!("column `{}` is declared as `{}`: {reason}", column.name, column.data_type);
            return Err(DriverError::permanent(code::DECLARED_FACT, words));
        }
    }
    Ok((Format::Csv(dialect), schema, scanned.then_some(rows)))
}

fn dialect(listing: &Listing, declared: &Declared) -> Result<CsvDialect, DriverError> {
    let Some(first) = listing.files.first() else { return Ok(CsvDialect::default()) };
    let path = listing.anchor.absolute_of(&first.relative);
    let file = listing.anchor.open(&first.relative)?;
    let mut sample = Vec::new();
    let read = file.take(SAMPLE_BYTES as u64).read_to_end(&mut sample);
    read.map_err(|error| io_error("read", &path, &error))?;
    detect(&sample, sample.len() < SAMPLE_BYTES, &path.to_string_lossy(), declared)
}

/// Names of the columns: the header's; without one, those declared in order, if they are as many.
fn columns(
    file: &CsvFile,
    name: &str,
    dialect: &CsvDialect,
    declared: &Declared,
    listing: &Listing,
) -> Result<Vec<String>, DriverError> {
    if file.names.is_empty() {
        let words = format!("`{name}` is empty");
        return Err(DriverError::permanent(code::NO_COLUMNS, words).hint("check that its writer has finished"));
    }
    let own: Vec<&String> = declared.columns.iter().map(|(name, _)| name).collect();
    let own: Vec<&String> = own.into_iter().filter(|name| !listing.partition_by.contains(name)).collect();
    if dialect.header || own.is_empty() || own.iter().all(|name| file.names.contains(name)) {
        return Ok(file.names.clone());
    }
    if own.len() == file.names.len() {
        return Ok(own.into_iter().cloned().collect());
    }
    let words = format!("`{name}` has {} columns and no header; {} are declared", file.names.len(), own.len());
    Err(DriverError::permanent(code::DECLARED_FACT, words).hint("declare all columns, in their order"))
}

/// For each place in the file, the column's place in the dataset.
fn places(file: &CsvFile, names: &[String], name: &str, dialect: &CsvDialect) -> Result<Vec<usize>, DriverError> {
    let differs = |words: String| {
        DriverError::permanent(code::SCHEMA_DIFFERS, format!("`{name}`: {words}"))
            .hint("rewrite the odd file, or register it as a dataset of its own")
    };
    if file.names.is_empty() {
        return Ok(Vec::new());
    }
    if file.names.len() != names.len() {
        return Err(differs(format!("{} columns, other files have {}", file.names.len(), names.len())));
    }
    if !dialect.header {
        return Ok((0..names.len()).collect());
    }
    let place = |own: &String| {
        let place = names.iter().position(|name| name == own);
        place.ok_or_else(|| differs(format!("other files have no column `{own}`")))
    };
    file.names.iter().map(place).collect()
}

fn infer_file(file: &CsvFile, places: &[usize], states: &mut [Option<infer::Column>]) -> Result<u64, DriverError> {
    let mut records = file.rows(&Extent::Whole)?;
    let null = file.null();
    let mut rows = 0;
    while records.advance(STEP)? {
        rows += records.rows() as u64;
        for (own, place) in places.iter().enumerate() {
            let Some(state) = states[*place].as_mut() else { continue };
            for row in 0..records.rows() {
                let (text, quoted) = records.field(row, own);
                if !text.is_empty() && (quoted || text != null) {
                    state.see(text);
                }
            }
        }
    }
    Ok(rows)
}
