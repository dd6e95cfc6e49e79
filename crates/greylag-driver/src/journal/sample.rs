//! Plans made of nothing but tasks and steps, for suites, tests and measurements.

use greylag_model::dataset::{Compression, Dataset, Format, Layout, Location, Shape};
use greylag_model::entity::EntityRef;
use greylag_model::id::{PlanId, TaskId, Timestamp};
use greylag_model::mapping::Mapping;
use greylag_model::plan::{After, DatasetWork, PLAN_VERSION, Plan, PlanHeader, PlanTask, Subject, Totals};
use greylag_model::schema::Schema;
use greylag_model::snapshot::{Impact, Observed};
use greylag_model::task::{Phase, Retry, Step};
use std::collections::BTreeMap;

/// A plan of these tasks.
pub fn plan(id: &str, tasks: Vec<PlanTask>) -> Plan {
    let header = PlanHeader {
        version: PLAN_VERSION,
        id: PlanId::new(id),
        migration: "sample".to_owned(),
        taken_at: Timestamp(0),
        through: Phase::Publish,
        retention_millis: 0,
        priority: greylag_model::spec::Priority::default(),
        rollout: None,
        connections: BTreeMap::new(),
        custom: greylag_model::custom::Custom::default(),
        blocked: Vec::new(),
        warnings: Vec::new(),
        totals: Totals { datasets: tasks.len() as u64, ..Totals::default() },
        consumers: None,
        samples: None,
    };
    Plan { header, tasks }
}

/// A task of these steps.
pub fn task(id: &str, steps: Vec<Step>) -> PlanTask {
    let layout = Layout {
        format: Format::Parquet { compression: Compression::Zstd },
        shape: Shape::File,
        partition_by: Vec::new(),
    };
    let location = |path: String| Location { connection: None, path };
    let dataset = Dataset {
        entity: EntityRef::new("resource", "default", "old"),
        location: location(format!("/data/{id}-old.parquet")),
        declared: BTreeMap::new(),
    };
    let work = DatasetWork {
        source: Observed {
            dataset,
            layout: layout.clone(),
            schema: Schema::default(),
            files: 1,
            rows: Some(0),
            bytes: 0,
            fingerprint: String::new(),
        },
        target: EntityRef::new("resource", "default", "new"),
        target_location: location(format!("/data/{id}.parquet")),
        target_layout: layout,
        target_table: None,
        mapping: Mapping {
            source: Schema::default(),
            target: Schema::default(),
            columns: Vec::new(),
            dropped: Vec::new(),
            reverse: Vec::new(),
        },
        changes: Vec::new(),
        breaking: Vec::new(),
        impact: Impact::default(),
        checks: Vec::new(),
        references: BTreeMap::new(),
        derived: None,
        increments: None,
        sample: None,
        undo: None,
        readers: None,
    };
    PlanTask {
        id: TaskId::new(id),
        owner: None,
        subject: Subject::Dataset(Box::new(work)),
        steps,
        after: Vec::new(),
        cohort: 0,
        window: None,
        warnings: Vec::new(),
    }
}

/// A step: three attempts, a second between the first two, a minute each.
pub fn step(uses: &str, phase: Phase) -> Step {
    Step {
        uses: uses.to_owned(),
        phase,
        approval: false,
        retry: Retry::default(),
        timeout_millis: 60_000,
        inserted: None,
    }
}

/// Makes a task wait for a phase of another.
pub fn after(mut task: PlanTask, other: &str, phase: Phase) -> PlanTask {
    task.after.push(After { task: TaskId::new(other), phase });
    task
}
