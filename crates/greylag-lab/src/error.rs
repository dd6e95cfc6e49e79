//! What can go wrong in the lab.

use greylag_model::code::{Code, lab as code};
use std::io;
use std::path::{Path, PathBuf};

/// An estate could not be written or compared at all. (That it differs from the truth is no error: it is the answer.)
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file or directory.
    #[error("cannot {action} `{}`: {error}", path.display())]
    Io {
        /// What was tried, e.g. `write`.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The place for a new estate is taken.
    #[error("`{}` is not empty", .0.display())]
    Occupied(PathBuf),
    /// A directory that is no estate, or one of another version.
    #[error("`{}` is not an estate that this version reads: {reason}", path.display())]
    NoEstate {
        /// Where.
        path: PathBuf,
        /// What is missing or odd.
        reason: String,
    },
    /// Rows could not be written as Parquet.
    #[error("cannot write rows: {0}")]
    Rows(#[from] parquet::errors::ParquetError),
}

impl LabError {
    pub(crate) fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), error }
    }

    /// `GL07xx`.
    pub fn code(&self) -> Code {
        match self {
            Self::Io { .. } => code::IO,
            Self::Occupied(_) => code::OCCUPIED,
            Self::NoEstate { .. } => code::NO_ESTATE,
            Self::Rows(_) => code::ROWS,
        }
    }

    /// What to do, a line each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Io { .. } => vec![],
            Self::Occupied(_) => vec!["name a directory that does not exist yet".to_owned()],
            Self::NoEstate { .. } => vec!["make one with `greylag lab generate --seed 1 --out DIR`".to_owned()],
            Self::Rows(_) => vec!["this is a defect of the lab: please file an issue with the seed".to_owned()],
        }
    }
}
