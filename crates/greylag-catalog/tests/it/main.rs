//! Importers and questions over the catalog in memory and files on disk.
#![expect(clippy::unwrap_used, reason = "tests")]

mod ask;
mod code;
mod descriptors;
mod migration;
mod scan;

use greylag_catalog::Report;
use greylag_catalog::descriptors::import;
use greylag_driver::catalog::{Catalog, MemoryCatalog, Outcome};
use greylag_model::entity::EntityRef;
use greylag_model::id::Timestamp;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory of files and a catalog.
struct Estate {
    directory: TempDir,
    catalog: MemoryCatalog,
}

impl Estate {
    fn new(files: &[(&str, &str)]) -> Self {
        let estate = Self { directory: TempDir::new().unwrap(), catalog: MemoryCatalog::default() };
        for (path, text) in files {
            estate.write(path, text);
        }
        estate
    }

    fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.path().join(path)).unwrap();
    }

    fn import(&self, at: i64, paths: &[&str]) -> Report {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        import(&self.catalog, &paths, &self.path(), Timestamp(at)).unwrap()
    }

    /// Imports and tells what came of it; `/estate` stands for the directory.
    fn told(&self, at: i64, paths: &[&str]) -> String {
        self.text(&self.import(at, paths))
    }

    fn text(&self, report: &Report) -> String {
        let mut lines: Vec<String> = (report.entities.iter())
            .filter(|touched| touched.outcome != Outcome::Unchanged)
            .map(|touched| format!("{:?} {}", touched.outcome, touched.entity))
            .collect();
        lines.extend(report.kept.iter().map(|kept| format!("kept {} {}", kept.entity.short(), kept.fact)));
        lines.extend(report.diagnostics.iter().map(ToString::to_string));
        lines.push(report.to_string());
        lines.join("\n").replace(self.path().to_str().unwrap(), "/estate")
    }

    fn fact(&self, entity: &str, key: &str) -> Option<String> {
        let entity = EntityRef::parse(entity, "resource").unwrap();
        let facts = self.catalog.record(&entity).unwrap()?.facts;
        let fact = facts.into_iter().find(|fact| fact.key == key)?;
        Some(format!("{} by {}", fact.value, fact.source).replace(self.path().to_str().unwrap(), "/estate"))
    }
}

/// A descriptor of a dataset that lies at a path, with lines more in its spec.
fn dataset(name: &str, location: &str, spec: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: {name}
  annotations:
    greylag.dev/location: {location}
spec:
  type: dataset
  owner: crm
{spec}"
    )
}

/// A descriptor of a consumer that reads and writes datasets.
fn job(name: &str, reads: &str, writes: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
  annotations: {{greylag.dev/reads: '{reads}', greylag.dev/writes: '{writes}'}}
spec: {{type: data-pipeline, lifecycle: production, owner: crm}}
"
    )
}

const CRM: &str = "apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: crm}
spec: {type: team, children: []}
";

fn location_of(target: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: all}}\nspec: {{targets: ['{target}']}}\n"
    )
}

fn joined(documents: &[&str]) -> String {
    documents.join("---\n")
}

fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}
