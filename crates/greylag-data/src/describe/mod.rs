//! Describes datasets of local files: format, layout, columns, counts.
//!
//! The asking side ([`local::LocalFiles`]) holds the seam [`greylag_driver::describe::Describe`] and opens nothing; the
//! answering side ([`answer`]) runs in a reader process. One request carries many datasets, so that ten thousand small
//! ones cost a few hundred messages; if a request fails as a whole (a file killed its reader), its datasets are asked
//! after one by one, and only the culprit fails.

pub mod answer;
mod avro;
mod csv;
mod json;
pub mod local;
mod parquet;
mod scan;

#[cfg(test)]
mod tests;

use crate::chunk::FileFacts;
use crate::listing::Anchor;
use greylag_driver::error::DriverError;
use greylag_model::dataset::Layout;
use greylag_model::schema::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a reader process is asked about files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRequest {
    /// What each of these datasets is.
    Describe(Vec<Question>),
    /// The files of a dataset and where they can be cut.
    Facts {
        /// Which.
        question: Question,
        /// Its layout as described.
        layout: Layout,
        /// Cut CSV files about every so many bytes, if they are larger than twice that.
        cut_bytes: u64,
    },
    /// Candidate datasets below a directory.
    Scan(Anchor),
}

/// One dataset to describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Where it lies.
    pub anchor: Anchor,
    /// What it declares, by annotation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub declared: BTreeMap<String, String>,
}

/// What a reader process answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileReply {
    /// Per question, in order.
    Describe(Vec<Result<Described, DriverError>>),
    /// In path order.
    Facts(Vec<FileFacts>),
    /// In path order.
    Scan(Vec<Candidate>),
}

/// What a dataset is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// Its layout.
    pub layout: Layout,
    /// Its columns, partition columns last.
    pub schema: Schema,
    /// Data files.
    pub files: u64,
    /// Rows, where metadata tells or all was read.
    pub rows: Option<u64>,
    /// Bytes of the data files.
    pub bytes: u64,
}

/// What may be a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Path below the scanned directory; empty for that itself.
    pub relative: String,
    /// If it is a directory whose files turn out not to belong together: these files, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Its name is not UTF-8, so no text leads there; `relative` shows it as well as it can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unnameable: bool,
}

impl Candidate {
    /// A file or directory as a whole.
    pub fn whole(relative: impl Into<String>) -> Self {
        Self { relative: relative.into(), files: Vec::new(), unnameable: false }
    }
}

/// Somebody who has reader processes answer questions about files.
pub trait FileCalls: Send + Sync {
    /// Has a request answered.
    fn call(&self, request: &FileRequest) -> Result<FileReply, DriverError>;
    /// Requests that can be answered at the same time.
    fn width(&self) -> usize;
}

impl FileCalls for crate::pool::ReaderPool<FileRequest, FileReply> {
    fn call(&self, request: &FileRequest) -> Result<FileReply, DriverError> {
        Self::call(self, request)
    }

    fn width(&self) -> usize {
        self.at_once()
    }
}
