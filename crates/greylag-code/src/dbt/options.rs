//! What the caller knows that stands in no file of the project.

use greylag_syntax::jinja::Limits;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Where the columns of relations are known from.
pub trait Columns: Send + Sync + fmt::Debug {
    /// Names and types of the columns of a node or source, by what dbt calls it (`model.shop.orders`, `source.shop.raw.orders`);
    /// `None` if they are not known.
    fn columns(&self, id: &str) -> Option<Vec<(String, String)>>;
}

/// How a project is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The kind of database: `duckdb`, `postgres` … It chooses among macros. If it is not known, the macros for any are taken.
    pub adapter: Option<String>,
    /// What is known of the target: `name`, `schema`, `database` … The rest is open.
    pub target: BTreeMap<String, String>,
    /// Variables that come before those of the project.
    pub variables: BTreeMap<String, serde_json::Value>,
    /// The columns that are known.
    pub columns: Option<Arc<dyn Columns>>,
    /// What one template may take.
    pub limits: Limits,
    /// How many threads render.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            adapter: None,
            target: BTreeMap::new(),
            variables: BTreeMap::new(),
            columns: None,
            limits: Limits::default(),
            threads: 2,
        }
    }
}
