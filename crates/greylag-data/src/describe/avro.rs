//! Columns and rows of Avro datasets, from headers and from what blocks say of themselves.

use crate::avro::container::AvroFile;
use crate::avro::schema::carries;
use crate::declared::Declared;
use crate::listing::Listing;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{Compression, Format};
use greylag_model::schema::Schema;

/// Format, columns and rows. All files must have the same columns (in any order) of the same types; a column may be null if
/// it may in one file. A declared type is taken where the file can carry it.
pub(super) fn describe(listing: &Listing, declared: &Declared) -> Result<(Format, Schema, Option<u64>), DriverError> {
    let mut merged: Option<(Schema, String)> = None;
    let mut rows: u64 = 0;
    for file in &listing.files {
        let path = listing.anchor.absolute_of(&file.relative);
        let name = path.to_string_lossy().into_owned();
        let opened = AvroFile::open(listing.anchor.open(&file.relative)?, &name)?;
        let schema = opened.schema()?;
        rows = rows.saturating_add(opened.rows()?);
        match &mut merged {
            None => merged = Some((schema, name)),
            Some((merged, first)) => merge(merged, &schema, first, &name)?,
        }
    }
    let mut schema = merged.map(|(schema, _)| schema).unwrap_or_default();
    for column in &mut schema.columns {
        if let Some(wanted) = declared.type_of(&column.name).filter(|wanted| carries(&column.data_type, wanted)) {
            column.data_type = wanted.clone();
        }
    }
    Ok((Format::Avro { compression: Compression::Gzip }, schema, Some(rows)))
}

fn merge(merged: &mut Schema, other: &Schema, first: &str, name: &str) -> Result<(), DriverError> {
    let differs = |words: String| {
        let words = format!("{words} in `{name}`, other than in `{first}`");
        DriverError::permanent(code::SCHEMA_DIFFERS, words)
            .hint("rewrite the odd files, or register them as a dataset of their own")
    };
    if let Some(extra) = other.columns.iter().find(|column| merged.find(&column.name).is_none()) {
        return Err(differs(format!("the column `{}` is there", extra.name)));
    }
    for column in &mut merged.columns {
        let Some((_, found)) = other.find(&column.name) else {
            return Err(differs(format!("the column `{}` is missing", column.name)));
        };
        if column.data_type != found.data_type {
            return Err(differs(format!("column `{}` is `{}`", column.name, found.data_type)));
        }
        column.nullable |= found.nullable;
    }
    Ok(())
}
