//! Columns and rows of Parquet datasets, from footers only.

use crate::listing::Listing;
use crate::parquet::footer::{Limits, ParquetFile};
use arrow::datatypes::DataType as ArrowType;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{Compression, Format};
use greylag_model::schema::Schema;

/// Format, columns and rows. All files must have the same columns (in any order) of the same types; a column may hold
/// nulls if it may in one file; a column of nulls without a type takes the type it has elsewhere.
pub(super) fn describe(listing: &Listing) -> Result<(Format, Schema, Option<u64>), DriverError> {
    let mut merged: Option<Merged> = None;
    let mut rows = 0;
    for file in &listing.files {
        let path = listing.anchor.absolute_of(&file.relative);
        let name = path.to_string_lossy();
        let opened = ParquetFile::open_footer(listing.anchor.open(&file.relative)?, &name, &Limits::default())?;
        rows += opened.rows();
        match merged.as_mut() {
            None => merged = Some(Merged::first(&opened, &name)?),
            Some(merged) => merged.add(&opened, &name)?,
        }
    }
    let format = Format::Parquet { compression: Compression::default() };
    Ok((format, merged.map(|merged| merged.schema).unwrap_or_default(), Some(rows)))
}

struct Merged {
    schema: Schema,
    /// Columns whose type no file has told yet.
    untyped: Vec<bool>,
    first: String,
}

fn untyped(file: &ParquetFile) -> Vec<bool> {
    file.arrow_schema().fields().iter().map(|field| field.data_type() == &ArrowType::Null).collect()
}

impl Merged {
    fn first(file: &ParquetFile, name: &str) -> Result<Self, DriverError> {
        Ok(Self { schema: file.schema()?, untyped: untyped(file), first: name.to_owned() })
    }

    fn add(&mut self, file: &ParquetFile, name: &str) -> Result<(), DriverError> {
        let schema = file.schema()?;
        if schema == self.schema && !self.untyped.contains(&true) {
            return Ok(());
        }
        let differs = |words: String| {
            let words = format!("{words} in `{name}`, other than in `{}`", self.first);
            DriverError::permanent(code::SCHEMA_DIFFERS, words)
                .hint("rewrite the odd files, or register them as a dataset of their own")
        };
        if let Some(extra) = schema.columns.iter().find(|column| self.schema.find(&column.name).is_none()) {
            return Err(differs(format!("the column `{}` is there", extra.name)));
        }
        let own_untyped = untyped(file);
        for (place, column) in self.schema.columns.iter_mut().enumerate() {
            let Some((own, found)) = schema.find(&column.name) else {
                return Err(differs(format!("the column `{}` is missing", column.name)));
            };
            column.nullable |= found.nullable;
            if own_untyped[own] {
                column.nullable = true;
            } else if self.untyped[place] {
                column.data_type = found.data_type.clone();
                self.untyped[place] = false;
            } else if column.data_type != found.data_type {
                return Err(differs(format!("column `{}` is `{}`", column.name, found.data_type)));
            }
        }
        Ok(())
    }
}
