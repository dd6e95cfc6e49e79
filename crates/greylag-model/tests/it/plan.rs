//! Plans: a migration and a snapshot in, a plan or all reasons out, as text.

mod blocked;
mod changes;
mod compile;
mod diff;
mod explain;
mod hash;
mod layout;
mod order;
mod rollout;
mod sample;
mod scale;
mod scopes;
mod staleness;

use crate::mapping::{place, schema};
use greylag_model::dataset::{Compression, CsvDialect, Dataset, Format, Layout, Location, Shape};
use greylag_model::entity::EntityRef;
use greylag_model::id::Timestamp;
use greylag_model::plan::{CompileOptions, Compiled, Detail, Plan, Speed};
use greylag_model::snapshot::{Impact, LineageEdge, Observed, PairSnapshot, Snapshot, TargetPlace, fingerprint};
use greylag_model::spec::Migration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(crate) fn parquet(shape: Shape, partition_by: &[&str]) -> Layout {
    let format = Format::Parquet { compression: Compression::Zstd };
    Layout { format, shape, partition_by: partition_by.iter().map(ToString::to_string).collect() }
}

pub(crate) fn csv(shape: Shape) -> Layout {
    Layout { format: Format::Csv(CsvDialect::default()), shape, partition_by: Vec::new() }
}

fn entity(name: &str) -> EntityRef {
    EntityRef::parse(name, "resource").unwrap()
}

fn local(path: &str) -> Location {
    Location { connection: None, path: path.to_owned() }
}

/// A dataset `name` at `/data/name` with columns, as a probe would see it.
fn observed(name: &str, columns: &str, layout: Layout) -> Observed {
    let entity = entity(name);
    let dataset = Dataset { location: local(&format!("/data/{}", entity.name)), entity, declared: BTreeMap::new() };
    let schema = schema(columns);
    let fingerprint = fingerprint(&dataset, &layout, &schema);
    let rows = matches!(layout.format, Format::Parquet { .. }).then_some(1_000);
    Observed { dataset, layout, schema, files: 1, rows, bytes: 50_000, fingerprint }
}

/// A pair as probed: the target is at `/data/to`, free, with 1 GB left.
fn probed(from: Observed, to: &str) -> PairSnapshot {
    let entity = entity(to);
    let location = local(&format!("/data/{}", entity.name));
    PairSnapshot {
        source: Ok(from),
        target: TargetPlace { entity, location, exists: false, free_bytes: 1_000_000_000, device: "disk-1".to_owned() },
        owner: None,
        tags: Vec::new(),
        zone: None,
        dangling_owner: false,
        impact: Impact { direct: vec![EntityRef::new("component", "default", "reader")], indirect: 0 },
        published: None,
        sample: None,
    }
}

/// A world of pairs and the migration of them; edit either before compiling.
struct Case {
    spec: Value,
    snapshot: Snapshot,
}

impl Case {
    /// Pairs `from → to` with columns each, as single Parquet files.
    fn new(pairs: &[(&str, &str, &str)], spec: Value) -> Self {
        let mut case = Self {
            spec,
            snapshot: Snapshot {
                taken_at: Timestamp(1_700_000_000_000),
                connections: BTreeMap::new(),
                pairs: Vec::new(),
                lineage: Vec::new(),
                scripts: BTreeMap::new(),
                references: BTreeMap::new(),
                sampling: None,
                code: None,
            },
        };
        let mut datasets = Vec::new();
        for (from, to, columns) in pairs {
            datasets.push(json!({"from": from, "to": to}));
            case.snapshot.pairs.push(probed(observed(from, columns, parquet(Shape::File, &[])), to));
        }
        if case.spec.get("datasets").is_none() {
            case.spec["datasets"] = Value::Array(datasets);
        }
        case
    }

    fn lineage(mut self, edges: &[(&str, &str)]) -> Self {
        let edge = |(upstream, downstream): &(&str, &str)| LineageEdge {
            upstream: entity(upstream),
            downstream: entity(downstream),
        };
        self.snapshot.lineage = edges.iter().map(edge).collect();
        self
    }

    fn migration(&self) -> Migration {
        serde_json::from_value(json!({
            "apiVersion": "greylag.dev/v1alpha1",
            "kind": "Migration",
            "metadata": {"name": "test"},
            "spec": self.spec,
        }))
        .unwrap()
    }

    fn compile(&self) -> Compiled {
        greylag_model::plan::compile(&self.migration(), &place, &self.snapshot, &options())
    }

    fn plan(&self) -> Plan {
        let compiled = self.compile();
        assert_eq!(compiled.diagnostics, []);
        compiled.plan.unwrap()
    }

    /// Blocked pairs with their reasons, or the diagnostics if there is no plan.
    fn reasons(&self) -> String {
        let compiled = self.compile();
        let mut text = String::new();
        for error in &compiled.diagnostics {
            text.push_str(&crate::mapping::diagnostic(error));
        }
        for pair in compiled.plan.iter().flat_map(|plan| &plan.header.blocked) {
            writeln!(text, "{} → {}", pair.from, pair.to).unwrap();
            for reason in &pair.reasons {
                text.push_str(&crate::mapping::diagnostic(reason));
            }
        }
        text
    }

    fn explain(&self, detail: Detail) -> String {
        greylag_model::plan::explain(&self.plan(), detail).into_iter().map(|line| line.text + "\n").collect()
    }
}

fn options() -> CompileOptions {
    let speed = Speed {
        dataset_micros: 10_000,
        parquet_bytes_per_second: 10_000_000,
        csv_bytes_per_second: 5_000_000,
        ..Speed::default()
    };
    CompileOptions { parallelism: 2, speed }
}
