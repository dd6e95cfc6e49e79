//! The side that runs in a reader process.

use super::{Described, FileReply, FileRequest, Question, avro, csv, json, parquet, scan};
use crate::avro::container::AvroFile;
use crate::chunk::{FileFacts, Pieces};
use crate::csv::read::CsvFile;
use crate::declared::Declared;
use crate::hive;
use crate::json::lines::JsonFile;
use crate::listing::{FileFormat, Listing, list};
use crate::parquet::footer::{Limits, ParquetFile};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{Format, Layout};
use greylag_model::schema::{Column, Schema};

/// Answers a request.
pub fn answer(request: &FileRequest) -> Result<FileReply, DriverError> {
    match request {
        FileRequest::Describe(questions) => Ok(FileReply::Describe(questions.iter().map(describe).collect())),
        FileRequest::Facts { question, layout, cut_bytes } => facts(question, layout, *cut_bytes).map(FileReply::Facts),
        FileRequest::Scan(anchor) => scan::scan(anchor).map(FileReply::Scan),
    }
}

fn describe(question: &Question) -> Result<Described, DriverError> {
    let declared = Declared::parse(&question.declared)?;
    let listing = list(&question.anchor, declared.format)?;
    let (format, mut schema, rows) = match listing.format {
        FileFormat::Parquet => parquet::describe(&listing)?,
        FileFormat::Csv => csv::describe(&listing, &declared)?,
        FileFormat::Json => json::describe(&listing, &declared)?,
        FileFormat::Avro => avro::describe(&listing, &declared)?,
    };
    add_partitions(&listing, &declared, &mut schema)?;
    check_declared(&listing, &declared, &schema)?;
    let (files, bytes) = (listing.files.len() as u64, listing.bytes());
    let layout = Layout { format, shape: listing.shape, partition_by: listing.partition_by };
    Ok(Described { layout, schema, files, rows, bytes })
}

/// Appends the partition columns.
fn add_partitions(listing: &Listing, declared: &Declared, schema: &mut Schema) -> Result<(), DriverError> {
    for (place, name) in listing.partition_by.iter().enumerate() {
        if schema.find(name).is_some() {
            let path = listing.anchor.absolute();
            let words = format!("column `{name}` of `{}` is in the files and in the directory names", path.display());
            return Err(DriverError::permanent(code::UNSUPPORTED_TYPE, words).hint("rename one of them"));
        }
        let values = || listing.files.iter().map(|file| file.partition[place].as_deref());
        let data_type = declared.type_of(name).cloned().unwrap_or_else(|| hive::infer_type(values()));
        let arrow = crate::arrow_types::to_arrow(&data_type);
        let mut last = None;
        for value in values().flatten() {
            if last != Some(value) {
                hive::value_array(name, Some(value), &arrow)?;
            }
            last = Some(value);
        }
        // Whether a null partition is there is content, not schema.
        schema.columns.push(Column { name: name.clone(), data_type, nullable: true });
    }
    Ok(())
}

/// What is declared must be there, as declared.
fn check_declared(listing: &Listing, declared: &Declared, schema: &Schema) -> Result<(), DriverError> {
    for (name, data_type) in &declared.columns {
        let found = schema.find(name).map(|(_, column)| &column.data_type);
        if found == Some(data_type) {
            continue;
        }
        let path = listing.anchor.absolute();
        let what = found.map_or_else(|| "is not there".to_owned(), |found| format!("is `{found}`"));
        let words = format!("the column `{name}` of `{}` is declared as `{data_type}` and {what}", path.display());
        return Err(DriverError::permanent(code::DECLARED_FACT, words).hint("correct `greylag.dev/columns`"));
    }
    Ok(())
}

fn facts(question: &Question, layout: &Layout, cut_bytes: u64) -> Result<Vec<FileFacts>, DriverError> {
    let anchor = &question.anchor;
    // As the description listed it: what is declared decides which files count.
    let listing = list(anchor, Declared::parse(&question.declared)?.format)?;
    if listing.partition_by != layout.partition_by {
        let words = format!("`{}` is no longer partitioned as it was", anchor.absolute().display());
        return Err(DriverError::conflict(code::PARTITION_LAYOUT, words).hint("plan again"));
    }
    let facts = |file: &crate::listing::DataFile| {
        let path = anchor.absolute_of(&file.relative);
        let name = path.to_string_lossy();
        let pieces = match &layout.format {
            Format::Parquet { .. } => {
                let opened = ParquetFile::open_footer(anchor.open(&file.relative)?, &name, &Limits::default())?;
                Pieces::RowGroups(opened.row_groups())
            }
            Format::Csv(dialect) if file.bytes > cut_bytes.saturating_mul(2) => {
                Pieces::Records(CsvFile::open(anchor.open(&file.relative)?, &name, dialect)?.cuts(cut_bytes)?)
            }
            Format::Json if file.bytes > cut_bytes.saturating_mul(2) => {
                Pieces::Records(JsonFile::open(anchor.open(&file.relative)?, &name)?.cuts(cut_bytes)?)
            }
            Format::Avro { .. } if file.bytes > cut_bytes.saturating_mul(2) => {
                Pieces::Records(AvroFile::open(anchor.open(&file.relative)?, &name)?.cuts(cut_bytes)?)
            }
            Format::Csv(_) | Format::Json | Format::Avro { .. } => Pieces::Records(Vec::new()),
        };
        Ok(FileFacts { file: file.clone(), pieces })
    };
    listing.files.iter().map(facts).collect()
}
