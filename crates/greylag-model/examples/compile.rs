//! Measures compiling: `cargo run --release -p greylag-model --example compile [datasets]` (10,000 by default), each with
//! twelve columns and a mapping of its own.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement that is run by hand")]

use greylag_model::dataset::{Compression, Dataset, Format, Layout, Location, Shape};
use greylag_model::entity::EntityRef;
use greylag_model::id::Timestamp;
use greylag_model::plan::{CompileOptions, Detail, Speed, compile, explain};
use greylag_model::schema::{Column, Schema};
use greylag_model::snapshot::{Impact, Observed, PairSnapshot, Snapshot, TargetPlace, fingerprint};
use greylag_model::spec::Migration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

fn main() {
    let datasets: usize = std::env::args().nth(1).map_or(10_000, |text| text.parse().unwrap());
    let migration = migration(datasets);
    let snapshot = Snapshot {
        taken_at: Timestamp(0),
        connections: BTreeMap::new(),
        pairs: (0..datasets).map(pair).collect(),
        lineage: Vec::new(),
        scripts: BTreeMap::new(),
        references: BTreeMap::new(),
        sampling: None,
        code: None,
    };
    let before = resident();
    let options = CompileOptions { parallelism: 2, speed: Speed::default() };
    let start = Instant::now();
    let compiled = compile(&migration, &|_| None, &snapshot, &options);
    let compiling = start.elapsed();
    let plan = compiled.plan.unwrap();
    let after = resident();
    let start = Instant::now();
    assert!(plan.verify_hash());
    let hashing = start.elapsed();
    let start = Instant::now();
    let lines = explain(&plan, Detail::Summary);
    let explaining = start.elapsed();
    println!("{}", lines.last().unwrap().text);
    println!(
        "{} tasks: compiled in {compiling:?}, of which hashing {hashing:?}; explained in {explaining:?}",
        plan.tasks.len()
    );
    println!("memory: {} MB before, {} MB after", before / 1_000_000, after / 1_000_000);
}

fn migration(datasets: usize) -> Migration {
    let pair = |number: usize| {
        json!({
            "from": format!("source_{number}"),
            "to": format!("target_{number}"),
            "mapping": {
                "columns": [
                    {"name": format!("renamed_{number}"), "from": format!("c0_{number}")},
                    {"name": "price", "from": format!("c1_{number}"), "type": "float64"},
                    {"name": "day", "from": format!("c2_{number}"), "type": "timestamp(us)"},
                    {"name": "gross", "expr": format!("c1_{number} * 1.19")},
                    {"name": "status", "from": format!("c3_{number}"), "default": "'unknown'"}
                ],
                "split": [{"from": format!("c4_{number}"), "into": ["first", "last"], "separator": " "}],
                "drop": [{"name": format!("c5_{number}"), "reason": "unused"}]
            }
        })
    };
    let pairs: Vec<Value> = (0..datasets).map(pair).collect();
    serde_json::from_value(json!({
        "apiVersion": "greylag.dev/v1alpha1",
        "kind": "Migration",
        "metadata": {"name": "measured"},
        "spec": {"datasets": pairs}
    }))
    .unwrap()
}

fn pair(number: usize) -> PairSnapshot {
    let types =
        ["int64", "decimal(15,2)", "date", "string", "string", "string", "int32", "float64", "boolean", "string"];
    let columns = (0..12).map(|column| Column {
        name: format!("c{column}_{number}"),
        data_type: types[column % types.len()].parse().unwrap(),
        nullable: true,
    });
    let place = |name: &str| Location { connection: None, path: format!("/data/{name}.parquet") };
    let (from, to) = (format!("source_{number}"), format!("target_{number}"));
    let dataset = Dataset {
        entity: EntityRef::new("resource", "default", &from),
        location: place(&from),
        declared: BTreeMap::new(),
    };
    let layout = Layout {
        format: Format::Parquet { compression: Compression::Snappy },
        shape: Shape::File,
        partition_by: Vec::new(),
    };
    let schema = Schema { columns: columns.collect() };
    let fingerprint = fingerprint(&dataset, &layout, &schema);
    let source = Observed { dataset, layout, schema, files: 1, rows: Some(1_000), bytes: 60_000, fingerprint };
    PairSnapshot {
        source: Ok(source),
        target: TargetPlace {
            entity: EntityRef::new("resource", "default", &to),
            location: place(&to),
            exists: false,
            free_bytes: 1 << 40,
            device: "disk".to_owned(),
        },
        owner: None,
        tags: Vec::new(),
        zone: None,
        dangling_owner: false,
        impact: Impact::default(),
        published: None,
        sample: None,
    }
}

/// Resident memory of this process, in bytes; 0 where there is no `/proc`.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1_000)
}
