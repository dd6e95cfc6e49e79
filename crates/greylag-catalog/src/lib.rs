//! What brings facts into the catalog, one file each, and the questions that people ask of it.
//!
//! * [`descriptors`]: Backstage descriptor files and directories of them;
//! * [`scan`]: directories of data files without descriptors;
//! * [`code`]: what repositories' code reads and writes;
//! * [`migration`]: what a migration publishes, as the executor of `catalog/publish` and `catalog/cutover`;
//! * [`tables`]: the names by which code reaches datasets;
//! * [`ask`]: resolving a name, showing an entity, following lineage.
//!
//! **Invariant:** nothing here decides whose word stands. Importers say who states what; the fold of
//! [`greylag_model::provenance`] decides, and the store of [`greylag_driver::catalog`] keeps.

pub mod ask;
pub mod code;
pub mod descriptors;
pub mod migration;
mod report;
pub mod scan;
pub mod tables;

pub use report::Report;
