//! Pairs that must not be migrated, by construction: each stops only itself.

use crate::attribute::{Attribute, Column, Making, NewColumn, Place, Record, Rules};
use crate::cell::Cell;
use crate::draws::Draws;
use crate::layout::{Dialect, Format};
use crate::yaml::{Node, text};
use greylag_model::code::{self, Code};
use greylag_model::dataset::Compression;
use greylag_model::types::DataType;
use serde::{Deserialize, Serialize};

/// What is wrong with the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hostile {
    /// A value does not fit the new type, and the policy is `fail`.
    Misfit,
    /// The footer of the Parquet file is garbage.
    CorruptFooter,
    /// The footer is sound, the pages are garbage.
    CorruptPages,
    /// The descriptor points to nothing.
    MissingFile,
    /// The catalog does not know the old dataset.
    UnknownEntity,
    /// Something stands where the new dataset is to go.
    TargetExists,
    /// Lines of the CSV file have too many fields.
    RaggedLines,
    /// The file is empty: not even a Parquet footer.
    EmptyFile,
    /// The new type has no meaning for the old one.
    UnsupportedCast,
    /// The cast can lose something and the file does not say what then.
    SilentLoss,
    /// The mapping names a column that is not there.
    UnknownColumn,
}

/// When the pair is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// When it is planned.
    Blocked,
    /// When it is run.
    Failed,
    /// At either time: it depends on how far the plan looks into the files.
    Either,
}

impl Hostile {
    /// All of them, in the order in which an estate gets them.
    pub const ALL: [Self; 11] = [
        Self::Misfit,
        Self::CorruptFooter,
        Self::CorruptPages,
        Self::MissingFile,
        Self::UnknownEntity,
        Self::TargetExists,
        Self::RaggedLines,
        Self::EmptyFile,
        Self::UnsupportedCast,
        Self::SilentLoss,
        Self::UnknownColumn,
    ];

    /// When the pair must be refused.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Misfit | Self::CorruptPages => Refusal::Failed,
            Self::RaggedLines => Refusal::Either,
            _ => Refusal::Blocked,
        }
    }

    /// Codes of errors, one of which must be given.
    pub fn codes(self) -> &'static [Code] {
        match self {
            Self::Misfit => &[code::expr::ROW],
            Self::CorruptFooter | Self::EmptyFile => &[code::data::CORRUPT_PARQUET],
            Self::CorruptPages => &[code::data::CORRUPT_PARQUET, code::data::HOSTILE_FILE],
            Self::MissingFile => &[code::data::NOT_FOUND],
            Self::UnknownEntity => &[code::plan::UNKNOWN_DATASET],
            Self::TargetExists => &[code::plan::TARGET_EXISTS],
            Self::RaggedLines => &[code::data::CSV_RAGGED],
            Self::UnsupportedCast => &[code::plan::NO_CONVERSION],
            Self::SilentLoss => &[code::plan::LOSS_NEEDED],
            Self::UnknownColumn => &[code::plan::UNKNOWN_COLUMN],
        }
    }

    /// Format of the old dataset.
    pub(crate) fn format(self) -> Format {
        if self == Self::RaggedLines {
            Format::Csv(Dialect::default())
        } else {
            Format::Parquet { compression: Compression::Zstd }
        }
    }

    /// The attribute that spoils the pair, where the mapping or a value does.
    pub(crate) fn attribute(self, making: &mut Making<'_>) -> Option<Attribute> {
        let (from, to, cell): (DataType, &str, fn(&mut Draws) -> Cell) = match self {
            // All values fit but the last one: see `last_cell`.
            Self::Misfit => (DataType::Int64, "int16", |draws| Cell::Int(draws.between(0, 99).into())),
            Self::UnsupportedCast => (DataType::Boolean, "date", |draws| Cell::Bool(draws.chance(50))),
            Self::SilentLoss => (DataType::Float64, "int32", |draws| Cell::Float64(draws.below(100) as f64)),
            Self::UnknownColumn => (DataType::Int64, "", |draws| Cell::Int(draws.below(100) as i128)),
            _ => return None,
        };
        let name = making.names.next(making.draws, 0);
        let column = Column { name: name.clone(), data_type: from };
        let rule = if self == Self::UnknownColumn {
            Node::map([("name", text("nobody")), ("from", text("no_such_column"))])
        } else {
            Node::map([("name", text(&name)), ("type", text(to))])
        };
        Some(Attribute {
            old: vec![column.clone()],
            new: vec![NewColumn::new(column, Place::At(0))],
            rules: Rules { columns: vec![rule], ..Rules::default() },
            marks: vec![],
            draw: Box::new(move |draws: &mut Draws, record: &mut Record| record.same(cell(draws))),
        })
    }

    /// What the last row has in the first column of the spoiling attribute, if that is what is wrong.
    pub(crate) fn last_cell(self) -> Option<Cell> {
        (self == Self::Misfit).then_some(Cell::Int(99_999))
    }

    /// Spoils the bytes of the old file; `None` leaves no file at all.
    pub(crate) fn spoil(self, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::CorruptFooter => {
                let start = footer(&bytes);
                let end = bytes.len().saturating_sub(8).min(start + 32);
                bytes[start..end].fill(0xff);
            }
            Self::CorruptPages => {
                let end = footer(&bytes).min(260);
                bytes[4..end].fill(0xff);
            }
            Self::MissingFile => return None,
            Self::EmptyFile => bytes.clear(),
            Self::RaggedLines => bytes.extend_from_slice(format!("1{}\n", ",2".repeat(99)).as_bytes()),
            _ => {}
        }
        Some(bytes)
    }
}

/// Where the footer of a Parquet file begins: its length stands before the last four bytes.
fn footer(bytes: &[u8]) -> usize {
    let end = bytes.len().saturating_sub(8);
    let length = bytes.get(end..end + 4).and_then(|length| length.try_into().ok()).map_or(0, u32::from_le_bytes);
    end.saturating_sub(length as usize)
}
