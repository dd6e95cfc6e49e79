//! The lab: seeded estates whose truth is known by construction, and the comparison of a migrated estate with it.
//!
//! [`generate()`] writes datasets, repositories of code that reads them, descriptors and migration files, and `truth/`:
//! what each of them must be after its migration. [`compare()`] says how an estate differs from that, or (after an undo)
//! from what it was; [`compare_repositories()`] says it of rewritten code.
//!
//! **Invariant:** the lab never evaluates a mapping. Each logical record is drawn once, and both the old row and the
//! expected new row are written from it. Nor does it share code with the data plane: it reads and writes files by
//! itself, so that a defect there cannot hide itself here.
//!
//! Of code likewise: what can differ after a migration is written twice from one logical description, and everything
//! else is the same by construction.
//!
//! **Invariant:** the same seed gives the same bytes, on every machine and with any number of threads.

mod arrays;
mod attribute;
mod catalog;
mod cell;
mod compare;
mod csv_file;
mod design;
mod draws;
mod error;
mod files;
mod generate;
mod hostile;
mod json_file;
mod layout;
mod manifest;
mod migration;
mod names;
mod parquet_file;
mod repository;
mod rows;
#[cfg(test)]
mod seam_tests;
mod truth;
mod uniform;
mod values;
mod varied;
mod yaml;

pub use compare::{
    CompareOptions, Comparison, Difference, DifferenceKind, End, Outcome, catalog_truth, compare, estate_truth, targets,
};
pub use error::LabError;
pub use generate::{Options, Profile, Report, generate, tree_hash};
pub use hostile::{Hostile, Refusal};
pub use repository::compare::{Counts, Fault, FaultKind, RewriteComparison, compare_repositories, compare_repository};
pub use repository::truth::{
    ConsumerClass, Decoy, Edit, FileTruth, Move, Reference, RepositoriesTruth, RepositoryTruth, Role,
};
pub use repository::{repositories_truth, repository_tree, repository_truth};
pub use truth::{CatalogTruth, EstateTruth, Flow};
