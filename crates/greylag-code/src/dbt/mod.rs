//! A dbt project, really evaluated without dbt.
//!
//! [`read`] finds the packages of a project in a [`Tree`], reads their YAML and templates once, and renders every
//! model, snapshot, analysis and test in all ways that it can go, in threads. Nothing is run: what only a database or a run could
//! tell (`run_query`, `is_incremental()`, the target) is open, and a template that branches on it goes both ways.
//!
//! **What a name in rendered SQL means** is told by its mark: `ref` and `source` give a relation that prints as its name in the database,
//! every byte of that is made of the literals of the call, wherever those stand, and its mark is the index of a
//! [`Reference`] of the rendering. So the edges of a node are those that were really followed, through macros, loops and
//! variables, and each knows the bytes of every literal that it hangs on.
//!
//! **Names in two passes.** What a `ref` prints depends on how the other node is configured. So the configuration that stands in
//! YAML or is given to `config()` as literals is gathered first, and templates are rendered after that.
//!
//! **What is missing is said**: packages that are wanted and not in the tree, calls of what is nowhere, files that cannot be
//! read, nodes with more ways than were gone.

mod evaluate;
mod flow;
mod host;
mod load;
mod named;
mod naming;
mod options;
mod project;
mod properties;
mod references;
mod said;
mod scan;
mod settings;
mod taken;
mod yaml;

pub use options::{Columns, Options};
pub use project::{
    Column, ColumnTest, Config, Edge, Exposure, Idle, Node, NodeKind, NodeRendering, Package, Problem, Project,
    Reference, ReferenceKind, Said, SaidKind, SourceTable, Target,
};

pub use taken::taken;

pub(crate) use host::{is_printed_plain, unquoted};
pub(crate) use yaml::places;

use crate::tree::Tree;
use std::io;
use std::sync::Arc;

/// Reads the project whose `dbt_project.yml` lies in a folder of a tree (`""` is its root). Of a tree that never changes it is read
/// once.
///
/// # Errors
/// The tree cannot be read, or there is no project. What is wrong within a project is listed in it.
pub fn read(tree: &dyn Tree, root: &str, options: &Options) -> io::Result<Arc<Project>> {
    let read = || Ok(evaluate::evaluate(load::load(tree, root, options.threads)?, options));
    // Whose columns are known may be told otherwise the next time.
    match tree.memo().filter(|_| options.columns.is_none()) {
        Some(memo) => memo.of(&format!("dbt {root:?} {options:?}"), read),
        None => read().map(Arc::new),
    }
}
