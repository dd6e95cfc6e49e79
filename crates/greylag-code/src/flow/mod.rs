//! What the code of a repository reads and writes, for a catalog's lineage.
//!
//! Every file of SQL and every node of a dbt project that reads or writes a relation is a consumer. Of a dbt node all ways in which it
//! renders are read; what it refers to where no SQL shows it (a hook, a template that fails) is read, too. Relations are named as the code
//! names them; what another node of the same project makes is known by that node besides, so that lineage does not end where the
//! catalog has no dataset. Columns come from [`greylag_syntax::sql`]'s lineage, as far as names can be resolved.
//!
//! **Invariants:** nothing of the repository is run; the same tree gives the same flows; a relation that is listed stands in the code,
//! at the place that is given.

mod node;
mod query;

use crate::owners::Owners;
use crate::repository::{Kind, Options, Purpose, Settings, projects};
use crate::tree::Tree;
use greylag_model::flow::{Consumer, Flows};
use greylag_syntax::sql::{Dialect, Schemas};
use std::io;

/// Reads a repository.
///
/// # Errors
/// The tree cannot be read.
pub fn flows(tree: &dyn Tree, schemas: &dyn Schemas, options: Options<'_>) -> io::Result<Flows> {
    let paths = tree.paths()?;
    let mut roots = Vec::new();
    let settings = Settings::of(tree)?;
    let owners = Owners::of(tree)?;
    let mut flows = Flows { name: owners.name.clone(), owner: owners.owner.clone(), ..Flows::default() };
    for root in projects(&paths) {
        let way = settings.way((tree, &paths), &root, options, Purpose::Showing)?;
        match node::read(tree, &root, &way, schemas, &mut flows) {
            // A folder whose `dbt_project.yml` names no project is none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => {
                read?;
                roots.push(root);
            }
        }
    }
    let dialect = options.dialect.or(settings.dialect).unwrap_or(Dialect::Generic);
    for path in paths.iter().filter(|path| Kind::of(path) == Kind::Sql) {
        let in_project = roots.iter().any(|root| root.is_empty() || path.starts_with(&format!("{root}/")));
        let bytes = if in_project { None } else { tree.read(path)? };
        if let Some(text) = bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok()) {
            flows.consumers.extend(query::of_file(path, text, dialect, schemas, &mut flows.unknown));
        }
    }
    flows.consumers.retain(|consumer: &Consumer| !consumer.reads.is_empty() || !consumer.writes.is_empty());
    for consumer in &mut flows.consumers {
        consumer.owner = owners.of_file(&consumer.path);
    }
    flows.consumers.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(flows)
}
