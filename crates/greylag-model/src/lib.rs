//! What a migration *is*: ids, entities, datasets, schemas, types, lineage, specs, expressions, operations,
//! mappings, snapshots, plans, tasks, checks and error codes.
//!
//! **Invariant:** nothing here does IO, reads a clock, an environment or a random source, or is asynchronous.
//! Every function is values in, values out, so it cannot fail half-way.

pub mod carry;
pub mod cast;
pub mod cel;
pub mod check;
pub mod code;
pub mod codegen;
pub mod consumer;
pub mod custom;
pub mod dataset;
pub mod derived;
pub mod diagnostic;
pub mod diff;
pub mod entity;
pub mod expr;
pub mod flow;
pub mod id;
pub mod increment;
pub mod limit;
pub mod lineage;
pub mod mapping;
pub mod operation;
pub mod plan;
pub mod proof;
pub mod provenance;
pub mod reference;
pub mod rollout;
pub mod sample;
pub mod schedule;
pub mod schema;
pub mod snapshot;
pub mod spec;
pub mod table;
pub mod task;
pub mod template;
pub mod types;
pub mod value;
pub mod view;
pub mod yaml;
